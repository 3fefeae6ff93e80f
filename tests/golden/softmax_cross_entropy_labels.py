import numpy as np


def loss_grad(w, b, x, labels):
    logits = x @ w + b
    shifted = logits - np.max(logits, axis=1, keepdims=True)
    exp = np.exp(shifted)
    rows = np.arange(len(labels))
    ratio = 1.0 / x.shape[0]
    d_shifted = np.zeros_like(shifted)
    d_shifted[rows, labels] = -ratio
    d_shifted += (ratio / np.sum(exp, axis=1))[:, None] * exp
    d_b = np.sum(d_shifted, axis=0)
    d_w = x.T @ d_shifted
    return d_w, d_b

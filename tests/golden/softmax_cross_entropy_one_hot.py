import numpy as np


def loss_grad(w, b, x, one_hot):
    logits = x @ w + b
    logits = logits - logits.max(axis=1, keepdims=True)  # exp cannot overflow
    exp = np.exp(logits)
    ratio = one_hot / x.shape[0]
    d_log = np.sum(ratio, axis=1, keepdims=True)
    product = d_log / np.sum(exp, axis=1, keepdims=True) * exp
    d_logits = product - ratio
    d_b = np.sum(d_logits, axis=0)
    d_w = x.T @ d_logits
    return d_w, d_b

import numpy as np


def loss_hvp(w, b, x, labels, t_w, t_b):
    logits = x @ w + b
    shifted = logits - np.max(logits, axis=1, keepdims=True)
    exp = np.exp(shifted)
    t_product = (x @ t_w + t_b) * exp
    total = np.sum(exp, axis=1)
    d_total = 1.0 / x.shape[0] / total
    t_product_1 = (np.sum(t_product, axis=1) * d_total / total)[:, None] * exp
    t_d_shifted = t_product * d_total[:, None] - t_product_1
    t_d_b = np.sum(t_d_shifted, axis=0)
    t_d_w = x.T @ t_d_shifted
    return t_d_w, t_d_b

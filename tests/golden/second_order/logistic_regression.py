import numpy as np


def loss_hvp(w, b, x, y, l2, t_w, t_b):
    margin = y * (x @ w + b)
    t_margin = (x @ t_w + t_b) * y
    negative = -margin
    exp = np.exp(negative - np.logaddexp(0.0, negative))
    t_ratio = (t_margin * exp - t_margin) * exp / x.shape[0]
    t_product = t_ratio * y
    t_d_b = -np.sum(t_product)
    t_d_w = t_w * l2 - x.T @ t_product
    return t_d_w, t_d_b

import numpy as np


def loss_grad(w, b, x, y, l2=0.1):
    margin = y * (x @ w + b)
    negative = -margin
    exp = np.exp(negative - np.logaddexp(0.0, negative))
    product = exp / x.shape[0] * y
    d_b = -np.sum(product)
    d_w = l2 * w - x.T @ product
    return d_w, d_b

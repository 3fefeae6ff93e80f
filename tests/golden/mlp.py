import numpy as np


def loss_grad(w1, b1, w2, b2, w3, b3, x, y):
    h1 = np.tanh(x @ w1 + b1)
    h2 = np.tanh(h1 @ w2 + b2)
    error = h2 @ w3 + b3 - y
    d_error = 2.0 / y.size * error
    d_b3 = np.sum(d_error, axis=0)
    d_w3 = h2.T @ d_error
    d_total = d_error @ w3.T * (1 - h2 * h2)
    d_b2 = np.sum(d_total, axis=0)
    d_w2 = h1.T @ d_total
    d_total = d_total @ w2.T * (1 - h1 * h1)
    d_b1 = np.sum(d_total, axis=0)
    d_w1 = x.T @ d_total
    return d_w1, d_b1, d_w2, d_b2, d_w3, d_b3

import numpy as np


def loss_forward(w1, w2, x, y):
    hidden = np.maximum(x @ w1, 0.0)  # relu
    error = hidden @ w2 - y
    value = np.sum(error ** 2)
    return value, (error, w2, hidden, x)


def loss_backward(error, w2, hidden, x, d_value):
    d_error = 2 * d_value * error
    d_w2 = hidden.T @ d_error
    d_w1 = x.T @ (d_error @ w2.T * (hidden > 0.0))
    return d_w1, d_w2

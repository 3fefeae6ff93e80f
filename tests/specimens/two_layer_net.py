"""A two-layer ReLU network with squared error: the first thing anybody differentiates."""

import numpy as np

WRT = ("w1", "w2")


def loss(w1, w2, x, y):
    hidden = np.maximum(x @ w1, 0.0)  # relu
    error = hidden @ w2 - y
    return np.sum(error**2)


def by_hand(w1, w2, x, y):
    hidden = np.maximum(x @ w1, 0.0)  # relu
    error = hidden @ w2 - y
    d_error = 2.0 * error
    d_w2 = hidden.T @ d_error
    d_hidden = d_error @ w2.T
    d_w1 = x.T @ (d_hidden * (hidden > 0.0))
    return d_w1, d_w2


def arguments(rng):
    return rng.normal(size=(4, 6)), rng.normal(size=(6, 3)), rng.normal(size=(5, 4)), rng.normal(size=(5, 3))

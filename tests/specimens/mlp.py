"""Three dense layers through a helper: one function called three times, once without its tanh."""

import numpy as np

WRT = ("w1", "b1", "w2", "b2", "w3", "b3")


def dense(x, w, b):
    return x @ w + b


def loss(w1, b1, w2, b2, w3, b3, x, y):
    h1 = np.tanh(dense(x, w1, b1))
    h2 = np.tanh(dense(h1, w2, b2))
    error = dense(h2, w3, b3) - y
    return np.mean(error**2)


def by_hand(w1, b1, w2, b2, w3, b3, x, y):
    h1 = np.tanh(x @ w1 + b1)
    h2 = np.tanh(h1 @ w2 + b2)
    error = h2 @ w3 + b3 - y
    d_error = 2.0 * error / error.size
    d_w3 = h2.T @ d_error
    d_b3 = d_error.sum(axis=0)
    d_a2 = (d_error @ w3.T) * (1.0 - h2**2)
    d_w2 = h1.T @ d_a2
    d_b2 = d_a2.sum(axis=0)
    d_a1 = (d_a2 @ w2.T) * (1.0 - h1**2)
    d_w1 = x.T @ d_a1
    d_b1 = d_a1.sum(axis=0)
    return d_w1, d_b1, d_w2, d_b2, d_w3, d_b3


def arguments(rng):
    w1, b1, w2, b2, w3, b3 = (rng.normal(size=size) for size in ((3, 4), 4, (4, 5), 5, (5, 2), 2))
    return w1, b1, w2, b2, w3, b3, rng.normal(size=(6, 3)), rng.normal(size=(6, 2))

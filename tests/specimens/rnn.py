"""A recurrent network: a loop over time whose state feeds back, with weights shared by all steps."""

import numpy as np

WRT = ("w_x", "w_h", "b", "w_out")


def loss(w_x, w_h, b, w_out, xs, target):
    h = np.zeros((xs.shape[1], len(b)))
    for x_t in xs:
        h = np.tanh(x_t @ w_x + h @ w_h + b)
    error = h @ w_out - target  # only the last state is read out
    return np.sum(error**2)


def by_hand(w_x, w_h, b, w_out, xs, target):
    h = np.zeros((xs.shape[1], len(b)))
    hs = [h]
    for x_t in xs:
        h = np.tanh(x_t @ w_x + h @ w_h + b)
        hs.append(h)
    error = h @ w_out - target  # only the last state is read out
    d_error = 2.0 * error
    d_w_out = h.T @ d_error
    d_h = d_error @ w_out.T
    d_w_x = np.zeros_like(w_x)
    d_w_h = np.zeros_like(w_h)
    d_b = np.zeros_like(b)
    for t in reversed(range(len(xs))):
        d_a = d_h * (1.0 - hs[t + 1] ** 2)
        d_w_x += xs[t].T @ d_a
        d_w_h += hs[t].T @ d_a
        d_b += d_a.sum(axis=0)
        d_h = d_a @ w_h.T
    return d_w_x, d_w_h, d_b, d_w_out


def arguments(rng):
    w_x, w_h, b, w_out = (rng.normal(size=size) for size in ((3, 4), (4, 4), 4, (4, 2)))
    return w_x, w_h, b, w_out, rng.normal(size=(5, 6, 3)), rng.normal(size=(6, 2))

"""Ridge regression: inner products of vectors, and the same array in two terms."""

import numpy as np

WRT = ("w",)


def loss(w, x, y, penalty=0.5):
    residual = np.dot(x, w) - y
    return residual @ residual + penalty * (w @ w)


def by_hand(w, x, y, penalty=0.5):
    residual = np.dot(x, w) - y
    d_w = 2.0 * (x.T @ residual + penalty * w)
    return (d_w,)


def arguments(rng):
    return rng.normal(size=4), rng.normal(size=(7, 4)), rng.normal(size=7)

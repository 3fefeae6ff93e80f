"""Rosenbrock's valley: overlapping slices of one array, in a single line."""

import numpy as np

WRT = ("x",)


def loss(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def by_hand(x):
    valley = x[1:] - x[:-1] ** 2
    d_x = np.zeros_like(x)
    d_x[1:] += 200.0 * valley
    d_x[:-1] -= 400.0 * valley * x[:-1] + 2.0 * (1.0 - x[:-1])
    return (d_x,)


def arguments(rng):
    return (rng.normal(size=8),)

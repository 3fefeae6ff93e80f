"""A backtracking line search: the loop finds a number, and only the step taken is differentiated."""

import numpy as np

WRT = ("x",)


def loss(x):
    slope = 2.0 * x
    size = 1.0
    while np.sum((x - size * slope) ** 2) > 0.5 * np.sum(x**2):
        size = size * 0.5
        if size < 1e-4:
            break
    return np.sum(x - size * slope)


def by_hand(x):
    slope = 2.0 * x
    size = 1.0
    while np.sum((x - size * slope) ** 2) > 0.5 * np.sum(x**2):
        size = size * 0.5
        if size < 1e-4:
            break
    return (np.full_like(x, 1.0 - 2.0 * size),)


def arguments(rng):
    return (rng.uniform(0.5, 1.5, size=4),)

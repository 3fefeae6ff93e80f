"""A loop's variables behind it: the last reading, and the index where it was found."""

import numpy as np

WRT = ("x", "a")


def loss(x, a):
    for i in range(len(x)):
        if x[i] > 1.0:
            break
    return a * x[i] ** 2 * (i + 1)


def by_hand(x, a):
    for i in range(len(x)):
        if x[i] > 1.0:
            break
    d_x = np.zeros_like(x)
    d_x[i] = 2.0 * a * x[i] * (i + 1)
    return d_x, x[i] ** 2 * (i + 1)


def arguments(rng):
    x = rng.uniform(0.0, 0.9, size=6)
    x[3] = 1.5
    return x, rng.uniform(0.5, 1.5)

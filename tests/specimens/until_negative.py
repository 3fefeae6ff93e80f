"""A sum that ends at the first negative entry."""

import numpy as np

WRT = ("x", "scale")


def loss(x, scale):
    total = 0.0
    for value in x:
        if value < 0.0:
            break
        total += scale * value**2
    return total


def by_hand(x, scale):
    passes = 0
    for value in x:
        if value < 0.0:
            break
        passes += 1
    d_x = np.zeros_like(x)
    d_scale = 0.0
    for i in range(passes):
        d_scale += x[i] ** 2
        d_x[i] = 2.0 * scale * x[i]
    return d_x, d_scale


def arguments(rng):
    x = rng.uniform(0.1, 2.0, size=7)
    x[4] = -1.0
    return x, rng.uniform(0.5, 1.5)

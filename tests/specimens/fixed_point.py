"""A fixed point, iterated until it stands still: `while True` and `break` at the top."""

import numpy as np

WRT = ("start", "a")


def loss(start, a):
    x = start
    while True:
        new = np.cos(a * x)
        if abs(new - x) < 0.05:
            break
        x = new
    return x


def by_hand(start, a):
    x = start
    xs = []
    while True:
        new = np.cos(a * x)
        if abs(new - x) < 0.05:
            break
        xs.append(x)
        x = new
    d_x = 1.0
    d_a = 0.0
    for x in reversed(xs):
        d_inner = -d_x * np.sin(a * x)
        d_a += d_inner * x
        d_x = d_inner * a
    return d_x, d_a


def arguments(rng):
    return rng.uniform(0.2, 0.8), rng.uniform(0.4, 0.8)

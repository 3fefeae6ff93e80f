"""A running value that passes outliers over: `continue`."""

import numpy as np

WRT = ("x", "rate")


def loss(x, rate):
    level = 0.0
    for value in x:
        if abs(value - level) > 2.0:
            continue
        level = level + rate * (value - level)
    return level**2


def by_hand(x, rate):
    level = 0.0
    before = []
    for value in x:
        before.append(level)
        if abs(value - level) > 2.0:
            continue
        level = level + rate * (value - level)
    d_level = 2.0 * level
    d_x = np.zeros_like(x)
    d_rate = 0.0
    for i, level in zip(reversed(range(len(x))), reversed(before)):
        if abs(x[i] - level) > 2.0:
            continue
        d_rate += d_level * (x[i] - level)
        d_x[i] = d_level * rate
        d_level = d_level * (1.0 - rate)
    return d_x, d_rate


def arguments(rng):
    x = rng.uniform(-0.5, 0.5, size=6)
    x[2] = 9.0
    return x, rng.uniform(0.1, 0.9)

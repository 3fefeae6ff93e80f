"""An early return from a loop: the value where a sum first crosses a limit."""

import numpy as np

WRT = ("x", "limit")


def loss(x, limit):
    total = 0.0
    for value in x:
        total += value**2
        if total > limit:
            return total * value
    return total


def by_hand(x, limit):
    total = 0.0
    crossed = False
    passes = 0
    for value in x:
        passes += 1
        total += value**2
        if total > limit:
            crossed = True
            break
    d_x = np.zeros_like(x)
    d_total = 1.0
    if crossed:
        d_x[passes - 1] = total
        d_total = value
    for i in range(passes):
        d_x[i] += d_total * 2.0 * x[i]
    return d_x, 0.0


def arguments(rng):
    return rng.uniform(0.5, 1.0, size=8), 2.5 + rng.uniform(0.0, 0.1)

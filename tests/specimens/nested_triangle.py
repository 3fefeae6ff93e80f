"""Nested loops whose inner one depends on the outer, each of which may end early."""

import numpy as np

WRT = ("x",)


def loss(x):
    total = 0.0
    for i in range(len(x)):
        for j in range(i):
            if x[j] < 0.0:
                break
            total += x[i] * x[j]
    return total


def by_hand(x):
    passes = []
    for i in range(len(x)):
        count = 0
        for j in range(i):
            if x[j] < 0.0:
                break
            count += 1
        passes.append(count)
    d_x = np.zeros_like(x)
    for i, count in enumerate(passes):
        for j in range(count):
            d_x[j] += x[i]
            d_x[i] += x[j]
    return (d_x,)


def arguments(rng):
    x = rng.uniform(0.2, 1.0, size=6)
    x[3] = -0.5
    return (x,)

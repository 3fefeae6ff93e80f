"""A vector that is updated until it changes little, and no longer than that: state before the test."""

import numpy as np

WRT = ("x", "w")


def loss(x, w):
    h = np.zeros_like(x)
    for _ in range(50):
        new = np.tanh(w * h + x)
        if np.sum((new - h) ** 2) < 1e-8:
            break
        h = new
    return np.sum(h**2)


def by_hand(x, w):
    h = np.zeros_like(x)
    before = []
    for _ in range(50):
        new = np.tanh(w * h + x)
        if np.sum((new - h) ** 2) < 1e-8:
            break
        before.append((h, new))
        h = new
    d_h = 2.0 * h
    d_x = np.zeros_like(x)
    d_w = 0.0
    for h, new in reversed(before):
        d_a = d_h * (1.0 - new**2)
        d_x += d_a
        d_w += np.sum(d_a * h)
        d_h = d_a * w
    return d_x, d_w


def arguments(rng):
    return rng.uniform(-1.0, 1.0, size=5), rng.uniform(0.2, 0.6)

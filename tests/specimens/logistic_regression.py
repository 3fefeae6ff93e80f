"""Logistic regression with labels -1 and +1: logaddexp, a scalar bias, and a default argument."""

import numpy as np

WRT = ("w", "b")


def loss(w, b, x, y, l2=0.1):
    margin = y * (x @ w + b)
    return np.mean(np.logaddexp(0.0, -margin)) + 0.5 * l2 * np.sum(w**2)


def by_hand(w, b, x, y, l2=0.1):
    margin = y * (x @ w + b)
    d_margin = -1.0 / (1.0 + np.exp(margin)) / len(y)
    d_score = y * d_margin
    d_w = x.T @ d_score + l2 * w
    d_b = d_score.sum()
    return d_w, d_b


def arguments(rng):
    return rng.normal(size=4), rng.normal(), rng.normal(size=(7, 4)), rng.choice([-1.0, 1.0], size=7)

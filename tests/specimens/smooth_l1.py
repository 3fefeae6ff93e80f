"""Smooth L1: `np.where` between two formulas, and a conditional expression on a keyword."""

import numpy as np

WRT = ("prediction",)


def loss(prediction, target, beta=0.5, average=True):
    error = np.abs(prediction - target)
    cost = np.where(error < beta, 0.5 * error**2 / beta, error - 0.5 * beta)
    return np.mean(cost) if average else np.sum(cost)


def by_hand(prediction, target, beta=0.5, average=True):
    error = prediction - target
    d_cost = 1.0 / error.size if average else 1.0
    d_prediction = d_cost * np.where(np.abs(error) < beta, error / beta, np.sign(error))
    return (d_prediction,)


def arguments(rng):
    target = rng.normal(size=(4, 3))
    error = rng.choice([-1.2, -0.2, 0.2, 1.2], size=(4, 3))  # both formulas, both signs
    return target + error, target

"""Huber's loss of one number: the branch depends on the value that is differentiated."""

import numpy as np

WRT = ("prediction", "delta")


def loss(prediction, delta, target):
    error = prediction - target
    if abs(error) <= delta:
        cost = 0.5 * error**2
    else:
        cost = delta * (abs(error) - 0.5 * delta)
    return cost


def by_hand(prediction, delta, target):
    error = prediction - target
    if abs(error) <= delta:
        d_prediction = error
        d_delta = 0.0
    else:
        d_prediction = delta * np.sign(error)
        d_delta = abs(error) - delta
    return d_prediction, d_delta


def arguments(rng):
    target = rng.normal()
    error = float(rng.choice([-3.0, -0.4, 0.4, 3.0]))  # both branches, both signs
    return target + error, 1.2, target

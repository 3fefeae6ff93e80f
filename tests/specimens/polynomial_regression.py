"""A polynomial by Horner's rule: a loop over the entries of the array that is differentiated."""

import numpy as np

WRT = ("coefficients",)


def loss(coefficients, x, y):
    fit = np.zeros_like(x)
    for c in coefficients:  # highest power first
        fit = fit * x + c
    return np.mean((fit - y) ** 2)


def by_hand(coefficients, x, y):
    fit = np.zeros_like(x)
    for c in coefficients:  # highest power first
        fit = fit * x + c
    d_fit = 2.0 * (fit - y) / len(x)
    d_coefficients = np.empty_like(coefficients)
    for i in reversed(range(len(coefficients))):
        d_coefficients[i] = d_fit.sum()
        d_fit = d_fit * x
    return (d_coefficients,)


def arguments(rng):
    return rng.normal(size=4), rng.uniform(-1.0, 1.0, size=9), rng.normal(size=9)

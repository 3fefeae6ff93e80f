import numpy as np


def loss_grad(coefficients, x, y):
    fit = np.zeros_like(x)
    for c in coefficients:  # highest power first
        fit = fit * x + c
    d_fit = 2.0 / x.size * (fit - y)
    d_coefficients = np.zeros_like(coefficients)
    for i in reversed(range(len(coefficients))):
        d_fit_1 = d_fit * x
        d_coefficients[i] += np.sum(d_fit)
        d_fit = d_fit_1
    return (d_coefficients,)

import numpy as np


def loss_forward(prediction, delta, target):
    error = prediction - target
    less_equal = abs(error) <= delta
    if less_equal:
        cost = 0.5 * error ** 2
        diff = None
    else:
        diff = abs(error) - 0.5 * delta
        cost = delta * diff
    return cost, (less_equal, error, diff, delta)


def loss_backward(less_equal, error, diff, delta, d_cost):
    if less_equal:
        d_error = d_cost * error
        d_delta = 0.0
    else:
        d_diff = d_cost * delta
        d_delta = d_cost * diff - 0.5 * d_diff
        d_error = d_diff * np.sign(error)
    return d_error, d_delta

import numpy as np


def loss_grad(prediction, delta, target):
    error = prediction - target
    if abs(error) <= delta:
        d_error = error
        d_delta = 0.0
    else:
        product = 0.5 * delta
        d_delta = abs(error) - product - product
        d_error = delta * np.sign(error)
    return d_error, d_delta

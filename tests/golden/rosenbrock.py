import numpy as np


def loss_grad(x):
    diff = x[1:] - x[:-1] ** 2
    d_x = np.zeros_like(x)
    d_x[:-1] = -2 * (1.0 - x[:-1])
    d_x[:-1] -= 400.0 * (diff * x[:-1])
    d_x[1:] += 200.0 * diff
    return (d_x,)

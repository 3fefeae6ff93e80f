import numpy as np


def loss_grad(x):
    slope = 2.0 * x
    size = 1.0
    while np.sum((x - size * slope) ** 2) > 0.5 * np.sum(x ** 2):
        size = size * 0.5
        if size < 0.0001:
            break
    return (np.full_like(x, 1.0 - 2.0 * size),)

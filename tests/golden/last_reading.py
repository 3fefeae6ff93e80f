import numpy as np


def loss_grad(x, a):
    for i in range(len(x)):
        if x[i] > 1.0:
            break
    d_product = 1.0 * (i + 1)
    d_a = d_product * x[i] ** 2
    d_x = np.zeros_like(x)
    d_x[i] = d_product * a * (2 * x[i])
    return d_x, d_a

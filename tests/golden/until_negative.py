import numpy as np


def loss_grad(x, scale):
    passes = 0
    for value in x:
        if value < 0.0:
            break
        passes += 1
    d_x = np.zeros_like(x)
    d_scale = 0.0
    for i in reversed(range(passes)):
        value = x[i]
        d_scale += value ** 2
        d_x[i] += scale * (2 * value)
    return d_x, d_scale

import numpy as np


def loss_hvp(x, t_x):
    t_diff = t_x[1:] - t_x[:-1] * (2 * x[:-1])
    t_d_x = np.zeros_like(x)
    t_d_x[:-1] = 2 * t_x[:-1]
    t_negative = -400.0 * (t_diff * x[:-1] + t_x[:-1] * (x[1:] - x[:-1] ** 2))
    t_d_x[:-1] += t_negative
    t_d_x[1:] += 200.0 * t_diff
    return (t_d_x,)

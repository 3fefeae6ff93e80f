import numpy as np


def loss_grad(a, b, c, x, y):
    exp = np.exp(a * x)
    u = np.log1p(exp)
    exp_1 = np.exp(b * u - 1.0)
    v = np.log1p(exp_1)
    exp_2 = np.exp(c * v + u)
    w = np.log1p(exp_2)
    d_u = 2 * (w - y) / (1 + exp_2) * exp_2
    d_c = d_u * v
    d_diff = d_u * c / (1 + exp_1) * exp_1
    d_b = d_diff * u
    d_a = (d_u + d_diff * b) / (1 + exp) * exp * x
    return d_a, d_b, d_c

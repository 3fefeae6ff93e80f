import numpy as np


def loss_jvp(initial, rate, target, steps, t_initial, t_rate):
    u = initial
    t_u = t_initial
    for _ in range(steps):
        curvature = u[2:] - 2.0 * u[1:-1] + u[:-2]
        t_product = (t_u[2:] - 2.0 * t_u[1:-1] + t_u[:-2]) * rate
        t_total = t_u[1:-1] + (t_rate * curvature + t_product)
        t_u = np.concatenate([t_u[:1], t_total, t_u[-1:]])
        u = np.concatenate([u[:1], u[1:-1] + rate * curvature, u[-1:]])
    diff = u - target
    value = np.sum(diff ** 2)
    t_value = np.sum(t_u * (2 * diff))
    return value, t_value

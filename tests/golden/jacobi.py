import numpy as np


def loss_grad(initial, source, sweeps=6):
    u = initial.copy()
    for _ in range(sweeps):
        u[1:-1, 1:-1] = 0.25 * (u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:] + source)
    d_u = 2 * u
    d_source = np.zeros_like(source)
    for _ in range(sweeps):
        d_u_part = d_u[1:-1, 1:-1].copy()
        d_u[1:-1, 1:-1] = 0.0
        d_total = 0.25 * d_u_part
        d_source += d_total
        d_u[1:-1, 2:] += d_total
        d_u[1:-1, :-2] += d_total
        d_u[2:, 1:-1] += d_total
        d_u[:-2, 1:-1] += d_total
    return d_u, d_source

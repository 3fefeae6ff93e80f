import numpy as np


def loss_grad(initial, source, sweeps=6):
    u = initial.copy()
    for _ in range(sweeps):
        u[1:-1, 1:-1] = 0.25 * (u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:] + source)
    d_u = 2 * u
    d_source = np.zeros_like(source)
    for _ in range(sweeps):
        copy = d_u[1:-1, 1:-1].copy()
        d_u[1:-1, 1:-1] = 0.0
        product = 0.25 * copy
        d_source += product
        d_u[1:-1, 2:] += product
        d_u[1:-1, :-2] += product
        d_u[2:, 1:-1] += product
        d_u[:-2, 1:-1] += product
    return d_u, d_source

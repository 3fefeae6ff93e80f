"""Jacobi sweeps for Poisson's equation on a grid: an array written in place, from slices of itself."""

import numpy as np

WRT = ("initial", "source")


def loss(initial, source, sweeps=6):
    u = initial.copy()
    for _ in range(sweeps):
        u[1:-1, 1:-1] = 0.25 * (u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:] + source)
    return np.sum(u**2)


def by_hand(initial, source, sweeps=6):
    u = initial.copy()
    for _ in range(sweeps):
        u[1:-1, 1:-1] = 0.25 * (u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:] + source)
    d_u = 2.0 * u
    d_source = np.zeros_like(source)
    for _ in range(sweeps):
        d_inner = 0.25 * d_u[1:-1, 1:-1]
        d_u[1:-1, 1:-1] = 0.0
        d_u[:-2, 1:-1] += d_inner
        d_u[2:, 1:-1] += d_inner
        d_u[1:-1, :-2] += d_inner
        d_u[1:-1, 2:] += d_inner
        d_source += d_inner
    return d_u, d_source


def arguments(rng):
    return rng.normal(size=(6, 7)), rng.normal(size=(4, 5))

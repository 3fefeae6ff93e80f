"""Explicit heat steps with fixed ends: an array rebuilt each step from slices of itself."""

import numpy as np

WRT = ("initial", "rate")


def loss(initial, rate, target, steps=8):
    u = initial
    for _ in range(steps):
        curvature = u[2:] - 2.0 * u[1:-1] + u[:-2]
        u = np.concatenate([u[:1], u[1:-1] + rate * curvature, u[-1:]])
    return np.sum((u - target) ** 2)


def by_hand(initial, rate, target, steps=8):
    u = initial
    curvatures = []
    for _ in range(steps):
        curvature = u[2:] - 2.0 * u[1:-1] + u[:-2]
        curvatures.append(curvature)
        u = np.concatenate([u[:1], u[1:-1] + rate * curvature, u[-1:]])
    d_u = 2.0 * (u - target)
    d_rate = 0.0
    for curvature in reversed(curvatures):
        d_rate += d_u[1:-1] @ curvature
        d_curvature = rate * d_u[1:-1]
        d_u[2:] += d_curvature
        d_u[1:-1] -= 2.0 * d_curvature
        d_u[:-2] += d_curvature
    return d_u, d_rate


def arguments(rng):
    return rng.normal(size=9), rng.uniform(0.1, 0.4), rng.normal(size=9)

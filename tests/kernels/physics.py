"""Particles and prices."""

import math

import numpy as np


def nbody(mass, pos, vel, steps, dt, G, softening):
    for _ in range(steps):
        x, y, z = pos[:, 0:1], pos[:, 1:2], pos[:, 2:3]
        dx, dy, dz = x.T - x, y.T - y, z.T - z
        inv_r3 = dx**2 + dy**2 + dz**2 + softening**2
        inv_r3[inv_r3 > 0] = inv_r3[inv_r3 > 0] ** (-1.5)
        acc = np.hstack((G * (dx * inv_r3) @ mass, G * (dy * inv_r3) @ mass, G * (dz * inv_r3) @ mass))
        vel += acc * dt
        pos += vel * dt
    return np.sum(pos**2) + 0.5 * np.sum(mass * vel**2)


def nbody_by_pairs(mass, pos, vel, steps, dt):
    n = len(mass)
    for _ in range(steps):
        acc = np.zeros_like(pos)
        for i in range(n):
            for j in range(n):
                if i != j:
                    r = pos[j] - pos[i]
                    acc[i] += mass[j] * r / (np.sum(r**2) + 0.1) ** 1.5
        vel += dt * acc
        pos += dt * vel
    return np.sum(pos**2)


def normal_cdf(x):
    return 0.5 * (1.0 + math.erf(x / math.sqrt(2.0)))


def black_scholes(spots, strike, rate, sigma, time):
    values = np.zeros(len(spots))
    for i in range(len(spots)):
        d1 = (math.log(spots[i] / strike) + (rate + 0.5 * sigma**2) * time) / (sigma * math.sqrt(time))
        d2 = d1 - sigma * math.sqrt(time)
        values[i] = spots[i] * normal_cdf(d1) - strike * math.exp(-rate * time) * normal_cdf(d2)
    return np.sum(values)


def drivers(rng):
    yield nbody, (rng.random((3, 1)), rng.random((3, 3)), rng.random((3, 3)), 2, 0.1, 1.0, 0.1)
    yield nbody_by_pairs, (rng.random(3), rng.random((3, 3)), rng.random((3, 3)), 2, 0.1)
    yield black_scholes, (90.0 + 20.0 * rng.random(4), 100.0, 0.05, 0.2, 1.0)

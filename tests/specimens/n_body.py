"""Gravitational energy of n bodies: all pairs by broadcasting one array against itself."""

import numpy as np

WRT = ("positions", "masses")


def loss(positions, masses, softening=0.1):
    separation = positions[:, None, :] - positions[None, :, :]
    distance = np.sqrt(np.sum(separation**2, axis=-1) + softening**2)
    energy = -masses[:, None] * masses[None, :] / distance
    return np.sum(np.triu(energy, k=1))  # each pair once


def by_hand(positions, masses, softening=0.1):
    separation = positions[:, None, :] - positions[None, :, :]
    distance = np.sqrt(np.sum(separation**2, axis=-1) + softening**2)
    closeness = 1.0 / distance
    np.fill_diagonal(closeness, 0.0)  # no body attracts itself
    d_masses = -closeness @ masses
    force = masses[:, None] * masses[None, :] * closeness**3
    d_positions = np.sum(force[:, :, None] * separation, axis=1)
    return d_positions, d_masses


def arguments(rng):
    return rng.normal(size=(5, 3)), rng.uniform(0.5, 2.0, size=5)

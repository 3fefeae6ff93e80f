import numpy as np


def loss_grad(positions, masses, softening=0.1):
    separation = positions[:, None, :] - positions[None, :, :]
    distance = np.sqrt(np.sum(separation ** 2, axis=-1) + softening ** 2)
    energy = -masses[:, None] * masses[None, :] / distance
    d_energy = np.triu(np.ones_like(distance), k=1)
    d_product = d_energy / distance
    d_masses = -np.sum(d_product * masses[:, None], axis=0)
    d_masses -= np.sum(d_product * masses[None, :], axis=1)
    column = (d_energy * energy / distance / (2 * distance))[:, :, None]
    product = column * (2 * separation)
    d_positions = np.sum(product, axis=0) - np.sum(product, axis=1)
    return d_positions, d_masses

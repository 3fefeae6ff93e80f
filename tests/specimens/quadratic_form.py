"""Student's t misfit: an einsum of three operands, two of them the same array."""

import numpy as np

WRT = ("centre", "precision")


def loss(centre, precision, x, freedom=4.0):
    offset = x - centre
    distance = np.einsum("ni,ij,nj->n", offset, precision, offset)
    return np.sum(np.log1p(distance / freedom))


def by_hand(centre, precision, x, freedom=4.0):
    offset = x - centre
    distance = np.einsum("ni,ij,nj->n", offset, precision, offset)
    d_distance = 1.0 / (freedom + distance)
    d_precision = np.einsum("n,ni,nj->ij", d_distance, offset, offset)
    d_centre = -(d_distance @ offset) @ (precision + precision.T)
    return d_centre, d_precision


def arguments(rng):
    factor = rng.normal(size=(3, 3))
    return rng.normal(size=3), factor @ factor.T + np.eye(3), rng.normal(size=(6, 3))

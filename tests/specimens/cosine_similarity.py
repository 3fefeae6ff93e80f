"""Cosine distance of two vectors: norms and an inner product, every input used twice."""

import numpy as np

WRT = ("a", "b")


def loss(a, b):
    similarity = a @ b / (np.linalg.norm(a) * np.linalg.norm(b))
    return 1.0 - similarity


def by_hand(a, b):
    norm_a = np.linalg.norm(a)
    norm_b = np.linalg.norm(b)
    similarity = a @ b / (norm_a * norm_b)
    d_a = similarity * a / norm_a**2 - b / (norm_a * norm_b)
    d_b = similarity * b / norm_b**2 - a / (norm_a * norm_b)
    return d_a, d_b


def arguments(rng):
    return rng.normal(size=5), rng.normal(size=5)

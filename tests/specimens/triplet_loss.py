"""Triplet loss of normalised embeddings: a helper called on each parameter, which is then reassigned."""

import numpy as np

WRT = ("anchor", "positive", "negative")


def l2_normalise(v):
    return v / np.sqrt(np.sum(v**2, axis=1, keepdims=True))


def loss(anchor, positive, negative, margin=0.5):
    anchor = l2_normalise(anchor)
    positive = l2_normalise(positive)
    negative = l2_normalise(negative)
    near = np.sum((anchor - positive) ** 2, axis=1)
    far = np.sum((anchor - negative) ** 2, axis=1)
    return np.mean(np.maximum(near - far + margin, 0.0))


def by_hand(anchor, positive, negative, margin=0.5):
    norm_a = np.sqrt(np.sum(anchor**2, axis=1, keepdims=True))
    norm_p = np.sqrt(np.sum(positive**2, axis=1, keepdims=True))
    norm_n = np.sqrt(np.sum(negative**2, axis=1, keepdims=True))
    a = anchor / norm_a
    p = positive / norm_p
    n = negative / norm_n
    near = np.sum((a - p) ** 2, axis=1, keepdims=True)
    far = np.sum((a - n) ** 2, axis=1, keepdims=True)
    d_hinge = (near - far + margin > 0.0) / len(a)
    d_a = 2.0 * d_hinge * (n - p)
    d_p = 2.0 * d_hinge * (p - a)
    d_n = 2.0 * d_hinge * (a - n)
    d_anchor = (d_a - a * np.sum(a * d_a, axis=1, keepdims=True)) / norm_a
    d_positive = (d_p - p * np.sum(p * d_p, axis=1, keepdims=True)) / norm_p
    d_negative = (d_n - n * np.sum(n * d_n, axis=1, keepdims=True)) / norm_n
    return d_anchor, d_positive, d_negative


def arguments(rng):
    anchor, positive, negative = rng.normal(size=(3, 6, 4))
    return anchor, positive, negative

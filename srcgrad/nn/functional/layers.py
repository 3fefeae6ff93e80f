"""What layers compute: products, normalisation, dropout, embeddings, attention."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srcgrad.nn.functional.activations import softmax

Array = NDArray[Any]


def linear(x: Array, weight: Array, bias: Array | None = None) -> Array:
    """x @ weight.T + bias: x (..., inputs), weight (outputs, inputs), bias (outputs,)."""
    return x @ weight.T if bias is None else x @ weight.T + bias


def layer_norm(
    x: Array,
    weight: Array | None = None,
    bias: Array | None = None,
    eps: float = 1e-5,
    axes: tuple[int, ...] | None = None,
) -> Array:
    """x with mean 0 and variance 1 along its last axis, or axes, times weight, plus bias. Ba et al. (2016)."""
    along = -1 if axes is None else axes
    centred = x - np.mean(x, axis=along, keepdims=True)
    variance = np.mean(centred**2, axis=along, keepdims=True)
    std = np.sqrt(variance + eps)
    scaled = centred / std
    return _affine(scaled, weight, bias)


def batch_norm(
    x: Array,
    mean: Any = None,
    variance: Any = None,
    weight: Array | None = None,
    bias: Array | None = None,
    eps: float = 1e-5,
) -> Array:
    """x with mean 0 and variance 1 in each channel, times weight, plus bias. Ioffe & Szegedy (2015).

    x : (n, channels), (n, channels, length) or (n, channels, height, width)
    mean, variance : (channels,), running ones for evaluation; None for those of x itself, as in training
    Running means are kept by whoever calls: a function that is differentiated changes nothing.
    """
    if x.ndim == 3:
        if mean is None:
            mean, variance = np.mean(x, axis=(0, 2)), np.var(x, axis=(0, 2))
        scaled = (x - mean[:, None]) / np.sqrt(variance[:, None] + eps)
        return _affine(scaled, None if weight is None else weight[:, None], None if bias is None else bias[:, None])
    if x.ndim == 4:
        if mean is None:
            centred = x - np.mean(x, axis=(0, 2, 3), keepdims=True)
            variance = np.mean(centred**2, axis=(0, 2, 3), keepdims=True)
            std = np.sqrt(variance + eps)
        else:
            centred = x - mean[:, None, None]
            std = np.sqrt(variance + eps)[:, None, None]
        scaled = centred / std
        return _affine(
            scaled,
            None if weight is None else weight[:, None, None],
            None if bias is None else bias[:, None, None],
        )
    if mean is None:
        centred = x - np.mean(x, axis=0)
        variance = np.mean(centred**2, axis=0)
    else:
        centred = x - mean
    std = np.sqrt(variance + eps)
    scaled = centred / std
    return _affine(scaled, weight, bias)


def _affine(x: Array, weight: Array | None, bias: Array | None) -> Array:
    if weight is not None:
        x = x * weight
    return x if bias is None else x + bias


def dropout(x: Array, p: float, rng: np.random.Generator, training: bool = True) -> Array:
    """x with elements zeroed with probability p, and the others divided by 1 - p; x itself outside training.

    Srivastava et al. (2014).
    """
    if not training:
        return x
    return np.where(rng.random(x.shape) >= p, x, 0.0) / (1.0 - p)


def embedding(indices: Array, weight: Array) -> Array:
    """Rows of weight (entries, width) by number."""
    return weight[indices]


def scaled_dot_product_attention(
    query: Array, key: Array, value: Array, mask: Array | None = None, causal: bool = False
) -> Array:
    """softmax(query @ key^T / sqrt(width)) @ value. Vaswani et al. (2017).

    query : (..., m, width), key : (..., n, width), value : (..., n, values)
    mask : True where a query may look at a key, of a shape that broadcasts to (..., m, n)
    causal : the i-th query looks at the first i + 1 keys alone
    """
    scores = query @ np.swapaxes(key, -1, -2) / math.sqrt(query.shape[-1])
    if causal:
        scores = np.where(np.tri(query.shape[-2], key.shape[-2], dtype=bool), scores, -np.inf)
    if mask is not None:
        scores = np.where(mask, scores, -np.inf)
    return softmax(scores) @ value

"""Activations, element by element or along an axis: ordinary NumPy, which the compiler reads like your functions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srcgrad.markers import stop_gradient

Array = NDArray[Any]


def relu(x: Array) -> Array:
    """max(x, 0), with the slope 0 at 0."""
    return np.maximum(x, 0.0)


def leaky_relu(x: Array, negative_slope: float = 0.01) -> Array:
    """x where it is positive, negative_slope * x elsewhere."""
    return np.where(x > 0.0, x, negative_slope * x)


def elu(x: Array, alpha: float = 1.0) -> Array:
    """x where it is positive, alpha * (exp(x) - 1) elsewhere. Clevert et al. (2016)."""
    return np.where(x > 0.0, x, alpha * np.expm1(np.minimum(x, 0.0)))


def gelu(x: Array, approximate: str = "none") -> Array:
    """x * P(X <= x) for a standard normal X, by erf; approximate="tanh" needs no SciPy. Hendrycks & Gimpel (2016)."""
    if approximate == "tanh":
        return 0.5 * x * (1.0 + np.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x**3)))
    from scipy.special import erf

    return 0.5 * x * (1.0 + erf(x * math.sqrt(0.5)))


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)), without overflow."""
    return np.exp(-np.logaddexp(0.0, -x))


def silu(x: Array) -> Array:
    """x * sigmoid(x). Elfwing et al. (2018)."""
    return x * sigmoid(x)


def softplus(x: Array, beta: float = 1.0) -> Array:
    """log(1 + exp(beta * x)) / beta, without overflow."""
    return np.logaddexp(0.0, beta * x) / beta


def softmax(x: Array, axis: int = -1) -> Array:
    """exp(x) as shares of its sum along an axis."""
    e = np.exp(x - stop_gradient(np.max(x, axis=axis, keepdims=True)))
    return e / np.sum(e, axis=axis, keepdims=True)


def log_softmax(x: Array, axis: int = -1) -> Array:
    """log(softmax(x)), without underflow."""
    z = x - stop_gradient(np.max(x, axis=axis, keepdims=True))
    return z - np.log(np.sum(np.exp(z), axis=axis, keepdims=True))

"""Initial values, drawn into arrays in place with a numpy Generator: PyTorch's `nn.init`, with its formulas.

Weights have the shape (outputs, inputs, ...): fan_in is inputs times the kernel's size, fan_out outputs times that.
Every function takes an array or a Parameter, writes into it, and returns it. `rng` is a seed or a Generator.
"""

from __future__ import annotations

import math
from typing import Any, TypeVar

import numpy as np

from srcgrad.runtime.parameter import Parameter

A = TypeVar("A", np.ndarray[Any, Any], Parameter)
Rng = np.random.Generator | int | None


def uniform_(array: A, low: float = 0.0, high: float = 1.0, rng: Rng = None) -> A:
    """Evenly in [low, high)."""
    array[...] = np.random.default_rng(rng).uniform(low, high, array.shape)
    return array


def normal_(array: A, mean: float = 0.0, std: float = 1.0, rng: Rng = None) -> A:
    """Normally distributed."""
    array[...] = np.random.default_rng(rng).normal(mean, std, array.shape)
    return array


def trunc_normal_(
    array: A, mean: float = 0.0, std: float = 1.0, low: float = -2.0, high: float = 2.0, rng: Rng = None
) -> A:
    """Normally distributed, but within [low, high]: what lies outside is drawn again."""
    if not low < high or not mean - 6 * std < high or not low < mean + 6 * std:
        raise ValueError(f"[{low}, {high}] has hardly any of the mass of a normal distribution at {mean} +- {std}")
    generator = np.random.default_rng(rng)
    values = np.empty(array.shape)
    outside = np.ones(array.shape, bool)
    while count := np.count_nonzero(outside):
        values[outside] = generator.normal(mean, std, count)
        outside = (values < low) | (values > high)
    array[...] = values
    return array


def constant_(array: A, value: float) -> A:
    """One value everywhere."""
    array[...] = value
    return array


def zeros_(array: A) -> A:
    """Zero everywhere."""
    return constant_(array, 0.0)


def ones_(array: A) -> A:
    """One everywhere."""
    return constant_(array, 1.0)


def eye_(array: A) -> A:
    """The identity: a linear layer that changes nothing, as far as its shape allows."""
    _check(array.ndim == 2, "eye_", array)
    array[...] = np.eye(array.shape[0], array.shape[1])
    return array


def xavier_uniform_(array: A, gain: float = 1.0, rng: Rng = None) -> A:
    """Evenly within +- gain * sqrt(6 / (fan_in + fan_out)). Glorot & Bengio (2010)."""
    limit = gain * math.sqrt(6.0 / sum(fans(array)))
    return uniform_(array, -limit, limit, rng)


def xavier_normal_(array: A, gain: float = 1.0, rng: Rng = None) -> A:
    """Normally with the deviation gain * sqrt(2 / (fan_in + fan_out)). Glorot & Bengio (2010)."""
    return normal_(array, 0.0, gain * math.sqrt(2.0 / sum(fans(array))), rng)


def kaiming_uniform_(
    array: A, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", rng: Rng = None
) -> A:
    """Evenly within +- gain * sqrt(3 / fan). a : the slope of leaky_relu. He et al. (2015).

    With a = sqrt(5) this is what PyTorch's Linear and Conv2d begin with: +- 1 / sqrt(fan_in).
    """
    limit = math.sqrt(3.0) * _kaiming_deviation(array, a, mode, nonlinearity)
    return uniform_(array, -limit, limit, rng)


def kaiming_normal_(
    array: A, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", rng: Rng = None
) -> A:
    """Normally with the deviation gain / sqrt(fan). a : the slope of leaky_relu. He et al. (2015)."""
    return normal_(array, 0.0, _kaiming_deviation(array, a, mode, nonlinearity), rng)


def orthogonal_(array: A, gain: float = 1.0, rng: Rng = None) -> A:
    """gain times a random matrix whose rows (or columns, if they are fewer) are orthonormal. Saxe et al. (2014)."""
    _check(array.ndim >= 2, "orthogonal_", array)
    rows, columns = array.shape[0], array.size // array.shape[0]
    drawn = np.random.default_rng(rng).normal(size=(max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(drawn)
    q = q * np.sign(np.diag(r))  # makes the distribution uniform: Mezzadri (2007)
    array[...] = gain * (q if rows >= columns else q.T).reshape(array.shape)
    return array


def calculate_gain(nonlinearity: str, a: float | None = None) -> float:
    """What keeps the variance through an activation. a : the slope of leaky_relu, 0.01 by default."""
    match nonlinearity:
        case "linear" | "sigmoid" | "conv2d":
            return 1.0
        case "tanh":
            return 5.0 / 3
        case "relu":
            return math.sqrt(2.0)
        case "leaky_relu":
            return math.sqrt(2.0 / (1 + (0.01 if a is None else a) ** 2))
        case "selu":
            return 3.0 / 4
    raise ValueError(f"Unsupported nonlinearity {nonlinearity}")


def fans(array: Any) -> tuple[int, int]:
    """(fan_in, fan_out) of a weight. Raises ValueError for fewer than two axes."""
    _check(array.ndim >= 2, "fan in and fan out", array)
    kernel = math.prod(array.shape[2:])
    return array.shape[1] * kernel, array.shape[0] * kernel


def _kaiming_deviation(array: Any, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"Mode {mode} not supported, please use one of ['fan_in', 'fan_out']")
    fan = fans(array)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


def _check(fits: bool, what: str, array: Any) -> None:
    if not fits:
        raise ValueError(f"{what} need a weight of two axes (or more), not one of shape {array.shape}")

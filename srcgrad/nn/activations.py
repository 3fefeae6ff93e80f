"""Activations as modules."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from srcgrad.nn import functional
from srcgrad.nn.module import Module
from srcgrad.runtime.parameter import Parameter

Array = NDArray[Any]


class Tanh(Module):
    """tanh(x)."""

    def forward(self, x: Array) -> Array:
        return np.tanh(x)


class ReLU(Module):
    """max(x, 0)."""

    def forward(self, x: Array) -> Array:
        return functional.relu(x)


class ReLU6(Module):
    """x between 0 and 6."""

    def forward(self, x: Array) -> Array:
        return np.clip(x, 0.0, 6.0)


class Hardtanh(Module):
    """x between min_val and max_val."""

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0) -> None:
        self.min_val, self.max_val = min_val, max_val

    def forward(self, x: Array) -> Array:
        return np.clip(x, self.min_val, self.max_val)

    def extra_repr(self) -> str:
        return f"min_val={self.min_val}, max_val={self.max_val}"


class LeakyReLU(Module):
    """x where it is positive, negative_slope * x elsewhere."""

    def __init__(self, negative_slope: float = 0.01) -> None:
        self.negative_slope = negative_slope

    def forward(self, x: Array) -> Array:
        return functional.leaky_relu(x, self.negative_slope)

    def extra_repr(self) -> str:
        return f"negative_slope={self.negative_slope}"


class PReLU(Module):
    """LeakyReLU with a slope that is learnt, one in all or one for each channel (axis 1)."""

    def __init__(self, num_parameters: int = 1, init: float = 0.25, *, dtype: DTypeLike = np.float32) -> None:
        self.weight = Parameter(np.full(num_parameters, init, dtype))

    def forward(self, x: Array) -> Array:
        slope = self.weight if len(self.weight) == 1 else np.reshape(self.weight, (-1, *(1,) * (x.ndim - 2)))
        return np.where(x > 0.0, x, slope * x)

    def extra_repr(self) -> str:
        return f"num_parameters={self.weight.size}"


class ELU(Module):
    """x where it is positive, alpha * (exp(x) - 1) elsewhere."""

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def forward(self, x: Array) -> Array:
        return functional.elu(x, self.alpha)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}"


class SELU(Module):
    """ELU, scaled so that mean 0 and variance 1 are kept. Klambauer et al. (2017)."""

    def forward(self, x: Array) -> Array:
        return 1.0507009873554805 * functional.elu(x, 1.6732632423543772)


class GELU(Module):
    """x * P(X <= x) for a standard normal X; approximate="tanh" needs no SciPy."""

    def __init__(self, approximate: str = "none") -> None:
        self.approximate = approximate

    def forward(self, x: Array) -> Array:
        return functional.gelu(x, self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class Sigmoid(Module):
    """1 / (1 + exp(-x)), without overflow."""

    def forward(self, x: Array) -> Array:
        return functional.sigmoid(x)


class LogSigmoid(Module):
    """log(sigmoid(x)), without overflow."""

    def forward(self, x: Array) -> Array:
        return -np.logaddexp(0.0, -x)


class SiLU(Module):
    """x * sigmoid(x)."""

    def forward(self, x: Array) -> Array:
        return functional.silu(x)


class Mish(Module):
    """x * tanh(softplus(x)). Misra (2019)."""

    def forward(self, x: Array) -> Array:
        return x * np.tanh(np.logaddexp(0.0, x))


class Softplus(Module):
    """log(1 + exp(beta * x)) / beta, without overflow."""

    def __init__(self, beta: float = 1.0) -> None:
        self.beta = beta

    def forward(self, x: Array) -> Array:
        return functional.softplus(x, self.beta)

    def extra_repr(self) -> str:
        return f"beta={self.beta}"


class Softsign(Module):
    """x / (1 + |x|)."""

    def forward(self, x: Array) -> Array:
        return x / (1.0 + np.abs(x))


class Softmax(Module):
    """exp(x) as shares of its sum along an axis."""

    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def forward(self, x: Array) -> Array:
        return functional.softmax(x, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class LogSoftmax(Softmax):
    """log(softmax(x)), without underflow."""

    def forward(self, x: Array) -> Array:
        return functional.log_softmax(x, self.dim)

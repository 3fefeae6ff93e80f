"""Layers that multiply, look up, drop, reshape, or do nothing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from srcgrad.markers import stop_gradient
from srcgrad.nn import functional, init
from srcgrad.nn.module import Module
from srcgrad.runtime.parameter import Parameter

Array = NDArray[Any]
Rng = np.random.Generator | int | None


class Linear(Module):
    """x @ weight.T + bias, with PyTorch's shapes and initial values: evenly within +- 1 / sqrt(inputs).

    weight : (outputs, inputs), bias : (outputs,) or None
    """

    def __init__(
        self, inputs: int, outputs: int, bias: bool = True, *, dtype: DTypeLike = np.float32, rng: Rng = None
    ) -> None:
        generator = np.random.default_rng(rng)
        self.weight: Any = init.kaiming_uniform_(
            Parameter(np.empty((outputs, inputs), dtype)), math.sqrt(5), rng=generator
        )
        limit = 1 / math.sqrt(inputs)
        self.bias: Any = init.uniform_(Parameter(np.empty(outputs, dtype)), -limit, limit, generator) if bias else None

    def forward(self, x: Array) -> Array:
        return functional.linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        outputs, inputs = self.weight.shape
        return f"in_features={inputs}, out_features={outputs}, bias={self.bias is not None}"


class Embedding(Module):
    """A row of weight for each number; weights begin normally distributed.

    weight : (entries, width)
    padding_idx : the number whose row begins as zeros and gets no gradient
    """

    def __init__(
        self,
        entries: int,
        width: int,
        padding_idx: int | None = None,
        *,
        dtype: DTypeLike = np.float32,
        rng: Rng = None,
    ) -> None:
        if padding_idx is not None and not -entries <= padding_idx < entries:
            raise ValueError(f"padding_idx {padding_idx} is none of the {entries} entries")
        self.padding_idx = padding_idx if padding_idx is None else padding_idx % entries
        self.weight: Any = init.normal_(Parameter(np.empty((entries, width), dtype)), rng=rng)
        if self.padding_idx is not None:
            self.weight[self.padding_idx] = 0.0

    def forward(self, indices: Array) -> Array:
        rows = functional.embedding(indices, self.weight)
        if self.padding_idx is None:
            return rows
        return np.where((indices == self.padding_idx)[..., None], stop_gradient(rows), rows)

    def extra_repr(self) -> str:
        entries, width = self.weight.shape
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{entries}, {width}{padding}"


class Dropout(Module):
    """In training, zeros with probability p, and the others divided by 1 - p; in evaluation nothing.

    rng : a seed or a Generator; in compiled functions every call draws from it once
    """

    def __init__(self, p: float = 0.5, *, rng: Rng = None) -> None:
        if not 0.0 <= p < 1.0:
            raise ValueError(f"dropout probability has to be at least 0 and less than 1, but got {p}")
        self.p = p
        self.rng = np.random.default_rng(rng)

    def forward(self, x: Array) -> Array:
        return functional.dropout(x, self.p, self.rng, self.training)

    def extra_repr(self) -> str:
        return f"p={self.p}"


class Flatten(Module):
    """The axes from start_dim on as one: (n, ...) to (n, product)."""

    def __init__(self, start_dim: int = 1) -> None:
        self.start_dim = start_dim

    def forward(self, x: Array) -> Array:
        return x.reshape(*x.shape[: self.start_dim], -1)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim=-1"


class Identity(Module):
    """x itself."""

    def forward(self, x: Array) -> Array:
        return x

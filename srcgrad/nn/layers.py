"""Layers: modules that hold the parameters of one function of `nn.functional`; activations; and modules in a row."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

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
        self.weight = init.kaiming_uniform_(Parameter(np.empty((outputs, inputs), dtype)), math.sqrt(5), rng=generator)
        limit = 1 / math.sqrt(inputs)
        self.bias = init.uniform_(Parameter(np.empty(outputs, dtype)), -limit, limit, generator) if bias else None

    def forward(self, x: Array) -> Array:
        return functional.linear(x, self.weight, self.bias)  # type: ignore[arg-type]  # Parameters are arrays here

    def extra_repr(self) -> str:
        outputs, inputs = self.weight.shape
        return f"in_features={inputs}, out_features={outputs}, bias={self.bias is not None}"


class Tanh(Module):
    """tanh(x)."""

    def forward(self, x: Array) -> Array:
        return np.tanh(x)


class ReLU(Module):
    """max(x, 0)."""

    def forward(self, x: Array) -> Array:
        return functional.relu(x)


class Sigmoid(Module):
    """1 / (1 + exp(-x)), without overflow."""

    def forward(self, x: Array) -> Array:
        return functional.sigmoid(x)


class GELU(Module):
    """x * P(X <= x) for a standard normal X."""

    def forward(self, x: Array) -> Array:
        return functional.gelu(x)


class SiLU(Module):
    """x * sigmoid(x)."""

    def forward(self, x: Array) -> Array:
        return functional.silu(x)


class Sequential(Module):
    """Modules one after the other, each given what the one before computed."""

    def __init__(self, *modules: Module) -> None:
        self.layers = list(modules)

    def forward(self, x: Array) -> Array:
        for module in self.layers:
            x = module(x)
        return x

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules by their numbers."""
        return ((str(index), module) for index, module in enumerate(self.layers))

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, index: int) -> Module:
        return self.layers[index]

"""Convolution and pooling as modules."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from srcgrad.nn import functional, init
from srcgrad.nn.functional.convolution import Size
from srcgrad.nn.module import Module
from srcgrad.runtime.parameter import Parameter

Array = NDArray[Any]
Rng = np.random.Generator | int | None


class Conv2d(Module):
    """The cross-correlation of images with kernels that are learnt, with PyTorch's shapes and initial values.

    weight : (out_channels, in_channels / groups, kernel height, kernel width), bias : (out_channels,) or None
    kernel_size, stride, padding, dilation : one number, or a pair for height and width; padding is also "valid" or,
        for a stride of 1 and kernels that have a middle, "same"
    Initial values lie evenly within +- 1 / sqrt(numbers that an output sums up).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size | str = 0,
        dilation: Size = 1,
        groups: int = 1,
        bias: bool = True,
        *,
        dtype: DTypeLike = np.float32,
        rng: Rng = None,
    ) -> None:
        if in_channels % groups or out_channels % groups:
            raise ValueError(f"{in_channels} and {out_channels} channels cannot be divided into {groups} groups")
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size, self.stride, self.dilation = _pair(kernel_size), _pair(stride), _pair(dilation)
        self.padding = _sides(padding, self.kernel_size, self.stride, self.dilation)
        generator = np.random.default_rng(rng)
        shape = (out_channels, in_channels // groups, *self.kernel_size)
        self.weight: Any = init.kaiming_uniform_(Parameter(np.empty(shape, dtype)), math.sqrt(5), rng=generator)
        limit = 1 / math.sqrt(math.prod(shape[1:]))
        self.bias: Any = (
            init.uniform_(Parameter(np.empty(out_channels, dtype)), -limit, limit, generator) if bias else None
        )
        # None, where there is nothing special, gives the compiler the shortest code
        self._stride = None if self.stride == (1, 1) else self.stride
        self._padding = None if self.padding == (0, 0) else self.padding
        self._dilation = None if self.dilation == (1, 1) else self.dilation
        self._groups = None if groups == 1 else (None,) * groups  # the compiler knows the length of a tuple
        kept = tuple(apart * (size - 1) for size, apart in zip(self.kernel_size, self.dilation))
        self._keeps_size = self.stride == (1, 1) and kept == tuple(2 * side for side in self.padding)

    def forward(self, x: Array) -> Array:
        out = functional.conv2d(
            x,
            self.weight,
            self.bias,
            self._stride,
            self._padding,
            self._dilation,
            None if self._groups is None else len(self._groups),
        )
        if self._keeps_size:  # said for whoever adds x to it: the compiler does not compute with sizes
            assert out.shape[2:] == x.shape[2:], "this convolution keeps height and width"
        return out

    def extra_repr(self) -> str:
        parts = [f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"]
        parts += [f"padding={self.padding}"] if self._padding else []
        parts += [f"dilation={self.dilation}"] if self._dilation else []
        parts += [f"groups={self.groups}"] if self._groups else []
        parts += ["bias=False"] if self.bias is None else []
        return ", ".join(parts)


class MaxPool2d(Module):
    """The largest element of each window; equal maxima share the gradient.

    kernel_size, stride, padding : one number, or a pair for height and width; stride None is kernel_size
    """

    def __init__(self, kernel_size: Size, stride: Size | None = None, padding: Size = 0) -> None:
        self.kernel_size, self.padding = kernel_size, padding
        self.stride = kernel_size if stride is None else stride
        if any(2 * side > size for side, size in zip(_pair(padding), _pair(kernel_size))):
            raise ValueError(f"padding {padding} is more than half of the kernel size {kernel_size}")
        side_by_side = _pair(self.stride) == _pair(kernel_size) and _pair(padding) == (0, 0)
        self._stride = None if side_by_side else self.stride
        self._padding = None if _pair(padding) == (0, 0) else padding

    def forward(self, x: Array) -> Array:
        return functional.max_pool2d(x, self.kernel_size, self._stride, self._padding)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool2d(MaxPool2d):
    """The mean of each window; padded zeros count."""

    def forward(self, x: Array) -> Array:
        return functional.avg_pool2d(x, self.kernel_size, self._stride, self._padding)


def _pair(size: Size) -> tuple[int, int]:
    return size if isinstance(size, tuple) else (size, size)


def _sides(padding: Size | str, kernel: tuple[int, int], stride: tuple[int, int], dilation: tuple[int, int]) -> Any:
    """The padding in numbers."""
    if not isinstance(padding, str):
        return _pair(padding)
    if padding == "valid":
        return (0, 0)
    if padding != "same":
        raise ValueError(f'padding is a number, a pair, "valid" or "same", not {padding!r}')
    both = tuple(apart * (size - 1) for size, apart in zip(kernel, dilation))
    if stride != (1, 1) or any(size % 2 for size in both):
        raise ValueError(f'padding="same" takes a stride of 1 and kernels with a middle, not {kernel} by {stride}')
    return both[0] // 2, both[1] // 2

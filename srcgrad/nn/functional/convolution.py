"""Convolution and pooling over images of shape (n, channels, height, width), as sums over the kernel's elements."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Array = NDArray[Any]


Size = int | tuple[int, int]


def conv2d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Size | None = None,
    padding: Size | None = None,
    dilation: Size | None = None,
    groups: int | None = None,
) -> Array:
    """The cross-correlation of images with kernels, PyTorch's `conv2d`.

    x : (n, channels, height, width)
    weight : (outputs, channels / groups, kernel height, kernel width)
    bias : (outputs,)
    stride, dilation : steps between the kernel's places, and between its elements, one number or (down, right);
        None for 1, and the shortest code
    padding : zeros on every side, one number or (above and below, left and right)
    groups : the channels' groups, each seen by its own share of the outputs
    Returns (n, outputs, height', width'), where
        height' = (height + 2 * padding - dilation * (kernel height - 1) - 1) // stride + 1
    """
    if padding is not None:
        x = _padded(x, _pair(padding), 0.0)
    if stride is None and dilation is None and groups is None:
        out = _dense(x, weight)
    else:
        out = _spread(
            x,
            weight,
            _pair(1 if stride is None else stride),
            _pair(1 if dilation is None else dilation),
            1 if groups is None else groups,
        )
    return out if bias is None else out + bias[:, None, None]


def _pair(size: Size) -> tuple[int, int]:
    """(down, right)."""
    return size if isinstance(size, tuple) else (size, size)


def _padded(x: Array, padding: tuple[int, int], value: float) -> Array:
    down, right = padding
    return np.pad(x, ((0, 0), (0, 0), (down, down), (right, right)), constant_values=value)


def _dense(x: Array, weight: Array) -> Array:
    """Every place of the kernel, and its elements side by side."""
    rows, columns = weight.shape[2:]
    h, w = x.shape[2] - rows + 1, x.shape[3] - columns + 1
    out = np.zeros((len(weight), len(x), h, w), x.dtype)
    for i in range(rows):
        for j in range(columns):
            out += np.tensordot(weight[:, :, i, j], x[:, :, i : i + h, j : j + w], axes=(1, 1))
    return np.swapaxes(out, 0, 1)


def _spread(x: Array, weight: Array, stride: tuple[int, int], dilation: tuple[int, int], groups: int) -> Array:
    """Places `stride` apart, elements `dilation` apart, each group of channels by itself."""
    (step, step_right), (apart, apart_right) = stride, dilation
    n, _, height, width = x.shape
    outputs, inputs, rows, columns = weight.shape
    h = (height - apart * (rows - 1) - 1) // step + 1
    w = (width - apart_right * (columns - 1) - 1) // step_right + 1
    places, share = h * w, outputs // groups
    down, right = step * (h - 1) + 1, step_right * (w - 1) + 1
    kernels = weight.reshape(groups, share, inputs, rows, columns)
    out = np.zeros((n, groups, share, places), x.dtype)
    for i in range(rows):
        for j in range(columns):
            top, left = apart * i, apart_right * j
            seen = x[:, :, top : top + down : step, left : left + right : step_right]
            out += kernels[:, :, :, i, j] @ seen.reshape(n, groups, inputs, places)
    return out.reshape(n, outputs, h, w)


def max_pool2d(x: Array, size: Size, stride: Size | None = None, padding: Size | None = None) -> Array:
    """The largest element of each window, PyTorch's `max_pool2d`; equal maxima share the gradient.

    x : (n, channels, height, width)
    size : of the windows, one number or (height, width)
    stride : from window to window; None for `size`
    padding : as in `conv2d`, but of -inf, so that it is never the largest
    """
    if stride is None and padding is None:
        return np.max(_tiles(x, _pair(size)), axis=(3, 5))
    if padding is not None:
        x = _padded(x, _pair(padding), -np.inf)
    (rows, columns), (down, right) = _pair(size), _pair(size if stride is None else stride)
    x = np.max(sliding_window_view(x, rows, axis=2)[:, :, ::down], axis=-1)
    return np.max(sliding_window_view(x, columns, axis=3)[:, :, :, ::right], axis=-1)


def avg_pool2d(x: Array, size: Size, stride: Size | None = None, padding: Size | None = None) -> Array:
    """The mean of each window, PyTorch's `avg_pool2d`, with the arguments of `max_pool2d`; padded zeros count."""
    if stride is None and padding is None:
        return np.mean(_tiles(x, _pair(size)), axis=(3, 5))
    rows, columns = _pair(size)
    kernel = np.full((1, 1, rows, columns), 1.0 / (rows * columns), x.dtype)
    n, channels, height, width = x.shape
    out = conv2d(x.reshape(-1, 1, height, width), kernel, None, size if stride is None else stride, padding)
    return out.reshape(n, channels, out.shape[2], out.shape[3])


def _tiles(x: Array, size: tuple[int, int]) -> Array:
    """(n, channels, h, rows, w, columns): the windows side by side, without what does not fill one."""
    rows, columns = size
    n, channels, height, width = x.shape
    h, w = height // rows, width // columns
    return x[:, :, : h * rows, : w * columns].reshape(n, channels, h, rows, w, columns)

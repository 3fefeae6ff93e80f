"""Convolution and pooling over images of shape (n, channels, height, width), as sums over the kernel's elements."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def conv2d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    stride: int | None = None,
    padding: int | None = None,
    dilation: int | None = None,
    groups: int | None = None,
) -> Array:
    """The cross-correlation of images with kernels, PyTorch's `conv2d`.

    x : (n, channels, height, width)
    weight : (outputs, channels / groups, kernel height, kernel width)
    bias : (outputs,)
    stride, dilation : steps between the kernel's places, and between its elements; None for 1, and the shortest code
    padding : zeros on every side
    groups : the channels' groups, each seen by its own share of the outputs
    Returns (n, outputs, height', width'), where
        height' = (height + 2 * padding - dilation * (kernel height - 1) - 1) // stride + 1
    """
    if padding is not None:
        x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    if stride is None and dilation is None and groups is None:
        out = _dense(x, weight)
    else:
        out = _spread(
            x,
            weight,
            1 if stride is None else stride,
            1 if dilation is None else dilation,
            1 if groups is None else groups,
        )
    return out if bias is None else out + bias[:, None, None]


def _dense(x: Array, weight: Array) -> Array:
    """Every place of the kernel, and its elements side by side."""
    rows, columns = weight.shape[2:]
    h, w = x.shape[2] - rows + 1, x.shape[3] - columns + 1
    out = np.zeros((len(weight), len(x), h, w), x.dtype)
    for i in range(rows):
        for j in range(columns):
            out += np.tensordot(weight[:, :, i, j], x[:, :, i : i + h, j : j + w], axes=(1, 1))
    return np.swapaxes(out, 0, 1)


def _spread(x: Array, weight: Array, stride: int, dilation: int, groups: int) -> Array:
    """Places `stride` apart, elements `dilation` apart, each group of channels by itself."""
    n, _, height, width = x.shape
    outputs, inputs, rows, columns = weight.shape
    h = (height - dilation * (rows - 1) - 1) // stride + 1
    w = (width - dilation * (columns - 1) - 1) // stride + 1
    places, share = h * w, outputs // groups
    down, right = stride * (h - 1) + 1, stride * (w - 1) + 1
    kernels = weight.reshape(groups, share, inputs, rows, columns)
    out = np.zeros((n, groups, share, places), x.dtype)
    for i in range(rows):
        for j in range(columns):
            seen = x[:, :, dilation * i : dilation * i + down : stride, dilation * j : dilation * j + right : stride]
            out += kernels[:, :, :, i, j] @ seen.reshape(n, groups, inputs, places)
    return out.reshape(n, outputs, h, w)


def max_pool2d(x: Array, size: int) -> Array:
    """The largest of each size x size square, PyTorch's `max_pool2d` with its default stride; equal maxima share."""
    n, channels, height, width = x.shape
    h, w = height // size, width // size
    squares = x[:, :, : h * size, : w * size].reshape(n, channels, h, size, w, size)
    return np.max(squares, axis=(3, 5))


def avg_pool2d(x: Array, size: int) -> Array:
    """The mean of each size x size square, PyTorch's `avg_pool2d` with its default stride."""
    n, channels, height, width = x.shape
    h, w = height // size, width // size
    squares = x[:, :, : h * size, : w * size].reshape(n, channels, h, size, w, size)
    return np.mean(squares, axis=(3, 5))

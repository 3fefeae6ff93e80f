"""Derivatives of selecting by index arrays: elements taken twice receive both cotangents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.dims import ONE, Facts
from ..ir.infer import broadcast_axes
from ..ir.types import Array, Type
from .axes import along, array, normal_axis
from .internal import arange, scatter
from .registry import Case, linear


def _take_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    x, indices = map(array, types)
    if indices.dtype.kind not in "iu":
        raise Unsupported(f"np.take needs integer indices, not {indices}")
    if attrs.get("axis") is None:
        return Array(x.dtype, indices.axes)
    axis = normal_axis(attrs["axis"], x.ndim)
    return Array(x.dtype, (*x.axes[:axis], *indices.axes, *x.axes[axis + 1 :]))


def _take(d: Any, y: Any, x: Any, indices: Any, *, axis: int | None = None, mode: str = "raise") -> Any:
    if mode != "raise":
        length = x.size if axis is None else x.shape[normal_axis(axis, x.ndim)]
        indices = np.clip(indices, 0, length - 1) if mode == "clip" else indices % length
    if axis is None and x.ndim != 1:
        return scatter(np.ravel(x), d, (indices,)).reshape(x.shape)
    return scatter(x, d, along(normal_axis(axis or 0, x.ndim), indices))


def _indices(*numbers: int) -> Any:
    return lambda rng: np.array(numbers)


linear(
    np.take,
    _take,
    None,
    operands=("a", "indices"),
    keywords=("axis", "mode"),
    signature=("a", "indices", "axis", "out", "mode"),
    infer=_take_type,
    cases=[
        Case((4,), _indices(0, 2, 2)),
        Case((4, 3), _indices(5, 2, 2)),
        Case((4, 3), _indices(3, 0, 3), axis=0),
        Case((4, 3), lambda rng: np.array([[2, 0], [1, 1]]), axis=1),
        Case((4, 3), 1, axis=-1),
        Case((4,), _indices(0, 5, -1), mode="clip"),
        Case((4, 3), _indices(0, 5, -1), axis=1, mode="wrap"),
    ],
)


def _take_along_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    x, indices = map(array, types)
    if attrs.get("axis", -1) is None:
        return Array(x.dtype, indices.axes)
    axis = normal_axis(attrs.get("axis", -1), x.ndim)
    if indices.ndim != x.ndim:
        raise Unsupported("take_along_axis needs indices with as many axes as the array")
    axes = broadcast_axes(facts, [(*a[:axis], ONE, *a[axis + 1 :]) for a in (x.axes, indices.axes)])
    return Array(x.dtype, (*axes[:axis], indices.axes[axis], *axes[axis + 1 :]))


def take_along(d: Any, y: Any, x: Any, indices: Any, *, axis: int | None = -1) -> Any:
    """The index is a mesh: its own position in every other axis."""
    if axis is None:
        return scatter(np.ravel(x), d, (indices,)).reshape(x.shape) if x.ndim != 1 else scatter(x, d, (indices,))
    axis = normal_axis(axis, x.ndim)
    index = [indices if i == axis else _position(d, x, i) for i in range(x.ndim)]
    return scatter(x, d, tuple(index) if len(index) > 1 else index[0])


def _position(d: Any, x: Any, axis: int) -> Any:
    if isinstance(x.shape[axis], int) and x.shape[axis] == 1:
        return 0
    steps, trailing = arange(d, x.shape[axis]), tuple(range(1, x.ndim - axis))
    if not trailing:
        return steps
    return np.expand_dims(steps, trailing if len(trailing) > 1 else trailing[0])


linear(
    np.take_along_axis,
    take_along,
    None,
    operands=("arr", "indices"),
    keywords=("axis",),
    infer=_take_along_type,
    cases=[
        Case((4,), _indices(0, 2, 2), axis=0),
        Case((4, 3), lambda rng: rng.integers(0, 3, (4, 2)), axis=1),
        Case((4, 3), lambda rng: rng.integers(0, 4, (2, 3)), axis=0),
        Case((4, 3), lambda rng: rng.integers(0, 3, (1, 2)), axis=-1),
        Case((2, 3, 2), lambda rng: rng.integers(0, 3, (2, 1, 2)), axis=1),
        Case((4, 3), lambda rng: rng.integers(0, 12, 5), axis=None),
    ],
)

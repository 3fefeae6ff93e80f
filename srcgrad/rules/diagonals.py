"""Derivatives of diagonals, triangles and traces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.dims import Dim, Facts, as_dim
from ..ir.types import Array, Type
from .axes import array, dtype_of, keeps_dtype, normal_axis, size
from .internal import arange, eye, placed
from .registry import Case, linear

function: Any  # the tables below loop over functions of different types


# Diagonals and triangles
def _diagonal_length(facts: Facts, rows: Dim, columns: Dim, offset: int) -> Dim:
    """How long a diagonal is; that a matrix is square is assumed if the example is."""
    facts.require("==", rows, columns)
    rows, columns = facts.canon(rows) + min(offset, 0), facts.canon(columns) - max(offset, 0)
    if offset and not all(facts.require(">=", length, as_dim(0)) for length in (rows, columns)):
        raise Unsupported("a diagonal that lies outside of the matrix")
    if facts.require(">=", rows, columns):
        return columns
    return rows if facts.require(">=", columns, rows) else facts.fresh()


def _diagonal_axes(facts: Facts, x: Array, attrs: Mapping[str, Any]) -> tuple[Dim, ...]:
    if x.ndim < 2:
        raise Unsupported("diagonal of an array with fewer than two axes")
    first, second = (normal_axis(attrs.get(name, k), x.ndim) for k, name in enumerate(("axis1", "axis2")))
    length = _diagonal_length(facts, x.axes[first], x.axes[second], attrs.get("offset", 0))
    return (*(dim for i, dim in enumerate(x.axes) if i not in (first, second)), length)


def _onto_diagonal(d: Any, x: Any, offset: int, first: int, second: int) -> Any:
    """Zeros like `x`, with `d` on the diagonal."""
    steps = arange(d, d.shape[-1])
    rows = steps - offset if offset < 0 else steps
    columns = steps + offset if offset > 0 else steps
    index: list[Any] = [slice(None)] * x.ndim
    index[first], index[second] = rows, columns
    if second != first + 1 and first != second + 1 and x.ndim > 2:  # apart, index arrays put their axis first
        d = np.moveaxis(d, -1, 0)
    elif x.ndim > 2:
        d = np.moveaxis(d, -1, min(first, second))
    return placed(x, d, tuple(index))


def _diagonal(d: Any, y: Any, x: Any, *, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    first, second = normal_axis(axis1, x.ndim), normal_axis(axis2, x.ndim)
    if x.ndim == 2 and x.shape[0] == x.shape[1]:
        return np.diag(d, k=offset if first < second else -offset) if offset else np.diag(d)
    return _onto_diagonal(d, x, offset, first, second)


linear(
    np.diagonal,
    _diagonal,
    operands=("a",),
    keywords=("offset", "axis1", "axis2"),
    infer=keeps_dtype(_diagonal_axes),
    view=True,
    cases=[
        Case((3, 3)),
        Case((2, 3)),
        Case((4, 4), offset=1),
        Case((4, 3), offset=-1),
        Case((3, 3), offset=1, axis1=1, axis2=0),
        Case((3, 4, 3), axis1=0, axis2=2),
        Case((2, 3, 3), offset=1, axis1=-2, axis2=-1),
    ],
)


def _diag_axes(facts: Facts, x: Array, attrs: Mapping[str, Any]) -> tuple[Dim, ...]:
    k = attrs.get("k", 0)
    if x.ndim == 1:
        return (facts.canon(x.axes[0]) + abs(k),) * 2
    if x.ndim != 2:
        raise Unsupported("np.diag takes a vector or a matrix")
    return (_diagonal_length(facts, x.axes[0], x.axes[1], k),)


def _diag(d: Any, y: Any, x: Any, *, k: int = 0) -> Any:
    if x.ndim == 1:
        return np.diagonal(d, k) if k else np.diagonal(d)
    return _diagonal(d, y, x, offset=k)


linear(
    np.diag,
    _diag,
    operands=("v",),
    keywords=("k",),
    infer=keeps_dtype(_diag_axes),
    cases=[Case(shape, **k) for shape in ((3,), (3, 3), (4, 3)) for k in ({}, {"k": 1}, {"k": -1})],
)
linear(
    np.diagflat,
    lambda d, y, x, *, k=0: (np.diagonal(d, k) if k else np.diagonal(d)).reshape(x.shape),
    operands=("v",),
    keywords=("k",),
    infer=keeps_dtype(lambda facts, x, attrs: (size(facts, x) + abs(attrs.get("k", 0)),) * 2),
    cases=[Case((3,)), Case((2, 2), k=1), Case((2,), k=-1)],
)
for function in (np.tril, np.triu):
    linear(
        function,
        lambda d, y, x, *, k=0, function=function: function(d, k) if k else function(d),
        operands=("m",),
        keywords=("k",),
        infer=keeps_dtype(lambda facts, x, attrs: x.axes if x.ndim > 1 else (x.axes * 2)),
        cases=[Case((3, 3)), Case((2, 4), k=1), Case((4, 2), k=-1), Case((2, 3, 3), k=1)],
    )


# trace: every diagonal element counts once
def _trace_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    x = array(types[0])
    first, second = (normal_axis(attrs.get(name, k), x.ndim) for k, name in enumerate(("axis1", "axis2")))
    facts.require("==", x.axes[first], x.axes[second])  # square, if the example is
    known = {"dtype": attrs["dtype"]} if attrs.get("dtype") is not None else {}
    return Array(
        dtype_of(np.sum, (x,), **known), tuple(dim for i, dim in enumerate(x.axes) if i not in (first, second))
    )


def _trace(d: Any, y: Any, x: Any, *, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Any:
    first, second = normal_axis(axis1, x.ndim), normal_axis(axis2, x.ndim)
    low, high = sorted((first, second))
    mask = eye(d, x.shape[low], x.dtype, x.shape[high], offset if first < second else -offset)
    if x.ndim == 2:
        return d * mask
    others = tuple(i for i in range(x.ndim) if i not in (low, high))
    return np.expand_dims(d, (low, high)) * np.expand_dims(mask, others if len(others) > 1 else others[0])


linear(
    np.trace,
    _trace,
    operands=("a",),
    keywords=("offset", "axis1", "axis2", "dtype"),
    signature=("a", "offset", "axis1", "axis2", "dtype", "out"),
    infer=_trace_type,
    cases=[
        Case((3, 3)),
        Case((2, 3)),
        Case((3, 3), offset=1),
        Case((4, 3), offset=-1),
        Case((2, 3, 4), axis1=0, axis2=2),
        Case((2, 3, 4), offset=1, axis1=-1, axis2=1),
        Case((2, 3), offset=1, axis1=1, axis2=0),
        Case((3, 3), dtype=np.float64),
    ],
)

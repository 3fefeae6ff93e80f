"""Derivatives of sums of products of arrays: matmul and its relatives, tensordot, vecdot, inner.

Giles (2008), "An extended collection of matrix derivative results", section 2; written as matrix products wherever
the operation is one, so that the backward sweep spends its time in BLAS too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.dims import Facts
from ..ir.infer import broadcast_axes, check_equal
from ..ir.types import Array, Type
from .axes import array, dtype_of, normal_axis
from .internal import conj, unbroadcast
from .registry import Case, bilinear


# matmul: the cotangent times the other factor's transpose, summed over broadcast batches
def _matmul_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    a, b = map(array, types)
    if not a.ndim or not b.ndim:
        raise Unsupported("matmul of a number", "Use `*`.")
    check_equal(facts, a.axes[-1], b.axes[-2] if b.ndim > 1 else b.axes[0], "matmul")
    batch = broadcast_axes(facts, [a.axes[:-2], b.axes[:-2]])
    axes = (*batch, *a.axes[-2:-1], *(b.axes[-1:] if b.ndim > 1 else ()))
    return Array(dtype_of(np.matmul, (a, b)), axes)


def matmul_left(d: Any, y: Any, a: Any, b: Any) -> Any:
    if a.ndim == 1 and b.ndim == 1:
        return d * b
    if b.ndim == 1:
        return np.expand_dims(d, -1) * b if a.ndim > 2 else np.outer(d, b)
    if a.ndim == 1:
        return b @ d if b.ndim == 2 else unbroadcast((b @ np.expand_dims(d, -1))[..., 0], a)
    if a.ndim == 2 and b.ndim > 2:
        shared = (*range(d.ndim - 2), d.ndim - 1)
        return np.tensordot(d, b, axes=(shared, shared))
    return unbroadcast(d @ transposed(b), a)


def matmul_right(d: Any, y: Any, a: Any, b: Any) -> Any:
    if a.ndim == 1 and b.ndim == 1:
        return d * a
    if a.ndim == 1:
        return np.expand_dims(a, 1) * np.expand_dims(d, -2) if b.ndim > 2 else np.outer(a, d)
    if b.ndim == 1 and a.ndim == 2:
        return a.T @ d
    if b.ndim <= 2 < a.ndim:  # all batches in one product
        shared = tuple(range(a.ndim - 1))
        return np.tensordot(a, d, axes=(shared, shared))
    return unbroadcast(transposed(a) @ d, b)


def transposed(x: Any) -> Any:
    """Every matrix in `x` transposed."""
    return x.T if x.ndim == 2 else np.swapaxes(x, -1, -2)


def adjoint(x: Any) -> Any:
    """Every matrix in `x` transposed and conjugated."""
    return transposed(conj(x))


bilinear(
    np.matmul,
    matmul_left,
    matmul_right,
    operands=("a", "b"),
    infer=_matmul_type,
    cases=[
        *(Case(a, b) for a in ((3,), (2, 3), (4, 2, 3)) for b in ((3,), (3, 2), (4, 3, 2))),
        Case((1, 2, 3), (4, 3, 2)),
        Case((4, 2, 3), (1, 3, 2)),
        Case((5, 1, 2, 3), (4, 3, 2)),
        Case((2, 3), (5, 4, 3, 2)),
        Case((5, 4, 2, 3), (3,)),
        Case((1, 3), (3, 1)),
        Case((3, 1), (1, 2)),
    ],
)


# dot: matmul up to two axes, and then the sum over the last axis of a and the last but one of b
def _contracted(a: Any, b: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return (a.ndim - 1,), (max(b.ndim - 2, 0),)


def _dot_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    a, b = map(array, types)
    if not a.ndim or not b.ndim:
        return Array(dtype_of(np.dot, (a, b)), (*a.axes, *b.axes))
    return _contraction_type(facts, a, b, *_contracted(a, b))


def _dot_left(d: Any, y: Any, a: Any, b: Any) -> Any:
    if not a.ndim or not b.ndim:
        return d * b if a.ndim or not b.ndim else np.sum(d * b)
    if a.ndim <= 2 and b.ndim <= 2:
        return matmul_left(d, y, a, b)
    return _contraction_left(d, a, b, *_contracted(a, b))


def _dot_right(d: Any, y: Any, a: Any, b: Any) -> Any:
    if not a.ndim or not b.ndim:
        return d * a if b.ndim or not a.ndim else np.sum(d * a)
    if a.ndim <= 2 and b.ndim <= 2:
        return matmul_right(d, y, a, b)
    return _contraction_right(d, a, b, *_contracted(a, b))


_RANKS: tuple[tuple[int, ...], ...] = ((3,), (2, 3), (4, 2, 3))
bilinear(
    np.dot,
    _dot_left,
    _dot_right,
    operands=("a", "b"),
    signature=("a", "b", "out"),
    infer=_dot_type,
    cases=[
        *(Case(a, b) for a in _RANKS for b in ((3,), (3, 2), (4, 3, 2))),
        *(Case(a, b) for a, b in (((), ()), ((), (3,)), ((2, 3), ()))),
    ],
)


# Contractions: the axes of the result are the free axes of a, then those of b
def _contraction_type(facts: Facts, a: Array, b: Array, a_axes: Sequence[int], b_axes: Sequence[int]) -> Type:
    for i, j in zip(a_axes, b_axes):
        check_equal(facts, a.axes[i], b.axes[j], "the axes summed over")
    free = [dim for i, dim in enumerate(a.axes) if i not in a_axes]
    free += [dim for j, dim in enumerate(b.axes) if j not in b_axes]
    return Array(dtype_of(np.dot, (a, b)), tuple(free))


def _contraction_left(d: Any, a: Any, b: Any, a_axes: Sequence[int], b_axes: Sequence[int]) -> Any:
    """Contract d with b over b's free axes; what is left is a's free axes, then the summed ones in b's order."""
    a_free = [i for i in range(a.ndim) if i not in a_axes]
    b_free = [j for j in range(b.ndim) if j not in b_axes]
    result = np.tensordot(d, b, axes=(tuple(range(len(a_free), d.ndim)), tuple(b_free)))
    order = [*a_free, *(i for _, i in sorted(zip(b_axes, a_axes)))]
    return reordered(result, order)


def _contraction_right(d: Any, a: Any, b: Any, a_axes: Sequence[int], b_axes: Sequence[int]) -> Any:
    a_free = [i for i in range(a.ndim) if i not in a_axes]
    b_free = [j for j in range(b.ndim) if j not in b_axes]
    result = np.tensordot(a, d, axes=(tuple(a_free), tuple(range(len(a_free)))))
    order = [*(j for _, j in sorted(zip(a_axes, b_axes))), *b_free]
    return reordered(result, order)


def reordered(x: Any, order: Sequence[int]) -> Any:
    """Put axis k of `x` at place order[k]."""
    axes = tuple(int(i) for i in np.argsort(order))
    if axes == tuple(range(len(axes))):
        return x
    return x.T if axes == (1, 0) else np.transpose(x, axes)


def _tensordot_axes(axes: Any, a: Any, b: Any) -> tuple[list[int], list[int]]:
    if isinstance(axes, (int, np.integer)):
        return list(range(a.ndim - int(axes), a.ndim)), list(range(int(axes)))
    left, right = ((each,) if isinstance(each, (int, np.integer)) else each for each in axes)
    if len(left) != len(right):
        raise Unsupported("tensordot sums over as many axes of a as of b")
    return [normal_axis(i, a.ndim) for i in left], [normal_axis(j, b.ndim) for j in right]


def _tensordot_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    a, b = map(array, types)
    return _contraction_type(facts, a, b, *_tensordot_axes(attrs.get("axes", 2), a, b))


def _tensordot_left(d: Any, y: Any, a: Any, b: Any, *, axes: Any = 2) -> Any:
    a_axes, b_axes = _tensordot_axes(axes, a, b)
    if a.ndim == b.ndim == 2 and (a_axes, b_axes) == ([1], [0]):
        return d @ b.T
    return _contraction_left(d, a, b, a_axes, b_axes)


def _tensordot_right(d: Any, y: Any, a: Any, b: Any, *, axes: Any = 2) -> Any:
    a_axes, b_axes = _tensordot_axes(axes, a, b)
    if a.ndim == b.ndim == 2 and (a_axes, b_axes) == ([1], [0]):
        return a.T @ d
    return _contraction_right(d, a, b, a_axes, b_axes)


bilinear(
    np.tensordot,
    _tensordot_left,
    _tensordot_right,
    operands=("a", "b"),
    keywords=("axes",),
    infer=_tensordot_type,
    cases=[
        Case((2, 3, 4), (3, 4, 5)),
        Case((2, 3), (3, 2), axes=1),
        Case((3,), (3,), axes=1),
        Case((2,), (3, 4), axes=0),
        Case((2, 3, 4), (4, 5), axes=1),
        Case((2, 3, 4), (4, 5), axes=(-1, 0)),
        Case((2, 3, 4), (3, 5, 2), axes=((0, 1), (2, 0))),
        Case((2, 3, 4), (5, 4, 3, 2), axes=([2, 0, 1], [1, 3, 2])),
        Case((2, 3), (4, 3), axes=((1,), (1,))),
    ],
)


# vecdot: the products of vectors along one axis
def _vecdot_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    a, b = map(array, types)
    if not a.ndim or not b.ndim:
        raise Unsupported("np.vecdot of a number")
    check_equal(facts, a.axes[-1], b.axes[-1], "np.vecdot: lengths")
    return Array(dtype_of(np.vecdot, (a, b)), broadcast_axes(facts, [a.axes[:-1], b.axes[:-1]]))


bilinear(
    np.vecdot,
    lambda d, y, a, b: unbroadcast(conj(np.expand_dims(d, -1) * b), a),
    lambda d, y, a, b: unbroadcast(np.expand_dims(d, -1) * conj(a), b),
    operands=("a", "b"),
    infer=_vecdot_type,
    cases=[Case((3,), (3,)), Case((2, 3), (2, 3)), Case((2, 3), (3,)), Case((1, 3), (2, 3))],
)


# inner: the sum over both last axes; outer: all products
def _inner_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    a, b = map(array, types)
    if not a.ndim or not b.ndim:
        return Array(dtype_of(np.dot, (a, b)), (*a.axes, *b.axes))
    return _contraction_type(facts, a, b, (a.ndim - 1,), (b.ndim - 1,))


def _inner_left(d: Any, y: Any, a: Any, b: Any) -> Any:
    if min(a.ndim, b.ndim) == 0 or a.ndim == b.ndim == 1:
        return _dot_left(d, y, a, b)
    if b.ndim == 2:
        return d @ b
    return np.outer(d, b) if (a.ndim, b.ndim) == (2, 1) else _contraction_left(d, a, b, [a.ndim - 1], [b.ndim - 1])


def _inner_right(d: Any, y: Any, a: Any, b: Any) -> Any:
    if min(a.ndim, b.ndim) == 0 or a.ndim == b.ndim == 1:
        return _dot_right(d, y, a, b)
    if (a.ndim, b.ndim) == (2, 2):
        return d.T @ a
    return np.outer(d, a) if (a.ndim, b.ndim) == (1, 2) else _contraction_right(d, a, b, [a.ndim - 1], [b.ndim - 1])


bilinear(
    np.inner,
    _inner_left,
    _inner_right,
    operands=("a", "b"),
    infer=_inner_type,
    cases=[
        *(Case(a, b) for a in _RANKS for b in ((3,), (4, 3), (4, 2, 3))),
        *(Case(a, b) for a, b in (((), ()), ((), (3,)), ((2, 3), ()))),
    ],
)

"""Derivatives of products of elements that are not contractions alone: outer, vdot, kron, cross."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.dims import ONE, Dim, Facts, as_dim
from ..ir.infer import broadcast_axes, check_equal
from ..ir.types import Array, Type
from .axes import array, dtype_of, normal_axis
from .internal import conj, unbroadcast
from .registry import Case, bilinear


def _size(x: Array, facts: Facts) -> Dim:
    total = ONE
    for dim in x.axes:
        total = total * facts.canon(dim)
    return total


def _outer_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    a, b = map(array, types)
    return Array(dtype_of(np.outer, (a, b)), (_size(a, facts), _size(b, facts)))


def _flat(x: Any) -> Any:
    return x if x.ndim == 1 else np.ravel(x)


def _shaped(x: Any, like: Any) -> Any:
    return x if like.ndim == 1 else x.reshape(like.shape)


bilinear(
    np.outer,
    lambda d, y, a, b: _shaped(d @ _flat(b), a),
    lambda d, y, a, b: _shaped(_flat(a) @ d, b),
    operands=("a", "b"),
    signature=("a", "b", "out"),
    infer=_outer_type,
    cases=[Case((2,), (3,)), Case((2, 3), (2,)), Case((), (3,)), Case((1,), (2, 2))],
)


def _vdot_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    a, b = map(array, types)
    check_equal(facts, _size(a, facts), _size(b, facts), "vdot")
    return Array(dtype_of(np.vdot, (a, b)))


def _vdot_left(d: Any, y: Any, a: Any, b: Any) -> Any:
    return conj(d * _in_shape(b, a))


def _vdot_right(d: Any, y: Any, a: Any, b: Any) -> Any:
    return d * conj(_in_shape(a, b))


def _in_shape(x: Any, like: Any) -> Any:
    return x if x.ndim == like.ndim == 1 or x.shape == like.shape else x.reshape(like.shape)


bilinear(
    np.vdot,
    _vdot_left,
    _vdot_right,
    operands=("a", "b"),
    infer=_vdot_type,
    cases=[Case((3,), (3,)), Case((2, 3), (2, 3)), Case((2, 3), (6,)), Case((2, 3), (3, 2))],
)


# kron: blocks of b scaled by the elements of a
def _kron_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    a, b = map(array, types)
    ndim = max(a.ndim, b.ndim)
    left, right = ((ONE,) * (ndim - x.ndim) + x.axes for x in (a, b))
    return Array(dtype_of(np.kron, (a, b)), tuple(m * n for m, n in zip(left, right)))


def _blocks(d: Any, a: Any, b: Any) -> tuple[Any, tuple[Any, ...], tuple[Any, ...]]:
    """d with each axis split in two, one of a's length and one of b's."""
    ndim = max(a.ndim, b.ndim)
    left, right = ((1,) * (ndim - x.ndim) + tuple(x.shape) for x in (a, b))
    return d.reshape(tuple(n for pair in zip(left, right) for n in pair)), left, right


def _kron_left(d: Any, y: Any, a: Any, b: Any) -> Any:
    blocks, left, right = _blocks(d, a, b)
    odd = tuple(range(1, 2 * len(right), 2))
    factor = b if b.ndim == len(right) else b.reshape(right)
    result = np.tensordot(blocks, factor, axes=(odd, tuple(range(len(right)))))
    return result if a.ndim == len(left) else result.reshape(a.shape)


def _kron_right(d: Any, y: Any, a: Any, b: Any) -> Any:
    blocks, left, right = _blocks(d, a, b)
    even = tuple(range(0, 2 * len(left), 2))
    factor = a if a.ndim == len(left) else a.reshape(left)
    result = np.tensordot(factor, blocks, axes=(tuple(range(len(left))), even))
    return result if b.ndim == len(right) else result.reshape(b.shape)


bilinear(
    np.kron,
    _kron_left,
    _kron_right,
    operands=("a", "b"),
    infer=_kron_type,
    cases=[
        Case((2, 3), (3, 2)),
        Case((2,), (3,)),
        Case((2,), (3, 2)),
        Case((2, 3), (2,)),
        Case((2, 1, 2), (2, 3)),
    ],
)


# cross: d . (a x b) = a . (b x d) = b . (d x a)
def _cross_axes(attrs: Mapping[str, Any]) -> tuple[int, int, int]:
    """The axes of the vectors of a, of b, and of the result; `axis=` goes before the others."""
    if attrs.get("axis") is not None:
        return attrs["axis"], attrs["axis"], attrs["axis"]
    return attrs.get("axisa", -1), attrs.get("axisb", -1), attrs.get("axisc", -1)


def _cross_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    a, b = map(array, types)
    if not a.ndim or not b.ndim:
        raise Unsupported("cross product of a number")
    of_a, of_b, of_result = _cross_axes(attrs)
    batches = []
    for x, axis in ((a, of_a), (b, of_b)):
        axis = normal_axis(axis, x.ndim)
        check_equal(facts, x.axes[axis], as_dim(3), "cross product of vectors of three")
        batches.append((*x.axes[:axis], *x.axes[axis + 1 :]))
    axes = list(broadcast_axes(facts, batches))
    axes.insert(normal_axis(of_result, len(axes) + 1), as_dim(3))
    return Array(dtype_of(np.multiply, (a, b)), tuple(axes))


def _cross_back(d: Any, other: Any, x: Any, axes: tuple[int, int, int], swap: bool) -> Any:
    """`other x d`, or with `swap` `d x other`, with the vectors of `x` where `x` has them."""
    of_other, of_d, of_x = (normal_axis(axis, each.ndim) for axis, each in zip(axes, (other, d, x)))
    last = other.ndim - 1, d.ndim - 1, x.ndim - 1
    if (of_other, of_d, of_x) == last or (of_other == of_d == of_x and other.ndim == d.ndim == x.ndim):
        options = {} if of_d == d.ndim - 1 else {"axis": axes[1]}
        return unbroadcast(np.cross(d, other, **options) if swap else np.cross(other, d, **options), x)
    d, other = _to_end(d, of_d), _to_end(other, of_other)
    like = _to_end(x, of_x)
    result = unbroadcast(np.cross(d, other) if swap else np.cross(other, d), like)
    return result if of_x == x.ndim - 1 else np.moveaxis(result, -1, of_x)


def _to_end(x: Any, axis: int) -> Any:
    return x if axis == x.ndim - 1 else np.moveaxis(x, axis, -1)


def _cross_left(
    d: Any, y: Any, a: Any, b: Any, *, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: Any = None
) -> Any:
    of_a, of_b, of_d = _cross_axes({"axisa": axisa, "axisb": axisb, "axisc": axisc, "axis": axis})
    return _cross_back(d, b, a, (of_b, of_d, of_a), swap=False)


def _cross_right(
    d: Any, y: Any, a: Any, b: Any, *, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: Any = None
) -> Any:
    of_a, of_b, of_d = _cross_axes({"axisa": axisa, "axisb": axisb, "axisc": axisc, "axis": axis})
    return _cross_back(d, a, b, (of_a, of_d, of_b), swap=True)


bilinear(
    np.cross,
    _cross_left,
    _cross_right,
    operands=("a", "b"),
    keywords=("axisa", "axisb", "axisc", "axis"),
    infer=_cross_type,
    cases=[
        Case((3,), (3,)),
        Case((2, 3), (2, 3)),
        Case((2, 3), (3,)),
        Case((1, 3), (2, 3)),
        Case((3, 2), (3, 2), axis=0),
        Case((3, 2), (2, 3), axisa=0),
        Case((3, 2), (2, 3), axisa=0, axisb=1, axisc=0),
        Case((2, 3), (3,), axisc=0),
        Case((3, 2), (4, 2, 3), axisa=0, axisc=1),
        Case((3, 2), (3,), axis=0),
    ],
)

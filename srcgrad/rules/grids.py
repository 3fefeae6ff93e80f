"""Derivatives of grids: points between two numbers, meshes, powers of a vector."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.dims import ONE, Facts, as_dim
from ..ir.infer import broadcast_axes
from ..ir.primitive import Infer
from ..ir.symbolic import Sym, apply
from ..ir.types import Array, Type
from .axes import array, axis_form, dtype_of, normal_axis, plain
from .internal import arange, called, unbroadcast
from .registry import Case, general, linear, uniform

function: Any  # the tables below loop over functions of different types


# arange: start + k * step; how many there are is a step function of the operands
def _arange_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    arrays = [array(t) for t in types]
    dtype = np.dtype(attrs["dtype"]) if attrs.get("dtype") is not None else dtype_of(np.arange, arrays, ndim=0)
    dims = [a.dim for a in arrays]
    start, stop = (as_dim(0), dims[0]) if len(dims) == 1 else (dims[0], dims[1])
    step = dims[2] if len(dims) > 2 else as_dim(1)
    if start is None or stop is None or step is None or not step.constant or step.constant < 0:
        return Array(dtype, (facts.fresh(),))
    if not facts.require(">=", stop, start):
        return Array(dtype, (facts.fresh(),) if (stop - start).constant is None else (as_dim(0),))
    return Array(dtype, ((stop - start + (step.constant - 1)) // step.constant,))


def _arange_start(d: Any, y: Any, start: Any, *rest: Any, dtype: Any = None) -> Any:
    return np.sum(d) if rest else 0.0  # the only operand is the end


def _arange_step(d: Any, y: Any, start: Any, stop: Any, step: Any, dtype: Any = None) -> Any:
    return d @ arange(d, d.shape[0])


def _arange_tangent(tangents: Any, y: Any, start: Any, *rest: Any, dtype: Any = None) -> Any:
    moved = tangents[0] if rest else None
    if len(rest) < 2 or tangents[2] is None:
        return 0.0 if moved is None else moved
    stretched = tangents[2] * arange(y, y.shape[0])
    return stretched if moved is None else moved + stretched


general(
    np.arange,
    _arange_start,
    None,
    _arange_step,
    operands=("start", "stop", "step"),
    keywords=("dtype",),
    infer=_arange_type,
    tangent=_arange_tangent,
    cases=[
        Case(uniform((), 4.2, 4.4), unknown=True),
        Case(uniform((), 1.2, 1.4), uniform((), 5.9, 6.1), unknown=True),
        Case(uniform((), 1.2, 1.4), 6.0, uniform((), 0.95, 1.0), unknown=True),
        Case(uniform((), 1.2, 1.4), 6.0, 1.0, dtype=np.float64, unknown=True),
    ],
    convention="how many numbers there are is a step function of the operands: its derivative is zero",
)


# linspace: weights that fall from 1 to 0 for the first number, and rise from 0 to 1 for the second
def _spaced_type(function: Any) -> Infer:
    def infer(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type | tuple[Type, ...]:
        arrays = [array(t) for t in types[:2]]
        axes = list(broadcast_axes(facts, [a.axes for a in arrays]))
        axis = normal_axis(attrs.get("axis", 0), len(axes) + 1)
        dim = array(types[2]).dim if len(types) > 2 else as_dim(50)
        axes.insert(axis, facts.fresh() if dim is None else dim)
        known, own = attrs.get("dtype"), dtype_of(function, arrays, ndim=0)
        points = Array(np.dtype(known) if known is not None else own, tuple(axes))
        if not attrs.get("retstep"):
            return points
        return points, Array(own, tuple(broadcast_axes(facts, [a.axes for a in arrays])))

    return infer


def _rising(d: Any, num: Sequence[Any], endpoint: bool) -> Any:
    options = {} if endpoint else {"endpoint": False}
    return (
        called(np.linspace, 0.0, 1.0, *num, **options)
        if not isinstance(d, Sym)
        else apply(d.builder, np.linspace, (0.0, 1.0, *num), options)
    )


def _between(which: int, d: Any, end: Any, num: Sequence[Any], endpoint: bool, axis: int) -> Any:
    """The cotangent of one end: every point counts with its weight."""
    weights = _rising(d, num, endpoint)
    weights = weights if which else 1.0 - weights
    axis = normal_axis(axis, d.ndim)
    if d.ndim == 1:
        return d @ weights
    return unbroadcast(weights @ d if d.ndim == 2 and not axis else np.tensordot(weights, d, axes=((0,), (axis,))), end)


def _linspace(which: int) -> Any:
    def partial(
        d: Any, y: Any, start: Any, stop: Any, *num: Any, endpoint: bool = True, retstep: bool = False,
        dtype: Any = None, axis: int = 0,
    ) -> Any:  # fmt: skip
        end = stop if which else start
        if not retstep:
            return _between(which, d, end, num, endpoint, axis)
        points, step = d
        parts = [] if points is None else [_between(which, points, end, num, endpoint, axis)]
        if step is not None:
            share = step / ((num[0] if num else 50) - (1 if endpoint else 0))
            parts.append(unbroadcast(share if which else -share, end))
        return sum(parts[1:], parts[0]) if parts else None

    return partial


_SPACED = [
    Case(uniform((), 1, 2), uniform((), 2, 3)),
    Case(uniform((), 1, 2), uniform((), 2, 3), 5),
    Case(uniform((), 1, 2), 2.0, 4, endpoint=False),
    Case(uniform((), 1, 2), uniform((), 2, 3), 1),
    Case(uniform((), 1, 2), uniform((), 2, 3), 4, dtype=np.float64),
    Case(uniform((3,), 1, 2), uniform((3,), 2, 3), 4),
    Case(uniform((3,), 1, 2), uniform((), 2, 3), 4, axis=-1),
    Case(uniform((2, 3), 1, 2), uniform((3,), 2, 3), 4, axis=1),
]
linear(
    np.linspace,
    _linspace(0),
    _linspace(1),
    None,
    operands=("start", "stop", "num"),
    keywords=("endpoint", "retstep", "dtype", "axis"),
    infer=_spaced_type(np.linspace),
    cases=[
        *_SPACED,
        Case(uniform((), 1, 2), uniform((), 2, 3), 5, retstep=True),
        Case(uniform((3,), 1, 2), uniform((), 2, 3), retstep=True, endpoint=False),
    ],
)


def _logspace(which: int) -> Any:
    def partial(
        d: Any, y: Any, start: Any, stop: Any, *num: Any, endpoint: bool = True, base: Any = 10.0, dtype: Any = None,
        axis: int = 0,
    ) -> Any:  # fmt: skip
        known = getattr(base, "const", base)
        scale = np.log(base) if known is None else math.log(known)
        return _between(which, d * y * scale, stop if which else start, num, endpoint, axis)

    return partial


def _base(
    d: Any, y: Any, start: Any, stop: Any, *num: Any, base: Any, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> Any:
    """base^e has the derivative e base^(e - 1), with e = log(y) / log(base)."""
    return np.sum(d * y * (np.log(y) / np.log(base))) / base


def _logspace_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Any:
    if isinstance(attrs.get("base"), Array) and attrs["base"].ndim:
        raise Unsupported("np.logspace with an array for `base=`", "It takes a number.")
    return _spaced_type(np.logspace)(facts, types, attrs, style)


def _geomspace(which: int) -> Any:
    def partial(
        d: Any, y: Any, start: Any, stop: Any, *num: Any, endpoint: bool = True, dtype: Any = None, axis: int = 0
    ) -> Any:
        end = stop if which else start
        return _between(which, d * y, end, num, endpoint, axis) / end

    return partial


general(
    np.logspace,
    _logspace(0),
    _logspace(1),
    None,
    operands=("start", "stop", "num"),
    keywords=("endpoint", "dtype", "axis"),
    named={"base": _base},
    signature=("start", "stop", "num", "endpoint", "base", "dtype", "axis"),
    infer=_logspace_type,
    cases=[
        *_SPACED[1:],
        Case(uniform((), 1, 2), uniform((), 2, 3), 4, base=2.0),
        Case(uniform((), 1, 2), uniform((), 2, 3), 4, base=uniform((), 2, 3)),
    ],
)
general(
    np.geomspace,
    _geomspace(0),
    _geomspace(1),
    None,
    operands=("start", "stop", "num"),
    keywords=("endpoint", "dtype", "axis"),
    signature=("start", "stop", "num", "endpoint", "dtype", "axis"),
    infer=_spaced_type(np.geomspace),
    cases=_SPACED[1:],
)


# meshgrid and broadcast_arrays: copies of one operand
def _mesh_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> tuple[Type, ...]:
    vectors = [array(t) for t in types]
    if any(v.ndim > 1 for v in vectors):
        raise Unsupported("np.meshgrid of arrays that are not vectors")
    if attrs.get("copy", True) is not True:
        raise Unsupported("np.meshgrid with copy=False gives views of one memory", "Leave it out.")
    axes = [v.axes[0] if v.ndim else ONE for v in vectors]
    if attrs.get("sparse"):
        axes_of = [[axes[k] if i == k else ONE for i in range(len(axes))] for k in range(len(axes))]
    else:
        axes_of = [list(axes) for _ in axes]
    for each in axes_of:
        if attrs.get("indexing", "xy") == "xy" and len(each) > 1:
            each[0], each[1] = each[1], each[0]
    return tuple(Array(v.dtype, tuple(each)) for v, each in zip(vectors, axes_of))


def _mesh(
    d: Any, y: Any, *vectors: Any, which: int, indexing: str = "xy", sparse: bool = False, copy: bool = True
) -> Any:
    d = d[which] if isinstance(d, tuple) else d
    if d is None:
        return None
    own = 1 - which if indexing == "xy" and which < 2 and len(vectors) > 1 else which
    others = tuple(i for i in range(len(vectors)) if i != own)
    if sparse:
        return d.reshape(vectors[which].shape)
    result = np.sum(d, axis=axis_form(others)) if others else d
    return result if vectors[which].ndim else result.reshape(())


linear(
    np.meshgrid,
    _mesh,
    operands=("*xi",),
    keywords=("indexing", "sparse", "copy"),
    signature=("*xi",),
    infer=_mesh_type,
    several=True,
    cases=[
        Case((2,), (3,)),
        Case((2,), (3,), indexing="ij"),
        Case((2,), (3,), sparse=True),
        Case((2,), (3,), (2,)),
        Case((2,), (3,), (2,), indexing="ij", sparse=True),
        Case((2,), (), copy=True),
        Case((3,)),
    ],
)


def _broadcast_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> tuple[Type, ...]:
    arrays = [array(t) for t in types]
    axes = broadcast_axes(facts, [a.axes for a in arrays])
    return tuple(Array(a.dtype, axes) for a in arrays)


def _broadcast_back(d: Any, y: Any, *arrays: Any, which: int) -> Any:
    d = d[which] if isinstance(d, tuple) else d
    return None if d is None else unbroadcast(d, arrays[which])


linear(
    np.broadcast_arrays,
    _broadcast_back,
    operands=("*args",),
    signature=("*args",),
    infer=_broadcast_type,
    several=True,
    view=True,
    cases=[Case((3,), (2, 1)), Case((3,)), Case((), (3,)), Case((2, 3), (2, 3), (3,))],
)


# vander: columns of powers, falling from the left unless told otherwise
def _vander_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    x = array(types[0])
    if x.ndim != 1:
        raise Unsupported("np.vander of an array that is not one-dimensional")
    dim = array(types[1]).dim if len(types) > 1 else facts.canon(x.axes[0])
    return Array(dtype_of(np.vander, (x,)), (x.axes[0], facts.fresh() if dim is None else dim))


def _vander(d: Any, y: Any, x: Any, *number: Any, increasing: bool = False) -> Any:
    """(x^k)' = k x^(k - 1)"""
    n = d.shape[1]
    if isinstance(n, int) and n == 1:
        return None
    less = n - 1 if isinstance(n, int) else plain(as_dim(n) - 1)
    powers = arange(d, less) + 1
    if increasing:
        return np.sum(d[:, 1:] * called(np.vander, x, less, increasing=True) * powers, axis=1)
    return np.sum(d[:, :-1] * called(np.vander, x, less) * powers[::-1], axis=1)


general(
    np.vander,
    _vander,
    None,
    operands=("x", "N"),
    keywords=("increasing",),
    infer=_vander_type,
    cases=[Case((3,)), Case((3,), 4), Case((3,), 2, increasing=True), Case((3,), increasing=True)],
)

"""Derivatives of joining, splitting and selecting: every part of the result leads back to one operand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.dims import ONE, Dim, Facts, as_dim
from ..ir.infer import broadcast_axes, check_equal
from ..ir.infer import elementwise as elementwise_type
from ..ir.primitive import Infer, find
from ..ir.symbolic import Sym
from ..ir.types import Array, Type
from .axes import along, array, dtype_of, normal_axis, size
from .internal import arange, scatter, set_at, zeros
from .registry import Case, elementwise, linear

function: Any  # the tables below loop over functions of different types


# where: the condition is constant where it is, and each side gets the cotangent of its own elements
def _where_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    if len(types) != 3:
        raise Unsupported("np.where with a condition alone gives indices", "Use np.nonzero.")
    return _where_three(facts, types, attrs, style)


_where_three = elementwise_type(np.where)
elementwise(
    np.where,
    None,
    lambda d, y, c, a, b: np.where(c, d, 0.0),
    lambda d, y, c, a, b: np.where(c, 0.0, d),
    tangent=lambda ts, y, c, a, b: np.where(c, *(0.0 if t is None else t for t in ts[1:])),
    operands=("condition", "x", "y"),
    infer=_where_type,
    cases=[
        Case(lambda rng, shape=shape: rng.random(shape) < 0.5, a, b)
        for shape, a, b in (((3,), (3,), (3,)), ((2, 3), (3,), (2, 1)), ((), (3,), ()), ((3,), (), ()))
    ]
    + [Case(lambda rng: rng.random(4) < 0.5, (4,), 0.0), Case(lambda rng: rng.random(4) < 0.5, 1.5, (4,))],
)


def _packed(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with its sequence of arrays spread out."""
    return lambda *arrays, **attrs: function(arrays, **attrs)


# Joining along an existing axis
def _joined_dtype(arrays: Sequence[Array]) -> np.dtype[Any]:
    return dtype_of(_concatenated, arrays)


def _concatenated(*arrays: Any) -> Any:
    return np.concatenate([np.atleast_1d(a) for a in arrays])


def _joined(facts: Facts, shapes: Sequence[tuple[Dim, ...]], axis: int, what: str) -> tuple[Dim, ...]:
    """The axes of arrays joined along `axis`."""
    first = shapes[0]
    if any(len(shape) != len(first) for shape in shapes):
        raise Unsupported(f"{what}: arrays with different numbers of axes")
    axis = normal_axis(axis, len(first))
    for shape in shapes[1:]:
        for i, (a, b) in enumerate(zip(first, shape)):
            if i != axis:
                check_equal(facts, a, b, f"{what}: lengths of axis {i}")
    total = as_dim(0)
    for shape in shapes:
        total = total + facts.canon(shape[axis])
    return (*first[:axis], total, *first[axis + 1 :])


def _joining(what: str, prepare: Callable[[Facts, Array], tuple[Dim, ...]], choose: Callable[[int, Any], int]) -> Infer:
    """Inference for a function that gives its operands the axes that `prepare` tells, then joins them."""

    def infer(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
        arrays = [array(t) for t in types]
        if not arrays:
            raise Unsupported(f"{what} of no arrays")
        if attrs.get("axis", 0) is None:
            shapes: list[tuple[Dim, ...]] = [(size(facts, a),) for a in arrays]
        else:
            shapes = [prepare(facts, a) for a in arrays]
        if not shapes[0]:
            raise Unsupported(f"{what} of numbers", "Use np.array([...]) or np.stack.")
        axis = choose(len(shapes[0]), attrs.get("axis", 0))
        return Array(_joined_dtype(arrays), _joined(facts, shapes, axis, what))

    return infer


def _part(d: Any, lengths: Sequence[Any], which: int, axis: int) -> Any:
    """The stretch of `d` that came from operand number `which`."""
    if len(lengths) == 1:
        return d
    start, stop = _edge(lengths, which), _edge(lengths, which + 1)
    return d[along(axis, slice(start, stop))]


def _edge(lengths: Sequence[Any], which: int) -> Any:
    """Where operand number `which` begins: from the start if that is a number, else from the end if that is one."""
    before, after = sum(lengths[:which]), sum(lengths[which:])
    if which in (0, len(lengths)):
        return None
    return -after if isinstance(after, int) and not isinstance(before, int) else before


def _concatenate(d: Any, y: Any, *arrays: Any, which: int, axis: int | None = 0) -> Any:
    if axis is None:
        part, shape = _part(d, [a.size for a in arrays], which, 0), arrays[which].shape
        return part if part.shape == shape else part.reshape(shape)
    axis = normal_axis(axis, d.ndim)
    return _part(d, [a.shape[axis] for a in arrays], which, axis)


def _plain_axes(facts: Facts, x: Array) -> tuple[Dim, ...]:
    return x.axes


linear(
    np.concatenate,
    _concatenate,
    fn=_packed(np.concatenate),
    operands=("*arrays",),
    keywords=("axis",),
    signature=("arrays", "axis", "out"),
    infer=_joining("concatenate", _plain_axes, lambda ndim, axis: normal_axis(axis or 0, ndim)),
    aliases=tuple(filter(None, [getattr(np, "concat", None)])),
    cases=[
        Case((2,), (3,)),
        Case((2,), (1,), (3,)),
        Case((2, 3), (4, 3)),
        Case((2, 3), (2, 1), (2, 4), axis=1),
        Case((2, 3), (2, 4), axis=-1),
        Case((2, 3), (4,), (), axis=None),
        Case((3,)),
    ],
)


_join_axis = _joining("append", _plain_axes, lambda ndim, axis: normal_axis(axis or 0, ndim))


def _append_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Any:
    return _join_axis(facts, types, {"axis": None, **attrs}, style)


linear(
    np.append,
    lambda d, y, a, b, *, axis=None: _concatenate(d, y, a, b, which=0, axis=axis),
    lambda d, y, a, b, *, axis=None: _concatenate(d, y, a, b, which=1, axis=axis),
    operands=("arr", "values"),
    keywords=("axis",),
    infer=_append_type,
    cases=[Case((2,), (3,)), Case((2,), ()), Case((2, 3), (2, 2)), Case((2, 3), (1, 3), axis=0)],
)


# Stacks: operands of fewer axes get axes of length one first
def _hstack_axis(ndim: int) -> int:
    return 0 if ndim == 1 else 1


def _hstack_axes(facts: Facts, x: Array) -> tuple[Dim, ...]:
    return x.axes or (ONE,)


def _vstack_axes(facts: Facts, x: Array) -> tuple[Dim, ...]:
    return x.axes if x.ndim > 1 else (ONE, *_hstack_axes(facts, x))


def _dstack_axes(facts: Facts, x: Array) -> tuple[Dim, ...]:
    if x.ndim > 2:
        return x.axes
    return (*x.axes, ONE) if x.ndim == 2 else (ONE, *_hstack_axes(facts, x), ONE)


def _column_axes(facts: Facts, x: Array) -> tuple[Dim, ...]:
    return x.axes if x.ndim > 1 else (*_hstack_axes(facts, x), ONE)


def _stacking(axes: Callable[[Facts, Array], tuple[Dim, ...]], axis: Callable[[int], int]) -> Any:
    """The cotangent of a stack: a slice, or one index where the operand lacks the axis."""

    def partial(d: Any, y: Any, *arrays: Any, which: int) -> Any:
        along_axis, x = axis(d.ndim), arrays[which]
        lengths = [_full_shape(axes, a)[along_axis] for a in arrays]
        start = sum(lengths[:which])
        missing = _full_shape(axes, x)
        without = [*missing[:along_axis], *missing[along_axis + 1 :]]
        if list(x.shape) == without and isinstance(start, int):
            return d[along(along_axis, start)]
        part = _part(d, lengths, which, along_axis)
        return part if x.ndim == d.ndim else part.reshape(x.shape)

    return partial


def _full_shape(axes: Callable[[Facts, Array], tuple[Dim, ...]], x: Any) -> list[Any]:
    """The shape that a stack gives to `x`."""
    full = axes(Facts(), Array(np.dtype(float), tuple(as_dim(n) for n in x.shape)))
    return [n if n.constant is None else n.constant for n in full]


def _always(axis: Callable[[int], int]) -> Callable[[int, Any], int]:
    return lambda ndim, _: axis(ndim)


_STACKS: tuple[tuple[Any, Any, Any], ...] = (
    (np.hstack, _hstack_axes, _hstack_axis),
    (np.vstack, _vstack_axes, lambda ndim: 0),
    (np.dstack, _dstack_axes, lambda ndim: 2),
    (np.column_stack, _column_axes, lambda ndim: 1),
)
for function, prepare, axis in _STACKS:
    linear(
        function,
        _stacking(prepare, axis),
        fn=_packed(function),
        operands=("*tup",),
        infer=_joining(function.__name__, prepare, _always(axis)),
        cases=[
            Case((3,), (3,)),
            Case((2, 3), (2, 3)),
            Case((), ()),
            Case((3,)),
            *([Case((2, 3), (2, 1)), Case((2,), (3,))] if function is np.hstack else []),
            *([Case((2, 3), (3,)), Case((2, 3), (1, 3))] if function is np.vstack else []),
            *([Case((2, 3), (2,)), Case((2, 1), (2, 3), (2,))] if function is np.column_stack else []),
            *([Case((2, 3, 1), (2, 3)), Case((2, 3, 2), (2, 3, 1))] if function is np.dstack else []),
        ],
    )


# Joining along a new axis
def _stack_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    arrays = [array(t) for t in types]
    for other in arrays[1:]:
        if other.ndim != arrays[0].ndim:
            raise Unsupported("stack: arrays with different numbers of axes")
        for a, b in zip(arrays[0].axes, other.axes):
            check_equal(facts, a, b, "stack: lengths")
    axis = normal_axis(attrs.get("axis", 0), arrays[0].ndim + 1)
    axes = (*arrays[0].axes[:axis], as_dim(len(arrays)), *arrays[0].axes[axis:])
    return Array(_joined_dtype(arrays), axes)


linear(
    np.stack,
    lambda d, y, *arrays, which, axis=0: d[along(normal_axis(axis, d.ndim), which)],
    fn=_packed(np.stack),
    operands=("*arrays",),
    keywords=("axis",),
    signature=("arrays", "axis", "out"),
    infer=_stack_type,
    cases=[
        Case((3,), (3,)),
        Case((), (), ()),
        Case((2, 3)),
        *(Case((2, 3), (2, 3), axis=k) for k in (0, 1, 2, -1, -2)),
    ],
)


# Splitting: several results, whose cotangents are joined again, or set into zeros where some are never read
def _split_lengths(facts: Facts, length: Dim, sections: Any, even: bool) -> list[Dim]:
    if isinstance(sections, (int, np.integer)):
        count = int(sections)
        if even and not facts.require("==", (length // count) * count, length):
            raise Unsupported(f"split: {length} elements do not divide into {count} equal parts")
        if even:
            return [length // count] * count
        parts = [(length + (count - 1 - k)) // count for k in range(count - 1)]
        return [*parts, length - sum(parts)]  # written so that they add up to the whole
    bounds = [as_dim(0), *(as_dim(bound) for bound in sections), length]
    return [_stretch(facts, a, b, length) for a, b in pairwise(bounds)]


def _stretch(facts: Facts, start: Dim, stop: Dim, length: Dim) -> Dim:
    known = [facts.require(">=", stop, start), facts.require(">=", length, stop)]
    if not all(known) or (start.constant or 0) < 0:
        raise Unsupported("split at a place that is not inside the array, or not known to be")
    return stop - start


def _splitting(axis: Callable[[int, Mapping[str, Any]], int], even: bool) -> Infer:
    def infer(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> tuple[Type, ...]:
        x = array(types[0])
        k = normal_axis(axis(x.ndim, attrs), x.ndim)
        lengths = _split_lengths(facts, facts.canon(x.axes[k]), attrs["indices_or_sections"], even)
        return tuple(Array(x.dtype, (*x.axes[:k], n, *x.axes[k + 1 :])) for n in lengths)

    return infer


def _rejoined(axis: Callable[[int, Mapping[str, Any]], int], *names: str) -> Any:
    def partial(d: Any, y: Any, x: Any, **attrs: Any) -> Any:
        k = normal_axis(axis(x.ndim, attrs), x.ndim)
        if all(each is not None for each in d):
            return _whole(x, d, k)
        base, start = zeros(x.builder, x.type), 0
        for each, part in zip(d, y):
            stop = part.shape[k] + start
            if each is not None:
                base = set_at(base, each, along(k, slice(start or None, stop)))
            start = stop
        return base

    if "axis" in names:
        return lambda d, y, x, *, indices_or_sections, axis=0: partial(d, y, x, axis=axis)
    return lambda d, y, x, *, indices_or_sections: partial(d, y, x)


def _whole(x: Any, parts: Sequence[Any], axis: int) -> Any:
    """The parts joined: they have the shape of `x`, also where arithmetic on its length cannot tell."""
    prim = find(np.concatenate)
    assert prim is not None
    (value,) = x.builder.append(prim, [part.atom for part in parts], [x.type], {"axis": axis} if axis else {})
    return Sym(x.builder, value)


_SPLITS: tuple[tuple[Any, Any, bool], ...] = (
    (np.split, lambda ndim, attrs: attrs.get("axis", 0), True),
    (np.array_split, lambda ndim, attrs: attrs.get("axis", 0), False),
    (np.hsplit, lambda ndim, attrs: _hstack_axis(ndim), True),
    (np.vsplit, lambda ndim, attrs: 0, True),
    (np.dsplit, lambda ndim, attrs: 2, True),
)
for function, axis, even in _SPLITS:
    names = ("indices_or_sections", "axis") if function in (np.split, np.array_split) else ("indices_or_sections",)
    linear(
        function,
        _rejoined(axis, *names),
        operands=("ary",),
        keywords=names,
        infer=_splitting(axis, even),
        view=True,
        cases=[
            Case((2, 4, 4), indices_or_sections=2),
            Case((4, 4, 4), indices_or_sections=(1, 3)),
            *([Case((6,), indices_or_sections=3)] if function in (np.split, np.hsplit) else []),
            *([Case((4, 3), indices_or_sections=3, axis=-1)] if "axis" in names else []),
            *([Case((7,), indices_or_sections=3)] if not even else []),
        ],
    )


# Selecting by index arrays: elements taken twice receive both cotangents
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

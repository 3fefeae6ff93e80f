"""Derivatives of joining arrays, and of np.where: every part of the result leads back to one operand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.dims import ONE, Dim, Facts, as_dim
from ..ir.infer import check_equal
from ..ir.infer import elementwise as elementwise_type
from ..ir.primitive import Infer
from ..ir.types import Array, Type
from .axes import along, array, dtype_of, normal_axis, size
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
def _joined_dtype(arrays: Sequence[Array], attrs: Mapping[str, Any]) -> np.dtype[Any]:
    return dtype_of(_concatenated, arrays, **{name: attrs[name] for name in _CAST if attrs.get(name) is not None})


def _concatenated(*arrays: Any, **options: Any) -> Any:
    return np.concatenate([np.atleast_1d(a) for a in arrays], **options)


_CAST = ("dtype", "casting")  # they say how the parts become one dtype; cotangents are cast back


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
        return Array(_joined_dtype(arrays, attrs), _joined(facts, shapes, axis, what))

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
    if after and isinstance(after, int) and not isinstance(before, int):  # `d[-0:]` would be all of it
        return -after
    return before


def _concatenate(
    d: Any, y: Any, *arrays: Any, which: int, axis: int | None = 0, dtype: Any = None, casting: Any = None
) -> Any:
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
    keywords=("axis", *_CAST),
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
        Case((3,), lambda rng: np.zeros(0)),
        Case(lambda rng: np.zeros(0), (3,)),
        Case((3,)),
        Case((2,), (3,), dtype=np.dtype(float), casting="same_kind"),
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
def hstack_axis(ndim: int) -> int:
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


def _stacking(axes: Callable[[Facts, Array], tuple[Dim, ...]], axis: Callable[[int], int], casts: bool) -> Any:
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

    if not casts:
        return partial
    return lambda d, y, *arrays, which, dtype=None, casting=None: partial(d, y, *arrays, which=which)


def _full_shape(axes: Callable[[Facts, Array], tuple[Dim, ...]], x: Any) -> list[Any]:
    """The shape that a stack gives to `x`."""
    full = axes(Facts(), Array(np.dtype(float), tuple(as_dim(n) for n in x.shape)))
    return [n if n.constant is None else n.constant for n in full]


def _always(axis: Callable[[int], int]) -> Callable[[int, Any], int]:
    return lambda ndim, _: axis(ndim)


_STACKS: tuple[tuple[Any, Any, Any], ...] = (
    (np.hstack, _hstack_axes, hstack_axis),
    (np.vstack, _vstack_axes, lambda ndim: 0),
    (np.dstack, _dstack_axes, lambda ndim: 2),
    (np.column_stack, _column_axes, lambda ndim: 1),
)
for function, prepare, axis in _STACKS:
    casts = function in (np.hstack, np.vstack)
    linear(
        function,
        _stacking(prepare, axis, casts),
        fn=_packed(function),
        aliases=tuple(filter(None, [vars(np).get("row_stack")])) if function is np.vstack else (),
        operands=("*tup",),
        keywords=_CAST if casts else (),
        infer=_joining(function.__name__, prepare, _always(axis)),
        cases=[
            Case((3,), (3,)),
            *([Case((3,), lambda rng: np.zeros(0))] if function is np.hstack else []),
            Case((2, 3), (2, 3)),
            Case((), ()),
            Case((3,)),
            *([Case((3,), (3,), dtype=np.dtype(float), casting="same_kind")] if casts else []),
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
    return Array(_joined_dtype(arrays, attrs), axes)


linear(
    np.stack,
    lambda d, y, *arrays, which, axis=0, dtype=None, casting=None: d[along(normal_axis(axis, d.ndim), which)],
    fn=_packed(np.stack),
    operands=("*arrays",),
    keywords=("axis", *_CAST),
    signature=("arrays", "axis", "out"),
    infer=_stack_type,
    cases=[
        Case((3,), (3,), dtype=np.dtype(float), casting="same_kind"),
        Case((3,), (3,)),
        Case((), (), ()),
        Case((2, 3)),
        *(Case((2, 3), (2, 3), axis=k) for k in (0, 1, 2, -1, -2)),
    ],
)

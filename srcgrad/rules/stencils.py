"""Derivatives of differences, slopes and windows along an axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.dims import ONE, Dim, Facts, as_dim
from ..ir.infer import check_equal
from ..ir.types import Array, Type
from .axes import along, array, dtype_of, fits, normal_axes, normal_axis, plain, refuse_empty, same_axes, size
from .internal import add_at, arange, called, eye, scatter, set_at, unbroadcast
from .registry import Case, general, linear, uniform


# Differences: every element counts in the difference before it and, negatively, in the one after it
def _diff_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    x, n = array(types[0]), attrs.get("n", 1)
    axis = normal_axis(attrs.get("axis", -1), x.ndim)
    if n > 1:
        refuse_empty(facts, "np.diff with n > 1", x.axes[axis])
    length = facts.canon(x.axes[axis]) - n
    for name in ("prepend", "append"):
        if attrs.get(name) is not None:
            length = length + _end_length(facts, array(attrs[name]), x, axis)
    if not facts.require(">=", length, as_dim(0)):
        length = facts.fresh() if length.constant is None else as_dim(0)
    return Array(dtype_of(_difference, (x,)), (*x.axes[:axis], length, *x.axes[axis + 1 :]))


def _difference(x: Any) -> Any:
    return np.diff(np.concatenate([x, x]))


def _end_length(facts: Facts, end: Array, x: Array, axis: int) -> Dim:
    """How many elements stand before or after each line: a number stands for one."""
    if not end.ndim:
        return as_dim(1)
    if end.ndim != x.ndim:
        raise Unsupported("np.diff: what is put before or after has other axes than the array")
    for i, (a, b) in enumerate(zip(end.axes, x.axes)):
        if i != axis:
            check_equal(facts, a, b, f"np.diff: lengths of axis {i}")
    return facts.canon(end.axes[axis])


def _diff(d: Any, y: Any, x: Any, *, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    if n == 0:
        return d
    axis = normal_axis(axis, x.ndim)
    if n == 1 and not any(end is not None and end.ndim for end in (prepend, append)):
        return _transposed(d, 1, axis, before=prepend is None, after=append is None)
    start = _count(prepend, axis)
    stop = None if append is None else plain(as_dim(start) + x.shape[axis])
    return _transposed(d, n, axis)[along(axis, slice(start or None, stop))]


def _transposed(d: Any, n: int, axis: int, before: bool = True, after: bool = True) -> Any:
    """n times -diff, between zeros; a number put before or after the line takes their place."""
    widths = (n if before else 0, n if after else 0)
    if any(widths):
        d = np.pad(d, n if d.ndim == 1 and widths[0] == widths[1] else _one_axis(widths, axis, d.ndim))
    options: dict[str, Any] = {"axis": axis} if axis != d.ndim - 1 else {}
    result = np.diff(d, n, **options) if n > 1 else np.diff(d, **options)
    return -result if n % 2 else result


def _one_axis(widths: tuple[int, int], axis: int, ndim: int) -> Any:
    """`pad_width` that leaves the other axes as they are."""
    return widths if ndim == 1 else tuple(widths if i == axis else (0, 0) for i in range(ndim))


def _count(end: Any, axis: int) -> Any:
    return 0 if end is None else end.shape[axis] if end.ndim else 1


def _diff_prepend(d: Any, y: Any, x: Any, *, prepend: Any, n: int = 1, axis: int = -1, append: Any = None) -> Any:
    axis = normal_axis(axis, x.ndim)
    if n == 0:
        return unbroadcast(d[along(axis, slice(None, _count(prepend, axis)))], prepend)
    return unbroadcast(_transposed(d, n, axis)[along(axis, slice(None, _count(prepend, axis)))], prepend)


def _diff_append(d: Any, y: Any, x: Any, *, append: Any, n: int = 1, axis: int = -1, prepend: Any = None) -> Any:
    axis = normal_axis(axis, x.ndim)
    whole = d if n == 0 else _transposed(d, n, axis)
    start = plain(as_dim(_count(prepend, axis)) + x.shape[axis])
    return unbroadcast(whole[along(axis, slice(start, None))], append)


def _diff_tangent(
    ts: Any, y: Any, x: Any, *ends: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None
) -> Any:
    """What is put before and after has a tangent of its own, or is constant."""
    given = [name for name, end in (("prepend", prepend), ("append", append)) if end is not None]
    tangents = dict(zip(given, ts[1:]))
    still = {"prepend": prepend, "append": append}
    pushed = {name: np.zeros_like(still[name]) if tangents[name] is None else tangents[name] for name in given}
    t = np.zeros_like(x) if ts[0] is None else ts[0]
    options: dict[str, Any] = {**({"axis": axis} if axis != -1 else {}), **pushed}
    return np.diff(t, n, **options) if n != 1 else np.diff(t, **options)


linear(
    np.diff,
    _diff,
    tangent=_diff_tangent,
    operands=("a",),
    keywords=("n", "axis"),
    named={"prepend": _diff_prepend, "append": _diff_append},
    signature=("a", "n", "axis", "prepend", "append"),
    infer=_diff_type,
    cases=[
        Case((4,)),
        Case((4,), n=2),
        Case((5, 2), n=3, axis=0),
        Case((4, 3)),
        Case((4, 3), axis=0),
        Case((3,), n=0),
        Case((4,), prepend=0.0),
        Case((4,), append=1.0),
        Case((2, 3), prepend=0.0, append=2.0, axis=0),
        Case((4,), n=2, prepend=0.5),
        Case((4,), prepend=uniform((), 0, 1)),
        Case((4,), prepend=uniform((2,), 0, 1), append=uniform((3,), 0, 1)),
        Case((2, 3), prepend=uniform((2, 1), 0, 1), append=uniform((), 0, 1), n=2),
        Case((3, 2), append=uniform((2, 2), 0, 1), axis=0),
    ],
)


# ediff1d: the differences of all elements in order, between what is put before and after them
def _ediff_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    x = array(types[0])
    length = size(facts, x) - 1
    if not facts.require(">=", length, as_dim(0)):
        raise Unsupported("np.ediff1d of an array without elements")
    for name in ("to_begin", "to_end"):
        if attrs.get(name) is not None:
            length = length + size(facts, array(attrs[name]))
    return Array(dtype_of(_difference, (x,)), (length,))


def _ediff(d: Any, y: Any, x: Any, *, to_begin: Any = None, to_end: Any = None) -> Any:
    start = 0 if to_begin is None else to_begin.size
    stop = None if to_end is None else plain(as_dim(start) + x.size - 1)
    inner = d[slice(start or None, stop)] if start != 0 or stop is not None else d
    result = _transposed(inner, 1, 0)
    return result if x.ndim == 1 else result.reshape(x.shape)


def _ediff_end(d: Any, y: Any, x: Any, *, to_end: Any, to_begin: Any = None) -> Any:
    start = 0 if to_begin is None else to_begin.size
    return d[slice(plain(as_dim(start) + x.size - 1), None)].reshape(to_end.shape)


general(
    np.ediff1d,
    _ediff,
    operands=("ary",),
    named={
        "to_end": _ediff_end,
        "to_begin": lambda d, y, x, *, to_begin, to_end=None: d[: to_begin.size].reshape(to_begin.shape),
    },
    signature=("ary", "to_end", "to_begin"),
    infer=_ediff_type,
    cases=[
        Case((4,)),
        Case((2, 3)),
        Case((4,), to_begin=uniform((), 0, 1)),
        Case((4,), to_end=uniform((2,), 0, 1)),
        Case((2, 3), to_begin=uniform((2,), 0, 1), to_end=uniform((2, 1), 0, 1)),
    ],
)


# gradient: central differences inside, one-sided ones at both ends; a linear map, whose matrix is its value on the
# identity. With one spacing and ends of first order the transpose is short: each element counts on both sides.
def _gradient_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Any:
    x, *spacings = map(array, types)
    axes = normal_axes(attrs.get("axis"), x.ndim)
    if len(spacings) not in (0, 1, len(axes)) or not axes:
        raise Unsupported("np.gradient takes one spacing, or one for each axis")
    for spacing, axis in zip(spacings * (len(axes) if len(spacings) == 1 else 1), axes):
        if spacing.ndim:
            fits(facts, spacing, (x.axes[axis],), "np.gradient: numbers of points")
    result = Array(dtype_of(_slope, (x,)), x.axes)
    return result if len(axes) == 1 else tuple(result for _ in axes)


def _slope(x: Any) -> Any:
    return np.gradient(np.concatenate([x, x]))


def _gradient(d: Any, y: Any, x: Any, *spacings: Any, axis: Any = None, edge_order: int = 1) -> Any:
    axes, total = _given_order(axis, x.ndim), None
    for each, along_axis, spacing in zip(_each(d, axes), axes, _spacings(spacings, axes)):
        if each is not None:
            term = _slopes_back(each, x, along_axis, spacing, edge_order)
            total = term if total is None else total + term
    return total


def _given_order(axis: Any, ndim: int) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(ndim))
    return tuple(normal_axis(each, ndim) for each in (axis if isinstance(axis, (tuple, list)) else (axis,)))


def _each(d: Any, axes: Sequence[int]) -> Sequence[Any]:
    return d if isinstance(d, tuple) else (d,)


def _spacings(spacings: Sequence[Any], axes: Sequence[int]) -> Sequence[Any]:
    return [None] * len(axes) if not spacings else [spacings[0]] * len(axes) if len(spacings) == 1 else list(spacings)


def _slopes_back(d: Any, x: Any, axis: int, spacing: Any, edge_order: int) -> Any:
    if edge_order == 1 and (spacing is None or not spacing.ndim):
        half = d / 2 if spacing is None else d / (2 * spacing)
        first, last = (along(axis, part) for part in (slice(None, 1), slice(-1, None)))
        ends = set_at(set_at(half, 2 * half[first], first), 2 * half[last], last)
        up, down = (_one_axis(widths, axis, x.ndim) for widths in ((1, 0), (0, 1)))
        result = np.pad(ends[along(axis, slice(None, -1))], up) - np.pad(ends[along(axis, slice(1, None))], down)
        return add_at(add_at(result, -ends[first], first), ends[last], last)
    points = () if spacing is None else (spacing,)
    options = {} if edge_order == 1 else {"edge_order": edge_order}
    slopes = called(np.gradient, eye(d, x.shape[axis], x.dtype), *points, axis=0, **options)
    if x.ndim == 1:
        return d @ slopes
    return np.moveaxis(np.tensordot(d, slopes, axes=((axis,), (0,))), -1, axis)


def _gradient_spacing(d: Any, y: Any, x: Any, *spacings: Any, which: int, axis: Any = None, edge_order: int = 1) -> Any:
    """Slopes fall as one over the spacing."""
    axes = _given_order(axis, x.ndim)
    which = which - 1
    if spacings[which].ndim:
        raise Unsupported("np.gradient is not differentiated with respect to the points it is taken at")
    ds, ys = _each(d, axes), _each(y, axes)
    chosen = range(len(axes)) if len(spacings) == 1 else [which]
    terms = [-np.sum(ds[k] * ys[k]) / spacings[which] for k in chosen if ds[k] is not None]
    return sum(terms[1:], terms[0]) if terms else None


general(
    np.gradient,
    _gradient,
    _gradient_spacing,
    operands=("f", "*varargs"),
    keywords=("axis", "edge_order"),
    signature=("f", "*varargs"),
    infer=_gradient_type,
    cases=[
        Case((5,)),
        Case((5,), 0.5),
        Case((5,), uniform((), 0.5, 1)),
        Case((5,), lambda rng: np.array([0, 1, 3, 4, 7])),
        Case((5,), edge_order=2),
        Case((5,), lambda rng: np.array([0, 1, 3, 4, 7]), edge_order=2),
        Case((3, 4)),
        Case((3, 4), axis=0),
        Case((3, 4), 0.5, axis=-1),
        Case((3, 4), uniform((), 0.5, 1), 0.25),
        Case((3, 4), uniform((), 0.5, 1), axis=(1, 0)),
        Case((3, 4), lambda rng: np.array([0, 1, 3]), 0.5, edge_order=2),
    ],
)

# unwrap: multiples of the period are steps
general(
    np.unwrap,
    lambda d, y, x, *, discont=None, axis=-1, period=2 * np.pi: d,
    tangent=lambda ts, y, x, **_: ts[0],
    operands=("p",),
    keywords=("discont", "axis", "period"),
    infer=same_axes(np.unwrap),
    cases=[
        Case(uniform((5,), -3, 3)),
        Case(uniform((2, 5), -3, 3), axis=0),
        Case(uniform((5,), -3, 3), period=2.0),
        Case(uniform((5,), -3, 3), discont=4.0),
    ],
    convention="the jumps that are added are steps",
)


# Windows: every element counts in each window that holds it
def _windows_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    x, width, axis = array(types[0]), *_window(array(types[0]), attrs)
    length = facts.canon(x.axes[axis]) - (width - 1)
    if not facts.require(">=", length, ONE):
        raise Unsupported("sliding_window_view: the window is longer than the axis")
    return Array(x.dtype, (*x.axes[:axis], length, *x.axes[axis + 1 :], as_dim(width)))


def _window(x: Any, attrs: Mapping[str, Any]) -> tuple[int, int]:
    width, axis = attrs["window_shape"], attrs.get("axis")
    width, axis = (each[0] if isinstance(each, tuple) and len(each) == 1 else each for each in (width, axis))
    if not isinstance(width, int) or isinstance(axis, tuple) or (axis is None and x.ndim != 1):
        raise Unsupported("sliding_window_view over several axes is not differentiated", "Call it once for each axis.")
    return width, normal_axis(axis or 0, x.ndim)


def _windows(d: Any, y: Any, x: Any, *, window_shape: Any, axis: Any = None) -> Any:
    width, axis = _window(x, {"window_shape": window_shape, "axis": axis})
    places = np.expand_dims(arange(d, d.shape[axis]), 1) + arange(d, width)
    return scatter(x, d if x.ndim == 1 else np.moveaxis(d, -1, axis + 1), along(axis, places))


linear(
    np.lib.stride_tricks.sliding_window_view,
    _windows,
    name="np.lib.stride_tricks.sliding_window_view",
    operands=("x",),
    keywords=("window_shape", "axis"),
    infer=_windows_type,
    view=True,
    cases=[
        Case((5,), window_shape=3),
        Case((5,), window_shape=(2,), axis=0),
        Case((5, 2), window_shape=3, axis=0),
        Case((2, 5), window_shape=2, axis=-1),
        Case((2, 5, 2), window_shape=2, axis=1),
    ],
)

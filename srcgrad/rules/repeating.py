"""Derivatives of repeating, padding and taking differences: cotangents of copies are added up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.dims import ONE, Dim, Facts, as_dim
from ..ir.types import Array, Type
from .axes import array, axis_form, dtype_of, keeps_dtype, normal_axis, size
from .registry import Case, linear


# Repeating: a cotangent is summed over the copies
def _repeated(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    x, repeats = map(array, types)
    axis = attrs.get("axis")
    times = repeats.dim if repeats.ndim == 0 else None
    if axis is None:
        return Array(x.dtype, (facts.fresh() if times is None else size(facts, x) * times,))
    axis = normal_axis(axis, x.ndim)
    length = facts.fresh() if times is None else facts.canon(x.axes[axis]) * times
    return Array(x.dtype, (*x.axes[:axis], length, *x.axes[axis + 1 :]))


def _repeat(d: Any, y: Any, x: Any, repeats: Any, *, axis: int | None = None) -> Any:
    times = _static(repeats, "np.repeat with a number of copies for each element")
    if axis is None:
        return np.sum(d.reshape((*x.shape, times)), axis=-1)
    axis = normal_axis(axis, x.ndim)
    return np.sum(d.reshape((*x.shape[: axis + 1], times, *x.shape[axis + 1 :])), axis=axis + 1)


def _static(x: Any, what: str) -> Any:
    """An integer operand as a number or a length."""
    if isinstance(x, (int, np.integer)):
        return int(x)
    if x.const is not None:
        return int(x.const)
    if x.ndim or x.type.dim is None:
        raise Unsupported(f"{what} is not differentiated")
    return x.type.dim


linear(
    np.repeat,
    _repeat,
    operands=("a", "repeats"),
    keywords=("axis",),
    infer=_repeated,
    cases=[
        Case((3,), 2),
        Case((2, 3), 2),
        Case((2, 3), 3, axis=0),
        Case((2, 3), 2, axis=-1),
        Case((), 3),
        Case((3,), 1),
    ],
)


def _reps(attrs: Mapping[str, Any], ndim: int) -> tuple[list[Dim], list[Dim]]:
    reps = attrs["reps"]
    times = [as_dim(n) for n in (reps if isinstance(reps, (tuple, list)) else (reps,))]
    return [ONE] * (ndim - len(times)) + times, times


def _tiled(facts: Facts, x: Array, attrs: Mapping[str, Any]) -> tuple[Dim, ...]:
    times, _ = _reps(attrs, x.ndim)
    lengths = (*(ONE,) * (len(times) - x.ndim), *x.axes)
    return tuple(facts.canon(n) * k for n, k in zip(lengths, times))


def _tile(d: Any, y: Any, x: Any, *, reps: Any) -> Any:
    times, _ = _reps({"reps": reps}, x.ndim)
    extra = len(times) - x.ndim
    shape: list[Any] = list(times[:extra])
    summed = list(range(extra))
    for length, n in zip(x.shape, times[extra:]):
        if n.constant != 1:
            summed.append(len(shape))
            shape.append(n)
        shape.append(length)
    if not summed:
        return d
    shape = [n if isinstance(n, int) or n.constant is None else n.constant for n in shape]
    return np.sum(d.reshape(tuple(shape)), axis=axis_form(summed))


linear(
    np.tile,
    _tile,
    operands=("A",),
    keywords=("reps",),
    infer=keeps_dtype(_tiled),
    cases=[
        Case((3,), reps=2),
        Case((3,), reps=(2, 1)),
        Case((2, 3), reps=2),
        Case((2, 3), reps=(2, 3)),
        Case((2, 3), reps=(4, 1, 2)),
        Case((), reps=3),
        Case((2, 1), reps=(1, 1)),
    ],
)


# Padding with constants: the cotangent of the middle
def _widths(pad_width: Any, ndim: int) -> list[tuple[int, int]]:
    return [(int(before), int(after)) for before, after in np.broadcast_to(np.asarray(pad_width), (ndim, 2))]


def _padded(facts: Facts, x: Array, attrs: Mapping[str, Any]) -> tuple[Dim, ...]:
    widths = _widths(attrs["pad_width"], x.ndim)
    return tuple(facts.canon(dim) + (before + after) for dim, (before, after) in zip(x.axes, widths))


def _pad(d: Any, y: Any, x: Any, *, pad_width: Any, mode: str = "constant", constant_values: Any = 0) -> Any:
    if mode != "constant":
        raise Unsupported(f"np.pad with mode={mode!r} is not differentiated", "mode='constant' is.")
    parts = [slice(before or None, -after or None) for before, after in _widths(pad_width, x.ndim)]
    return d[parts[0] if len(parts) == 1 else tuple(parts)] if parts else d


linear(
    np.pad,
    _pad,
    tangent=lambda ts, y, x, *, pad_width, **constants: np.pad(ts[0], pad_width),
    operands=("array",),
    keywords=("pad_width", "mode", "constant_values"),
    infer=keeps_dtype(_padded),
    cases=[
        Case((3,), pad_width=1),
        Case((3,), pad_width=(0, 2), mode="constant"),
        Case((2, 3), pad_width=1, constant_values=2.0),
        Case((2, 3), pad_width=((1, 0), (0, 2))),
    ],
)


# Differences: every element counts in the difference before it and, negatively, in the one after it
def _diff_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    x, n = array(types[0]), attrs.get("n", 1)
    axis = normal_axis(attrs.get("axis", -1), x.ndim)
    for name in ("prepend", "append"):
        if name in attrs and not isinstance(attrs[name], (int, float)):
            raise Unsupported(f"np.diff with an array for `{name}=`", "Concatenate it first.")
    length = facts.canon(x.axes[axis]) + (("prepend" in attrs) + ("append" in attrs) - n)
    if not facts.require(">=", length, as_dim(0)):
        length = facts.fresh() if length.constant is None else as_dim(0)
    dtype = dtype_of(_difference, (x,))
    return Array(dtype, (*x.axes[:axis], length, *x.axes[axis + 1 :]))


def _difference(x: Any) -> Any:
    return np.diff(np.concatenate([x, x]))


def _diff(d: Any, y: Any, x: Any, *, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    if n == 0:
        return d
    if n > 1 and not (prepend is None and append is None):
        raise Unsupported("np.diff with `prepend=` or `append=` and n > 1 is not differentiated")
    axis = normal_axis(axis, x.ndim)
    widths = (n if prepend is None else 0, n if append is None else 0)
    if any(widths):
        simple = widths if widths[0] != widths[1] else n
        d = np.pad(d, simple if x.ndim == 1 else tuple(widths if i == axis else (0, 0) for i in range(x.ndim)))
    options: dict[str, Any] = {"axis": axis} if axis != x.ndim - 1 else {}
    result = np.diff(d, n, **options) if n > 1 else np.diff(d, **options)
    return -result if n % 2 else result


def _diff_tangent(ts: Any, y: Any, x: Any, **attrs: Any) -> Any:
    """What is put before and after is constant."""
    ends: Any = {name: 0.0 for name in ("prepend", "append") if attrs.get(name) is not None}
    return np.diff(ts[0], **{**attrs, **ends})


linear(
    np.diff,
    _diff,
    tangent=_diff_tangent,
    operands=("a",),
    keywords=("n", "axis", "prepend", "append"),
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
    ],
)

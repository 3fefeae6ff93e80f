"""Derivatives of repeating: cotangents of copies are added up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.dims import ONE, Dim, Facts, as_dim
from ..ir.types import Array, Type
from .axes import along, array, axis_form, keeps_dtype, normal_axis, size
from .internal import arange, scatter
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
    if repeats.ndim:
        return _repeat_each(d, x, repeats, axis)
    times = _static(repeats, "np.repeat with a number of copies that is known only while running")
    if axis is None:
        return np.sum(d.reshape((*x.shape, times)), axis=-1)
    axis = normal_axis(axis, x.ndim)
    return np.sum(d.reshape((*x.shape[: axis + 1], times, *x.shape[axis + 1 :])), axis=axis + 1)


def _repeat_each(d: Any, x: Any, repeats: Any, axis: int | None) -> Any:
    """A number of copies for each element: `source` tells which one each element of the result is a copy of."""
    if axis is None and x.ndim != 1:
        return _repeat_each(d, np.ravel(x), repeats, 0).reshape(x.shape)
    axis = normal_axis(axis or 0, x.ndim)
    source = np.repeat(arange(d, x.shape[axis]), repeats)
    return scatter(x, d, along(axis, source))


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
        Case((3,), lambda rng: np.array([2, 0, 3]), unknown=True),
        Case((2, 3), lambda rng: np.array([2, 0, 3]), axis=1, unknown=True),
        Case((2, 2), lambda rng: np.array([2, 0, 3, 1]), unknown=True),
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

"""Derivatives of the larger and the smaller of two numbers, and of numbers kept within bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..ir.dims import Facts
from ..ir.infer import broadcast_axes
from ..ir.types import Array, Type
from .axes import array, dtype_of
from .registry import Case, elementwise, uniform

function: Any  # the tables below loop over functions of different types


# Extremes. The larger of two active values takes the cotangent, ties split evenly; a constant bound takes its side,
# so that relu'(0) = 0 for np.maximum(x, 0).
def _is_bound(x: Any) -> bool:
    return getattr(x, "const", None) is not None


def _maximum(d: Any, y: Any, x: Any, other: Any) -> Any:
    return d * (y > other) if _is_bound(other) else _shared(d, x, other) * (x >= other)


def _minimum(d: Any, y: Any, x: Any, other: Any) -> Any:
    return d * (y < other) if _is_bound(other) else _shared(d, x, other) * (x <= other)


def _shared(d: Any, x: Any, other: Any) -> Any:
    return d * np.where(x == other, 0.5, 1.0)


def _fmax(d: Any, y: Any, x: Any, other: Any) -> Any:
    """The number wins over nan."""
    return _maximum(d, y, x, other) if _is_bound(other) else _shared(d, x, other) * ((x >= other) | np.isnan(other))


def _fmin(d: Any, y: Any, x: Any, other: Any) -> Any:
    return _minimum(d, y, x, other) if _is_bound(other) else _shared(d, x, other) * ((x <= other) | np.isnan(other))


for function, partial in ((np.maximum, _maximum), (np.minimum, _minimum), (np.fmax, _fmax), (np.fmin, _fmin)):
    elementwise(
        function,
        partial,
        lambda d, y, a, b, partial=partial: partial(d, y, b, a),
        cases=[
            Case(uniform((3,), 0, 1), uniform((3,), 2, 3)),
            Case(uniform((2, 3), 2, 3), uniform((3,), 0, 1)),
            Case(uniform((3,), 1, 2), 0.5),
            Case(uniform((), 1, 2), uniform((), 3, 4)),
        ],
        convention="ties between two active values split evenly; a constant bound takes the tie",
    )


# Clipping: the cotangent passes where the value does, strictly between the bounds
def _clip_fn(a: Any, *bounds: Any, **absent: None) -> Any:
    low, high = _bounds(bounds, absent)
    return np.clip(a, low, high)


def _bounds(bounds: Sequence[Any], absent: Mapping[str, Any]) -> tuple[Any, Any]:
    """The lower and the upper bound, None where there is none."""
    given = iter(bounds)
    return tuple(None if name in absent else next(given, None) for name in ("a_min", "a_max"))  # type: ignore[return-value]


def _clip_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    arrays = [array(t) for t in types]
    return Array(dtype_of(_clip_dtype, arrays), broadcast_axes(facts, [a.axes for a in arrays]))


def _clip_dtype(a: Any, *bounds: Any) -> Any:
    for bound in bounds:
        a = np.clip(a, bound, None)
    return a


def _clip(d: Any, y: Any, x: Any, *bounds: Any, **absent: Any) -> Any:
    low, high = _bounds(bounds, absent)
    if low is None or high is None:
        return d * (x > low) if high is None else d * (x < high)
    return d * ((x > low) & (x < high))


def _clip_bound(d: Any, y: Any, x: Any, *bounds: Any, upper: bool, **absent: Any) -> Any:
    low, high = _bounds(bounds, absent)
    if low is None or high is None:
        return d * (x <= low) if high is None else d * (x >= high)
    return d * ((x >= high) | (low >= high)) if upper else d * ((x <= low) & (low < high))


elementwise(
    np.clip,
    lambda d, y, x, *bounds, **absent: _clip(d, y, x, *bounds, **absent),
    lambda d, y, x, *bounds, **absent: _clip_bound(d, y, x, *bounds, upper="a_min" in absent, **absent),
    lambda d, y, x, *bounds, **absent: _clip_bound(d, y, x, *bounds, upper=True, **absent),
    fn=_clip_fn,
    operands=("a", "a_min", "a_max"),
    synonyms={"min": "a_min", "max": "a_max"},
    optional=("a_min", "a_max"),
    infer=_clip_type,
    cases=[
        Case((6,), -1.0, 1.0),
        Case((6,), a_min=None, a_max=0.5),
        Case((6,), uniform((6,), -1.5, -1.0), uniform((6,), 0.5, 1.0)),
        Case((2, 3), uniform((3,), -1, 0), 1.0),
        Case(uniform((2, 3), -2, 2), 0.1),
    ],
    convention="0 at and beyond constant bounds",
)

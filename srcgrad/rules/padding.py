"""Derivatives of padding, by every mode: what was copied to the edges goes back to where it came from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.dims import Dim, Facts
from ..ir.types import Array
from .axes import along, keeps_dtype
from .internal import arange, eye, like, scatter
from .registry import Case, general

_COPIES = ("edge", "reflect", "symmetric", "wrap")  # every element of the edges is a copy of one inside
_MIXES = ("linear_ramp", "mean")  # or a weighted sum of those in its line
_REFUSED = {
    "maximum": "Concatenate np.max(...) by hand.",
    "minimum": "Concatenate np.min(...) by hand.",
    "median": "Concatenate np.median(...) by hand.",
    "empty": "Its edges are left to chance.",
}


def _widths(pad_width: Any, ndim: int) -> list[tuple[int, int]]:
    return [(int(before), int(after)) for before, after in np.broadcast_to(np.asarray(pad_width), (ndim, 2))]


def _padded(facts: Facts, x: Array, attrs: Mapping[str, Any]) -> tuple[Dim, ...]:
    if attrs.get("reflect_type", "even") != "even":
        raise Unsupported("np.pad with reflect_type='odd' is not differentiated")
    widths = _widths(attrs["pad_width"], x.ndim)
    return tuple(facts.canon(dim) + (before + after) for dim, (before, after) in zip(x.axes, widths))


def _pad(
    d: Any, y: Any, x: Any, *, pad_width: Any, mode: str = "constant", constant_values: Any = 0, end_values: Any = 0,
    stat_length: Any = None, reflect_type: str = "even",
) -> Any:  # fmt: skip
    options = {} if stat_length is None else {"stat_length": stat_length}
    if mode in _REFUSED:
        raise Unsupported(f"np.pad with mode={mode!r} is not differentiated", _REFUSED[mode])
    widths = _widths(pad_width, x.ndim)
    if mode == "constant":
        parts = [slice(before or None, -after or None) for before, after in widths]
        return d[parts[0] if len(parts) == 1 else tuple(parts)] if parts else d
    for axis in reversed(range(x.ndim)):
        if any(widths[axis]):
            d = _line(d, x, axis, widths[axis], mode, options)
    return d


def _line(d: Any, x: Any, axis: int, width: tuple[int, int], mode: Any, options: Mapping[str, Any]) -> Any:
    """The cotangent before padding along one axis; the axes before it are padded already."""
    n = x.shape[axis]
    if mode in _COPIES:
        source = np.pad(arange(d, n), width, mode=mode)
        shape = tuple(n if i == axis else m for i, m in enumerate(d.shape))
        return scatter(like(d, shape), d, along(axis, source))
    own = {name: _own(value, axis, x.ndim) for name, value in options.items()}
    weights = np.pad(eye(d, n, x.dtype), (width, (0, 0)), mode=mode, **own)
    if x.ndim == 1:
        return d @ weights
    return np.moveaxis(np.tensordot(d, weights, axes=((axis,), (0,))), -1, axis)


def _own(value: Any, axis: int, ndim: int) -> Any:
    """An option of this axis alone, for the identity that is padded in its place."""
    if value is None or isinstance(value, int):
        return value
    before, after = np.broadcast_to(np.asarray(value), (ndim, 2))[axis]
    return ((int(before), int(after)), (1, 1))


def _tangent(ts: Any, y: Any, x: Any, *, pad_width: Any, mode: str = "constant", **options: Any) -> Any:
    if mode in _REFUSED:
        raise Unsupported(f"np.pad with mode={mode!r} is not differentiated", _REFUSED[mode])
    if mode == "constant":
        return np.pad(ts[0], pad_width)
    kept = {name: value for name, value in options.items() if name != "end_values"}
    return np.pad(ts[0], pad_width, mode=mode, **kept)  # type: ignore[call-overload]


general(
    np.pad,
    _pad,
    tangent=_tangent,
    operands=("array",),
    keywords=("pad_width", "mode", "constant_values", "end_values", "stat_length", "reflect_type"),
    infer=keeps_dtype(_padded),
    cases=[
        Case((3,), pad_width=1),
        Case((3,), pad_width=(0, 2), mode="constant"),
        Case((2, 3), pad_width=1, constant_values=2.0),
        Case((2, 3), pad_width=((1, 0), (0, 2))),
        *(Case((4,), pad_width=(2, 1), mode=mode) for mode in (*_COPIES, *_MIXES)),
        *(Case((4, 3), pad_width=((1, 2), (0, 1)), mode=mode) for mode in (*_COPIES, *_MIXES)),
        Case((4,), pad_width=6, mode="reflect"),
        Case((4,), pad_width=6, mode="wrap"),
        Case((4,), pad_width=2, mode="linear_ramp", end_values=3.0),
        Case((4,), pad_width=2, mode="mean", stat_length=2),
        Case((4, 3), pad_width=1, mode="mean", stat_length=2),
        Case((4,), pad_width=2, mode="reflect", reflect_type="even"),
    ],
)

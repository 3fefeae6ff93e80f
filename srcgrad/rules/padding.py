"""Derivatives of padding, by every mode: what was copied to the edges goes back to where it came from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.dims import Dim, Facts, as_dim
from ..ir.types import Array
from .axes import along, keeps_dtype, plain
from .internal import add_at, arange, eye, like, scatter
from .order import _median, distinct, extreme
from .registry import Case, general, uniform

_COPIES = ("edge", "reflect", "symmetric", "wrap")  # every element of the edges is a copy of one inside
_MIXES = ("linear_ramp", "mean")  # or a weighted sum of those in its line
_ORDERED: dict[str, Any] = {
    "maximum": np.max,
    "minimum": np.min,
    "median": np.median,
}  # or what its line, or a part of it, has most


def _widths(pad_width: Any, ndim: int) -> list[tuple[int, int]]:
    if isinstance(pad_width, dict):
        given = {axis % ndim: width for axis, width in pad_width.items()}
        pad_width = [given.get(axis, (0, 0)) for axis in range(ndim)]
        pad_width = [width if isinstance(width, (tuple, list)) else (width, width) for width in pad_width]
    return [(int(before), int(after)) for before, after in np.broadcast_to(np.asarray(pad_width), (ndim, 2))]


def _padded(facts: Facts, x: Array, attrs: Mapping[str, Any]) -> tuple[Dim, ...]:
    if isinstance(attrs.get("constant_values"), Array) and attrs["constant_values"].ndim:
        raise Unsupported("np.pad with several values that are known only while running", "Call it once for each edge.")
    if attrs.get("mode") == "empty":
        raise Unsupported("np.pad with mode='empty' leaves its edges to chance")
    widths = _widths(attrs["pad_width"], x.ndim)
    return tuple(facts.canon(dim) + (before + after) for dim, (before, after) in zip(x.axes, widths))


def _pad(
    d: Any, y: Any, x: Any, *, pad_width: Any, mode: str = "constant", constant_values: Any = 0, end_values: Any = 0,
    stat_length: Any = None, reflect_type: str = "even",
) -> Any:  # fmt: skip
    options = {} if stat_length is None else {"stat_length": stat_length}
    if reflect_type == "odd":
        options["reflect_type"] = "odd"
    widths = _widths(pad_width, x.ndim)
    if mode in _ORDERED:
        return _of_ordered(d, x, widths, mode, stat_length)
    if mode == "constant":
        parts = [slice(before or None, -after or None) for before, after in widths]
        return d[parts[0] if len(parts) == 1 else tuple(parts)] if parts else d
    for axis in reversed(range(x.ndim)):
        if any(widths[axis]):
            d = _line(d, x, axis, widths[axis], mode, options)
    return d


def _of_ordered(d: Any, x: Any, widths: list[tuple[int, int]], mode: str, stat_length: Any) -> Any:
    """Padding by an extreme or a median of each line: axis after axis, the last one first on the way back."""
    padded = [x]
    for axis in range(x.ndim):
        own = [width if k == axis else (0, 0) for k, width in enumerate(widths)]
        length = {} if stat_length is None else {"stat_length": stat_length}
        padded.append(np.pad(padded[-1], own[0] if x.ndim == 1 else tuple(own), mode=mode, **length))  # type: ignore[call-overload]
    for axis in reversed(range(x.ndim)):
        before, after = widths[axis]
        if not before and not after:
            continue
        inside, whole = padded[axis], d.shape[axis]
        stop = plain(as_dim(whole) - after)
        d_inside = d[along(axis, slice(before, stop))]
        for width, part, end in ((before, slice(None, before), 0), (after, slice(stop, None), 1)):
            if width:
                d_edge = np.sum(d[along(axis, part)], axis=axis, keepdims=True)
                d_inside = _at_end(d_inside, d_edge, inside, axis, mode, _stretch(stat_length, axis, x.ndim, end), end)
        d = d_inside
    return d


def _stretch(stat_length: Any, axis: int, ndim: int, end: int) -> int | None:
    """How many elements at this end decide; None for all."""
    return None if stat_length is None else int(np.broadcast_to(np.asarray(stat_length), (ndim, 2))[axis][end])


def _at_end(d: Any, d_edge: Any, x: Any, axis: int, mode: str, length: int | None, end: int) -> Any:
    """The cotangent of an edge given to the elements that it is made of, added to `d`."""
    part = slice(None) if length is None else slice(-length, None) if end else slice(None, length)
    line = x if length is None else x[along(axis, part)]
    if mode == "median":
        share = _median(d_edge, None, line, axis=axis, keepdims=True)
    else:
        share = extreme(d_edge, _ORDERED[mode](line, axis=axis, keepdims=True), line, axis=axis, keepdims=True)
    return d + share if length is None else add_at(d, share, along(axis, part))


def _line(d: Any, x: Any, axis: int, width: tuple[int, int], mode: Any, options: Mapping[str, Any]) -> Any:
    """The cotangent before padding along one axis; the axes before it are padded already."""
    n = x.shape[axis]
    if mode in _COPIES and "reflect_type" not in options:
        source = np.pad(arange(d, n), width, mode=mode)
        shape = tuple(n if i == axis else m for i, m in enumerate(d.shape))
        return scatter(like(d, shape), d, along(axis, source))
    own = {name: value if name == "reflect_type" else _own(value, axis, x.ndim) for name, value in options.items()}
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


def _border(d: Any, y: Any, x: Any, *, pad_width: Any, constant_values: Any, mode: str = "constant") -> Any:
    """One number stands at all edges."""
    widths = _widths(pad_width, x.ndim)
    parts = tuple(slice(before or None, -after or None) for before, after in widths)
    return np.sum(d) - np.sum(d[parts[0] if len(parts) == 1 else parts])


def _tangent(ts: Any, y: Any, x: Any, *, pad_width: Any, mode: str = "constant", **options: Any) -> Any:
    inner = np.zeros_like(x) if ts[0] is None else ts[0]
    if mode == "constant":
        moved = ts[1] if len(ts) > 1 else None
        return np.pad(inner, pad_width) if moved is None else np.pad(inner, pad_width, constant_values=moved)
    if mode in _ORDERED:
        return NotImplemented
    kept = {name: value for name, value in options.items() if name != "end_values"}  # odd edges are linear as well
    return np.pad(ts[0], pad_width, mode=mode, **kept)  # type: ignore[call-overload]


general(
    np.pad,
    _pad,
    tangent=_tangent,
    operands=("array",),
    keywords=("pad_width", "mode", "end_values", "stat_length", "reflect_type"),
    named={"constant_values": _border},
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
        Case((4,), pad_width=(2, 3), mode="reflect", reflect_type="odd"),
        Case((4, 3), pad_width=2, mode="symmetric", reflect_type="odd"),
        *(Case(distinct((4,)), pad_width=(2, 1), mode=mode) for mode in _ORDERED),
        *(Case(distinct((4, 3)), pad_width=((1, 2), (0, 1)), mode=mode, stat_length=2) for mode in _ORDERED),
        Case((2, 3), pad_width=((1, 0), (0, 2)), constant_values=uniform((), 1, 2)),
    ],
)

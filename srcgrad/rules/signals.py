"""Derivatives of functions on sampled signals: convolution, correlation, interpolation, the trapezoidal rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.dims import Dim, Facts, as_dim
from ..ir.infer import check_equal
from ..ir.types import Array, Type
from .axes import along, array, axis_form, dtype_of, normal_axis, plain, refuse_empty, restored
from .internal import add_at, broadcast, conj, scatter, set_at, zeros
from .registry import Case, bilinear, general, uniform

# Convolution: y[k] = sum_j a[j] v[k - j] where every overlap counts; the other modes are the middle of that.


def _vectors(facts: Facts, types: Sequence[Type], name: str) -> tuple[Array, Array, Dim, Dim]:
    a, v = map(array, types)
    if a.ndim != 1 or v.ndim != 1:
        raise Unsupported(f"np.{name} of an array that is not one-dimensional is not differentiated")
    return a, v, facts.canon(a.axes[0]), facts.canon(v.axes[0])


def _length(facts: Facts, n: Dim, m: Dim, mode: str) -> Dim:
    if mode == "full":
        return n + m - 1
    n, m = (n, m) if facts.require(">=", n, m) else (m, n)
    if mode not in ("same", "valid"):
        raise Unsupported(f"mode={mode!r}: it is 'full', 'same' or 'valid'")
    return n if mode == "same" else n - m + 1


def _convolve_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    a, v, n, m = _vectors(facts, types, "convolve")
    return Array(dtype_of(np.convolve, (a, v)), (_length(facts, n, m, attrs.get("mode", "full")),))


def _correlate_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    a, v, n, m = _vectors(facts, types, "correlate")
    if not facts.require(">=", n, m):
        raise Unsupported("np.correlate with a second signal longer than the first is not differentiated", "Swap them.")
    return Array(dtype_of(np.correlate, (a, v)), (_length(facts, n, m, attrs.get("mode", "valid")),))


def _whole(d: Any, a: Any, v: Any, mode: str) -> Any:
    """The cotangent of every overlap: zeros where the mode leaves one out."""
    if mode == "full":
        return d
    n, m = as_dim(a.shape[0]), as_dim(v.shape[0])
    short = m if a.builder.facts.require(">=", n, m) else n
    start = short - 1 if mode == "valid" else (short - 1) // 2
    full = zeros(d.builder, Array(d.dtype, (n + m - 1,)))
    return set_at(full, d, slice(plain(start), plain(start + d.shape[0])))


bilinear(
    np.convolve,
    lambda d, y, a, v, *, mode="full": np.correlate(_whole(d, a, v, mode), conj(v)),
    lambda d, y, a, v, *, mode="full": np.correlate(_whole(d, a, v, mode), conj(a)),
    operands=("a", "v"),
    keywords=("mode",),
    infer=_convolve_type,
    cases=[
        Case((n,), (m,), mode=mode) for n, m in ((5, 3), (5, 2), (2, 4), (3, 3)) for mode in ("full", "same", "valid")
    ],
)
bilinear(
    np.correlate,
    lambda d, y, a, v, *, mode="valid": np.convolve(_whole(d, a, v, mode), conj(v), mode="valid"),
    lambda d, y, a, v, *, mode="valid": np.correlate(conj(_whole(d, a, v, mode)), a)[::-1],
    operands=("a", "v"),
    keywords=("mode",),
    infer=_correlate_type,
    cases=[Case((n,), (m,), mode=mode) for n, m in ((5, 3), (5, 2), (3, 3)) for mode in ("full", "same", "valid")],
)

# Piecewise linear interpolation: inside, x lies a share t of the way from one node to the next


def _interp_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    x, xp, fp = map(array, types)
    if any(isinstance(attrs.get(name), Array) and attrs[name].ndim for name in ("left", "right")):
        raise Unsupported("np.interp with an array for `left=` or `right=`", "They are numbers.")
    if xp.ndim != 1 or fp.ndim != 1:
        raise Unsupported("np.interp takes one-dimensional nodes and values")
    check_equal(facts, xp.axes[0], fp.axes[0], "np.interp: numbers of nodes and values")
    return Array(dtype_of(np.interp, (x, xp, fp)), x.axes)


def _segments(x: Any, xp: Any) -> tuple[Any, Any, Any]:
    """Each point's nodes to the left and to the right, and the share of the way between them."""
    right = np.clip(np.searchsorted(xp, x), 1, xp.shape[0] - 1)
    left = right - 1
    share = (np.clip(x, xp[0], xp[-1]) - xp[left]) / (xp[right] - xp[left])
    return left, right, share


def _round(xp: Any, period: float, *others: Any) -> tuple[Any, ...]:
    """The order of the nodes on the circle, and nodes and values in it, with the last before and the first behind."""
    xp = xp % period
    order = np.argsort(xp)
    nodes = xp[order]
    nodes = np.concatenate([nodes[-1:] - period, nodes, nodes[:1] + period])
    return (order, nodes, *(np.concatenate([each[order][-1:], each[order], each[order][:1]]) for each in others))


def _unrolled(order: Any, d: Any) -> Any:
    """The cotangent of what was put in order and continued at both ends."""
    return scatter(d[1:-1], add_at(add_at(d[1:-1], d[:1], slice(-1, None)), d[-1:], slice(None, 1)), order)


def _interp_points(d: Any, y: Any, x: Any, xp: Any, fp: Any, *, period: Any = None, **ends: Any) -> Any:
    if period is not None:
        _, xp, fp = _round(xp, period, fp)
        x = x % period
    left, right, _ = _segments(x, xp)
    slope = (fp[right] - fp[left]) / (xp[right] - xp[left])
    return d * slope * ((x > xp[0]) & (x < xp[-1]))


def _interp_nodes(d: Any, y: Any, x: Any, xp: Any, fp: Any, *, period: Any = None, **ends: Any) -> Any:
    """To move both nodes of a segment is to move the point the other way; each counts with its share."""
    if period is not None:
        order, xp, fp = _round(xp, period, fp)
        return _unrolled(order, _interp_nodes(d, y, x % period, xp, fp))
    left, right, share = _segments(x, xp)
    pull = -_interp_points(d, y, x, xp, fp)
    return add_at(scatter(xp, pull * (1.0 - share), left), pull * share, right)


def _interp_values(
    d: Any, y: Any, x: Any, xp: Any, fp: Any, *, left: Any = None, right: Any = None, period: Any = None
) -> Any:
    if period is not None:
        order, xp = _round(xp, period)
        return _unrolled(order, _interp_values(d, y, x % period, xp, np.concatenate([fp[:1], fp, fp[:1]])))
    if left is not None:
        d = np.where(x < xp[0], 0.0, d)
    if right is not None:
        d = np.where(x > xp[-1], 0.0, d)
    left, right, share = _segments(x, xp)
    return add_at(scatter(fp, d * (1.0 - share), left), d * share, right)


def _end(d: Any, beyond: Any, period: Any) -> Any:
    """A circle has no ends: `left=` and `right=` do not count there."""
    return np.sum(np.where(beyond, d, 0.0)) if period is None else None


general(
    np.interp,
    _interp_points,
    _interp_nodes,
    _interp_values,
    operands=("x", "xp", "fp"),
    named={
        "left": lambda d, y, x, xp, fp, *, left, right=None, period=None: _end(d, x < xp[0], period),
        "right": lambda d, y, x, xp, fp, *, right, left=None, period=None: _end(d, x > xp[-1], period),
    },
    keywords=("period",),
    signature=("x", "xp", "fp", "left", "right", "period"),
    infer=_interp_type,
    cases=[
        Case((5,), lambda rng: np.array([-1.5, -0.4, 0.7, 1.1]), (4,)),
        Case((7,), lambda rng: np.array([-1.5, -0.4, 0.7, 1.1]), (4,), left=0.5),
        Case((7,), lambda rng: np.array([-0.9, -0.4, 0.7, 0.8]), (4,), left=uniform((), 0, 1), right=uniform((), 0, 1)),
        Case((5,), lambda rng: np.arange(-5, 4), (9,)),
        Case((2, 3), lambda rng: np.arange(-1, 2), (3,)),
        Case((), lambda rng: np.arange(-3, 4), (7,)),
        Case((5,), lambda rng: np.array([0.3, 1.2, 2.5]), (3,), period=3.0),
        Case((2, 3), lambda rng: np.array([4.1, -0.4, 0.7]), (3,), period=3.0),
        Case((4,), lambda rng: np.array([0.1, 1.4]), (2,), period=2.0, left=0.5),
    ],
    convention="0 at the first and the last node and beyond; at the others, the slope to the left",
)

# The trapezoidal rule: every sample counts with half the width of the intervals beside it


def _trapezoid_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    y, *x = map(array, types)
    if isinstance(attrs.get("dx"), Array) and attrs["dx"].ndim:
        raise Unsupported("np.trapezoid with an array for `dx=`", "Give the points as `x=`.")
    axis = normal_axis(attrs.get("axis", -1), y.ndim)
    refuse_empty(facts, "np.trapezoid", y.axes[axis])
    if x and x[0].ndim != 1:
        raise Unsupported("np.trapezoid with sample points that are not one-dimensional is not differentiated")
    if x:
        check_equal(facts, x[0].axes[0], y.axes[axis], "np.trapezoid: numbers of samples and points")
    return Array(dtype_of(np.trapezoid, (y, *x)), (*y.axes[:axis], *y.axes[axis + 1 :]))


def _along(vector: Any, ndim: int, axis: int) -> Any:
    trailing = tuple(range(1, ndim - axis))
    return np.expand_dims(vector, axis_form(trailing)) if trailing else vector


def _trapezoid_samples(d: Any, y: Any, samples: Any, *x: Any, dx: Any, axis: int) -> Any:
    axis = normal_axis(axis, samples.ndim)
    d = restored(d, samples, axis, False)
    if x:
        widths = np.diff(x[0])
        weights = (np.pad(widths, (0, 1)) + np.pad(widths, (1, 0))) / 2
        return d * _along(weights, samples.ndim, axis)
    if samples.shape[axis] == 1:  # no interval at all
        return np.zeros_like(samples)
    inner = broadcast(d * dx, samples.shape)
    ends = tuple(along(axis, k) for k in (0, -1))
    return set_at(set_at(inner, inner[ends[0]] / 2, ends[0]), inner[ends[1]] / 2, ends[1])


def _trapezoid_points(d: Any, y: Any, samples: Any, x: Any, *, axis: int) -> Any:
    axis = normal_axis(axis, samples.ndim)
    heights = (samples[along(axis, slice(1, None))] + samples[along(axis, slice(None, -1))]) / 2
    pull = restored(d, samples, axis, False) * heights
    others = tuple(i for i in range(samples.ndim) if i != axis)
    return -np.diff(np.pad(np.sum(pull, axis=axis_form(others)) if others else pull, 1))


def _trapezoid_width(d: Any, y: Any, samples: Any, *x: Any, dx: Any, axis: int = -1) -> Any:
    if x:  # the points say it
        return None
    return np.sum(d * (y / dx)) if d.ndim else d * (y / dx)


general(
    np.trapezoid,
    lambda d, y, samples, *x, dx=1.0, axis=-1: _trapezoid_samples(d, y, samples, *x, dx=dx, axis=axis),
    lambda d, y, samples, x, *, dx=1.0, axis=-1: _trapezoid_points(d, y, samples, x, axis=axis),
    operands=("y", "x"),
    keywords=("axis",),
    named={"dx": _trapezoid_width},
    signature=("y", "x", "dx", "axis"),
    infer=_trapezoid_type,
    cases=[
        Case((3, 4), dx=uniform((), 1, 2), axis=0),
        Case((1,)),
        Case((3, 1), dx=0.5),
        Case((4,)),
        Case((4,), dx=0.5),
        Case((3, 4), dx=2.0, axis=0),
        Case((4,), uniform((4,), 0, 1)),
        Case((3, 4), uniform((3,), 0, 1), axis=0),
        Case((3, 4), uniform((4,), 0, 1), axis=1),
    ],
)

"""Derivatives of order statistics: extremes, medians, percentiles, partitions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.dims import Facts, as_dim
from ..ir.types import Array, Type
from .axes import (
    Axis,
    alike,
    along,
    array,
    axis_form,
    count,
    dtype_of,
    fits,
    normal_axes,
    plain,
    reduced_axes,
    reduction,
    restored,
)
from .internal import add_at, arange, scatter
from .reductions import mask
from .registry import Case, general, uniform

function: Any  # the tables below loop over functions of different types


# Extremes: the elements that reach it share its cotangent evenly. What they start from, `initial=`, is one of them if
# it is active; a constant takes the tie, as in np.maximum.
def extreme(
    d: Any, y: Any, x: Any, *, axis: Axis = None, keepdims: bool = False, initial: Any = None, where: Any = None
) -> Any:
    d, y = restored(d, x, axis, keepdims), restored(y, x, axis, keepdims)
    reached = x == y if where is None else (x == y) & where
    if initial is None:
        return d / np.sum(reached, **alike(x, axis)) * reached
    number = np.sum(reached, **alike(x, axis))
    if is_constant(initial):
        return np.where(reached & (y != initial), d / np.maximum(number, 1), 0.0)
    return d / np.maximum(number + (y == initial), 1) * reached


def extreme_initial(
    d: Any, y: Any, x: Any, *, initial: Any, axis: Axis = None, keepdims: bool = False, where: Any = None
) -> Any:
    full = restored(y, x, axis, keepdims)
    reached = x == full if where is None else (x == full) & where
    number = np.sum(reached, axis=axis, keepdims=keepdims)
    share = d * (y == initial) / (number + 1)
    return np.sum(share) if d.ndim else share


def extreme_tangent(
    ts: Any, y: Any, x: Any, *, axis: Axis = None, keepdims: bool = False, initial: Any = None, where: Any = None
) -> Any:
    """The mean tangent of the elements that reach it; the others may have infinite ones."""
    if initial is not None or where is not None:
        return NotImplemented
    reached = x == restored(y, x, axis, keepdims)
    options: dict[str, Any] = {"axis": axis} if axis is not None else {}
    options |= {"keepdims": True} if keepdims else {}
    return np.sum(np.where(reached, ts[0], 0.0), **options) / np.sum(reached, **options)


def is_constant(x: Any) -> bool:
    return not hasattr(x, "const") or x.const is not None


def extreme_share(d: Any, y: Any, x: Any, axis: Axis) -> Any:
    """d divided among the elements of `x` that equal `y`."""
    reached = x == y
    return d / np.sum(reached, **alike(x, axis)) * reached


def distinct(shape: tuple[int, ...]) -> Any:
    """Numbers that are far from each other, in random order."""
    return lambda rng: (rng.permutation(int(np.prod(shape))).reshape(shape) - 3) * 0.3


_EXTREME_CASES = [
    Case(distinct(shape), axis=axis, keepdims=keepdims)
    for shape, axis in (
        ((), None), ((3,), None), ((3,), 0), ((2, 3), None), ((2, 3), 0), ((2, 3), 1), ((2, 3), -1),
        ((2, 3, 4), (0, 2)), ((2, 3, 4), (1, -1)), ((1, 3), 0), ((3, 1), 0),
    )
    for keepdims in (False, True)
]  # fmt: skip
for function, alias in ((np.max, np.amax), (np.min, np.amin)):
    general(
        function,
        extreme,
        tangent=extreme_tangent,
        operands=("a",),
        keywords=("axis", "keepdims"),
        named={"initial": extreme_initial, "where": None},
        signature=("a", "axis", "out", "keepdims", "initial", "where"),
        infer=reduction(function),
        aliases=(alias,),
        cases=[
            *_EXTREME_CASES,
            *(
                Case(distinct((2, 3)), axis=axis, initial=start)
                for axis in (None, 1)
                for start in (0.1, uniform((), 0, 0.1))
            ),
            Case(distinct((2, 3)), initial=uniform((), 0, 0.1), where=mask(2, 3), axis=0, keepdims=True),
            Case(distinct((2, 3)), initial=0.1, where=mask(3), axis=0),
        ],
        convention="ties split evenly",
    )
general(
    np.ptp,
    lambda d, y, x, *, axis=None, keepdims=False: (
        extreme(d, np.max(x, axis=axis, keepdims=keepdims), x, axis=axis, keepdims=keepdims)
        - extreme(d, np.min(x, axis=axis, keepdims=keepdims), x, axis=axis, keepdims=keepdims)
    ),
    operands=("a",),
    keywords=("axis", "keepdims"),
    signature=("a", "axis", "out", "keepdims"),
    infer=reduction(np.ptp),
    cases=[case for case in _EXTREME_CASES if case.operands],
    convention="ties split evenly",
)


# The median is the mean of the two middle elements, which are one where the number is odd
def _median(d: Any, y: Any, x: Any, *, axis: Axis = None, keepdims: bool = False, overwrite_input: bool = False) -> Any:
    x, d, back = in_a_row(x, d, axis, keepdims)
    last = x.ndim - 1
    ordered, n = np.sort(x, axis=last), as_dim(x.shape[last])
    d = restored(d, x, last, False) / 2
    middle = (ordered[along(last, slice(plain(k), plain(k + 1)))] for k in ((n - 1) // 2, n // 2))
    return back(sum(extreme_share(d, each, x, last) for each in middle))


def in_a_row(x: Any, d: Any, axis: Axis, keepdims: bool) -> tuple[Any, Any, Callable[[Any], Any]]:
    """`x` with the axes that are reduced as its last one, `d` without them, and the way back for a cotangent of `x`."""
    axes = normal_axes(axis, x.ndim)
    if keepdims and axes:
        d = np.squeeze(d, axis=axis_form([i - x.ndim for i in axes]))
    if axes == (x.ndim - 1,):
        return x, d, lambda result: result
    if len(axes) == x.ndim:
        return np.ravel(x), d, lambda result: result.reshape(x.shape)
    last = tuple(range(x.ndim - len(axes), x.ndim))
    if len(axes) == 1:
        return np.moveaxis(x, axes[0], -1), d, lambda result: np.moveaxis(result, -1, axes[0])
    moved = np.moveaxis(x, axes, last)
    flat = moved.reshape((*moved.shape[: last[0]], count(x, axes)))
    return flat, d, lambda result: np.moveaxis(result.reshape(moved.shape), last, axes)


def _median_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Any:
    if not array(types[0]).ndim:
        raise Unsupported("np.median of a number")
    return order_dtype(facts, types, attrs, style)


order_dtype = reduction(np.median)
general(
    np.median,
    _median,
    operands=("a",),
    keywords=("axis", "keepdims", "overwrite_input"),
    signature=("a", "axis", "out", "overwrite_input", "keepdims"),
    infer=_median_type,
    cases=[
        *(
            Case(distinct(shape), axis=axis, keepdims=keepdims)
            for shape, axis in (
                ((3,), None), ((4,), 0), ((2, 3), None), ((3, 4), 0), ((3, 4), -1), ((1, 3), 0), ((2, 3, 4), (0, 2)),
            )
            for keepdims in (False, True)
        ),
        Case(distinct((3,)), overwrite_input=False),
    ],
    convention="ties split evenly",
)  # fmt: skip


# Quantiles lie a share of the way between two neighbours in order. Where, is what the quantile of 0, 1, 2, ... says.
def _place(x: Any, q: Any, scale: int, method: Any) -> tuple[Any, Any]:
    """The number of the element before each quantile, and the share of the way to the next."""
    n = x.shape[-1]
    if method == "linear":
        place = q * (n - 1) if scale == 1 else q / scale * (n - 1)
    else:
        place = np.quantile(arange(x, n), q if scale == 1 else q / scale, method=method)
    low = np.floor(place).astype(np.dtype(np.intp))
    return low, place - low


def _quantile(scale: int) -> Any:
    def partial(
        d: Any, y: Any, x: Any, q: Any, *, axis: Axis = None, keepdims: bool = False, method: str = "linear",
        weights: Any = None, overwrite_input: bool = False,
    ) -> Any:  # fmt: skip
        if weights is not None:
            return _weighted_quantile(d, y, x, q, axis, keepdims)
        row, d, back = in_a_row(x, d, axis, keepdims)
        low, share = _place(row, q, scale, method)
        high = np.minimum(low + 1, row.shape[-1] - 1)
        d = np.moveaxis(d, tuple(range(q.ndim)), tuple(range(-q.ndim, 0))) if q.ndim and d.ndim > q.ndim else d
        at = (Ellipsis, low) if row.ndim > 1 else low, (Ellipsis, high) if row.ndim > 1 else high
        d_ordered = add_at(scatter(row, d * (1 - share), at[0]), d * share, at[1])
        return back(unsorted(d_ordered, row))

    return partial


def unsorted(d: Any, x: Any) -> Any:
    """The cotangent of `x` from that of `x` sorted along its last axis."""
    if x.ndim == 1:
        return d[np.argsort(np.argsort(x))]
    return np.take_along_axis(d, np.argsort(np.argsort(x, axis=-1), axis=-1), axis=-1)


def _weighted_quantile(d: Any, y: Any, x: Any, q: Any, axis: Axis, keepdims: bool) -> Any:
    """One of the elements: those equal to it share its cotangent."""
    if q.ndim:
        raise Unsupported("a weighted quantile at several points is not differentiated", "Call it once for each.")
    return extreme_share(restored(d, x, axis, keepdims), restored(y, x, axis, keepdims), x, axis)


def _quantile_point(scale: int) -> Any:
    def partial(
        d: Any, y: Any, x: Any, q: Any, *, axis: Axis = None, keepdims: bool = False, method: str = "linear",
        weights: Any = None, overwrite_input: bool = False,
    ) -> Any:  # fmt: skip
        """Between its neighbours a quantile rises evenly, by their difference in a step of 1 / (n - 1)."""
        if method != "linear" or weights is not None:
            raise Unsupported(f"a quantile with method={method!r} is not differentiated in q")
        row, d, _ = in_a_row(x, d, axis, keepdims)
        low, _ = _place(row, q, scale, method)
        ordered = np.sort(row, axis=-1)
        low = np.minimum(low, row.shape[-1] - 2)
        rise = ordered[..., low + 1] - ordered[..., low]
        if q.ndim and row.ndim > 1:
            rise = np.moveaxis(rise, tuple(range(-q.ndim, 0)), tuple(range(q.ndim)))
        rise = d * rise * (row.shape[-1] - 1)
        rise = np.sum(rise, axis=axis_form(range(q.ndim, rise.ndim))) if rise.ndim > q.ndim else rise
        return rise / scale if scale > 1 else rise

    return partial


def _quantile_type(function: Any) -> Any:
    def infer(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
        x, q = map(array, types)
        if attrs.get("weights") is not None and attrs.get("axis") is None:
            fits(facts, attrs["weights"], x.axes, f"np.{function.__name__}: lengths of `weights=`")
        return Array(dtype_of(function, (x, Array(q.dtype, weak=q.weak))), (*q.axes, *reduced_axes(x, attrs)))

    return infer


METHODS = (
    "inverted_cdf", "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf", "hazen", "weibull",
    "median_unbiased", "normal_unbiased", "lower", "higher", "midpoint", "nearest",
)  # fmt: skip


def _points(scale: int, *shape: int) -> Any:
    return lambda rng: rng.uniform(0.1, 0.9, shape) * scale


for function, scale in ((np.quantile, 1), (np.percentile, 100)):
    general(
        function,
        _quantile(scale),
        _quantile_point(scale),
        operands=("a", "q"),
        keywords=("axis", "method", "keepdims", "overwrite_input"),
        named={"weights": None},
        signature=("a", "q", "axis", "out", "overwrite_input", "method", "keepdims"),
        infer=_quantile_type(function),
        cases=[
            Case(distinct((5,)), 0.3 * scale),
            Case(distinct((5,)), _points(scale)),
            Case(distinct((5,)), _points(scale, 3)),
            Case(distinct((4, 3)), _points(scale, 2)),
            Case(distinct((4, 3)), _points(scale, 2), axis=1),
            Case(distinct((4, 3)), _points(scale, 2, 2), axis=0, keepdims=True),
            Case(distinct((4, 3)), 0.6 * scale, axis=0),
            Case(distinct((2, 3, 4)), _points(scale, 2), axis=(0, 2)),
            Case(distinct((2, 3, 4)), 0.4 * scale, axis=(1, 2), keepdims=True),
            Case(distinct((5,)), 0.3 * scale, overwrite_input=False),
            *(Case(distinct((7,)), 0.37 * scale, method=method) for method in METHODS),
            Case(distinct((4, 3)), 0.35 * scale, axis=0, method="hazen"),
            Case(distinct((5,)), 0.3 * scale, weights=uniform((5,), 0.5, 1.5), method="inverted_cdf"),
        ],
        convention="equal elements in the order of argsort; in q, the slope to the right of an element",
    )

"""Derivatives of functions that take axes together: sums, means, products, variances, extremes, running sums."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.dims import Facts, as_dim, product
from ..ir.infer import check_equal
from ..ir.types import Array, Type
from .axes import (
    Axis,
    alike,
    along,
    array,
    axis_form,
    count,
    dtype_of,
    normal_axes,
    normal_axis,
    plain,
    reduced_axes,
    reduction,
    restored,
    spread,
)
from .internal import conj
from .registry import Case, constant, general, linear, uniform

function: Any  # the tables below loop over functions of different types

POSITIONS = ("a", "axis", "dtype", "out", "keepdims")


def _forms(*low_high: float, **attrs: Any) -> list[Case]:
    """Every form of `axis` and `keepdims`."""
    low, high = low_high or (-2.0, 2.0)
    cube = uniform((2, 3, 4), low, high)
    forms: list[Case] = [Case(uniform(shape, low, high), **attrs) for shape in ((), (3,), (2, 3), (1, 3))]
    for axis in (None, 0, 1, -1, (0, 1), (0, 2), (1, -1), (0, 1, 2)):
        forms += [Case(cube, axis=axis, keepdims=keepdims, **attrs) for keepdims in (False, True)]
    return [
        *forms,
        Case(uniform((1, 3), low, high), axis=0, **attrs),
        Case(uniform((3, 1), low, high), axis=-1, **attrs),
    ]


# Sums and means
linear(
    np.sum,
    lambda d, y, x, *, axis=None, dtype=None, keepdims=False: spread(d, x, axis, keepdims),
    operands=("a",),
    keywords=("axis", "dtype", "keepdims"),
    signature=POSITIONS,
    infer=reduction(np.sum),
    cases=[*_forms(), Case((2, 3), dtype=np.float64), Case((0,)), Case((0, 2), axis=0)],
)
linear(
    np.mean,
    lambda d, y, x, *, axis=None, dtype=None, keepdims=False: spread(d / count(x, axis), x, axis, keepdims),
    operands=("a",),
    keywords=("axis", "dtype", "keepdims"),
    signature=POSITIONS,
    infer=reduction(np.mean),
    cases=[*_forms(), Case((2, 3), dtype=np.float64)],
)


# Weighted means: y = sum(w x) / sum(w), so that dy/dx = w / sum(w) and dy/dw = (x - y) / sum(w)
def _average_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    arrays = [array(t) for t in types]
    if attrs.get("returned"):
        raise Unsupported("np.average with `returned=`", "Sum the weights on a line of their own.")
    if len(arrays) > 1:
        x, w = arrays
        axes = x.axes if w.ndim == x.ndim else (x.axes[normal_axis(attrs.get("axis"), x.ndim)],)
        if len(axes) != w.ndim:
            raise Unsupported("np.average: weights of other axes than one or all")
        for a, b in zip(axes, w.axes):
            check_equal(facts, a, b, "np.average: lengths of values and weights")
    return Array(dtype_of(np.average, arrays[:1]), reduced_axes(arrays[0], attrs))


def _average_values(
    d: Any, y: Any, x: Any, *w: Any, axis: Axis = None, keepdims: bool = False, weights: None = None
) -> Any:
    if not w:
        return spread(d / count(x, axis), x, axis, keepdims)
    full = _full_weights(x, w[0], axis)
    return restored(d, x, axis, keepdims) * (full / _total(full, w[0], x, axis))


def _average_weights(
    d: Any, y: Any, x: Any, w: Any, *, axis: Axis = None, keepdims: bool = False, weights: None = None
) -> Any:
    full = _full_weights(x, w, axis)
    d, y = restored(d, x, axis, keepdims), restored(y, x, axis, keepdims)
    contribution = d * (x - y) / _total(full, w, x, axis)
    if w.ndim == x.ndim:
        return contribution
    (kept,) = normal_axes(axis, x.ndim)
    return np.sum(contribution, axis=axis_form([i for i in range(x.ndim) if i != kept]))


def _full_weights(x: Any, w: Any, axis: Axis) -> Any:
    """The weights with the axes of `x`: one-dimensional ones lie along `axis`."""
    if w.ndim == x.ndim:
        return w
    (kept,) = normal_axes(axis, x.ndim)
    trailing = range(1, x.ndim - kept)
    return np.expand_dims(w, axis_form(trailing)) if trailing else w


def _total(full: Any, w: Any, x: Any, axis: Axis) -> Any:
    return np.sum(w) if w.ndim != x.ndim else np.sum(full, **alike(x, axis))


general(
    np.average,
    _average_values,
    _average_weights,
    fn=lambda a, *weights, **attrs: np.average(a, **{"weights": weights[0] if weights else None, **attrs}),
    operands=("a", "weights"),
    keywords=("axis", "keepdims"),
    signature=("a", "axis", "weights", "returned"),
    infer=_average_type,
    cases=[
        *_forms(),
        Case((3,), uniform((3,), 0.5, 2)),
        Case((2, 3), uniform((2, 3), 0.5, 2)),
        *(Case((2, 3), uniform((n,), 0.5, 2), axis=k, keepdims=b) for n, k in ((2, 0), (3, 1)) for b in (False, True)),
        *(Case((2, 3), uniform((2, 3), 0.5, 2), axis=k, keepdims=b) for k in (0, -1) for b in (False, True)),
    ],
)


# Variance and deviation: the mean's own derivative drops out, because deviations sum to zero
def _var(d: Any, y: Any, x: Any, *, axis: Axis = None, dtype: Any = None, ddof: int = 0, keepdims: bool = False) -> Any:
    deviation = _deviation(x, axis)
    return restored(2 * d / (count(x, axis) - ddof), x, axis, keepdims) * deviation


def _std(d: Any, y: Any, x: Any, *, axis: Axis = None, dtype: Any = None, ddof: int = 0, keepdims: bool = False) -> Any:
    deviation = _deviation(x, axis)
    divisor = (count(x, axis) - ddof) * np.where(y == 0, 1.0, y)  # all deviations are 0 where y is
    return restored(d / divisor, x, axis, keepdims) * deviation


def _deviation(x: Any, axis: Axis) -> Any:
    return conj(x - np.mean(x, **alike(x, axis)))


for function, partial in ((np.var, _var), (np.std, _std)):
    general(
        function,
        partial,
        operands=("a",),
        keywords=("axis", "dtype", "ddof", "keepdims"),
        signature=("a", "axis", "dtype", "out", "ddof", "keepdims"),
        infer=reduction(function),
        cases=[
            *_forms(),
            Case((4, 3), axis=0, ddof=1),
            Case((4,), ddof=1),
            Case((2, 3), dtype=np.float64),
        ],
        convention="the deviation of equal numbers has derivative 0",
    )


# Products: d times the product of the other elements, taken from both sides, so that zeros need no division
def _prod(d: Any, y: Any, x: Any, *, axis: Axis = None, dtype: Any = None, keepdims: bool = False) -> Any:
    axes = normal_axes(axis, x.ndim)
    if not axes:
        return d
    d = restored(d, x, axis, keepdims)
    if len(axes) == 1:
        return d * _others(x, axes[0])
    if len(axes) == x.ndim:
        return d * _others(np.ravel(x), 0).reshape(x.shape)
    last = tuple(range(x.ndim - len(axes), x.ndim))
    moved = np.moveaxis(x, axes, last)
    others = _others(moved.reshape((*moved.shape[: last[0]], count(x, axes))), last[0])
    return d * np.moveaxis(others.reshape(moved.shape), last, axes)


def _others(x: Any, axis: int) -> Any:
    """The product of all elements but one, for each one."""
    widths = (1, 0) if x.ndim == 1 else tuple((1, 0) if i == axis else (0, 0) for i in range(x.ndim))
    before, after = x[along(axis, slice(None, -1))], backwards(x[along(axis, slice(1, None))], axis)
    padded = (np.pad(part, widths, constant_values=1) for part in (before, after))
    before, after = (np.cumprod(part, **_on(axis, x)) for part in padded)
    return before * backwards(after, axis)


def backwards(x: Any, axis: int) -> Any:
    return x[::-1] if axis == 0 else np.flip(x, axis=axis)


def _on(axis: int, x: Any) -> Any:
    """`axis=` where there is a choice."""
    return {} if x.ndim == 1 else {"axis": axis}


general(
    np.prod,
    _prod,
    operands=("a",),
    keywords=("axis", "dtype", "keepdims"),
    signature=POSITIONS,
    infer=reduction(np.prod),
    cases=[*_forms(0.5, 2.0), Case(lambda rng: np.array([0.0, 2.0, 3.0])), Case((2, 3), dtype=np.float64)],
)


# Extremes: the elements that reach it share its cotangent evenly
def _extreme(d: Any, y: Any, x: Any, *, axis: Axis = None, keepdims: bool = False) -> Any:
    return extreme_share(restored(d, x, axis, keepdims), restored(y, x, axis, keepdims), x, axis)


def extreme_share(d: Any, y: Any, x: Any, axis: Axis) -> Any:
    """d divided among the elements of `x` that equal `y`."""
    reached = x == y
    return d / np.sum(reached, **alike(x, axis)) * reached


def _distinct(shape: tuple[int, ...]) -> Any:
    """Numbers that are far from each other, in random order."""
    return lambda rng: (rng.permutation(int(np.prod(shape))).reshape(shape) - 3) * 0.3


_EXTREME_CASES = [
    Case(_distinct(shape), axis=axis, keepdims=keepdims)
    for shape, axis in (
        ((), None), ((3,), None), ((3,), 0), ((2, 3), None), ((2, 3), 0), ((2, 3), 1), ((2, 3), -1),
        ((2, 3, 4), (0, 2)), ((2, 3, 4), (1, -1)), ((1, 3), 0), ((3, 1), 0),
    )
    for keepdims in (False, True)
]  # fmt: skip
for function, alias in ((np.max, np.amax), (np.min, np.amin)):
    general(
        function,
        _extreme,
        operands=("a",),
        keywords=("axis", "keepdims"),
        signature=("a", "axis", "out", "keepdims"),
        infer=reduction(function),
        aliases=(alias,),
        cases=_EXTREME_CASES,
        convention="ties split evenly",
    )
general(
    np.ptp,
    lambda d, y, x, *, axis=None, keepdims=False: (
        _extreme(d, np.max(x, axis=axis, keepdims=keepdims), x, axis=axis, keepdims=keepdims)
        - _extreme(d, np.min(x, axis=axis, keepdims=keepdims), x, axis=axis, keepdims=keepdims)
    ),
    operands=("a",),
    keywords=("axis", "keepdims"),
    signature=("a", "axis", "out", "keepdims"),
    infer=reduction(np.ptp),
    cases=[case for case in _EXTREME_CASES if case.operands],
    convention="ties split evenly",
)


# The median is the mean of the two middle elements, which are one where the number is odd
def _median(d: Any, y: Any, x: Any, *, axis: int | None = None, keepdims: bool = False) -> Any:
    if axis is None and x.ndim != 1:
        flat = np.ravel(x)
        return _median(np.sum(d), y, flat, axis=0).reshape(x.shape)
    axis = normal_axis(axis or 0, x.ndim)
    ordered, n = np.sort(x, axis=axis), as_dim(x.shape[axis])
    d = restored(d, x, axis, keepdims) / 2
    middle = (ordered[along(axis, slice(plain(k), plain(k + 1)))] for k in ((n - 1) // 2, n // 2))
    return sum(extreme_share(d, each, x, axis) for each in middle)


def _median_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Any:
    if isinstance(attrs.get("axis"), tuple):
        raise Unsupported("np.median over several axes is not differentiated", "Reshape them into one first.")
    return _median_reduction(facts, types, attrs, style)


_median_reduction = reduction(np.median)
general(
    np.median,
    _median,
    operands=("a",),
    keywords=("axis", "keepdims"),
    signature=("a", "axis", "out", "overwrite_input", "keepdims"),
    infer=_median_type,
    cases=[
        Case(_distinct(shape), axis=axis, keepdims=keepdims)
        for shape, axis in (((3,), None), ((4,), 0), ((2, 3), None), ((3, 4), 0), ((3, 4), -1), ((1, 3), 0))
        for keepdims in (False, True)
    ],
    convention="ties split evenly",
)


# Running sums and products
def _running(function: Any) -> Any:
    def infer(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
        x = array(types[0])
        known = {"dtype": attrs["dtype"]} if attrs.get("dtype") is not None else {}
        dtype = dtype_of(function, (x,), **known)
        if attrs.get("axis") is None:
            return Array(dtype, (product(facts.canon(dim) for dim in x.axes),))
        normal_axis(attrs["axis"], x.ndim)
        return Array(dtype, x.axes)

    return infer


def _cumsum(d: Any, y: Any, x: Any, *, axis: int | None = None, dtype: Any = None) -> Any:
    """Every element counts in all sums from its own on."""
    if axis is None:
        return _sum_from(d, 0).reshape(x.shape)
    return _sum_from(d, normal_axis(axis, x.ndim))


def _sum_from(d: Any, axis: int) -> Any:
    return backwards(np.cumsum(backwards(d, axis), **_on(axis, d)), axis)


def _cumprod(d: Any, y: Any, x: Any, *, axis: int | None = None, dtype: Any = None) -> Any:
    """sum_j>=i d_j y_j / x_i; at the first zero, the products are taken without it, and after it all are 0."""
    if axis is None and x.ndim != 1:
        return _cumprod(d, y, np.ravel(x)).reshape(x.shape)
    axis = normal_axis(axis or 0, x.ndim)
    zero = x == 0
    first = zero & (np.cumsum(zero, **_on(axis, x)) == 1)
    without = np.cumprod(np.where(first, 1.0, x), **_on(axis, x))
    return np.where(first, _sum_from(d * without, axis), _sum_from(d * y, axis) / np.where(zero, 1.0, x))


_RUNNING_CASES = [
    Case((3,)),
    Case((2, 3)),
    Case((2, 3), axis=0),
    Case((2, 3), axis=1),
    Case((2, 3, 2), axis=-2),
]
linear(
    np.cumsum,
    _cumsum,
    operands=("a",),
    keywords=("axis", "dtype"),
    signature=("a", "axis", "dtype", "out"),
    infer=_running(np.cumsum),
    cases=[*_RUNNING_CASES, Case((3,), dtype=np.float64)],
)
general(
    np.cumprod,
    _cumprod,
    operands=("a",),
    keywords=("axis", "dtype"),
    signature=("a", "axis", "dtype", "out"),
    infer=_running(np.cumprod),
    cases=[*_RUNNING_CASES, Case((3,), dtype=np.float64), Case(lambda rng: np.array([2.0, 0.0, 3.0, 1.5]))],
    convention="exact at zeros; its second derivative only where at most one element is zero",
)

# Reductions to integers and booleans
for function in (np.all, np.any):
    constant(
        function,
        operands=("a",),
        keywords=("axis", "keepdims"),
        signature=("a", "axis", "out", "keepdims"),
        infer=reduction(function),
    )
for function in (np.argmax, np.argmin):
    constant(
        function,
        operands=("a",),
        keywords=("axis", "keepdims"),
        signature=("a", "axis", "out"),
        infer=reduction(function),
    )
constant(np.count_nonzero, operands=("a",), keywords=("axis", "keepdims"), infer=reduction(np.count_nonzero))

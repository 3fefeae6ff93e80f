"""Derivatives of functions that take axes together: sums, means, products, variances, extremes, running sums."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.dims import Facts
from ..ir.infer import check_equal
from ..ir.types import Array, Type
from .axes import (
    Axis,
    alike,
    array,
    axis_form,
    count,
    dtype_of,
    normal_axes,
    normal_axis,
    reduced_axes,
    reduction,
    restored,
    spread,
)
from .internal import broadcast, conj, unbroadcast
from .registry import Case, constant, general, linear, uniform

function: Any  # the tables below loop over functions of different types

POSITIONS = ("a", "axis", "dtype", "out", "keepdims")


def mask(*shape: int) -> Any:
    """A mask that leaves something of every row and column."""
    return lambda rng: (np.arange(int(np.prod(shape))) % 3 > 0).reshape(shape)


def two_each(*shape: int) -> Any:
    """A mask that keeps more than two of every row and column."""
    return lambda rng: (np.arange(int(np.prod(shape))) % 4 != 1).reshape(shape)


def forms(*low_high: float, **attrs: Any) -> list[Case]:
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


# Masks: `where=` leaves elements out, and those get no cotangent
def masked(d: Any, where: Any) -> Any:
    return d if where is None else np.where(where, d, 0.0)


def members(x: Any, axis: Axis, where: Any) -> Any:
    """How many elements a reduction takes together, in a form that broadcasts against `x`."""
    if where is None:
        return count(x, axis)
    return np.sum(broadcast(where, x.shape), **alike(x, axis))


def initial_of_sum(d: Any, y: Any, x: Any, **_: Any) -> Any:
    """What a sum starts from counts once in every element of the result."""
    return np.sum(d) if d.ndim else d


# Sums and means
def sum_of(
    d: Any, y: Any, x: Any, *, axis: Axis = None, dtype: Any = None, keepdims: bool = False,
    where: Any = None, initial: Any = None,
) -> Any:  # fmt: skip
    return broadcast(masked(restored(d, x, axis, keepdims), where), x.shape)


def _mean(
    d: Any, y: Any, x: Any, *, axis: Axis = None, dtype: Any = None, keepdims: bool = False, where: Any = None
) -> Any:
    if where is None:
        return spread(d / count(x, axis), x, axis, keepdims)
    share = restored(d, x, axis, keepdims) / members(x, axis, where)
    return broadcast(masked(share, where), x.shape)


SUM_CASES = [
    Case((2, 3), where=mask(2, 3)),
    Case((2, 3), where=mask(3), axis=0),
    Case((2, 3), where=mask(2, 1), axis=-1, keepdims=True),
]
_INITIAL_CASES = [Case((3,), initial=2.0), Case((2, 3), axis=0, initial=uniform((), 0.5, 1.0))]
linear(
    np.sum,
    sum_of,
    operands=("a",),
    keywords=("axis", "dtype", "keepdims"),
    named={"initial": initial_of_sum, "where": None},
    signature=(*POSITIONS, "initial", "where"),
    infer=reduction(np.sum),
    cases=[
        *forms(),
        Case((2, 3), dtype=np.float64),
        Case((0,)),
        Case((0, 2), axis=0),
        *SUM_CASES,
        *_INITIAL_CASES,
        Case((2, 3), axis=1, initial=uniform((), 0.5, 1.0), where=mask(2, 3)),
    ],
)
linear(
    np.mean,
    _mean,
    operands=("a",),
    keywords=("axis", "dtype", "keepdims"),
    named={"where": None},
    signature=POSITIONS,
    infer=reduction(np.mean),
    cases=[
        *forms(),
        Case((2, 3), dtype=np.float64),
        Case((4, 3), where=two_each(4, 3)),
        Case((4, 3), where=two_each(4, 1), axis=0),
        Case((4, 3), where=two_each(3), axis=-1, keepdims=True),
    ],
)


# Weighted means: y = sum(w x) / sum(w), so that dy/dx = w / sum(w) and dy/dw = (x - y) / sum(w)
def _average_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Any:
    x, *w = [array(t) for t in types]
    if w:
        axes = x.axes if attrs.get("axis") is None else tuple(x.axes[i] for i in _weighted(x, w[0], attrs["axis"]))
        if len(axes) != w[0].ndim:
            raise Unsupported("np.average: weights of other axes than those averaged over, or all")
        for a, b in zip(axes, w[0].axes):
            check_equal(facts, a, b, "np.average: lengths of values and weights")
    mean = Array(dtype_of(_averaged, (x, *w)), reduced_axes(x, attrs))
    return (mean, mean) if attrs.get("returned") else mean


def _weighted(x: Any, w: Any, axis: Axis) -> tuple[int, ...]:
    """The axes of `x` along which the weights lie."""
    if w.ndim == x.ndim:
        return tuple(range(x.ndim))
    axes = normal_axes(axis, x.ndim)
    if isinstance(axis, tuple) and axes != tuple(normal_axis(each, x.ndim) for each in axis):
        raise Unsupported("np.average: weights along axes in another order", "Sort `axis`, and transpose the weights.")
    return axes


def _average_values(
    d: Any, y: Any, x: Any, *w: Any, axis: Axis = None, keepdims: bool = False, returned: bool = False,
    weights: None = None,
) -> Any:  # fmt: skip
    d = d[0] if returned else d
    if d is None:
        return None
    if not w:
        return spread(d / count(x, axis), x, axis, keepdims)
    full = _full_weights(x, w[0], axis)
    return restored(d, x, axis, keepdims) * (full / _total(full, w[0], x, axis))


def _average_weights(
    d: Any, y: Any, x: Any, w: Any, *, axis: Axis = None, keepdims: bool = False, returned: bool = False,
    weights: None = None,
) -> Any:  # fmt: skip
    (d, total), y = (d, y[0]) if returned else ((d, None), y)
    full = _full_weights(x, w, axis)
    contribution: Any = None
    if d is not None:
        d, y = restored(d, x, axis, keepdims), restored(y, x, axis, keepdims)
        contribution = d * (x - y) / _total(full, w, x, axis)
    if total is not None:
        total = spread(total, x, axis, keepdims)
        contribution = total if contribution is None else contribution + total
    others = [i for i in range(x.ndim) if i not in _weighted(x, w, axis)]
    return np.sum(contribution, axis=axis_form(others)) if others else contribution


def _full_weights(x: Any, w: Any, axis: Axis) -> Any:
    """The weights with the axes of `x`: those of fewer axes lie along `axis`."""
    axes = _weighted(x, w, axis)
    missing = [i for i in range(min(axes, default=0), x.ndim) if i not in axes]
    return np.expand_dims(w, axis_form([i - min(axes) for i in missing])) if missing else w


def _total(full: Any, w: Any, x: Any, axis: Axis) -> Any:
    return np.sum(w) if w.ndim != x.ndim else np.sum(full, **alike(x, axis))


def _averaged(a: Any, *weights: Any, **attrs: Any) -> Any:
    return np.average(a, **{"weights": weights[0] if weights else None, **attrs})


general(
    np.average,
    _average_values,
    _average_weights,
    fn=_averaged,
    operands=("a", "weights"),
    keywords=("axis", "keepdims", "returned"),
    signature=("a", "axis", "weights", "returned"),
    infer=_average_type,
    cases=[
        *forms(),
        Case((3,), uniform((3,), 0.5, 2)),
        Case((2, 3), uniform((2, 3), 0.5, 2)),
        *(Case((2, 3), uniform((n,), 0.5, 2), axis=k, keepdims=b) for n, k in ((2, 0), (3, 1)) for b in (False, True)),
        *(Case((2, 3), uniform((2, 3), 0.5, 2), axis=k, keepdims=b) for k in (0, -1) for b in (False, True)),
        *(Case((2, 3, 4), uniform(s, 0.5, 2), axis=k) for s, k in (((2, 4), (0, 2)), ((3, 4), (1, -1)))),
        Case((2, 3), uniform((3,), 0.5, 2), axis=1, returned=True),
        Case((3,), returned=True),
    ],
)


# Variance and deviation: the mean's own derivative drops out, because deviations sum to zero; a mean that is given
# as `mean=` has a derivative of its own
def _var(
    d: Any, y: Any, x: Any, *, axis: Axis = None, dtype: Any = None, ddof: int = 0, keepdims: bool = False,
    where: Any = None, mean: Any = None, correction: Any = None,
) -> Any:  # fmt: skip
    deviation, divisor = _deviation(x, axis, where, mean), _divisor(x, axis, where, ddof, correction)
    if where is None:
        return restored(2 * d / divisor, x, axis, keepdims) * deviation
    return masked(restored(2 * d, x, axis, keepdims) / divisor * deviation, where)


def _std(
    d: Any, y: Any, x: Any, *, axis: Axis = None, dtype: Any = None, ddof: int = 0, keepdims: bool = False,
    where: Any = None, mean: Any = None, correction: Any = None,
) -> Any:  # fmt: skip
    deviation, divisor = _deviation(x, axis, where, mean), _divisor(x, axis, where, ddof, correction)
    spread = np.where(y == 0, 1.0, y)  # all deviations are 0 where y is
    if where is None:
        return restored(d / (divisor * spread), x, axis, keepdims) * deviation
    return masked(restored(d / spread, x, axis, keepdims) / divisor * deviation, where)


def _of_mean(partial: Any) -> Any:
    """Every deviation falls as the mean rises."""
    return lambda d, y, x, *, mean, **options: unbroadcast(-partial(d, y, x, mean=mean, **options), mean)


def _divisor(x: Any, axis: Axis, where: Any, ddof: Any, correction: Any) -> Any:
    ddof = ddof if correction is None else correction
    return members(x, axis, where) - ddof if ddof else members(x, axis, where)


def _deviation(x: Any, axis: Axis, where: Any, mean: Any) -> Any:
    if mean is None:
        mean = np.mean(x, **alike(x, axis), **({} if where is None else {"where": where}))
    return conj(x - mean)


for function, partial in ((np.var, _var), (np.std, _std)):
    general(
        function,
        partial,
        operands=("a",),
        keywords=("axis", "dtype", "ddof", "keepdims", "correction"),
        named={"where": None, "mean": _of_mean(partial)},
        signature=("a", "axis", "dtype", "out", "ddof", "keepdims"),
        infer=reduction(function),
        cases=[
            *forms(),
            Case((4, 3), axis=0, ddof=1),
            Case((4,), ddof=1),
            Case((4,), correction=1),
            Case((2, 3), dtype=np.float64),
            Case((4, 3), where=two_each(4, 3)),
            Case((4, 3), where=two_each(4, 1), axis=0),
            Case((4, 3), where=two_each(4, 3), axis=0, ddof=1, keepdims=True),
            Case((4,), mean=uniform((1,), -0.5, 0.5)),
            Case((2, 3), axis=1, mean=uniform((2, 1), -0.5, 0.5)),
            Case((4, 3), axis=0, mean=uniform((1, 3), -0.5, 0.5), where=two_each(4, 3)),
        ],
        convention="the deviation of equal numbers has derivative 0",
    )


# Reductions to integers and booleans
for function in (np.all, np.any):
    constant(
        function,
        operands=("a",),
        keywords=("axis", "keepdims"),
        named={"where": None},
        signature=("a", "axis", "out", "keepdims"),
        infer=reduction(function),
    )
for function in (np.argmax, np.argmin, np.nanargmax, np.nanargmin):
    constant(
        function,
        operands=("a",),
        keywords=("axis", "keepdims"),
        signature=("a", "axis", "out"),
        infer=reduction(function),
    )
constant(np.count_nonzero, operands=("a",), keywords=("axis", "keepdims"), infer=reduction(np.count_nonzero))

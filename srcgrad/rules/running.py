"""Derivatives of products and of running sums and products."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.dims import Facts, product
from ..ir.symbolic import Sym
from ..ir.types import Array, Type
from .axes import Axis, along, array, count, dtype_of, normal_axes, normal_axis, reduction, restored
from .internal import arange
from .reductions import POSITIONS, SUM_CASES, forms, mask, masked
from .registry import Case, general, linear, uniform

function: Any  # the tables below loop over functions of different types


# Products: d times the product of the other elements, taken from both sides, so that zeros need no division
def prod(
    d: Any, y: Any, x: Any, *, axis: Axis = None, dtype: Any = None, keepdims: bool = False,
    where: Any = None, initial: Any = None,
) -> Any:  # fmt: skip
    axes = normal_axes(axis, x.ndim)
    d = restored(d if initial is None else d * initial, x, axis, keepdims)
    if not axes:
        return masked(d, where)
    factors = x if where is None else np.where(where, x, 1.0)
    return masked(d * _all_others(factors, axes), where)


def _all_others(x: Any, axes: tuple[int, ...]) -> Any:
    """For each element, the product of the others along `axes`."""
    if len(axes) == 1:
        return others(x, axes[0])
    if len(axes) == x.ndim:
        return others(np.ravel(x), 0).reshape(x.shape)
    last = tuple(range(x.ndim - len(axes), x.ndim))
    moved = np.moveaxis(x, axes, last)
    flat = moved.reshape((*moved.shape[: last[0]], count(x, axes)))
    return np.moveaxis(others(flat, last[0]).reshape(moved.shape), last, axes)


def prod_initial(d: Any, y: Any, x: Any, *, initial: Any, where: Any = None, **options: Any) -> Any:
    """The product starts from it, so its derivative is the product of all the others."""
    result = d * np.prod(x, **options, **({} if where is None else {"where": where}))
    return np.sum(result) if d.ndim else result


def others(x: Any, axis: int) -> Any:
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
    prod,
    operands=("a",),
    keywords=("axis", "dtype", "keepdims"),
    named={"initial": prod_initial, "where": None},
    signature=(*POSITIONS, "initial", "where"),
    infer=reduction(np.prod),
    cases=[
        *forms(0.5, 2.0),
        Case(lambda rng: np.array([0.0, 2.0, 3.0])),
        Case((2, 3), dtype=np.float64),
        Case((3,), initial=2.0),
        Case((2, 3), axis=0, initial=uniform((), 0.5, 1.0)),
        *SUM_CASES,
        Case((2, 3), axis=1, initial=uniform((), 0.5, 1.0), where=mask(2, 3)),
    ],
)


# Running sums and products
def running(function: Any) -> Any:
    def infer(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
        x = array(types[0])
        known = {"dtype": attrs["dtype"]} if attrs.get("dtype") is not None else {}
        dtype = dtype_of(function, (x,), **known)
        if attrs.get("axis") is None:
            return Array(dtype, (product(facts.canon(dim) for dim in x.axes),))
        normal_axis(attrs["axis"], x.ndim)
        return Array(dtype, x.axes)

    return infer


def cumsum(d: Any, y: Any, x: Any, *, axis: int | None = None, dtype: Any = None) -> Any:
    """Every element counts in all sums from its own on."""
    if axis is None:
        return _sum_from(d, 0).reshape(x.shape)
    return _sum_from(d, normal_axis(axis, x.ndim))


def _sum_from(d: Any, axis: int) -> Any:
    return backwards(np.cumsum(backwards(d, axis), **_on(axis, d)), axis)


def cumprod(d: Any, y: Any, x: Any, *, axis: int | None = None, dtype: Any = None) -> Any:
    """sum_j>=i d_j y_j / x_i; at the first zero, the products are taken without it, and after it all are 0."""
    if axis is None and x.ndim != 1:
        return cumprod(d, y, np.ravel(x)).reshape(x.shape)
    axis = normal_axis(axis or 0, x.ndim)
    if isinstance(d, Sym) and d.builder.facts.again:
        return _cumprod_smooth(d, x, axis)
    zero = x == 0
    first = zero & (np.cumsum(zero, **_on(axis, x)) == 1)
    without = np.cumprod(np.where(first, 1.0, x), **_on(axis, x))
    return np.where(first, _sum_from(d * without, axis), _sum_from(d * y, axis) / np.where(zero, 1.0, x))


def _cumprod_smooth(d: Any, x: Any, axis: int) -> Any:
    """The same as a polynomial, which may be differentiated again at zeros: a sum of products without division."""
    if axis != x.ndim - 1:
        back = _cumprod_smooth(np.moveaxis(d, axis, -1), np.moveaxis(x, axis, -1), x.ndim - 1)
        return np.moveaxis(back, -1, axis)
    steps = arange(d, x.shape[axis])
    rows = np.expand_dims(steps, 1)
    after = np.cumprod(np.where(steps > rows, np.expand_dims(x, -2), 1.0), axis=-1)
    later = np.sum(np.where(steps >= rows, after * np.expand_dims(d, -2), 0.0), axis=-1)
    widths = (1, 0) if x.ndim == 1 else (*((0, 0),) * axis, (1, 0))
    before = np.cumprod(np.pad(x[along(axis, slice(None, -1))], widths, constant_values=1), **_on(axis, x))
    return before * later


_RUNNING_CASES = [
    Case((3,)),
    Case((2, 3)),
    Case((2, 3), axis=0),
    Case((2, 3), axis=1),
    Case((2, 3, 2), axis=-2),
]
_ZEROS = [Case(lambda rng, x=x: np.array(x)) for x in ([2.0, 0.0, 3.0, 1.5], [0.0, 2.0, 0.0, 1.5], [0.0, 0.0, 0.0])]
linear(
    np.cumsum,
    cumsum,
    operands=("a",),
    keywords=("axis", "dtype"),
    signature=("a", "axis", "dtype", "out"),
    infer=running(np.cumsum),
    cases=[*_RUNNING_CASES, Case((3,), dtype=np.float64)],
)
general(
    np.cumprod,
    cumprod,
    operands=("a",),
    keywords=("axis", "dtype"),
    signature=("a", "axis", "dtype", "out"),
    infer=running(np.cumprod),
    cases=[*_RUNNING_CASES, Case((3,), dtype=np.float64), *_ZEROS],
)


# The Array API's names: a start of 0 or 1 before the first element, which is constant
def _cumulative_type(function: Any) -> Any:
    infer_running = running(function)

    def infer(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
        x = array(types[0])
        if attrs.get("axis") is None and x.ndim != 1:
            raise Unsupported(f"np.{function.__name__} of an array that is not one-dimensional needs `axis=`")
        axis = normal_axis(attrs["axis"] if attrs.get("axis") is not None else 0, x.ndim)
        result = array(infer_running(facts, types, {**attrs, "axis": axis}, style))
        longer = facts.canon(x.axes[axis]) + bool(attrs.get("include_initial"))
        return replace(result, axes=(*x.axes[:axis], longer, *x.axes[axis + 1 :]))

    return infer


def _cumulative(partial: Any) -> Any:
    def cumulative(
        d: Any, y: Any, x: Any, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
    ) -> Any:
        axis = normal_axis(axis or 0, x.ndim)
        if include_initial:
            d, y = (each[along(axis, slice(1, None))] for each in (d, y))
        return partial(d, y, x, axis=axis)

    return cumulative


for function, partial, plain_function in (
    (np.cumulative_sum, cumsum, np.cumsum),
    (np.cumulative_prod, cumprod, np.cumprod),
):
    (linear if function is np.cumulative_sum else general)(
        function,
        _cumulative(partial),
        keywords=("axis", "dtype", "include_initial"),
        signature=("x",),
        infer=_cumulative_type(plain_function),
        cases=[
            Case((3,)),
            Case((3,), include_initial=True),
            Case((2, 3), axis=0, include_initial=True),
            Case((2, 3), axis=-1),
            Case((3,), dtype=np.float64),
        ],
    )

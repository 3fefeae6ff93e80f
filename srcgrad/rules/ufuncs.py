"""Derivatives of what ufuncs offer beside a call: np.add.reduce, np.maximum.accumulate, np.multiply.outer ..."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.dims import Facts
from ..ir.primitive import Infer
from ..ir.symbolic import Sym, apply
from ..ir.types import Array, Type
from .axes import array, axis_form, dtype_of, normal_axis, reduction, restored
from .elementwise import above_minus_infinity
from .internal import arange, broadcast
from .order import distinct, extreme, extreme_initial
from .reductions import initial_of_sum, mask, masked, sum_of
from .registry import CASES, Case, constant, general, linear, uniform
from .running import cumprod, cumsum, prod, prod_initial, running
from .taking import take_along

function: Any  # the tables below loop over functions of different types

POSITIONS = ("a", "axis", "dtype", "out", "keepdims", "initial", "where")


# reduce: as the functions np.sum, np.prod, np.max, but along the first axis if not told otherwise
def _reduced(ufunc: Any) -> Infer:
    infer_reduced = reduction(ufunc.reduce)

    def infer(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Any:
        if not array(types[0]).ndim:
            raise Unsupported(f"np.{ufunc.__name__}.reduce of a number")
        return infer_reduced(facts, types, {"axis": 0, **attrs}, style)

    return infer


def _first(partial: Any) -> Any:
    """A formula whose `axis` is 0 if it is not given, and that has no use for `dtype`."""

    def first(
        d: Any, y: Any, x: Any, *, axis: Any = 0, dtype: Any = None, keepdims: bool = False, initial: Any = None,
        where: Any = None,
    ) -> Any:  # fmt: skip
        return partial(d, y, x, axis=axis, keepdims=keepdims, initial=initial, where=where)

    return first


def _log_sum(exponential: Any) -> tuple[Any, Any]:
    """y = log(sum(exp x)): each term counts with its share exp(x - y)."""

    def of_terms(d: Any, y: Any, x: Any, *, axis: Any, keepdims: bool, initial: Any, where: Any) -> Any:
        y = restored(above_minus_infinity(y), x, axis, keepdims)
        return masked(restored(d, x, axis, keepdims) * exponential(x - y), where)

    def of_initial(d: Any, y: Any, x: Any, *, axis: Any, keepdims: bool, initial: Any, where: Any) -> Any:
        share = d * exponential(initial - above_minus_infinity(y))
        return np.sum(share) if d.ndim else share

    return of_terms, of_initial


def _length_terms(d: Any, y: Any, x: Any, *, axis: Any, keepdims: bool, initial: Any, where: Any) -> Any:
    """np.hypot.reduce is the norm."""
    y = restored(np.where(y == 0, 1.0, y), x, axis, keepdims)
    return masked(restored(d, x, axis, keepdims) * x / y, where)


def _length_initial(d: Any, y: Any, x: Any, *, axis: Any, keepdims: bool, initial: Any, where: Any) -> Any:
    share = d * initial / np.where(y == 0, 1.0, y)
    return np.sum(share) if d.ndim else share


def _initial(partial: Any) -> Any:
    return lambda d, y, x, *, initial, **options: partial(d, y, x, initial=initial, **options)


_REDUCE: tuple[tuple[Any, Any, Any], ...] = (
    (np.add, sum_of, initial_of_sum),
    (np.multiply, prod, prod_initial),
    (np.maximum, extreme, extreme_initial),
    (np.minimum, extreme, extreme_initial),
    (np.fmax, extreme, extreme_initial),
    (np.fmin, extreme, extreme_initial),
    (np.logaddexp, *_log_sum(np.exp)),
    (np.logaddexp2, *_log_sum(np.exp2)),
    (np.hypot, _length_terms, _length_initial),
)
for ufunc, partial, of_initial in _REDUCE:
    draw = distinct if partial is extreme else lambda shape: uniform(shape, 0.5, 2.0)
    (linear if ufunc is np.add else general)(
        ufunc.reduce,
        _first(partial),
        name=f"np.{ufunc.__name__}.reduce",
        operands=("a",),
        keywords=("axis", "dtype", "keepdims"),
        named={"initial": _first(of_initial), "where": None},
        signature=POSITIONS,
        infer=_reduced(ufunc),
        cases=[
            Case(draw((4,))),
            Case(draw((2, 3))),
            Case(draw((2, 3)), axis=1, keepdims=True),
            Case(draw((2, 3, 2)), axis=(0, -1)),
            Case(draw((2, 3)), axis=None),
            Case(draw((4,)), dtype=np.float64),
            Case(draw((2, 3)), axis=1, initial=uniform((), 0.1, 0.2)),
            Case(draw((2, 3)), axis=-1, initial=uniform((), 0.1, 0.2), where=mask(2, 3)),
        ],
        convention="ties split evenly" if partial is extreme else "",
    )
for function in (np.logical_and, np.logical_or):
    constant(
        function.reduce,
        name=f"np.{function.__name__}.reduce",
        operands=("a",),
        keywords=("axis", "keepdims"),
        signature=("a", "axis", "dtype", "out", "keepdims"),
        infer=_reduced(function),
    )


# accumulate
def _accumulated(ufunc: Any) -> Infer:
    infer_running = running(ufunc.accumulate)
    return lambda facts, types, attrs, style: infer_running(facts, types, {"axis": 0, **attrs}, style)


def _held(d: Any, y: Any, x: Any, *, axis: int) -> Any:
    """Each running extreme is the element that was last to reach it."""
    axis = normal_axis(axis, x.ndim)
    steps = arange(d, x.shape[axis])
    trailing = tuple(range(1, x.ndim - axis))
    steps = np.expand_dims(steps, axis_form(trailing)) if trailing else steps
    holder = apply_method(np.maximum.accumulate, np.where(x == y, steps, 0), axis)
    return take_along(d, y, x, holder, axis=axis)


def apply_method(method: Any, x: Any, axis: int) -> Any:
    """A ufunc's method on a symbol or an array, which NumPy does not pass on to symbols."""
    options = {"axis": axis} if axis else {}
    return apply(x.builder, method, (x,), options) if isinstance(x, Sym) else method(x, **options)


for ufunc, partial in ((np.add, cumsum), (np.multiply, cumprod), (np.maximum, _held), (np.minimum, _held)):
    draw = distinct if partial is _held else lambda shape: uniform(shape, 0.5, 2.0)
    (linear if ufunc is np.add else general)(
        ufunc.accumulate,
        lambda d, y, x, *, axis=0, dtype=None, partial=partial: partial(d, y, x, axis=axis),
        name=f"np.{ufunc.__name__}.accumulate",
        operands=("array",),
        keywords=("axis", "dtype"),
        signature=("array", "axis", "dtype", "out"),
        infer=_accumulated(ufunc),
        cases=[
            Case(draw((4,))),
            Case(draw((3, 2))),
            Case(draw((2, 3)), axis=-1),
            Case(draw((2, 3, 2)), axis=1),
            Case(draw((3,)), dtype=np.float64),
        ],
        convention="the last of equal elements" if partial is _held else "",
    )


# outer: the function of all pairs, each operand beside as many axes of length one as the other has
def _outer(which: int, partial: Any) -> Any:
    def of_operand(d: Any, y: Any, a: Any, b: Any, *, dtype: Any = None) -> Any:
        left = np.expand_dims(a, tuple(range(a.ndim, a.ndim + b.ndim))) if b.ndim else a
        contribution = partial(d, y, left, b)
        if contribution is None:
            return None
        summed = tuple(range(a.ndim, a.ndim + b.ndim)) if which == 0 else tuple(range(a.ndim))
        return np.sum(broadcast(contribution, d.shape), axis=axis_form(summed)) if summed else contribution

    return of_operand


def _outer_type(ufunc: Any) -> Infer:
    def infer(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
        a, b = map(array, types)
        known = {"dtype": attrs["dtype"]} if attrs.get("dtype") is not None else {}
        return Array(dtype_of(ufunc.outer, (a, b), **known), (*a.axes, *b.axes))

    return infer


for prim in [
    prim
    for prim in CASES
    if prim.elementwise and prim.name.startswith("np.") and isinstance(prim.fn, np.ufunc) and len(prim.operands) == 2
]:
    pairs = CASES[prim][:3]
    general(
        prim.fn.outer,  # type: ignore[union-attr]
        *(None if partial is None else _outer(which, partial) for which, partial in enumerate(prim.partials)),
        name=f"{prim.name}.outer",
        operands=("a", "b"),
        keywords=("dtype",),
        infer=_outer_type(prim.fn),
        cases=[*(Case(*case.operands) for case in pairs), Case(*pairs[1].operands, dtype=np.dtype(float))],
        convention=prim.convention,
    )


# reduceat: the sum of each stretch from one index to the next; one element where the next index is not larger
def _stretches(d: Any, y: Any, x: Any, indices: Any, *, axis: int = 0, dtype: Any = None) -> Any:
    axis = normal_axis(axis, x.ndim)
    steps, starts = arange(d, x.shape[axis]), np.expand_dims(indices, 1)
    following = np.expand_dims(np.append(indices[1:], x.shape[axis]), 1)
    stops = np.maximum(following, starts + 1)
    inside = (steps >= starts) & (steps < stops)
    if x.ndim == 1:
        return d @ inside
    return np.moveaxis(np.tensordot(d, inside, axes=((axis,), (0,))), -1, axis)


def _stretched(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    x, indices = map(array, types)
    if indices.ndim != 1 or indices.dtype.kind not in "iu":
        raise Unsupported("np.add.reduceat takes a vector of integers")
    axis = normal_axis(attrs.get("axis", 0), x.ndim)
    known = {"dtype": attrs["dtype"]} if attrs.get("dtype") is not None else {}
    return Array(dtype_of(np.sum, (x,), **known), (*x.axes[:axis], *indices.axes, *x.axes[axis + 1 :]))


linear(
    np.add.reduceat,
    _stretches,
    None,
    name="np.add.reduceat",
    operands=("array", "indices"),
    keywords=("axis", "dtype"),
    signature=("array", "indices", "axis", "dtype", "out"),
    infer=_stretched,
    cases=[
        Case((6,), lambda rng: np.array([0, 2, 5])),
        Case((6,), lambda rng: np.array([0, 3, 1, 1, 4])),
        Case((2, 5), lambda rng: np.array([1, 3]), axis=1),
        Case((5, 2), lambda rng: np.array([0, 3])),
        Case((5,), lambda rng: np.array([0, 3]), dtype=np.float64),
    ],
)

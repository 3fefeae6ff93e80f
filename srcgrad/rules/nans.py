"""Derivatives of functions that leave nan out: nothing flows back to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.dims import Facts
from ..ir.types import Array, Type
from .axes import Axis, alike, array, dtype_of, reduced_axes, reduction, restored
from .internal import conj, unbroadcast
from .order import extreme, extreme_initial, in_a_row
from .reductions import POSITIONS, initial_of_sum, mask
from .registry import Case, general, uniform
from .running import cumprod, cumsum, prod, prod_initial, running

function: Any  # the tables below loop over functions of different types


def _holed(*shape: int) -> Any:
    """An array with a nan in it."""

    def draw(rng: np.random.Generator) -> Any:
        x = rng.permuted(np.linspace(-2.0, 2.0, int(np.prod(shape)))).reshape(shape)
        x.flat[1] = np.nan
        return x

    return draw


def _forms(**attrs: Any) -> list[Case]:
    forms: list[tuple[tuple[int, ...], Axis]] = [
        ((4,), None),
        ((3, 4), None),
        ((3, 4), 0),
        ((3, 4), -1),
        ((2, 3, 2), (0, 1)),
    ]
    return [Case(_holed(*shape), axis=axis, keepdims=keep, **attrs) for shape, axis in forms for keep in (False, True)]


def _known(x: Any, where: Any = None) -> Any:
    return ~np.isnan(x) if where is None else ~np.isnan(x) & where


def _number(x: Any, axis: Axis, where: Any) -> Any:
    return np.sum(_known(x, where), **alike(x, axis))


# Sums, products, means
def _nansum(
    d: Any, y: Any, x: Any, *, axis: Axis = None, dtype: Any = None, keepdims: bool = False,
    initial: Any = None, where: Any = None,
) -> Any:  # fmt: skip
    return restored(d, x, axis, keepdims) * _known(x, where)


def _nanprod(
    d: Any, y: Any, x: Any, *, axis: Axis = None, dtype: Any = None, keepdims: bool = False,
    initial: Any = None, where: Any = None,
) -> Any:  # fmt: skip
    return prod(d, y, x, axis=axis, keepdims=keepdims, initial=initial, where=_known(x, where))


def _nanprod_initial(
    d: Any, y: Any, x: Any, *, initial: Any, where: Any = None, axis: Axis = None, dtype: Any = None,
    keepdims: bool = False,
) -> Any:  # fmt: skip
    return prod_initial(d, y, x, initial=initial, where=_known(x, where), axis=axis, keepdims=keepdims)


def _nanmean(
    d: Any, y: Any, x: Any, *, axis: Axis = None, dtype: Any = None, keepdims: bool = False, where: Any = None
) -> Any:
    return restored(d, x, axis, keepdims) / _number(x, axis, where) * _known(x, where)


for function, partial, of_initial in (
    (np.nansum, _nansum, initial_of_sum),
    (np.nanprod, _nanprod, _nanprod_initial),
    (np.nanmean, _nanmean, None),
):
    starting = [] if function is np.nanmean else [Case(_holed(3, 4), initial=2.0)]
    starting += [Case(_holed(3, 4), axis=0, initial=uniform((), 0.5, 1.0), where=mask(3, 4))] if starting else []
    general(
        function,
        partial,
        operands=("a",),
        keywords=("axis", "dtype", "keepdims"),
        named={"initial": of_initial, "where": None} if of_initial else {"where": None},
        signature=(*POSITIONS, "initial", "where") if of_initial else POSITIONS,
        infer=reduction(function),
        cases=[*_forms(), Case(_holed(4), dtype=np.float64), Case(_holed(3, 4), axis=1, where=mask(3, 4)), *starting],
    )


# Variance and deviation
def _deviation(x: Any, axis: Axis, where: Any, mean: Any) -> Any:
    if mean is None:
        mean = np.nanmean(x, **alike(x, axis), **({} if where is None else {"where": where}))
    return np.where(_known(x, where), x - mean, 0.0)


def _nanvar(
    d: Any, y: Any, x: Any, *, axis: Axis = None, dtype: Any = None, ddof: int = 0, keepdims: bool = False,
    where: Any = None, mean: Any = None, correction: Any = None,
) -> Any:  # fmt: skip
    ddof = ddof if correction is None else correction
    number = _number(x, axis, where) - ddof if ddof else _number(x, axis, where)
    return 2 * restored(d, x, axis, keepdims) / number * conj(_deviation(x, axis, where, mean))


def _nanstd(
    d: Any, y: Any, x: Any, *, axis: Axis = None, dtype: Any = None, ddof: int = 0, keepdims: bool = False,
    where: Any = None, mean: Any = None, correction: Any = None,
) -> Any:  # fmt: skip
    ddof = ddof if correction is None else correction
    number = _number(x, axis, where) - ddof if ddof else _number(x, axis, where)
    divisor = number * restored(np.where(y == 0, 1.0, y), x, axis, keepdims)
    return restored(d, x, axis, keepdims) / divisor * conj(_deviation(x, axis, where, mean))


def _of_mean(partial: Any) -> Any:
    return lambda d, y, x, *, mean, **options: unbroadcast(-partial(d, y, x, mean=mean, **options), mean)


for function, partial in ((np.nanvar, _nanvar), (np.nanstd, _nanstd)):
    general(
        function,
        partial,
        operands=("a",),
        keywords=("axis", "dtype", "ddof", "keepdims", "correction"),
        named={"where": None, "mean": _of_mean(partial)},
        signature=("a", "axis", "dtype", "out", "ddof", "keepdims"),
        infer=reduction(function),
        cases=[
            *_forms(),
            *_forms(ddof=1),
            Case(_holed(4), dtype=np.float64),
            Case(_holed(4), correction=1),
            Case(_holed(3, 4), where=mask(3, 4), ddof=1),
            Case(_holed(3, 4), axis=1, mean=uniform((3, 1), -0.5, 0.5)),
        ],
        convention="the deviation of equal numbers has derivative 0",
    )

# Extremes
for function in (np.nanmax, np.nanmin):
    general(
        function,
        extreme,
        operands=("a",),
        keywords=("axis", "keepdims"),
        named={"initial": extreme_initial, "where": None},
        signature=("a", "axis", "out", "keepdims", "initial", "where"),
        infer=reduction(function),
        cases=[
            *_forms(),
            Case(_holed(3, 4), initial=0.1),
            Case(_holed(3, 4), axis=0, initial=uniform((), 0, 0.1), where=mask(3, 4)),
        ],
        convention="ties split evenly",
    )


def _nan_to_num(
    d: Any, y: Any, x: Any, *, copy: bool = True, nan: Any = None, posinf: Any = None, neginf: Any = None
) -> Any:
    _real_alone(x)
    return d * np.isfinite(x)


def _nan_to_num_tangent(ts: Any, y: Any, x: Any, **options: Any) -> Any:
    if any(t is not None for t in ts[1:]):
        return NotImplemented
    _real_alone(x)
    return np.where(np.isfinite(x), ts[0], 0.0)


def _real_alone(x: Any) -> None:
    if x.dtype.kind == "c":
        raise Unsupported("np.nan_to_num of complex numbers is not differentiated", "Take real and imaginary parts.")


def _infinite(rng: np.random.Generator) -> Any:
    return np.array([np.inf, 1.0, -np.inf])


def _replacement(place: Any) -> Any:
    def of_replacement(d: Any, y: Any, x: Any, **options: Any) -> Any:
        """It stands at all those places."""
        _real_alone(x)
        return np.sum(d * place(x)) if d.ndim else d * place(x)

    return of_replacement


def _nan_to_num_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    if any(isinstance(each, Array) and (each.ndim or each.dtype.kind == "c") for each in attrs.values()):
        raise Unsupported(
            "np.nan_to_num with an array or a complex number to put in", "Use np.where(np.isnan(x), other, x)."
        )
    x = array(types[0])
    return Array(dtype_of(np.nan_to_num, (x,)), x.axes)


general(
    np.nan_to_num,
    _nan_to_num,
    tangent=_nan_to_num_tangent,
    operands=("x",),
    keywords=("copy",),
    named={
        "nan": _replacement(np.isnan), "posinf": _replacement(np.isposinf), "neginf": _replacement(np.isneginf)
    },
    signature=("x", "copy", "nan", "posinf", "neginf"),
    infer=_nan_to_num_type,
    cases=[
        Case((2, 3)),
        Case(_holed(4)),
        Case(()),
        Case(_holed(4), nan=2.0),
        Case((3,), copy=True, posinf=1.0, neginf=-1.0),
        Case(_holed(4), nan=uniform((), 1, 2)),
        Case(_infinite, posinf=uniform((), 1, 2), neginf=uniform((), 1, 2), passive=(0,)),
    ],
)  # fmt: skip


# Medians and quantiles: nan comes last in order, so the places are those among the numbers before it
def _nanquantile(scale: int) -> Any:
    def partial(
        d: Any, y: Any, x: Any, q: Any, *, axis: Axis = None, keepdims: bool = False, overwrite_input: bool = False
    ) -> Any:
        return _order(d, x, q / scale if scale > 1 else q, axis, keepdims)

    return partial


def _nanmedian(
    d: Any, y: Any, x: Any, *, axis: Axis = None, keepdims: bool = False, overwrite_input: bool = False
) -> Any:
    return _order(d, x, 0.5, axis, keepdims)


def _order(d: Any, x: Any, q: Any, axis: Axis, keepdims: bool) -> Any:
    row, d, back = in_a_row(x, d, axis, keepdims)
    last = np.sum(_known(row), axis=-1) - 1
    place = np.maximum(q * last, 0)  # where all is nan, nothing flows
    low = np.floor(place).astype(np.dtype(np.intp))
    share, high = place - low, np.minimum(low + 1, np.maximum(last, 0))
    if row.ndim > 1:
        d, share, low, high = (np.expand_dims(each, -1) for each in (d, share, low, high))
        ordered = np.sort(row, axis=-1)
        there = np.take_along_axis(ordered, low, axis=-1), np.take_along_axis(ordered, high, axis=-1)
    else:
        ordered = np.sort(row)
        there = ordered[low], ordered[high]
    reached = [(row == each) / np.maximum(np.sum(row == each, **alike(row, row.ndim - 1)), 1) for each in there]
    return back(d * (1 - share) * reached[0] + d * share * reached[1])


def _q_refused(d: Any, y: Any, x: Any, q: Any, **options: Any) -> Any:
    from ..errors import Unsupported

    raise Unsupported("quantiles that leave nan out are not differentiated in q")


def _quantile_type(function: Any) -> Any:
    def infer(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Any:
        if array(types[1]).ndim:
            raise Unsupported(f"np.{function.__name__} at several points", "Call it once for each, and use np.stack.")
        x, q = map(array, types)
        return Array(dtype_of(function, (x, q)), reduced_axes(x, attrs))

    return infer


for function, q in ((np.nanmedian, None), (np.nanquantile, 0.3), (np.nanpercentile, 30.0)):
    points = [] if q is None else [q]
    general(
        function,
        _nanmedian if q is None else _nanquantile(100 if q > 1 else 1),
        *([] if q is None else [_q_refused]),
        operands=("a", "q")[: 1 + len(points)],
        keywords=("axis", "keepdims", "overwrite_input"),
        signature=(
            "a",
            *("q",)[: len(points)],
            "axis",
            "out",
            "overwrite_input",
            *("method",)[: len(points)],
            "keepdims",
        ),
        infer=reduction(function) if q is None else _quantile_type(function),
        cases=[
            *(Case(case.operands[0], *points, **case.attrs) for case in _forms()),
            Case(_holed(4), *points, overwrite_input=False),
        ],
        convention="ties split evenly",
    )

# Running sums and products: nan counts as 0, or as 1
for function, running_partial, neutral in ((np.nancumsum, cumsum, 0.0), (np.nancumprod, cumprod, 1.0)):
    general(
        function,
        lambda d, y, x, *, axis=None, dtype=None, partial=running_partial, neutral=neutral: (
            partial(d, y, np.where(np.isnan(x), neutral, x), axis=axis) * _known(x)
        ),
        operands=("a",),
        keywords=("axis", "dtype"),
        signature=("a", "axis", "dtype", "out"),
        infer=running(function),
        cases=[
            *(
                Case(_holed(*shape), axis=axis)
                for shape, axis in (((4,), None), ((2, 3), None), ((2, 3), 0), ((2, 3), -1))
            ),
            Case(_holed(4), dtype=np.float64),
        ],
    )

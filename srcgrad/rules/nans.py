"""Derivatives of functions that leave nan out: nothing flows back to it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import Unsupported
from .axes import Axis, alike, reduction, restored
from .internal import conj
from .reductions import POSITIONS, extreme_share
from .registry import Case, elementwise, general, linear

function: Any  # the tables below loop over functions of different types


def _holed(*shape: int) -> Any:
    """An array with a nan in it."""

    def draw(rng: np.random.Generator) -> Any:
        x = rng.uniform(-2.0, 2.0, shape)
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


def _known(x: Any) -> Any:
    return ~np.isnan(x)


def _number(x: Any, axis: Axis) -> Any:
    return np.sum(_known(x), **alike(x, axis))


def _nanmean(d: Any, y: Any, x: Any, *, axis: Axis = None, dtype: Any = None, keepdims: bool = False) -> Any:
    return restored(d, x, axis, keepdims) / _number(x, axis) * _known(x)


def _deviation(x: Any, axis: Axis) -> Any:
    return np.where(np.isnan(x), 0.0, x - np.nanmean(x, **alike(x, axis)))


def _nanvar(
    d: Any, y: Any, x: Any, *, axis: Axis = None, dtype: Any = None, ddof: int = 0, keepdims: bool = False
) -> Any:
    number = _number(x, axis) - ddof if ddof else _number(x, axis)
    return 2 * restored(d, x, axis, keepdims) / number * conj(_deviation(x, axis))


def _nanstd(
    d: Any, y: Any, x: Any, *, axis: Axis = None, dtype: Any = None, ddof: int = 0, keepdims: bool = False
) -> Any:
    number = _number(x, axis) - ddof if ddof else _number(x, axis)
    divisor = number * restored(np.where(y == 0, 1.0, y), x, axis, keepdims)
    return restored(d, x, axis, keepdims) / divisor * conj(_deviation(x, axis))


linear(
    np.nansum,
    lambda d, y, x, *, axis=None, dtype=None, keepdims=False: restored(d, x, axis, keepdims) * _known(x),
    tangent=lambda ts, y, x, **attrs: np.sum(np.where(np.isnan(x), 0.0, ts[0]), **attrs),
    operands=("a",),
    keywords=("axis", "dtype", "keepdims"),
    signature=POSITIONS,
    infer=reduction(np.nansum),
    cases=[*_forms(), Case(_holed(4), dtype=np.float64)],
)
general(
    np.nanmean,
    _nanmean,
    operands=("a",),
    keywords=("axis", "dtype", "keepdims"),
    signature=POSITIONS,
    infer=reduction(np.nanmean),
    cases=[*_forms(), Case(_holed(4), dtype=np.float64)],
)
for function, partial in ((np.nanvar, _nanvar), (np.nanstd, _nanstd)):
    general(
        function,
        partial,
        operands=("a",),
        keywords=("axis", "dtype", "ddof", "keepdims"),
        signature=("a", "axis", "dtype", "out", "ddof", "keepdims"),
        infer=reduction(function),
        cases=[*_forms(), *_forms(ddof=1), Case(_holed(4), dtype=np.float64)],
        convention="the deviation of equal numbers has derivative 0",
    )
for function in (np.nanmax, np.nanmin):
    general(
        function,
        lambda d, y, x, *, axis=None, keepdims=False: extreme_share(
            restored(d, x, axis, keepdims), restored(y, x, axis, keepdims), x, axis
        ),
        operands=("a",),
        keywords=("axis", "keepdims"),
        signature=("a", "axis", "out", "keepdims"),
        infer=reduction(function),
        cases=_forms(),
        convention="ties split evenly",
    )


def _nan_to_num(d: Any, y: Any, x: Any) -> Any:
    if x.dtype.kind == "c":
        raise Unsupported("np.nan_to_num of complex numbers is not differentiated", "Take real and imaginary parts.")
    return d * np.isfinite(x)


elementwise(
    np.nan_to_num,
    _nan_to_num,
    operands=("x",),
    cases=[Case((2, 3)), Case(_holed(4)), Case(())],
)

"""Derivatives of functions that put elements into another order: the transpose puts them back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.dims import Dim, Facts
from ..ir.types import Array
from .axes import AxesRule, keeps_dtype, normal_axis, same_shape, size
from .registry import Case, general, linear

function: Any  # the tables below loop over functions of different types


# Permuting axes
def _order(axes: Any, ndim: int) -> tuple[int, ...]:
    if axes is None:
        return tuple(range(ndim))[::-1]
    order = tuple(normal_axis(axis, ndim) for axis in axes)
    if sorted(order) != list(range(ndim)):
        raise Unsupported(f"axes {axes} do not fit an array with {ndim} axes")
    return order


def _transpose(d: Any, y: Any, x: Any, *, axes: Any = None) -> Any:
    if axes is None or x.ndim < 3:
        return d.T if _order(axes, x.ndim) != tuple(range(x.ndim)) else d
    return np.transpose(d, tuple(int(i) for i in np.argsort(_order(axes, x.ndim))))


linear(
    np.transpose,
    _transpose,
    operands=("a",),
    keywords=("axes",),
    infer=keeps_dtype(lambda facts, x, attrs: tuple(x.axes[i] for i in _order(attrs.get("axes"), x.ndim))),
    view=True,
    cheap=True,
    aliases=tuple(filter(None, [getattr(np, "permute_dims", None)])),
    cases=[
        *(Case(shape) for shape in ((), (3,), (2, 3), (2, 3, 4))),
        *(Case((2, 3, 4), axes=axes) for axes in ((1, 2, 0), (0, 2, 1), (-1, 0, 1))),
        *(Case((2, 3), axes=axes) for axes in ((0, 1), (1, 0))),
    ],
)


def _swapped(facts: Facts, x: Array, attrs: Mapping[str, Any]) -> tuple[Dim, ...]:
    i, j = (normal_axis(attrs[name], x.ndim) for name in ("axis1", "axis2"))
    axes = list(x.axes)
    axes[i], axes[j] = axes[j], axes[i]
    return tuple(axes)


linear(
    np.swapaxes,
    lambda d, y, x, *, axis1, axis2: np.swapaxes(d, axis1, axis2),
    operands=("a",),
    keywords=("axis1", "axis2"),
    infer=keeps_dtype(_swapped),
    view=True,
    cheap=True,
    cases=[
        Case((2, 3, 4), axis1=0, axis2=-1),
        Case((2, 3), axis1=0, axis2=1),
        Case((2, 3), axis1=1, axis2=1),
    ],
)


def _matrices(facts: Facts, x: Array, attrs: Mapping[str, Any]) -> tuple[Dim, ...]:
    if x.ndim < 2:
        raise Unsupported("np.matrix_transpose of an array with fewer than two axes")
    return (*x.axes[:-2], x.axes[-1], x.axes[-2])


linear(
    np.matrix_transpose,
    lambda d, y, x: np.swapaxes(d, -1, -2),
    infer=keeps_dtype(_matrices),
    view=True,
    cases=[Case((2, 3)), Case((4, 2, 3))],
)


def _permuted(function: Any, *names: str) -> AxesRule:
    """Where the axes go, found by asking NumPy."""

    def axes(facts: Facts, x: Array, attrs: Mapping[str, Any]) -> tuple[Dim, ...]:
        try:
            numbered = function(np.empty(tuple(range(2, x.ndim + 2))), **attrs).shape
        except (ValueError, TypeError) as error:
            raise Unsupported(f"np.{function.__name__}: {error}") from None
        return tuple(x.axes[n - 2] for n in numbered)

    return axes


linear(
    np.moveaxis,
    lambda d, y, x, *, source, destination: np.moveaxis(d, destination, source),
    operands=("a",),
    keywords=("source", "destination"),
    infer=keeps_dtype(_permuted(np.moveaxis)),
    view=True,
    cases=[
        Case((2, 3, 4), source=0, destination=-1),
        Case((2, 3, 4), source=2, destination=0),
        Case((2, 3, 4), source=(0, 1), destination=(2, 0)),
    ],
)


def _rollaxis(d: Any, y: Any, x: Any, *, axis: int, start: int = 0) -> Any:
    order = np.rollaxis(np.empty(tuple(range(2, x.ndim + 2))), axis, start).shape
    return np.transpose(d, tuple(int(i) for i in np.argsort(order)))


linear(
    np.rollaxis,
    _rollaxis,
    operands=("a",),
    keywords=("axis", "start"),
    infer=keeps_dtype(_permuted(np.rollaxis)),
    view=True,
    cases=[Case((2, 3, 4), axis=2), Case((2, 3, 4), axis=0, start=2), Case((2, 3, 4), axis=-1, start=1)],
)

# Reversing and shifting
linear(
    np.flip,
    lambda d, y, x, *, axis=None: np.flip(d) if axis is None else np.flip(d, axis=axis),
    operands=("m",),
    keywords=("axis",),
    infer=keeps_dtype(same_shape),
    view=True,
    cases=[Case((3,))] + [Case((2, 3), axis=axis) for axis in (None, 0, -1, (0, 1))],
)
for function in (np.fliplr, np.flipud):
    linear(
        function,
        lambda d, y, x, function=function: function(d),
        operands=("m",),
        infer=keeps_dtype(same_shape),
        view=True,
        cases=[Case((2, 3)), Case((2, 3, 2))],
    )
linear(
    np.rot90,
    lambda d, y, x, *, k=1, axes=(0, 1): np.rot90(d, -k, axes),
    operands=("m",),
    keywords=("k", "axes"),
    infer=keeps_dtype(_permuted(np.rot90)),
    view=True,
    cases=[Case((2, 3))] + [Case((2, 3, 4), k=k, axes=axes) for k in (1, 2, -1, 0) for axes in ((0, 1), (2, 1))],
)


def _roll(d: Any, y: Any, x: Any, *dynamic: Any, shift: Any = None, axis: Any = None) -> Any:
    if dynamic:
        return np.roll(d, -dynamic[0], **({} if axis is None else {"axis": axis}))
    return np.roll(d, tuple(-each for each in shift), axis=axis)


linear(
    np.roll,
    _roll,
    operands=("a", "shift"),
    keywords=("axis",),
    infer=keeps_dtype(same_shape),
    cases=[
        Case((3,), 1),
        Case((2, 3), 2),
        Case((2, 3), -1, axis=1),
        Case((4, 3), 1, axis=0),
        Case((2, 3), shift=(1, 2), axis=(0, 1)),
    ],
)


# Sorting: the inverse permutation
def _sorted(facts: Facts, x: Array, attrs: Mapping[str, Any]) -> tuple[Dim, ...]:
    if attrs.get("axis", -1) is None:
        return (size(facts, x),)
    normal_axis(attrs.get("axis", -1), x.ndim)
    return x.axes


def _sort(d: Any, y: Any, x: Any, *, axis: int | None = -1, kind: str | None = None, stable: bool | None = None) -> Any:
    options: dict[str, Any] = {key: value for key, value in (("kind", kind), ("stable", stable)) if value is not None}
    if axis is None:
        return d[np.argsort(np.argsort(np.ravel(x), **options))].reshape(x.shape)
    if x.ndim == 1:
        return d[np.argsort(np.argsort(x, **options))]
    return np.take_along_axis(d, np.argsort(np.argsort(x, axis=axis, **options), axis=axis), axis=axis)


def _partition(d: Any, y: Any, x: Any, *, kth: Any, axis: int | None = -1, kind: str = "introselect") -> Any:
    """The k-th smallest of `x` is the k-th smallest of `y`, wherever the partition has put it."""
    if axis is None:
        return _partition(d, y, np.ravel(x), kth=kth).reshape(x.shape)
    if x.ndim == 1:
        return d[np.argsort(y)][np.argsort(np.argsort(x))]
    ordered = np.take_along_axis(d, np.argsort(y, axis=axis), axis=axis)
    return np.take_along_axis(ordered, np.argsort(np.argsort(x, axis=axis), axis=axis), axis=axis)


def _sort_tangent(
    ts: Any, y: Any, x: Any, *, axis: int | None = -1, kind: str | None = None, stable: bool | None = None
) -> Any:
    (t,) = ts
    options: dict[str, Any] = {key: value for key, value in (("kind", kind), ("stable", stable)) if value is not None}
    if axis is None:
        return np.ravel(t)[np.argsort(np.ravel(x), **options)]
    if x.ndim == 1:
        return t[np.argsort(x, **options)]
    return np.take_along_axis(t, np.argsort(x, axis=axis, **options), axis=axis)


linear(
    np.sort,
    _sort,
    operands=("a",),
    keywords=("axis", "kind", "stable"),
    signature=("a", "axis", "kind", "order"),
    infer=keeps_dtype(_sorted),
    tangent=_sort_tangent,
    cases=[
        Case((5,)),
        Case((3, 4)),
        Case((3, 4), axis=0),
        Case((3, 4), axis=None),
        Case((2, 3, 2), axis=1),
        Case((5,), kind="stable"),
        Case((3, 4), stable=True),
    ],
    convention="equal elements: in the order in which argsort leaves them",
)
general(
    np.partition,
    _partition,
    operands=("a",),
    keywords=("kth", "axis", "kind"),
    signature=("a", "kth", "axis", "kind", "order"),
    infer=keeps_dtype(_sorted),
    cases=[
        Case((7,), kth=3),
        Case((7,), kth=(1, 4), kind="introselect"),
        Case((3, 5), kth=2),
        Case((5, 3), kth=2, axis=0),
        Case((2, 3), kth=2, axis=None),
    ],
    convention="equal elements: in the order in which argsort leaves them",
)

"""Derivatives of functions that change the shape alone, and of copies and casts: each is linear."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.dims import ONE, Dim, Facts, as_dim, product
from ..ir.infer import check_equal
from ..ir.types import Array, Type
from .axes import AxesRule, array, dtype_of, keeps_dtype, normal_axes, size
from .internal import unbroadcast
from .registry import Case, elementwise, linear

function: Any  # the tables below loop over functions of different types


# Reshaping. The order of the elements by their places in memory ("A", "K") is nothing that types tell.
def _check_order(attrs: Mapping[str, Any]) -> None:
    if attrs.get("order", "C") not in ("C", "F"):
        raise Unsupported(f"order={attrs['order']!r} goes by the layout of the memory", "Known: 'C' and 'F'.")


def _reshaped(facts: Facts, x: Array, attrs: Mapping[str, Any]) -> tuple[Dim, ...]:
    _check_order(attrs)
    shape = attrs["shape"]
    target = [facts.canon(as_dim(n)) for n in (shape if isinstance(shape, (tuple, list)) else (shape,))]
    free = [i for i, dim in enumerate(target) if dim.constant == -1]
    if len(free) > 1:
        raise Unsupported("reshape can find out one unknown length only")
    if free:
        others = [dim for i, dim in enumerate(target) if i != free[0]]
        target[free[0]] = _quotient(facts, [facts.canon(dim) for dim in x.axes], others)
    else:
        check_equal(facts, size(facts, x), product(target), "reshape: numbers of elements")
    return tuple(target)


def _quotient(facts: Facts, top: Sequence[Dim], bottom: Sequence[Dim]) -> Dim:
    """The length that -1 stands for: the product of `top` without the factors of `bottom`."""
    left, right = list(top), []
    for dim in bottom:
        left.remove(dim) if dim in left else right.append(dim)
    number, divisor = product(left), product(right)
    if divisor.constant:
        return number // divisor.constant
    if len(divisor.terms) == 1:
        ((monomial, c),) = divisor.terms
        terms = [_without(m, monomial) for m, _ in number.terms]
        if all(m is not None for m in terms) and all(k % c == 0 for _, k in number.terms):
            return Dim(tuple((m, k // c) for m, (_, k) in zip(terms, number.terms) if m is not None))
    return facts.fresh()


def _without(monomial: tuple[Any, ...], factors: tuple[Any, ...]) -> tuple[Any, ...] | None:
    rest = list(monomial)
    for factor in factors:
        if factor not in rest:
            return None
        rest.remove(factor)
    return tuple(rest)


def _atleast(n: int) -> AxesRule:
    def axes(facts: Facts, x: Array, attrs: Mapping[str, Any]) -> tuple[Dim, ...]:
        if x.ndim >= n:
            return x.axes
        before = {1: 0, 2: 1, 3: 1 if x.ndim < 2 else 0}[n] if x.ndim else n
        return (*(ONE,) * before, *x.axes, *(ONE,) * (n - before - x.ndim))

    return axes


def _raveled(facts: Facts, x: Array, attrs: Mapping[str, Any]) -> tuple[Dim, ...]:
    _check_order(attrs)
    return (size(facts, x),)


def _shaped_back(d: Any, x: Any, order: Any) -> Any:
    if order == "C" or d.ndim < 2 > x.ndim:
        return d.reshape(x.shape)
    return np.reshape(d, x.shape, order=order)


linear(
    np.reshape,
    lambda d, y, x, *names, shape, order="C": _shaped_back(d, x, order),
    fn=lambda x, *names, shape, order="C": np.reshape(x, shape, order),
    operands=("a",),
    keywords=("shape", "order"),
    infer=keeps_dtype(_reshaped),
    view=True,
    cases=[
        Case((2, 3), shape=(3, 2)),
        Case((2, 3), shape=6),
        Case((2, 3), shape=(-1,)),
        Case((2, 3), shape=(3, -1)),
        Case((2, 3, 4), shape=(2, -1)),
        Case((6,), shape=(1, 2, -1)),
        Case((), shape=(1, 1)),
        Case((1,), shape=()),
        Case((2, 3), shape=(3, 2), order="F"),
        Case((2, 3), shape=(3, -1), order="F"),
        Case((2, 3, 2), shape=6 * 2, order="F"),
        Case((6,), shape=(3, 2), order="F"),
        Case((2, 3), shape=(3, 2), order="C"),
    ],
)
linear(
    np.ravel,
    lambda d, y, x, *, order="C": _shaped_back(d, x, order),
    operands=("a",),
    keywords=("order",),
    infer=keeps_dtype(_raveled),
    view=True,
    cases=[
        Case((2, 3)),
        Case((3,)),
        Case(()),
        Case((2, 3), order="F"),
        Case((2, 3, 2), order="F"),
        Case((3,), order="F"),
    ],
)
_AT_LEAST: tuple[Any, ...] = (np.atleast_1d, np.atleast_2d, np.atleast_3d)
for n, function in enumerate(_AT_LEAST, 1):
    linear(
        function,
        lambda d, y, x: d.reshape(x.shape),
        operands=("a",),
        infer=keeps_dtype(_atleast(n)),
        view=True,
        cases=[Case(()), Case((3,)), Case((2, 3)), Case((2, 3, 2)), Case((1, 3))],
    )


def _expanded(facts: Facts, x: Array, attrs: Mapping[str, Any]) -> tuple[Dim, ...]:
    axis = attrs["axis"]
    added = len(axis) if isinstance(axis, (tuple, list)) else 1
    new, rest = normal_axes(axis, x.ndim + added), iter(x.axes)
    return tuple(ONE if i in new else next(rest) for i in range(x.ndim + added))


def _squeezed(facts: Facts, x: Array, attrs: Mapping[str, Any]) -> tuple[Dim, ...]:
    axis = attrs.get("axis")
    if axis is None:
        return tuple(dim for dim in x.axes if not facts.is_one(dim))
    axes = normal_axes(axis, x.ndim)
    for i in axes:
        check_equal(facts, x.axes[i], ONE, "squeeze")
    return tuple(dim for i, dim in enumerate(x.axes) if i not in axes)


linear(
    np.expand_dims,
    lambda d, y, x, *, axis: d.reshape(x.shape) if x.ndim == 0 else np.squeeze(d, axis=axis),
    operands=("a",),
    keywords=("axis",),
    infer=keeps_dtype(_expanded),
    view=True,
    cheap=True,
    cases=[Case((2, 3), axis=k) for k in (0, 1, 2, -1, (0, 1), (0, -1))] + [Case((), axis=0)],
)
linear(
    np.squeeze,
    lambda d, y, x, *, axis=None: d.reshape(x.shape) if axis is None else np.expand_dims(d, axis),
    operands=("a",),
    keywords=("axis",),
    infer=keeps_dtype(_squeezed),
    view=True,
    cheap=True,
    cases=[Case((2, 1, 3)), Case((1, 3), axis=0), Case((1, 3, 1), axis=(0, -1)), Case((1, 1)), Case((2, 3))],
)


def _broadcast_to(facts: Facts, x: Array, attrs: Mapping[str, Any]) -> tuple[Dim, ...]:
    shape = attrs["shape"]
    target = tuple(as_dim(n) for n in (shape if isinstance(shape, (tuple, list)) else (shape,)))
    if len(target) < x.ndim:
        raise Unsupported(f"cannot broadcast {x.ndim} axes to {len(target)}")
    for dim, wanted in zip(x.axes, target[len(target) - x.ndim :]):
        if not facts.is_one(dim):
            check_equal(facts, dim, wanted, "broadcast_to")
    return target


linear(
    np.broadcast_to,
    lambda d, y, x, *names, shape: unbroadcast(d, x),
    fn=lambda x, *names, shape: np.broadcast_to(x, shape),
    operands=("array",),
    keywords=("shape",),
    infer=keeps_dtype(_broadcast_to),
    view=True,
    cases=[
        Case((3,), shape=(2, 3)),
        Case((2, 1), shape=(4, 2, 3)),
        Case((), shape=(3,)),
        Case((1,), shape=3),
        Case((2, 3), shape=(2, 3)),
    ],
)


# Copies and casts
def _converted(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    x = array(types[0])
    if attrs.get("copy", True) is not True:
        raise Unsupported("np.array with `copy=` other than True", "Use np.asarray.")
    return Array(np.dtype(attrs["dtype"]) if attrs.get("dtype") is not None else x.dtype, x.axes)


for function, names in (
    (np.array, ("dtype", "copy")),
    (np.asarray, ("dtype",)),
    (np.ascontiguousarray, ("dtype",)),
    (np.copy, ("order",)),
):
    linear(
        function,
        lambda d, y, x, *, dtype=None, copy=None, order=None: d,
        operands=("a",),
        keywords=names,
        infer=_converted,
        view=function not in (np.copy, np.array),
        cases=[
            Case((2, 3)),
            *(Case((2, 3), **{name: {"dtype": np.float64, "copy": True, "order": "F"}[name]}) for name in names),
        ],
    )


# Real and imaginary parts. A cotangent is the derivative in z itself, not in its conjugate.
def _real_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    x = array(types[0])
    return Array(dtype_of(np.real, (x,)), x.axes)


def _imag(d: Any, y: Any, x: Any) -> Any:
    return -1j * d if x.dtype.kind == "c" else None


linear(np.real, lambda d, y, x: d, operands=("val",), infer=_real_type, view=True, cases=[Case((2, 3)), Case(())])
linear(np.imag, _imag, operands=("val",), infer=_real_type, view=True, cases=[Case((2, 3)), Case(())])
elementwise(
    np.conjugate,
    lambda d, y, x: np.conjugate(d) if d.dtype.kind == "c" else d,
    aliases=(np.conj,),
)

"""Axis arithmetic that several tables share: normal axes, reduced axes and their restoration, dtypes from probes."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.dims import ONE, Dim, Facts, as_dim, product
from ..ir.infer import check_equal
from ..ir.primitive import Infer
from ..ir.types import Array, Type
from .internal import broadcast

Axis = int | tuple[int, ...] | None
AxesRule = Callable[[Facts, Array, Mapping[str, Any]], tuple[Dim, ...]]


def normal_axis(axis: Any, ndim: int) -> int:
    """A single axis counted from the front."""
    if not isinstance(axis, (int, np.integer)):
        raise Unsupported(f"axis must be a whole number known when compiling, not {axis!r}")
    if not -ndim <= axis < ndim:
        raise Unsupported(f"axis {axis} is out of bounds for an array with {ndim} axes")
    return int(axis) % ndim


def normal_axes(axis: Any, ndim: int) -> tuple[int, ...]:
    """`axis=` of a reduction as sorted axes counted from the front; None is all of them."""
    if axis is None:
        return tuple(range(ndim))
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    found = sorted(normal_axis(each, ndim) for each in axes)
    if len(set(found)) < len(found):
        raise Unsupported(f"axis {axis} names an axis twice")
    return tuple(found)


def axis_form(axes: Sequence[int]) -> int | tuple[int, ...]:
    """The shortest way to write `axis=`."""
    return axes[0] if len(axes) == 1 else tuple(axes)


def count(x: Any, axis: Axis) -> Any:
    """How many elements a reduction over `axis` takes together."""
    if axis is None:
        return x.size
    return plain(product(as_dim(x.shape[each]) for each in normal_axes(axis, x.ndim)))


def plain(length: Dim) -> Any:
    """A length that is known to be a number, as that number."""
    return length if length.constant is None else length.constant


def restored(d: Any, x: Any, axis: Axis, keepdims: bool) -> Any:
    """The result of a reduction with axes of length one put back, as far as broadcasting against `x` needs them."""
    axes = normal_axes(axis, x.ndim)
    if keepdims or axes == tuple(range(len(axes))):
        return d
    return np.expand_dims(d, axis_form(axes))


def spread(d: Any, x: Any, axis: Axis, keepdims: bool) -> Any:
    """The cotangent of a sum, repeated over the axes that were summed."""
    return broadcast(restored(d, x, axis, keepdims), x.shape)


def alike(x: Any, axis: Axis) -> dict[str, Any]:
    """Keywords of a reduction whose result broadcasts against `x` itself: `keepdims` only where it is needed."""
    axes = normal_axes(axis, x.ndim)
    if axes == tuple(range(x.ndim)):
        return {}
    return {"axis": axis} if axes == tuple(range(len(axes))) else {"axis": axis, "keepdims": True}


def reduced_axes(x: Array, attrs: Mapping[str, Any]) -> tuple[Dim, ...]:
    axes = normal_axes(attrs.get("axis"), x.ndim)
    if attrs.get("keepdims"):
        return tuple(ONE if i in axes else dim for i, dim in enumerate(x.axes))
    return tuple(dim for i, dim in enumerate(x.axes) if i not in axes)


def reduction(function: Callable[..., Any]) -> Infer:
    """Inference for a function that takes some axes together to one value each."""

    def infer(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
        x = array(types[0])
        if attrs.get("out") is not None:
            raise Unsupported(f"np.{function.__name__} with `out=`", "Assign the result instead.")
        known = {"dtype": attrs["dtype"]} if attrs.get("dtype") is not None else {}
        for name in ("where", "mean"):
            if isinstance(attrs.get(name), Array):
                fits(facts, attrs[name], x.axes, f"np.{function.__name__}: lengths of `{name}=`")
        if isinstance(attrs.get("initial"), Array) and attrs["initial"].ndim:
            raise Unsupported(f"np.{function.__name__} with an array for `initial=`", "It takes a number.")
        return Array(dtype_of(function, (x,), **known), reduced_axes(x, attrs))

    return infer


def fits(facts: Facts, part: Array, whole: Sequence[Dim], what: str) -> None:
    """Whether `part` broadcasts to these axes without making them longer."""
    if part.ndim > len(whole):
        raise Unsupported(f"{what}: {part.ndim} axes beside {len(whole)}")
    for dim, length in zip(part.axes, whole[len(whole) - part.ndim :]):
        if not facts.is_one(dim):
            check_equal(facts, dim, length, what)


def same_axes(function: Callable[..., Any]) -> Infer:
    """Inference for a function that keeps the shape of its first operand: its dtype comes from a probe."""

    def infer(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
        x = array(types[0])
        return Array(dtype_of(function, (x,)), x.axes)

    return infer


def keeps_dtype(axes: AxesRule) -> Infer:
    """Inference for a function that keeps the dtype: `axes` says what becomes of the shape."""

    def infer(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
        x = array(types[0])
        return Array(x.dtype, axes(facts, x, attrs))

    return infer


def same_shape(facts: Facts, x: Array, attrs: Mapping[str, Any]) -> tuple[Dim, ...]:
    if attrs.get("axis") is not None:
        normal_axes(attrs["axis"], x.ndim)
    return x.axes


def size(facts: Facts, x: Array) -> Dim:
    """The number of elements."""
    return product(facts.canon(dim) for dim in x.axes)


def refuse_empty(facts: Facts, name: str, *lengths: Dim) -> None:
    """Where a derivative needs an element along each of some axes; of a length known only inside, NumPy decides."""
    for length in map(facts.canon, lengths):
        if not facts.require(">=", length, ONE) and length.evaluate(facts.sizes) == 0:
            raise Unsupported(
                f"{name} of an array without elements is not differentiated", "Leave that case out: `if`."
            )


def square(facts: Facts, x: Array, name: str) -> tuple[Dim, ...]:
    """The axes of a stack of square matrices."""
    if x.ndim < 2:
        raise Unsupported(f"{name} needs a matrix")
    check_equal(facts, x.axes[-2], x.axes[-1], f"{name} of a matrix that is not square")
    return x.axes


def array(type: Type) -> Array:
    if not isinstance(type, Array):
        raise Unsupported(f"{type} where an array is needed")
    return type


def dtype_of(function: Callable[..., Any], types: Iterable[Array], ndim: int = 1, **attrs: Any) -> np.dtype[Any]:
    """The dtype of a function's result, for operands of these dtypes and any shape."""
    key = tuple((t.dtype, t.weak) for t in types)
    return _dtype_of(function, key, ndim, tuple(sorted(attrs.items())))


@lru_cache(maxsize=4096)
def _dtype_of(
    function: Callable[..., Any],
    key: tuple[tuple[np.dtype[Any], bool], ...],
    ndim: int,
    attrs: tuple[tuple[str, Any], ...],
) -> np.dtype[Any]:
    probes = [dtype.type(1).item() if weak else np.ones((1,) * ndim, dtype) for dtype, weak in key]
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            result = function(*probes, **dict(attrs))
        except Exception as error:
            names = ", ".join(str(dtype) for dtype, _ in key)
            name = getattr(function, "__name__", "the function")
            raise Unsupported(f"{name} does not take ({names}): {error}") from None
    dtype: np.dtype[Any] = np.asarray(result).dtype
    return dtype


def along(axis: int, part: Any) -> Any:
    """The index that applies `part` to one axis and keeps those before it whole."""
    return part if axis == 0 else (*(slice(None),) * axis, part)

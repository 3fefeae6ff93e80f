"""Derivatives of functions that rearrange elements: each is linear, and its transpose rearranges them back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.dims import ONE, Dim, Facts, as_dim, product
from ..ir.infer import broadcast_axes, check_equal
from ..ir.primitive import Infer
from ..ir.types import Array, Type
from .axes import array, axis_form, dtype_of, normal_axes, normal_axis
from .internal import arange, placed, unbroadcast
from .registry import Case, elementwise, linear, uniform

AxesRule = Callable[[Facts, Array, Mapping[str, Any]], tuple[Dim, ...]]


def _typed(axes: AxesRule) -> Infer:
    """Inference for a function that keeps the dtype: `axes` says what becomes of the shape."""

    def infer(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
        x = array(types[0])
        return Array(x.dtype, axes(facts, x, attrs))

    return infer


def _kept(facts: Facts, x: Array, attrs: Mapping[str, Any]) -> tuple[Dim, ...]:
    axis = attrs.get("axis")
    if axis is not None:
        normal_axes(axis, x.ndim)
    return x.axes


def size(facts: Facts, x: Array) -> Dim:
    return product(facts.canon(dim) for dim in x.axes)


# Reshaping
def _reshaped(facts: Facts, x: Array, attrs: Mapping[str, Any]) -> tuple[Dim, ...]:
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


linear(
    np.reshape,
    lambda d, y, x, *names, shape: d.reshape(x.shape),
    fn=lambda x, *names, shape: np.reshape(x, shape),
    operands=("a",),
    keywords=("shape",),
    infer=_typed(_reshaped),
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
    ],
)
linear(
    np.ravel,
    lambda d, y, x: d.reshape(x.shape),
    operands=("a",),
    infer=_typed(lambda facts, x, attrs: (size(facts, x),)),
    view=True,
    cases=[Case((2, 3)), Case((3,)), Case(())],
)
for n, function in enumerate((np.atleast_1d, np.atleast_2d, np.atleast_3d), 1):
    linear(
        function,
        lambda d, y, x: d.reshape(x.shape),
        operands=("a",),
        infer=_typed(_atleast(n)),
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
    infer=_typed(_expanded),
    view=True,
    cheap=True,
    cases=[Case((2, 3), axis=k) for k in (0, 1, 2, -1, (0, 1), (0, -1))] + [Case((), axis=0)],
)
linear(
    np.squeeze,
    lambda d, y, x, *, axis=None: d.reshape(x.shape) if axis is None else np.expand_dims(d, axis),
    operands=("a",),
    keywords=("axis",),
    infer=_typed(_squeezed),
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
    infer=_typed(_broadcast_to),
    view=True,
    cases=[
        Case((3,), shape=(2, 3)),
        Case((2, 1), shape=(4, 2, 3)),
        Case((), shape=(3,)),
        Case((1,), shape=3),
        Case((2, 3), shape=(2, 3)),
    ],
)


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
    infer=_typed(lambda facts, x, attrs: tuple(x.axes[i] for i in _order(attrs.get("axes"), x.ndim))),
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
    infer=_typed(_swapped),
    view=True,
    cheap=True,
    cases=[Case((2, 3, 4), axis1=0, axis2=-1), Case((2, 3), axis1=0, axis2=1), Case((2, 3), axis1=1, axis2=1)],
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
    infer=_typed(_permuted(np.moveaxis)),
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
    infer=_typed(_permuted(np.rollaxis)),
    view=True,
    cases=[Case((2, 3, 4), axis=2), Case((2, 3, 4), axis=0, start=2), Case((2, 3, 4), axis=-1, start=1)],
)

# Reversing and shifting
linear(
    np.flip,
    lambda d, y, x, *, axis=None: np.flip(d, axis=axis),
    operands=("m",),
    keywords=("axis",),
    infer=_typed(_kept),
    view=True,
    cases=[Case((3,))] + [Case((2, 3), axis=axis) for axis in (None, 0, -1, (0, 1))],
)
for function in (np.fliplr, np.flipud):
    linear(
        function,
        lambda d, y, x, function=function: function(d),
        operands=("m",),
        infer=_typed(_kept),
        view=True,
        cases=[Case((2, 3)), Case((2, 3, 2))],
    )
linear(
    np.rot90,
    lambda d, y, x, *, k=1, axes=(0, 1): np.rot90(d, -k, axes),
    operands=("m",),
    keywords=("k", "axes"),
    infer=_typed(_permuted(np.rot90)),
    view=True,
    cases=[Case((2, 3))] + [Case((2, 3, 4), k=k, axes=axes) for k in (1, 2, -1, 0) for axes in ((0, 1), (2, 1))],
)


def _roll(d: Any, y: Any, x: Any, *dynamic: Any, shift: Any = None, axis: Any = None) -> Any:
    if dynamic:
        return np.roll(d, -dynamic[0], axis=axis)
    return np.roll(d, tuple(-each for each in shift), axis=axis)


linear(
    np.roll,
    _roll,
    operands=("a", "shift"),
    keywords=("axis",),
    infer=_typed(_kept),
    cases=[
        Case((3,), 1),
        Case((2, 3), 2),
        Case((2, 3), -1, axis=1),
        Case((4, 3), 1, axis=0),
        Case((2, 3), shift=(1, 2), axis=(0, 1)),
    ],
)


# Repeating: a cotangent is summed over the copies
def _repeated(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    x, repeats = map(array, types)
    axis = attrs.get("axis")
    times = repeats.dim if repeats.ndim == 0 else None
    if axis is None:
        return Array(x.dtype, (facts.fresh() if times is None else size(facts, x) * times,))
    axis = normal_axis(axis, x.ndim)
    length = facts.fresh() if times is None else facts.canon(x.axes[axis]) * times
    return Array(x.dtype, (*x.axes[:axis], length, *x.axes[axis + 1 :]))


def _repeat(d: Any, y: Any, x: Any, repeats: Any, *, axis: int | None = None) -> Any:
    times = _static(repeats, "np.repeat with a number of copies for each element")
    if axis is None:
        return np.sum(d.reshape((*x.shape, times)), axis=-1)
    axis = normal_axis(axis, x.ndim)
    return np.sum(d.reshape((*x.shape[: axis + 1], times, *x.shape[axis + 1 :])), axis=axis + 1)


def _static(x: Any, what: str) -> Any:
    """An integer operand as a number or a length."""
    if isinstance(x, (int, np.integer)):
        return int(x)
    if x.const is not None:
        return int(x.const)
    if x.ndim or x.type.dim is None:
        raise Unsupported(f"{what} is not differentiated")
    return x.type.dim


linear(
    np.repeat,
    _repeat,
    operands=("a", "repeats"),
    keywords=("axis",),
    infer=_repeated,
    cases=[Case((3,), 2), Case((2, 3), 2), Case((2, 3), 3, axis=0), Case((2, 3), 2, axis=-1), Case((), 3), Case((3,), 1)],
)


def _reps(attrs: Mapping[str, Any], ndim: int) -> tuple[list[Dim], list[Dim]]:
    reps = attrs["reps"]
    times = [as_dim(n) for n in (reps if isinstance(reps, (tuple, list)) else (reps,))]
    return [ONE] * (ndim - len(times)) + times, times


def _tiled(facts: Facts, x: Array, attrs: Mapping[str, Any]) -> tuple[Dim, ...]:
    times, _ = _reps(attrs, x.ndim)
    lengths = (*(ONE,) * (len(times) - x.ndim), *x.axes)
    return tuple(facts.canon(n) * k for n, k in zip(lengths, times))


def _tile(d: Any, y: Any, x: Any, *, reps: Any) -> Any:
    times, _ = _reps({"reps": reps}, x.ndim)
    extra = len(times) - x.ndim
    shape: list[Any] = list(times[:extra])
    summed = list(range(extra))
    for length, n in zip(x.shape, times[extra:]):
        if n.constant != 1:
            summed.append(len(shape))
            shape.append(n)
        shape.append(length)
    if not summed:
        return d
    shape = [n if isinstance(n, int) or n.constant is None else n.constant for n in shape]
    return np.sum(d.reshape(tuple(shape)), axis=axis_form(summed))


linear(
    np.tile,
    _tile,
    operands=("A",),
    keywords=("reps",),
    infer=_typed(_tiled),
    cases=[
        Case((3,), reps=2),
        Case((3,), reps=(2, 1)),
        Case((2, 3), reps=2),
        Case((2, 3), reps=(2, 3)),
        Case((2, 3), reps=(4, 1, 2)),
        Case((), reps=3),
        Case((2, 1), reps=(1, 1)),
    ],
)


# Diagonals and triangles
def _diagonal_length(facts: Facts, rows: Dim, columns: Dim, offset: int) -> Dim:
    """How long a diagonal is; that a matrix is square is assumed if the example is."""
    facts.require("==", rows, columns)
    rows, columns = facts.canon(rows) + min(offset, 0), facts.canon(columns) - max(offset, 0)
    if facts.require(">=", rows, columns):
        return columns
    return rows if facts.require(">=", columns, rows) else facts.fresh()


def _diagonal_axes(facts: Facts, x: Array, attrs: Mapping[str, Any]) -> tuple[Dim, ...]:
    if x.ndim < 2:
        raise Unsupported("diagonal of an array with fewer than two axes")
    first, second = (normal_axis(attrs.get(name, k), x.ndim) for k, name in enumerate(("axis1", "axis2")))
    length = _diagonal_length(facts, x.axes[first], x.axes[second], attrs.get("offset", 0))
    return (*(dim for i, dim in enumerate(x.axes) if i not in (first, second)), length)


def _onto_diagonal(d: Any, x: Any, offset: int, first: int, second: int) -> Any:
    """Zeros like `x`, with `d` on the diagonal."""
    steps = arange(d, d.shape[-1])
    rows = steps - offset if offset < 0 else steps
    columns = steps + offset if offset > 0 else steps
    index: list[Any] = [slice(None)] * x.ndim
    index[first], index[second] = rows, columns
    if second != first + 1 and first != second + 1 and x.ndim > 2:  # apart, index arrays put their axis first
        d = np.moveaxis(d, -1, 0)
    elif x.ndim > 2:
        d = np.moveaxis(d, -1, min(first, second))
    return placed(x, d, tuple(index))


def _diagonal(d: Any, y: Any, x: Any, *, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    first, second = normal_axis(axis1, x.ndim), normal_axis(axis2, x.ndim)
    if x.ndim == 2 and x.shape[0] == x.shape[1]:
        return np.diag(d, k=offset if first < second else -offset) if offset else np.diag(d)
    return _onto_diagonal(d, x, offset, first, second)


linear(
    np.diagonal,
    _diagonal,
    operands=("a",),
    keywords=("offset", "axis1", "axis2"),
    infer=_typed(_diagonal_axes),
    view=True,
    cases=[
        Case((3, 3)),
        Case((2, 3)),
        Case((4, 4), offset=1),
        Case((4, 3), offset=-1),
        Case((3, 3), offset=1, axis1=1, axis2=0),
        Case((3, 4, 3), axis1=0, axis2=2),
        Case((2, 3, 3), offset=1, axis1=-2, axis2=-1),
    ],
)


def _diag_axes(facts: Facts, x: Array, attrs: Mapping[str, Any]) -> tuple[Dim, ...]:
    k = attrs.get("k", 0)
    if x.ndim == 1:
        return (facts.canon(x.axes[0]) + abs(k),) * 2
    if x.ndim != 2:
        raise Unsupported("np.diag takes a vector or a matrix")
    return (_diagonal_length(facts, *x.axes, k),)


def _diag(d: Any, y: Any, x: Any, *, k: int = 0) -> Any:
    if x.ndim == 1:
        return np.diag(d, k=k) if k else np.diag(d)
    return _diagonal(d, y, x, offset=k)


linear(
    np.diag,
    _diag,
    operands=("v",),
    keywords=("k",),
    infer=_typed(_diag_axes),
    cases=[Case(shape, **k) for shape in ((3,), (3, 3), (4, 3)) for k in ({}, {"k": 1}, {"k": -1})],
)
for function in (np.tril, np.triu):
    linear(
        function,
        lambda d, y, x, *, k=0, function=function: function(d, k) if k else function(d),
        operands=("m",),
        keywords=("k",),
        infer=_typed(lambda facts, x, attrs: x.axes if x.ndim > 1 else (x.axes * 2)),
        cases=[Case((3, 3)), Case((2, 4), k=1), Case((4, 2), k=-1), Case((2, 3, 3), k=1)],
    )


# Padding with constants: the cotangent of the middle
def _widths(pad_width: Any, ndim: int) -> list[tuple[int, int]]:
    return [(int(before), int(after)) for before, after in np.broadcast_to(np.asarray(pad_width), (ndim, 2))]


def _padded(facts: Facts, x: Array, attrs: Mapping[str, Any]) -> tuple[Dim, ...]:
    widths = _widths(attrs["pad_width"], x.ndim)
    return tuple(facts.canon(dim) + (before + after) for dim, (before, after) in zip(x.axes, widths))


def _pad(d: Any, y: Any, x: Any, *, pad_width: Any, mode: str = "constant", constant_values: Any = 0) -> Any:
    if mode != "constant":
        raise Unsupported(f"np.pad with mode={mode!r} is not differentiated", "mode='constant' is.")
    parts = [slice(before or None, -after or None) for before, after in _widths(pad_width, x.ndim)]
    return d[parts[0] if len(parts) == 1 else tuple(parts)] if parts else d


linear(
    np.pad,
    _pad,
    operands=("array",),
    keywords=("pad_width", "mode", "constant_values"),
    infer=_typed(_padded),
    cases=[
        Case((3,), pad_width=1),
        Case((3,), pad_width=(0, 2), mode="constant"),
        Case((2, 3), pad_width=1, constant_values=2.0),
        Case((2, 3), pad_width=((1, 0), (0, 2))),
    ],
)


# Copies and casts
def _converted(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    x = array(types[0])
    return Array(np.dtype(attrs["dtype"]) if attrs.get("dtype") is not None else x.dtype, x.axes)


for function, names in (
    (np.array, ("dtype", "copy")),
    (np.asarray, ("dtype",)),
    (np.ascontiguousarray, ("dtype",)),
    (np.copy, ()),
):
    linear(
        function,
        (lambda d, y, x, *, dtype=None, copy=None: d) if names else (lambda d, y, x: d),
        operands=("a",),
        keywords=names,
        infer=_converted,
        view=function is not np.copy,
        cases=[Case((2, 3)), *(Case((3,), **{name: {"dtype": np.float64, "copy": True}[name]}) for name in names)],
    )


# Real and imaginary parts. A cotangent is the derivative in z itself, not in its conjugate.
def _real_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    x = array(types[0])
    return Array(dtype_of(np.real, (x,)), x.axes)


def _imag(d: Any, y: Any, x: Any) -> Any:
    return -1j * d if x.dtype.kind == "c" else None


linear(np.real, lambda d, y, x: d, operands=("val",), infer=_real_type, cases=[Case((2, 3)), Case(())])
linear(np.imag, _imag, operands=("val",), infer=_real_type, cases=[Case((2, 3)), Case(())])
elementwise(
    np.conjugate,
    lambda d, y, x: np.conjugate(d) if d.dtype.kind == "c" else d,
    aliases=(np.conj,),
)


# Differences: every element counts in the difference before it and, negatively, in the one after it
def _diff_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    x, n = array(types[0]), attrs.get("n", 1)
    axis = normal_axis(attrs.get("axis", -1), x.ndim)
    for name in ("prepend", "append"):
        if name in attrs and not isinstance(attrs[name], (int, float)):
            raise Unsupported(f"np.diff with an array for `{name}=`", "Concatenate it first.")
    length = facts.canon(x.axes[axis]) + (("prepend" in attrs) + ("append" in attrs) - n)
    if not facts.require(">=", length, as_dim(0)):
        length = facts.fresh() if length.constant is None else as_dim(0)
    dtype = dtype_of(_difference, (x,))
    return Array(dtype, (*x.axes[:axis], length, *x.axes[axis + 1 :]))


def _difference(x: Any) -> Any:
    return np.diff(np.concatenate([x, x]))


def _diff(
    d: Any, y: Any, x: Any, *, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None
) -> Any:
    if n == 0:
        return d
    if n > 1 and not (prepend is None and append is None):
        raise Unsupported("np.diff with `prepend=` or `append=` and n > 1 is not differentiated")
    axis = normal_axis(axis, x.ndim)
    widths = (n if prepend is None else 0, n if append is None else 0)
    if any(widths):
        simple = widths if widths[0] != widths[1] else n
        d = np.pad(d, simple if x.ndim == 1 else tuple(widths if i == axis else (0, 0) for i in range(x.ndim)))
    options: dict[str, Any] = {"axis": axis} if axis != x.ndim - 1 else {}
    result = np.diff(d, n, **options) if n > 1 else np.diff(d, **options)
    return -result if n % 2 else result


linear(
    np.diff,
    _diff,
    operands=("a",),
    keywords=("n", "axis", "prepend", "append"),
    infer=_diff_type,
    cases=[
        Case((4,)),
        Case((4,), n=2),
        Case((5, 2), n=3, axis=0),
        Case((4, 3)),
        Case((4, 3), axis=0),
        Case((3,), n=0),
        Case((4,), prepend=0.0),
        Case((4,), append=1.0),
        Case((2, 3), prepend=0.0, append=2.0, axis=0),
    ],
)


# Sorting: the inverse permutation
def _sorted(facts: Facts, x: Array, attrs: Mapping[str, Any]) -> tuple[Dim, ...]:
    if attrs.get("axis", -1) is None:
        return (size(facts, x),)
    normal_axis(attrs.get("axis", -1), x.ndim)
    return x.axes


def _sort(d: Any, y: Any, x: Any, *, axis: int | None = -1) -> Any:
    if axis is None:
        return d[np.argsort(np.argsort(np.ravel(x)))].reshape(x.shape)
    if x.ndim == 1:
        return d[np.argsort(np.argsort(x))]
    return np.take_along_axis(d, np.argsort(np.argsort(x, axis=axis), axis=axis), axis=axis)


linear(
    np.sort,
    _sort,
    operands=("a",),
    keywords=("axis",),
    infer=_typed(_sorted),
    cases=[Case((5,)), Case((3, 4)), Case((3, 4), axis=0), Case((3, 4), axis=None)],
    convention="equal elements: in the order in which argsort leaves them",
)


# Clipping: the cotangent passes where the value does, strictly between the bounds
def _clip_fn(a: Any, *bounds: Any, **absent: None) -> Any:
    low, high = _bounds(bounds, absent)
    return np.clip(a, low, high)


def _bounds(bounds: Sequence[Any], absent: Mapping[str, Any]) -> tuple[Any, Any]:
    """The lower and the upper bound, None where there is none."""
    given = iter(bounds)
    return tuple(None if name in absent else next(given, None) for name in ("a_min", "a_max"))  # type: ignore[return-value]


def _clip_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    arrays = [array(t) for t in types]
    return Array(dtype_of(_clip_dtype, arrays), broadcast_axes(facts, [a.axes for a in arrays]))


def _clip_dtype(a: Any, *bounds: Any) -> Any:
    for bound in bounds:
        a = np.clip(a, bound, None)
    return a


def _clip(d: Any, y: Any, x: Any, *bounds: Any, **absent: Any) -> Any:
    low, high = _bounds(bounds, absent)
    if low is None or high is None:
        return d * (x > low) if high is None else d * (x < high)
    return d * ((x > low) & (x < high))


def _clip_bound(d: Any, y: Any, x: Any, *bounds: Any, upper: bool, **absent: Any) -> Any:
    low, high = _bounds(bounds, absent)
    if low is None or high is None:
        return d * (x <= low) if high is None else d * (x >= high)
    return d * ((x >= high) | (low >= high)) if upper else d * ((x <= low) & (low < high))


elementwise(
    np.clip,
    lambda d, y, x, *bounds, **absent: _clip(d, y, x, *bounds, **absent),
    lambda d, y, x, *bounds, **absent: _clip_bound(d, y, x, *bounds, upper="a_min" in absent, **absent),
    lambda d, y, x, *bounds, **absent: _clip_bound(d, y, x, *bounds, upper=True, **absent),
    fn=_clip_fn,
    operands=("a", "a_min", "a_max"),
    synonyms={"min": "a_min", "max": "a_max"},
    infer=_clip_type,
    cases=[
        Case((6,), -1.0, 1.0),
        Case((6,), a_min=None, a_max=0.5),
        Case((6,), uniform((6,), -1.5, -1.0), uniform((6,), 0.5, 1.0)),
        Case((2, 3), uniform((3,), -1, 0), 1.0),
        Case(uniform((2, 3), -2, 2), 0.1),
    ],
    convention="0 at and beyond constant bounds",
)

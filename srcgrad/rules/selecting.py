"""Derivatives of choosing, leaving out and putting in: every element of the result leads back to one operand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.dims import ONE, Facts, as_dim
from ..ir.infer import broadcast_axes, check_equal
from ..ir.symbolic import Sym, _atom
from ..ir.types import Array, Type
from .axes import along, array, dtype_of, fits, normal_axis, plain, refuse_empty, size
from .internal import arange, placed, scatter, unbroadcast
from .registry import Case, linear, uniform


def _mask(*truths: int) -> Any:
    return lambda rng: np.array(truths, dtype=bool)


def _integers(*numbers: int) -> Any:
    return lambda rng: np.array(numbers)


# choose and select: np.where with many sides
def _choose_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    which, *choices = map(array, types)
    if which.dtype.kind not in "iu" or not choices:
        raise Unsupported("np.choose takes integers, and a sequence of arrays")
    return Array(dtype_of(_added, choices), broadcast_axes(facts, [each.axes for each in (which, *choices)]))


def _added(*arrays: Any) -> Any:
    return np.choose(0, arrays)


def _choose(d: Any, y: Any, number: Any, *choices: Any, which: int, mode: str = "raise") -> Any:
    count, k = len(choices), which - 1
    number = number % count if mode == "wrap" else np.clip(number, 0, count - 1) if mode == "clip" else number
    return unbroadcast(np.where(number == k, d, 0.0), choices[k])


linear(
    np.choose,
    None,
    _choose,
    fn=lambda a, *choices, **options: np.choose(a, choices, **options),
    operands=("a", "*choices"),
    keywords=("mode",),
    infer=_choose_type,
    cases=[
        Case(_integers(0, 2, 1), (3,), (3,), (3,)),
        Case(_integers(0, 1, 1), (2, 3), ()),
        Case(_integers(0, 4, -1), (3,), (1,), mode="wrap"),
        Case(_integers(0, 4, -1), (3,), (), mode="clip"),
    ],
)


def _select_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    arrays = list(map(array, types))
    half = len(arrays) // 2
    if any(each.dtype.kind != "b" for each in arrays[:half]):
        raise Unsupported("np.select takes a list of conditions and as many arrays")
    default = attrs.get("default", 0)
    if isinstance(default, Array):
        dtype = dtype_of(lambda *choices: _selected(*choices[:-1], default=choices[-1]), [*arrays[half:], default])
        arrays.append(default)
    else:
        dtype = dtype_of(_selected, arrays[half:], default=default)
    return Array(dtype, broadcast_axes(facts, [each.axes for each in arrays]))


def _selected(*choices: Any, default: Any) -> Any:
    return np.select([np.True_] * len(choices), choices, default)


def _select(d: Any, y: Any, *arrays: Any, which: int, default: Any = 0) -> Any:
    half = len(arrays) // 2
    if which < half:
        return None
    chosen = arrays[which - half]
    for earlier in arrays[: which - half]:
        chosen = chosen & ~earlier
    return unbroadcast(np.where(chosen, d, 0.0), arrays[which])


def _select_default(d: Any, y: Any, *arrays: Any, default: Any) -> Any:
    """Where no condition holds."""
    conditions = arrays[: len(arrays) // 2]
    chosen = conditions[0]
    for condition in conditions[1:]:
        chosen = chosen | condition
    return unbroadcast(np.where(chosen, 0.0, d), default)


def _select_tangent(ts: Any, y: Any, *arrays: Any, default: Any = 0) -> Any:
    half = len(arrays) // 2
    moved = [0.0 if t is None else t for t in ts[half : 2 * half]]
    rest = {"default": ts[-1]} if len(ts) > 2 * half and ts[-1] is not None else {}
    return np.select(list(arrays[:half]), moved, **rest)


def _select_fn(*arrays: Any, **options: Any) -> Any:
    half = len(arrays) // 2
    return np.select(list(arrays[:half]), list(arrays[half:]), **options)


linear(
    np.select,
    _select,
    _select,
    fn=_select_fn,
    operands=("*condlist", "*choicelist"),
    named={"default": _select_default},
    signature=("condlist", "choicelist", "default"),
    infer=_select_type,
    tangent=_select_tangent,
    cases=[
        Case(_mask(1, 0, 0), _mask(1, 1, 0), (3,), (3,)),
        Case(_mask(1, 0, 0), _mask(1, 1, 0), (3,), (2, 3), default=2.0),
        Case(_mask(0, 1), (2,)),
        Case(_mask(1, 0, 0), _mask(1, 1, 0), (3,), (2, 3), default=uniform((), 1, 2)),
        Case(_mask(1, 0, 0), (3,), default=uniform((3,), 1, 2)),
    ],
)


# compress and extract: by a mask
def _compress_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    condition, x = map(array, types)
    if condition.ndim != 1 or condition.dtype.kind != "b":
        raise Unsupported("np.compress takes a vector of booleans", "Use np.take for indices.")
    length = size(facts, x) if attrs.get("axis") is None else x.axes[normal_axis(attrs["axis"], x.ndim)]
    check_equal(facts, condition.axes[0], length, "np.compress: lengths of condition and axis")
    count = facts.fresh("count")
    if attrs.get("axis") is None:
        return Array(x.dtype, (count,))
    axis = normal_axis(attrs["axis"], x.ndim)
    return Array(x.dtype, (*x.axes[:axis], count, *x.axes[axis + 1 :]))


def _compress(d: Any, y: Any, condition: Any, x: Any, *, axis: int | None = None) -> Any:
    if axis is None and x.ndim != 1:
        return placed(np.ravel(x), d, condition).reshape(x.shape)
    return placed(x, d, along(normal_axis(axis or 0, x.ndim), condition))


def _extract_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    condition, x = map(array, types)
    check_equal(facts, size(facts, condition), size(facts, x), "np.extract: numbers of elements")
    return Array(x.dtype, (facts.fresh("count"),))


def _extract(d: Any, y: Any, condition: Any, x: Any) -> Any:
    flat = condition if condition.dtype.kind == "b" else condition != 0
    if x.ndim == condition.ndim:
        return placed(x, d, flat)
    return placed(np.ravel(x), d, np.ravel(flat)).reshape(x.shape)


linear(
    np.compress,
    None,
    _compress,
    operands=("condition", "a"),
    keywords=("axis",),
    signature=("condition", "a", "axis", "out"),
    infer=_compress_type,
    cases=[
        Case(_mask(1, 0, 1), (3,), unknown=True),
        Case(_mask(1, 0, 1, 1), (2, 2), unknown=True),
        Case(_mask(1, 0, 1), (3, 2), axis=0, unknown=True),
        Case(_mask(1, 0, 1), (2, 3), axis=-1, unknown=True),
    ],
)
linear(
    np.extract,
    None,
    _extract,
    operands=("condition", "arr"),
    infer=_extract_type,
    cases=[Case(_mask(1, 0, 1), (3,), unknown=True), Case(_mask(1, 0, 1, 1), (2, 2), unknown=True)],
)


# delete: what is kept goes back to its place
def _delete_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    x = array(types[0])
    length = size(facts, x) if attrs.get("axis") is None else facts.canon(x.axes[normal_axis(attrs["axis"], x.ndim)])
    obj = attrs.get("obj")
    single = len(types) > 1 and array(types[1]).ndim == 0 and array(types[1]).dtype.kind in "iu"
    if single:
        length = length - 1
    elif isinstance(obj, tuple) and all(isinstance(k, int) and k >= 0 for k in obj):
        length = length - len(set(obj))
    else:
        length = facts.fresh()
    if attrs.get("axis") is None:
        return Array(x.dtype, (length,))
    axis = normal_axis(attrs["axis"], x.ndim)
    return Array(x.dtype, (*x.axes[:axis], length, *x.axes[axis + 1 :]))


def _delete(d: Any, y: Any, x: Any, *dynamic: Any, obj: Any = None, axis: int | None = None) -> Any:
    if axis is None and x.ndim != 1:
        return _delete(d, y, np.ravel(x), *dynamic, obj=obj, axis=0).reshape(x.shape)
    axis = normal_axis(axis or 0, x.ndim)
    kept = np.delete(arange(d, x.shape[axis]), *dynamic) if dynamic else np.delete(arange(d, x.shape[axis]), obj)
    return placed(x, d, along(axis, kept))


linear(
    np.delete,
    _delete,
    None,
    operands=("arr", "obj"),
    keywords=("axis",),
    infer=_delete_type,
    cases=[
        Case((4,), 1),
        Case((4,), -1),
        Case((2, 3), 4),
        Case((4, 2), 1, axis=0),
        Case((2, 4), axis=1, obj=(0, 2)),
        Case((5,), _integers(0, 3), unknown=True),
        Case((4,), _mask(1, 0, 0, 1), unknown=True),
    ],
)


# insert: one number or one slice, or several in a row, at one place
def _insert_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    if len(types) != 3 or array(types[1]).ndim or array(types[1]).dim is None or array(types[1]).dim.constant is None:  # type: ignore[union-attr]
        raise Unsupported("np.insert at several places, or one known only while running", "Concatenate the parts.")
    x, values = array(types[0]), array(types[2])
    axis = attrs.get("axis")
    row = x.ndim == 1 or axis is None
    if values.ndim > (1 if row else x.ndim - 1):
        raise Unsupported("np.insert of values with so many axes", "Concatenate the parts.")
    length = size(facts, x) if axis is None else facts.canon(x.axes[normal_axis(axis, x.ndim)])
    count = facts.canon(values.axes[0]) if row and values.ndim else ONE
    if row:
        return Array(x.dtype, (length + count,))
    axis = normal_axis(axis, x.ndim)
    fits(facts, values, (*x.axes[:axis], *x.axes[axis + 1 :]), "np.insert: lengths of the values")
    return Array(x.dtype, (*x.axes[:axis], length + 1, *x.axes[axis + 1 :]))


def _place(x: Any, obj: Any, values: Any, axis: int | None) -> tuple[Any, Any, int]:
    """Where what was put in begins and ends."""
    row = x.ndim == 1 or axis is None
    along_axis = 0 if row else normal_axis(axis, x.ndim)
    length = x.size if axis is None else x.shape[along_axis]
    start = int(obj.const) if obj.const >= 0 else plain(as_dim(length) + int(obj.const))
    return start, start + (values.shape[0] if row and values.ndim else 1), along_axis


def _insert(d: Any, y: Any, x: Any, obj: Any, values: Any, *, axis: int | None = None) -> Any:
    start, stop, along_axis = _place(x, obj, values, axis)
    parts = d[along(along_axis, slice(None, start))], d[along(along_axis, slice(stop, None))]
    result = np.concatenate(parts, axis=along_axis) if along_axis else np.concatenate(parts)
    return result.reshape(x.shape) if axis is None and x.ndim != 1 else result


def _inserted(d: Any, y: Any, x: Any, obj: Any, values: Any, *, axis: int | None = None) -> Any:
    start, stop, along_axis = _place(x, obj, values, axis)
    row = x.ndim == 1 or axis is None
    return d[along(along_axis, slice(start, stop) if row and values.ndim else start)]


linear(
    np.insert,
    _insert,
    None,
    lambda d, y, x, obj, values, *, axis=None: unbroadcast(_inserted(d, y, x, obj, values, axis=axis), values),
    operands=("arr", "obj", "values"),
    keywords=("axis",),
    infer=_insert_type,
    cases=[
        Case((4,), 1, ()),
        Case((4,), 0, (3,)),
        Case((4,), -1, (3,)),
        Case((2, 3), 2, ()),
        Case((4, 2), 1, (2,), axis=0),
        Case((2, 3), 3, (), axis=1),
    ],
)


# resize: the elements again and again
def _resize_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    shape = attrs["new_shape"]
    refuse_empty(facts, "np.resize", *array(types[0]).axes)
    return Array(array(types[0]).dtype, tuple(as_dim(n) for n in (shape if isinstance(shape, tuple) else (shape,))))


def _resize(d: Any, y: Any, x: Any, *, new_shape: Any) -> Any:
    flat = x if x.ndim == 1 else np.ravel(x)
    source = arange(d, d.size) % as_number(d, x.size)
    result = scatter(flat, d if d.ndim == 1 else np.ravel(d), source)
    return result if x.ndim == 1 else result.reshape(x.shape)


def as_number(d: Any, n: Any) -> Any:
    """A length as a number in a formula."""
    return n if isinstance(n, int) else Sym(d.builder, _atom(d.builder, n))


linear(
    np.resize,
    _resize,
    operands=("a",),
    keywords=("new_shape",),
    infer=_resize_type,
    cases=[Case((3,), new_shape=(7,)), Case((2, 3), new_shape=(2, 5)), Case((4,), new_shape=2)],
)

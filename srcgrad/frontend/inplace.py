"""NumPy functions and methods that write into an array: `out=`, np.add.at, np.copyto, np.put, fill, sort and the like.

Each becomes item assignment, with the value that NumPy would write.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import Unsupported
from ..ir.nodes import Value
from ..ir.primitive import Primitive, find, named
from ..ir.symbolic import Sym, apply
from ..ir.types import Array
from .values import Flat, describe

if TYPE_CHECKING:
    from .interpreter import Interpreter

InPlace = Callable[["Interpreter", list[Any], dict[str, Any]], None]


# out=


def taken_out(prim: Primitive, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """The array that a call writes into, taken from its arguments; None if it makes a new one."""
    out = kwargs.pop("out", None)
    if prim.name == "np.nan_to_num" and (args[1:2] or [kwargs.get("copy", True)])[0] is False:
        args[1:2] = [True] * len(args[1:2])
        kwargs.pop("copy", None)
        out = args[0]
    if isinstance(prim.fn, np.ufunc) and len(args) > prim.fn.nin:
        (out,) = args[prim.fn.nin :]
        del args[prim.fn.nin :]
    elif "out" in prim.signature and len(args) > prim.signature.index("out"):
        place = prim.signature.index("out")
        out, args[place] = args[place], None
    if isinstance(out, tuple):
        (out,) = out
    if out is None:
        return None
    if not isinstance(out, Value) or not isinstance(out.type, Array) or not out.type.ndim:
        raise Unsupported(f"`out=` with {describe(out)}", "It takes an array with at least one axis.")
    return out


def check_kept(prim: Primitive, kwargs: dict[str, Any], args: list[Any]) -> None:
    """Refuse to leave an array in an order that is nobody's business: what is read of it later is not known."""
    name = "overwrite_input"
    place = prim.signature.index(name) if name in prim.signature else len(args)
    if kwargs.get(name) is True or args[place : place + 1] == [True]:
        raise Unsupported(
            f"{prim.name} with overwrite_input=True leaves its input in an unknown order", "Leave it out."
        )


def into(c: Interpreter, out: Value, result: Any, where: Any) -> Value:
    """Write a call's result into the array given as `out=`, where `where=` holds; the array."""
    if where is not None and where is not True:
        choose = find(np.where)
        assert choose is not None
        result = c.apply(choose, [where, result, out])
    c.set_item(out, Ellipsis, [], result, out.hint or "out", style="out")
    return out


# ufunc.at


def is_at(function: Any) -> bool:
    return getattr(function, "__name__", "") == "at" and isinstance(getattr(function, "__self__", None), np.ufunc)


_EACH = """
for k in range(len(index)):
    array[index[k]] = ufunc(array[index[k]], values[k])
"""
_EACH_ALIKE = """
for k in range(len(index)):
    array[index[k]] = ufunc(array[index[k]], values)
"""
_EACH_OWN = """
for k in range(len(index)):
    array[index[k]] = ufunc(array[index[k]])
"""


def at(c: Interpreter, ufunc: np.ufunc, args: list[Any], kwargs: dict[str, Any]) -> None:
    """`np.add.at(a, indices, b)`: like `a[indices] += b`, but elements named twice are changed twice."""
    if kwargs or len(args) != ufunc.nin + 1 or ufunc.nout != 1:
        raise Unsupported(f"np.{ufunc.__name__}.at with these arguments", "Give it an array, indices and values.")
    array, index, *rest = args
    array = _array(array, f"np.{ufunc.__name__}.at")
    template, dynamic = c.index_of(index)
    if not rest:
        c.run_text(_EACH_OWN, _each_index(c, ufunc, array, index))
        return
    (values,) = rest
    values = c.cast_to(array, values)
    if ufunc in (np.add, np.subtract):
        name = array.hint or "array"
        c.check_writable(array, name)
        if ufunc is np.subtract:
            values = c.apply(_prim(np.negative), [values], style="operator")
        c.write(array, c.apply(named("index_add"), [array, values, *dynamic], {"index": template}))
        return
    alike = not isinstance(values, Value) or not isinstance(values.type, Array) or not values.type.ndim
    c.run_text(_EACH_ALIKE if alike else _EACH, {**_each_index(c, ufunc, array, index), "values": values})


def _each_index(c: Interpreter, ufunc: np.ufunc, array: Value, index: Any) -> dict[str, Any]:
    """The variables of a loop over the places that an index names."""
    index = c.operand(index)
    plain = isinstance(index, Value) and isinstance(index.type, Array) and index.type.ndim == 1
    if not plain or index.type.dtype.kind not in "iu":
        raise Unsupported(
            f"np.{ufunc.__name__}.at with this index", "Give it one array of integers with one axis, or write a loop."
        )
    return {"array": array, "index": index, "ufunc": ufunc, "range": range, "len": len}


# Functions


def _copyto(c: Interpreter, args: list[Any], kwargs: dict[str, Any]) -> None:
    array, source, where = _given(args, kwargs, "np.copyto", ("dst", "src", "where"), {"where": None, "casting": None})
    source = c.operand(source)
    if where is not None and where is not True:
        source = c.apply(_prim(np.where), [c.operand(where), source, array])
    c.set_item(array, Ellipsis, [], source, array.hint or "dst", style="out")


# Where there are fewer values than places, NumPy starts again with the first
_INDICES = {"raise": "index", "wrap": "index % array.size", "clip": "np.clip(index, 0, array.size - 1)"}
_AGAIN = "values[np.arange(len(index)) % len(values)]"
_MASKED = "np.where(mask, values[np.arange(array.size).reshape(array.shape) % len(values)], array)"
_PLACED = "np.where(mask, values[((np.cumsum(mask) - 1) % len(values)).reshape(array.shape)], array)"


def _read(c: Interpreter, expression: str, **names: Any) -> Any:
    return c.run_text(f"result = {expression}", {**names, "np": np, "len": len})["result"]


def _has_axes(value: Any) -> bool:
    return isinstance(value, Value) and isinstance(value.type, Array) and value.type.ndim > 0


def _put(c: Interpreter, args: list[Any], kwargs: dict[str, Any]) -> None:
    kwargs = {{"indices": "ind", "values": "v"}.get(key, key): value for key, value in kwargs.items()}
    array, index, values, mode = _given(args, kwargs, "np.put", ("a", "ind", "v", "mode"), {"mode": "raise"})
    values = c.operand(values)
    if mode not in _INDICES:
        raise Unsupported(f"np.put with mode={mode!r}", "Known: 'raise', 'wrap' and 'clip'.")
    if mode != "raise":
        index = _read(c, _INDICES[mode], index=c.operand(index), array=array)
    if _has_axes(values):
        index = c.operand(index)
        if not c.agree(values.type.axes, index.type.axes):
            values = _read(c, _AGAIN, values=values, index=index)
    write_flat(c, Flat(array), *c.index_of(index), values)


def _putmask(c: Interpreter, args: list[Any], kwargs: dict[str, Any]) -> None:
    array, mask, values = _given(args, kwargs, "np.putmask", ("a", "mask", "values"), {})
    values, mask = c.operand(values), c.operand(mask)
    if not _has_axes(values):
        c.set_item(array, *c.index_of(mask), values, array.hint or "a")
        return
    if c.agree(values.type.axes, array.type.axes):
        values = c.apply(_prim(np.where), [mask, values, array])
    else:
        values = _read(c, _MASKED, values=_flat(c, values), mask=mask, array=array)
    c.set_item(array, Ellipsis, [], values, array.hint or "a", style="out")


def _place(c: Interpreter, args: list[Any], kwargs: dict[str, Any]) -> None:
    array, mask, values = _given(args, kwargs, "np.place", ("arr", "mask", "vals"), {})
    values, mask = c.operand(values), c.operand(mask)
    if not _has_axes(values):
        c.set_item(array, *c.index_of(mask), values, array.hint or "arr")
        return
    values = _read(c, _PLACED, values=_flat(c, values), mask=mask, array=array)
    c.set_item(array, Ellipsis, [], values, array.hint or "arr", style="out")


def _flat(c: Interpreter, values: Any) -> Any:
    return values if values.type.ndim == 1 else c.apply(_prim(np.ravel), [values])


def _put_along_axis(c: Interpreter, args: list[Any], kwargs: dict[str, Any]) -> None:
    """The places along one axis are told, those along the others are all."""
    names = ("arr", "indices", "values", "axis")
    array, index, values, axis = _given(args, kwargs, "np.put_along_axis", names, {})
    index, values = c.operand(index), c.operand(values)
    assert isinstance(array.type, Array)
    ndim = array.type.ndim
    if axis is None:
        write_flat(c, Flat(array), *c.index_of(index), values)
        return
    axis = c.compute(range(ndim).__getitem__, c.number(axis))
    if not _has_axes(index) or index.type.ndim != ndim:
        raise Unsupported("np.put_along_axis with indices that have other axes than the array")
    whole = ["index" if k == axis else f"np.arange(array.shape[{k}])" for k in range(ndim)]
    for k in range(ndim - 1):
        if k != axis:
            added = tuple(range(1, ndim - k))
            whole[k] = f"np.expand_dims({whole[k]}, {added if len(added) > 1 else 1})"
    env = {"array": array, "index": index, "values": values, "np": np}
    c.run_text(f"array[{', '.join(whole)}] = values", env)


def _fill_diagonal(c: Interpreter, args: list[Any], kwargs: dict[str, Any]) -> None:
    array, value, wrap = _given(args, kwargs, "np.fill_diagonal", ("a", "val", "wrap"), {"wrap": False})
    assert isinstance(array.type, Array)
    if wrap is not False:
        raise Unsupported("np.fill_diagonal with wrap=True", "Write `a[i, i % n] = v` in a loop.")
    if array.type.ndim != 2:
        raise Unsupported("np.fill_diagonal of an array that is not a matrix", "Write into it by its indices.")
    rows, columns = array.type.axes
    short = 0 if c.facts.same(rows, columns) or c.facts.require(">=", columns, rows) else 1
    if short == 1 and not c.facts.require(">=", rows, columns):
        raise Unsupported("whether this matrix has more rows or columns is not known", "Write `a[i, i] = v` in a loop.")
    diagonal = c.apply(_prim(np.arange), [c.length(array, short)])
    value = c.operand(value)
    several = isinstance(value, Value) and isinstance(value.type, Array) and value.type.ndim > 0
    if several and not c.agree(value.type.axes, diagonal.type.axes):
        raise Unsupported("np.fill_diagonal with values of another length", "Give it as many as there are places.")
    c.set_item(array, *c.index_of((diagonal, diagonal)), value, array.hint or "a")


FUNCTIONS: dict[Any, InPlace] = {
    np.copyto: _copyto, np.put: _put, np.putmask: _putmask, np.place: _place, np.fill_diagonal: _fill_diagonal,
    np.put_along_axis: _put_along_axis,
}  # fmt: skip


# Methods


def _fill(c: Interpreter, args: list[Any], kwargs: dict[str, Any]) -> None:
    array, value = _given(args, kwargs, "fill", ("array", "value"), {})
    c.set_item(array, Ellipsis, [], value, array.hint or "array")


def _sort(c: Interpreter, args: list[Any], kwargs: dict[str, Any]) -> None:
    array = _array(args[0], "sort")
    result = c.numpy_call(_prim(np.sort), [array, *args[1:]], kwargs, "function")
    c.set_item(array, Ellipsis, [], result, array.hint or "array", style="out")


def _partition(c: Interpreter, args: list[Any], kwargs: dict[str, Any]) -> None:
    array = _array(args[0], "partition")
    result = c.numpy_call(_prim(np.partition), [array, *args[1:]], kwargs, "function")
    c.set_item(array, Ellipsis, [], result, array.hint or "array", style="out")


METHODS: dict[str, InPlace] = {"fill": _fill, "sort": _sort, "partition": _partition, "put": _put}


# a.flat


def read_flat(c: Interpreter, flat: Flat) -> Value:
    """All elements in one axis."""
    result: Value = c.apply(_prim(np.ravel), [flat.array], {}, "method")
    return result


def write_flat(c: Interpreter, flat: Flat, template: Any, dynamic: list[Value], value: Any) -> None:
    """`a.flat[index] = value`: whatever the layout of the memory."""
    array = flat.array
    c.check_writable(array, array.hint or "array")
    assert isinstance(array.type, Array)
    if array.type.ndim == 1:
        c.set_item(array, template, dynamic, value, array.hint or "array")
        return
    line = c.apply(_prim(np.ravel), [array], {}, "method")
    line = c.apply(named("index_set"), [line, c.cast_to(array, value), *dynamic], {"index": template})
    back = apply(c.builder, np.reshape, (Sym(c.builder, line), Sym(c.builder, array).shape), {}).atom
    assert isinstance(back, Value)
    c.write(array, back)


def _given(
    args: list[Any], kwargs: dict[str, Any], name: str, names: tuple[str, ...], defaults: dict[str, Any]
) -> list[Any]:
    """A call's arguments in order; the first is the array written into."""
    values = {**defaults, **dict(zip(names, args)), **kwargs}
    unknown = set(values) - {*names, *defaults} or (set(names) - set(values))
    if unknown or len(args) > len(names):
        raise Unsupported(f"{name} with these arguments cannot be differentiated", f"Known: {', '.join(names)}.")
    return [_array(values[names[0]], name), *(values[each] for each in names[1:])]


def _array(value: Any, name: str) -> Value:
    if not isinstance(value, Value) or not isinstance(value.type, Array) or not value.type.ndim:
        raise Unsupported(f"{name} of {describe(value)}", "It takes an array with at least one axis.")
    return value


def _prim(function: Any) -> Primitive:
    prim = find(function)
    assert prim is not None
    return prim


__all__ = ["FUNCTIONS", "METHODS", "at", "check_kept", "into", "is_at", "read_flat", "taken_out", "write_flat"]

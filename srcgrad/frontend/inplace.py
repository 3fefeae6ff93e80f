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
from .values import Flat, describe, is_number, sequence

if TYPE_CHECKING:
    from .interpreter import Interpreter

InPlace = Callable[["Interpreter", list[Any], dict[str, Any]], None]


# out=


def taken_out(prim: Primitive, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """The array that a call writes into, taken from its arguments; None if it makes a new one."""
    out = kwargs.pop("out", None)
    if isinstance(prim.fn, np.ufunc) and len(args) > prim.fn.nin:
        (out,) = args[prim.fn.nin :]
        del args[prim.fn.nin :]
    if isinstance(out, tuple):
        (out,) = out
    if out is None:
        return None
    if not isinstance(out, Value) or not isinstance(out.type, Array) or not out.type.ndim:
        raise Unsupported(f"`out=` with {describe(out)}", "It takes an array with at least one axis.")
    return out


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


def at(c: Interpreter, ufunc: np.ufunc, args: list[Any], kwargs: dict[str, Any]) -> None:
    """`np.add.at(a, indices, b)`: like `a[indices] += b`, but elements named twice are changed twice."""
    if kwargs or len(args) != 3:
        raise Unsupported(f"np.{ufunc.__name__}.at with these arguments", "Give it an array, indices and values.")
    array, index, values = args
    array = _array(array, f"np.{ufunc.__name__}.at")
    template, dynamic = c.index_of(index)
    values = c.cast_to(array, values)
    if ufunc in (np.add, np.subtract):
        name = array.hint or "array"
        c.check_writable(array, name)
        if ufunc is np.subtract:
            values = c.apply(_prim(np.negative), [values], style="operator")
        c.write(array, c.apply(named("index_add"), [array, values, *dynamic], {"index": template}))
        return
    index = c.operand(index)
    plain = isinstance(index, Value) and isinstance(index.type, Array) and index.type.ndim == 1
    if not plain or index.type.dtype.kind not in "iu":
        raise Unsupported(
            f"np.{ufunc.__name__}.at with this index", "Give it one array of integers with one axis, or write a loop."
        )
    alike = not isinstance(values, Value) or not isinstance(values.type, Array) or not values.type.ndim
    env = {"array": array, "index": index, "values": values, "ufunc": ufunc, "range": range, "len": len}
    c.run_text(_EACH_ALIKE if alike else _EACH, env)


# Functions


def _copyto(c: Interpreter, args: list[Any], kwargs: dict[str, Any]) -> None:
    array, source, where = _given(args, kwargs, "np.copyto", ("dst", "src", "where"), {"where": None, "casting": None})
    source = c.operand(source)
    if where is not None and where is not True:
        source = c.apply(_prim(np.where), [c.operand(where), source, array])
    c.set_item(array, Ellipsis, [], source, array.hint or "dst", style="out")


def _put(c: Interpreter, args: list[Any], kwargs: dict[str, Any]) -> None:
    array, index, values = _given(args, kwargs, "np.put", ("a", "ind", "v"), {})
    write_flat(c, Flat(array), *c.index_of(index), values)


def _putmask(c: Interpreter, args: list[Any], kwargs: dict[str, Any]) -> None:
    array, mask, values = _given(args, kwargs, "np.putmask", ("a", "mask", "values"), {})
    values, mask = c.operand(values), c.operand(mask)
    if isinstance(values, Value) and isinstance(values.type, Array) and values.type.ndim:
        if not c.agree(values.type.axes, array.type.axes):
            raise Unsupported("np.putmask with values of another shape than the array", "Use np.where.")
        values = c.apply(_prim(np.where), [mask, values, array])
        c.set_item(array, Ellipsis, [], values, array.hint or "a", style="out")
    else:
        c.set_item(array, *c.index_of(mask), values, array.hint or "a")


def _place(c: Interpreter, args: list[Any], kwargs: dict[str, Any]) -> None:
    array, mask, values = _given(args, kwargs, "np.place", ("arr", "mask", "vals"), {})
    items = sequence(values) if not is_number(values) else [values]
    if len(items) != 1 or (isinstance(items[0], Value) and isinstance(items[0].type, Array) and items[0].type.ndim):
        raise Unsupported("np.place with several values", "Write `a[mask] = values`.")
    c.set_item(array, *c.index_of(c.operand(mask)), items[0], array.hint or "arr")


def _fill_diagonal(c: Interpreter, args: list[Any], kwargs: dict[str, Any]) -> None:
    array, value = _given(args, kwargs, "np.fill_diagonal", ("a", "val"), {})
    assert isinstance(array.type, Array)
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
}  # fmt: skip


# Methods


def _fill(c: Interpreter, args: list[Any], kwargs: dict[str, Any]) -> None:
    array, value = _given(args, kwargs, "fill", ("array", "value"), {})
    c.set_item(array, Ellipsis, [], value, array.hint or "array")


def _sort(c: Interpreter, args: list[Any], kwargs: dict[str, Any]) -> None:
    array = _array(args[0], "sort")
    result = c.numpy_call(_prim(np.sort), [array, *args[1:]], kwargs, "function")
    c.set_item(array, Ellipsis, [], result, array.hint or "array", style="out")


METHODS: dict[str, InPlace] = {"fill": _fill, "sort": _sort, "put": _put}


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
    unknown = set(values) - {*names, *defaults} or (set(names) - set(values)) or set(names[len(names) : len(args)])
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


__all__ = ["FUNCTIONS", "METHODS", "at", "into", "is_at", "read_flat", "taken_out", "write_flat"]

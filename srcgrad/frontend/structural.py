"""NumPy functions that put arrays together or take functions: np.block, np.r_, np.piecewise, np.apply_along_axis.

Each is read as the simpler NumPy functions that give the same numbers.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import Unsupported
from ..ir.nodes import Const, Value
from ..ir.primitive import find, named
from ..ir.types import Array
from .values import DictValue, ListValue, is_number, sequence

if TYPE_CHECKING:
    from .interpreter import Interpreter

Structural = Callable[["Interpreter", list[Any], dict[str, Any]], Any]


def _call(c: Interpreter, function: Any, *args: Any, **kwargs: Any) -> Any:
    return c.invoke(function, list(args), kwargs, f"np.{function.__name__}")


def _ndim(value: Any) -> int:
    return value.type.ndim if isinstance(value, Value) and isinstance(value.type, Array) else 0


def _exactly(name: str, count: int, args: list[Any], kwargs: dict[str, Any]) -> None:
    if len(args) != count or kwargs:
        raise Unsupported(f"{name} with these arguments cannot be differentiated", "Give its arguments by position.")


# Arrays put together


def _block(c: Interpreter, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """Lists are joined along the last axis, lists of lists along the last but one, and so on."""
    _exactly("np.block", 1, args, kwargs)
    depth, ndim = _depth(args[0]), max(_depth(args[0]), _most_axes(args[0]))
    return _joined_block(c, args[0], depth, ndim)


def _depth(value: Any) -> int:
    return 1 + _depth(value.items[0]) if isinstance(value, ListValue) and value.items else 0


def _most_axes(value: Any) -> int:
    return max(map(_most_axes, value.items), default=0) if isinstance(value, ListValue) else _ndim(value)


def _joined_block(c: Interpreter, value: Any, depth: int, ndim: int) -> Any:
    if not isinstance(value, ListValue):
        if depth:
            raise Unsupported("np.block of lists that are not equally deep")
        return _with_axes(c, value, ndim)
    parts = [_joined_block(c, each, depth - 1, ndim) for each in value.items]
    return _call(c, np.concatenate, ListValue(parts, c.depth), axis=Const(ndim - depth))


def _with_axes(c: Interpreter, value: Any, ndim: int) -> Any:
    """The value with as many axes, new ones in front."""
    missing = ndim - _ndim(value)
    if not _ndim(value):
        array = _call(c, np.array, ListValue([value], c.depth))
        value, missing = array, ndim - 1
    return _call(c, np.expand_dims, value, axis=tuple(map(Const, range(missing)))) if missing > 0 else value


def joined_by_index(c: Interpreter, kind: Any, node: ast.Subscript) -> Any:
    """`np.r_[a, 0.0, b]` and `np.c_[a, b]`."""
    name = "np.r_" if kind is np.r_ else "np.c_"
    items = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    values = [_stretch(c, item, name) if isinstance(item, ast.Slice) else c.ev(item) for item in items]
    if any(isinstance(value, str) for value in values):
        raise Unsupported(f"{name} with directions in a string", "Use np.concatenate or np.stack.")
    values = [value if is_number(value) else c.array_of(value) for value in values]
    if kind is np.c_:
        if any(_ndim(value) not in (1, 2) for value in values):
            raise Unsupported("np.c_ of anything but vectors and matrices", "Use np.concatenate.")
        return _call(c, np.column_stack, ListValue(values, c.depth))
    ndim = max(map(_ndim, values))
    if any(_ndim(value) not in (0, 1) and ndim > 1 for value in values) and any(_ndim(v) != ndim for v in values):
        raise Unsupported("np.r_ of arrays with different numbers of axes", "Use np.concatenate.")
    dtype = np.result_type(*map(_kind, values))  # numbers adapt to arrays, unlike those in an array literal
    for k, value in enumerate(values):
        if not _ndim(value):
            line = c.array_of(ListValue([value], c.depth))
            values[k] = (
                line if line.type.dtype == dtype else c.apply(named("astype"), [line], {"dtype": dtype}, "method")
            )
    return _call(c, np.concatenate, ListValue(values, c.depth))


def _kind(value: Any) -> Any:
    """A dtype, or a Python number that stands for all of its kind."""
    type = value.type
    return type.dtype.type(0).item() if type.weak else type.dtype


def _stretch(c: Interpreter, node: ast.Slice, name: str) -> Any:
    """`a:b:step` as np.arange; an imaginary step counts points."""
    if node.upper is None:
        raise Unsupported(f"{name} with a slice that has no end", "Write `start:stop`.")
    start = Const(0) if node.lower is None else c.ev(node.lower)
    rest = [] if node.step is None else [c.ev(node.step)]
    if rest and isinstance(rest[0], Const) and isinstance(rest[0].value, complex):
        points = Const(int(abs(rest[0].value)))
        return _call(c, np.linspace, start, c.ev(node.upper), points)
    return _call(c, np.arange, start, c.ev(node.upper), *rest)


# Functions of pieces and rows


def _bound(name: str, names: tuple[str, ...], args: list[Any], kwargs: dict[str, Any]) -> tuple[list[Any], list[Any]]:
    """(the function's own arguments in order, more by position); its own are taken from `kwargs`."""
    own = list(args[: len(names)])
    for each in names[len(own) :]:
        if each not in kwargs:
            raise Unsupported(f"{name} needs its argument `{each}`")
        own.append(kwargs.pop(each))
    return own, list(args[len(names) :])


def _piecewise(c: Interpreter, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """The last condition that holds decides; each function gets the elements of its piece alone, and what else is
    given."""
    (x, condlist, funclist), rest = _bound("np.piecewise", ("x", "condlist", "funclist"), args, kwargs)
    conditions, functions = c.iterate(condlist), c.iterate(funclist)
    if not isinstance(x, Value) or not _ndim(x) or x.type.dtype.kind not in "fc":  # type: ignore[union-attr]
        raise Unsupported("np.piecewise of anything but an array of floats", "Use np.where.")
    if any(_ndim(each) != _ndim(x) for each in conditions):
        raise Unsupported("np.piecewise with conditions of another shape than the array", "Use np.where.")
    if len(functions) - len(conditions) not in (0, 1):
        raise Unsupported(f"np.piecewise with {len(conditions)} conditions and {len(functions)} functions")
    env: dict[str, Any] = {"x": x, "np": np, "rest": tuple(rest), "options": DictValue(kwargs, c.depth)}
    lines = ["result = np.zeros_like(x)"]
    if len(functions) > len(conditions):
        lines.append(f"c{len(conditions)} = ~({' | '.join(f'c{k}' for k in range(len(conditions)))})")
    env |= {f"c{k}": condition for k, condition in enumerate(conditions)}
    env |= {f"f{k}": function for k, function in enumerate(functions)}
    more = (", *rest" if rest else "") + (", **options" if kwargs else "")
    for k, function in enumerate(functions):
        lines.append(f"result[c{k}] = " + (f"f{k}" if is_number(function) else f"f{k}(x[c{k}]{more})"))
    return c.run_text("\n".join(lines), env)["result"]


_ROWS = """
rows = [function(row, *rest, **options) for row in lines]
result = np.array(rows)
"""


def _apply_along_axis(c: Interpreter, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """The function of each line; what it gives takes the line's place."""
    (function, axis, array), rest = _bound("np.apply_along_axis", ("func1d", "axis", "arr"), args, kwargs)
    ndim = _ndim(array)
    if not ndim:
        raise Unsupported("np.apply_along_axis of a number")
    axis = c.compute(range(ndim).__getitem__, c.number(axis))
    if ndim == 1:
        return c.invoke(function, [array, *rest], kwargs, "func1d")
    outer = [c.length(array, k) for k in range(ndim) if k != axis]
    last = ndim - 1
    lines = array
    if axis != last:
        order = (*(k for k in range(ndim) if k != axis), axis)
        lines = c.apply(named("np.transpose"), [array], {"axes": order} if ndim > 2 else {})
    if ndim > 2:
        lines = _call(c, np.reshape, lines, (Const(-1), c.length(array, axis)))
    options = DictValue(kwargs, c.depth)
    env = {"function": function, "lines": lines, "rest": tuple(rest), "options": options, "np": np}
    result = c.run_text(_ROWS, env)["result"]
    made = _ndim(result) - 1
    if ndim > 2:
        result = _call(c, np.reshape, result, (*outer, *(c.length(result, 1 + k) for k in range(made))))
    if not made or axis == last:
        return result
    moved = tuple(Const(last + k) for k in range(made)), tuple(Const(axis + k) for k in range(made))
    return _call(c, np.moveaxis, result, *(each if made > 1 else each[0] for each in moved))


def _apply_over_axes(c: Interpreter, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """The function over one axis after the other, each of which stays with length one."""
    (function, array, axes), rest = _bound("np.apply_over_axes", ("func", "a", "axes"), args, kwargs)
    if rest or kwargs:
        raise Unsupported("np.apply_over_axes with these arguments", "Known: func, a, axes.")
    ndim = _ndim(array)
    for axis in [axes] if is_number(axes) else sequence(axes):
        result = c.invoke(function, [array, axis], {}, "func")
        array = result if _ndim(result) == ndim else _call(c, np.expand_dims, result, axis=axis)
    return array


_REDUCE = """
result = lines[0]
for k in range(1, len(lines)):
    result = ufunc(result, lines[k])
"""
_ACCUMULATE = """
result = np.empty_like(lines)
result[0] = lines[0]
for k in range(1, len(lines)):
    result[k] = ufunc(result[k - 1], lines[k])
"""


def ufunc_method(c: Interpreter, function: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """np.subtract.reduce and np.hypot.accumulate, which have no rule: a loop, as NumPy runs it; else NotImplemented."""
    ufunc, name = getattr(function, "__self__", None), getattr(function, "__name__", "")
    if not isinstance(ufunc, np.ufunc) or name not in ("reduce", "accumulate") or find(function) is not None:
        return NotImplemented
    rule, text = find(ufunc), f"np.{ufunc.__name__}.{name}"
    if rule is None or ufunc.nin != 2 or ufunc.nout != 1 or ufunc.signature is not None:
        return NotImplemented
    given = {**dict(zip(("array", "axis"), args)), **kwargs}
    if set(given) - {"array", "axis"} or len(args) > 2:
        raise Unsupported(f"{text} with these arguments", "Known: the array, and one axis.")
    array = c.array_of(given["array"])
    if not _ndim(array) or array.type.dtype.kind not in "fc":
        raise Unsupported(f"{text} of anything but an array of floats")
    axis = c.compute(range(_ndim(array)).__getitem__, c.number(given.get("axis", Const(0))))
    lines = _call(c, np.moveaxis, array, Const(axis), Const(0)) if axis else array
    env = {"lines": lines, "ufunc": ufunc, "np": np, "range": range, "len": len}
    result = c.run_text(_REDUCE if name == "reduce" else _ACCUMULATE, env)["result"]
    return _call(c, np.moveaxis, result, Const(0), Const(axis)) if axis and name == "accumulate" else result


# Functions that are two others


def _einsum(c: Interpreter, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """`np.einsum(a, [0, 1], b, [1, 2], [0, 2])` says its subscripts in numbers."""
    prim = find(np.einsum)
    assert prim is not None
    if args and not isinstance(args[0], str) and "subscripts" not in kwargs:
        operands, lists = args[0::2][: len(args) // 2], args[1::2]
        labels = ["".join(map(_label, c.iterate(each))) for each in lists]
        result = "->" + "".join(map(_label, c.iterate(args[-1]))) if len(args) % 2 else ""
        args = [",".join(labels) + result, *operands]
    return c.numpy_call(prim, args, kwargs, "function")


def _label(number: Any) -> str:
    if number is Ellipsis:
        return "..."
    value = number.value if isinstance(number, Const) else -1
    if not isinstance(value, int) or not 0 <= value < 52:
        raise Unsupported("np.einsum with labels that are not numbers below 52 of the source")
    return "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[value]


def _sliding_window_view(c: Interpreter, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """Windows over several axes are windows of windows."""
    prim = find(np.lib.stride_tricks.sliding_window_view)
    assert prim is not None
    kwargs = {**dict(zip(("x", "window_shape", "axis"), args)), **kwargs}
    shape, axis = kwargs.get("window_shape"), kwargs.get("axis")
    if not isinstance(shape, (tuple, ListValue)) or "x" not in kwargs or len(args) > 3:
        array = [kwargs.pop("x")] if "x" in kwargs else []
        return c.numpy_call(prim, array, kwargs, "function")
    x, rest = kwargs.pop("x"), {k: v for k, v in kwargs.items() if k not in ("window_shape", "axis")}
    lengths = c.iterate(shape)
    axes = [Const(k) for k in range(len(lengths))] if axis is None else [axis] if is_number(axis) else c.iterate(axis)
    if len(axes) != len(lengths) or (axis is None and len(lengths) != _ndim(x)):
        raise Unsupported("sliding_window_view needs a length for each of its axes")
    ndim = _ndim(x)
    for length, along in zip(lengths, axes):
        place = Const(c.compute(range(ndim).__getitem__, c.number(along)))
        x = c.numpy_call(prim, [x], {"window_shape": length, "axis": place, **rest}, "function")
    return x


def _reshape(c: Interpreter, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """`copy=True` makes a copy; whether `copy=False` fails goes by the layout of the memory."""
    copy, prim = kwargs.pop("copy", None), find(np.reshape)
    assert prim is not None
    if copy not in (None, True):
        raise Unsupported("np.reshape with copy=False goes by the layout of the memory", "Leave it out.")
    result = c.numpy_call(prim, args, kwargs, "function")
    return _call(c, np.copy, result) if copy else result


def _pad(c: Interpreter, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """A dict says the widths of some axes."""
    prim = find(np.pad)
    assert prim is not None
    kwargs = {**dict(zip(("array", "pad_width", "mode"), args)), **kwargs}
    widths = kwargs.get("pad_width")
    if isinstance(widths, DictValue):
        ndim = _ndim(kwargs["array"])
        given = {int(c.key(axis)) % ndim: width for axis, width in widths.items.items()}
        pairs = [given.get(axis, Const(0)) for axis in range(ndim)]
        kwargs["pad_width"] = tuple((each, each) if is_number(each) else tuple(c.iterate(each)) for each in pairs)
    return c.numpy_call(prim, [kwargs.pop("array")], kwargs, "function")


def _vecdot(function: Any) -> Structural:
    def vecdot(c: Interpreter, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """Along another axis than the last."""
        prim = find(function)
        assert prim is not None
        axis = kwargs.pop("axis", None)
        if axis is not None and c.number(axis) != -1:
            args = [_call(c, np.moveaxis, each, axis, Const(-1)) for each in args]
        return c.numpy_call(prim, args, kwargs, "function")

    return vecdot


def _where(c: Interpreter, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """With a condition alone, the places where it holds."""
    prim = find(np.where if len(args) > 1 else np.nonzero)
    assert prim is not None
    return c.numpy_call(prim, args, kwargs, "function")


def _log(c: Interpreter, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """math.log(x, base) is the quotient of two logarithms."""
    prim = find(math.log)
    assert prim is not None
    logs = [c.numpy_call(prim, [each], {}, "python") for each in args[:2]]
    if kwargs or not 1 <= len(args) <= 2:
        raise Unsupported("math.log takes a number, and a base")
    return logs[0] if len(logs) == 1 else c.binary(ast.Div, logs[0], logs[1], ast.Div())


def _prod(c: Interpreter, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """One factor after the other, as Python multiplies."""
    if len(args) != 1 or set(kwargs) - {"start"}:
        raise Unsupported("math.prod with these arguments", "Known: the factors, and start=.")
    factors = c.iterate(args[0])
    result, *rest = [kwargs["start"], *factors] if "start" in kwargs else factors or [Const(1)]
    for factor in rest:
        result = c.binary(ast.Mult, result, factor, ast.Mult())
    return result


STRUCTURAL: dict[Any, Structural] = {
    np.block: _block, np.piecewise: _piecewise, np.apply_along_axis: _apply_along_axis,
    np.apply_over_axes: _apply_over_axes, np.einsum: _einsum, np.reshape: _reshape, np.pad: _pad,
    np.where: _where, np.vecdot: _vecdot(np.vecdot), np.linalg.vecdot: _vecdot(np.linalg.vecdot),
    np.lib.stride_tricks.sliding_window_view: _sliding_window_view, math.log: _log, math.prod: _prod,
}  # fmt: skip

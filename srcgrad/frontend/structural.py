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
from .values import BoundMethod, ListValue, is_number, sequence

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
        raise Unsupported(f"{name} with an imaginary step", "Use np.linspace.")
    return _call(c, np.arange, start, c.ev(node.upper), *rest)


# Functions of pieces and rows


def _piecewise(c: Interpreter, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """The last condition that holds decides; each function gets the elements of its piece alone."""
    _exactly("np.piecewise", 3, args, kwargs)
    x, conditions, functions = args[0], c.iterate(args[1]), c.iterate(args[2])
    if not isinstance(x, Value) or not _ndim(x) or x.type.dtype.kind not in "fc":  # type: ignore[union-attr]
        raise Unsupported("np.piecewise of anything but an array of floats", "Use np.where.")
    if any(_ndim(each) != _ndim(x) for each in conditions):
        raise Unsupported("np.piecewise with conditions of another shape than the array", "Use np.where.")
    if len(functions) - len(conditions) not in (0, 1):
        raise Unsupported(f"np.piecewise with {len(conditions)} conditions and {len(functions)} functions")
    env: dict[str, Any] = {"x": x, "np": np}
    lines = ["result = np.zeros_like(x)"]
    if len(functions) > len(conditions):
        lines.append(f"c{len(conditions)} = ~({' | '.join(f'c{k}' for k in range(len(conditions)))})")
    env |= {f"c{k}": condition for k, condition in enumerate(conditions)}
    env |= {f"f{k}": function for k, function in enumerate(functions)}
    for k, function in enumerate(functions):
        lines.append(f"result[c{k}] = " + (f"f{k}" if is_number(function) else f"f{k}(x[c{k}])"))
    return c.run_text("\n".join(lines), env)["result"]


_ROWS = """
rows = [function(row, *rest) for row in lines]
result = np.array(rows)
"""


def _apply_along_axis(c: Interpreter, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """The function of each line of a matrix; what it gives takes the line's place."""
    if kwargs or len(args) < 3 or _ndim(args[2]) not in (1, 2):
        raise Unsupported(
            "np.apply_along_axis with these arguments", "Known: a function, an axis, a matrix, and more by position."
        )
    function, axis, array, *rest = args
    axis, ndim = c.number(axis) % _ndim(array), _ndim(array)
    if ndim == 1:
        return c.invoke(function, [array, *rest], {}, "func1d")
    lines = array if axis == 1 else _call(c, np.transpose, array)
    env = {"function": function, "lines": lines, "rest": tuple(rest), "np": np}
    result = c.run_text(_ROWS, env)["result"]
    if _ndim(result) > 2:
        raise Unsupported("np.apply_along_axis of a function that gives matrices", "Write a loop.")
    return result if axis == 1 or _ndim(result) == 1 else _call(c, np.transpose, result)


def _apply_over_axes(c: Interpreter, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """The function over one axis after the other, each of which stays with length one."""
    _exactly("np.apply_over_axes", 3, args, kwargs)
    function, array, axes = args
    ndim = _ndim(array)
    for axis in [axes] if is_number(axes) else sequence(axes):
        result = c.invoke(function, [array, axis], {}, "func")
        array = result if _ndim(result) == ndim else _call(c, np.expand_dims, result, axis=axis)
    return array


# Functions that are two others


def _astype(c: Interpreter, args: list[Any], kwargs: dict[str, Any]) -> Any:
    if len(args) != 2 or set(kwargs) - {"copy"} or not _ndim(args[0]):
        raise Unsupported("np.astype with these arguments", "Known: an array, a dtype, and copy=.")
    return c.invoke(BoundMethod(args[0], "astype"), [args[1]], kwargs, "astype")


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
    np.apply_over_axes: _apply_over_axes, np.astype: _astype, math.log: _log, math.prod: _prod,
}  # fmt: skip

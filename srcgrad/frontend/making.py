"""Making arrays: np.array and its relatives, grids, and forms of one array with more axes."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import Unsupported
from ..ir.dims import as_dim
from ..ir.nodes import Const, Value
from ..ir.primitive import find, named
from ..ir.types import Array
from .values import ListValue, describe, is_number

if TYPE_CHECKING:
    from .calls import Calls
    from .interpreter import Interpreter

Making = Callable[["Calls", list[Any], dict[str, Any]], Any]
_LONGEST = 100_000_000


def _static(value: Any) -> Any:
    return value.value if isinstance(value, Const) else value


def _options(name: str, kwargs: dict[str, Any], known: dict[str, tuple[Any, ...]]) -> None:
    """Take the keywords away that change nothing; refuse the rest. `known` are those that go on, and which values."""
    for key in [*kwargs]:
        value = _static(kwargs[key])
        if key not in known:
            raise Unsupported(f"{name} with `{key}=`", f"Known: {', '.join(known)}.")
        if known[key] and not any(
            value is each or (type(value) is type(each) and value == each) for each in known[key]
        ):
            raise Unsupported(f"{name} with {key}={value!r}", f"Known: {' or '.join(map(repr, known[key]))}.")
        if known[key] and key != "copy":
            del kwargs[key]


def _array(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
    if len(args) == 2 and "dtype" not in kwargs:
        args, kwargs = args[:1], {**kwargs, "dtype": args[1]}
    if "object" in kwargs and not args:
        args = [kwargs.pop("object")]
    if len(args) != 1:
        raise Unsupported("np.array with these arguments", "Known: object, dtype.")
    value, least = args[0], c.number(kwargs.pop("ndmin")) if "ndmin" in kwargs else 0
    order = kwargs.pop("order", None)
    plain: dict[str, tuple[Any, ...]] = {"subok": (True, False), "like": (None,), "ndmax": (0,)}
    _options("np.array", kwargs, {"dtype": (), "copy": (True, None, False), **plain})
    if kwargs.pop("copy", True) is not True and is_number(value):
        result = _asarray(c, [value], {**kwargs, "order": order})
    else:
        copied = {} if order in (None, "K") else {"order": order}
        result = c.numpy_call(_prim(np.copy), [value], copied, "function") if is_number(value) else c.array_of(value)
        dtype = kwargs.get("dtype")
        if dtype is not None:
            result = c.apply(named("astype"), [result], {"dtype": c.compute(np.dtype, dtype)}, "method")
    if not result.type.ndim:  # unlike a number, it has memory
        c.zero_d.add(result)
        c.fresh.add(result)
    missing = tuple(range(least - result.type.ndim))
    return c.apply(_prim(np.expand_dims), [result], {"axis": missing}) if missing else result


def _asarray(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """No copy where there is nothing to do, so the result may be the argument itself."""
    args = [*args, *([kwargs.pop("a")] if "a" in kwargs and not args else [])]
    if len(args) == 2 and "dtype" not in kwargs:
        args, kwargs = args[:1], {**kwargs, "dtype": args[1]}
    copy = {"copy": (None, True)}
    _options(
        "np.asarray", kwargs, {"dtype": (), "order": (None, "K"), "device": (None, "cpu"), "like": (None,), **copy}
    )
    value = args[0] if len(args) == 1 else None
    whole = isinstance(value, Value) and isinstance(value.type, Array) and value.type.ndim > 0
    if not whole or kwargs.pop("copy", None):
        return _array(c, args, kwargs)
    assert isinstance(value, Value)
    assert isinstance(value.type, Array)
    dtype = kwargs.get("dtype")
    wanted = None if dtype is None else c.compute(np.dtype, dtype)
    if wanted is None or wanted == value.type.dtype:
        return value
    return c.apply(named("astype"), [value], {"dtype": wanted}, "method")


def astype(c: Calls, array: Value, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """A cast makes a new array, unless `copy=False` finds nothing to do."""
    kwargs = {**dict(zip(("dtype", "order", "casting", "subok", "copy"), args)), **kwargs}
    casting = kwargs.pop("casting", "unsafe")
    known: dict[str, tuple[Any, ...]] = {
        "dtype": (),
        "order": ("K", "A"),
        "subok": (True, False),
        "copy": (True, False),
    }
    _options("`.astype`", kwargs, {**known, "device": (None, "cpu")})
    if len(args) > 5 or kwargs.get("dtype") is None:
        raise Unsupported("`.astype` without a dtype", "Give it a dtype.")
    dtype = c.compute(np.dtype, kwargs["dtype"])
    assert isinstance(array.type, Array)
    if not c.compute(np.can_cast, array.type.dtype, dtype, casting):
        raise Unsupported(f"{array.type.dtype} does not become {dtype} by casting={casting!r}")
    if kwargs.get("copy", True) is False and dtype == array.type.dtype:
        return array
    return c.apply(named("astype"), [array], {"dtype": dtype}, "method")


def _astype_function(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
    if not args or not isinstance(args[0], Value) or set(kwargs) - {"copy", "device", "dtype"}:
        raise Unsupported("np.astype with these arguments", "Known: an array, a dtype, copy= and device=.")
    return astype(c, args[0], args[1:], kwargs)


def _unstack(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """np.unstack(x): the parts along an axis, whose number is settled when compiling."""
    if len(args) != 1 or set(kwargs) - {"axis"} or not isinstance(args[0], Value):
        raise Unsupported("np.unstack with these arguments", "Known: x, axis.")
    axis = c.number(kwargs["axis"]) if "axis" in kwargs else 0
    array = c.apply(_prim(np.moveaxis), args, {"source": axis, "destination": 0}) if axis else args[0]
    return tuple(c.unpack(array, None))


def _at_least(function: Any) -> Making:
    def at_least(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """One array, or a tuple of as many as there are arguments."""
        found = tuple(c.numpy_call(_prim(function), [c.operand(each)], kwargs, "function") for each in args)
        return found[0] if len(found) == 1 else found

    return at_least


def _real_if_close(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """Real arrays as they are; whether complex ones become real depends on their values."""
    if len(args) > 2 or not args or set(kwargs) - {"tol"}:
        raise Unsupported("np.real_if_close with these arguments", "Known: a, tol.")
    value = _asarray(c, args[:1], {})
    if value.type.dtype.kind == "c":
        raise Unsupported("whether np.real_if_close gives real numbers depends on the values", "Use np.real.")
    return value


# Ranges and grids


def _arange(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """As many numbers as NumPy counts, where all bounds are numbers of the source, and one of them is a float."""
    kwargs = {key: value for key, value in kwargs.items() if (key, _static(value)) not in _NO_EFFECT}
    result: Value = c.numpy_call(_prim(np.arange), args, kwargs, "function")
    bounds = [_static(each) for each in args]
    if any(isinstance(each, float) for each in bounds) and all(isinstance(each, (int, float)) for each in bounds):
        number = _count(*((0.0, bounds[0], 1.0) if len(bounds) == 1 else (*bounds, 1.0)[:3]))
        assert isinstance(result.type, Array)
        result.type = replace(result.type, axes=(as_dim(number),))
    return result


_NO_EFFECT = (("like", None), ("device", None), ("device", "cpu"))


def _count(start: float, stop: float, step: float) -> int:
    if not math.isfinite(start) or not math.isfinite(stop) or not step or abs((stop - start) / step) > _LONGEST:
        raise Unsupported("np.arange of so many numbers")
    return max(0, math.ceil((stop - start) / step))


def _indices(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """np.indices(lengths): for each axis the places along it."""
    kwargs = {**dict(zip(("dimensions", "dtype", "sparse"), args)), **kwargs}
    if set(kwargs) - {"dimensions", "dtype", "sparse"} or "dimensions" not in kwargs:
        raise Unsupported("np.indices with these arguments", "Known: dimensions, dtype, sparse.")
    dtype = c.compute(np.dtype, kwargs.get("dtype", int))
    options = {} if dtype == np.dtype(int) else {"dtype": dtype}
    lines = [c.invoke(np.arange, [each], dict(options), "np.arange") for each in c.iterate(kwargs["dimensions"])]
    return _grid(c, lines, kwargs.get("sparse", False) is True)


def _grid(c: Calls, lines: list[Any], sparse: bool) -> Any:
    """Lines along one axis each, brought to all axes."""
    options: dict[str, Any] = {"indexing": "ij", **({"sparse": True} if sparse else {})}
    parts = c.invoke(np.meshgrid, lines, options, "np.meshgrid")
    return parts if sparse else c.invoke(np.stack, [ListValue([*parts], c.depth)], {}, "np.stack")


def grid_by_index(c: Interpreter, kind: Any, node: ast.Subscript) -> Any:
    """`np.mgrid[0:3, 0:1:5j]` and `np.ogrid[...]`, with the arithmetic of NumPy's own."""
    name = "np.mgrid" if kind is np.mgrid else "np.ogrid"
    several = isinstance(node.slice, ast.Tuple)
    items = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if not all(isinstance(item, ast.Slice) for item in items):
        raise Unsupported(f"{name} takes slices", "Write `start:stop` or `start:stop:step`.")
    bounds = [_bounds(c, item, name) for item in items]  # type: ignore[arg-type]
    floats = any(isinstance(_static(each), (float, complex)) for line in bounds for each in line)
    lines = [_line(c, line, floats, several) for line in bounds]
    return _grid(c, lines, kind is np.ogrid) if several else lines[0]


def _bounds(c: Interpreter, node: ast.Slice, name: str) -> list[Any]:
    if node.upper is None:
        raise Unsupported(f"{name} with a slice that has no end", "Write `start:stop`.")
    found = [Const(0) if node.lower is None else c.ev(node.lower), c.ev(node.upper)]
    found.append(Const(1) if node.step is None else c.ev(node.step))
    for each in found:
        if isinstance(each, Value) and (not isinstance(each.type, Array) or each.type.dtype.kind not in "iu"):
            raise Unsupported(f"{name} with {describe(each)} as a bound", "Use np.linspace, or np.arange.")
    return found


def _line(c: Interpreter, bounds: list[Any], floats: bool, several: bool) -> Any:
    """The numbers along one axis: `k * step + start`, as np.mgrid computes them."""
    start, stop, step = bounds
    known = [_static(each) for each in bounds]
    if not floats:
        given = [stop] if known[0] == 0 and known[2] == 1 else [start, stop, step][: 2 if known[2] == 1 else 3]
        return c.invoke(np.arange, given, {}, "np.arange")
    if any(isinstance(each, Value) for each in known):
        raise Unsupported("a grid of floats with bounds known only while running", "Use np.linspace, or np.arange.")
    low, high, width = known
    if isinstance(width, complex):
        number = int(abs(width))
        width = (high - low) / float(number - 1) if number > 1 else 1.0
    elif not several:
        return c.invoke(np.arange, bounds if known[2] != 1 else bounds[:2], {}, "np.arange")
    else:
        number = _count(low, high, width)
    line = c.invoke(np.arange, [Const(number)], {}, "np.arange")
    line = c.binary(ast.Mult, line, Const(float(width)), ast.Mult())
    return c.binary(ast.Add, line, Const(float(low)), ast.Add())


def _prim(function: Any) -> Any:
    prim = find(function)
    assert prim is not None
    return prim


MAKING: dict[Any, Making] = {
    np.array: _array, np.asarray: _asarray, np.asanyarray: _asarray, np.unstack: _unstack, np.astype: _astype_function,
    np.arange: _arange, np.indices: _indices, np.real_if_close: _real_if_close,
    **{function: _at_least(function) for function in (np.atleast_1d, np.atleast_2d, np.atleast_3d)},
}  # fmt: skip

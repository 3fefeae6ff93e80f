"""Python's builtins, and the NumPy functions that are about structure rather than arithmetic, on abstract values."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import Unsupported
from ..ir.nodes import Const, Value
from ..ir.primitive import find, named
from ..ir.types import FLOAT, Array
from .making import MAKING
from .static import STATIC
from .values import (
    Closure,
    DictValue,
    Instance,
    Iteration,
    ListValue,
    RangeValue,
    Record,
    Super,
    describe,
    is_number,
    sequence,
)

if TYPE_CHECKING:
    from .calls import Calls

Builtin = Callable[["Calls", list[Any], dict[str, Any]], Any]


def _plain(name: str, least: int, most: int) -> Callable[[Builtin], Builtin]:
    """A builtin that takes no keywords, and so many positional arguments."""

    def decorate(function: Builtin) -> Builtin:
        def checked(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
            if kwargs:
                raise Unsupported(f"{name}() with `{next(iter(kwargs))}=` cannot be differentiated")
            if not least <= len(args) <= most:
                raise Unsupported(f"{name}() takes {least} to {most} arguments, {len(args)} were given")
            return function(c, args, kwargs)

        return checked

    return decorate


@_plain("range", 1, 3)
def _range(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
    for each in args:
        integer = is_number(each) and not each.type.ndim and each.type.dtype.kind in "iu"
        if not integer and not isinstance(each, bool):
            raise Unsupported(f"range() takes integers, not {describe(each)}")
    bounds = [Const(int(a)) if isinstance(a, bool) else a for a in args]
    if len(bounds) == 1:
        return RangeValue(Const(0), bounds[0], Const(1))
    return RangeValue(bounds[0], bounds[1], bounds[2] if len(bounds) > 2 else Const(1))


@_plain("len", 1, 1)
def _len(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
    (value,) = args
    if isinstance(value, Value):
        if not isinstance(value.type, Array) or not value.type.ndim:
            raise Unsupported("len() of a scalar")
        return c.length(value, 0, "len")
    if isinstance(value, RangeValue):
        return Const(len(c.indices(value)))
    if isinstance(value, (ListValue, DictValue)) and value.rows is not None:
        return c.count_rows(value)
    if c.special(value, "__len__"):
        return c.object_method(value, "__len__", [], {})
    return Const(len(sequence(value)))


@_plain("float", 1, 1)
def _float(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
    (value,) = args
    if isinstance(value, Value):
        if isinstance(value.type, Array) and value.type.ndim:
            raise Unsupported("float() of an array", "Index it, or sum it.")
        return value if value.type == FLOAT else c.apply(named("float"), [value])
    return Const(c.compute(float, value.value if isinstance(value, Const) else value))


@_plain("int", 1, 1)
def _int(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
    (value,) = args
    number = c.maybe_number(value)
    if number is not None:
        return Const(c.compute(int, number))
    if not isinstance(value, Value):
        return Const(c.compute(int, value))
    if isinstance(value.type, Array) and value.type.ndim:
        raise Unsupported("int() of an array", "Index it.")
    return c.apply(named("int"), args)


@_plain("bool", 1, 1)
def _bool(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
    known = c.maybe_truth(args[0])
    if known is not None:
        return known
    return c.apply(named("not"), [c.apply(named("not"), [c.condition(args[0])])])


@_plain("abs", 1, 1)
def _abs(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
    if isinstance(args[0], Const):
        return Const(abs(args[0].value))
    absolute = find(np.absolute)
    assert absolute is not None
    return c.apply(absolute, args, style="operator")


def _extreme(function: Any, python: Any) -> Builtin:
    def extreme(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """max(a, b) of numbers: a choice, as Python makes it."""
        if kwargs:
            raise Unsupported(f"{python.__name__}() with `{next(iter(kwargs))}=`", f"Use np.{function.__name__}.")
        whole = c.whole(args[0])
        if len(args) == 1 and whole is not args[0]:
            return c.invoke(np.max if python is max else np.min, [whole], {}, python.__name__)
        items = c.iterate(args[0]) if len(args) == 1 else args
        numbers = [c.maybe_number(item) for item in items]
        if None not in numbers:
            return Const(c.compute(python, numbers))
        prim = find(function)
        assert prim is not None
        result = items[0]
        for item in items[1:]:
            if any(isinstance(v, Value) and isinstance(v.type, Array) and v.type.ndim for v in (result, item)):
                raise Unsupported(f"{python.__name__}() of arrays", f"Use np.{function.__name__}.")
            result = c.apply(prim, [result, item])
        return result

    return extreme


def _sum(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
    start = args[1] if len(args) > 1 else kwargs.get("start")
    args = [c.whole(args[0]), *args[1:]]
    if isinstance(args[0], Value) and isinstance(args[0].type, Array) and args[0].type.ndim:
        total = c.apply(find(np.sum), [args[0]], {"axis": 0})  # type: ignore[arg-type]
        return total if start is None else c.binary(ast.Add, start, total, ast.Add())
    items = c.iterate(args[0])
    if start is None and not items:
        return Const(0)
    result = start if start is not None else None
    for item in items:
        result = item if result is None else c.binary(ast.Add, result, item, ast.Add())
    return result


def _iteration(kind: str) -> Builtin:
    def iteration(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
        if kind == "enumerate":
            start = kwargs.pop("start", args[1] if len(args) > 1 else None)
            args = args[:1]
        elif kind == "zip":
            start, strict = None, kwargs.pop("strict", False)
            if strict is not False:
                raise Unsupported("zip() with `strict=`", "Leave it out: different lengths are refused anyway.")
        else:
            start = None
        if kwargs or (kind != "zip" and len(args) != 1) or not args:
            raise Unsupported(f"{kind}() with these arguments cannot be differentiated")
        for part in args:
            if is_number(part) and not (isinstance(part, Value) and isinstance(part.type, Array) and part.type.ndim):
                raise Unsupported(f"{kind}() of {describe(part)}", "It takes a sequence or an array.")
        return Iteration(kind, tuple(args), start)

    return iteration


@_plain("list", 0, 1)
def _list(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
    return ListValue(c.iterate(args[0]) if args else [], c.depth, place=c.here())


def _sorted(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """Of what is known now: names, and numbers of the source."""
    if len(args) != 1 or set(kwargs) - {"reverse"}:
        raise Unsupported("sorted() with these arguments", "Known: the items, and reverse=. For arrays, use np.sort.")
    keys = list(args[0]) if isinstance(args[0], (set, frozenset)) else [c.key(item) for item in c.iterate(args[0])]
    items = c.compute(sorted, keys)
    if kwargs and c.truth(kwargs["reverse"]):
        items = c.compute(lambda: sorted(keys, reverse=True))
    return ListValue([c.wrap(item) for item in items], c.depth, place=c.here())


@_plain("tuple", 0, 1)
def _tuple(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
    return tuple(c.iterate(args[0])) if args else ()


def _dict(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
    items: dict[Any, Any] = {}
    for each in args:
        if isinstance(each, DictValue):
            items |= each.items
        else:
            items |= {c.key(key): value for key, value in (c.unpack(pair, 2) for pair in c.iterate(each))}
    return DictValue(items | kwargs, c.depth, place=c.here())


@_plain("isinstance", 2, 2)
def _isinstance(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
    value, kinds = args
    kinds = kinds if isinstance(kinds, tuple) else (kinds,)
    if isinstance(value, Value) and isinstance(value.type, Array):
        if value.type.weak:
            return any(k in kinds for k in ((float,) if value.type.dtype.kind == "f" else (int,)))
        return np.ndarray in kinds if value.type.ndim else _is_scalar_of(value.type.dtype, kinds)
    if isinstance(value, Const):
        return isinstance(value.value, kinds)
    if isinstance(value, Instance):
        return isinstance(value.object, kinds)
    if isinstance(value, Record):
        return issubclass(value.kind, kinds)
    concrete = {ListValue: list, DictValue: dict}.get(type(value))
    return concrete in kinds if concrete is not None else isinstance(value, kinds)


def _is_scalar_of(dtype: np.dtype[Any], kinds: tuple[Any, ...]) -> bool:
    """A number from NumPy arithmetic is a NumPy scalar; a 0-d argument is an array: where that matters, refuse."""
    scalar = any(issubclass(dtype.type, kind) for kind in kinds)
    if scalar != (np.ndarray in kinds):
        raise Unsupported("whether this is a NumPy scalar or a 0-d array is not known", "Check `x.ndim` instead.")
    return scalar


@_plain("slice", 1, 3)
def _slice(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
    return slice(*(None if each is None else c.number(each) for each in args))


@_plain("super", 0, 2)
def _super(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
    if args:
        return Super(args[1], args[0])
    function, first = c.frame.function, next(iter(c.frame.env.values()), None)
    free = function.__code__.co_freevars
    if "__class__" not in free or function.__closure__ is None:
        raise Unsupported("super() outside a method")
    return Super(first, function.__closure__[free.index("__class__")].cell_contents)


@_plain("getattr", 2, 3)
def _getattr(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
    thing, name, *default = args
    if not isinstance(name, str):
        raise Unsupported("getattr() with a name that is not known when compiling")
    if default and not c.has_attribute(thing, name):
        return default[0]
    return c.attribute(thing, name, ast.Name(name))


@_plain("hasattr", 2, 2)
def _hasattr(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
    return c.has_attribute(args[0], args[1])


@_plain("iter", 1, 1)
def _iter(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
    return tuple(c.iterate(args[0]))


@_plain("callable", 1, 1)
def _callable(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
    return isinstance(args[0], Closure) or callable(args[0])


@_plain("divmod", 2, 2)
def _divmod(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
    left, right = args
    return tuple(c.binary(kind, left, right, ast.Pass()) for kind in (ast.FloorDiv, ast.Mod))


@_plain("pow", 2, 2)
def _pow(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
    base, exponent = args
    return c.binary(ast.Pow, base, exponent, ast.Pass())


@_plain("math.pow", 2, 2)
def _math_pow(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
    return _pow(c, [_float(c, [each], {}) for each in args], {})


def _attribute(name: str) -> Builtin:
    def attribute(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
        if len(args) != 1 or kwargs:
            raise Unsupported(f"np.{name} with these arguments", f"Use x.{name}.")
        value = args[0] if is_number(args[0]) else c.array_of(args[0])
        return c.attribute(value, name, ast.Name(name)) if isinstance(value, Value) else _of_number[name]

    return attribute


_of_number: dict[str, Any] = {"shape": (), "ndim": Const(0), "size": Const(1)}


BUILTINS: dict[Any, Builtin] = {
    **STATIC, **MAKING,
    range: _range, len: _len, float: _float, int: _int, bool: _bool, abs: _abs, sum: _sum, list: _list, tuple: _tuple,
    dict: _dict, max: _extreme(np.maximum, max), min: _extreme(np.minimum, min), isinstance: _isinstance,
    super: _super, sorted: _sorted, getattr: _getattr, hasattr: _hasattr, iter: _iter,
    callable: _callable, divmod: _divmod, pow: _pow,
    enumerate: _iteration("enumerate"), zip: _iteration("zip"), reversed: _iteration("reversed"),
    slice: _slice,
    np.shape: _attribute("shape"), np.ndim: _attribute("ndim"), np.size: _attribute("size"),
    math.pow: _math_pow,
}  # fmt: skip

"""Functions that take, make or wrap functions: map, reduce, partial, lru_cache; operators as functions."""

from __future__ import annotations

import ast
import functools
import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..errors import Unsupported
from ..ir.nodes import Const, Value
from ..runtime.captures import MISSING, Found, Route, follow
from .values import Partial

if TYPE_CHECKING:
    from .calls import Calls

Cached = type(functools.lru_cache(lambda: None))


def _map(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
    function, *sequences = args
    return tuple(c.invoke(function, list(items), {}, "map") for items in zip(*map(c.iterate, sequences)))


def _reduce(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
    function, sequence, *start = args
    items = [*start, *c.iterate(sequence)]
    if not items:
        raise Unsupported("reduce() of an empty sequence without a start")
    return functools.reduce(lambda so_far, item: c.invoke(function, [so_far, item], {}, "reduce"), items)


def _partial(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
    function, *rest = args
    return Partial(function, tuple(rest), kwargs)


def _binary(kind: type[ast.operator]) -> Callable[..., Any]:
    def apply(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
        left, right = args
        return c.binary(kind, left, right, kind())

    return apply


CALLABLES: dict[Any, Callable[..., Any]] = {
    map: _map, functools.reduce: _reduce, functools.partial: _partial,
    operator.add: _binary(ast.Add), operator.sub: _binary(ast.Sub), operator.mul: _binary(ast.Mult),
    operator.truediv: _binary(ast.Div), operator.pow: _binary(ast.Pow), operator.matmul: _binary(ast.MatMult),
    operator.floordiv: _binary(ast.FloorDiv), operator.mod: _binary(ast.Mod),
}  # fmt: skip


def wraps(function: Any) -> bool:
    """Whether this is a library's object around a user's function."""
    return isinstance(function, (Partial, functools.partial, Cached))


def call_wrapped(c: Calls, function: Any, args: list[Any], kwargs: dict[str, Any], text: str) -> Any:
    if isinstance(function, Partial):
        return c.invoke(function.function, [*function.args, *args], {**function.kwargs, **kwargs}, text)
    route = c.route_of(function)
    if route is None:
        raise Unsupported(f"it is not known where `{text}` comes from", "Call it by its name.")
    if isinstance(function, functools.partial):
        return _call_partial(c, function, route, args, kwargs, text)
    return _call_cached(c, function, route, args, kwargs, text)


def _call_partial(
    c: Calls, function: functools.partial[Any], route: Route, args: list[Any], kwargs: dict[str, Any], text: str
) -> Any:
    """Its function and its arguments are read at each call, like globals."""
    inner = c.adopt(Found(function.func, (*route, ("attr", "func"))), text)
    names = getattr(getattr(function.func, "__code__", None), "co_varnames", ())
    given = [
        c.adopt(Found(value, (*route, ("attr", "args"), ("item", i))), names[i] if i < len(names) else "argument")
        for i, value in enumerate(function.args)
    ]
    named = {
        name: c.adopt(Found(value, (*route, ("attr", "keywords"), ("item", name))), name)
        for name, value in function.keywords.items()
    }
    return c.invoke(inner, [*given, *args], {**named, **kwargs}, text)


def _call_cached(c: Calls, function: Any, route: Route, args: list[Any], kwargs: dict[str, Any], text: str) -> Any:
    """With arguments known now its result is data from outside, fetched at each call; else its function is read."""
    numbers = [_known(c, arg) for arg in args]
    if kwargs or MISSING in numbers:
        inner = c.adopt(Found(function.__wrapped__, (*route, ("attr", "__wrapped__"))), text)
        return c.invoke(inner, args, kwargs, text)
    step = ("call", tuple(numbers))
    value = c.compute(follow, function, (step,))
    if value is MISSING:
        raise Unsupported(f"`{text}` fails with these arguments")
    return c.adopt(Found(value, (*route, step)), text if text.isidentifier() else "value")


def _known(c: Calls, arg: Any) -> Any:
    if isinstance(arg, (Value, Const)):
        number = c.maybe_number(arg)
        return MISSING if number is None else number
    return arg if arg is None or isinstance(arg, (str, bool)) else MISSING

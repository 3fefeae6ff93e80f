"""Builtins on what is known when compiling: any, all, filter, round, sets, type."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..errors import Unsupported
from ..ir.nodes import Const, Value
from .objects import class_of
from .values import DictValue, Instance, ListValue, Record, describe

if TYPE_CHECKING:
    from .calls import Calls

Builtin = Callable[["Calls", list[Any], dict[str, Any]], Any]


def _one(name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
    if len(args) != 1 or kwargs:
        raise Unsupported(f"{name}() takes one argument")
    return args[0]


def _decided(name: str, python: Callable[[Any], bool]) -> Builtin:
    def decided(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """any() and all() of truth values that are known now."""
        items = _one(name, args, kwargs)
        truths = [c.maybe_truth(item) for item in c.iterate(items)] if not isinstance(items, Value) else [None]
        if None in truths:
            way_out = f"Use np.{name} of an array, or write the conditions with `and` and `or`."
            raise Unsupported(f"{name}() of conditions that are known only while running", way_out)
        return python(truths)

    return decided


def _filter(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
    if len(args) != 2 or kwargs:
        raise Unsupported("filter() takes a function and a sequence")
    function, items = args[0], c.iterate(args[1])
    return tuple(v for v in items if c.truth(v if function is None else c.invoke(function, [v], {}, "filter")))


def _round(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
    if kwargs or not 1 <= len(args) <= 2:
        raise Unsupported("round() with these arguments", "Known: the number, and how many digits.")
    numbers = [c.maybe_number(each) if each is not None else None for each in args]
    if numbers[0] is None or (len(args) == 2 and args[1] is not None and numbers[1] is None):
        raise Unsupported("round() of a number that is known only while running", "Use np.round, or np.rint.")
    return Const(c.compute(round, *numbers))


def _set(kind: type) -> Builtin:
    def make(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
        items = _one(kind.__name__, args, kwargs) if args or kwargs else ()
        return kind(items) if isinstance(items, (set, frozenset)) else kind(c.key(each) for each in c.iterate(items))

    return make


def _type(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """The class of an object or container."""
    thing = _one("type", args, kwargs)
    match thing:
        case ListValue():
            return list
        case DictValue():
            return dict
        case Instance() | Record():
            c.statics.setdefault(c.class_route(thing), class_of(thing))
            return class_of(thing)
        case tuple() | str() | bool():
            return type(thing)
    raise Unsupported(f"type() of {describe(thing)}", "Use isinstance(), or the dtype: `x.dtype`.")


STATIC: dict[Any, Builtin] = {
    any: _decided("any", any), all: _decided("all", all), filter: _filter, round: _round,
    set: _set(set), frozenset: _set(frozenset), type: _type,
}  # fmt: skip

"""Abstract values: what the interpreter computes with while it reads a function.

An array or number that only running reveals is an IR `Value`; a number written in the source is a `Const`; containers
are Python's own, holding abstract values; everything else that is known now (strings, functions, modules) stands for
itself.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ..errors import Unsupported
from ..ir.nodes import Const, Value
from ..ir.types import Array


@dataclass(frozen=True)
class Poison:
    """A name whose value is not certain here; reading it is an error that says why."""

    why: str
    way_out: str = ""


@dataclass(eq=False)
class Closure:
    """A function defined inside the function being read."""

    node: ast.FunctionDef | ast.Lambda
    frame: Any
    defaults: dict[str, Any]
    name: str


@dataclass(eq=False)
class BoundMethod:
    """`x.sum`, before it is called."""

    receiver: Any
    name: str


@dataclass(eq=False)
class ListValue:
    """A list made by the function; `depth` is the control flow it was made in, which tells whether it may grow."""

    items: list[Any]
    depth: tuple[int, ...] = ()


@dataclass(eq=False)
class DictValue:
    items: dict[Any, Any] = field(default_factory=dict)
    depth: tuple[int, ...] = ()


@dataclass(eq=False)
class RangeValue:
    """`range(...)` with bounds that may be known only while running."""

    start: Any
    stop: Any
    step: Any


@dataclass(eq=False)
class Iteration:
    """enumerate, zip, reversed: how a loop walks over its parts."""

    kind: str
    parts: tuple[Any, ...]
    start: Any = None


def is_number(value: Any) -> bool:
    return isinstance(value, (Value, Const)) and isinstance(value.type, Array)


def flatten(value: Any) -> tuple[list[Any], Callable[[list[Any]], Any]]:
    """The IR leaves of an abstract value, and the function that puts new leaves into its structure."""
    if isinstance(value, (Value, Const)):
        return [value], lambda leaves: leaves[0]
    if isinstance(value, tuple):
        return _flatten_items(list(value), lambda items: tuple(items))
    if isinstance(value, ListValue):
        return _flatten_items(value.items, lambda items: ListValue(items, value.depth))
    if isinstance(value, DictValue):
        keys = list(value.items)
        return _flatten_items(list(value.items.values()), lambda items: DictValue(dict(zip(keys, items)), value.depth))
    return [], lambda leaves: value


def _flatten_items(
    items: list[Any], rebuild: Callable[[list[Any]], Any]
) -> tuple[list[Any], Callable[[list[Any]], Any]]:
    parts = [flatten(item) for item in items]
    counts = [len(leaves) for leaves, _ in parts]

    def build(leaves: list[Any]) -> Any:
        built, at = [], 0
        for count, (_, make) in zip(counts, parts):
            built.append(make(leaves[at : at + count]))
            at += count
        return rebuild(built)

    return [leaf for leaves, _ in parts for leaf in leaves], build


def same_structure(a: Any, b: Any) -> bool:
    """Whether two abstract values differ in IR leaves alone."""
    if isinstance(a, (Value, Const)) and isinstance(b, (Value, Const)):
        return True
    if type(a) is not type(b):
        return False
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(same_structure, a, b))
    if isinstance(a, ListValue):
        return len(a.items) == len(b.items) and all(map(same_structure, a.items, b.items))
    if isinstance(a, DictValue):
        return list(a.items) == list(b.items) and all(map(same_structure, a.items.values(), b.items.values()))
    try:
        return a is b or bool(a == b)
    except Exception:
        return False


def sequence(value: Any) -> list[Any]:
    """The items of a container known now."""
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, (ListValue, DictValue)):
        return list(value.items)
    if isinstance(value, (list, dict, str)):
        return list(value)
    raise Unsupported(f"{describe(value)} where a sequence is needed")


def describe(value: Any) -> str:
    """An abstract value in an error message."""
    if isinstance(value, Value):
        return f"a value of type {value.type}"
    if isinstance(value, Const):
        return f"the number {value!r}"
    if isinstance(value, Closure):
        return f"the function `{value.name}`"
    return f"{type(value).__name__}"


def walk_values(value: Any) -> Iterator[Value]:
    leaves, _ = flatten(value)
    for leaf in leaves:
        if isinstance(leaf, Value):
            yield leaf

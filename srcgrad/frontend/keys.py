"""What a call is recognised by: the function, what is known of its arguments now, and the types of the rest.

Two calls with one key are served by one procedure, if their lengths allow.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.nodes import Const, Value
from ..ir.types import Array
from .interpreter import Interpreter
from .kinds import INSTANCE, kind_of
from .state import Frame, Key
from .values import (
    BoundMethod,
    Closure,
    DictValue,
    Instance,
    Iteration,
    ListValue,
    Poison,
    RangeValue,
    Record,
    like_tuple,
)

Leaf = tuple[str, Any]  # what to call it, and the value
_FIXED = (-1,)  # the depth of a container that belongs to the caller: it may not change
_PLAIN = (str, bytes, bool, int, float, complex, type(None), np.dtype)


def spread(value: Any, name: str) -> tuple[list[Leaf], Callable[[Sequence[Any]], Any]]:
    """Every number and array inside an abstract value, and how to put others in their places."""
    if isinstance(value, (Value, Const)):
        return [(name, value)], lambda leaves: leaves[0]
    match value:
        case tuple():
            return _items([(f"{name}_{i}", v) for i, v in enumerate(value)], lambda items: like_tuple(value, items))
        case Record():
            names = list(value.attrs)
            return _items(list(value.attrs.items()), lambda items: Record(value.kind, dict(zip(names, items)), _FIXED))
        case ListValue():
            parts = [(f"{name}_{i}", v) for i, v in enumerate(value.items)]
            return _items(parts, lambda items: ListValue(items, _FIXED))
        case DictValue():
            keys = list(value.items)
            parts = [(_word(name, key), v) for key, v in value.items.items()]
            return _items(parts, lambda items: DictValue(dict(zip(keys, items)), _FIXED))
        case Closure():
            keys = list(value.defaults)
            return _items(
                list(value.defaults.items()),
                lambda items: Closure(value.node, value.frame, dict(zip(keys, items)), value.name),
            )
        case BoundMethod():
            return _items([(name, value.receiver)], lambda items: BoundMethod(items[0], value.name))
        case Iteration():
            kind, start = value.kind, value.start
            parts = [(name, part) for part in value.parts]
            return _items([*parts, (name, start)], lambda items: Iteration(kind, tuple(items[:-1]), items[-1]))
        case RangeValue():
            bounds = [("start", value.start), ("stop", value.stop), ("step", value.step)]
            return _items(bounds, lambda items: RangeValue(items[0], items[1], items[2], value.segments))
    return [], lambda leaves: value


def _items(parts: list[Leaf], rebuild: Callable[[list[Any]], Any]) -> tuple[list[Leaf], Callable[..., Any]]:
    spreads = [spread(value, name) for name, value in parts]
    counts = [len(leaves) for leaves, _ in spreads]

    def build(leaves: Sequence[Any]) -> Any:
        built, at = [], 0
        for count, (_, make) in zip(counts, spreads):
            built.append(make(leaves[at : at + count]))
            at += count
        return rebuild(built)

    return [leaf for leaves, _ in spreads for leaf in leaves], build


def _word(name: str, key: Any) -> str:
    """`params["w1"]` as w1, `params[0]` as params_0."""
    word = re.sub(r"\W+", "_", str(key)).strip("_")
    return word if word.isidentifier() else f"{name}_{word}"


class Keys(Interpreter):
    def __init__(self, *given: Any):
        super().__init__(*given)
        self.kinds: dict[Key, Key] = {}
        self.objects: dict[int, Any] = {}  # those that keys name, by their ids

    def kind(self, key: Key) -> Key:
        """What calls have in common that differ in objects of one kind."""
        if key not in self.kinds:
            self.kinds[key] = kind_of(key, self.objects)
        return self.kinds[key]

    def call_key(self, frame: Frame, node: ast.AST) -> Key:
        """Stays the same when the function is read again."""
        place = (frame.source.file.name, getattr(node, "lineno", 0), getattr(node, "col_offset", 0))
        around = id(frame.function) if frame.parent is None else self._around(frame.parent)
        arguments = tuple(
            (name, self.mark(value, (place, name) in self.plan.loose)) for name, value in frame.env.items()
        )
        return place, around, arguments

    def mark(self, value: Any, loose: bool = False) -> Any:
        """What is known of a value, or its type; raises Unsupported for what no procedure can take."""
        if isinstance(value, (Value, Const)):
            return self._mark_leaf(value, loose)
        match value:
            case tuple():
                return ("tuple", id(type(value)), *(self.mark(item) for item in value))
            case Record():
                return ("made", id(value.kind), *((name, self.mark(item)) for name, item in value.attrs.items()))
            case ListValue():
                return ("list", *(self.mark(item) for item in value.items))
            case DictValue():
                return ("dict", *((key, self.mark(item)) for key, item in value.items.items()))
            case Closure():
                at = (value.node.lineno, value.node.col_offset)
                defaults = tuple((name, self.mark(item)) for name, item in value.defaults.items())
                return ("closure", self._around(value.frame), at, defaults)
            case BoundMethod():
                return ("method", self.mark(value.receiver), value.name)
            case Iteration():
                return ("walk", value.kind, *(self.mark(part) for part in value.parts), self.mark(value.start))
            case RangeValue():
                bounds = value.start, value.stop, value.step
                return ("range", str(value.segments), *map(self.mark, bounds))
            case Instance():
                if value.assigned:
                    raise Unsupported("an object that the function has changed is passed to a function of its own")
                self.objects[id(value.object)] = value.object
                return (INSTANCE, id(value.object), value.route, value.path)
        if type(value).__module__ == Poison.__module__:
            raise Unsupported("")  # an abstract value of another kind, which may hold anything
        return (type(value).__name__, repr(value) if isinstance(value, _PLAIN) else id(value))

    def _mark_leaf(self, value: Any, loose: bool) -> Any:
        type = value.type
        if not self.varies(value, loose):
            return ("known", repr(self.maybe_number(value)))
        if not isinstance(type, Array):
            return ("object", str(type))
        return ("data", type.dtype.str, type.weak, tuple(self.facts.is_one(axis) for axis in type.axes))

    def varies(self, value: Any, loose: bool = False) -> bool:
        """Whether a procedure takes this as an argument: arrays and floats, and integers that only running reveals."""
        if not isinstance(value.type, Array) or value.type.ndim or value.type.dtype.kind == "f":
            return True
        return loose or self.maybe_number(value) is None

    def _around(self, frame: Frame | None) -> Any:
        """A frame, by the definitions around it."""
        around: list[Any] = []
        while frame is not None:
            around.append((id(frame.function), getattr(frame.node, "lineno", 0), getattr(frame.node, "col_offset", 0)))
            frame = frame.parent
        return tuple(around)


def frames_of(value: Any) -> list[Frame]:
    """The frames whose variables a function value may read."""
    match value:
        case Closure():
            return [value.frame, *(f for item in value.defaults.values() for f in frames_of(item))]
        case tuple():
            return [f for item in value for f in frames_of(item)]
        case ListValue():
            return [f for item in value.items for f in frames_of(item)]
        case DictValue():
            return [f for item in value.items.values() for f in frames_of(item)]
        case BoundMethod():
            return frames_of(value.receiver)
    return []

"""Parameters inside arguments: found in containers and in the attributes of objects, and unwrapped to their arrays.

A container of Parameters is copied with the arrays in their place. An object is passed on as it is, and the compiled
text reads `model.w.data`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import GradTypeError
from .parameter import Parameter
from .signature import Path, is_instance, is_named_tuple, path_text, slots_of

Place = tuple[str, Path]

_OTHER, _PARAMETER, _SEQUENCE, _DICT, _OBJECT = range(5)
_KINDS: dict[type, int] = dict.fromkeys((np.ndarray, float, int, str, bool, type(None), complex, bytes), _OTHER)


class Step:
    """A place inside an argument, made once, so that places compare and hash by identity."""

    __slots__ = ("array", "children", "place")

    def __init__(self, name: str, path: Path):
        self.place: Place = name, path
        self.children: dict[Any, Step] = {}
        self.array: Step | None = None  # the array of the Parameter that is here

    def child(self, key: Any) -> Step:
        """The item under a key; an attribute's key starts with a dot."""
        found = self.children.get(key)
        if found is None:
            found = self.children[key] = Step(self.place[0], (*self.place[1], key))
        return found

    def attribute(self, name: str) -> Step:
        found = self.children.get((name,))
        if found is None:
            found = self.children[(name,)] = self.child(f".{name}")
        return found


Found = list[tuple[Parameter, Step]]
_ROOTS: dict[str, Step] = {}


def _root(name: str) -> Step:
    return _ROOTS.setdefault(name, Step(name, ()))


def parameters(arguments: Mapping[str, Any]) -> Found:
    """Every Parameter among the arguments, and the way to its array.

    One that several objects hold is found once; in lists, tuples and dicts of the call's own each place counts.
    Raises GradTypeError for one under a key that is neither a string nor an integer.
    """
    return _walked(arguments)[0]


def places(arguments: Mapping[str, Any]) -> dict[int, Place]:
    """Where each object among the arguments, or Parameter in one, is found first, by its id."""
    return {key: step.place for key, step in _walked(arguments)[1].items()}


def unwrap(value: Any) -> Any:
    """The arrays of Parameters, in copies of the containers around them; objects stay as they are."""
    kind = type(value)
    if isinstance(value, Parameter):
        return value.data
    if kind in (list, tuple):
        return kind(unwrap(item) for item in value)
    if kind is dict:
        return {key: unwrap(item) for key, item in value.items()}
    if is_named_tuple(value):
        return value._make(unwrap(item) for item in value)
    return value


def _walked(arguments: Mapping[str, Any]) -> tuple[Found, dict[int, Step]]:
    found: Found = []
    seen: dict[int, Step] = {}
    for name, value in arguments.items():
        kind = _kind(value)
        if kind:
            _visit(value, kind, _root(name), False, found, seen)
    return found, seen


def _kind(value: Any) -> int:
    kind = _KINDS.get(type(value))
    if kind is None:
        kind = _KINDS[type(value)] = _classify(value)
    return kind


def _classify(value: Any) -> int:
    if isinstance(value, Parameter):
        return _PARAMETER
    if isinstance(value, (list, tuple)):
        return _SEQUENCE
    if isinstance(value, dict):
        return _DICT
    return _OBJECT if is_instance(value) else _OTHER


def _visit(value: Any, kind: int, step: Step, inside: bool, found: Found, seen: dict[int, Step]) -> None:
    if kind == _SEQUENCE:
        for i, item in enumerate(value):
            if each := _kind(item):
                _visit(item, each, step.child(i), inside, found, seen)
    elif kind == _DICT:
        for key, item in value.items():
            if each := _kind(item):
                before = len(found)
                _visit(item, each, step.child(key), inside, found, seen)
                if len(found) > before and type(key) not in (int, str):
                    raise _unspelled(step, key)
    elif not inside and kind == _PARAMETER:
        found.append((value, step))
    elif id(value) not in seen:
        seen[id(value)] = step
        if kind == _PARAMETER:
            step.array = step.array or step.child(".data")
            found.append((value, step.array))
        else:
            _visit_attributes(value, step, found, seen)


def _unspelled(step: Step, key: object) -> GradTypeError:
    return GradTypeError(
        f"`{path_text(*step.place)}` holds a Parameter under the key {key!r}. Keys that lead to a Parameter are "
        "integers or strings."
    )


def _visit_attributes(thing: Any, step: Step, found: Found, seen: dict[int, Step]) -> None:
    """The attributes of an object, those with a leading underscore last: registries hold what has a name already."""
    hidden = []
    for name, item in getattr(thing, "__dict__", {}).items():
        kind = _KINDS.get(type(item))
        if kind is None:
            kind = _kind(item)
        if kind:
            if name[0] == "_":
                hidden.append((name, item, kind))
            else:
                _visit(item, kind, step.attribute(name), True, found, seen)
    for name in slots_of(type(thing)):
        item = getattr(thing, name, None)
        if kind := _kind(item):
            hidden.append((name, item, kind))
    for name, item, kind in hidden:
        _visit(item, kind, step.attribute(name), True, found, seen)

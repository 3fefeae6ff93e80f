"""Assignments into lists, dicts and objects: entries of what was made before a loop or branch are handed on by it.

A container is one object here as it is in Python, so that all names of it agree. Within a region an entry of a
container from outside is changed while the region is read; `region()` then puts back what was there, and whoever reads
the region carries the entry through the loop, or joins it behind the branch, like a variable.

A container whose identity control flow decides (`c = a if p else b`) is a new one with joined items. It may not be
changed, nor may what it was made of, while both can be reached.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Any

from ..errors import Unsupported
from .state import ABSENT, Entry, State
from .values import (
    DictValue,
    Instance,
    ListValue,
    Record,
    assigned_part,
    describe,
    parts_of,
)

MUTABLE = (ListValue, DictValue, Record, Instance)


class Stores(State):
    # Entries

    def held(self, container: Any) -> Any:
        """The Python list or dict that holds a container's entries."""
        match container:
            case Record():
                return container.attrs
            case Instance():
                return container.assigned
        return container.items

    def entry_value(self, entry: Entry) -> Any:
        """What an entry is now; ABSENT where the container has none."""
        container, key = entry
        items = self.held(container)
        if isinstance(items, list) or key in items:
            return items[key]
        if isinstance(container, (Record, Instance)) and self.has_attribute(container, key):
            return self.object_attribute(container, key, ast.Name(key))
        return ABSENT

    def store(self, container: Any, key: Any, value: Any) -> None:
        """`container[key] = value`, or the attribute of that name; undone at the end of a region."""
        items = self.held(container)
        if isinstance(items, list):
            key = range(len(items))[key]
        if container.depth != self.depth:
            self.changed.setdefault((container, key), self.held_now((container, key)))
        self.put((container, key), value)

    def held_now(self, entry: Entry) -> Any:
        """What a container itself holds there."""
        items, key = self.held(entry[0]), entry[1]
        return items[key] if isinstance(items, list) else items.get(key, ABSENT)

    def may_store(self, container: Any, name: str) -> None:
        """Raises Unsupported where a change could be seen, or not be seen, through another name."""
        kind = describe(container)
        if getattr(container, "foreign", ""):
            kind = "list" if isinstance(container, ListValue) else "dict"
            raise Unsupported(
                f"the {kind} `{container.foreign}` belongs to the caller, and is changed here",
                f"Make a new one: `{container.foreign} = {kind}({container.foreign})` before the change.",
            )
        around = container.depth[: len(self.floor)] == self.floor or isinstance(container, Instance)
        if not around or container.depth != self.depth[: len(container.depth)]:
            raise Unsupported(f"{kind} that was made elsewhere is changed here, `{name}`", "Change a copy of it.")
        if container in self.carried_anew:
            self.needs_unrolling()
            raise Unsupported(
                f"{kind} that the loop around assigns anew is changed, `{name}`",
                "Change it in place in every pass (`state[key] = ...`), or make a new one in every pass; not both.",
            )
        if self._reachable_kin(container):
            raise Unsupported(
                f"`{name}` changes {kind}, and which one that is depends on a branch or loop",
                "Change a copy (`dict(a)`, `list(a)`), or change it inside the branch.",
            )

    def entry_name(self, entry: Entry) -> str:
        """What an entry is called in the output: `h` for `state["h"]` and `self.h`, `pair_0` for `pair[0]`."""
        container, key = entry
        if isinstance(key, str) and key.isidentifier():
            return key
        return f"{self.variable_of(container)}_{key}" if isinstance(key, int) and key >= 0 else "item"

    def variable_of(self, container: Any) -> str:
        names = [name for frame in self.all_frames() for name, value in frame.env.items() if value is container]
        return names[0].strip() if names else "item"

    # Containers that are one or another

    def anew(self, value: Any, sources: Iterable[Any]) -> Any:
        """A value put together behind a branch or loop: its containers are new here, and may be those of `sources`."""
        for made, *olds in _abreast([value, *sources]):
            if any(made is old for old in olds):
                continue
            made.depth = self.depth
            for old in olds:
                self.kin.setdefault(made, []).append(old)
                self.kin.setdefault(old, []).append(made)
        return value

    def _reachable_kin(self, container: Any) -> bool:
        if container not in self.kin:
            return False
        group, new = {container}, [container]
        while new:
            more = [each for one in new for each in self.kin.get(one, ()) if each not in group]
            new = list(dict.fromkeys(more))
            group |= set(new)
        return any(each in group and each is not container for each in self.containers())

    def containers(self) -> list[Any]:
        """Every list, dict and object that a variable leads to."""
        found: dict[int, Any] = {}
        seen: set[int] = set()
        for frame in self.all_frames():
            for value in frame.env.values():
                for each in containers_in(value, seen):
                    found[id(each)] = each
        return list(found.values())

    # Given by the classes on top

    def all_frames(self) -> Iterator[Any]:
        raise NotImplementedError

    def has_attribute(self, thing: Any, name: Any) -> bool:
        raise NotImplementedError

    def object_attribute(self, thing: Any, name: str, node: ast.AST) -> Any:
        raise NotImplementedError


def containers_in(value: Any, seen: set[int]) -> Iterator[Any]:
    """The containers that a value leads to, itself first."""
    value = assigned_part(value)
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, MUTABLE):
        yield value
    for part in parts_of(value, seen):
        yield from containers_in(part, seen)


def _abreast(values: list[Any]) -> Iterator[list[Any]]:
    """The containers at one place of several values of one structure; those that a loop fills stay themselves."""
    values = [assigned_part(value) for value in values]
    first = values[0]
    if isinstance(first, (ListValue, DictValue)) and first.rows is not None:
        return
    if isinstance(first, (ListValue, DictValue, Record)):
        yield values
    if isinstance(first, (tuple, ListValue, DictValue, Record)) and all(type(v) is type(first) for v in values):
        for parts in zip(*(parts_of(value, set()) for value in values)):
            yield from _abreast(list(parts))


def same_objects(one: Any, other: Any) -> bool:
    """Whether two values are the same objects, up to tuples around them."""
    if one is other:
        return True
    if isinstance(one, tuple) and isinstance(other, tuple) and len(one) == len(other):
        return type(one) is type(other) and all(map(same_objects, one, other))
    return False


def holds_container(value: Any) -> bool:
    """Whether a variable's value is, or holds in tuples, something that can be changed."""
    return next(containers_in(value, set()), None) is not None


__all__ = ["ABSENT", "Entry", "Stores", "containers_in", "holds_container", "same_objects"]

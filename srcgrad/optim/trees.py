"""Nested containers of arrays: lists, tuples, named tuples, dicts and dataclasses, read and rebuilt leaf by leaf."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any


def children(node: Any) -> dict[str, Any] | None:
    """What a container holds, by the text that leads to it: "[0]", ".weight"; None for a leaf."""
    if isinstance(node, dict):
        return {f"[{key!r}]": value for key, value in node.items()}
    if isinstance(node, tuple) and hasattr(node, "_fields"):
        return {f".{name}": value for name, value in zip(node._fields, node)}
    if isinstance(node, (list, tuple)):
        return {f"[{index}]": value for index, value in enumerate(node)}
    if dataclasses.is_dataclass(node) and not isinstance(node, type):
        return {f".{field.name}": getattr(node, field.name) for field in dataclasses.fields(node)}
    return None


def leaves(tree: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf with the way to it, in order; the tree's own name comes first."""
    held = children(tree)
    if held is None:
        yield name, tree
    else:
        for step, child in held.items():
            yield from leaves(child, name + step)


def rebuilt(tree: Any, leaf: Callable[[Any], Any]) -> Any:
    """A container of the same structure and types, with `leaf(x)` for every leaf x; asked in the order of `leaves`."""
    held = children(tree)
    if held is None:
        return leaf(tree)
    values = [rebuilt(child, leaf) for child in held.values()]
    if isinstance(tree, dict):
        return type(tree)(zip(tree, values))
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*values)
    if isinstance(tree, (list, tuple)):
        return type(tree)(values)
    return dataclasses.replace(tree, **{step[1:]: value for step, value in zip(held, values)})


def parallel(tree: Any, other: Any, name: str, other_name: str) -> Iterator[tuple[str, Any, Any]]:
    """Every leaf of `tree` with what stands in its place in `other`; None there stands for a whole branch of Nones.

    Raises ValueError, naming the place, where `other` has another structure.
    """
    mine, theirs = children(tree), children(other)
    if mine is None:
        if theirs is not None:
            raise ValueError(f"{name} is one value, but {other_name} is a {type(other).__name__}")
        yield name, tree, other
    elif other is None:
        yield from ((place, leaf, None) for place, leaf in leaves(tree, name))
    elif theirs is None or mine.keys() != theirs.keys():
        raise ValueError(f"{name} has {_listed(mine)}, but {other_name} has {_listed(theirs)}")
    else:
        for step, child in mine.items():
            yield from parallel(child, theirs[step], name + step, other_name + step)


def _listed(held: dict[str, Any] | None) -> str:
    return "one value" if held is None else ", ".join(held) or "nothing"

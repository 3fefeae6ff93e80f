"""Globals, closure cells and defaults: what a function reads from around it, and the way there from its root.

A route is a tuple of steps from the decorated function: ("global", name), ("cell", name), ("attr", name),
("item", key), ("default", name), ("type", ""), ("call", arguments) of a cached function; or from one of its arguments,
if it starts with ("arg", name). The dispatcher walks it at every call, as Python would.
"""

from __future__ import annotations

import builtins
import types
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Route = tuple[tuple[str, Any], ...]

MISSING = object()


@dataclass(frozen=True)
class Found:
    """A name's value, and its route; None for a builtin, or a library's attribute, which nobody rebinds."""

    value: Any
    route: Route | None


def look_up(function: types.FunctionType, name: str, route: Route) -> Found | None:
    """What a name means inside a function, by Python's scoping."""
    free = function.__code__.co_freevars
    if name in free and function.__closure__ is not None:
        try:
            return Found(function.__closure__[free.index(name)].cell_contents, (*route, ("cell", name)))
        except ValueError:
            return None
    if name in function.__globals__:
        return Found(function.__globals__[name], (*route, ("global", name)))
    if hasattr(builtins, name):
        return Found(getattr(builtins, name), None)
    return None


def follow(root: Any, route: Route, arguments: Mapping[str, Any] | None = None) -> Any:
    """The object at the end of a route from a function or from its arguments, or MISSING."""
    current = root
    if route and route[0][0] == "arg":
        current = (arguments or {}).get(route[0][1], MISSING)
        route = route[1:]
    for kind, name in route:
        current = _step(current, kind, name)
        if current is MISSING:
            return MISSING
    return current


def _step(current: Any, kind: str, name: Any) -> Any:
    try:
        match kind:
            case "global":
                return current.__globals__[name]
            case "cell":
                index = current.__code__.co_freevars.index(name)
                return current.__closure__[index].cell_contents
            case "attr":
                return getattr(current, name)
            case "item":
                return current[name]
            case "type":
                return type(current)
            case "call":
                return current(*name)
            case "default":
                return _default(current, name)
    except (KeyError, ValueError, AttributeError, IndexError, TypeError):
        return MISSING
    return MISSING


def _default(function: types.FunctionType, name: str) -> Any:
    if function.__kwdefaults__ and name in function.__kwdefaults__:
        return function.__kwdefaults__[name]
    code = function.__code__
    names = code.co_varnames[: code.co_argcount]
    defaults = function.__defaults__ or ()
    return defaults[names.index(name) - len(names)]


def in_words(route: Route) -> str:
    """The route as the user's own expression: `net.layers[0].w`."""
    text = ""
    for kind, name in route:
        if kind in ("global", "cell", "arg", "default"):
            text = str(name)
        elif kind in ("attr", "item"):
            text += f".{name}" if kind == "attr" else f"[{name!r}]"
    return text


def route_text(route: Route) -> str:
    """The route as a Python expression on `f`, for the generated dispatcher."""
    text = "_f"
    for kind, name in route:
        match kind:
            case "global":
                text += f".__globals__.get({name!r})"
            case "cell":
                text += f".__closure__[{text}.__code__.co_freevars.index({name!r})].cell_contents"
            case "attr":
                text += f".{name}"
            case "item":
                text += f"[{name!r}]"
            case "arg":
                text = name
            case "type":
                text = f"_type({text})"
            case "call":
                text += f"({', '.join(map(repr, name))})"
            case _:
                text = f"_default({text}, {name!r})"
    return text

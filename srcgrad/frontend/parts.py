"""Parts of calls with derivatives of the user's own: closed regions, read on parameters of their own."""

from __future__ import annotations

import ast
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import SourceNotFound, Unsupported
from ..ir.custom import CUSTOM, Custom
from ..ir.nodes import Atom, Region, Value, region_free_values, walk
from ..ir.types import Array
from ..rules.calling import INVOKE
from ..rules.effects import EFFECT
from ..runtime.source import find_source
from .expressions import is_library
from .values import Poison, describe, flatten

if TYPE_CHECKING:
    from .calls import Calls


@dataclass
class Part:
    """A closed region while it is read."""

    params: list[Value]
    result: Any = None
    ops: Sequence[Any] = ()
    shared: bool = False

    def region(self, results: Sequence[Atom], extra: Sequence[Value] = ()) -> Region:
        return Region((*self.params, *extra), tuple(self.ops), tuple(results))


@dataclass
class Given:
    """A call's arguments: their numbers and arrays, and how to put others in their places."""

    leaves: list[Any]
    rebuild: Callable[[list[Any]], list[Any]]
    spans: list[tuple[int, int]] = field(default_factory=list)  # the leaves of each argument


def given_to(c: Calls, args: Sequence[Any], text: str) -> Given:
    parts = [flatten(arg) for arg in args]
    for arg in args:
        kind = type(arg).__name__
        if kind in ("Instance", "Record", "Closure", "BoundMethod", "Maybe"):
            way_out = "Pass numbers, arrays, lists of them, or what is known when compiling."
            raise Unsupported(f"`{text}` is called with {describe(arg)}", way_out)
    leaves: list[Any] = []
    spans = []
    for found, _ in parts:
        spans.append((len(leaves), len(leaves) + len(found)))
        leaves += [c.latest(leaf) for leaf in found]

    def rebuild(new: list[Any]) -> list[Any]:
        return [make(new[start:end]) for (_, make), (start, end) in zip(parts, spans)]

    return Given(leaves, rebuild, spans)


def stand_in(c: Calls, leaf: Any) -> Any:
    """A parameter of a part, in place of one of the call's numbers or arrays."""
    if not isinstance(leaf, Value):
        return leaf
    value = Value(leaf.type, leaf.hint)
    if leaf in c.known:
        c.known[value] = c.known[leaf]
    return value


def read(c: Calls, what: str, params: Sequence[Any], run: Callable[[], Any], level: int = 1) -> Part:
    """Read one part; `level` tells how many derivatives have been taken before it is differentiated itself."""
    part = Part([p for p in params if isinstance(p, Value)])
    c.customs.append(level)
    try:
        with c.region() as ops:
            for param in part.params:
                c.born[param] = c.depth[:-1]
            part.result = run()
            if isinstance(part.result, Poison):
                raise c.poisoned(part.result)
            leaves, rebuild = flatten(part.result)
            part.result = rebuild([c.latest(leaf) for leaf in leaves])
        if c.writes(ops):
            raise Unsupported(f"{what} writes into an array that it did not make", "Copy it first.")
    finally:
        c.customs.pop()
    part.ops = tuple(ops)
    bases = {base for leaf in leaves if isinstance(leaf, Value) for base in c.bases(leaf)}
    part.shared = any(base in part.params for base in bases) or any(op.prim is INVOKE for op in walk(part.ops))
    return part


def around(c: Calls, parts: Sequence[Region | None]) -> list[Value]:
    """What the parts read from around them: captured data, and variables around a nested function."""
    return list(dict.fromkeys(v for part in parts if part is not None for v in region_free_values(part)))


def check_quiet(c: Calls, part: Part, what: str, why: str) -> bool:
    """Refuse what prints or draws; whether the part may raise."""
    effects = [op for op in walk(part.ops) if op.prim.kind == "impure"]
    for op in effects:
        if op.prim is not EFFECT or not isinstance(op.attrs["template"], (ast.Raise, ast.Assert, ast.If)):
            way_out = "Do it outside of that function."
            raise Unsupported(f"{what} prints, draws random numbers or the like, {why}", way_out, op.origin)
    return bool(effects)


def append(c: Calls, custom: Custom, atoms: Sequence[Atom], part: Part, effects: bool) -> Any:
    """The call's op, and its result."""
    leaves, rebuild = flatten(part.result)
    computed = [k for k, leaf in enumerate(leaves) if isinstance(leaf, Value)]
    types = [leaves[k].type for k in computed]
    attrs = {"custom": custom, "part": "plain", **({"effects": True} if effects else {})}
    outputs = c.builder.append(CUSTOM, atoms, types, attrs)
    arrays = tuple(a for a in atoms if isinstance(a, Value) and isinstance(a.type, Array) and a.type.ndim)
    for output in outputs:
        c.born[output] = c.depth
        c.link(output, arrays, owned=not part.shared)
    filled = list(leaves)
    for k, output in zip(computed, outputs):
        filled[k] = output
    return rebuild(filled)


def values_in(result: Any) -> list[Value]:
    return [leaf for leaf in flatten(result)[0] if isinstance(leaf, Value)]


def name_of(function: Any, other: str) -> str:
    name = getattr(function, "__name__", "")
    return name if name.isidentifier() and set(name) != {"_"} else other


def has_source(function: Any) -> bool:
    if not isinstance(function, types.FunctionType) or is_library(function):
        return False
    try:
        find_source(function)
    except SourceNotFound:
        return False
    return True


def alike(c: Calls, a: Any, b: Value) -> bool:
    """Whether two numbers or arrays have one shape."""
    one, other = a.type, b.type
    return isinstance(one, Array) and isinstance(other, Array) and c.facts.same_axes(one.axes, other.axes)

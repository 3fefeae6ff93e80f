"""A procedure while it is read: its parameters, what it reads from around it, its result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import Origin
from ..ir.alike import alike, same_facts
from ..ir.calls import Procedure
from ..ir.dims import Dim, Facts, Symbol, as_dim
from ..ir.nodes import Value
from .state import Key
from .values import BoundMethod, Closure, DictValue, Iteration, ListValue, Poison, RangeValue, flatten


@dataclass(eq=False)
class Callee:
    """A procedure, and what is known of it while it is read."""

    key: Key
    kind: Key  # the key, with kinds of objects in place of objects
    scopes: tuple[int, ...]  # the frames that its functions read from
    procedure: Procedure
    facts: Facts
    params: list[Value] = field(default_factory=list)
    roots: dict[str, Any] = field(default_factory=dict)  # arguments that are objects
    attributes: dict[str, Any] = field(default_factory=dict)  # parameters that are parts of one: of which, and the way
    # what it reads from around: (frame, name) or a captured value -> its mark, and what the procedure sees in its place
    outside: dict[Any, tuple[Any, Any]] = field(default_factory=dict)
    result: Any = None  # an abstract value of its own parameters
    known: bool = False  # whether `result` is
    recursive: bool = False
    calls: list[tuple[Facts, Mapping[Symbol, Dim], Origin]] = field(default_factory=list)  # of itself, while it is read


def results_of(result: Any, recursive: bool) -> tuple[list[Any], Any]:
    """The leaves that a call computes, and how to put them into the result; other numbers are known now."""
    leaves, rebuild = flatten(result)
    varying = [k for k, leaf in enumerate(leaves) if recursive or isinstance(leaf, Value)]

    def build(outputs: list[Any]) -> Any:
        filled = list(leaves)
        for k, output in zip(varying, outputs):
            filled[k] = output
        return rebuild(filled)

    return [leaves[k] for k in varying], build


def holds_code(result: Any) -> bool:
    match result:
        case tuple():
            return any(map(holds_code, result))
        case ListValue():
            return any(map(holds_code, result.items))
        case DictValue():
            return any(map(holds_code, result.items.values()))
    return isinstance(result, (Closure, BoundMethod, Iteration, RangeValue, Poison))


def state_of(callee: Callee) -> Any:
    """What a reading depends on, and may change: to a fixed point."""
    leaves = flatten(callee.result)[0] if callee.known else []
    types = tuple((leaf.type, getattr(leaf.type, "weak", None)) for leaf in leaves)
    return callee.known and callee.recursive, types, len(callee.outside), callee.procedure.shares


def same_procedure(known: Callee, callee: Callee) -> bool:
    """Whether a procedure that is known does for this one, which was read for other objects."""
    ours, theirs = known.procedure, callee.procedure
    if known.recursive or callee.recursive or (ours.shares, ours.impure) != (theirs.shares, theirs.impure):
        return False
    return same_facts(known.facts, callee.facts) and alike(ours.function, theirs.function)


def placed(dim: Dim, lengths: Mapping[Symbol, Dim]) -> Dim:
    """All symbols replaced at once: a length of the caller may have a procedure's name."""
    apart = {symbol: as_dim(Symbol(f"#{symbol.name}", symbol.entry)) for symbol in lengths}
    back = {Symbol(f"#{symbol.name}", symbol.entry): length for symbol, length in lengths.items()}
    return dim.substitute(apart).substitute(back)


def state_guards(inner: Facts, outer: Facts, lengths: Mapping[Symbol, Dim]) -> bool:
    """Assume, where a procedure is called, what it assumes."""
    return all(outer.require(rel, placed(a, lengths), placed(b, lengths)) for rel, a, b in tuple(inner.guards))

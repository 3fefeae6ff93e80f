"""Building IR: one builder appends typed ops, so that every op is born with its result types inferred."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..errors import NOWHERE, Origin
from .dims import Dim, Facts, Symbol
from .nodes import NO_ATTRS, Atom, Const, Op, Region, Value
from .primitive import Primitive
from .types import Array, Type


class Builder:
    """Appends ops to the current region. `origin` and `role` are stamped on every op made meanwhile."""

    def __init__(self, facts: Facts, role: str = "primal"):
        self.facts = facts
        self.role = role
        self.origin: Origin = NOWHERE
        self.ops: list[Op] = []
        self.newest: Callable[[Atom], Atom] = lambda atom: atom  # while a function is read

    def apply(
        self,
        prim: Primitive,
        inputs: Sequence[Atom],
        attrs: Mapping[str, Any] = NO_ATTRS,
        *,
        hint: str | None = None,
        style: str = "function",
    ) -> tuple[Value, ...]:
        """Append one op; its outputs, typed."""
        if prim.of_complex is not None and any(_is_complex(a.type) for a in inputs):
            prim = prim.of_complex
        types = prim.infer(self.facts, [a.type for a in inputs], attrs, style)
        types = types if isinstance(types, tuple) else (types,)
        return self.append(prim, inputs, types, attrs, hint=hint, style=style)

    def append(
        self,
        prim: Primitive,
        inputs: Sequence[Atom],
        types: Sequence[Type],
        attrs: Mapping[str, Any] = NO_ATTRS,
        *,
        hint: str | None = None,
        style: str = "function",
        regions: tuple[Region, ...] = (),
    ) -> tuple[Value, ...]:
        """Append one op whose result types are already known."""
        outputs = tuple(Value(t, hint) for t in types)
        if prim.name != "shape_of":  # the same of every version
            inputs = [self.newest(atom) for atom in inputs]
        inputs = self.with_lengths(inputs, attrs)
        self.ops.append(Op(prim, inputs, outputs, attrs, regions, self.origin, style, self.role))
        return outputs

    def with_lengths(self, inputs: Sequence[Atom], attrs: Mapping[str, Any]) -> tuple[Atom, ...]:
        """The inputs, and after them a value for each length in `attrs` that only running reveals.

        Lengths of arguments can be spelled anywhere; one that a mask or a computed slice decides needs a value that has
        it, which must then be kept.
        """
        if self.role == "primal" or not attrs:
            return tuple(inputs)
        needed = {symbol for attr in attrs.values() for symbol in _inner_symbols(attr, self.facts)}
        for atom in inputs:
            needed -= revealed(atom, self.facts)
        extra = [self.reveal(symbol) for symbol in sorted(needed)]
        return (*inputs, *(atom for atom in dict.fromkeys(extra) if atom is not None))

    def reveal(self, symbol: Symbol) -> Atom | None:
        """A value with that length, if this builder knows one."""
        return None

    @contextmanager
    def region(self) -> Iterator[list[Op]]:
        """Collect ops in a fresh list, for the body of a loop or branch."""
        outer, self.ops = self.ops, []
        try:
            yield self.ops
        finally:
            self.ops = outer

    @contextmanager
    def at(self, origin: Origin) -> Iterator[None]:
        outer, self.origin = self.origin, origin
        try:
            yield
        finally:
            self.origin = outer


def _is_complex(type: Type) -> bool:
    return isinstance(type, Array) and type.dtype.kind == "c"


def _inner_symbols(attr: Any, facts: Facts) -> set[Symbol]:
    """Symbols in a length or shape that the arguments do not reveal."""
    parts = attr if isinstance(attr, tuple) else (attr,)
    return {s for part in parts if isinstance(part, Dim) for s in facts.canon(part).symbols() if not s.entry}


def revealed(atom: Atom, facts: Facts) -> set[Symbol]:
    """Symbols inside (not of arguments) that are an axis of the value, or its own number."""
    type = atom.type
    if not isinstance(type, Array):
        return set()
    dims = (*type.axes, *(() if type.dim is None else (type.dim,)))
    found = (facts.canon(dim).symbol for dim in dims)
    return {symbol for symbol in found if symbol is not None and not symbol.entry}


def as_atom(value: Any) -> Atom:
    """A number as a constant; IR atoms as they are."""
    if isinstance(value, (int, float, complex, np.generic)):
        return Const(value)
    return value  # type: ignore[no-any-return]

"""Building IR: one builder appends typed ops, so that every op is born with its result types inferred."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..errors import NOWHERE, Origin
from .dims import Facts
from .nodes import NO_ATTRS, Atom, Const, Op, Region, Value
from .primitive import Primitive
from .types import Type


class Builder:
    """Appends ops to the current region. `origin` and `role` are stamped on every op made meanwhile."""

    def __init__(self, facts: Facts, role: str = "primal"):
        self.facts = facts
        self.role = role
        self.origin: Origin = NOWHERE
        self.ops: list[Op] = []

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
        self.ops.append(Op(prim, tuple(inputs), outputs, attrs, regions, self.origin, style, self.role))
        return outputs

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


def as_atom(value: Any) -> Atom:
    """A number as a constant; IR atoms as they are."""
    if isinstance(value, (int, float, complex, np.generic)):
        return Const(value)
    return value  # type: ignore[no-any-return]

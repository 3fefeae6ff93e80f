"""Reading forward values from the backward sweep: what loops record and branches hand out.

A backward region may read any value of its forward region. Such a read is an import: a branch hands the value out as
one more result, a loop records it on a tape, and what the optimiser finds unread later is dead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ..errors import Fault, Unsupported
from ..ir.builder import Builder, revealed
from ..ir.dims import Facts, Symbol
from ..ir.nodes import Atom, Const, Op, Region, Value
from ..ir.symbolic import Sym
from ..ir.types import Array, Tape


@dataclass
class Scope:
    """A loop body or a branch: what its forward half must record, and how the backward half reads it."""

    parent: Scope | None
    kind: str  # "loop" | "branch"
    cotangents: dict[Value, Atom] = field(default_factory=dict)
    inside: set[Value] = field(default_factory=set)  # forward values defined directly here
    imports: dict[Value, Value] = field(default_factory=dict)  # forward value -> backward value, within this scope
    records: dict[Value, Value] = field(default_factory=dict)  # forward value -> tape or branch output, one level up
    items: list[tuple[Value, Value]] = field(default_factory=list)  # (tape read in the parent, item parameter)
    sums: dict[Value, Value] = field(default_factory=dict)  # outer value -> accumulator parameter of a backward loop


class Tapes:
    """Which scope defines each forward value, and how the backward sweep reads it there."""

    def __init__(self, facts: Facts, active: set[Value]):
        self.facts, self.active = facts, active
        self.builder = AdjointBuilder(self)
        self.home: dict[Value, Scope] = {}
        self.faults: list[Fault] = []
        self.made: dict[Value, Op] = {}
        self.before: list[Op] = []  # ops that go before the one whose backward step is made
        self.checked: set[Atom] = set()  # solutions that are looked at before they are used
        self.going_on: dict[Op, int] = {}  # branches that end a loop early -> the half that does not

    def use(self, atom: Atom) -> Atom:
        """The value as the backward sweep can read it, recorded by the loops and branches around it."""
        if not isinstance(atom, Value) or atom not in self.home:
            return atom
        atom = self._just_stored(atom)
        if atom not in self.home:
            return atom
        scope = self.home[atom]
        if atom not in scope.imports:
            outside = self.use(self._record(scope, atom))
            scope.imports[atom] = self._item(scope, outside, atom) if scope.kind == "loop" else outside  # type: ignore
        return scope.imports[atom]

    def _just_stored(self, value: Value) -> Value:
        """`y[i]` right after `y[i] = v` is `v`, which is recorded once."""
        made = self.made.get(value)
        if made is None or made.prim.name != "getitem" or not isinstance(made.inputs[0], Value):
            return value
        written = self.made.get(made.inputs[0])
        if written is None or written.prim.name != "index_set" or written.attrs != made.attrs:
            return value
        stored = written.inputs[1]
        same = written.inputs[2:] == made.inputs[1:] and _alike(self.facts, stored, value)
        return stored if same and isinstance(stored, Value) and self.home.get(stored) is self.home[value] else value

    def _record(self, scope: Scope, value: Value) -> Value:
        """Have the forward sweep hand the value out of its loop (as a tape) or branch."""
        if value not in scope.records:
            outside = Value(Tape(value.type) if scope.kind == "loop" else value.type, value.hint)
            scope.records[value] = outside
            if scope.parent is not None and scope.parent.kind != "root":
                self.enter(scope.parent, [outside])
        return scope.records[value]

    def _item(self, scope: Scope, tape: Atom, value: Value) -> Value:
        item = Value(value.type, value.hint)
        assert isinstance(tape, Value)
        scope.items.append((tape, item))
        return item

    def enter(self, scope: Scope, values: Sequence[Value]) -> None:
        for value in values:
            self.home[value] = scope
            scope.inside.add(value)

    def sym(self, atom: Atom) -> Sym:
        return Lazy(self, atom)


def _alike(facts: Facts, one: Atom, other: Value) -> bool:
    """Whether what was stored is all of the part that it was stored into."""
    a, b = one.type, other.type
    return isinstance(a, Array) and isinstance(b, Array) and a.dtype == b.dtype and facts.same_axes(a.axes, b.axes)


class AdjointBuilder(Builder):
    """Builds the backward sweep; a length known only inside is read off the forward value that has it."""

    def __init__(self, reverse: Tapes):
        super().__init__(reverse.facts, role="adjoint")
        self.reverse = reverse
        self.sources: dict[Symbol, list[Value]] = {}
        self.scope: Scope | None = None  # the region whose backward sweep is being built
        self.read: set[Atom] = set()  # all that an op reads, other than to fill a place of it for the first time

    def notice(self, region: Region) -> None:
        """Which forward values have which length, numbers (a loop's index) before arrays."""
        values = [*region.params, *(v for op in region.ops for v in op.outputs)]
        for value in sorted(values, key=lambda v: isinstance(v.type, Array) and v.type.ndim > 0):
            for symbol in revealed(value, self.facts):
                self.sources.setdefault(symbol, []).append(value)
        for op in region.ops:
            self.read.update(op.inputs[1:] if op.style == "fill" else op.inputs)
            for inner in op.regions[1:] if op.prim.name == "while" else op.regions:  # a condition's values are its own
                self.notice(inner)

    def reveal(self, symbol: Symbol) -> Atom | None:
        """The first value that the backward sweep can read here: none of a loop that it does not mirror."""
        values = self.sources.get(symbol, ())
        return next((self.reverse.use(value) for value in values if self._within_reach(value)), None)

    @contextmanager
    def inside(self, scope: Scope) -> Iterator[list[Op]]:
        """Build the derivative of a region in a list of its own."""
        outer, self.scope = self.scope, scope
        with self.region() as ops:
            yield ops
        self.scope = outer

    def _within_reach(self, value: Value) -> bool:
        """Whether the value is defined in the region being differentiated, or around it."""
        scope = self.scope
        while scope is not None and value not in scope.inside:
            scope = scope.parent
        return scope is not None


class Lazy(Sym):
    """A forward value in a derivative formula: recorded only if the formula reads it."""

    __slots__ = ("_raw", "_reverse")

    def __init__(self, reverse: Tapes, atom: Atom):
        self._reverse, self._raw = reverse, atom
        self.builder = reverse.builder

    @property
    def atom(self) -> Atom:  # type: ignore[override]
        if isinstance(self._raw, Const):
            return unspelled(self._raw)
        return self._reverse.use(self._raw)

    @property
    def type(self) -> Array:
        if not isinstance(self._raw.type, Array):
            raise Unsupported(f"{self._raw.type} where an array is needed")
        return self._raw.type

    @property
    def const(self) -> Any:
        return self._raw.value if isinstance(self._raw, Const) else None


def unspelled(const: Const) -> Const:
    """A literal is a number like any other in the backward sweep; `np.pi` and the like keep their spelling."""
    plain = const.text is None or const.text.replace(".", "").replace("e", "").replace("-", "").isdigit()
    return Const(const.value) if plain else const

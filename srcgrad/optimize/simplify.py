"""Algebra, common subexpressions and constants, in one forward walk.

The user's own lines are never rewritten: the algebra applies to the backward sweep alone, so the value computed is
bit for bit the user's. Every rewrite is an identity on real numbers that an attentive person would also apply.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..ir.builder import Builder, revealed
from ..ir.dims import Facts, Symbol
from ..ir.nodes import NO_ATTRS, Atom, Const, Function, Op, Region, Undefined, Value, along, whole_pass
from ..ir.partial import partial_values
from ..ir.primitive import Primitive
from ..ir.types import Tape, Type
from . import complex_algebra  # noqa: F401  (registers its rewrites)
from .algebra import rewrite


def simplify(function: Function, facts: Facts, algebra: bool = True) -> Function:
    """Rewrite until nothing changes; assumes and guarantees verified IR."""
    walker = Simplifier(facts, algebra)
    walker.partial = partial_values(function.body.ops)
    return function.with_body(walker.walk(function.body))


class Simplifier(Builder):
    """A builder that simplifies what is appended: derivative rules and rewrites use it like any other."""

    def __init__(self, facts: Facts, algebra: bool):
        super().__init__(facts)
        self.algebra = algebra
        self.renamed: dict[Value, Atom] = {}
        self.made: dict[Value, Op] = {}
        self.seen: dict[Any, tuple[Atom, ...]] = {}
        self.lengths: dict[Symbol, Value] = {}
        self.partial: set[Value] = set()
        self.taped: dict[Value, Atom] = {}  # what a loop reads of a recording -> the recording

    def reveal(self, symbol: Symbol) -> Atom | None:
        return self.lengths.get(symbol)

    def _notice(self, values: Sequence[Value]) -> None:
        """Remember which values have lengths that only running reveals."""
        for value in values:
            if value in self.partial:
                continue
            for symbol in revealed(value, self.facts):
                self.lengths.setdefault(symbol, value)

    def resolve(self, atom: Atom) -> Atom:
        while isinstance(atom, Value) and atom in self.renamed:
            atom = self.renamed[atom]
        return atom

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
        outputs = tuple(Value(t, hint) for t in types)
        inputs = self.with_lengths(inputs, attrs)
        op = Op(prim, inputs, outputs, attrs, regions, self.origin, style, self.role)
        return self.emit(op)  # type: ignore[return-value]

    def emit(self, op: Op) -> tuple[Atom, ...]:
        """Append the op, or something simpler that gives the same; what its outputs became."""
        if op.role != "primal" and op.prim.pure:
            key = _key(op)
            if key in self.seen and op.prim.name != "zeros":  # each is the start of a sum of its own
                return self._same(op, self.seen[key])
            if self.algebra:
                simpler = rewrite(self, op)
                if simpler is not None:
                    return self._same(op, (simpler,))
        self.ops.append(op)
        self._notice(op.outputs)
        for value in op.outputs:
            self.made[value] = op
        if op.prim.pure:
            self.seen[_key(op)] = op.outputs
        return op.outputs

    def _same(self, op: Op, atoms: tuple[Atom, ...]) -> tuple[Atom, ...]:
        for value, atom in zip(op.outputs, atoms):
            if isinstance(atom, Value) and atom.hint is None:
                atom.hint, atom.word = value.hint, atom.word or value.word
        return atoms

    def walk(self, region: Region) -> Region:
        """The region simplified; what is found inside is not known outside."""
        seen, lengths = dict(self.seen), dict(self.lengths)
        self._notice(region.params)
        with self.region() as ops:
            for op in region.ops:
                self.visit(op)
            results = tuple(self.resolve(atom) for atom in region.results)
        self.seen, self.lengths = seen, lengths
        return Region(region.params, tuple(ops), results)

    def visit(self, op: Op) -> None:
        inputs = tuple(self.resolve(atom) for atom in op.inputs)
        if op.prim.name in ("for", "while"):
            op = self._invariant_carried(replace(op, inputs=inputs))
        if op.prim.name == "for":
            op = self._invariant_records(op)
        inputs = op.inputs if op.regions else inputs
        if op.prim.name == "if":
            inputs = tuple(self.resolve(atom) for atom in op.inputs)
        regions = tuple(self.walk(region) for region in op.regions)
        if op.prim.name == "if":
            self._same_in_both(op, regions)
        self.role, self.origin = op.role, op.origin
        atoms = self.emit(replace(op, inputs=inputs, regions=regions))
        for value, atom in zip(op.outputs, atoms):
            if atom is not value and value not in self.renamed:
                self.renamed[value] = atom

    def _same_in_both(self, op: Op, regions: tuple[Region, ...]) -> None:
        """What both branches hand on alike, from outside, is that."""
        inside = {v for region in regions for o in region.ops for v in o.outputs}
        for output, then, other in zip(op.outputs, regions[0].results, regions[1].results):
            equal = then is other or (
                isinstance(then, Const) and isinstance(other, Const) and repr(then.value) == repr(other.value)
            )
            if equal and then not in inside:
                self.renamed[output] = then

    def _invariant_carried(self, op: Op) -> Op:
        """A carried value that no pass changes is what it was before the loop."""
        first = 3 if op.prim.name == "for" else 0
        carried, body = op.attrs["carried"], op.regions[-1]
        params = body.params[1:] if first else body.params
        same = {k for k in range(carried) if body.results[k] is params[k]}
        if not same:
            return op
        for k in same:
            self.renamed[params[k]] = self.renamed[op.outputs[k]] = op.inputs[first + k]
            if not first:
                self.renamed[op.regions[0].params[k]] = op.inputs[k]

        def kept(items: Any, shift: int = 0) -> Any:
            return tuple(item for k, item in enumerate(items) if k - shift not in same)

        regions = [Region(kept(body.params, 1 if first else 0), body.ops, kept(body.results))]
        if not first:
            test = op.regions[0]
            regions.insert(0, Region(kept(test.params), test.ops, test.results))
        return replace(
            op,
            inputs=kept(op.inputs, first),
            outputs=kept(op.outputs),
            regions=tuple(regions),
            attrs={**op.attrs, "carried": carried - len(same)},
        )

    def _invariant_records(self, op: Op) -> Op:
        """A recording of something that does not change in the loop is that thing."""
        (body,) = op.regions
        carried = op.attrs["carried"]
        inputs, params = list(op.inputs[: 3 + carried]), list(body.params[: 1 + carried])
        for tape, item in zip(op.inputs[3 + carried :], body.params[1 + carried :]):
            source = self._recorded(tape)
            if source is None:
                self.taped[item] = tape
                inputs.append(tape)
                params.append(item)
            else:
                self.renamed[item] = source
        region = Region(tuple(params), body.ops, body.results)
        return replace(op, inputs=tuple(inputs), regions=(region,))

    def _recorded(self, tape: Atom) -> Atom | None:
        """What the tape records, if it is a constant, or defined outside the loop that records it."""
        source = self._source(tape)
        if isinstance(source, Const):
            return source
        loop = self.made.get(tape) if isinstance(tape, Value) else None
        if loop is None or loop.prim.name == "if":  # a branch hands out what a loop inside it recorded
            return None
        body = loop.regions[-1]
        inside = set(body.params) | {v for inner in body.ops for v in inner.outputs}
        source = body.results[loop.outputs.index(tape)]
        return source if source not in inside else None

    def _source(self, tape: Atom) -> Atom | None:
        """What each item of the tape is, in the region of the loop that records it, wherever the tape was handed on."""
        loop = self._recorder(tape)
        if loop is None:
            return None
        op, number = loop
        return along(op.regions[-1].results[number], whole_pass(op))

    def _recorder(self, tape: Atom) -> tuple[Op, int] | None:
        """The loop that makes the tape, and the number of its result that is recorded there."""
        if not isinstance(tape, Value) or not isinstance(tape.type, Tape):
            return None
        op = self.made.get(tape)
        if op is None:  # an item of a recording of tapes
            return self._recorder(self._source(self.taped[tape])) if tape in self.taped else None  # type: ignore[arg-type]
        number = op.outputs.index(tape)
        if op.prim.name != "if":
            return op, number
        handed = [r.results[number] for r in op.regions if not isinstance(r.results[number], Undefined)]
        return self._recorder(handed[0]) if len(handed) == 1 else None


def _key(op: Op) -> Any:
    inputs = tuple((type(a.value), repr(a.value)) if isinstance(a, Const) else id(a) for a in op.inputs)
    attrs = tuple(sorted((name, repr(value)) for name, value in op.attrs.items()))
    return (op.prim, inputs, attrs, op.outputs[0].type if op.outputs else None)


__all__ = ["NO_ATTRS", "Simplifier", "simplify"]

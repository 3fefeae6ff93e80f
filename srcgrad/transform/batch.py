"""Many directions at once: the derivative's linear part with a leading axis, one entry of it for each direction.

A value that depends on a direction gets the axis in front of its own, a value that does not stays as it is. Each rule
says what an operation is on operands with that axis; the result's type is inferred anew, and must be the old one with
the axis in front. What has no rule is refused, so that nothing is ever wrong: the directions then go one by one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.builder import Builder
from ..ir.dims import Dim, Facts, Symbol, as_dim
from ..ir.nodes import Atom, Const, Function, Op, Region, Undefined, Value, records_of
from ..ir.primitive import find, named
from ..ir.types import Array, Tape, Type
from .batch_rules import rank_of, rule_of


def batch(function: Function, directions: Sequence[Value], results: Sequence[int], facts: Facts) -> Function:
    """The function of directions that have a leading axis, with the results numbered having it too.

    `directions` are parameters. Raises Unsupported, naming the operation that has no rule.
    """
    first = next(param for param in function.params if param.value in directions)
    rows = as_dim(Symbol(f"{first.name}.shape[0]"))
    before = list(facts.guards), dict(facts.known), list(facts.unsolved)
    try:
        made = _batched(function, directions, results, Batch(facts, rows))
        known = _earlier(facts, *before)
        assumed = [guard for guard in facts.guards if guard not in before[0] and not _follows(guard, rows, known)]
        if assumed or facts.known != before[1]:
            raise Unsupported("that there are as many directions as something else is long")
    finally:
        facts.guards, facts.known, facts.unsolved = before
    return made


def _earlier(facts: Facts, guards: list[Any], known: dict[Symbol, Dim], unsolved: list[tuple[Dim, Dim]]) -> Facts:
    """What was known before."""
    earlier = Facts()
    earlier.guards, earlier.known, earlier.unsolved = guards, known, unsolved
    return earlier


def _follows(guard: tuple[str, Dim, Dim], rows: Dim, known: Facts) -> bool:
    """Whether a guard says nothing new: there are directions, and `rows * a == rows * b` where `a == b`."""
    relation, left, right = guard
    if relation == ">=":
        return (left, right) == (rows, as_dim(0))
    a, b = _divided(left, rows), _divided(right, rows)
    return a is not None and b is not None and known.same(a, b)


def _divided(dim: Dim, rows: Dim) -> Dim | None:
    """`dim / rows`, if each of its terms has that factor."""
    if not all(rows.symbol in monomial for monomial, _ in dim.terms):
        return None
    terms = []
    for monomial, c in dim.terms:
        rest = list(monomial)
        rest.remove(rows.symbol)  # type: ignore[arg-type]
        terms.append((tuple(rest), c))
    return Dim(tuple(terms))


def _batched(function: Function, directions: Sequence[Value], results: Sequence[int], batching: Batch) -> Function:
    params = []
    for param in function.params:
        value = param.value
        if value in directions:
            value = batching.with_axis(value)
        params.append(replace(param, value=value))
    ops = batching.region_ops(function.body.ops)
    with batching.builder.region() as last:
        found = [batching.result(atom, k in results) for k, atom in enumerate(function.body.results)]
    body = Region((), (*ops, *last), tuple(found))
    return replace(function, params=tuple(params), body=body)


class _Builder(Builder):
    def reveal(self, symbol: Symbol) -> Atom | None:
        raise Unsupported(f"the length {symbol}, which is known only inside, for several directions at once")


class Batch:
    def __init__(self, facts: Facts, rows: Dim):
        self.facts, self.rows = facts, rows
        self.builder = _Builder(facts, role="adjoint")
        self.made: dict[Value, Op] = {}  # what depends on no direction
        self.of: dict[Value, Value] = {}  # what has the axis, for a value of the function that depends on a direction

    def has(self, atom: Atom) -> bool:
        return isinstance(atom, Value) and atom in self.of

    def with_axis(self, value: Value) -> Value:
        self.of[value] = Value(self.type(value.type), value.hint)
        return self.of[value]

    def type(self, type: Type) -> Type:
        if isinstance(type, Tape):
            return Tape(self.type(type.item))
        if not isinstance(type, Array):
            raise Unsupported("what a function of its own has saved has no leading axis")
        return Array(type.dtype, (self.rows, *type.axes))

    def read(self, atom: Atom) -> Atom:
        return self.of.get(atom, atom) if isinstance(atom, Value) else atom

    def result(self, atom: Atom, wanted: bool) -> Atom:
        """The atom as it is, or with the axis where that is wanted: repeated, if it depends on no direction."""
        if not wanted or self.has(atom):
            return self.read(atom)
        role, self.builder.role = self.builder.role, "adjoint"
        repeated = self._repeated(atom)
        self.builder.role = role
        return repeated

    def _repeated(self, atom: Atom) -> Atom:
        if isinstance(atom, Undefined):
            return Undefined(self.type(atom.type))
        type = self.type(atom.type)
        if not isinstance(type, Array):
            raise Unsupported("a recording that depends on no direction")
        hint = atom.hint if isinstance(atom, Value) else None
        made = self.made.get(atom) if isinstance(atom, Value) else None
        if (isinstance(atom, Const) and atom.value == 0) or (made is not None and made.prim.name == "zeros"):
            attrs = {"shape": type.axes, "dtype": type.dtype}
            return self.builder.apply(named("zeros"), [], attrs, hint=hint)[0]
        full = self.builder.apply(named("broadcast"), [atom], {"shape": type.axes})
        return self.builder.apply(named("np.copy"), full, hint=hint)[0]

    # Regions

    def region_ops(self, ops: Sequence[Op]) -> tuple[Op, ...]:
        with self.builder.region() as made:
            for op in ops:
                self.op(op)
        return tuple(made)

    def op(self, op: Op) -> None:
        self.builder.origin, self.builder.role = op.origin, op.role
        match op.prim.name:
            case "if":
                self._if(op)
            case "for" | "while":
                self._loop(op)
            case _ if not any(self.has(atom) for atom in op.inputs):
                self.builder.ops.append(op)
                self.made.update((value, op) for value in op.outputs)
            case _:
                self._plain(op)

    def _plain(self, op: Op) -> None:
        rule = rule_of(op)
        if rule is None or len(op.outputs) != 1:
            raise Unsupported(f"{op.prim.name} has no form for several directions at once")
        (result,) = rule(self, op)
        old = op.output.type
        wanted = self.type(old)
        assert isinstance(wanted, Array)
        new = result.type
        same = isinstance(new, Array) and new.dtype == wanted.dtype and self.facts.same_axes(new.axes, wanted.axes)
        if not same:
            raise Unsupported(f"{op.prim.name} is {new} for several directions at once, and not {wanted}")
        result.hint = result.hint or op.output.hint
        self.of[op.output] = result

    def _if(self, op: Op) -> None:
        if self.has(op.inputs[0]):
            raise Unsupported("a branch that depends on the direction")
        halves = [self.region_ops(region.ops) for region in op.regions]
        which = [any(self.has(region.results[k]) for region in op.regions) for k in range(len(op.outputs))]
        regions = [self._closed(region.params, ops, region.results, which) for region, ops in zip(op.regions, halves)]
        outputs = [self.with_axis(v) if wanted else v for v, wanted in zip(op.outputs, which)]
        self.builder.ops.append(replace(op, regions=tuple(regions), outputs=tuple(outputs)))

    def _closed(
        self, params: Sequence[Value], ops: Sequence[Op], results: Sequence[Atom], which: Sequence[bool]
    ) -> Region:
        with self.builder.region() as last:
            found = tuple(self.result(atom, wanted) for atom, wanted in zip(results, which))
        return Region(tuple(params), (*ops, *last), found)

    def _loop(self, op: Op) -> None:
        """Carried values that have the axis in some pass have it in all: to a fixed point."""
        body, carried, first = op.regions[-1], op.attrs["carried"], 3 if op.prim.name == "for" else 0
        if any(self.has(atom) for atom in op.inputs[:first]):
            raise Unsupported("a loop whose bounds depend on the direction")
        params = body.params[1:] if first else body.params
        live = {k for k in range(len(params)) if self.has(op.inputs[first + k])}
        while True:
            for k in live:
                self.with_axis(params[k])
            ops = self.region_ops(body.ops)
            more = {k for k in range(carried) if self.has(body.results[k])} - live
            if not more:
                break
            live |= more
        end = carried + len(records_of(op))
        which = [k in live if k < carried else self.has(body.results[k]) for k in range(end)]
        if any(self.has(atom) for atom in body.results[end:]):
            raise Unsupported("a loop that is left when the direction says so")
        own = (*body.params[: len(body.params) - len(params)], *(self.of.get(p, p) for p in params))
        regions = [self._closed(own, ops, body.results, [*which, *([False] * (len(body.results) - end))])]
        if not first:
            regions.insert(0, self._test(op, live))
        inputs = (*op.inputs[:first], *(self.result(a, k in live) for k, a in enumerate(op.inputs[first:])))
        outputs = [self.with_axis(v) if k < end and which[k] else v for k, v in enumerate(op.outputs)]
        self.builder.ops.append(replace(op, inputs=inputs, regions=tuple(regions), outputs=tuple(outputs)))

    def _test(self, op: Op, live: set[int]) -> Region:
        test = op.regions[0]
        params = tuple(self.with_axis(p) if k in live else p for k, p in enumerate(test.params))
        ops = self.region_ops(test.ops)
        if any(self.has(atom) for atom in test.results):
            raise Unsupported("a loop that is left when the direction says so")
        return Region(params, ops, test.results)

    # What rules build with

    def apply(self, op: Op, inputs: Sequence[Atom], attrs: Mapping[str, Any] | None = None) -> tuple[Value, ...]:
        """The same operation on other operands."""
        given = op.attrs if attrs is None else attrs
        style = {"augmented": "operator", "array": "function", "attribute": "function"}.get(op.style, op.style)
        return self.builder.apply(op.prim, inputs, given, style=style)

    def call(self, function: Any, *inputs: Atom, **attrs: Any) -> Value:
        prim = named(function) if isinstance(function, str) else find(function)
        assert prim is not None
        return self.builder.apply(prim, inputs, attrs, style="operator")[0]

    def widened(self, atom: Atom, ndim: int) -> Atom:
        """With axes of length one behind the leading one, so that it has `ndim` others."""
        value, rank = self.read(atom), rank_of(atom)
        if not self.has(atom) or rank >= ndim:
            return value
        return self.call(np.expand_dims, value, axis=tuple(range(1, 1 + ndim - rank)))

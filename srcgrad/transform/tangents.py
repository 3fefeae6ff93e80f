"""The tangent of one op without regions: its rule's formula, the op itself where it is linear, or its transpose's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.builder import Builder, revealed
from ..ir.dims import Facts, Symbol
from ..ir.nodes import Atom, Const, Op, Region, Value, free_values
from ..ir.primitive import named
from ..ir.symbolic import Sym, apply, cast
from ..ir.types import Array, Type
from .activity import active_values
from .calls import Pairs
from .cotangents import constant
from .regions import Regions
from .steps import check_accounted_for, reaches_singular
from .tapes import Scope, unspelled

Tangent = Atom | None  # None is zero


class TangentBuilder(Builder):
    """Builds tangents beside the ops; a length known only inside is read off the value that has it."""

    def __init__(self, facts: Facts):
        super().__init__(facts, role="adjoint")
        self.sources: dict[Symbol, Value] = {}

    def notice(self, values: Sequence[Value]) -> None:
        for value in values:
            for symbol in revealed(value, self.facts):
                self.sources.setdefault(symbol, value)

    def reveal(self, symbol: Symbol) -> Atom | None:
        return self.sources.get(symbol)


class Tangents:
    """Tangents of values, and the rules' formulas for those of an op's outputs."""

    def __init__(self, facts: Facts, active: set[Value], wanted: set[Value]):
        self.facts, self.active, self.wanted = facts, active, wanted
        self.builder = TangentBuilder(facts)
        self.known: dict[Value, Atom] = {}
        self.made: dict[Value, Op] = {}
        self.checked: set[Atom] = set()  # solutions that are looked at before they are used

    def tangent(self, atom: Atom) -> Tangent:
        return self.known.get(atom) if isinstance(atom, Value) else None

    def define(self, value: Value, tangent: Tangent) -> None:
        """`tangent` is that of `value`, in its dtype and with its axes."""
        if tangent is None:
            return
        assert isinstance(value.type, Array)
        tangent = self._conform(tangent, value.type)
        if isinstance(tangent, Value) and tangent.hint is None:
            tangent.hint = tangent_name(value)
        self.known[value] = tangent

    def _conform(self, tangent: Atom, type: Array) -> Atom:
        from ..rules.internal import broadcast

        t = Sym(self.builder, tangent)
        if t.dtype.kind == "c" and type.dtype.kind != "c":
            t = t.real
        if t.dtype != type.dtype:
            t = cast(t, type.dtype) if t.const is None else Sym(self.builder, constant(t.const, type))
        return broadcast(t, type.axes).atom  # type: ignore[no-any-return]

    def or_zeros(self, tangent: Tangent, type: Type, hint: str | None = None) -> Atom:
        """The tangent itself, or zeros of the primal's type."""
        if tangent is not None:
            return tangent
        if not isinstance(type, Array):
            raise Unsupported("what a function has saved does not move with the arguments", "Differentiate it once.")
        if not type.axes:
            return constant(0.0, type)
        (zeros,) = self.builder.apply(named("zeros"), [], {"shape": type.axes, "dtype": type.dtype}, hint=hint)
        return zeros

    # Rules

    def plain(self, op: Op) -> None:
        """The tangents of an op's outputs, by its kind."""
        check_accounted_for(op)
        by_rule = None if op.prim.tangent is None else self._by_rule(op)
        if by_rule is not None:
            results = by_rule
        elif op.prim.kind == "elementwise":
            results = [self._elementwise(op)]
        elif op.prim.kind == "linear":
            results = self._applied(op, self._all_tangents(op))
        elif op.prim.kind == "bilinear":
            results = [self._product(op)]
        else:
            results = self._transposed_twice(op)
        for value, result in zip(op.outputs, results):
            if value in self.active:
                self.define(value, result)

    def _inputs(self, op: Op) -> tuple[list[Sym], list[Sym | None]]:
        inputs: list[Sym] = []
        tangents: list[Sym | None] = []
        for atom in op.inputs[: op.prim.arity(op.attrs)]:
            t = self.tangent(atom)
            inputs.append(Sym(self.builder, unspelled(atom) if isinstance(atom, Const) else atom))
            tangents.append(None if t is None else Sym(self.builder, t))
        return inputs, tangents

    def _by_rule(self, op: Op) -> list[Tangent] | None:
        """What `tangent=` of the rule gives; None where it is for other calls than this."""
        inputs, tangents = self._inputs(op)
        outputs = tuple(Sym(self.builder, value) for value in op.outputs)
        assert op.prim.tangent is not None
        y = outputs if len(outputs) > 1 or op.prim.several else outputs[0]
        result = op.prim.tangent(tuple(tangents), y, *inputs, **op.attrs)
        if result is NotImplemented:
            return None
        return [_atom(each) for each in (result if len(outputs) > 1 or op.prim.several else [result])]

    def _elementwise(self, op: Op) -> Tangent:
        """sum_i t_i df/dx_i: the formula of a cotangent, with a tangent in its place."""
        inputs, tangents = self._inputs(op)
        y, total = Sym(self.builder, op.outputs[0]), None
        for which, t in enumerate(tangents):
            partial = op.prim.partial(which, op.attrs, len(op.inputs))
            if t is None or partial is None:
                continue
            term = self._masked(op, which, t)
            if term is None:
                term = self._strong(op, which, t, partial(t, y, *inputs, **op.attrs))
            if term is not None:
                total = term if total is None else total + term
        return _atom(total)

    def _strong(self, op: Op, which: int, t: Sym, term: Any) -> Any:
        """A formula `t * mask` (np.clip) as `where(mask, t, 0)`, where `t` may be infinite."""
        made = self.made.get(op.inputs[which])  # type: ignore[arg-type]
        if (
            made is None
            or not isinstance(term, Sym)
            or not (made.prim.elementwise and reaches_singular(made, self.made, self.active))
        ):
            return term
        product = next((each for each in reversed(self.builder.ops) if term.atom in each.outputs), None)
        if product is None or product.prim.name != "np.multiply" or t.atom not in product.inputs:
            return term
        (mask,) = [each for each in product.inputs if each is not t.atom] or [t.atom]
        if mask.type.dtype.kind != "b":  # type: ignore[union-attr]
            return term
        return apply(self.builder, np.where, (Sym(self.builder, mask), t, 0.0), {})

    def _masked(self, op: Op, which: int, t: Sym) -> Sym | None:
        """Zeros are strong: `mask * f` has the tangent `where(mask, t_f, 0)`, whatever t_f is where it is masked."""
        if op.prim.name != "np.multiply":
            return None
        other, made = op.inputs[1 - which], self.made.get(op.inputs[which])  # type: ignore[arg-type]
        if other.type.dtype.kind != "b" or made is None:  # type: ignore[union-attr]
            return None
        if not (made.prim.elementwise and reaches_singular(made, self.made, self.active)):
            return None
        masked: Sym = apply(self.builder, np.where, (Sym(self.builder, other), t, 0.0), {})
        return masked

    def _all_tangents(self, op: Op) -> list[Atom]:
        """The inputs with tangents in place of those in which the op is linear."""
        atoms: list[Atom] = []
        for which, atom in enumerate(op.inputs):
            if op.prim.partial(which, op.attrs, len(op.inputs)) is None or not isinstance(atom.type, Array):
                atoms.append(atom)
            elif which > 0 and self.tangent(atom) is None and op.prim.name in ("index_set", "index_add"):
                atoms.append(constant(0.0, atom.type))  # written to every element
            else:
                atoms.append(self.or_zeros(self.tangent(atom), atom.type))
        return atoms

    def _applied(self, op: Op, inputs: Sequence[Atom]) -> list[Tangent]:
        """The op itself, on other inputs of the same types."""
        style = "operator" if op.style == "augmented" else op.style
        return list(self.builder.append(op.prim, inputs, [v.type for v in op.outputs], op.attrs, style=style))

    def _product(self, op: Op) -> Tangent:
        """The product rule: the op once for each active operand, with its tangent there."""
        total: Sym | None = None
        for which, atom in enumerate(op.inputs):
            t = self.tangent(atom)
            if t is None or op.prim.partial(which, op.attrs, len(op.inputs)) is None:
                continue
            (term,) = self._applied(op, [*op.inputs[:which], t, *op.inputs[which + 1 :]])
            assert term is not None
            total = Sym(self.builder, term) if total is None else total + Sym(self.builder, term)
        return _atom(total)

    def _transposed_twice(self, op: Op) -> list[Tangent]:
        """J t as the transpose of d -> J^T d, which is what the rule gives.

        J^T d is linear in d, so its transpose does not read d; what stands for d here must have no reader in the end.
        """
        stand_ins = [Value(v.type) if v in self.active and v in self.wanted else None for v in op.outputs]
        ops, terms = self._transpose(op, stand_ins)
        given = [v for v in stand_ins if v is not None]
        back = Regions(self.facts, active_values(Region((), tuple(ops), ()), given), Pairs())
        back.builder.origin, root = op.origin, Scope(None, "root")
        for contribution, t in terms:
            back.accumulate(root, contribution, t)
        back.backprop(ops, root)
        if back.faults:
            raise Unsupported(back.faults[0].message, back.faults[0].way_out)
        results = [None if v is None else root.cotangents.get(v) for v in stand_ins]
        kept = _needed([*ops, *back.builder.ops], [r for r in results if isinstance(r, Value)])
        if any(v in free_values(each) for each in kept for v in given):
            raise Unsupported(f"{op.prim.name} has no derivative rule for forward mode", "Give it a `tangent=`.")
        self.builder.ops += kept
        return results

    def _transpose(self, op: Op, cotangents: Sequence[Value | None]) -> tuple[list[Op], list[tuple[Atom, Atom]]]:
        """The ops of d -> J^T d, and its results, each beside the tangent that it is to be paired with."""
        inputs, tangents = self._inputs(op)
        ds = tuple(None if d is None else Sym(self.builder, d) for d in cotangents)
        outputs = tuple(Sym(self.builder, value) for value in op.outputs)
        terms: list[tuple[Atom, Atom]] = []
        with self.builder.region() as ops:
            for which, (x, t) in enumerate(zip(inputs, tangents)):
                partial = op.prim.partial(which, op.attrs, len(op.inputs))
                if t is None or partial is None:
                    continue
                several = len(outputs) > 1 or op.prim.several
                term = partial(ds if several else ds[0], outputs if several else outputs[0], *inputs, **op.attrs)
                if term is not None:
                    terms.append((self._conform(term.atom, x.type), t.atom))
        return list(ops), terms


def _atom(result: Any) -> Tangent:
    if result is None:
        return None
    return result.atom if isinstance(result, Sym) else Const(result)


def _needed(ops: Sequence[Op], results: Sequence[Value]) -> list[Op]:
    """The ops that the results need, in order."""
    live: set[Value] = set(results)
    kept: list[Op] = []
    for op in reversed(ops):
        if any(v in live for v in op.outputs):
            live.update(free_values(op))
            kept.append(op)
    return kept[::-1]


def tangent_name(value: Value) -> str | None:
    return None if value.hint is None else f"t_{value.hint}"

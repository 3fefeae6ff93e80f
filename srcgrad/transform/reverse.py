"""Reverse mode on structured SSA: walk every region backwards, carrying a cotangent for each active value.

What the backward sweep needs of a loop's or branch's inside is recorded by the forward sweep: here every value that
a derivative formula *might* read is imported where it is read, and the optimiser drops what does not survive
simplification. Nothing is guessed: a value that no surviving op reads has no use, and its tape is dead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..errors import Fault, Origin, Unsupported
from ..ir.builder import Builder, revealed
from ..ir.dims import Facts, Symbol
from ..ir.indexing import rearranges, selects_once
from ..ir.nodes import Atom, Const, Function, Op, Region, Slot, Undefined, Value
from ..ir.primitive import named
from ..ir.symbolic import Sym, apply, cast
from ..ir.types import INT, Array, Tape
from .activity import active_values
from .invariance import cancelling

# What a cotangent may go through with its zeros in place
_KEEPS_ZEROS = {
    "np.transpose", "np.swapaxes", "np.moveaxis", "np.reshape", "np.ravel", "np.squeeze", "np.expand_dims", "np.flip",
    "np.negative", "np.multiply", "np.divide", "broadcast", "getitem", "astype",
}  # fmt: skip


@dataclass
class _Scope:
    """A loop body or a branch: what its forward half must record, and how the backward half reads it."""

    parent: _Scope | None
    kind: str  # "loop" | "branch"
    cotangents: dict[Value, Atom] = field(default_factory=dict)
    inside: set[Value] = field(default_factory=set)  # forward values defined directly here
    imports: dict[Value, Value] = field(default_factory=dict)  # forward value -> backward value, within this scope
    records: dict[Value, Value] = field(default_factory=dict)  # forward value -> tape or branch output, one level up
    items: list[tuple[Value, Value]] = field(default_factory=list)  # (tape read in the parent, item parameter)
    sums: dict[Value, Value] = field(default_factory=dict)  # outer value -> accumulator parameter of a backward loop


@dataclass(frozen=True)
class Differentiated:
    """The joint function, and its faults: constructs that have no derivative."""

    function: Function
    faults: tuple[Fault, ...]


def differentiate(
    function: Function, result: int, wrt: Sequence[Value], facts: Facts, seed: Value | None = None
) -> Differentiated:
    """One function with the forward sweep of `function`, then the gradient of its result number `result`.

    Its results are `function`'s, followed by one cotangent for each value in `wrt`. `seed` is the cotangent of the
    result, a parameter of the caller's making; None stands for 1.
    """
    reverse = _Reverse(facts, active_values(function.body, wrt, cancelling(function.body, facts)))
    reverse.builder.notice(function.body)
    root = _Scope(None, "root")
    loss = function.body.results[result]
    reverse.accumulate(root, loss, seed if seed is not None else Const(1.0))
    forward = reverse.backprop(function.body.ops, root)
    gradients = [reverse.final(root, value) for value in wrt]
    body = replace(function.body, ops=(*forward, *reverse.builder.ops), results=(*function.body.results, *gradients))
    return Differentiated(replace(function, body=body), tuple(reverse.faults))


class _Reverse:
    def __init__(self, facts: Facts, active: set[Value]):
        self.facts, self.active = facts, active
        self.builder = _AdjointBuilder(self)
        self.home: dict[Value, _Scope] = {}
        self.faults: list[Fault] = []
        self.made: dict[Value, Op] = {}

    # Reading forward values from the backward sweep

    def use(self, atom: Atom) -> Atom:
        """The value as the backward sweep can read it, recorded by the loops and branches around it."""
        if not isinstance(atom, Value) or atom not in self.home:
            return atom
        scope = self.home[atom]
        if atom not in scope.imports:
            outside = self.use(self._record(scope, atom))
            scope.imports[atom] = self._item(scope, outside, atom) if scope.kind == "loop" else outside  # type: ignore
        return scope.imports[atom]

    def _record(self, scope: _Scope, value: Value) -> Value:
        """Have the forward sweep hand the value out of its loop (as a tape) or branch."""
        if value not in scope.records:
            outside = Value(Tape(value.type) if scope.kind == "loop" else value.type, value.hint)
            scope.records[value] = outside
            if scope.parent is not None and scope.parent.kind != "root":
                self._enter(scope.parent, [outside])
        return scope.records[value]

    def _item(self, scope: _Scope, tape: Atom, value: Value) -> Value:
        item = Value(value.type, value.hint)
        assert isinstance(tape, Value)
        scope.items.append((tape, item))
        return item

    def _enter(self, scope: _Scope, values: Sequence[Value]) -> None:
        for value in values:
            self.home[value] = scope
            scope.inside.add(value)

    def sym(self, atom: Atom) -> Sym:
        return _Lazy(self, atom)

    # Cotangents

    def accumulate(self, scope: _Scope, target: Atom, contribution: Atom) -> None:
        """Add to a value's cotangent: the first contribution is it, later ones are added."""
        if not isinstance(target, Value) or target not in self.active:
            return
        assert isinstance(target.type, Array)
        contribution = self._conform(contribution, target.type)
        known = self.current(scope, target)
        if known is not None:
            (contribution,) = self.builder.apply(
                named("np.add"), [known, contribution], style="operator", hint=_cotangent_name(target)
            )
        elif isinstance(contribution, Value) and contribution.hint is None:
            contribution.hint = _cotangent_name(target)
        scope.cotangents[target] = contribution

    def current(self, scope: _Scope, target: Value) -> Atom | None:
        """The cotangent so far; inside a backward loop an outer value gets an accumulator carried by the loop."""
        if target in scope.cotangents:
            return scope.cotangents[target]
        if target in scope.inside or scope.kind == "root":
            return None
        if scope.kind == "loop":
            if target not in scope.sums:
                scope.sums[target] = Value(target.type, _cotangent_name(target))
            return scope.sums[target]
        assert scope.parent is not None
        return self.current(scope.parent, target)

    def _conform(self, contribution: Atom, type: Array) -> Atom:
        """A cotangent has the dtype and axes of its primal."""
        d = Sym(self.builder, contribution)
        if d.dtype.kind == "c" and type.dtype.kind != "c":
            d = d.real
        if d.dtype != type.dtype:
            d = cast(d, type.dtype) if d.const is None else Sym(self.builder, _constant(d.const, type))
        if not self.facts.same_axes(d.type.axes, type.axes):
            from ..rules.internal import broadcast, unbroadcast

            d = unbroadcast(d, Sym(self.builder, Value(type)))
            d = broadcast(d, type.axes)
        return d.atom

    def final(self, scope: _Scope, value: Value) -> Atom:
        """The finished cotangent, zeros where nothing reached the value."""
        atom = scope.cotangents.get(value)
        return self.zeros(value) if atom is None else atom

    def zeros(self, value: Value) -> Atom:
        assert isinstance(value.type, Array)
        type = value.type
        if not type.axes:
            return _constant(0.0, type)
        (zeros,) = self.builder.apply(
            named("zeros"), [], {"shape": type.axes, "dtype": type.dtype}, hint=_cotangent_name(value)
        )
        return zeros

    # Walking a region backwards

    def backprop(self, ops: Sequence[Op], scope: _Scope) -> list[Op]:
        """Emit the backward sweep of `ops`; the ops again, extended by what they must record."""
        forward: list[Op] = []
        for op in ops:
            for value in op.outputs:
                self.made[value] = op
        for op in reversed(ops):
            with self.builder.at(op.origin):
                try:
                    forward.append(self._op(op, scope))
                except Unsupported as error:
                    self.faults.append(Fault(op.origin, error.message, error.way_out))
                    forward.append(op)
        return forward[::-1]

    def _op(self, op: Op, scope: _Scope) -> Op:
        cotangents = [scope.cotangents.pop(v, None) if v in self.active else None for v in op.outputs]
        match op.prim.name:
            case "if":
                return self._if(op, scope, cotangents)
            case "for" | "while":
                return self._loop(op, scope, cotangents)
        if any(d is not None for d in cotangents):
            if op.prim.name == "index_set":
                self._index_set(op, scope, cotangents[0])
            elif op.prim.name == "getitem":
                self._getitem(op, scope, cotangents[0])
            else:
                self._plain(op, scope, cotangents)
        return op

    def _plain(self, op: Op, scope: _Scope, cotangents: list[Atom | None]) -> None:
        unknown = set(op.attrs) - op.prim.looked_at
        if unknown and not op.prim.elementwise:
            names = ", ".join(f"`{name}=`" for name in sorted(unknown))
            raise Unsupported(f"{op.prim.name} has no derivative rule that accounts for {names}")
        for which, atom in enumerate(op.inputs):
            if atom in self.active and isinstance(atom, Value) and isinstance(atom.type, Array):
                partial = op.prim.partial(which)
                if partial is None:
                    continue
                contribution = self._contribution(op, partial, cotangents)
                if contribution is not None:
                    self.accumulate(scope, atom, contribution)

    def _contribution(self, op: Op, partial: Any, cotangents: list[Atom | None]) -> Atom | None:
        count = None if op.prim.variadic else len(op.prim.operands)  # inputs beyond are lengths that the op spells
        inputs = [self.sym(atom) for atom in op.inputs[:count]]
        outputs = tuple(self.sym(value) for value in op.outputs)
        ds = tuple(None if d is None else Sym(self.builder, d) for d in cotangents)
        attrs = dict(op.attrs)
        if len(outputs) > 1:
            result = partial(ds, outputs, *inputs, **attrs)
        else:
            result = self._strong(op, partial, ds[0], outputs[0], inputs, attrs)
        if result is None:
            return None
        return result.atom if isinstance(result, Sym) else Const(result)

    def _strong(self, op: Op, partial: Any, d: Any, y: Sym, inputs: list[Sym], attrs: dict[str, Any]) -> Any:
        """Zeros are strong: a masked cotangent stays masked through factors that may be infinite.

        `where(m, d, 0) * f` becomes `where(m, d * f, 0)`, so that 0 * inf cannot arise.
        """
        mask = self._mask(d, _singular(op)) if op.prim.elementwise and self._reaches_singular(op) else None
        if mask is None:
            return partial(d, y, *inputs, **attrs)
        condition, raw, swapped = mask
        result = partial(raw, y, *inputs, **attrs)
        if result is None:
            return None
        arms = (0.0, result) if swapped else (result, 0.0)
        return apply(self.builder, np.where, (condition, *arms), {})

    def _mask(self, d: Sym, singular: bool) -> tuple[Sym, Sym, bool] | None:
        """(condition, unmasked cotangent, condition inverted) of a masked cotangent."""
        made = next((op for op in reversed(self.builder.ops) if d.atom in op.outputs), None)
        if made is None:
            return None
        parts = [Sym(self.builder, atom) for atom in made.inputs]
        if made.prim.name == "np.where" and len(parts) == 3:
            if parts[2].const == 0:
                return parts[0], parts[1], False
            if parts[1].const == 0:
                return parts[0], parts[2], True
        if made.prim.name == "np.multiply" and parts[1].dtype == np.bool_:
            return parts[1], parts[0], False
        if singular and self._holds_zeros(d):
            return d.__ne__(0), d, False
        return None

    def _holds_zeros(self, d: Sym) -> bool:
        """Whether `d` was scattered, or masked by np.where, before it was reshaped or multiplied."""
        made = next((op for op in reversed(self.builder.ops) if d.atom in op.outputs), None)
        if made is None:
            return False
        parts = [Sym(self.builder, atom) for atom in made.inputs]
        match made.prim.name:
            case "index_add" | "index_set":
                return True
            case "np.where":
                return any(part.const == 0 for part in parts)
        return made.prim.name in _KEEPS_ZEROS and self._holds_zeros(parts[0])

    def _reaches_singular(self, op: Op) -> bool:
        """Whether this op, or an elementwise op that feeds it, has a derivative that may be infinite."""
        if _singular(op):
            return True
        for atom in op.inputs:
            made = self.made.get(atom) if isinstance(atom, Value) and atom in self.active else None
            if made is not None and made.prim.elementwise and self._reaches_singular(made):
                return True
        return False

    def _getitem(self, op: Op, scope: _Scope, d: Atom | None) -> None:
        """Scatter into the accumulator that exists already, so that no full-size temporary is added."""
        from ..rules.internal import rearranged, scatter_add, zeros

        source = op.inputs[0]
        if d is None or source not in self.active or not isinstance(source, Value):
            return
        if rearranges(op.attrs["index"]):
            self.accumulate(scope, source, rearranged(Sym(self.builder, d), op.attrs["index"]).atom)
            return
        assert isinstance(source.type, Array)
        known = self.current(scope, source)
        base = Sym(self.builder, known) if known is not None else zeros(self.builder, source.type)
        dynamic = [self.use(atom) for atom in op.inputs[1:]]
        result = scatter_add(base, Sym(self.builder, d), dynamic, op.attrs["index"]).atom
        for value in (base.atom, result):
            if isinstance(value, Value) and value.hint is None:
                value.hint = _cotangent_name(source)
        scope.cotangents[source] = result

    def _index_set(self, op: Op, scope: _Scope, d: Atom | None) -> None:
        """What was overwritten gets no cotangent; what was written gets that of its place.

        The place is read before it is cleared, so that clearing it needs no copy of the whole array.
        """
        _check_written_once(op)
        if d is None:
            return
        base, value, *dynamic = op.inputs
        index = op.attrs["index"]
        atoms = [d, *(self.use(atom) for atom in dynamic)]
        if value in self.active:
            (part,) = self.builder.apply(named("getitem"), atoms, {"index": index}, style="before")
            if isinstance(part.type, Array) and part.type.ndim and base in self.active:
                (part,) = self.builder.apply(named("np.copy"), [part], style="before")
            self.accumulate(scope, value, part)
        if base in self.active:
            zero = Const(np.zeros((), d.type.dtype).item() if isinstance(d.type, Array) else 0.0)
            (rest,) = self.builder.apply(
                named("index_set"), [d, zero, *atoms[1:]], {"index": index}, hint=_cotangent_name(op.outputs[0])
            )
            self.accumulate(scope, base, rest)

    # Branches

    def _if(self, op: Op, scope: _Scope, cotangents: list[Atom | None]) -> Op:
        halves = [self._branch(op, region, scope, cotangents) for region in op.regions]
        touched = list(dict.fromkeys(v for inner, _, _ in halves for v in inner.cotangents if v not in inner.inside))
        regions = []
        for inner, ops, _ in halves:
            outer_ops, self.builder.ops = self.builder.ops, ops
            results = [inner.cotangents.get(v) or self.current(scope, v) or self.zeros(v) for v in touched]
            regions.append(Region((), tuple(self.builder.ops), tuple(results)))
            self.builder.ops = outer_ops
        if touched:
            condition = self.use(op.inputs[0])
            types = [v.type for v in touched]
            outputs = self.builder.append(named("if"), [condition], types, regions=tuple(regions))
            for value, output in zip(touched, outputs):
                output.hint = _cotangent_name(value)
                scope.cotangents[value] = output
        return self._extend_if(op, [(inner, forward) for inner, _, forward in halves])

    def _branch(
        self, op: Op, region: Region, scope: _Scope, cotangents: list[Atom | None]
    ) -> tuple[_Scope, list[Op], list[Op]]:
        inner = _Scope(scope, "branch")
        self._enter(inner, [v for o in region.ops for v in o.outputs])
        with self.builder.region() as ops:
            for atom, d in zip(region.results, cotangents):
                if d is not None and not isinstance(atom, Undefined):
                    self.accumulate(inner, atom, d)
            forward = self.backprop(region.ops, inner)
        return inner, ops, forward

    def _extend_if(self, op: Op, halves: list[tuple[_Scope, list[Op]]]) -> Op:
        """The forward branch, handing out what the backward branch reads."""
        results = [list(region.results) for region in op.regions]
        outputs = list(op.outputs)
        for number, (inner, _) in enumerate(halves):
            for value, outside in inner.records.items():
                outputs.append(outside)
                for branch, row in enumerate(results):
                    row.append(value if branch == number else Undefined(value.type))
        regions = tuple(Region((), tuple(forward), tuple(row)) for (_, forward), row in zip(halves, results))
        return replace(op, regions=regions, outputs=tuple(outputs))

    # Loops

    def _loop(self, op: Op, scope: _Scope, cotangents: list[Atom | None]) -> Op:
        body, carried = op.regions[-1], op.attrs["carried"]
        is_for = op.prim.name == "for"
        params = body.params[1:] if is_for else body.params
        first = 3 if is_for else 0
        if not any(d is not None for d in cotangents):
            return op
        inner = _Scope(scope, "loop")
        self._enter(inner, [*body.params, *(v for o in body.ops for v in o.outputs)])
        # the derivative of a pass has the pass's own index: lengths that depend on it keep their meaning
        index = Value(body.params[0].type if is_for else INT, body.params[0].hint if is_for else None)
        if is_for:
            inner.imports[body.params[0]] = index
        live = [k for k in range(carried) if params[k] in self.active]
        incoming = {k: Value(params[k].type, _cotangent_name(params[k])) for k in live}
        taped = [(k, d) for k, d in enumerate(cotangents) if k >= carried and d is not None]
        taped_items = [Value(d.type.item, None) for _, d in taped if isinstance(d.type, Tape)]
        with self.builder.region():
            for k in live:
                self.accumulate(inner, body.results[k], incoming[k])
            for (k, _), item in zip(taped, taped_items):
                self.accumulate(inner, body.results[k], item)
            forward = self.backprop(body.ops, inner)
            out = [self.final(inner, params[k]) for k in live]
            tape_ds = [p for p in params[carried:] if p in self.active]
            records = [self.final(inner, p) for p in tape_ds]
            outer = list(inner.sums)
            out += [inner.cotangents[v] for v in outer]
            ops = tuple(self.builder.ops)
        inits = [cotangents[k] if cotangents[k] is not None else self.zeros(params[k]) for k in live]
        inits += [self.current(scope, v) or self.zeros(v) for v in outer]
        region_params = (index, *incoming.values(), *inner.sums.values(), *taped_items, *(i for _, i in inner.items))
        bounds = [self.use(a) for a in op.inputs[:3]] if is_for else [Const(0), self.use(op.outputs[-1]), Const(1)]
        tapes = [*(d for _, d in taped), *(tape for tape, _ in inner.items)]
        outputs = self.builder.append(
            named("for"),
            [*bounds, *inits, *tapes],  # type: ignore[list-item]
            [*(p.type for p in (*incoming.values(), *inner.sums.values())), *(Tape(p.type) for p in tape_ds)],
            {"carried": len(out), "reverse": not op.attrs.get("reverse", False), "derived": True},
            regions=(Region(region_params, ops, (*out, *records)),),
        )
        for parameter, output in zip(region_params[1:], outputs):
            output.hint = parameter.hint
        for v, output in zip(outer, outputs[len(live) :]):
            scope.cotangents[v] = output
        for k, output in zip(live, outputs):
            self.accumulate(scope, op.inputs[first + k], output)
        for p, output in zip(tape_ds, outputs[len(out) :]):
            self._accumulate_tape(scope, op.inputs[first + params.index(p)], output)
        return self._extend_loop(op, inner, forward)

    def _accumulate_tape(self, scope: _Scope, tape: Atom, d: Value) -> None:
        """A tape is read by one loop only, so its cotangent has one contribution."""
        assert isinstance(tape, Value)
        if tape in scope.cotangents:
            raise Unsupported("a recording that two loops read cannot be differentiated again")
        scope.cotangents[tape] = d

    def _extend_loop(self, op: Op, inner: _Scope, forward: list[Op]) -> Op:
        """The forward loop, recording what the backward loop reads."""
        body = op.regions[-1]
        results = (*body.results, *inner.records)
        extended = Region(body.params, tuple(forward), results)
        new = tuple(inner.records.values())
        if op.prim.name == "for":
            return replace(op, regions=(extended,), outputs=(*op.outputs, *new))
        outputs = (*op.outputs[:-1], *new, op.outputs[-1])
        return replace(op, regions=(op.regions[0], extended), outputs=outputs)


class _AdjointBuilder(Builder):
    """Builds the backward sweep; a length known only inside is read off the forward value that has it."""

    def __init__(self, reverse: _Reverse):
        super().__init__(reverse.facts, role="adjoint")
        self.reverse = reverse
        self.sources: dict[Symbol, Value] = {}

    def notice(self, region: Region) -> None:
        """Which forward value has which length, numbers (a loop's index) before arrays."""
        values = [*region.params, *(v for op in region.ops for v in op.outputs)]
        for value in sorted(values, key=lambda v: isinstance(v.type, Array) and v.type.ndim > 0):
            for symbol in revealed(value, self.facts):
                self.sources.setdefault(symbol, value)
        for op in region.ops:
            for inner in op.regions:
                self.notice(inner)

    def reveal(self, symbol: Symbol) -> Atom | None:
        value = self.sources.get(symbol)
        return None if value is None else self.reverse.use(value)


class _Lazy(Sym):
    """A forward value in a derivative formula: recorded only if the formula reads it."""

    __slots__ = ("_raw", "_reverse")

    def __init__(self, reverse: _Reverse, atom: Atom):
        self._reverse, self._raw = reverse, atom
        self.builder = reverse.builder

    @property
    def atom(self) -> Atom:  # type: ignore[override]
        if isinstance(self._raw, Const):
            return _unspelled(self._raw)
        return self._reverse.use(self._raw)

    @property
    def type(self) -> Array:
        if not isinstance(self._raw.type, Array):
            raise Unsupported(f"{self._raw.type} where an array is needed")
        return self._raw.type

    @property
    def const(self) -> Any:
        return self._raw.value if isinstance(self._raw, Const) else None


def _singular(op: Op) -> bool:
    """Whether the derivative may be infinite: not that of x / 2 or x ** 2."""
    if op.prim.name in ("np.divide", "np.power") and isinstance(op.inputs[1], Const):
        number = op.inputs[1].value
        return bool(number == 0) if op.prim.name == "np.divide" else not np.real(number) >= 1
    return op.prim.singular


def _check_written_once(op: Op) -> None:
    """Of several writes to one element the last one counts, which the rule for item assignment does not follow."""
    if op.role == "primal" and not selects_once(op.attrs["index"], [a.type for a in op.inputs[2:]]):
        raise Unsupported(
            "an array is written at integer indices that may repeat; only the last write to an element would count",
            "Write through slices or a mask, or add with np.add.at.",
        )


def _constant(number: Any, type: Array) -> Const:
    """A constant of exactly this dtype, as a Python number where that is the same."""
    typed = type.dtype.type(number)
    return Const(typed.item() if type.dtype in (np.dtype(float), np.dtype(complex)) else typed)


def _unspelled(const: Const) -> Const:
    """A literal is a number like any other in the backward sweep; `np.pi` and the like keep their spelling."""
    plain = const.text is None or const.text.replace(".", "").replace("e", "").replace("-", "").isdigit()
    return Const(const.value) if plain else const


def _cotangent_name(value: Value) -> str | None:
    return None if value.hint is None else f"d_{value.hint}"


__all__ = ["Differentiated", "Origin", "Slot", "differentiate"]

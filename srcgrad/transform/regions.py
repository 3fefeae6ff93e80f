"""Walking regions backwards: the branches and loops of the forward sweep, mirrored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..errors import Fault, Unsupported
from ..ir.nodes import Atom, Const, Op, Region, Undefined, Value, along, counts_passes, stopping_paths
from ..ir.primitive import named
from ..ir.symbolic import Sym
from ..ir.types import INT, Array, Tape, Type
from ..rules.internal import same
from .calls import no_derivative
from .cotangents import cotangent_name
from .solvers import Solvers
from .tapes import Scope


class Regions(Solvers):
    def backprop(self, ops: Sequence[Op], scope: Scope) -> list[Op]:
        """Emit the backward sweep of `ops`; the ops again, extended by what they must record."""
        forward: list[Op] = []
        for op in ops:
            for value in op.outputs:
                self.made[value] = op
        for op in reversed(ops):
            with self.builder.at(op.origin):
                try:
                    forward.append(self._op(op, scope))
                    forward += self.before
                    self.before = []
                except Unsupported as error:
                    self.faults.append(Fault(op.origin, error.message, error.way_out))
                    forward.append(op)
        return forward[::-1]

    def _op(self, op: Op, scope: Scope) -> Op:
        cotangents = [scope.cotangents.pop(v, None) if v in self.active else None for v in op.outputs]
        match op.prim.name:
            case "if":
                return self._if(op, scope, cotangents)
            case "for" | "while":
                return self._loop(op, scope, cotangents)
            case "call":
                return self.call(op, scope, cotangents)
            case "custom":
                return self.custom(op, scope, cotangents)
            case "solver" | "field":
                self.solved(op, scope, cotangents)
                return op
        if any(d is not None for d in cotangents):
            if op.prim.undefined:
                raise no_derivative(op)
            if op.prim.name == "index_set":
                self.index_set(op, scope, cotangents[0])
            elif op.prim.name == "getitem":
                self.getitem(op, scope, cotangents[0])
            else:
                self.plain(op, scope, cotangents)
        return op

    # Branches

    def _if(self, op: Op, scope: Scope, cotangents: list[Atom | None]) -> Op:
        if op in self.going_on:
            return self._gone_on(op, scope, cotangents)
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
                output.hint = cotangent_name(value)
                scope.cotangents[value] = output
        return self._extend_if(op, [(inner, forward) for inner, _, forward in halves])

    def _branch(
        self, op: Op, region: Region, scope: Scope, cotangents: list[Atom | None]
    ) -> tuple[Scope, list[Op], list[Op]]:
        inner = Scope(scope, "branch")
        self.enter(inner, [v for o in region.ops for v in o.outputs])
        with self.builder.inside(inner) as ops:
            self._arrive(inner, region, cotangents)
            forward = self.backprop(region.ops, inner)
        return inner, ops, forward

    def _arrive(self, inner: Scope, region: Region, cotangents: Sequence[Atom | None]) -> None:
        """The cotangents of a branch's results, which have these results' own lengths."""
        for atom, d in zip(region.results, cotangents):
            if d is not None and not isinstance(atom, Undefined):
                if isinstance(atom.type, Array) and isinstance(d.type, Array) and atom.type.ndim:
                    d = same(Sym(self.builder, d), atom.type).atom
                self.accumulate(inner, atom, d)

    def _gone_on(self, op: Op, scope: Scope, cotangents: list[Atom | None]) -> Op:
        """A branch whose one half ends the loop: in every pass to be differentiated the other one was taken."""
        half = self.going_on[op]
        region = op.regions[half]
        inner = Scope(scope, "branch")
        self.enter(inner, [v for o in region.ops for v in o.outputs])
        outer, self.builder.scope = self.builder.scope, inner
        self._arrive(inner, region, cotangents)
        forward = self.backprop(region.ops, inner)
        self.builder.scope = outer
        scope.cotangents.update((v, d) for v, d in inner.cotangents.items() if v not in inner.inside)
        halves = [(Scope(scope, "branch"), list(each.ops)) for each in op.regions]
        halves[half] = (inner, forward)
        return self._extend_if(op, halves)

    def _extend_if(self, op: Op, halves: list[tuple[Scope, list[Op]]]) -> Op:
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

    def _loop(self, op: Op, scope: Scope, cotangents: list[Atom | None]) -> Op:
        body, carried = op.regions[-1], op.attrs["carried"]
        is_for = op.prim.name == "for"
        params = body.params[1:] if is_for else body.params
        first = 3 if is_for else 0
        if not any(d is not None for d in cotangents):
            return op
        early = self._stops_early(op)
        if op.attrs.get("stops") == "early" and not early:
            raise Unsupported("a loop that is left early cannot be differentiated again in other arguments")
        inner = Scope(scope, "loop")
        self.enter(inner, [*body.params, *(v for o in body.ops for v in o.outputs)])
        # the derivative of a pass has the pass's own index: lengths that depend on it keep their meaning
        index = Value(body.params[0].type if is_for else INT, body.params[0].hint if is_for else None)
        if is_for:
            inner.imports[body.params[0]] = index
        live = [k for k in range(carried) if params[k] in self.active]
        incoming = {k: Value(lengths_of(params[k].type, body.results[k]), cotangent_name(params[k])) for k in live}
        taped = [(k, d) for k, d in enumerate(cotangents) if k >= carried and d is not None]
        taped_items = [Value(d.type.item, None) for _, d in taped if isinstance(d.type, Tape)]
        # a recording of zeros where a mask excludes an element
        self.masked_seeds.update(item for (_, d), item in zip(taped, taped_items) if d in self.masked_seeds)
        with self.builder.inside(inner):
            for k in live:
                self.accumulate(inner, body.results[k], incoming[k])
            for (k, _), item in zip(taped, taped_items):
                self.accumulate(inner, body.results[k], item)
            forward = self.backprop(body.ops, inner)
            out = [self.final(inner, params[k]) for k in live]
            tape_ds = [p for p in params[carried:] if p in self.active and self._reached(inner, p)]
            records = [self.final(inner, p) for p in tape_ds]
            outer = list(inner.sums)
            out += [inner.cotangents[v] for v in outer]
            masked = [k for k, r in enumerate(records) if r in self.masked_seeds or self._masked_array(r)]
            ops = tuple(self.builder.ops)
        inits = [cotangents[k] if cotangents[k] is not None else self.zeros(op.outputs[k]) for k in live]
        inits += [self.current(scope, v) or self.zeros(v) for v in outer]
        region_params = (index, *incoming.values(), *inner.sums.values(), *taped_items, *(i for _, i in inner.items))
        bounds = self._bounds(op)
        tapes = [*(d for _, d in taped), *(tape for tape, _ in inner.items)]
        outputs = self.builder.append(
            named("for"),
            [*bounds, *inits, *tapes],  # type: ignore[list-item]
            [
                *(lengths_of(params[k].type, op.inputs[first + k]) for k in live),
                *(p.type for p in inner.sums.values()),
                *(Tape(p.type) for p in tape_ds),
            ],
            {
                "carried": len(out),
                "reverse": not op.attrs.get("reverse", False),
                "derived": True,
                **({"partial": True} if {"stops", "partial"} & op.attrs.keys() else {}),
            },
            regions=(Region(region_params, ops, (*out, *records)),),
        )
        for parameter, output in zip(region_params[1:], outputs):
            output.hint = parameter.hint
        self.masked_seeds.update(outputs[len(out) + k] for k in masked)
        for v, output in zip(outer, outputs[len(live) :]):
            scope.cotangents[v] = output
        for k, output in zip(live, outputs):
            self.accumulate(scope, op.inputs[first + k], output)
        for p, output in zip(tape_ds, outputs[len(out) :]):
            self.accumulate(scope, op.inputs[first + params.index(p)], output)
        return self._extend_loop(op, inner, forward, early)

    def _masked_array(self, atom: Atom) -> bool:
        return isinstance(atom.type, Array) and self.is_masked(Sym(self.builder, atom))

    def _bounds(self, op: Op) -> list[Atom]:
        """The bounds of the passes made, for the backward loop."""
        if op.prim.name == "while":
            return [Const(0), self.use(op.outputs[-1]), Const(1)]
        start, stop, step = (self.use(atom) for atom in op.inputs[:3])
        if "stops" not in op.attrs:
            return [start, stop, step]
        first, passes, stride = (Sym(self.builder, a) for a in (start, self.use(op.outputs[-1]), step))
        stretch = passes if stride.const == 1 else passes * stride
        end = stretch if first.const == 0 else first + stretch
        return [start, end.atom, step]

    def _stops_early(self, op: Op) -> bool:
        """Whether the pass that stops leaves every active value as it was, so that it needs no derivative.

        Then the branches around its `break` go on in all the passes that have one.
        """
        halts = stopping_paths(op) if "stops" in op.attrs else None
        if not halts or () in halts:
            return False
        body, carried = op.regions[-1], op.attrs["carried"]
        params = body.params[1:] if op.prim.name == "for" else body.params
        live = [k for k in range(carried) if params[k] in self.active]
        if any(along(body.results[k], halt) is not params[k] for k in live for halt in halts):
            return False
        self.going_on.update((halt[-1][0], 1 - halt[-1][1]) for halt in halts if halt)
        return True

    def _reached(self, scope: Scope, value: Value) -> bool:
        """Whether a cotangent came to the value; what did not reach an array is zeros."""
        return value in scope.cotangents or not isinstance(value.type, Tape)

    def _extend_loop(self, op: Op, inner: Scope, forward: list[Op], early: bool) -> Op:
        """The forward loop, recording what the backward loop reads."""
        body = op.regions[-1]
        last = len(body.results) - ("stops" in op.attrs)
        results = (*body.results[:last], *inner.records, *body.results[last:])
        extended = Region(body.params, tuple(forward), results)
        last = len(op.outputs) - counts_passes(op)
        outputs = (*op.outputs[:last], *inner.records.values(), *op.outputs[last:])
        attrs = {**op.attrs, "stops": "early"} if early else op.attrs
        return replace(op, regions=(*op.regions[:-1], extended), outputs=outputs, attrs=attrs)


def lengths_of(type: Type, atom: Atom) -> Type:
    """The type of a carried derivative where its variable is `atom`, which may be longer than the parameter."""
    return replace(type, axes=atom.type.axes) if isinstance(type, Array) and isinstance(atom.type, Array) else type

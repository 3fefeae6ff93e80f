"""Calls whose derivative is given: their own backward functions, and what is computed again instead of stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..errors import Unsupported
from ..ir.custom import CUSTOM, Custom, clone, custom_of
from ..ir.nodes import Atom, Op, Region, Value
from ..ir.primitive import named
from ..ir.types import Array
from .activity import active_values
from .binomial import by_schedule
from .cotangents import cotangent_name
from .steps import Steps
from .tapes import Scope


class Customs(Steps):
    def custom(self, op: Op, scope: Scope, cotangents: Sequence[Atom | None]) -> Op:
        """The call that saves, in place of the plain one; the backward function's call in the backward sweep."""
        custom = custom_of(op)
        if all(d is None for d in cotangents):
            return op
        if custom.kind == "checkpoint":
            self._again(op, scope, cotangents)
            return op
        if custom.backward is None:
            raise Unsupported(*custom.refused["reverse"])
        for k, atom in enumerate(op.inputs):
            if atom in self.active and k not in custom.given:
                missing = f"`{custom.name}` reads a value that is differentiated from around it"
                raise Unsupported(
                    custom.missing.get(k, missing), "Return zeros if that is its derivative, or use stop_gradient."
                )
        saved: list[Value] = []
        if custom.forward is not None:
            saved = [Value(a.type, getattr(a, "hint", None)) for a in custom.forward.results[len(op.outputs) :]]
            if scope.kind != "root":
                self.enter(scope, saved)
        self._backward(custom, custom.backward, op, saved, scope, cotangents)
        if custom.forward is None:
            return op
        return replace(op, attrs={**op.attrs, "part": "forward"}, outputs=(*op.outputs, *saved))

    def _backward(
        self,
        custom: Custom,
        backward: Region,
        op: Op,
        saved: Sequence[Value],
        scope: Scope,
        cotangents: Sequence[Atom | None],
    ) -> None:
        offered: list[Atom | None] = [*op.inputs, *op.outputs, *saved, *cotangents]
        first = len(offered) - len(cotangents)
        inputs: list[Atom] = []
        for number in custom.reads:
            atom = offered[number]
            if number < first:
                assert atom is not None
                inputs.append(self.use(atom))
            else:
                inputs.append(self.zeros(op.outputs[number - first]) if atom is None else atom)
        types = [atom.type for atom in backward.results]
        outputs = self.builder.append(CUSTOM, inputs, types, {"custom": custom, "part": "backward"})
        if custom.kind == "hook":
            outputs[0].hint = cotangent_name(op.outputs[0])
        for k, number in custom.given.items():
            if op.inputs[k] in self.active:
                self.accumulate(scope, op.inputs[k], outputs[number])

    def _again(self, op: Op, scope: Scope, cotangents: Sequence[Atom | None]) -> None:
        """What the call computes, once more in the backward sweep, and its derivative right behind it."""
        inputs = [self._apart(self.use(atom)) for atom in op.inputs]
        ops, results = clone(custom_of(op).plain, inputs, self.facts, "primal")
        wrt = [x for x, atom in zip(inputs, op.inputs) if atom in self.active and isinstance(x, Value)]
        region = Region((), tuple(ops), tuple(results))
        back = type(self)(self.facts, active_values(region, wrt), self.pairs)
        back.builder.origin, root = op.origin, Scope(None, "root")
        back.builder.notice(Region(tuple(x for x in inputs if isinstance(x, Value)), region.ops, ()))
        # what has been added up so far goes on here, in the order that it would have without the call
        sums = {k: d for k, atom in self._sources(op) if (d := self.current(scope, atom)) is not None}
        root.cotangents.update((inputs[k], d) for k, d in sums.items())  # type: ignore[misc]
        for result, d in zip(results, cotangents):
            if d is not None:
                back.accumulate(root, result, d)
        again = back.backprop(ops, root)
        self.faults += back.faults
        slots = custom_of(op).slots
        if slots is None:
            self.builder.ops += [_as_adjoint(each) for each in again]
            self.builder.ops += back.builder.ops
        else:
            self.builder.ops += by_schedule(back.builder, ops[-1], again[-1], back.builder.ops, slots)
        for k, (atom, x) in enumerate(zip(op.inputs, inputs)):
            if k in sums:
                scope.cotangents[atom] = root.cotangents[x]  # type: ignore[index]
            elif isinstance(x, Value) and x in root.cotangents:
                self.accumulate(scope, atom, root.cotangents[x])

    def _sources(self, op: Op) -> list[tuple[int, Value]]:
        """The active arrays that a call reads once, with their places among its inputs."""
        return [
            (k, atom)
            for k, atom in enumerate(op.inputs)
            if isinstance(atom, Value) and isinstance(atom.type, Array) and atom in self.active
            and op.inputs.count(atom) == 1
        ]  # fmt: skip

    def _apart(self, atom: Atom) -> Atom:
        """The value under another name, so that nothing recognises what is computed from it."""
        if not isinstance(atom, Value) or not isinstance(atom.type, Array):
            return atom
        (again,) = self.builder.append(named("again"), [atom], [atom.type], hint=atom.hint)
        return again

    def backprop(self, ops: Sequence[Op], scope: Scope) -> list[Op]:
        raise NotImplementedError


def _as_adjoint(op: Op) -> Op:
    """An op of the backward sweep, with what is inside of it."""
    regions = tuple(replace(r, ops=tuple(map(_as_adjoint, r.ops))) for r in op.regions)
    return replace(op, role="adjoint", regions=regions)

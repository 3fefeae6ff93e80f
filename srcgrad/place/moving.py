"""Ops rewritten for the device: numbers brought there where paths meet, elements copied, what CuPy lacks replaced."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from ..errors import Unsupported
from ..ir.calls import CALL
from ..ir.dims import Facts
from ..ir.memory import may_share
from ..ir.nodes import Atom, Function, Op, Region, Value, walk
from ..ir.primitive import named
from ..ir.types import Array
from .lacking import check, decompose
from .residency import ARRAYS, Residency, parameters

_TOGETHER = frozenset({"np.array", "np.stack", "np.concatenate", "np.hstack", "np.vstack", "np.column_stack"})
_CONTROL = frozenset({"if", "for", "while"})
_ALIASES = frozenset({"again", "same", "stop_gradient"})  # the same variable under another name


class Mover:
    """Rewrites ops; `residency` grows by what it makes."""

    def __init__(self, residency: Residency, bodies: Sequence[Region]):
        self.residency = residency
        ops = [op for body in bodies for op in walk(body.ops)]
        self.writes = any(op.prim.name in ("index_add", "index_set") for op in ops)
        self.distinct = {out for op in ops if op.prim.name in ("np.arange", "np.argsort") for out in op.outputs}
        self.escaping = _escaping(bodies)
        self.facts = Facts()

    def function(self, function: Function, facts: Facts) -> Function:
        self.facts = facts
        placed = function.with_body(self._region(function.body))
        return replace(placed, notes={**function.notes, "namespace": "cupy"})

    def _region(self, region: Region, targets: Sequence[Atom] = ()) -> Region:
        """`targets` are what the region's results are handed to."""
        ops = [new for op in region.ops for new in self._located(op)]
        results = list(region.results)
        for number, target in enumerate(targets):
            role = region.ops[-1].role if region.ops else "primal"
            results[number] = self._there(results[number], target, ops, role)
        return replace(region, ops=tuple(ops), results=tuple(results))

    def _located(self, op: Op) -> list[Op]:
        try:
            return self._op(op)
        except Unsupported as error:
            raise Unsupported(error.message, error.way_out, error.origin or op.origin) from None

    def _op(self, op: Op) -> list[Op]:
        before: list[Op] = []
        if op.prim.name in _CONTROL:
            return self._control(op, before)
        if op.prim is CALL:
            pairs = zip(op.inputs, parameters(op))
            inputs = tuple(self._there(a, target, before, op.role) for a, target in pairs)
            return [*before, replace(op, inputs=inputs)]
        if not self.residency.any((*op.inputs, *op.outputs)):
            return [op]
        check(op, self.residency, self.distinct)
        op = self._cast(op, before)
        if op.prim.name in _TOGETHER | ARRAYS:
            inputs = tuple(self._there(a, None, before, op.role) for a in op.inputs)
            op = replace(op, inputs=inputs)
        made = decompose(op, self.facts)
        for new in made:
            self.residency.op(new)
        return [*before, *(each for new in made for each in self._own_element(new))]

    def _control(self, op: Op, before: list[Op]) -> list[Op]:
        if op.prim.name == "if":
            regions = tuple(self._region(region, op.outputs) for region in op.regions)
            return [replace(op, regions=regions)]
        first, body = (3 if op.prim.name == "for" else 0), op.regions[-1]
        if first and self.residency.any(op.inputs[:3]):
            raise Unsupported("range() of a number on the GPU", "Bring it to the CPU, which waits for it: n.item().")
        params = body.params[1:] if first else body.params
        carried = op.attrs["carried"]
        inputs = list(op.inputs)
        for number, param in enumerate(params[:carried], first):
            inputs[number] = self._there(inputs[number], param, before, op.role)
        targets = (*params[:carried], *op.outputs[carried : carried + len(body.results) - carried])
        targets = targets[: len(body.results) - ("stops" in op.attrs)]
        regions = (*(self._region(region) for region in op.regions[:-1]), self._region(body, targets))
        return [*before, replace(op, inputs=tuple(inputs), regions=regions)]

    def _there(self, atom: Atom, target: Atom | None, before: list[Op], role: str) -> Atom:
        """The atom on the device, where what takes it is there (None: it is)."""
        wanted = target is None or self.residency.on_device(target)
        if not wanted or not isinstance(atom.type, Array) or self.residency.on_device(atom):
            return atom
        if not hasattr(atom, "hint") and not hasattr(atom, "value"):  # what the other branch alone defines
            return atom
        number = Value(replace(atom.type, weak=False, dim=None), None)
        before.append(Op(named("as_array"), (atom,), (number,), role=role))
        self.residency.op(before[-1])
        return number

    def _cast(self, op: Op, before: list[Op]) -> Op:
        """A Python number on the device is a float64 array, which would widen float32: cast it to what comes out."""
        out = op.outputs[0].type if len(op.outputs) == 1 else None
        if (
            not isinstance(out, Array)
            or out.dtype.kind not in "fc"
            or out.dtype.itemsize >= 8 * (2 if out.dtype.kind == "c" else 1)
        ):
            return op
        inputs = list(op.inputs)
        for number, atom in enumerate(inputs[: op.prim.arity(op.attrs)]):
            type = atom.type
            if isinstance(atom, Value) and isinstance(type, Array) and type.weak and self.residency.on_device(atom):
                real = np.dtype(f"f{out.dtype.itemsize // (2 if out.dtype.kind == 'c' else 1)}")
                cast = Value(replace(type, dtype=real, weak=False), None)
                before.append(Op(named("astype"), (atom,), (cast,), {"dtype": real}, role=op.role, origin=op.origin))
                self.residency.op(before[-1])
                inputs[number] = cast
        return replace(op, inputs=tuple(inputs))

    def _own_element(self, op: Op) -> list[Op]:
        """An element is a number of its own in NumPy, and a view in CuPy: copied where somebody could tell."""
        if len(op.outputs) != 1 or op.prim.name in _ALIASES or not may_share(op):
            return [op]
        (out,) = op.outputs
        if not isinstance(out.type, Array) or out.type.ndim or not self.residency.on_device(out):
            return [op]
        if not self.writes and out not in self.escaping:
            return [op]
        if self.residency.any(op.inputs[1:]):  # an index on the device selects, which copies
            return [op]
        view = Value(out.type, None)
        self.residency.marked.add(view)
        copy = Op(named("np.copy"), (view,), (out,), origin=op.origin, style="method", role=op.role)
        return [replace(op, outputs=(view,)), copy]


def _escaping(bodies: Sequence[Region]) -> set[Value]:
    """Values that live on under another name, or beyond their function: results, recordings, what calls take."""
    found: set[Value] = set()

    def add(atoms: Iterable[Atom]) -> None:
        found.update(a for a in atoms if isinstance(a, Value))

    for body in bodies:
        add(body.results)
        for op in walk(body.ops):
            if op.regions or not op.prim.pure or op.prim is CALL or may_share(op) or op.prim.name == "invoke":
                add(op.inputs)
            for region in op.regions:
                add(region.results)
    return found

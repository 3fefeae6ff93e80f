"""Which statement has the wrong derivative: every operation of one call, in order, against finite differences.

The function's IR is run on the arguments. Each operation's rule, forward and reverse, is compared with differences of
the operation itself on the values that it has in this call, so that the first disagreement is the cause and not a
consequence.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import NOWHERE, Origin
from ..frontend import lower
from ..ir.calls import arguments, procedure_of, reachable
from ..ir.custom import CUSTOM, custom_of, expand, without_parts
from ..ir.dims import Facts
from ..ir.evaluate import Machine
from ..ir.nodes import Function, Op, Param, Region, Slot, Value
from ..ir.types import Array
from ..runtime.captures import follow
from ..runtime.signature import describe
from ..transform.activity import active_values
from ..transform.forward import push_forward
from ..transform.reverse import differentiate
from ..within import derivative_within
from .call import leaf_values

_STEPS = {"d": 1e-6, "f": 2e-3}
_TOLERANCES = {"d": 1e-5, "f": 3e-2}


@dataclass(frozen=True)
class Blame:
    """One operation whose derivative disagrees: along a random direction, what its rule gives and what is right."""

    origin: Origin
    operation: str
    mode: str
    found: float
    expected: float


def first_disagreement(
    function: Any, arguments: Mapping[str, Any], wrt: Collection[str], modes: Collection[str]
) -> Blame | None:
    """The first operation of a call whose derivative disagrees with finite differences; None if each agrees by itself.

    modes : of "fwd" and "rev", those to compare
    """
    specs = {name: describe(value) for name, value in arguments.items()}
    lowered = lower(function, specs, arguments, derive=derivative_within)
    captured = {unique: follow(function, route, arguments) for route, (unique, _) in lowered.captures.items()}
    body = expand(lowered.function, lowered.facts, without_parts).body  # what is computed again is the user's lines
    for procedure in reachable(body.ops):
        procedure.body = expand(procedure.function, procedure.facts, without_parts)
    inputs = [p.value for p in lowered.function.params if p.name in wrt and not p.capture and _floating(p.value)]
    machine = _Comparing(lowered.facts, active_values(body, inputs), modes)
    for param, leaf in zip(lowered.function.params, leaf_values(lowered.function, arguments, captured)):
        machine.set(param.value, leaf)
    try:
        machine.region(body, ())
    except _Found as found:
        return found.blame
    return None


class _Found(Exception):
    def __init__(self, blame: Blame):
        self.blame = blame


class _Comparing(Machine):
    """Runs a function and compares the rule of each operation that it comes to, once for each place."""

    def __init__(self, facts: Facts, active: set[Value], modes: Collection[str]):
        super().__init__(facts)
        self.active, self.modes = active, modes
        self.rng = np.random.default_rng(0)
        self.checked: dict[Op, int] = {}

    def op(self, op: Op) -> Sequence[Any]:
        results = super().op(op)
        if (
            (op.prim.fn is not None or op.prim is CUSTOM)
            and op.prim.kind not in ("constant", "impure")
            and self.checked.get(op, 0) < 3
        ):
            outputs = [k for k, v in enumerate(op.outputs) if v in self.active]
            inputs = [a for a in dict.fromkeys(op.inputs) if isinstance(a, Value) and a in self.active]
            if outputs and inputs:
                self.checked[op] = self.checked.get(op, 0) + 1
                self._compare(op, inputs, outputs)
        return results

    def inside(self, op: Op) -> Machine:
        """A procedure's operations are compared as well."""
        procedure = procedure_of(op)
        function = procedure.function
        params = [function.params[k].value for group in arguments(function) for k in group]
        inputs = [param for param, atom in zip(params, op.inputs) if atom in self.active]
        machine = _Comparing(procedure.facts, active_values(function.body, inputs), self.modes)
        machine.rng, machine.checked = self.rng, self.checked
        return machine

    def _compare(self, op: Op, inputs: list[Value], outputs: list[int]) -> None:
        directions = [self._random(value) for value in inputs]
        kind = "f" if any(np.result_type(self.get(value)) == np.float32 for value in inputs) else "d"
        size = max(1.0, *(float(np.max(np.abs(self.get(value)), initial=0.0)) for value in inputs))
        step = _STEPS[kind] * size
        ahead, behind = (self._moved(op, inputs, directions, sign * step) for sign in (1.0, -1.0))
        slopes = [(np.asarray(ahead[k]) - behind[k]) / (2 * step) for k in outputs]
        weights = [self.rng.uniform(0.5, 1.5, np.shape(slope)) for slope in slopes]
        expected = float(np.real(sum(np.sum(w * s) for w, s in zip(weights, slopes))))
        scale = max(1.0, sum(float(np.sum(np.abs(w * s))) for w, s in zip(weights, slopes)))
        for mode in ("fwd", "rev"):
            if mode not in self.modes:
                continue
            found = getattr(self, f"_{mode}")(op, inputs, directions, outputs, weights)
            if found is not None and not abs(found - expected) <= _TOLERANCES[kind] * scale:
                name = custom_of(op).name if op.prim is CUSTOM else op.prim.name
                raise _Found(Blame(op.origin or NOWHERE, name, mode, found, expected))

    def _random(self, value: Value) -> Any:
        """A direction of the value's shape and dtype."""
        at = np.asarray(self.get(value))
        return self.rng.uniform(-1.0, 1.0, at.shape).astype(at.dtype)[()]

    def _moved(self, op: Op, inputs: list[Value], directions: list[Any], step: float) -> Sequence[Any]:
        other = self._copy()
        for value, direction in zip(inputs, directions):
            at = self.get(value)
            other.values[value] = (at + np.asarray(step, np.result_type(at)) * direction)[()]
        return Machine.op(other, op)

    def _copy(self) -> Machine:
        other = Machine(self.facts)
        other.values, other.sizes = dict(self.values), dict(self.sizes)
        return other

    def _fwd(
        self, op: Op, inputs: list[Value], directions: list[Any], outputs: list[int], weights: list[Any]
    ) -> float | None:
        tangents = [Value(value.type) for value in inputs]
        made = push_forward(_alone(op), outputs, inputs, tangents, self.facts)
        if made.faults:
            return None
        results = self._run(made.function, zip(tangents, directions))[len(op.outputs) :]
        return float(np.real(sum(np.sum(w * t) for w, t in zip(weights, results))))

    def _rev(
        self, op: Op, inputs: list[Value], directions: list[Any], outputs: list[int], weights: list[Any]
    ) -> float | None:
        seeds = [Value(op.outputs[k].type) for k in outputs]
        made = differentiate(_alone(op), outputs, inputs, self.facts, seeds)
        if made.faults:
            return None
        given = [np.asarray(w).astype(_dtype(seed))[()] for w, seed in zip(weights, seeds)]
        results = self._run(made.function, zip(seeds, given))[len(op.outputs) :]
        return float(np.real(sum(np.sum(g * v) for g, v in zip(results, directions))))

    def _run(self, function: Function, given: Any) -> list[Any]:
        other = self._copy()
        for value, leaf in given:
            other.set(value, leaf)
        return other.region(function.body, ())


def _alone(op: Op) -> Function:
    """The operation as a function of its own."""
    params = tuple(Param(a, f"x{k}") for k, a in enumerate(dict.fromkeys(op.inputs)) if isinstance(a, Value))
    slots = tuple(map(Slot, range(len(op.outputs))))
    return Function("operation", params, Region((), (op,), op.outputs), slots)


def _dtype(value: Value) -> Any:
    assert isinstance(value.type, Array)
    return value.type.dtype


def _floating(value: Value) -> bool:
    return isinstance(value.type, Array) and value.type.differentiable

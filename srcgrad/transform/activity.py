"""Which values need a cotangent: those that depend on `wrt` and reach a result."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..ir.nodes import Atom, Op, Region, Value
from ..ir.solving import moving
from ..ir.types import Array, Saved, Tape, Type


def active_values(region: Region, wrt: Iterable[Value], constant: Iterable[Value] = ()) -> set[Value]:
    """Values that depend on `wrt` differentiably, other than through those in `constant`; loops to a fixed point."""
    active = set(wrt)
    _forward(region.ops, active, frozenset(constant))
    return active


def _forward(ops: Sequence[Op], active: set[Value], constant: frozenset[Value] = frozenset()) -> None:
    for op in ops:
        if op.outputs and op.outputs[0] in constant:
            continue
        match op.prim.name:
            case "if":
                for region in op.regions:
                    _forward(region.ops, active)
                    _pass(region.results, op.outputs, active)
            case "for" | "while":
                _loop(op, active)
            case "solver" | "field":
                if any(op.inputs[k] in active for k in moving(op)):
                    active.update(v for v in op.outputs if differentiable(v.type))
            case name if name in ("call", "custom") or op.prim.undefined:
                if any(atom in active for atom in op.inputs):
                    active.update(v for v in op.outputs if differentiable(v.type))
            case _:
                _plain(op, active)


def _plain(op: Op, active: set[Value]) -> None:
    if op.prim.kind in ("constant", "impure"):
        return
    for which, atom in enumerate(op.inputs):
        if atom in active and (op.prim.partial(which, op.attrs, len(op.inputs)) is not None):
            active.update(v for v in op.outputs if differentiable(v.type))


def _loop(op: Op, active: set[Value]) -> None:
    body = op.regions[-1]
    first = 3 if op.prim.name == "for" else 0
    params = body.params[1:] if op.prim.name == "for" else body.params
    while True:
        before = len(active)
        _pass(op.inputs[first:], params, active)
        _forward(body.ops, active)
        carried = op.attrs["carried"]
        _pass(body.results[:carried], params[:carried], active)
        _pass(body.results, op.outputs, active)
        _pass(op.inputs[first : first + carried], op.outputs[:carried], active)
        if len(active) == before:
            return


def _pass(sources: Sequence[Atom], targets: Sequence[Value], active: set[Value]) -> None:
    active.update(t for s, t in zip(sources, targets) if s in active and differentiable(t.type))


def differentiable(type: Type) -> bool:
    """Whether a value of this type may have a derivative."""
    if isinstance(type, Tape):
        return differentiable(type.item)
    return isinstance(type, Saved) or (isinstance(type, Array) and type.differentiable)

"""Calls that give more than is needed: results that nobody reads, and what forward halves save."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..ir.calls import CALL, Procedure, procedure_of, reachable
from ..ir.nodes import Function, Op, Region, Slot, Value, atoms_used, walk
from .dead import eliminate_dead


def drop_unread_results(function: Function) -> Function:
    """Procedures compute no result that none of their calls reads; other than halves, and what has these already."""
    found = reachable(function.body.ops)
    halved = {p.plain for p in found}
    for procedure in reversed([p for p in found if p.kind == "plain" and p not in halved]):
        procedures = reachable(function.body.ops)
        bodies = [function.body, *(p.function.body for p in procedures)]
        read = {atom for body in bodies for op in walk(body.ops) for atom in atoms_used(op)}
        read |= {atom for body in bodies for atom in body.results}
        calls = [op for body in bodies for op in walk(body.ops) if op.prim is CALL and procedure_of(op) is procedure]
        kept = [k for k, _ in enumerate(procedure.function.body.results) if any(op.outputs[k] in read for op in calls)]
        if not kept or len(kept) == len(procedure.function.body.results):
            continue

        def with_less(op: Op, procedure: Procedure = procedure, kept: Sequence[int] = kept) -> Op:
            mine = procedure_of(op) is procedure
            return replace(op, outputs=tuple(op.outputs[k] for k in kept)) if mine else op

        function = function.with_body(_region(function.body, with_less))
        for each in procedures:
            each.body = each.function.with_body(_region(each.function.body, with_less))
        inner = procedure.function
        results = tuple(inner.body.results[k] for k in kept)
        template = Slot(0) if len(kept) == 1 else tuple(Slot(k) for k in range(len(kept)))
        procedure.body = eliminate_dead(replace(inner, body=replace(inner.body, results=results), result=template))
    return function


@dataclass
class Settled:
    """What is known of the halves of procedures that have been split.

    light : backward halves that need nothing of the forward ones; instead : forward halves, and what is called instead
    """

    light: set[Procedure] = field(default_factory=set)
    instead: dict[Procedure, Procedure] = field(default_factory=dict)


def settle_calls(function: Function, settled: Settled) -> Function:
    """Nothing is handed to light backward halves; a forward half whose `saved` nobody reads is the plain procedure."""
    function = replace_calls(function, settled.instead)
    function = function.with_body(_region(function.body, lambda op: _unburdened(op, settled.light)))
    function = eliminate_dead(function)
    read = {atom for op in function.body.ops for atom in atoms_used(op)} | set(function.body.results)
    return function.with_body(_region(function.body, lambda op: _plain(op, read)))


def _region(region: Region, change: object) -> Region:
    ops = []
    for op in region.ops:
        if op.regions:
            op = replace(op, regions=tuple(_region(r, change) for r in op.regions))
        ops.append(change(op) if op.prim is CALL else op)  # type: ignore[operator]
    return replace(region, ops=tuple(ops))


def replace_calls(function: Function, instead: Mapping[Procedure, Procedure]) -> Function:
    """The function, calling other procedures instead of some."""

    def settled(op: Op) -> Op:
        procedure = procedure_of(op)
        while procedure in instead:
            procedure = instead[procedure]
        return op if procedure is procedure_of(op) else replace(op, attrs={**op.attrs, "procedure": procedure})

    return function.with_body(_region(function.body, settled)) if instead else function


def _unburdened(op: Op, light: Collection[Procedure]) -> Op:
    procedure = procedure_of(op)
    return replace(op, inputs=op.inputs[1:]) if procedure.kind == "backward" and procedure in light else op


def _plain(op: Op, read: Collection[object]) -> Op:
    procedure = procedure_of(op)
    if procedure.kind != "forward" or op.outputs[-1] in read:
        return op
    return replace(op, outputs=op.outputs[:-1], attrs={**op.attrs, "procedure": procedure.plain})


__all__ = ["Sequence", "Value", "drop_unread_results", "settle_calls"]

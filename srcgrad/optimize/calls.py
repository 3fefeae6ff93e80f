"""Calls of forward halves whose backward half needs less than was thought, or nothing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from ..ir.calls import CALL, Procedure, procedure_of
from ..ir.nodes import Function, Op, Region, Value, atoms_used
from .dead import eliminate_dead


def settle_calls(function: Function, light: Collection[Procedure]) -> Function:
    """Nothing is handed to `light` backward halves, which need nothing; a forward half whose `saved` nobody reads is
    the plain procedure.
    """
    function = function.with_body(_region(function.body, lambda op: _unburdened(op, light)))
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


def _unburdened(op: Op, light: Collection[Procedure]) -> Op:
    procedure = procedure_of(op)
    return replace(op, inputs=op.inputs[1:]) if procedure.kind == "backward" and procedure in light else op


def _plain(op: Op, read: Collection[object]) -> Op:
    procedure = procedure_of(op)
    if procedure.kind != "forward" or op.outputs[-1] in read:
        return op
    return replace(op, outputs=op.outputs[:-1], attrs={**op.attrs, "procedure": procedure.plain})


__all__ = ["Sequence", "Value", "settle_calls"]

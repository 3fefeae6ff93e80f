"""What is computed again on purpose is told apart from what was computed before, until nothing looks for the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..ir.dims import Facts
from ..ir.nodes import Atom, Function, Op, Region, Value, renamed


def join_again(function: Function, facts: Facts) -> Function:
    """Values that went under two names have one; assumes that no stage after this one merges equal ops."""
    return function.with_body(_joined(function.body, {}))


def _joined(region: Region, outer: Mapping[Value, Atom]) -> Region:
    known, ops = dict(outer), list[Op]()
    for op in region.ops:
        inputs = tuple(renamed(atom, known) for atom in op.inputs)
        if op.prim.name == "again":
            known[op.output] = inputs[0]
        else:
            ops.append(replace(op, inputs=inputs, regions=tuple(_joined(r, known) for r in op.regions)))
    return replace(region, ops=tuple(ops), results=tuple(renamed(atom, known) for atom in region.results))

"""Branches on one condition, one after the other, become one branch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..ir.dims import Facts
from ..ir.nodes import Function, Op, Region, free_values, renamed, substitute
from .dead import has_effect


def fuse_branches(function: Function, facts: Facts) -> Function:
    """The forward and the backward half of an `if` meet where nothing in between needs the former's results."""
    return function.with_body(_region(function.body))


def _region(region: Region) -> Region:
    ops = [replace(op, regions=tuple(_region(r) for r in op.regions)) if op.regions else op for op in region.ops]
    position = 0
    while position < len(ops):
        earlier = _partner(ops, position)
        if earlier is None:
            position += 1
            continue
        first, second = ops[earlier], ops[position]
        ops[position] = _fused(first, second)
        del ops[earlier]
    return replace(region, ops=tuple(ops))


def _partner(ops: Sequence[Op], position: int) -> int | None:
    """The earlier branch on the same condition that can wait until here."""
    op = ops[position]
    if op.prim.name != "if" or has_effect(op) or "jumps" in op.attrs:
        return None
    for earlier in range(position - 1, -1, -1):
        first = ops[earlier]
        if first.prim.name == "if" and first.inputs[0] is op.inputs[0]:
            waits = not (has_effect(first) or "jumps" in first.attrs) and not any(
                value in free_values(between) for between in ops[earlier + 1 : position] for value in first.outputs
            )
            return earlier if waits else None
    return None


def _fused(first: Op, second: Op) -> Op:
    regions = []
    for one, two in zip(first.regions, second.regions):
        known = dict(zip(first.outputs, one.results))
        ops = tuple(substitute(op, known) for op in two.ops)
        results = (*one.results, *(renamed(a, known) for a in two.results))
        regions.append(Region((), (*one.ops, *ops), results))
    origin = first if first.style != "expression" else second
    return replace(
        second,
        outputs=(*first.outputs, *second.outputs),
        regions=tuple(regions),
        origin=origin.origin,
        style="function",
    )

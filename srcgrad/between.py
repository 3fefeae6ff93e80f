"""What becomes of a derivative that is differentiated again: simplified, with procedures like any others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .ir.calls import Procedure, called
from .ir.custom import expand, put_in_place, settled_parts
from .ir.dims import Facts
from .ir.nodes import Function, Op, Region
from .optimize.calls import Settled, settle_calls
from .optimize.dead import eliminate_dead
from .optimize.simplify import simplify
from .transform.calls import Pair, in_order
from .transform.split import split_pair


def settled(function: Function) -> Function:
    """The derivative made so far counts as part of the function, as the user's own lines do."""
    return function.with_body(_settled(function.body))


def _settled(region: Region) -> Region:
    def each(op: Op) -> Op:
        role = op.role if op.role == "primal" else "derivative"
        return replace(op, role=role, regions=tuple(map(_settled, op.regions)))

    return replace(region, ops=tuple(map(each, region.ops)))


def simplified(function: Function, facts: Facts) -> Function:
    """A derivative without what does not survive simplification."""
    function = put_in_place(expand(function, facts, settled_parts), facts)
    return eliminate_dead(simplify(eliminate_dead(function), facts))


def between(function: Function, pairs: Sequence[Pair], pushed: Sequence[Procedure], facts: Facts) -> Function:
    """The derivative simplified; the functions beside it have their bodies and are procedures like any other."""
    known = Settled()
    for pair in in_order(pairs):
        assert pair.joint is not None
        pair.joint = simplified(settle_calls(pair.joint, known), pair.forward.facts)
        split_pair(pair, pair.forward.facts)
        for half in (pair.forward, pair.backward):
            half.body = settled(half.function)
        if not pair.saves and pair.backward not in set(called(pair.joint.body.ops)):
            known.light.add(pair.backward)
    for procedure in pushed:
        procedure.body = settled(simplified(procedure.function, procedure.facts))
    return simplified(settle_calls(function, known), facts)

"""Divisions by lengths: Python raises where NumPy, which the function itself divides with, does not."""

from __future__ import annotations

from dataclasses import replace

from ..ir.dims import Facts, as_dim
from ..ir.nodes import Function, Op, Region, Value, walk
from ..ir.primitive import named
from ..ir.types import Array

_LENGTHS = ("shape_of", "dim")


def divide_by_lengths(function: Function, facts: Facts, states_guards: bool) -> Function:
    """`2.0 / x.size`, as a gradient has it, fails for an empty array: np.divide, or the assumption that none is empty.

    Assumes that no stage after this one makes a division. With `states_guards`, what is added to the facts is checked
    in every call; where that is not so, or the length is known only inside, NumPy divides.
    """
    ops = list(walk(function.body.ops))
    lengths = {op.output for op in ops if op.prim.name in _LENGTHS}
    types = [value.type for op in ops for value in op.outputs] + [p.value.type for p in function.params]
    single = any(isinstance(t, Array) and t.dtype.kind in "fc" and t.dtype.itemsize < 8 for t in types)

    def settled(op: Op) -> list[Op]:
        regions = tuple(_over(region) for region in op.regions)
        op = replace(op, regions=regions) if regions else op
        if not _may_raise(op, lengths) or _is_positive(op.inputs[1], facts, states_guards):
            return [op]
        if not single:
            return [replace(op, style="function")]
        assert isinstance(op.output.type, Array)
        quotient = Value(replace(op.output.type, weak=False))
        divided = replace(op, style="function", outputs=(quotient,))
        return [divided, replace(op, prim=named("float"), inputs=(quotient,), attrs={}, style="function")]

    def _over(region: Region) -> Region:
        return replace(region, ops=tuple(each for op in region.ops for each in settled(op)))

    return function.with_body(_over(function.body))


def _may_raise(op: Op, lengths: set[Value]) -> bool:
    """A Python number divided by a length, in a derivative; a loop's index may be the length of a slice."""
    if op.prim.name != "np.divide" or op.role == "primal" or not isinstance(op.inputs[1], Value):
        return False
    dim = getattr(op.inputs[1].type, "dim", None)
    if op.inputs[1] not in lengths and (dim is None or dim.entry):
        return False
    above = op.inputs[0].type
    return isinstance(above, Array) and above.weak and not above.ndim and above.dtype.kind != "c"


def _is_positive(length: object, facts: Facts, states_guards: bool) -> bool:
    assert isinstance(length, Value)
    assert isinstance(length.type, Array)
    dim = length.type.dim
    if dim is None:
        return False
    dim = facts.canon(dim)
    if dim.constant is not None:
        return bool(dim.constant > 0)
    if not states_guards:
        return (">=", dim, as_dim(1)) in facts.guards
    if facts.require(">=", dim, as_dim(1)):
        return True
    facts.require(">=", as_dim(0), dim)  # what is written for empty arrays serves them alone
    return False

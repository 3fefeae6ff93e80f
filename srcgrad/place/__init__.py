"""The stage that puts a function's arrays on the GPU: `place`, the last before a text that speaks CuPy is emitted."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from ..ir.calls import Procedure
from ..ir.dims import Facts
from ..ir.nodes import Function, Value, walk
from ..ir.types import Array, Tape, Type
from .moving import Mover
from .residency import Residency


def place(
    functions: Sequence[Function], procedures: Sequence[Procedure], zero_d: Collection[Value], facts: Facts
) -> tuple[Function, ...]:
    """The same functions for arrays on a GPU: every value has its namespace, and CuPy has every function called.

    Assumes verified IR of one compilation, whose halves and `procedures` share their values; `zero_d` are parameters
    that are arrays without axes. Arrays with axes are on the device, and numbers that come from them (of the type
    "cupy": 0-d arrays); what is computed from Python's numbers alone stays with Python. Guarantees that a variable is
    on the same side on all paths, that a 0-d array is nobody's view where that would show, that nothing waits for the
    device but what asks for a Python number (`.item()`, a condition), and that what CuPy lacks is written as what it
    has, or refused at its line.
    """
    bodies = [function.body for function in functions] + [p.function.body for p in procedures]
    residency = Residency(functions, procedures, zero_d)
    mover = Mover(residency, bodies)
    for procedure in procedures:
        procedure.body = mover.function(procedure.function, procedure.facts)
    placed = tuple(mover.function(function, facts) for function in functions)
    for function in (*placed, *(p.function for p in procedures)):
        _settle(function, residency)
    return placed


def _settle(function: Function, residency: Residency) -> None:
    """Types say where their values are. Halves and procedures share values, so that this is done in place."""
    regions = [function.body, *(region for op in walk(function.body.ops) for region in op.regions)]
    values = [p.value for p in function.params]
    values += [value for region in regions for value in region.params]
    values += [value for op in walk(function.body.ops) for value in op.outputs]
    for value in values:
        if residency.on_device(value):
            value.type = _on_device(value.type)


def _on_device(type: Type) -> Type:
    if isinstance(type, Tape):
        return Tape(_on_device(type.item))
    return replace(type, namespace="cupy", weak=False) if isinstance(type, Array) else type


__all__ = ["place"]

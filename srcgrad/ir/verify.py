"""The contract between the stages, checked: run between all of them in tests and under SRCGRAD_CHECK=1."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import InternalError
from .calls import CALL, arguments, outputs, procedure_of
from .dims import Facts
from .nodes import Atom, Const, Function, Op, Region, Undefined, Value, counts_passes, records_of
from .types import Array, Saved, Tape, Type


def verify(function: Function, facts: Facts, stage: str) -> None:
    """Every value is defined once, before its uses and inside their scope; control flow agrees in number and type."""
    defined: set[Value] = set()
    for param in function.params:
        _define(param.value, defined, stage)
    _region(function.body, defined, facts, stage)


def compatible(a: Type, b: Type, facts: Facts) -> bool:
    """Equal dtype and axes, but for lengths that differ between the paths that meet.

    Python and NumPy numbers may stand for each other where only the value counts.
    """
    if isinstance(a, Array) and isinstance(b, Array):
        axes = len(a.axes) == len(b.axes) and all(
            facts.same(x, y) or facts.meets(x) or facts.meets(y) for x, y in zip(a.axes, b.axes)
        )
        return a.dtype == b.dtype and axes
    if isinstance(a, Tape) and isinstance(b, Tape):
        return compatible(a.item, b.item, facts)
    return type(a) is type(b)


def _define(value: Value, defined: set[Value], stage: str) -> None:
    if value in defined:
        raise InternalError(f"after {stage}: {value!r} is defined twice")
    defined.add(value)


def _use(atom: Atom, defined: set[Value], stage: str, where: object) -> None:
    if isinstance(atom, (Const, Undefined)) or atom in defined:
        return
    raise InternalError(f"after {stage}: {atom!r} is used by {where} outside its scope, or before its definition")


def _region(region: Region, outer: set[Value], facts: Facts, stage: str) -> None:
    defined = set(outer)
    for param in region.params:
        _define(param, defined, stage)
    for op in region.ops:
        _op(op, defined, facts, stage)
    for atom in region.results:
        _use(atom, defined, stage, "the region's results")


def _op(op: Op, defined: set[Value], facts: Facts, stage: str) -> None:
    for atom in op.inputs:
        _use(atom, defined, stage, op.prim.name)
    for region in op.regions:
        _region(region, defined, facts, stage)
    for value in op.outputs:
        _define(value, defined, stage)
    for left, right in _pairs(op, stage):
        if not isinstance(left, Undefined) and not compatible(left.type, right.type, facts):
            raise InternalError(f"after {stage}: {op.prim.name} passes {left!r} where {right!r} is expected")


def _pairs(op: Op, stage: str) -> list[tuple[Atom, Atom]]:
    """Atoms that control flow passes on to each other: their types must agree."""
    pairs: list[tuple[Atom, Atom]] = []
    if op.prim.name == "if":
        for region in op.regions:
            pairs += _zip(region.results, op.outputs, op, stage)
    elif op.prim.name == "for":
        (body,) = op.regions
        carried = op.attrs["carried"]
        pairs += _zip(op.inputs[3 : 3 + carried], body.params[1 : 1 + carried], op, stage)
        pairs += _zip(body.results[:carried], op.outputs[:carried], op, stage)
        if op.attrs.get("driven") and len(op.inputs) == 3 + carried:
            raise InternalError(f"after {stage}: a loop over recordings has none")
        tapes = [(a, p) for a, p in _zip(op.inputs[3 + carried :], body.params[1 + carried :], op, stage)]
        tapes_made = op.outputs[carried : len(op.outputs) - counts_passes(op)]
        records = _zip(tapes_made, records_of(op), op, stage)
        pairs += [(Value(t.type.item), p) for t, p in [*tapes, *records] if isinstance(t.type, Tape)]
    elif op.prim.name == "while":
        test, body = op.regions
        carried = op.attrs["carried"]
        pairs += _zip(op.inputs, test.params, op, stage) + _zip(op.inputs, body.params, op, stage)
        pairs += _zip(body.results[:carried], op.outputs[:carried], op, stage)
    elif op.prim is CALL:
        _check_call(op, stage)
    return pairs


def _check_call(op: Op, stage: str) -> None:
    """A procedure has lengths of its own, so that dtypes and numbers of axes are compared."""
    procedure = procedure_of(op)
    if procedure.body is None:
        return
    params: list[Atom] = [p.value for p in procedure.body.params]
    groups = [*_grouped(op.inputs, arguments(procedure.body), op, stage)]
    pairs = [(atom, params[group[0]]) for atom, group in groups if len(group) == 1]
    groups = [*_grouped(op.outputs, outputs(procedure.body), op, stage)]
    pairs += [(atom, procedure.body.body.results[group[0]]) for atom, group in groups if len(group) == 1]
    for left, right in pairs:
        if not _alike(left.type, right.type):
            raise InternalError(f"after {stage}: a call of {procedure_of(op)} passes {left!r} for {right!r}")


def _grouped(atoms: Sequence[Atom], groups: Sequence[list[int]], op: Op, stage: str) -> list[tuple[Atom, list[int]]]:
    """What is saved is one value outside, and any number of them inside."""
    if len(atoms) != len(groups):
        raise InternalError(
            f"after {stage}: a call of {procedure_of(op)} has {len(atoms)} values where {len(groups)} are expected"
        )
    return list(zip(atoms, groups))


def _alike(a: Type, b: Type) -> bool:
    if isinstance(a, Array) and isinstance(b, Array):
        return a.dtype == b.dtype and a.ndim == b.ndim
    return isinstance(a, Saved) or isinstance(b, Saved) or type(a) is type(b)


def _zip(left: Sequence[Atom], right: Sequence[Atom], op: Op, stage: str) -> list[tuple[Atom, Atom]]:
    if len(left) != len(right):
        raise InternalError(f"after {stage}: {op.prim.name} passes {len(left)} values where {len(right)} are expected")
    return list(zip(left, right))

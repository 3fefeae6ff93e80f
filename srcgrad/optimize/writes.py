"""Writes of the backward sweep, as a person makes them: once, and without a copy that nothing needs."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from ..ir.dims import Facts
from ..ir.indexing import is_basic
from ..ir.nodes import Atom, Const, Function, Op, Region, Value, renamed, substitute


def merge_writes(function: Function, facts: Facts) -> Function:
    """`d[i] = 0` and then `d[i] += v` is `d[i] = v`; a part of `d` read before `d[i]` is written alone is no copy."""
    uses: Counter[Atom] = Counter()
    _count(function.body, uses)
    return function.with_body(_region(function.body, uses))


def _count(region: Region, uses: Counter[Atom]) -> None:
    for op in region.ops:
        uses.update(op.inputs)
        for inner in op.regions:
            _count(inner, uses)
    uses.update(region.results)


def _region(region: Region, uses: Counter[Atom]) -> Region:
    ops: list[Op] = []
    made: dict[Atom, Op] = {}
    for op in region.ops:
        op = replace(op, regions=tuple(_region(inner, uses) for inner in op.regions)) if op.regions else op
        before = _cleared_before(op, made, uses)
        if before is not None:
            ops = [each for each in ops if each is not before]
            op = replace(op, prim=before.prim, inputs=(before.inputs[0], *op.inputs[1:]), attrs=before.attrs)
        ops.append(op)
        made.update((value, op) for value in op.outputs)
    return _without_copies(replace(region, ops=tuple(ops)), uses)


def _cleared_before(op: Op, made: dict[Atom, Op], uses: Counter[Atom]) -> Op | None:
    """The `d[i] = 0` that this `d[i] += v` follows at once, if nothing else reads what it gives."""
    if op.prim.name != "index_add" or op.role != "adjoint" or not _is_basic(op):
        return None
    before = made.get(op.inputs[0])
    if before is None or before.prim.name != "index_set" or before.role != "adjoint":
        return None
    value = before.inputs[1]
    cleared = isinstance(value, Const) and value.value == 0 and uses[before.outputs[0]] == 1
    return before if cleared and _same_part(before, op) else None


def _same_part(a: Op, b: Op) -> bool:
    return a.attrs["index"] == b.attrs["index"] and all(
        x is y or (isinstance(x, Const) and isinstance(y, Const) and x.value == y.value)
        for x, y in zip(a.inputs[2:], b.inputs[2:], strict=True)
    )  # fmt: skip


def _is_basic(op: Op) -> bool:
    return is_basic(op.attrs["index"], [a.type for a in op.inputs[2:]])


def _without_copies(region: Region, uses: Counter[Atom]) -> Region:
    """Copies of a part that is read for the last time in what is written over it are left out."""
    position = {id(op): n for n, op in enumerate(region.ops)}
    made: dict[Atom, Op] = {value: op for op in region.ops for value in op.outputs}
    known: dict[Value, Atom] = {}
    for op in region.ops:
        part = made.get(op.inputs[0]) if op.prim.name == "np.copy" and op.role == "adjoint" else None
        if part is None or part.prim.name != "getitem" or part.role != "adjoint" or not _is_part(part):
            continue
        writes = [w for w in region.ops if w.prim.name in ("index_set", "index_add") and w.inputs[0] is part.inputs[0]]
        first = len(writes) == 1 and uses[part.outputs[0]] == 1 and position[id(writes[0])] > position[id(op)]
        if first and op.outputs[0] in _read_only_for(writes[0], region, uses):
            known[op.outputs[0]] = part.outputs[0]
    if not known:
        return region
    ops = tuple(substitute(op, known) for op in region.ops if not (op.outputs and op.outputs[0] in known))
    return replace(region, ops=ops, results=tuple(renamed(a, known) for a in region.results))


def _is_part(part: Op) -> bool:
    return is_basic(part.attrs["index"], [a.type for a in part.inputs[1:]])


def _read_only_for(write: Op, region: Region, uses: Counter[Atom]) -> set[Atom]:
    """Values that go into the write and nowhere else, through ops that are themselves read there alone."""
    reads: Counter[Atom] = Counter(write.inputs)
    for op in reversed(region.ops):  # readers come after what they read
        plain = len(op.outputs) == 1 and not op.regions and op.prim.name not in ("index_set", "index_add")
        if plain and uses[op.outputs[0]] == reads[op.outputs[0]] > 0:
            reads.update(op.inputs)
    return {value for value, count in reads.items() if count == uses[value]}

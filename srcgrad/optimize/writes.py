"""Writes of the backward sweep, as a person makes them: once, and without a copy that nothing needs."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from ..ir.builder import Builder
from ..ir.dims import Facts
from ..ir.indexing import is_basic
from ..ir.nodes import Atom, Const, Function, Op, Region, Value, renamed, substitute
from ..ir.primitive import named


def merge_writes(function: Function, facts: Facts) -> Function:
    """`d[i] = a; d[i] += b` is `d[i] = a + b`; a part of `d` read before `d[i]` is written alone is no copy."""
    uses: Counter[Atom] = Counter()
    _count(function.body, uses)
    return function.with_body(_region(function.body, uses, facts))


def _count(region: Region, uses: Counter[Atom]) -> None:
    for op in region.ops:
        uses.update(op.inputs)
        for inner in op.regions:
            _count(inner, uses)
    uses.update(region.results)


def _region(region: Region, uses: Counter[Atom], facts: Facts) -> Region:
    ops: list[Op] = []
    made: dict[Atom, Op] = {}
    for op in region.ops:
        op = replace(op, regions=tuple(_region(r, uses, facts) for r in op.regions)) if op.regions else op
        before = _written_before(op, made, uses)
        if before is not None:
            ops = [each for each in ops if each is not before]
            total = _total(before.inputs[1], op.inputs[1], op, facts)
            ops += total
            written = total[0].output if total else op.inputs[1]
            uses[written] = 1
            op = replace(op, prim=before.prim, inputs=(before.inputs[0], written, *op.inputs[2:]), attrs=before.attrs)
        ops.append(op)
        made.update((value, op) for value in op.outputs)
    return _without_copies(replace(region, ops=tuple(ops)), uses)


def _written_before(op: Op, made: dict[Atom, Op], uses: Counter[Atom]) -> Op | None:
    """The `d[i] = a` that this `d[i] += b` follows at once, if nothing else reads what it gives."""
    if op.prim.name != "index_add" or op.role != "adjoint" or not _is_basic(op):
        return None
    before = made.get(op.inputs[0])
    if before is None or before.prim.name != "index_set" or before.role != "adjoint":
        return None
    alone = uses[before.outputs[0]] == 1 and _same_part(before, op)
    value = before.inputs[1]
    short = isinstance(value, Value) and value.type == op.inputs[1].type and uses[value] == 1
    fits = _is_zero(value) or (short and not any(_takes_away(made.get(a)) for a in (value, op.inputs[1])))
    return before if alone and fits else None


def _takes_away(op: Op | None) -> bool:
    """Whether this is spelled `d[i] -= v`."""
    factors = op.inputs if op is not None and op.prim.name == "np.multiply" else ()
    negative = any(isinstance(a, Const) and not isinstance(a.value, complex) and a.value < 0 for a in factors)
    return negative or (op is not None and op.prim.name == "np.negative")


def _is_zero(value: Atom) -> bool:
    return isinstance(value, Const) and bool(value.value == 0)


def _total(a: Atom, b: Atom, op: Op, facts: Facts) -> list[Op]:
    """The op that adds what is written to a place; none where one of the two is zero."""
    if _is_zero(a):
        return []
    builder = Builder(facts)
    with builder.at(op.origin):
        builder.append(named("np.add"), [a, b], [b.type], style="operator")
    return [replace(each, role=op.role) for each in builder.ops]


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

"""Lengths are read off an array's newest version, so that an older one may be written over.

`y[i] = v` makes a new version of `y` of the same shape. What asks the old version for nothing but its length would
keep it alive, and the write would need a copy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..ir.nodes import Atom, Function, Op, Region, Value, renamed, walk
from ..ir.types import Array


def overtaken(op: Op) -> tuple[Value, Value] | None:
    """An array and its newer version, where the op writes into it."""
    writes = op.prim.name in ("index_set", "index_add") or (op.style == "augmented" and len(op.inputs) == 2)
    base = op.inputs[0] if writes else None
    if not isinstance(base, Value) or not isinstance(base.type, Array) or base.type != op.outputs[0].type:
        return None
    return (base, op.outputs[0]) if base.type.ndim else None


def carried(op: Op) -> list[tuple[Value, Value]]:
    """Arrays that a loop starts from, and the parameters of its body that they become."""
    if op.prim.name not in ("for", "while"):
        return []
    body, first = op.regions[-1], 3 if op.prim.name == "for" else 0
    pairs = zip(op.inputs[first : first + op.attrs["carried"]], body.params[1:] if first else body.params)
    return [(start, param) for start, param in pairs if _same_array(start, param)]  # type: ignore[misc]


def _same_array(start: Atom, param: Value) -> bool:
    array = isinstance(start, Value) and isinstance(start.type, Array) and start.type.ndim > 0
    return array and start.type == param.type


def read_newest(function: Function) -> Function:
    """Assumes and guarantees verified IR; the same lengths, of newer arrays."""
    return function.with_body(_Newest({p.value for p in function.params}).region(function.body, {}))


class _Newest:
    def __init__(self, params: set[Value]):
        self.params = params
        self.lengths: dict[Value, Op] = {}  # lengths without a name, which are spelled where they are used

    def region(self, region: Region, newer: dict[Value, Value]) -> Region:
        """`newer` maps arrays to their next version, and is extended by those that the region makes."""
        ops: list[Op] = []
        for op in region.ops:
            if op.prim.name == "shape_of" and op.outputs[0].hint is None:
                self.lengths[op.outputs[0]] = op
            ops += self._op(op, newer)
        return replace(region, ops=tuple(ops))

    def _op(self, op: Op, newer: dict[Value, Value]) -> list[Op]:
        before: list[Op] = []
        inputs = tuple(self._length(atom, newer, before) for atom in op.inputs)
        op = replace(op, inputs=inputs) if before else op
        if op.prim.name in ("for", "while"):
            op = self._loop(op, newer)
        elif op.regions:
            op = self._branch(op, newer)
        pair = overtaken(op)
        if pair is not None and pair[0] not in self.params:
            newer[pair[0]] = pair[1]
        return [*before, op]

    def _length(self, atom: Atom, newer: dict[Value, Value], before: list[Op]) -> Atom:
        """A length, read anew where its array has a newer version."""
        made = self.lengths.get(atom) if isinstance(atom, Value) else None
        if made is None or not isinstance(made.inputs[0], Value):
            return atom
        array = _newest(made.inputs[0], newer)
        if array is made.inputs[0]:
            return atom
        again = replace(made, inputs=(array,), outputs=(Value(made.outputs[0].type),))
        self.lengths[again.outputs[0]] = again
        before.append(again)
        return again.outputs[0]

    def _loop(self, op: Op, newer: dict[Value, Value]) -> Op:
        *tests, body = op.regions
        starts = [(start, param) for start, param in carried(op) if start not in self.params]
        inside = {**newer, **dict(starts)}
        made = self.region(body, inside)
        tests = [self.region(test, dict(newer)) for test in tests]
        place = {param: k for k, param in enumerate(body.params[1:] if op.prim.name == "for" else body.params)}
        for start, param in starts:
            last = _newest(param, inside)
            if last is not param and last is body.results[place[param]]:
                newer[start] = op.outputs[place[param]]
        return replace(op, regions=(*tests, made))

    def _branch(self, op: Op, newer: dict[Value, Value]) -> Op:
        """An array that either half writes into is newer behind the branch."""
        known = [dict(newer) for _ in op.regions]
        made = tuple(self.region(each, inside) for each, inside in zip(op.regions, known))
        for output, *ends in zip(op.outputs, *(region.results for region in made)):
            for array in dict.fromkeys([*ends, *(known[0].keys() - newer.keys())]):
                if not isinstance(array, Value) or array in self.params or array.type != output.type:
                    continue
                if ends[0] is not ends[1] and all(_newest(array, k) is end for k, end in zip(known, ends)):
                    newer[array] = output
                    break
        return replace(op, regions=made)


def _newest(value: Value, newer: dict[Value, Value]) -> Value:
    while value in newer:
        value = newer[value]
    return value


def without_same(function: Function) -> Function:
    """Drop the ops that only tell what lengths a value has on one path."""
    known: dict[Value, Atom] = {}
    for op in walk(function.body.ops):
        if op.prim.name == "same":
            known[op.outputs[0]] = renamed(op.inputs[0], known)
    return function.with_body(_renamed(function.body, known)) if known else function


def _renamed(region: Region, known: Mapping[Value, Atom]) -> Region:
    ops = tuple(
        replace(
            op,
            inputs=tuple(renamed(a, known) for a in op.inputs),
            regions=tuple(_renamed(each, known) for each in op.regions),
        )
        for op in region.ops
        if op.prim.name != "same"
    )
    return replace(region, ops=ops, results=tuple(renamed(a, known) for a in region.results))

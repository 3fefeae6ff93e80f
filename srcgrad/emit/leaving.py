"""Loops that are left before their end: where `break` can stand for the flag that says so."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from ..ir.nodes import Atom, Const, Function, Op, Region, Value, walk


def stop_flags(op: Op) -> frozenset[Value]:
    """The values that say that a loop stops; none where `break` cannot take their place.

    It can where whatever follows a branch that may stop is another such branch, so that nothing is left to do, and
    where nobody else reads the flags.
    """
    body = op.regions[-1]
    stop = body.results[-1]
    made = {v: o for o in walk(body.ops) for v in o.outputs}
    found: set[Value] = set()
    left = [stop]
    while left:
        flag = left.pop()
        if not isinstance(flag, Value) or flag in found:
            continue
        if flag not in made or made[flag].prim.name != "if":
            return frozenset()
        found.add(flag)
        number = made[flag].outputs.index(flag)
        left += [region.results[number] for region in made[flag].regions]
    regions = list(_regions(body, found))
    ordered = all(_in_order(region, found) for region in regions)
    private = all(_is_private(region, found) for region in regions) and not found & {*body.results[:-1]}
    return frozenset(found) if ordered and private else frozenset()


def _regions(region: Region, flags: set[Value]) -> Iterator[Region]:
    """The region, and those of its branches that may stop."""
    yield region
    for op in region.ops:
        if flags & set(op.outputs):
            for inner in op.regions:
                yield from _regions(inner, flags)


def _in_order(region: Region, flags: set[Value]) -> bool:
    """Whether from the first branch that may stop on, every op is such a branch."""
    stops = [bool(flags & set(op.outputs)) for op in region.ops]
    return stops == sorted(stops)


def _is_private(region: Region, flags: set[Value]) -> bool:
    """Whether flags are read as flags alone: by branches that may stop themselves, and to be handed on as flags."""
    for op in region.ops:
        stops = bool(flags & set(op.outputs))
        if not stops and any(atom in flags for inner in walk([op]) for atom in _read(inner)):
            return False
        for each in op.regions if stops else ():
            if any(end in flags and out not in flags for end, out in zip(each.results, op.outputs)):
                return False
    return True


def _read(op: Op) -> list[object]:
    return [*op.inputs, *(atom for region in op.regions for atom in region.results)]


def is_literally_true(atom: object) -> bool:
    return isinstance(atom, Const) and atom.value is True


def tested_values(function: Function, names: Mapping[Value, str]) -> set[Value]:
    """Values that the text compares with None or copies to another name, and the versions of their variables.

    They are None where nothing is assigned.
    """
    tested = {a for op in walk(function.body.ops) for a in _tests(op)}
    for op in walk(function.body.ops):
        for target, sources in _handed(op):
            if op.role == "primal" and (op.prim.name == "if" or target not in op.outputs):
                known = [a for a in sources if isinstance(a, Value) and a in names and target in names]
                tested.update(a for a in known if names[a] != names[target])
    before = -1
    while len(tested) != before:
        before = len(tested)
        for op in walk(function.body.ops):
            for output, sources in _handed(op):
                if output in tested:
                    tested.update(a for a in sources if isinstance(a, Value))
    return tested


def _tests(op: Op) -> list[Value]:
    unbound = op.prim.name == "effect" and isinstance(op.attrs["template"], ast.If)
    return [a for a in op.inputs if isinstance(a, Value)] if unbound else []


def _handed(op: Op) -> Iterator[tuple[Value, list[Atom]]]:
    """What control flow hands out, and where it may stem from."""
    if op.prim.name == "if":
        for number, output in enumerate(op.outputs):
            yield output, [region.results[number] for region in op.regions]
    elif op.prim.name in ("for", "while"):
        body, first = op.regions[-1], 3 if op.prim.name == "for" else 0
        params = body.params[1:] if first else body.params
        for k in range(op.attrs["carried"]):
            sources = [op.inputs[first + k], body.results[k], params[k]]
            yield op.outputs[k], sources
            yield params[k], sources
            if not first:
                yield op.regions[0].params[k], sources

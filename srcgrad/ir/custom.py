"""Calls whose derivative is given, and not derived from what they compute.

    custom (*inputs)    outputs: the results        attrs: custom, part

`Custom` holds closed regions: they read their parameters alone. Until a derivative has decided what becomes of the
call, it is one op; `expand` then puts the region of its part in its place. Part "forward" gives the results and what
"backward" needs beside them; "jvp" the results and their tangents.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..errors import Unsupported
from .builder import _inner_symbols, revealed
from .calls import CALL, Procedure, called, procedure_of
from .dims import Facts
from .nodes import Atom, Function, Op, Region, Value, renamed
from .primitive import Primitive, register
from .types import Type


def _no_infer(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    raise AssertionError("a custom call is appended with its types")


CUSTOM = register(Primitive(name="custom", fn=None, infer=_no_infer, kind="control"))


@dataclass(eq=False)
class Custom:
    """A call with its own derivative.

    kind     : "rule", "checkpoint" (computed again in the backward sweep) or "hook"
    plain    : parameters -> results
    forward  : the same parameters -> (*results, *saved); None where the plain call does
    backward : part of (*parameters, *results, *saved, *cotangents of results) -> cotangents; `reads` numbers that part
    given    : for a parameter's number, that of its cotangent
    jvp      : (*parameters, *tangents of those in `moving`) -> (*results, *tangents of results); if it stands `beside`
               the call, (*parameters, *results, *tangents) -> tangents of results
    refused  : what a mode without formula says: message and way out, under "reverse" or "forward"
    missing  : what a parameter without cotangent says where one is needed
    slots    : of a checkpoint that is a loop, how many of its states the backward sweep keeps, by the binomial schedule
    """

    name: str
    kind: str
    plain: Region
    forward: Region | None = None
    backward: Region | None = None
    reads: tuple[int, ...] = ()
    given: Mapping[int, int] = field(default_factory=dict)
    jvp: Region | None = None
    moving: tuple[int, ...] = ()
    beside: bool = False
    refused: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    missing: Mapping[int, str] = field(default_factory=dict)
    slots: int | None = None

    def __repr__(self) -> str:
        return self.name


def custom_of(op: Op) -> Custom:
    custom: Custom = op.attrs["custom"]
    return custom


def clone(region: Region, inputs: Sequence[Atom], facts: Facts, role: str) -> tuple[list[Op], list[Atom]]:
    """The region's ops with new outputs, reading `inputs`, and its results."""
    known: dict[Value, Atom] = dict(zip(region.params, inputs))
    ops = [_cloned(op, known, facts, role) for op in region.ops]
    return ops, [renamed(atom, known) for atom in region.results]


def _cloned(op: Op, known: dict[Value, Atom], facts: Facts, role: str) -> Op:
    inputs = tuple(renamed(atom, known) for atom in op.inputs)
    if role != "primal":
        inputs = (*inputs, *_lengths(op, inputs, known, facts))
    regions = tuple(_cloned_region(region, known, facts, role) for region in op.regions)
    outputs = tuple(Value(v.type, v.hint) for v in op.outputs)
    known.update(zip(op.outputs, outputs))
    return replace(op, inputs=inputs, outputs=outputs, regions=regions, role=role)


def _cloned_region(region: Region, known: dict[Value, Atom], facts: Facts, role: str) -> Region:
    params = tuple(Value(p.type, p.hint) for p in region.params)
    known.update(zip(region.params, params))
    ops = tuple(_cloned(op, known, facts, role) for op in region.ops)
    return Region(params, ops, tuple(renamed(atom, known) for atom in region.results))


def _lengths(op: Op, inputs: Sequence[Atom], known: Mapping[Value, Atom], facts: Facts) -> list[Atom]:
    """A value for each length inside that the op spells: in the backward sweep these must be kept."""
    needed = {symbol for attr in op.attrs.values() for symbol in _inner_symbols(attr, facts)}
    for atom in inputs:
        needed -= revealed(atom, facts)
    found = []
    for symbol in sorted(needed):
        source = next((atom for atom in known.values() if symbol in revealed(atom, facts)), None)
        if source is None:
            raise Unsupported(f"the length {symbol} is not known in the backward sweep", "Save an array that has it.")
        found.append(source)
    return found


def expand(function: Function, facts: Facts, settled: Callable[[Op], bool] = lambda op: True) -> Function:
    """Put the parts of custom calls in their places, for those ops that are settled: all, in the end."""
    known: dict[Value, Atom] = {}
    body = _expanded(function.body, known, facts, settled)
    return function.with_body(body)


def put_in_place(function: Function, facts: Facts) -> Function:
    """Calls of functions that have their caller's facts as what these compute, so that it can be differentiated."""
    return function.with_body(_in_place(function.body, {}, facts))


def _in_place(region: Region, known: dict[Value, Atom], facts: Facts) -> Region:
    ops: list[Op] = []
    for op in region.ops:
        op = replace(op, inputs=tuple(renamed(atom, known) for atom in op.inputs))
        if op.prim is CALL and not procedure_of(op).apart:
            callee = procedure_of(op).function
            body = replace(callee.body, params=tuple(param.value for param in callee.params))
            inner, results = clone(body, op.inputs, facts, op.role)
            placed = _in_place(Region((), tuple(inner), tuple(results)), known, facts)
            ops += placed.ops
            known.update(zip(op.outputs, placed.results))
        else:
            ops.append(replace(op, regions=tuple(_in_place(r, known, facts) for r in op.regions)))
    return Region(region.params, tuple(ops), tuple(renamed(atom, known) for atom in region.results))


def settled_parts(op: Op) -> bool:
    """Calls of which a derivative has been taken."""
    return bool(op.attrs["part"] != "plain")


def without_parts(op: Op) -> bool:
    """Calls that mean nothing to forward mode: their tangents are those of what they compute."""
    return settled_parts(op) or custom_of(op).kind != "rule"


def expand_procedures(functions: Sequence[Function], procedures: Sequence[Procedure | None]) -> None:
    """The same for the functions beside the main ones: these, and all that are called."""
    waiting = [*(p for f in functions for p in called(f.body.ops)), *(p for p in procedures if p is not None)]
    seen: set[Procedure] = set()
    while waiting:
        procedure = waiting.pop()
        if procedure in seen or procedure.body is None:
            continue
        seen.add(procedure)
        procedure.body = expand(procedure.body, procedure.facts)
        waiting += called(procedure.body.body.ops)


def _expanded(region: Region, known: dict[Value, Atom], facts: Facts, settled: Callable[[Op], bool]) -> Region:
    ops: list[Op] = []
    for op in region.ops:
        op = replace(op, inputs=tuple(renamed(atom, known) for atom in op.inputs))
        if op.prim is CUSTOM and settled(op):
            part: Region = getattr(custom_of(op), op.attrs["part"])
            inner, results = clone(part, op.inputs, facts, op.role)
            inner_region = _expanded(Region((), tuple(inner), tuple(results)), known, facts, settled)
            ops += inner_region.ops
            for output, atom in zip(op.outputs, inner_region.results):
                known[output] = atom
                if isinstance(atom, Value) and output.hint is not None and atom not in op.inputs:
                    atom.hint = output.hint
        else:
            ops.append(replace(op, regions=tuple(_expanded(r, known, facts, settled) for r in op.regions)))
    return Region(region.params, tuple(ops), tuple(renamed(atom, known) for atom in region.results))

"""Calls that pass an object rather than the arrays in its attributes: `block_forward(model.layers[0], x)`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial

from ..ir.calls import CALL, Procedure, arguments, header, procedure_of, reachable
from ..ir.nodes import Function, Op, Param, Region, Value, walk
from ..ir.types import Opaque

Path = tuple[str | int, ...]
Home = tuple[str, Path]  # an argument, and the way from it


def pass_objects(functions: Sequence[Function]) -> tuple[Function, ...]:
    """Procedures that read attributes of an object take the object, where every call has them from one object.

    `notes["attributes"]` of a procedure tells which parameters are what of which argument of the method or helper that
    it stems from. Assumes that no stage after this one asks what exactly a call passes.
    """
    whole = list(functions)
    for procedure in reversed(reachable([op for function in whole for op in function.body.ops])):
        for root in dict.fromkeys(root for root, _ in _attributes(procedure).values()):
            procedures = reachable([op for function in whole for op in function.body.ops])
            callers = [*whole, *(p.function for p in procedures)]
            taken = _taken(procedure, root, callers)
            if len(taken) < 2:
                continue
            change = partial(_pass_in, procedure=procedure, root=root, taken=taken)
            whole = [change(function) for function in whole]
            for caller in procedures:
                caller.body = change(caller.function)
            procedure.body = _take(procedure.function, root, taken)
    return tuple(whole)


def _attributes(procedure: Procedure) -> Mapping[Value, Home]:
    """Parameters that are parts of an object: of which argument, and the way from there."""
    known: Mapping[str, Home] = procedure.function.notes.get("attributes", {})
    return {p.value: known[p.name] for p in procedure.function.params if p.name in known and not p.path}


def _taken(procedure: Procedure, root: str, callers: Sequence[Function]) -> set[Value]:
    """The parameters that are, in every call, parts of one object of the caller."""
    taken = {value for value, (name, _) in _attributes(procedure).items() if name == root}
    for caller in callers:
        for op in _calls(caller, procedure):
            homes = _homes(op, caller, root)
            object = Counter(homes.values()).most_common(1)
            taken &= {value for value, home in homes.items() if home == object[0][0]}
    return taken


def _calls(function: Function, procedure: Procedure) -> list[Op]:
    return [op for op in walk(function.body.ops) if op.prim is CALL and procedure_of(op) is procedure]


def _homes(op: Op, caller: Function, root: str) -> dict[Value, Home]:
    """For each parameter that is a part of `root`, the object that the call has it from."""
    procedure = procedure_of(op)
    attributes = _attributes(procedure)
    params = {p.value: p for p in caller.params}
    homes: dict[Value, Home] = {}
    for value, atom in zip(_passed(procedure.function), op.inputs):
        param = params.get(atom)  # type: ignore[arg-type]
        name, path = attributes.get(value, ("", ())) if value is not None else ("", ())
        if value is not None and param is not None and name == root and path and param.path[-len(path) :] == path:
            homes[value] = (param.name, param.path[: -len(path)])
    return homes


def _passed(function: Function) -> list[Value | None]:
    """The parameter that each argument of a call is; None for a tuple of several."""
    params = function.params
    return [params[group[0]].value if len(group) == 1 else None for group in arguments(function)]


def _pass_in(caller: Function, procedure: Procedure, root: str, taken: Collection[Value]) -> Function:
    """The caller, passing objects."""
    if not _calls(caller, procedure):
        return caller
    params = list(caller.params)
    passed = _passed(procedure.function)
    numbers = [k for k, value in enumerate(passed) if value is not None and value in taken]

    def changed(op: Op) -> Op:
        op = replace(op, regions=tuple(replace(r, ops=tuple(map(changed, r.ops))) for r in op.regions))
        if op.prim is not CALL or procedure_of(op) is not procedure:
            return op
        name, path = _homes(op, caller, root)[passed[numbers[0]]]  # type: ignore[index]
        object = next((p.value for p in params if (p.name, p.path) == (name, path)), None)
        if object is None:
            words = [re.sub(r"\W+", "", str(step)) for step in path] or [name]
            object = Value(Opaque("object"), "_".join(word for word in words if word))
            params.append(Param(object, name, path))
        rest = [atom for k, atom in enumerate(op.inputs) if k not in numbers]
        place = _place(procedure.function, root, taken)
        return replace(op, inputs=(*rest[:place], object, *rest[place:]))

    body = Region((), tuple(map(changed, caller.body.ops)), caller.body.results)
    return replace(caller, params=tuple(params), body=body)


def _place(function: Function, root: str, taken: Collection[Value]) -> int:
    """Where the object comes among the parameters: a method's object first, another where its first part was."""
    passed = _passed(function)
    return 0 if root == "self" else next(k for k, value in enumerate(passed) if value in taken)


def _take(function: Function, root: str, taken: Collection[Value]) -> Function:
    """The procedure, reading attributes of a parameter that is an object."""
    attributes: Mapping[str, Home] = function.notes["attributes"]
    name, names = root, {p.name for p in function.params}
    while name in names:
        name += "_"
    groups = [[function.params[k] for k in group] for group in arguments(function)]
    groups = [group for group in groups if group[0].value not in taken]
    groups.insert(_place(function, root, taken), [Param(Value(Opaque("object"), name), name)])
    outer = [p for group in groups for p in group]
    inner = [replace(p, name=name, path=attributes[p.name][1]) for p in function.params if p.value in taken]
    rest = [p for p in function.params if p not in outer and p.value not in taken]
    notes = {**function.notes, "signature": header(outer)}
    return replace(function, params=(*outer, *rest, *inner), notes=notes)

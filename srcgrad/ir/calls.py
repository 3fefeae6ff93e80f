"""Calls: functions beside the main one, and the op that calls them.

    call   (*arguments)   outputs: the results, flat        attrs: procedure

A procedure has parameters, lengths and facts of its own. Its reverse mode is two procedures more: the forward one gives
its results and then, as one last output, what the backward one needs (`saved`); the backward one takes that and the
cotangents of results. What is saved is one value where it is called, of type Saved, and a tuple inside: parameters with
a path, and a tuple in the structure of the result. Its derivative is a tuple again, of the derivatives of those of its
items that have one. So the halves are procedures like any other, and may be differentiated again.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .dims import Facts
from .nodes import Function, Op, Param, Slot, Value, walk
from .primitive import Primitive, register
from .types import Type


def _no_infer(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    raise AssertionError("a call is appended with its types")


CALL = register(Primitive(name="call", fn=None, infer=_no_infer, kind="control"))


@dataclass(eq=False)
class Procedure:
    """A function that `call` ops name. It may call itself, so that it is named before its body is known.

    kind   : "plain", its "tangent", or the "forward" or "backward" half of its reverse mode
    shares : whether a result may be the memory of an argument
    impure : whether it prints, draws random numbers, or the like
    apart  : whether it has facts of its own; without, a call of it may be put in place
    """

    name: str
    facts: Facts
    body: Function | None = None
    kind: str = "plain"
    shares: bool = False
    impure: bool = False
    apart: bool = True
    plain: Procedure | None = field(default=None, repr=False)  # the function that it derives from

    @property
    def function(self) -> Function:
        assert self.body is not None, self.name
        return self.body

    def __repr__(self) -> str:
        return self.name


def arguments(function: Function) -> list[list[int]]:
    """For each argument of a call the numbers of the parameters that it stands for: several if it is a tuple."""
    found: dict[str, list[int]] = {name: [] for name, _, _ in function.notes["signature"]}
    for number, param in enumerate(function.params):
        if param.name in found:  # what else there is stands for nothing at run time
            found[param.name].append(number)
    return list(found.values())


def items(function: Function) -> list[Any]:
    """The parts of a procedure's result, one for each output of a call; `notes["single"]`: its tuple is one of them."""
    several = isinstance(function.result, tuple) and not function.notes.get("single")
    return list(function.result) if several else [function.result]


def outputs(function: Function) -> list[list[int]]:
    """For each output of a call the numbers of the results that it stands for: several if it is a tuple."""
    return [[slot.number for slot in _slots(item)] for item in items(function)]


def _slots(item: Any) -> Sequence[Slot]:
    return item if isinstance(item, tuple) else () if item is None else (item,)


def whole(parts: Sequence[Any]) -> tuple[Any, bool]:
    """A procedure's result made of these parts, and whether it is a single one that is a tuple."""
    single = len(parts) == 1
    return (parts[0], isinstance(parts[0], tuple)) if single else (tuple(parts), False)


def packed(numbers: Sequence[int]) -> Any:
    """The part of a result that holds these: a tuple, unless it is a single value."""
    slots = tuple(map(Slot, numbers))
    return slots[0] if len(slots) == 1 else slots or None


def parameters(package: str, values: Sequence[Value]) -> list[Param]:
    """What a call hands over as one value: its parts, unless it is a single one."""
    return [Param(value, package, () if len(values) == 1 else (k,)) for k, value in enumerate(values)]


def header(params: Sequence[Param]) -> tuple[tuple[str, str, None], ...]:
    """The signature of a procedure with these parameters."""
    return tuple((name, "plain", None) for name in dict.fromkeys(param.name for param in params))


def packages(params: Sequence[Param]) -> tuple[str, ...]:
    """The parameters that are tuples."""
    return tuple(dict.fromkeys(param.name for param in params if param.path))


def procedure_of(op: Op) -> Procedure:
    """What a `call` op calls."""
    procedure: Procedure = op.attrs["procedure"]
    return procedure


def called(ops: Sequence[Op]) -> Iterator[Procedure]:
    """The procedures that ops name themselves: to call them, or to have a library call them."""
    for op in walk(ops):
        if op.prim is CALL:
            yield procedure_of(op)
        yield from op.attrs.get("functions", ())


def reachable(ops: Sequence[Op]) -> list[Procedure]:
    """Every procedure that ops call, or that these call: what is called before its callers."""
    found: dict[Procedure, None] = {}
    entered: set[Procedure] = set()

    def visit(body: Sequence[Op]) -> None:
        for procedure in called(body):
            if procedure not in entered:
                entered.add(procedure)
                visit(procedure.function.body.ops)
                found[procedure] = None

    visit(ops)
    return list(found)


def name_procedures(functions: Sequence[Function]) -> None:
    """Give every procedure that functions reach a name of its own, which is no parameter's either."""
    procedures = list(dict.fromkeys(p for function in functions for p in reachable(function.body.ops)))
    everything = [*functions, *(p.function for p in procedures)]
    taken = {"np", "math", *dir(builtins), *(function.name for function in functions)}
    taken |= {param.name for function in everything for param in function.params}
    for procedure in procedures:
        name, number = procedure.name, 1
        while name in taken:
            number += 1
            name = f"{procedure.name}_{number}"
        taken.add(name)
        procedure.name = name
        procedure.body = replace(procedure.function, name=name)

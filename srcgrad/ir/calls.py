"""Calls: functions beside the main one, and the op that calls them.

    call   (*arguments)   outputs: the results, flat        attrs: procedure

A procedure has parameters, lengths and facts of its own. Its reverse mode is two procedures more: the forward one gives
its results and then, as one last output, what the backward one needs (`saved`); the backward one takes that and the
cotangents of results.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .dims import Facts
from .nodes import Function, Op, walk
from .primitive import Primitive, register
from .types import Type


def _no_infer(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    raise AssertionError("a call is appended with its types")


CALL = register(Primitive(name="call", fn=None, infer=_no_infer, kind="control"))


@dataclass(eq=False)
class Procedure:
    """A function that `call` ops name. It may call itself, so that it is named before its body is known.

    kind   : "plain", or the "forward" or "backward" half of its reverse mode
    shares : whether a result may be the memory of an argument
    impure : whether it prints, draws random numbers, or the like
    """

    name: str
    facts: Facts
    body: Function | None = None
    kind: str = "plain"
    shares: bool = False
    impure: bool = False
    plain: Procedure | None = field(default=None, repr=False)  # of a half: the function that it derives from

    @property
    def function(self) -> Function:
        assert self.body is not None, self.name
        return self.body

    def __repr__(self) -> str:
        return self.name


def procedure_of(op: Op) -> Procedure:
    """What a `call` op calls."""
    procedure: Procedure = op.attrs["procedure"]
    return procedure


def called(ops: Sequence[Op]) -> Iterator[Procedure]:
    """The procedures that ops name themselves."""
    return (procedure_of(op) for op in walk(ops) if op.prim is CALL)


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

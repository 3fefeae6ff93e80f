"""Calls of library functions that take functions: solvers, minimisers, quadrature, differential equations.

    solver (*inputs)             outputs: what the library gives     attrs: template, functions, module, types, problem
    field  (solution, *inputs)   output: an attribute of it          attrs: name, type, problem

A function that is passed is a `Procedure` of the variables that the library chooses, and then of everything else that
it reads, which the call hands on as `args=`. So its text stands alone, and its derivative in what it reads is that in
its parameters. It is read with the lengths and facts of its caller (`apart=False`), so that a call of it, or of a
derivative of it, may be put in place.

`template` is the call as Python's own syntax; its slots are the inputs, then the functions, then the module. A `field`
reads the solution alone; its other inputs, those of the solver, are what its derivative is about.
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .calls import Procedure
from .dims import Facts
from .nodes import Op
from .primitive import Primitive, register
from .types import Type

SLOT = "_slot_"  # what stands for an input in a call's syntax


@dataclass(eq=False)
class Problem:
    """What a call solves: enough to differentiate the solution, whatever the method.

    kind      : "root" (equation(x, *args) = 0), "minimum" (of value(x, *args), whose gradient is `equation`),
                "integral" (of value(t, *args) from a to b) or "flow" (dy/dt = value(t, y, *args))
    value     : the user's function; equation : what is zero at the solution
    arguments : numbers of the inputs that the functions read beside their own variables
    places    : numbers of the inputs that mean something else: "a", "b", "t0", "t1", "y0", "times"
    state     : of a flow, the place of y among the function's first two parameters
    options   : what else the call is given, by name: syntax with slots for inputs
    derived   : derivatives of the functions that have been made so far
    """

    kind: str
    name: str
    value: Procedure
    arguments: tuple[int, ...]
    equation: Procedure | None = None
    refused: str = ""  # why the equation has no derivative
    places: Mapping[str, int] = field(default_factory=dict)
    state: int = 1
    options: Mapping[str, ast.expr] = field(default_factory=dict)
    derived: dict[Any, Procedure] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"{self.name}:{id(self)}"


def problem_of(op: Op) -> Problem:
    problem: Problem = op.attrs["problem"]
    return problem


def functions_of(op: Op) -> tuple[Procedure, ...]:
    functions: tuple[Procedure, ...] = op.attrs["functions"]
    return functions


def run_solver(*inputs: Any, template: ast.expr, module: str, callables: Sequence[Callable[..., Any]], **_: Any) -> Any:
    """Make the call; `callables` are its functions."""
    parts = [*inputs, *callables, importlib.import_module(module)]
    scope = {f"{SLOT}{k}": part for k, part in enumerate(parts)} | {"np": np}
    return eval(compile(ast.fix_missing_locations(ast.Expression(template)), "<solver>", "eval"), scope)


def _solver_types(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> tuple[Type, ...]:
    result: tuple[Type, ...] = attrs["types"]
    return result


def _field_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    result: Type = attrs["type"]
    return result


def _read(solution: Any, *inputs: Any, name: str, last: bool = False, **_: Any) -> Any:
    found = getattr(solution, name)
    return found[:, -1] if last else found


SOLVER = register(Primitive("solver", fn=run_solver, infer=_solver_types, operands=("*inputs",)))
FIELD = register(Primitive("field", fn=_read, infer=_field_type, operands=("solution", "*inputs")))


def moving(op: Op) -> tuple[int, ...]:
    """The inputs in which a solution has a derivative; it does not depend on where a solver starts."""
    problem: Problem | None = op.attrs.get("problem")
    if problem is None:
        return ()
    shift = 1 if op.prim is FIELD else 0
    return tuple(k + shift for k in (*problem.arguments, *problem.places.values()))

"""Forward mode of solutions: the equations that their tangents solve.

f(x, p) = 0           f_x t_x = -f_p t_p
int_a^b f(t, p)       f(b) t_b - f(a) t_a + int_a^b f_p t_p dt
dy/dt = f(t, y, p)    ds/dt = f_y s + f_p t_p, together with y itself
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.calls import CALL, Procedure
from ..ir.custom import clone, put_in_place
from ..ir.dims import as_dim
from ..ir.nodes import Atom, Const, Function, Op, Param, Region, Slot, Value
from ..ir.primitive import named
from ..ir.solving import FIELD, SOLVER, Problem, problem_of
from ..ir.symbolic import Sym, apply
from ..ir.types import FLOAT, INT, Array, Type
from ..rules.effects import SLOT
from .derived import as_given, called_as, free_name, gradient_of, jacobian_of
from .flows import DOUBLE, bound, joined, part_of, reslotted, same_output, unrevealed
from .regions import Regions
from .solvers import checks, integral_call


def solved_forward(forward: Any, op: Op) -> None:
    """Append the op, and the tangents of what it gives."""
    problem = problem_of(op)
    inputs = op.inputs[1:] if op.prim is FIELD else op.inputs
    if op.prim is FIELD:
        forward.builder.ops += checks(op, forward.checked)
    forward.builder.ops.append(op)
    tangents = Tangent(forward, problem, inputs)
    match problem.kind:
        case "root" | "minimum":
            tangent = tangents.implicit(op)
        case "integral":
            tangent = tangents.integral()
        case _:
            tangent = tangents.flow(op)
    forward.define(op.outputs[0], tangent.atom)


def jvp_of(procedure: Procedure, wrt: Sequence[int]) -> Procedure:
    """(*parameters, *their tangents) -> the tangent of the first result."""
    function, params, tangents, ops, results = _pushed(procedure, wrt)
    name = f"{procedure.name}_jvp"
    new = Procedure(name, procedure.facts, shares=True, apart=False)
    every = [Param(value, p.name) for value, p in zip(params, function.params)]
    for value in tangents:
        every.append(Param(value, free_name(value.hint or "t", every)))
    notes = {**function.notes, "signature": tuple((p.name, "plain", None) for p in every)}
    new.body = Function(name, tuple(every), Region((), ops, results[-1:]), Slot(0), notes)
    return new


def _pushed(
    procedure: Procedure, wrt: Sequence[int]
) -> tuple[Function, list[Value], list[Value], tuple[Op, ...], tuple[Atom, ...]]:
    """A function on new parameters with its tangent: (function, parameters, tangents, ops, results)."""
    from .forward import push_forward

    function = put_in_place(procedure.function, procedure.facts)
    params = [Value(p.value.type, p.value.hint or p.name) for p in function.params]
    region = Region(tuple(p.value for p in function.params), function.body.ops, function.body.results)
    ops, results = clone(region, params, procedure.facts, "primal")
    ops = [as_given(new, old) for new, old in zip(ops, region.ops)]
    moved = [params[k] for k in wrt]
    tangents = [Value(replace(v.type, dim=None), f"t_{v.hint}") for v in moved if isinstance(v.type, Array)]
    copy = replace(
        function,
        params=tuple(Param(v, p.name) for v, p in zip(params, function.params)),
        body=Region((), tuple(ops), tuple(results[:1])),
    )
    made = push_forward(copy, [0], moved, tangents, procedure.facts)
    if made.faults:
        raise Unsupported(made.faults[0].message, made.faults[0].way_out, made.faults[0].origin)
    return function, params, tangents, made.function.body.ops, made.function.body.results


class Tangent:
    """The tangent of one solution."""

    def __init__(self, forward: Any, problem: Problem, inputs: Sequence[Atom]):
        self.forward, self.problem, self.inputs = forward, problem, inputs
        self.builder = forward.builder
        self.args = [inputs[number] for number in problem.arguments]
        self.wrt = [k for k, atom in enumerate(self.args) if forward.tangent(atom) is not None]
        self.moves = [forward.tangent(self.args[k]) for k in self.wrt]

    def sym(self, atom: Any) -> Sym:
        return Sym(self.builder, atom)

    def derived(self, key: Any, make: Callable[[], Procedure]) -> Procedure:
        if key not in self.problem.derived:
            self.problem.derived[key] = make()
        return self.problem.derived[key]

    def call_of(self, procedure: Procedure, inputs: Sequence[Atom], type: Type, hint: str | None = None) -> Sym:
        (value,) = self.builder.append(CALL, inputs, [type], {"procedure": procedure}, hint=hint)
        return self.sym(value)

    def jvp(self, procedure: Procedure, given: Sequence[Atom], type: Type) -> Sym:
        """What `procedure` gives at `given` moves by this much with its arguments."""
        wrt = tuple(len(given) + k for k in self.wrt)
        pushed = self.derived(("jvp", procedure, wrt), lambda: jvp_of(procedure, wrt))
        return self.call_of(pushed, [*given, *self.args, *self.moves], type)

    def implicit(self, op: Op) -> Sym:
        problem, x = self.problem, op.outputs[0]
        if problem.refused:
            raise Unsupported(f"the function that `{problem.name}` minimises has no gradient: {problem.refused}")
        if problem.kind == "minimum" and op.attrs.get("name") == "fun":
            type = problem.value.function.params[0].value.type
            attrs = {"name": "x", "type": type, "problem": problem}
            (at,) = self.builder.append(FIELD, op.inputs, [type], attrs)
            return self.jvp(problem.value, [at], FLOAT)
        equation = problem.equation
        assert equation is not None
        assert isinstance(x.type, Array)
        minimum = problem.kind == "minimum"
        moved = self.jvp(equation, [x], equation.function.body.results[0].type)
        if not x.type.ndim:
            suffix = "hess" if minimum else "slope"
            slope = self.derived("slope", lambda: gradient_of(equation, (0,), Regions, suffix))
            return -moved / self.call_of(slope, [x, *self.args], FLOAT, "curvature" if minimum else "slope")
        suffix = "hess" if minimum else "jac"
        jacobian = self.derived("jacobian", lambda: jacobian_of(equation, Regions, suffix))
        (length,) = x.type.axes
        matrix = self.call_of(jacobian, [x, *self.args], Array(x.type.dtype, (length, length)), suffix)
        solved: Sym = apply(self.builder, np.linalg.solve, (matrix, moved), {})
        return -solved

    def integral(self) -> Sym:
        problem = self.problem
        type = problem.value.function.body.results[0].type
        assert isinstance(type, Array)
        type = type if type.ndim else FLOAT
        total: Any = None
        if self.wrt:
            wrt = tuple(1 + k for k in self.wrt)
            pushed = self.derived(("jvp", wrt), lambda: jvp_of(problem.value, wrt))
            numbers = (*problem.arguments, *range(len(self.inputs), len(self.inputs) + len(self.moves)))
            total = integral_call(self.builder, problem, pushed, numbers, [*self.inputs, *self.moves], type)
        for name, sign in (("a", -1), ("b", 1)):
            end = self.inputs[problem.places[name]]
            t = self.forward.tangent(end)
            if t is None:
                continue
            term = self.call_of(problem.value, [end, *self.args], type, f"at_{name}") * self.sym(t)
            total = (term if sign > 0 else -term) if total is None else (total + term if sign > 0 else total - term)
        return total  # type: ignore[no-any-return]

    # Flows

    def flow(self, op: Op) -> Sym:
        problem = self.problem
        if op.attrs.get("steps"):
            raise Unsupported(
                "the solver chose the times of these states, and they have no derivative",
                "Give it `t_eval=`, or read the state at the end alone: `sol.y[:, -1]`.",
            )
        places = {name: self.inputs[number] for name, number in problem.places.items()}
        if "times" in places and self.forward.tangent(places["times"]) is not None:
            raise Unsupported(f"forward mode of `{problem.name}` in the times of its states", "Use reverse mode.")
        wrt = tuple(self.wrt)
        rhs = self.derived(("tangent", wrt), lambda: tangent_of(problem, wrt))
        (n,) = problem.value.function.params[problem.state].value.type.axes  # type: ignore[union-attr]
        start = self.sym(places["y0"])
        start = start if start.ndim else joined(self.builder, [start])
        t_start = self._start(places, start, n)
        state = joined(self.builder, [start, t_start])
        both = self._solved(places, rhs, called_as(state, "state"), n, op)
        if "t1" in places and "times" not in places and self.forward.tangent(places["t1"]) is not None:
            rate = self._rate(places["t1"], op.outputs[0], n)
            both = both + rate * self.sym(self.forward.tangent(places["t1"]))
        return both

    def _rate(self, t: Atom, y: Atom, n: Any) -> Sym:
        own = [t, y] if self.problem.state else [y, t]
        return self.call_of(self.problem.value, [*own, *self.args], Array(DOUBLE, (n,)), "rate")

    def _start(self, places: dict[str, Atom], start: Sym, n: Any) -> Sym:
        given = self.forward.tangent(places["y0"])
        if given is None:
            (zeros,) = self.builder.apply(named("zeros"), [], {"shape": (n,), "dtype": DOUBLE})
            t_start = self.sym(zeros)
        else:
            t_start = self.sym(given)
            t_start = t_start if t_start.ndim else joined(self.builder, [t_start])
        t_time = self.forward.tangent(places["t0"]) if "t0" in places else None
        if t_time is not None:
            t_start = t_start - self._rate(places["t0"], start.atom, n) * self.sym(t_time)
        return t_start

    def _solved(self, places: dict[str, Atom], rhs: Procedure, state: Sym, n: Any, op: Op) -> Sym:
        """The tangent half of the states that the doubled equation has at the same times."""
        problem, rows = self.problem, self.problem.name == "odeint"
        extra = [bound(self.builder, n)] if unrevealed(problem.value, n) else []
        args = [*self.args, *self.moves, *extra]
        times = [places["times"]] if "times" in places else [places["t0"], places["t1"]]
        span = times if rows or "times" not in places else [places["t0"], places["t1"], *times]
        inputs: list[Atom] = [state.atom, *span, *args]
        slots: list[ast.expr] = [ast.Name(f"{SLOT}{k}", ast.Load()) for k in range(len(inputs))]
        first = 1 + len(span)
        options = reslotted(problem.options, self.inputs, inputs, lambda atom: atom)
        function, module = (ast.Name(f"{SLOT}{len(inputs) + k}", ast.Load()) for k in range(2))
        keywords = {"args": ast.Tuple(slots[first:], ast.Load()), **options}
        stacked = state.type.axes
        assert isinstance(op.outputs[0].type, Array)
        axes = op.outputs[0].type.axes
        last = "times" not in places
        if rows:
            t: ast.expr = slots[1]
            if last:
                t = ast.Call(ast.parse("np.array", mode="eval").body, [ast.List(slots[1:3], ast.Load())], [])
            positional: list[ast.expr] = [function, slots[0], t]
        else:
            positional = [function, ast.Tuple(slots[1:3], ast.Load()), slots[0]]
            if not last:
                keywords = {**keywords, "t_eval": slots[3]}
        target = ast.Attribute(module, problem.name, ast.Load())
        call: ast.expr = ast.Call(target, positional, [ast.keyword(k, v) for k, v in keywords.items()])
        if not rows:
            call = ast.Attribute(call, "y", ast.Load())
        if last:
            index = ast.parse("_[-1]" if rows else "_[:, -1]", mode="eval").body
            assert isinstance(index, ast.Subscript)
            call = ast.Subscript(call, index.slice, ast.Load())
        type = Array(DOUBLE, stacked if last else (axes[0], *stacked) if rows else (*stacked, axes[1]))
        places_new = {"y0": 0, "times": len(span)} if not last else {"y0": 0}
        if not rows or last:
            places_new |= {"t0": 1, "t1": 2}
        new = Problem(
            "flow", problem.name, rhs, tuple(range(first, first + len(args))), places=places_new, state=problem.state,
            options=options,
        )  # fmt: skip
        attrs = {
            "template": call, "functions": (rhs,), "module": "scipy.integrate", "types": (type,), "problem": new,
        }  # fmt: skip
        (value,) = self.builder.append(SOLVER, inputs, [type], attrs, hint="both")
        if last:
            return self.sym(part_of(self.builder, value, n, n + n))
        return self._half(value, n, rows, axes)

    def _half(self, value: Value, n: Any, rows: bool, axes: Sequence[Any]) -> Sym:
        dynamic: list[Atom] = []
        at = bound(self.builder, n)
        if not isinstance(at, int):
            dynamic.append(at)
            at = Slot(1)
        part = slice(at, None, None)
        index = (slice(None), part) if rows else part
        (half,) = self.builder.append(
            named("getitem"), [value, *dynamic], [Array(DOUBLE, tuple(axes))], {"index": index}, style="operator"
        )
        return self.sym(half)


def tangent_of(problem: Problem, wrt: Sequence[int]) -> Procedure:
    """The right-hand side of the state and of its tangent, as one vector."""
    from ..ir.builder import Builder

    procedure, order = problem.value, problem.state
    moved = [order, *(2 + k for k in wrt)]
    function, params, tangents, ops, results = _pushed(procedure, moved)
    facts, y = procedure.facts, params[order]
    assert isinstance(y.type, Array)
    (n,) = y.type.axes
    builder = Builder(facts, role="adjoint")
    state = Value(Array(DOUBLE, (facts.canon(n + n),)), "state")
    stated = part_of(builder, state, as_dim(0), n, "y")
    moving = part_of(builder, state, n, n + n, "t_y")
    start = [same_output(same_output(op, stated, y), moving, tangents[0]) for op in builder.ops]
    builder.ops = []
    whole = joined(builder, [Sym(builder, atom) for atom in results])
    own = list(params)
    own[order] = state
    every: list[Param] = []
    for number, (value, p) in enumerate(zip(own, function.params)):
        every.append(Param(value, free_name("state" if number == order else p.name, every)))
    for value in tangents[1:]:
        every.append(Param(value, free_name(value.hint or "t", every)))
    if unrevealed(procedure, n):
        every.append(Param(Value(replace(INT, dim=n), "n"), free_name("n", every)))
    new = Procedure(f"{procedure.name}_tangent", facts, shares=True, apart=False)
    notes = {**function.notes, "signature": tuple((p.name, "plain", None) for p in every)}
    new.body = Function(new.name, tuple(every), Region((), (*start, *ops, *builder.ops), (whole.atom,)), Slot(0), notes)
    return new


__all__ = ["Const", "solved_forward"]

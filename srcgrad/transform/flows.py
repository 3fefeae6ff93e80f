"""Reverse mode of differential equations: the adjoint equation, solved backwards from one given time to the one before.

    dy/dt = f(t, y, p)      da/dt = -f_y^T a      dg/dt = -f_p^T a

`a` is the cotangent of the state, `g` gathers that of the parameters. They are solved together with the state, which
starts anew from the stored solution at every given time, with the method and the tolerances of the user's call.
Chen et al. (2018), "Neural ordinary differential equations", appendix B.
"""

from __future__ import annotations

import ast
import functools
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.calls import Procedure
from ..ir.dims import Dim, as_dim, product
from ..ir.nodes import Atom, Const, Function, Op, Param, Region, Slot, Value
from ..ir.primitive import named
from ..ir.solving import SOLVER, Problem
from ..ir.symbolic import Sym, apply
from ..ir.types import FLOAT, INT, Array
from ..rules.effects import SLOT, fill_template
from .cotangents import cotangent_name
from .derived import called_as, open_function

DOUBLE = np.dtype(float)


def _size(type: Array) -> Dim:
    return product(type.axes) if type.axes else as_dim(1)


def bound(builder: Any, dim: Dim) -> Any:
    """A length as the bound of a slice: a number, or a value that tells it."""
    constant = builder.facts.canon(dim).constant
    if constant is not None:
        return constant
    (value,) = builder.apply(named("dim"), [], {"dim": builder.facts.canon(dim)})
    return value


def part_of(builder: Any, vector: Atom, start: Dim, stop: Dim, hint: str | None = None) -> Value:
    """vector[start:stop]"""
    dynamic: list[Atom] = []

    def entry(dim: Dim) -> Any:
        found = bound(builder, dim)
        if isinstance(found, int):
            return found
        dynamic.append(found)
        return Slot(len(dynamic))

    first = None if builder.facts.canon(start).constant == 0 else entry(start)
    index = slice(first, entry(stop), None)
    type = Array(DOUBLE, (builder.facts.canon(stop - start),))
    (value,) = builder.append(
        named("getitem"), [vector, *dynamic], [type], {"index": index}, hint=hint, style="operator"
    )
    result: Value = value
    return result


def joined(builder: Any, parts: Sequence[Sym]) -> Sym:
    """One vector of arrays and numbers, flat."""
    flat: list[Sym] = []
    numbers: list[Sym] = []

    def close() -> None:
        if numbers:
            flat.append(apply(builder, np.stack, (list(numbers),), {}, style="array"))
            numbers.clear()

    for each in parts:
        if each.ndim == 0:
            numbers.append(each)
            continue
        close()
        flat.append(each if each.ndim == 1 else apply(builder, np.ravel, (each,), {}))
    close()
    return flat[0] if len(flat) == 1 else apply(builder, np.concatenate, (flat,), {})


def adjoint_of(problem: Problem, wrt: Sequence[int], reverse: Callable[..., Any]) -> Procedure:
    """The right-hand side of state, adjoint and the gradients of the parameters numbered, as one vector."""
    procedure, order = problem.value, problem.state
    opened = open_function(procedure, [order, *(2 + k for k in wrt)], reverse)
    machine = opened.reverse
    builder, facts = machine.builder, procedure.facts
    y = opened.params[order]
    assert isinstance(y.type, Array)
    (n,) = y.type.axes
    total = n + n
    for k in wrt:
        total = total + _size(opened.params[2 + k].type)  # type: ignore[arg-type]
    state = Value(Array(DOUBLE, (facts.canon(total),)), "state")
    backward, builder.ops = builder.ops, []
    stated = part_of(builder, state, as_dim(0), n, "y")
    adjoint = part_of(builder, state, n, n + n, "adjoint")
    start, builder.ops = [same_output(op, stated, y) for op in builder.ops], backward
    opened.seed(0, adjoint)
    ops = opened.backprop()
    results = [Sym(builder, opened.results[0])]
    results += [-Sym(builder, opened.cotangent(k)) for k in (order, *(2 + k for k in wrt))]
    whole = joined(builder, results)
    own = [*opened.params]
    own[order] = state
    names = [p.name for p in procedure.function.params]
    names[order] = "state"
    while "state" in names[2:]:
        names[names.index("state", 2)] = "state_1"
    params = [Param(value, name) for value, name in zip(own, names)]
    if unrevealed(procedure, n):
        params.append(Param(Value(replace(INT, dim=n), "n"), "n" if "n" not in names else "length"))
    notes = {**procedure.function.notes, "signature": tuple((p.name, "plain", None) for p in params)}
    new = Procedure(f"{procedure.name}_adjoint", facts, shares=True, apart=False)
    body = Region((), (*start, *ops, *builder.ops), (whole.atom,))
    new.body = Function(new.name, tuple(params), body, Slot(0), notes)
    return new


def unrevealed(procedure: Procedure, n: Dim) -> bool:
    """Whether a vector of several states does not tell how long one is, nor anything else that is passed."""
    symbols = procedure.facts.canon(n).symbols()
    for param in procedure.function.params[2:]:
        type = param.value.type
        if isinstance(type, Array):
            dims = (*type.axes, *(() if type.dim is None else (type.dim,)))
            symbols = symbols - {procedure.facts.canon(dim).symbol for dim in dims}
    return bool(symbols)


def same_output(op: Op, made: Value, wanted: Value) -> Op:
    return replace(op, outputs=(wanted,)) if made in op.outputs else op


def reslotted(
    options: Mapping[str, ast.expr], old: Sequence[Atom], new: list[Atom], use: Callable[[Atom], Atom]
) -> dict[str, ast.expr]:
    """Options of a call as those of another one; what they read joins its inputs."""
    found = {}
    for name, syntax in options.items():
        used = {int(n.id.removeprefix(SLOT)) for n in ast.walk(syntax) if isinstance(n, ast.Name) and SLOT in n.id}
        parts: list[ast.expr] = [ast.Name("unused", ast.Load())] * (max(used, default=0) + 1)
        for number in sorted(used):
            parts[number] = ast.Name(f"{SLOT}{len(new)}", ast.Load())
            new.append(use(old[number]))
        found[name] = fill_template(syntax, parts)
    return found


class Backward:
    """The backward sweep of one solution: legs from each given time to the one before."""

    def __init__(self, solvers: Any, problem: Problem, inputs: Sequence[Atom], scope: Any):
        self.s, self.problem, self.inputs, self.scope = solvers, problem, inputs, scope
        self.builder = solvers.builder
        self.args = [solvers.use(inputs[number]) for number in problem.arguments]
        self.wrt = [k for k, number in enumerate(problem.arguments) if inputs[number] in solvers.active]
        self.targets = [inputs[problem.arguments[k]] for k in self.wrt]
        wrt = tuple(self.wrt)
        self.adjoint_rhs = solvers.derived(problem, ("adjoint", wrt), lambda: adjoint_of(problem, wrt, type(solvers)))
        state = problem.value.function.params[problem.state].value.type
        assert isinstance(state, Array)
        (self.n,) = state.axes
        self.extra = [bound(self.builder, self.n)] if unrevealed(problem.value, self.n) else []

    def sym(self, atom: Any) -> Sym:
        return Sym(self.builder, atom)

    def place(self, name: str) -> Atom:
        return self.inputs[self.problem.places[name]]

    def active(self, name: str) -> bool:
        return name in self.problem.places and self.place(name) in self.s.active

    def rate(self, t: Atom, y: Atom) -> Sym:
        """f(t, y)."""
        own = [t, y] if self.problem.state else [y, t]
        (value,) = self.s.call_of(self.problem.value, [*own, *self.args], [Array(DOUBLE, (self.n,))])
        return called_as(value, "rate")

    def leg(self, start: Atom, end: Atom, y: Sym, adjoint: Sym) -> tuple[Sym, list[Sym]]:
        """The adjoint at `end`, and what the leg adds to the gradients of the parameters."""
        sizes = [_size(target.type) for target in self.targets]  # type: ignore[arg-type]
        parts = [y, adjoint]
        if sizes:
            shape = (self.builder.facts.canon(functools.reduce(operator.add, sizes)),)
            (zeros,) = self.builder.apply(named("zeros"), [], {"shape": shape, "dtype": DOUBLE})
            parts.append(self.sym(zeros))
        state = joined(self.builder, parts)
        called_as(state, "state")
        back = self.integrate(start, end, state)
        at = self.n + self.n
        gradients = []
        for target in self.targets:
            assert isinstance(target.type, Array)
            if target.type.ndim:
                part = self.sym(part_of(self.builder, back, at, at + _size(target.type)))
                if target.type.ndim > 1:
                    part = part.reshape(target.type.axes)
            else:
                part = self.element(back, at)
            gradients.append(part)
            at = at + _size(target.type)
        return self.sym(part_of(self.builder, back, self.n, self.n + self.n, "adjoint")), gradients

    def element(self, vector: Atom, at: Dim) -> Sym:
        found = bound(self.builder, at)
        if isinstance(found, int):
            return self.sym(vector)[found]
        (value,) = self.builder.append(
            named("getitem"), [vector, found], [Array(DOUBLE)], {"index": Slot(1)}, style="operator"
        )
        return self.sym(value)

    def integrate(self, start: Atom, end: Atom, state: Sym) -> Value:
        """The vector at `end` that is `state` at `start`."""
        problem = self.problem
        args = [*self.args, *self.extra]
        inputs = [start, end, state.atom, *args]
        slots: list[ast.expr] = [ast.Name(f"{SLOT}{k}", ast.Load()) for k in range(len(inputs))]
        options = reslotted(problem.options, self.inputs, inputs, self.s.use)
        function, module = (ast.Name(f"{SLOT}{len(inputs) + k}", ast.Load()) for k in range(2))
        keywords = {"args": ast.Tuple(slots[3:], ast.Load())} if args else {}
        call = ast.Call(
            ast.Attribute(module, problem.name, ast.Load()),
            [],
            [ast.keyword(key, value) for key, value in {**keywords, **options}.items()],
        )
        if problem.name == "odeint":
            times = ast.Call(ast.parse("np.array", mode="eval").body, [ast.List(slots[:2], ast.Load())], [])
            call.args = [function, slots[2], times]
            template: ast.expr = ast.Subscript(call, ast.UnaryOp(ast.USub(), ast.Constant(1)), ast.Load())
        else:
            call.args = [function, ast.Tuple(slots[:2], ast.Load()), slots[2]]
            last = ast.parse("_[:, -1]", mode="eval").body
            assert isinstance(last, ast.Subscript)
            template = ast.Subscript(ast.Attribute(call, "y", ast.Load()), last.slice, ast.Load())
        numbers = tuple(range(3, 3 + len(args)))
        new = Problem(
            "flow", problem.name, self.adjoint_rhs, numbers, places={"t0": 0, "t1": 1, "y0": 2}, state=problem.state,
            options=options,
        )  # fmt: skip
        attrs = {
            "template": template, "functions": (self.adjoint_rhs,), "module": "scipy.integrate",
            "types": (state.type,), "problem": new,
        }  # fmt: skip
        (value,) = self.builder.append(SOLVER, inputs, [Array(DOUBLE, state.type.axes)], attrs, hint="back")
        result: Value = value
        return result

    # Whole solutions

    def accumulate(self, target: Atom, d: Sym) -> None:
        if isinstance(d.atom, Value) and isinstance(target, Value):
            d.atom.hint = d.atom.hint or cotangent_name(target)
        self.s.accumulate(self.scope, target, d.atom)

    def from_end(self, y: Atom, d: Sym) -> None:
        """The state at the end alone."""
        t0, t1 = self.s.use(self.place("t0")), self.s.use(self.place("t1"))
        if self.active("t1"):
            self.accumulate(self.place("t1"), np.sum(d * self.rate(t1, y)))
        adjoint, gradients = self.leg(t1, t0, self.sym(y), d)
        for target, each in zip(self.targets, gradients):
            self.accumulate(target, each)
        self.at_start(t0, adjoint, adjoint)

    def at_start(self, t0: Atom, adjoint: Sym, d_start: Sym, time: str = "t0") -> None:
        start = self.place("y0")
        if self.active(time):
            at = self.s.use(start)
            if not start.type.ndim:  # type: ignore[union-attr]
                at = joined(self.builder, [self.sym(at)]).atom
            self.accumulate(self.place(time), -np.sum(adjoint * self.rate(t0, at)))
        if start in self.s.active:
            self.accumulate(start, d_start if start.type.ndim else d_start[0])  # type: ignore[union-attr]

    def from_times(self, y: Atom, d: Sym) -> None:
        """The states at given times, one after the other, the last first."""
        problem, builder = self.problem, self.builder
        by_rows = problem.name == "odeint"
        times = self.sym(self.s.use(self.place("times")))
        (length,) = times.type.axes
        count = bound(builder, length)
        first = 1 if by_rows else 0
        if not by_rows:
            start = self.s.use(self.place("t0"))
            times = joined(builder, [self.sym(start), times])
            called_as(times, "times")
        gathered = [*self.targets, *([self.place("times")] if self.active("times") else [])]
        accumulators: list[tuple[Atom, Atom]] = [(target, self.s.zeros(target)) for target in gathered]
        adjoint0 = builder.apply(named("zeros"), [], {"shape": (self.n,), "dtype": DOUBLE}, hint="adjoint")[0]
        i, adjoint = Value(INT, "i"), Value(adjoint0.type, "adjoint")
        carried = [adjoint, *(Value(t.type, cotangent_name(t)) for t, _ in accumulators)]  # type: ignore[arg-type]
        before, builder.ops = builder.ops, []
        at_time = self.row if by_rows else self.column
        d_here, here = at_time(d.atom, i), at_time(y, i)
        results = []
        now = self.item(times, i, 0 if by_rows else 1)
        then = self.item(times, i, -1 if by_rows else 0)
        if self.active("times"):
            rate = self.rate(now.atom, here.atom)
            change = np.sum(d_here * rate)
            (moved,) = builder.apply(named("index_set"), [carried[-1], change.atom, i], {"index": Slot(1)})
            moved.hint = carried[-1].hint
        total = self.sym(adjoint) + d_here
        new, gradients = self.leg(now.atom, then.atom, here, called_as(total, "adjoint"))
        results = [new.atom]
        for value, each, target in zip(carried[1:], gradients, self.targets):
            assert isinstance(target, Value)
            results.append(called_as(self.sym(value) + each, cotangent_name(target)).atom)
        if self.active("times"):
            results.append(moved)
        body, builder.ops = tuple(builder.ops), before
        stop = Const(count) if isinstance(count, int) else count
        outputs = builder.append(
            named("for"),
            [Const(first), stop, Const(1), adjoint0, *(zeros for _, zeros in accumulators)],
            [v.type for v in carried],
            {"carried": len(carried), "reverse": True},
            regions=(Region((i, *carried), body, tuple(results)),),
        )
        for value, output in zip(carried, outputs):
            output.hint = value.hint
        ended = self.sym(outputs[0])
        for (target, _), output in zip(accumulators, outputs[1:]):
            self.accumulate(target, self.sym(output))
        if by_rows:
            start = times[0].atom if self.active("times") else Const(0.0)
            d_start = ended + d[0]
            if self.active("times"):
                at = self.s.use(self.place("y0"))
                at = at if at.type.ndim else joined(self.builder, [self.sym(at)]).atom
                change = -np.sum(ended * self.rate(start, at))
                zeros = self.s.zeros(self.place("times"))
                (moved,) = builder.apply(named("index_set"), [zeros, change.atom], {"index": 0})
                self.accumulate(self.place("times"), self.sym(moved))
            if self.place("y0") in self.s.active:
                self.accumulate(self.place("y0"), d_start if self.place("y0").type.ndim else d_start[0])  # type: ignore[union-attr]
        else:
            self.at_start(self.s.use(self.place("t0")), ended, ended)

    def row(self, array: Atom, i: Value) -> Sym:
        (value,) = self.builder.append(
            named("getitem"), [array, i], [Array(DOUBLE, (self.n,))], {"index": Slot(1)}, style="operator"
        )
        return self.sym(value)

    def column(self, array: Atom, i: Value) -> Sym:
        index = (slice(None), Slot(1))
        (value,) = self.builder.append(
            named("getitem"), [array, i], [Array(DOUBLE, (self.n,))], {"index": index}, style="operator"
        )
        return self.sym(value)

    def item(self, times: Sym, i: Value, shift: int) -> Sym:
        index = i if not shift else (self.sym(i) + shift if shift > 0 else self.sym(i) - 1).atom
        (value,) = self.builder.append(
            named("getitem"), [times.atom, index], [Array(DOUBLE)], {"index": Slot(1)}, style="operator"
        )
        return self.sym(value)


def pull_flow(solvers: Any, op: Op, problem: Problem, inputs: Sequence[Atom], scope: Any, d: Atom) -> None:
    if problem.refused:
        raise Unsupported(problem.refused)
    if op.attrs.get("steps"):
        raise Unsupported(
            "the solver chose the times of these states, and they have no derivative",
            "Give it `t_eval=`, or read the state at the end alone: `sol.y[:, -1]`.",
        )
    backward = Backward(solvers, problem, inputs, scope)
    y, cotangent = solvers.use(op.outputs[0]), Sym(solvers.builder, d)
    if "times" in problem.places:
        backward.from_times(y, cotangent)
    else:
        backward.from_end(y, cotangent)


__all__ = ["FLOAT", "pull_flow"]

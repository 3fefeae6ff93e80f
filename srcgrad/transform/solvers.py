"""Reverse mode of solutions: by the implicit function theorem, Leibniz's rule and the adjoint equation.

    f(x, p) = 0       dx = -f_x^-1 f_p dp, so that x's cotangent d gives p's: -f_p^T a, with f_x^T a = d
    min_x f(x, p)     the same of the gradient; of the value, f_p alone
    int_a^b f(t, p)   f(b) db - f(a) da + (int_a^b f_p dt) dp

A solution does not depend on where its solver started, nor on how it went on. Griewank & Walther, Evaluating
Derivatives (2008), chapter 15.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.calls import CALL, Procedure
from ..ir.nodes import Atom, Op, Value
from ..ir.primitive import named
from ..ir.solving import FIELD, SOLVER, Problem, problem_of
from ..ir.symbolic import Sym, apply
from ..ir.types import FLOAT, Array, Type
from ..rules.effects import SLOT
from .cotangents import cotangent_name
from .custom import Customs
from .derived import called_as, gradient_of, jacobian_of, vjp_of
from .flows import pull_flow
from .tapes import Scope


class Solvers(Customs):
    def solved(self, op: Op, scope: Scope, cotangents: Sequence[Atom | None]) -> None:
        """The backward step of a solution, or of an attribute of one."""
        if all(d is None for d in cotangents):
            return
        problem = problem_of(op)
        inputs = op.inputs[1:] if op.prim is FIELD else op.inputs
        if op.prim is FIELD:
            self.before += checks(op, self.checked)
        match problem.kind:
            case "root" | "minimum":
                self._implicit(op, problem, inputs, scope, cotangents[0])
            case "integral":
                self._integral(problem, inputs, scope, cotangents)
            case "flow":
                pull_flow(self, op, problem, inputs, scope, cotangents[0])  # type: ignore[arg-type]

    # Functions of the problem

    def derived(self, problem: Problem, key: Any, make: Any) -> Procedure:
        if key not in problem.derived:
            problem.derived[key] = make()
        return problem.derived[key]

    def vjp(self, problem: Problem, procedure: Procedure, wrt: tuple[int, ...]) -> Procedure:
        return self.derived(problem, ("vjp", procedure, wrt), lambda: vjp_of(procedure, wrt, type(self)))

    def call_of(self, procedure: Procedure, inputs: Sequence[Atom], types: Sequence[Type]) -> list[Sym]:
        outputs = self.builder.append(CALL, inputs, types, {"procedure": procedure})
        return [Sym(self.builder, value) for value in outputs]

    def pull(
        self,
        problem: Problem,
        procedure: Procedure,
        given: Sequence[Atom],
        inputs: Sequence[Atom],
        scope: Scope,
        d: Sym,
    ) -> None:
        """Add the cotangents of what the functions read, from that of what `procedure` gives at `given`."""
        first = len(given)
        wrt = [k for k, number in enumerate(problem.arguments) if inputs[number] in self.active]
        if not wrt:
            return
        targets = [inputs[problem.arguments[k]] for k in wrt]
        args = [self.use(inputs[number]) for number in problem.arguments]
        vjp = self.vjp(problem, procedure, tuple(first + k for k in wrt))
        pulled = self.call_of(vjp, [*given, *args, d.atom], [target.type for target in targets])
        for target, part in zip(targets, pulled):
            if isinstance(part.atom, Value) and isinstance(target, Value):
                part.atom.hint = cotangent_name(target)
            self.accumulate(scope, target, part.atom)

    # f(x, p) = 0

    def _implicit(self, op: Op, problem: Problem, inputs: Sequence[Atom], scope: Scope, d: Atom | None) -> None:
        if problem.refused:
            raise Unsupported(f"the function that `{problem.name}` minimises has no gradient: {problem.refused}")
        x, cotangent = op.outputs[0], Sym(self.builder, d)  # type: ignore[arg-type]
        if problem.kind == "minimum" and op.attrs.get("name") == "fun":
            self._at_minimum(op, problem, inputs, scope, cotangent)
            return
        assert problem.equation is not None
        at = self.use(x)
        args = [self.use(inputs[number]) for number in problem.arguments]
        suffix = "hess" if problem.kind == "minimum" else "jac"
        if isinstance(x.type, Array) and not x.type.ndim:
            equation = problem.equation
            suffix = "hess" if problem.kind == "minimum" else "slope"
            slope = self.derived(problem, "slope", lambda: gradient_of(equation, (0,), type(self), suffix))
            (slopes,) = self.call_of(slope, [at, *args], [FLOAT])
            called_as(slopes, "slope" if suffix == "slope" else "curvature")
            self.pull(problem, problem.equation, [at], inputs, scope, -cotangent / slopes)
            return
        equation = problem.equation
        jacobian = self.derived(problem, "jacobian", lambda: jacobian_of(equation, type(self), suffix))
        assert isinstance(x.type, Array)
        (length,) = x.type.axes
        (matrix,) = self.call_of(jacobian, [at, *args], [Array(x.type.dtype, (length, length))])
        called_as(matrix, suffix)
        transposed = matrix if problem.kind == "minimum" else matrix.T
        adjoint = -apply(self.builder, np.linalg.solve, (transposed, cotangent), {})
        self.pull(problem, problem.equation, [at], inputs, scope, called_as(adjoint, "adjoint"))

    def _at_minimum(self, op: Op, problem: Problem, inputs: Sequence[Atom], scope: Scope, d: Sym) -> None:
        """The value at a minimum changes with what the function reads, as if its place stayed."""
        at = Value(problem.value.function.params[0].value.type, "x")
        (at,) = self._field(op, "x", at)
        self.pull(problem, problem.value, [at], inputs, scope, d)

    def _field(self, op: Op, name: str, like: Value) -> tuple[Value, ...]:
        """Another attribute of the same solution."""
        attrs = {"name": name, "type": like.type, "problem": problem_of(op)}
        inputs = [self.use(op.inputs[0]), *(self.use(atom) for atom in op.inputs[1:])]
        return self.builder.append(FIELD, inputs, [like.type], attrs)

    # Integrals

    def _integral(
        self, problem: Problem, inputs: Sequence[Atom], scope: Scope, cotangents: Sequence[Atom | None]
    ) -> None:
        if cotangents[1] is not None:
            raise Unsupported("the error that `quad` estimates has no derivative", "Use the integral alone.")
        d = Sym(self.builder, cotangents[0])  # type: ignore[arg-type]
        args = [self.use(inputs[number]) for number in problem.arguments]
        for name, sign in (("a", -1), ("b", 1)):
            end = inputs[problem.places[name]]
            if end in self.active:
                (height,) = self.call_of(problem.value, [self.use(end), *args], [d.type])
                called_as(height, f"at_{name}")
                change = d * height if sign > 0 else -d * height
                self.accumulate(scope, end, (np.sum(change) if d.ndim else change).atom)
        for k, number in enumerate(problem.arguments):
            if inputs[number] in self.active:
                self.accumulate(scope, inputs[number], self._integral_of_partial(problem, k, inputs, d).atom)

    def _integral_of_partial(self, problem: Problem, k: int, inputs: Sequence[Atom], d: Sym) -> Sym:
        """d times the integral of the derivative in one parameter: by `quad`, or by `quad_vec` for an array."""
        type_, value, given = inputs[problem.arguments[k]].type, problem.value, [self.use(atom) for atom in inputs]
        assert isinstance(type_, Array)
        if d.ndim:
            vjp = self.vjp(problem, value, (1 + k,))
            numbers = (*problem.arguments, len(given))
            return integral_call(self.builder, problem, vjp, numbers, [*given, d.atom], type_)
        suffix = "grad" if len(problem.arguments) == 1 else f"d_{value.function.params[1 + k].name}"
        partial = self.derived(problem, ("partial", k), lambda: gradient_of(value, (1 + k,), type(self), suffix))
        return d * integral_call(self.builder, problem, partial, problem.arguments, given, type_)


def integral_call(
    builder: Any, problem: Problem, function: Procedure, numbers: Sequence[int], inputs: Sequence[Atom], type: Array
) -> Sym:
    """The integral of another function between the same limits; `numbers` are the inputs that it reads."""
    vector = bool(type.ndim)
    slots = [ast.Name(f"{SLOT}{k}", ast.Load()) for k in range(len(inputs) + 2)]
    options = dict(problem.options)
    if vector:
        options.setdefault("epsabs", ast.Constant(1.49e-08))
    args: dict[str, ast.expr] = {}
    if numbers:
        args["args"] = ast.Tuple([slots[number] for number in numbers], ast.Load())
    target = ast.Attribute(slots[-1], "quad_vec" if vector else "quad", ast.Load())
    limits = [slots[problem.places[name]] for name in ("a", "b")]
    keywords = [ast.keyword(key, value) for key, value in {**args, **options}.items()]
    value_type = Array(np.dtype(float), type.axes) if vector else FLOAT
    new = Problem("integral", problem.name, function, tuple(numbers), places=problem.places, options=problem.options)
    attrs = {
        "template": ast.Call(target, [slots[-2], *limits], keywords), "functions": (function,),
        "module": "scipy.integrate", "types": (value_type, FLOAT), "problem": new,
    }  # fmt: skip
    value, _ = builder.append(SOLVER, inputs, [value_type, FLOAT], attrs)
    value.hint = "integral"
    return Sym(builder, value)


def checks(op: Op, checked: set[Atom]) -> list[Op]:
    """`if not sol.success: raise RuntimeError(sol.message)`, once before a solution is differentiated."""
    solution = op.inputs[0]
    if solution in checked or op.role != "primal":
        return []
    checked.add(solution)
    scalar = op.attrs["name"] == "root"
    flag, message = ("converged", "flag") if scalar else ("success", "message")
    template = ast.parse(f"if not {SLOT}0.{flag}: raise RuntimeError({SLOT}0.{message})").body[0]
    return [Op(named("effect"), (solution,), (), {"template": template, "types": ()}, (), op.origin)]

"""Derivatives of calls: each procedure gets those of its own, once for each way in which it is called.

    results, saved = f_forward(arguments)        cotangents = f_backward(saved, cotangents of results)
    results, tangents = f_tangent(arguments, tangents of arguments)

In the caller `saved` is one value, whatever it will be made of: loops record it, branches hand it out. So a procedure
may call itself, before it is known what it saves. The pipeline splits the halves, after it has simplified the two as
one function. The cotangent of what is saved, or its tangent, is again one value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ..errors import Fault, Unsupported
from ..ir.calls import CALL, Procedure, arguments, called, outputs, parameters, procedure_of
from ..ir.dims import Facts
from ..ir.nodes import Atom, Function, Op, Param, Value
from ..ir.symbolic import Sym
from ..ir.types import Array, Saved
from .activity import differentiable
from .cotangents import Cotangents, cotangent_name
from .tapes import Scope


@dataclass(frozen=True)
class Use:
    """A way in which a procedure is differentiated, by the numbers of its arguments and of a call's outputs.

    wrt : the arguments whose cotangents are wanted; seeds : the results that have one
    masked : those of the seeds that may hold zeros where a derivative is infinite
    """

    procedure: Procedure
    wrt: tuple[int, ...]
    seeds: tuple[int, ...]
    masked: tuple[int, ...]


@dataclass(eq=False)
class Pair:
    """The two halves of a procedure, and the function that they will be split from."""

    forward: Procedure
    backward: Procedure
    gradients: tuple[int, ...]  # how many cotangents it gives for each of the arguments that have one
    joint: Function | None = None  # its results are the procedure's, and then the cotangents
    seeds: tuple[Value, ...] = ()
    saves: bool = True  # whether the backward half needs anything of the forward half
    leader: Pair | None = None  # whose forward half is called instead


@dataclass
class Pairs:
    """All halves of one differentiation."""

    made: dict[Use, Pair] = field(default_factory=dict)
    waiting: list[Use] = field(default_factory=list)  # named, but not yet differentiated
    faults: list[Fault] = field(default_factory=list)

    def of(self, use: Use) -> Pair:
        if use not in self.made:
            plain = use.procedure
            forward = Procedure(
                f"{plain.name}_forward", plain.facts, kind="forward", shares=True, impure=plain.impure, plain=plain
            )
            backward = Procedure(f"{plain.name}_backward", plain.facts, kind="backward", plain=plain)
            moving = moving_arguments(plain.function)
            self.made[use] = Pair(forward, backward, gradients=tuple(len(moving[k]) for k in use.wrt))
            self.waiting.append(use)
        return self.made[use]


@dataclass
class Pushed:
    """The tangent functions of procedures, for one derivative by forward mode."""

    made: dict[tuple[Procedure, tuple[int, ...]], Procedure] = field(default_factory=dict)
    waiting: list[tuple[Procedure, tuple[int, ...]]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def of(self, plain: Procedure, wrt: tuple[int, ...]) -> Procedure:
        key = plain, wrt
        if key not in self.made:
            # what it has saved may be any of its arguments
            made = Procedure(f"{plain.name}_tangent", plain.facts, kind="tangent", shares=True, impure=plain.impure)
            made.plain = plain
            self.made[key] = made
            self.waiting.append(key)
        return self.made[key]


def moving_arguments(function: Function) -> list[list[int]]:
    """For each argument of a call the parameters that may have a derivative."""
    return [[k for k in group if differentiable(function.params[k].value.type)] for group in arguments(function)]


def moving_outputs(function: Function) -> list[list[int]]:
    """For each output of a call the results that may have a derivative."""
    return [[k for k in group if differentiable(function.body.results[k].type)] for group in outputs(function)]


def seeds_of(function: Function, use: Use) -> tuple[Function, tuple[tuple[int, Value], ...]]:
    """The procedure's function with parameters for the cotangents of its results, each beside the result's number."""
    found: list[tuple[int, Value]] = []
    params = list(function.params)
    parts = moving_outputs(function)
    for number in use.seeds:
        values = [function.body.results[k] for k in parts[number]]
        seeds = [Value(value.type, cotangent_name(value) if isinstance(value, Value) else None) for value in values]
        params += beside(params, seeds, "d_saved" if len(outputs(function)[number]) > 1 else "d_value")
        found += zip(parts[number], seeds)
    return replace(function, params=tuple(params)), tuple(found)


def beside(params: Sequence[Param], values: Sequence[Value], stem: str) -> list[Param]:
    """One more argument, which holds these values: called like the value, or, of several, by the stem."""
    hint = stem if len(values) > 1 else values[0].hint or stem
    name, count = hint, 1
    while name in {p.name for p in params}:
        count += 1
        name = f"{hint}_{count}"
    if len(values) == 1:
        values[0].hint = name
    return parameters(name, values)


class Calls(Cotangents):
    def __init__(self, facts: Facts, active: set[Value], pairs: Pairs):
        super().__init__(facts, active)
        self.pairs = pairs
        self.masked_seeds: set[Value] = set()

    def call(self, op: Op, scope: Scope, cotangents: Sequence[Atom | None]) -> Op:
        """The backward half's call; the forward half's in place of the plain one."""
        procedure = procedure_of(op)
        moving = moving_arguments(known_body(procedure))
        seeds = tuple(k for k, d in enumerate(cotangents) if d is not None)
        wrt = tuple(k for k, a in enumerate(op.inputs) if isinstance(a, Value) and a in self.active and moving[k])
        if not seeds or not wrt:
            return op
        given = [d for d in cotangents if d is not None]
        # of what was saved, any part may hold such zeros
        masked = tuple(
            k for k, d in zip(seeds, given) if not isinstance(d.type, Array) or self.is_masked(Sym(self.builder, d))
        )
        pair = self.pairs.of(Use(procedure, wrt, seeds, masked))
        saved = Value(Saved(), f"{procedure.name}_saved")
        if scope.kind != "root":
            self.enter(scope, [saved])
        targets = [op.inputs[k] for k in wrt]
        outputs = self.builder.append(
            CALL, [self.use(saved), *given], [t.type for t in targets], {"procedure": pair.backward}
        )
        for target, output in zip(targets, outputs):
            assert isinstance(target, Value)
            output.hint = cotangent_name(target)
            self.accumulate(scope, target, output)
        return replace(op, attrs={**op.attrs, "procedure": pair.forward}, outputs=(*op.outputs, saved))

    def is_masked(self, d: Sym) -> bool:
        raise NotImplementedError


def known_body(procedure: Procedure) -> Function:
    """What the procedure does; a derivative of a function that is still being read cannot be taken."""
    if procedure.body is None:
        raise Unsupported(f"`{procedure}` takes a derivative of itself", "Take the derivative of another function.")
    return procedure.body


def no_derivative(op: Op) -> Unsupported:
    """What a call of a function without rule says where its derivative is needed."""
    assert op.prim.undefined is not None
    why, way_out = op.prim.undefined
    return Unsupported(why.format(name=op.attrs.get("name", op.prim.name)), way_out)


def in_order(pairs: Sequence[Pair]) -> list[Pair]:
    """What is called before its callers, as far as that can be: some call each other."""
    of = {half: pair for pair in pairs for half in (pair.forward, pair.backward)}
    found: dict[Pair, None] = {}
    entered: set[Pair] = set()

    def visit(pair: Pair) -> None:
        if pair in entered or pair.joint is None:
            return
        entered.add(pair)
        for procedure in called(pair.joint.body.ops):
            if procedure in of:
                visit(of[procedure])
        found[pair] = None

    for pair in pairs:
        visit(pair)
    return list(found)

"""Reverse mode of calls: each procedure gets a forward and a backward half, once for each way in which it is called.

    results, saved = f_forward(arguments)        cotangents = f_backward(saved, cotangents of results)

In the caller `saved` is one value, whatever it will be made of: loops record it, branches hand it out. So a procedure
may call itself, before it is known what it saves. The pipeline splits the halves, after it has simplified the two as
one function.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ..errors import Fault, Unsupported
from ..ir.calls import CALL, Procedure, called, procedure_of
from ..ir.dims import Facts
from ..ir.nodes import Atom, Function, Op, Param, Value
from ..ir.symbolic import Sym
from ..ir.types import Saved
from .cotangents import Cotangents, cotangent_name
from .tapes import Scope


@dataclass(frozen=True)
class Use:
    """A way in which a procedure is differentiated, by the numbers of its arguments and results.

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
    gradients: int  # how many cotangents it gives
    joint: Function | None = None  # its results are the procedure's, and then the cotangents
    seeds: tuple[Value, ...] = ()
    saves: bool = True  # whether the backward half needs anything of the forward half


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
            self.made[use] = Pair(forward, backward, gradients=len(use.wrt))
            self.waiting.append(use)
        return self.made[use]


def seeds_of(function: Function, use: Use) -> tuple[Function, tuple[Value, ...]]:
    """The procedure's function with one more parameter for the cotangent of each of the results."""
    params, seeds = list(function.params), []
    for number in use.seeds:
        result = function.body.results[number]
        hint = (cotangent_name(result) if isinstance(result, Value) else None) or "d_value"
        name, count = hint, 1
        while name in {p.name for p in params}:
            count += 1
            name = f"{hint}_{count}"
        seed = Value(result.type, name)
        params.append(Param(seed, name))
        seeds.append(seed)
    return replace(function, params=tuple(params)), tuple(seeds)


class Calls(Cotangents):
    def __init__(self, facts: Facts, active: set[Value], pairs: Pairs):
        super().__init__(facts, active)
        self.pairs = pairs
        self.masked_seeds: set[Value] = set()

    def call(self, op: Op, scope: Scope, cotangents: Sequence[Atom | None]) -> Op:
        """The backward half's call; the forward half's in place of the plain one."""
        procedure = procedure_of(op)
        seeds = tuple(k for k, d in enumerate(cotangents) if d is not None)
        wrt = tuple(k for k, a in enumerate(op.inputs) if isinstance(a, Value) and a in self.active)
        if not seeds or not wrt:
            return op
        if procedure.kind != "plain":
            raise Unsupported(f"`{procedure}` is a gradient already, and is differentiated again")
        given = [d for d in cotangents if d is not None]
        masked = tuple(k for k, d in zip(seeds, given) if self.is_masked(Sym(self.builder, d)))
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

"""Derivatives of a function that stands by itself, as functions of their own: `residual_vjp`, `residual_jac`.

Each is made once for a problem, on parameters of its own, and has its caller's lengths and facts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..errors import Unsupported
from ..ir.calls import Procedure
from ..ir.custom import clone, put_in_place
from ..ir.dims import Facts
from ..ir.nodes import Atom, Const, Function, Op, Param, Region, Slot, Value
from ..ir.primitive import named
from ..ir.symbolic import Sym
from ..ir.types import INT, Array
from .activity import active_values
from .calls import Pairs
from .cotangents import cotangent_name
from .tapes import Scope


@dataclass
class Opened:
    """A function on new parameters, ready to be differentiated: its ops, its results and a reverse mode of them."""

    params: list[Value]
    ops: list[Op]
    results: list[Atom]
    reverse: Any
    root: Scope
    extra: list[Value] = field(default_factory=list)  # more parameters: cotangents

    def seed(self, number: int, d: Atom) -> None:
        self.reverse.accumulate(self.root, self.results[number], d)

    def backprop(self) -> list[Op]:
        """The function's own ops, extended by what they record; the backward sweep goes to the builder."""
        ops: list[Op] = self.reverse.backprop(self.ops, self.root)
        if self.reverse.faults:
            fault = self.reverse.faults[0]
            raise Unsupported(fault.message, fault.way_out, fault.origin)
        return ops

    def cotangent(self, number: int) -> Atom:
        atom: Atom = self.reverse.final(self.root, self.params[number])
        return atom


def open_function(procedure: Procedure, wrt: Sequence[int], reverse: Callable[..., Any]) -> Opened:
    facts = procedure.facts
    function = put_in_place(procedure.function, facts)
    params = [Value(p.value.type, p.value.hint or p.name) for p in function.params]
    region = Region(tuple(p.value for p in function.params), function.body.ops, function.body.results)
    ops, results = clone(region, params, facts, "primal")
    ops = [as_given(new, old) for new, old in zip(ops, region.ops)]
    active = active_values(Region((), tuple(ops), tuple(results)), [params[k] for k in wrt])
    machine = reverse(facts, active, Pairs())
    machine.builder.notice(Region(tuple(params), tuple(ops), ()))
    root = Scope(None, "root")
    root.inside.update(params, *(op.outputs for op in ops))
    machine.builder.scope = root
    return Opened(params, ops, results, machine, root)


def as_given(op: Op, old: Op) -> Op:
    """What an earlier derivative has made stays such, so that it is simplified as such."""
    role = old.role if old.role == "primal" else "derivative"
    regions = tuple(
        replace(region, ops=tuple(as_given(a, b) for a, b in zip(region.ops, before.ops)))
        for region, before in zip(op.regions, old.regions)
    )
    return replace(op, role=role, regions=regions)


def vjp_of(procedure: Procedure, wrt: Sequence[int], reverse: Callable[..., Any], result: int = 0) -> Procedure:
    """(*parameters, d) -> the cotangents of those parameters: `residual_vjp(x, theta, d_residual)`."""
    opened = open_function(procedure, wrt, reverse)
    given = opened.results[result]
    assert isinstance(given.type, Array)
    seed = Value(replace(given.type, dim=None), cotangent_name(given) if isinstance(given, Value) else None)
    seed.hint = seed.hint or f"d_{procedure.name}"
    opened.extra.append(seed)
    opened.seed(result, seed)
    ops = opened.backprop()
    return made(procedure, "vjp", opened, [*ops, *opened.reverse.builder.ops], [opened.cotangent(k) for k in wrt])


def gradient_of(procedure: Procedure, wrt: Sequence[int], reverse: Callable[..., Any], suffix: str) -> Procedure:
    """(*parameters) -> the gradient of a function of one number."""
    opened = open_function(procedure, wrt, reverse)
    opened.seed(0, Const(1.0))
    ops = opened.backprop()
    return made(procedure, suffix, opened, [*ops, *opened.reverse.builder.ops], [opened.cotangent(k) for k in wrt])


def jacobian_of(procedure: Procedure, reverse: Callable[..., Any], suffix: str) -> Procedure:
    """(*parameters) -> the derivative of the function in its first parameter, a matrix filled row by row."""
    opened = open_function(procedure, [0], reverse)
    x, machine = opened.params[0], opened.reverse
    builder, facts = machine.builder, procedure.facts
    assert isinstance(x.type, Array)
    (length,) = x.type.axes
    square = Array(x.type.dtype, (length, length))
    if facts.canon(length).constant is None:
        (count,) = builder.apply(named("dim"), [], {"dim": length})
    else:
        count = Const(facts.canon(length).constant)
    (start,) = builder.apply(named("zeros"), [], {"shape": square.axes, "dtype": square.dtype}, hint="jac")
    before, builder.ops = builder.ops, []
    row, jac = Value(INT, "i"), Value(square, "jac")
    result = opened.results[0]
    (zeros,) = builder.apply(named("zeros"), [], {"shape": (length,), "dtype": square.dtype}, hint="d")
    (unit,) = builder.apply(named("index_set"), [zeros, Const(1.0), row], {"index": Slot(1)}, hint="d")
    unit.hint = cotangent_name(result) if isinstance(result, Value) and result.hint else "d"
    zeros.hint = unit.hint
    opened.seed(0, unit)
    ops = opened.backprop()
    (filled,) = builder.apply(named("index_set"), [jac, opened.cotangent(0), row], {"index": Slot(1)}, hint="jac")
    body, builder.ops = tuple(builder.ops), before
    if any(op.regions for op in ops):  # a recording is read by one loop, that of its own pass
        body, ops = (*ops, *body), []
    (matrix,) = builder.append(
        named("for"),
        [Const(0), count, Const(1), start],
        [square],
        {"carried": 1, "reverse": False},
        hint="jac",
        regions=(Region((row, jac), body, (filled,)),),
    )
    return made(procedure, suffix, opened, [*ops, *builder.ops], [matrix])


def called_as(symbol: Sym, hint: str | None) -> Sym:
    """The symbol, whose value is called so if it has no name yet."""
    if isinstance(symbol.atom, Value) and symbol.atom.hint is None:
        symbol.atom.hint = hint
    return symbol


def made(procedure: Procedure, suffix: str, opened: Opened, ops: Sequence[Op], results: Sequence[Atom]) -> Procedure:
    """The derivative as a function beside the one that it is of."""
    function = procedure.function
    params = [Param(value, p.name) for value, p in zip(opened.params, function.params)]
    params += [Param(value, free_name(value.hint or "d", params)) for value in opened.extra]
    notes = {**function.notes, "signature": tuple((p.name, "plain", None) for p in params)}
    template = Slot(0) if len(results) == 1 else tuple(map(Slot, range(len(results))))
    stem = procedure.name.removesuffix("_grad") if suffix == "hess" else procedure.name
    name = f"{stem}_{suffix}"
    new = Procedure(name, procedure.facts, shares=True, apart=False)
    new.body = Function(name, tuple(params), Region((), tuple(ops), tuple(results)), template, notes)
    return new


def free_name(stem: str, params: Sequence[Param]) -> str:
    name, number = stem, 1
    while name in {p.name for p in params}:
        number += 1
        name = f"{stem}_{number}"
    return name


__all__ = [
    "Facts",
    "as_given",
    "called_as",
    "free_name",
    "gradient_of",
    "jacobian_of",
    "made",
    "open_function",
    "vjp_of",
]

"""Reverse mode on structured SSA: walk every region backwards, carrying a cotangent for each active value.

What the backward sweep needs of a loop's or branch's inside is recorded by the forward sweep: here every value that
a derivative formula *might* read is imported where it is read, and the optimiser drops what does not survive
simplification. Nothing is guessed: a value that no surviving op reads has no use, and its tape is dead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..errors import Fault
from ..ir.dims import Facts
from ..ir.nodes import Const, Function, Value
from .activity import active_values
from .invariance import cancelling
from .regions import Regions
from .tapes import Scope


@dataclass(frozen=True)
class Differentiated:
    """The joint function, and its faults: constructs that have no derivative."""

    function: Function
    faults: tuple[Fault, ...]


def differentiate(
    function: Function, result: int, wrt: Sequence[Value], facts: Facts, seed: Value | None = None
) -> Differentiated:
    """One function with the forward sweep of `function`, then the gradient of its result number `result`.

    Its results are `function`'s, followed by one cotangent for each value in `wrt`. `seed` is the cotangent of the
    result, a parameter of the caller's making; None stands for 1.
    """
    reverse = Regions(facts, active_values(function.body, wrt, cancelling(function.body, facts)))
    reverse.builder.notice(function.body)
    root = Scope(None, "root")
    loss = function.body.results[result]
    reverse.accumulate(root, loss, seed if seed is not None else Const(1.0))
    forward = reverse.backprop(function.body.ops, root)
    gradients = [reverse.final(root, value) for value in wrt]
    body = replace(function.body, ops=(*forward, *reverse.builder.ops), results=(*function.body.results, *gradients))
    return Differentiated(replace(function, body=body), tuple(reverse.faults))

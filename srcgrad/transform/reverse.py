"""Reverse mode on structured SSA: walk every region backwards, carrying a cotangent for each active value.

What the backward sweep needs of a loop's or branch's inside is recorded by the forward sweep: here every value that
a derivative formula *might* read is imported where it is read, and the optimiser drops what does not survive
simplification. Nothing is guessed: a value that no surviving op reads has no use, and its tape is dead.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from ..errors import Fault
from ..ir.calls import Procedure, outputs
from ..ir.dims import Facts
from ..ir.nodes import Atom, Const, Function, Undefined, Value
from .activity import active_values
from .calls import Pair, Pairs, Use, moving_arguments, seeds_of
from .invariance import cancelling, noted
from .regions import Regions
from .tapes import Scope

_SPLIT = "Write the function that calls itself without the loop, or differentiate it once."


@dataclass(frozen=True)
class Differentiated:
    """The joint function, its faults (what has no derivative), and the derivatives of the procedures that it calls."""

    function: Function
    faults: tuple[Fault, ...]
    pairs: tuple[Pair, ...] = ()
    pushed: tuple[Procedure, ...] = ()


def differentiate(
    function: Function, results: Sequence[int], wrt: Sequence[Value], facts: Facts, seeds: Sequence[Value] = ()
) -> Differentiated:
    """One function with the forward sweep of `function`, then the gradient of its results numbered `results`.

    Its results are `function`'s, followed by one cotangent for each value in `wrt`. `seeds` are the cotangents of the
    results, parameters of the caller's making; without them, they are 1.
    """
    pairs = Pairs()
    given: Sequence[Atom] = seeds or [Const(1.0)] * len(results)
    joint = _joint(function, list(zip(results, given)), wrt, facts, pairs)
    while pairs.waiting:
        _differentiate_procedure(pairs.waiting.pop(), pairs)
    return Differentiated(joint, tuple(dict.fromkeys(pairs.faults)), tuple(pairs.made.values()))


def _joint(
    function: Function,
    seeds: Sequence[tuple[int, Atom]],
    wrt: Sequence[Value],
    facts: Facts,
    pairs: Pairs,
    masked: Collection[Value] = (),
) -> Function:
    """The forward sweep, then the backward sweep from the cotangents of these results."""
    constant = cancelling(function, facts)
    reverse = Regions(facts, active_values(function.body, wrt, constant), pairs)
    reverse.masked_seeds.update(masked)
    reverse.builder.notice(replace(function.body, params=tuple(param.value for param in function.params)))
    root = Scope(None, "root")
    root.inside.update([p.value for p in function.params], *(op.outputs for op in function.body.ops))
    reverse.builder.scope = root
    for number, seed in seeds:
        reverse.accumulate(root, function.body.results[number], seed)
    forward = reverse.backprop(function.body.ops, root)
    gradients = [reverse.final(root, value) for value in wrt]
    pairs.faults += reverse.faults
    body = replace(function.body, ops=(*forward, *reverse.builder.ops), results=(*function.body.results, *gradients))
    return noted(replace(function, body=body), constant)


def _differentiate_procedure(use: Use, pairs: Pairs) -> None:
    pair = pairs.made[use]
    plain = use.procedure.function
    function, seeds = seeds_of(plain, use)
    pair.seeds = tuple(seed for _, seed in seeds)
    moving, masked_results = moving_arguments(plain), {k for n in use.masked for k in outputs(plain)[n]}
    wrt = [function.params[k].value for number in use.wrt for k in moving[number]]
    masked = {seed for number, seed in seeds if number in masked_results}
    pair.joint = _joint(function, seeds, wrt, use.procedure.facts, pairs, masked)
    given = pair.joint.body.results[len(plain.body.results) :]
    if any(isinstance(d, Undefined) for d in given):
        origin = pair.joint.body.ops[-1].origin
        pairs.faults.append(Fault(origin, f"`{use.procedure}` records what its derivative does not need", _SPLIT))

"""Forward halves that differ in what they save alone are one: that which saves the most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..ir.alike import matched
from ..ir.calls import Procedure, header, packages, parameters
from ..ir.nodes import Atom, Function, Value
from .calls import Pair


def share_forward_halves(pair: Pair, others: Sequence[Pair]) -> dict[Procedure, Procedure]:
    """Forward halves and what is called in their place, now that `pair` has been split as the others have.

    One block of several may need no gradient of its input, and so save less. That its backward half is handed more
    costs nothing, as it is all computed anyway.
    """
    instead: dict[Procedure, Procedure] = {}
    for other in others:
        if other.forward.plain is not pair.forward.plain or other.leader is not None:
            continue
        if pair.leader is None and _hand_over(pair, other):
            pair.leader = other
        elif pair.leader is None and _hand_over(other, pair):
            for each in (other, *(follower for follower in others if follower.leader is other)):
                each.leader = pair
                if each is not other:
                    _hand_over(each, pair)
            instead[other.forward] = pair.forward
    return instead if pair.leader is None else {**instead, pair.forward: pair.leader.forward}


def _saved(half: Function) -> list[Atom]:
    return list(half.body.results[half.notes["values"] :])


def _hand_over(less: Pair, more: Pair) -> bool:
    """Let the one's backward half take what the other's forward half saves; False where it does not hold all."""
    ours, theirs = less.forward.function, more.forward.function
    if not (less.saves and more.saves) or ours.notes.get("groups") or theirs.notes.get("groups"):
        return False
    pairs = matched(theirs, ours)
    if pairs is None:
        return False
    places = [pairs.get(value) for value in _saved(theirs) if isinstance(value, Value)]
    if not set(_saved(ours)) <= set(places):
        return False
    if len(places) > 1:
        less.backward.body = _unpacking(less.backward.function, _saved(ours), places, _saved(theirs))
    return True


def _unpacking(half: Function, own: list[Atom], places: list[Value | None], all: list[Atom]) -> Function:
    """A backward half that is handed a tuple of which it reads some items."""
    before = half.notes["signature"][0][0]
    rest = [p for p in half.params if p.name != before]
    package = "saved"
    while package in {p.name for p in rest}:
        package += "_"
    values = [p if p in own else Value(v.type, getattr(v, "hint", None)) for p, v in zip(places, all)]
    params = [*parameters(package, [v for v in values if isinstance(v, Value)]), *rest]
    notes = {**half.notes, "packages": packages(params), "signature": header(params)}
    return replace(half, params=tuple(params), notes=notes)


__all__ = ["share_forward_halves"]

"""Values that may be undefined where they are visible: what only one half of a branch records for the other sweep.

A formula reads them only where they are defined. Whatever merely looks for a value at hand (one with a wanted length,
say) must not take one of these.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .nodes import Atom, Op, Undefined, Value


def partial_values(ops: Sequence[Op], known: Iterable[Value] = ()) -> set[Value]:
    """Outputs of branches with an Undefined half, and the recordings and loop variables that hold them."""
    found = set(known)
    _walk(ops, found)
    return found


def _walk(ops: Sequence[Op], found: set[Value]) -> None:
    for op in ops:
        match op.prim.name:
            case "if":
                for region in op.regions:
                    _walk(region.ops, found)
                    _pass(region.results, op.outputs, found)
            case "for" | "while":
                _loop(op, found)


def _loop(op: Op, found: set[Value]) -> None:
    body, first = op.regions[-1], 3 if op.prim.name == "for" else 0
    params = body.params[1:] if first else body.params
    carried = op.attrs["carried"]
    before = -1
    while len(found) != before:
        before = len(found)
        _pass(op.inputs[first:], params, found)
        _walk(body.ops, found)
        _pass(body.results[:carried], params, found)
    _pass(op.inputs[first : first + carried], op.outputs, found)
    _pass(body.results, op.outputs, found)


def _pass(sources: Sequence[Atom], targets: Sequence[Value], found: set[Value]) -> None:
    found.update(t for s, t in zip(sources, targets) if isinstance(s, Undefined) or s in found)

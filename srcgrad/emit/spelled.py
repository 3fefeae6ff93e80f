"""Which ops a line spells: the statement's own, and those folded into it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from ..ir.nodes import Atom, Op
from .fold import Folding, operands
from .statements import Statement


def spelled(statement: Statement, results: Iterable[Atom], folding: Folding) -> Iterator[Op]:
    """The ops of the line that a statement becomes, or of its header; `results` are those of the whole function."""
    match statement:
        case Statement(kind="record", items=items):
            yield from (folding.made[item] for item in items if item in folding.made)
        case Statement(kind="return"):
            yield from folded(results, folding)
        case Statement(kind="while", op=Op() as op, ends=[test, *_]):
            yield op
            yield from folded(test, folding)
        case Statement(kind="for", op=Op() as op):
            yield op
            yield from folded([*op.inputs[:3], *(sequence for sequence, _ in statement.sequences)], folding)
        case Statement(op=Op() as op):
            yield op
            yield from folded(op.inputs[:1] if statement.kind == "if" else operands(op), folding)


def folded(atoms: Iterable[Atom], folding: Folding) -> Iterator[Op]:
    """The ops that stand in place of these values."""
    for atom in atoms:
        op = folding.op(atom)
        if op is not None:
            yield op
            yield from folded(operands(op), folding)


def mark(node: ast.stmt, ops: Iterable[Op]) -> ast.stmt:
    """The statement's node, with a note of the ops that it spells, where it has none yet."""
    if not hasattr(node, "ops"):
        node.ops = tuple(dict.fromkeys(ops))  # type: ignore[attr-defined]
    return node

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
        case Statement(kind="record", items=items, head=(tape,)):
            made = [folding.made[item] for item in items if item in folding.made]
            yield from made or [folding.made[tape]]  # what a pass begins with belongs to the loop
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
    """The statement's node, with a note of the ops that it spells, if it spells any and has no note yet."""
    found = tuple(dict.fromkeys(ops))
    if found and not hasattr(node, "ops"):
        node.ops = found  # type: ignore[attr-defined]
    return node


def mark_all(nodes: Iterable[ast.stmt], statement: Statement, results: Iterable[Atom], folding: Folding) -> None:
    """Note what the nodes of a statement spell: the last without a note is its own, those before it prepare it."""
    bare = [node for node in nodes if not hasattr(node, "ops")]
    for node in bare[:-1]:
        mark(node, [statement.op] if statement.op is not None else [])
    if bare:
        mark(bare[-1], spelled(statement, results, folding))

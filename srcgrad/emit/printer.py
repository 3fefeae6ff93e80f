"""Printing Python source: astor, checked by parsing its text again, with `ast.unparse` where it falls short.

Comments, and which statement a line belongs to, come from walking the tree that was printed and the tree of its own
text in lockstep.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

from ..errors import InternalError


def print_module(module: ast.Module) -> tuple[str, dict[int, ast.stmt]]:
    """The module's text with comments, and by the line's number the statement that a line belongs to.

    A statement node may carry `comment` and, above it, `leading` (text without the hash). A loop or branch has the
    lines of its header alone.
    """
    ast.fix_missing_locations(module)
    text = _print(module)
    lines = text.splitlines()
    statements: dict[int, ast.stmt] = {}
    notes: list[tuple[int, int, Any]] = []
    for made, read in _lockstep(module, ast.parse(text)):
        end = read.body[0].lineno - 1 if getattr(read, "body", None) else (read.end_lineno or read.lineno)
        statements.update(dict.fromkeys(range(read.lineno, max(end, read.lineno) + 1), made))
        notes.append((read.lineno, max(end, read.lineno), made))
    return _annotate(lines, notes, statements)


def _print(module: ast.Module) -> str:
    text = _astor(module)
    if text is not None and _same(text, module):
        return text
    text = ast.unparse(module) + "\n"
    if not _same(text, module):
        raise InternalError(f"printed source does not parse back to its tree:\n{text}")
    return text


def _astor(module: ast.Module) -> str | None:
    """astor's text, or None where it fails; its long-line wrapping is left out, as formatters do that better."""
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import astor

            text = str(astor.to_source(module, pretty_source="".join))
            return re.sub(r"^( *return )(.*),$", r"\1(\2,)", text, flags=re.MULTILINE)  # a 1-tuple that shows
    except Exception:
        return None


def _same(text: str, module: ast.Module) -> bool:
    try:
        return ast.dump(ast.parse(text)) == ast.dump(module)
    except SyntaxError:
        return False


def _lockstep(made: ast.AST, read: ast.AST) -> Iterator[tuple[Any, Any]]:
    """Statements of the two equal trees in pairs."""
    for a, b in zip(ast.iter_child_nodes(made), ast.iter_child_nodes(read)):
        if isinstance(a, ast.stmt):
            yield a, b
        if isinstance(a, (ast.stmt, ast.Module)):
            yield from _lockstep(a, b)


def _annotate(
    lines: list[str], notes: list[tuple[int, int, Any]], statements: dict[int, ast.stmt]
) -> tuple[str, dict[int, ast.stmt]]:
    """Comments behind and above their statements; line numbers move down by the lines put in."""
    behind = {end: node.comment for _, end, node in notes if getattr(node, "comment", "")}
    above = {start: node.leading for start, _, node in notes if getattr(node, "leading", ())}
    text: list[str] = []
    moved: dict[int, ast.stmt] = {}
    for number, line in enumerate(lines, 1):
        indent = line[: len(line) - len(line.lstrip())]
        text += [f"{indent}# {comment}" for comment in above.get(number, ())]
        comment = behind.get(number, "")
        text.append(f"{line}  # {comment}" if comment else line)
        if number in statements:
            moved[len(text)] = statements[number]
    return "\n".join(text) + "\n", moved

"""Where the lines of a gradient come from: the user's functions that are in it, and which line belongs to which."""

from __future__ import annotations

import ast
import linecache
import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from ...emit import Emitted
from ...errors import Origin
from ...ir.nodes import Op
from ...runtime.source import Source, find_source, short_name

_SWEEPS = {"primal": "forward", "adjoint": "backward", "tangent": "tangent"}


@dataclass(frozen=True)
class Block:
    """A piece of the user's source: a function, in a file, from a line on."""

    title: str
    file: str
    first: int
    lines: tuple[str, ...]
    indent: int = 0  # taken off every line

    def holds(self, origin: Origin) -> bool:
        return origin.file == self.file and self.first <= origin.line < self.first + len(self.lines)

    @property
    def text(self) -> str:
        return "".join(f"{line}\n" for line in self.lines)


@dataclass(frozen=True)
class Sources:
    """The user's side of the page; a line's identity is `u3-12`, for line 12 of the fourth block."""

    blocks: tuple[Block, ...]
    colours: dict[str, int] = field(default_factory=dict)  # by identity, in the order of the lines

    def identity(self, origin: Origin) -> str:
        """Of the line at this place; empty where no block holds it."""
        return next((f"u{n}-{origin.line}" for n, block in enumerate(self.blocks) if block.holds(origin)), "")


@dataclass(frozen=True)
class Generated:
    """One generated text, and for its lines the ops that they spell."""

    emitted: Emitted

    @cached_property
    def lines(self) -> list[str]:
        return self.emitted.text.removesuffix("\n").split("\n")  # a comment may hold what splitlines takes for an end

    def ops(self, number: int) -> tuple[Op, ...]:
        return self.emitted.ops.get(number, ())

    def origins(self, number: int) -> list[Origin]:
        """The user's places that a line computes or differentiates."""
        return self.emitted.places(number)

    def sweep(self, number: int) -> str:
        """ "forward", "backward" or "tangent", by what the line itself computes; empty where it computes nothing."""
        ops = self.ops(number)
        return _SWEEPS.get(ops[0].role, "backward") if ops else ""


def sources(function: types.FunctionType, generated: Iterable[Generated]) -> Sources:
    """The function, and behind it every other one that a generated line comes from."""
    main = _block(find_source(function))
    found = [main]
    for each in generated:
        for number in range(1, len(each.lines) + 1):
            for origin in each.origins(number):
                if not any(block.holds(origin) for block in found):
                    found += _around(origin)
    return Sources(tuple(found))


def coloured(known: Sources, generated: Iterable[Generated]) -> Sources:
    """With a colour for each of the user's lines that a generated line comes from."""
    places = {known.identity(o) for g in generated for n in range(1, len(g.lines) + 1) for o in g.origins(n)} - {""}
    order = sorted(places, key=lambda identity: [int(part) for part in identity[1:].split("-")])
    return Sources(known.blocks, {identity: number for number, identity in enumerate(order)})


def whole_file(file: Path) -> Sources:
    """The explorer's user side: the whole file."""
    lines = [line.rstrip("\r\n") for line in linecache.getlines(str(file))]
    return Sources((Block(file.name, short_name(str(file)), 1, tuple(lines)),))


def _block(source: Source) -> Block:
    node = source.node
    first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
    return _cut(source.name, short_name(source.file.name), source.file.lines, first, node.end_lineno or first)


def _around(origin: Origin) -> list[Block]:
    """The function, or the statement, that a place is in; nothing where its file cannot be read."""
    lines = linecache.getlines(origin.file) or linecache.getlines(str(Path(origin.file).absolute()))
    try:
        tree = ast.parse("".join(lines))
    except SyntaxError:
        return []
    inside = [n for n in ast.walk(tree) if isinstance(n, ast.stmt) and _spans(n, origin.line)]
    functions = [n for n in inside if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))]
    if not inside:
        return []
    node = functions[-1] if functions else inside[0]
    first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
    name = getattr(node, "name", Path(origin.file).name)
    return [_cut(name, origin.file, lines, first, node.end_lineno or first)]


def _spans(node: ast.stmt, line: int) -> bool:
    return node.lineno <= line <= (node.end_lineno or node.lineno)


def _cut(title: str, file: str, lines: Sequence[str], first: int, last: int) -> Block:
    kept = [line.rstrip("\r\n") for line in lines[first - 1 : last]]
    indent = len(kept[0]) - len(kept[0].lstrip()) if kept else 0
    if any(line[:indent].strip() for line in kept):  # a string or a continued line further to the left
        indent = 0
    return Block(title, file, first, tuple(line[indent:] for line in kept), indent)


def relations(generated: Generated, known: Sources) -> Mapping[int, list[str]]:
    """For each generated line the identities of the user's lines that it comes from."""
    pairs = ((n, [known.identity(o) for o in generated.origins(n)]) for n in range(1, len(generated.lines) + 1))
    return {number: [each for each in dict.fromkeys(found) if each] for number, found in pairs}

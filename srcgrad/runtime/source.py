"""Finding a function's source: its syntax tree, its lines, its comments."""

from __future__ import annotations

import ast
import inspect
import io
import linecache
import os
import re
import tokenize
import types
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from ..errors import Origin, SourceNotFound

# Comments that tell a linter or type checker something about the user's line, not a reader
_FOR_TOOLS = re.compile(r"#\s*(type:|noqa\b|pragma:|pylint:|pyright:|mypy:|ruff:|fmt:|isort:|nosec\b)")

Node = ast.FunctionDef | ast.Lambda


@dataclass(frozen=True)
class File:
    """One source file, parsed once."""

    name: str
    lines: tuple[str, ...]
    tree: ast.Module
    comments: dict[int, str] = field(default_factory=dict)  # line -> comment behind code
    alone: dict[int, str] = field(default_factory=dict)  # line -> comment on a line of its own
    functions: tuple[Node, ...] = ()  # every definition in it


@dataclass(frozen=True)
class Source:
    """A function's definition inside its file."""

    file: File
    node: Node
    name: str

    @property
    def text(self) -> str:
        """The definition's own lines, which the cache key covers."""
        first = min([self.node.lineno, *(d.lineno for d in getattr(self.node, "decorator_list", []))])
        return "".join(self.file.lines[first - 1 : self.node.end_lineno])

    def origin(self, node: ast.AST, statement: ast.stmt | None = None) -> Origin:
        """The place of a node; comments are those of the statement around it."""
        line = getattr(node, "lineno", self.node.lineno)
        column = getattr(node, "col_offset", 0)
        end = getattr(node, "end_col_offset", column + 1) if getattr(node, "end_lineno", line) == line else 10_000
        text = self.file.lines[line - 1].rstrip("\n") if line <= len(self.file.lines) else ""
        if not text.isascii():  # Python counts columns in bytes
            column, end = (len(text.encode()[:place].decode(errors="ignore")) for place in (column, end))
        comment, leading = self._comments(statement) if statement is not None else ("", ())
        return Origin(short_name(self.file.name), line, column, end or column + 1, text, comment, leading)

    def _comments(self, statement: ast.stmt) -> tuple[str, tuple[str, ...]]:
        """The comment behind a statement's first line or end, and those on the lines right above it."""
        last = statement.end_lineno or statement.lineno
        if isinstance(statement, (ast.For, ast.While, ast.If, ast.With)):
            last = statement.lineno
        behind = self.file.comments.get(last) or self.file.comments.get(statement.lineno) or ""
        if _FOR_TOOLS.match(behind):
            behind = ""
        above: list[str] = []
        line = statement.lineno - 1
        while line in self.file.alone and line > self.node.lineno:
            if not _FOR_TOOLS.match(self.file.alone[line]):
                above.insert(0, self.file.alone[line])
            line -= 1
        return behind, tuple(above)


def find_source(function: types.FunctionType) -> Source:
    """The definition of a Python function. Raises SourceNotFound, saying what to do."""
    code = function.__code__
    lines = linecache.getlines(code.co_filename, function.__globals__)
    if not lines:
        raise SourceNotFound(
            f"the source of `{function.__qualname__}` cannot be read ({code.co_filename}). srcgrad reads a function's "
            "source: define it in a file, a notebook cell or a doctest, not through exec or a plain prompt."
        )
    file = _file(code.co_filename, tuple(lines))
    candidates = [n for n in file.functions if _matches(n, code)]
    if len(candidates) > 1:
        candidates = [n for n in candidates if _contains(n, code)]
    if len(candidates) != 1:
        raise SourceNotFound(
            f"the definition of `{function.__qualname__}` was not found at {code.co_filename}:{code.co_firstlineno}; "
            "the file may have changed since it was imported. Restart Python, or reload the module."
        )
    return Source(file, candidates[0], function.__name__)


@lru_cache(maxsize=64)
def _file(name: str, lines: tuple[str, ...]) -> File:
    text = "".join(lines)
    try:
        tree = ast.parse(text)
    except SyntaxError:  # IPython magics and the like: blank out what is no Python
        kept = ["\n" if line.lstrip().startswith(("%", "!")) else line for line in lines]
        tree = ast.parse("".join(kept))
    comments: dict[int, str] = {}
    alone: dict[int, str] = {}
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                place = alone if not token.line[: token.start[1]].strip() else comments
                place[token.start[0]] = token.string.lstrip("#").strip()
    except (tokenize.TokenError, IndentationError):
        pass
    return File(name, lines, tree, comments, alone, tuple(_functions(tree)))


def _functions(tree: ast.AST) -> Iterator[Node]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.Lambda)):
            yield node


def _matches(node: Node, code: types.CodeType) -> bool:
    name = "<lambda>" if isinstance(node, ast.Lambda) else node.name
    first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
    return name == code.co_name and first == code.co_firstlineno


def _contains(node: Node, code: types.CodeType) -> bool:
    """Several lambdas on one line: the one whose body spans the code's own positions."""
    body = node.body if isinstance(node, ast.Lambda) else node
    assert isinstance(body, ast.AST)
    start = (getattr(body, "lineno", 0), getattr(body, "col_offset", 0))
    end = (getattr(body, "end_lineno", 0), getattr(body, "end_col_offset", 0))
    spots = [(p[0], p[2]) for p in code.co_positions() if p[0] and p[2] is not None and p[3] and (p[2], p[3]) != (0, 0)]
    own = [spot for spot in spots if spot >= (node.lineno, node.col_offset)]
    inside = [spot for spot in own if start <= spot <= end]
    return bool(own) and len(inside) == len(own) and min(inside) == start


@lru_cache(maxsize=256)
def short_name(name: str) -> str:
    """A path as people write it: relative where that is shorter."""
    if not os.path.isabs(name):
        return name
    relative = os.path.relpath(name)
    return relative if not relative.startswith("..") else name


def signature_of(function: types.FunctionType) -> inspect.Signature:
    return inspect.signature(function, follow_wrapped=False)

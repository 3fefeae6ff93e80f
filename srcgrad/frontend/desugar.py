"""Loops in simpler words: `else`, `return` inside and `:=` in a condition become flags, `break` and `if`.

    for v in x:                     found = False
        if v > 0.0:                 for v in x:
            return v                    if v > 0.0:
    else:                       ->          found = True
        rest                                break
                                    if found: return v
                                    rest

The value returned is computed behind the loop, where every variable still is what it was at the `return`.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from copy import copy
from typing import Any, TypeVar

from .scopes import jumps

Loop = ast.For | ast.While
T = TypeVar("T", bound=ast.AST)
_NESTED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def needs_desugaring(node: ast.stmt) -> bool:
    if not isinstance(node, (ast.For, ast.While)):
        return False
    condition = isinstance(node, ast.While) and _assigns(node.test)
    return bool(node.orelse) or condition or any(isinstance(n, ast.Return) for n in jumps(node.body))


def desugar(node: Loop) -> list[ast.stmt]:
    """The same as the loop, in statements of which none is a loop with `else`, `return` inside, or `:=` in `while`."""
    returning = _Returns()
    body = returning.block(node.body)
    before: list[ast.stmt] = [_assign(flag, False, place) for flag, place in returning.flags]
    after: list[ast.stmt] = [
        at_place(ast.If(_name(flag, place), [place], []), place) for flag, place in returning.flags
    ]
    if node.orelse and any(isinstance(n, ast.Break) for n in jumps(body)):
        broken = " broken" + " " * _depth(node)
        before.append(_assign(broken, False, node))
        body = _Breaks(broken).block(body)
        after.append(
            at_place(ast.If(at_place(ast.UnaryOp(ast.Not(), _name(broken, node)), node), node.orelse, []), node)
        )
    else:
        after += node.orelse
    if after and _ends_by_return(node):  # so that one of the flags is set
        after[-1] = returning.flags[-1][1]
    loop = copy(node)
    loop.body, loop.orelse = body, []
    if isinstance(loop, ast.While) and _assigns(loop.test):
        leave = at_place(
            ast.If(at_place(ast.UnaryOp(ast.Not(), loop.test), loop.test), [at_place(ast.Break(), node)], []), loop.test
        )
        loop.test, loop.body = at_place(ast.Constant(True), loop.test), [leave, *body]
    return [*before, loop, *after]


def _ends_by_return(node: Loop) -> bool:
    """Whether `return` is the only way out of a loop."""
    endless = isinstance(node, ast.While) and isinstance(node.test, ast.Constant) and bool(node.test.value)
    return endless and not any(isinstance(n, ast.Break) for n in jumps(node.body))


class Known(ast.expr):
    """Stands for an expression whose value is known already."""

    def __init__(self, node: ast.AST, value: Any):
        super().__init__()
        self.value = value
        at_place(self, node)


class _Rewrite:
    """Rebuilds statements; loops inside are asked for separately, nested functions are left alone."""

    def block(self, statements: Sequence[ast.stmt]) -> list[ast.stmt]:
        return [new for statement in statements for new in self.statement(statement)]

    def statement(self, node: ast.stmt) -> list[ast.stmt]:
        if isinstance(node, _NESTED):
            return [node]
        if isinstance(node, (ast.For, ast.While)):
            return self.loop(node)
        return [self.inside(node)]

    def inside(self, node: ast.stmt) -> ast.stmt:
        """The statement with its blocks rewritten."""
        new = copy(node)
        for field in ("body", "orelse", "finalbody"):
            if getattr(node, field, None):
                setattr(new, field, self.block(getattr(node, field)))
        for field in ("handlers", "cases"):
            parts = [copy(part) for part in getattr(node, field, ())]
            for part in parts:
                part.body = self.block(part.body)
            if parts:
                setattr(new, field, parts)
        return new

    def loop(self, node: Loop) -> list[ast.stmt]:
        return [self.inside(node)]


class _Returns(_Rewrite):
    """`return` becomes a flag and `break`, once for each loop around."""

    def __init__(self) -> None:
        self.flags: list[tuple[str, ast.Return]] = []

    def statement(self, node: ast.stmt) -> list[ast.stmt]:
        if not isinstance(node, ast.Return):
            return super().statement(node)
        flag = " returned" + " " * len(self.flags)
        self.flags.append((flag, node))
        return [_assign(flag, True, node), at_place(ast.Break(), node)]

    def loop(self, node: Loop) -> list[ast.stmt]:
        before = len(self.flags)
        new = self.inside(node)
        leave = [
            at_place(ast.If(_name(flag, place), [at_place(ast.Break(), place)], []), place)
            for flag, place in self.flags
        ]
        return [new, *leave[before:]]


class _Breaks(_Rewrite):
    """`break` of this loop sets a flag first."""

    def __init__(self, flag: str):
        self.flag = flag

    def statement(self, node: ast.stmt) -> list[ast.stmt]:
        if isinstance(node, ast.Break):
            return [_assign(self.flag, True, node), node]
        return super().statement(node)

    def loop(self, node: Loop) -> list[ast.stmt]:
        new = copy(node)
        new.orelse = self.block(node.orelse)
        return [new]


def _depth(node: ast.AST) -> int:
    """How many loops there are inside each other, so that the flags of nested loops have different names."""
    inner = max((_depth(child) for child in ast.iter_child_nodes(node)), default=0)
    return inner + isinstance(node, (ast.For, ast.While))


def _assigns(test: ast.expr) -> bool:
    return any(isinstance(n, ast.NamedExpr) for n in ast.walk(test))


def _assign(name: str, value: bool, place: ast.stmt) -> ast.stmt:
    return at_place(ast.Assign([ast.Name(name, ast.Store())], ast.Constant(value)), place)


def _name(name: str, place: ast.stmt) -> ast.expr:
    return at_place(ast.Name(name, ast.Load()), place)


def at_place(node: T, place: ast.AST) -> T:
    return ast.fix_missing_locations(ast.copy_location(node, place))

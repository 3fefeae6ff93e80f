"""Questions about a function's text: what statements assign, where they return, what belongs to which loop."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from .values import Iteration, RangeValue

SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_COMPREHENSIONS = (ast.ListComp, ast.GeneratorExp, ast.DictComp, ast.SetComp)


def assigned(statements: Sequence[ast.stmt]) -> set[str]:
    """Names that statements may assign, not looking into nested functions."""
    names: set[str] = set()
    for statement in statements:
        for node in own_nodes(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names.add(node.id)
            elif isinstance(node, _COMPREHENSIONS):
                names |= _assigned_from_inside(node)
            elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
                names |= _stored_into(node)
            elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                names.add(node.name)
            elif isinstance(node, ast.alias):
                names.add((node.asname or node.name).split(".")[0])
    return names


def bound(statements: Sequence[ast.stmt]) -> set[str]:
    """Names that statements may bind anew; neither `x[i] = v` nor `x += v` of an array binds `x`."""
    nodes = [node for statement in statements for node in own_nodes(statement)]
    augmented = {id(node.target) for node in nodes if isinstance(node, ast.AugAssign)}
    names = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store) and id(n) not in augmented}
    for node in nodes:
        names |= _assigned_from_inside(node) if isinstance(node, _COMPREHENSIONS) else set()
    return names | {node.name for node in nodes if isinstance(node, (ast.FunctionDef, ast.ClassDef))}


def _assigned_from_inside(comprehension: ast.AST) -> set[str]:
    """`last` in `[last := f(v) for v in values]`, a variable of the function."""
    return {node.target.id for node in ast.walk(comprehension) if isinstance(node, ast.NamedExpr)}


def _stored_into(node: ast.expr) -> set[str]:
    while isinstance(node, ast.Subscript):
        node = node.value
    return {node.id} if isinstance(node, ast.Name) else set()


@lru_cache(maxsize=512)
def local_names(node: ast.FunctionDef) -> set[str]:
    """Names that are local to a function: what it binds (a subscript binds nothing), and its parameters."""
    names = {a.arg for a in ast.walk(node.args) if isinstance(a, ast.arg)}
    for statement in node.body:
        for each in own_nodes(statement):
            if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
                names.add(each.id)
            elif isinstance(each, _COMPREHENSIONS):
                names |= _assigned_from_inside(each)
            elif isinstance(each, (ast.FunctionDef, ast.ClassDef)):
                names.add(each.name)
            elif isinstance(each, ast.alias):
                names.add((each.asname or each.name).split(".")[0])
    return names - nonlocal_names(node).keys()


@lru_cache(maxsize=512)
def nonlocal_names(node: ast.AST) -> dict[str, ast.Nonlocal]:
    """Variables of the function around that a function declares as its own to change."""
    body = node.body if isinstance(node, ast.FunctionDef) else []
    found = [each for statement in body for each in own_nodes(statement) if isinstance(each, ast.Nonlocal)]
    return {name: each for each in found for name in each.names}


def own_nodes(node: ast.AST) -> list[ast.AST]:
    """A node and what is inside it, nested functions and comprehensions left out."""
    found: list[ast.AST] = [node]
    if isinstance(node, SCOPES):
        return found
    for child in ast.iter_child_nodes(node):
        found += [child] if isinstance(child, (*SCOPES, *_COMPREHENSIONS)) else own_nodes(child)
    return found


def jumps(body: Sequence[ast.stmt]) -> list[ast.AST]:
    """break, continue and return that belong to this loop: of loops inside, only returns."""
    found = [node for statement in body for node in own_nodes(statement)]
    inner = {n for s in found if isinstance(s, (ast.For, ast.While)) for part in s.body for n in own_nodes(part)}
    return [
        n for n in found if isinstance(n, ast.Return) or (isinstance(n, (ast.Break, ast.Continue)) and n not in inner)
    ]


def loads(node: ast.AST) -> Counter[str]:
    """How often each name is read, in nested functions too; `x += 1` reads it."""
    found: Counter[str] = Counter()
    for each in ast.walk(node):
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load):
            found[each.id] += 1
        elif isinstance(each, ast.AugAssign) and isinstance(each.target, ast.Name):
            found[each.target.id] += 1
    return found


def blocks(node: ast.stmt) -> list[list[ast.stmt]]:
    """The blocks of a compound statement."""
    own = [getattr(node, field, []) for field in ("body", "orelse", "finalbody")]
    return own + [part.body for field in ("handlers", "cases") for part in getattr(node, field, ())]


def exposed(statements: Sequence[ast.stmt]) -> set[str]:
    """Names that statements may read before they assign them."""
    return _exposed(statements, set())[0]


def _exposed(statements: Sequence[ast.stmt], known: set[str]) -> tuple[set[str], set[str] | None]:
    """(names read before they are assigned, names assigned at the end; None where it is not reached)."""
    read: set[str] = set()
    known = set(known)
    for node in statements:
        if isinstance(node, ast.If):
            read |= set(loads(node.test)) - known
            ends = []
            for half in (node.body, node.orelse):
                more, end = _exposed(half, known | _walrus(node.test))
                read |= more
                ends += [end] if end is not None else []
            if not ends:
                return read, None
            known = set.intersection(*ends)
        elif isinstance(node, (ast.For, ast.While, ast.With, ast.Try, ast.Match)):
            bound = known | (
                assigned([ast.For(node.target, node.iter, [], [])]) if isinstance(node, ast.For) else set()
            )
            heads = [part for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr)]
            heads += [item.context_expr for item in getattr(node, "items", ())]
            heads += [case.guard for case in getattr(node, "cases", ()) if case.guard is not None]
            read |= {name for part in heads for name in loads(part)} - known
            for block in blocks(node):
                read |= _exposed(block, bound)[0]
        else:
            read |= set(loads(node)) - known
            known |= assigned([node])
        if isinstance(node, (ast.Break, ast.Continue, ast.Return, ast.Raise)):
            return read, None
    return read, known


def _walrus(test: ast.expr) -> set[str]:
    return assigned([ast.Expr(test)])


def may_jump(node: ast.stmt) -> bool:
    """Whether a statement may end the pass of the loop around it."""
    return any(isinstance(n, (ast.Break, ast.Continue)) for n in jumps([node]))


def returns(node: ast.stmt) -> bool:
    return any(isinstance(n, ast.Return) for n in own_nodes(node))


def index_name(target: ast.expr, walked: Any) -> str | None:
    """The loop's counter, where the user named it."""
    if isinstance(walked, RangeValue) and isinstance(target, ast.Name):
        return target.id
    if isinstance(walked, Iteration) and isinstance(target, ast.Tuple) and walked.kind == "enumerate":
        first = target.elts[0]
        return first.id if isinstance(first, ast.Name) and walked.start is None else None
    if isinstance(walked, Iteration) and walked.kind == "reversed":
        return index_name(target, walked.parts[0])
    return None


def keyword(node: ast.AST) -> str:
    """A statement's own word."""
    words = {
        "AsyncFor": "async for", "AsyncWith": "async with", "AsyncFunctionDef": "async def", "ClassDef": "class",
        "Delete": "del", "TryStar": "try", "TypeAlias": "type",
    }  # fmt: skip
    name = type(node).__name__
    return words.get(name, name.lower())

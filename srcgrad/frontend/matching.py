"""`match` in simpler words: a chain of `if`, with what is known of the subject's structure settled at once."""

from __future__ import annotations

import ast
from typing import Any

from ..errors import Unsupported
from .desugar import Known, at_place
from .values import ListValue, is_number

Tests = list[ast.expr]
Bindings = list[ast.stmt]


def match_as_if(node: ast.Match, subject: Any) -> list[ast.stmt]:
    """The statements of a `match` whose subject has this abstract value."""
    chain: list[ast.stmt] = []
    for case in reversed(node.cases):
        found = _pattern(case.pattern, subject, node)
        if found is None:
            continue
        tests, bindings = found
        body: list[ast.stmt] = case.body
        if case.guard is not None:
            body = [at_place(ast.If(case.guard, body, chain), case.guard)]
        body = [*bindings, *body]
        test = _all(tests, node)
        chain = [at_place(ast.If(test, body, chain), case.pattern)] if tests else body
    return chain or [at_place(ast.Pass(), node)]


def _all(tests: Tests, node: ast.AST) -> ast.expr:
    if not tests:
        return at_place(ast.Constant(True), node)
    return tests[0] if len(tests) == 1 else at_place(ast.BoolOp(ast.And(), tests), node)


def _pattern(pattern: ast.pattern, value: Any, node: ast.AST) -> tuple[Tests, Bindings] | None:
    """Conditions to check while running, and the names bound; None where the structure cannot match."""
    known = Known(node, value)
    match pattern:
        case ast.MatchValue():
            return [at_place(ast.Compare(known, [ast.Eq()], [pattern.value]), pattern)], []
        case ast.MatchSingleton():
            same = value is pattern.value
            return ([], []) if same else None
        case ast.MatchAs(pattern=None, name=name):
            return [], [] if name is None else [_bind(name, known, pattern)]
        case ast.MatchAs(pattern=inner, name=str(name)) if inner is not None:
            found = _pattern(inner, value, node)
            return None if found is None else (found[0], [*found[1], _bind(name, known, pattern)])
        case ast.MatchOr(patterns=patterns):
            return _either([_pattern(each, value, node) for each in patterns], pattern)
        case ast.MatchSequence(patterns=patterns):
            return _sequence(patterns, value, node)
    raise Unsupported("this pattern cannot be differentiated", "Use `if` and `elif`.")


def _either(found: list[tuple[Tests, Bindings] | None], node: ast.AST) -> tuple[Tests, Bindings] | None:
    options = [each for each in found if each is not None]
    if any(bindings for _, bindings in options):
        raise Unsupported("a pattern with `|` that binds names", "Use `if` and `elif`.")
    if not options or any(not tests for tests, _ in options):
        return ([], []) if options else None
    return [at_place(ast.BoolOp(ast.Or(), [_all(tests, node) for tests, _ in options]), node)], []


def _sequence(patterns: list[ast.pattern], value: Any, node: ast.AST) -> tuple[Tests, Bindings] | None:
    if is_number(value) or isinstance(value, str):
        if is_number(value) and value.type.ndim:
            raise Unsupported("an array in a sequence pattern", "Unpack it before: `a, b = x`.")
        return None
    items = value if isinstance(value, tuple) else value.items if isinstance(value, ListValue) else None
    if items is None:
        return None
    if any(isinstance(each, ast.MatchStar) for each in patterns):
        raise Unsupported("a starred pattern cannot be differentiated", "Slice the sequence.")
    if len(items) != len(patterns):
        return None
    tests: Tests = []
    bindings: Bindings = []
    for pattern, item in zip(patterns, items):
        found = _pattern(pattern, item, node)
        if found is None:
            return None
        tests += found[0]
        bindings += found[1]
    return tests, bindings


def _bind(name: str, known: Known, node: ast.AST) -> ast.stmt:
    return at_place(ast.Assign([ast.Name(name, ast.Store())], known), node)

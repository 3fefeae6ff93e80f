"""The `return` statement: results put together again as lists, dicts, named tuples and copies of objects."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from ..ir.nodes import Function, Kept, Rebuilt, Slot
from .expressions import Expressions, at_path, call, constant, name

Target = tuple[str | int, ...]


class Returning:
    """Spells a function's result. Objects are copied first, under a name, and their attributes set afterwards."""

    def __init__(self, function: Function, expressions: Expressions):
        self.function, self.e = function, expressions
        self.taken = {*expressions.names.values(), *(p.name for p in function.params)}

    def statements(self) -> list[ast.stmt]:
        before: list[ast.stmt] = []
        result = self._named(self.function.result, before)
        return [*before, ast.Return(result)]

    def _named(self, template: Any, before: list[ast.stmt]) -> ast.expr:
        """An expression for the template; what it needs stands before it."""
        made = list(_copies(template, ()))
        if not made:
            return self._expression(template)
        if isinstance(template, tuple):
            return ast.Tuple([self._named(item, before) for item in template], ast.Load())
        text = self._name(made[0][1])
        before.append(ast.Assign([ast.Name(text, ast.Store())], self._expression(template)))
        for target, each in made:
            before += self._set(at_path(name(text), target), each)
        return name(text)

    def _name(self, template: Rebuilt) -> str:
        source = self.function.body.results[template.source.number]
        stem = f"d_{getattr(source, 'hint', None) or 'object'}"
        text, number = stem, 0
        while text in self.taken:
            number += 1
            text = f"{stem}_{number}"
        self.taken.add(text)
        return text

    def _set(self, target: ast.expr, template: Rebuilt) -> list[ast.stmt]:
        """`vars(d_model).update(w=d_w)` goes past any `__setattr__`."""
        items = {attr: self._expression(item) for attr, item in template.items}
        if template.kind == "object":
            update = ast.Attribute(call("vars", [target]), "update", ast.Load())
            return [ast.Expr(call(update, [], items))]
        return [ast.Expr(call("object.__setattr__", [target, constant(attr), item])) for attr, item in items.items()]

    def _expression(self, template: Any) -> ast.expr:
        """The template with objects copied, but not yet changed."""
        match template:
            case Slot(number):
                return self.e.atom(self.function.body.results[number])
            case Kept():
                return self._source(template)
            case Rebuilt(_, _, "named", items):
                replace = ast.Attribute(self._source(template), "_replace", ast.Load())
                return call(replace, [], {attr: self._expression(item) for attr, item in items})
            case Rebuilt(_, _, "record", items):
                changed = {attr: self._expression(item) for attr, item in items}
                return call("dataclasses.replace", [self._source(template)], changed)
            case Rebuilt():
                return call("copy.copy", [self._source(template)])
            case Mapping():
                keys: list[ast.expr | None] = [constant(key) for key in template]
                return ast.Dict(keys, [self._expression(item) for item in template.values()])
            case list():
                return ast.List([self._expression(item) for item in template], ast.Load())
            case tuple():
                return ast.Tuple([self._expression(item) for item in template], ast.Load())
        return constant(template)

    def _source(self, template: Kept | Rebuilt) -> ast.expr:
        return at_path(self.e.atom(self.function.body.results[template.source.number]), template.path)


def needed_modules(template: Any) -> set[str]:
    """The modules that spelling a result needs."""
    match template:
        case Rebuilt(_, _, kind, items):
            own = {"record": {"dataclasses"}, "named": set()}.get(kind, {"copy"})
            return own.union(*(needed_modules(item) for _, item in items))
        case Mapping():
            return set().union(*(needed_modules(item) for item in template.values()))
        case list() | tuple():
            return set().union(*(needed_modules(item) for item in template))
    return set()


def _copies(template: Any, target: Target) -> Iterator[tuple[Target, Rebuilt]]:
    """The objects that are copied, outer before inner, and where they are in the result."""
    match template:
        case Rebuilt(_, _, kind, items):
            if kind in ("object", "slotted"):
                yield target, template
            for attr, item in items:
                yield from _copies(item, (*target, f".{attr}"))
        case Mapping():
            for key, item in template.items():
                yield from _copies(item, (*target, key))
        case list() | tuple():
            for i, item in enumerate(template):
                yield from _copies(item, (*target, i))

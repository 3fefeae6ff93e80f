"""Calls that only pass through: print, assert, random draws. They run once, in order, in the forward sweep."""

from __future__ import annotations

import ast
import copy
import importlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..ir.dims import Facts
from ..ir.primitive import Primitive, register
from ..ir.solving import SLOT as SLOT
from ..ir.types import Type


def _infer(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type | tuple[Type, ...]:
    result: Type | tuple[Type, ...] = attrs["types"]
    return result


def run(*inputs: Any, template: ast.AST, **_: Any) -> Any:
    """Execute the user's own call, with its run-time parts given."""
    scope = {f"{SLOT}{i}": value for i, value in enumerate(inputs)} | {"np": np}
    if isinstance(template, ast.expr):
        return eval(compile(ast.fix_missing_locations(ast.Expression(template)), "<effect>", "eval"), scope)
    assert isinstance(template, ast.stmt)
    exec(compile(ast.fix_missing_locations(ast.Module([template], [])), "<effect>", "exec"), scope)
    return None


def unbound(name: str) -> ast.stmt:
    """What a variable that has no value on some path says when it is read."""
    message = f"cannot access local variable '{name}' where it is not associated with a value"
    return ast.parse(f"if {SLOT}0 is None: raise UnboundLocalError({message!r})").body[0]


def run_foreign(*inputs: Any, template: ast.AST, module: str, **_: Any) -> Any:
    """The call of another library's function, whose module fills the last slot."""
    return run(*inputs, importlib.import_module(module), template=template)


# Only a random draw has a result
EFFECT = register(
    Primitive(
        "effect",
        fn=run,
        infer=_infer,
        operands=("*inputs",),
        kind="impure",
        undefined=(
            "a random draw has no derivative in its parameters, which depend on what is differentiated",
            "Draw standard numbers and move them, `mean + std * rng.normal(size=n)`, or use `stop_gradient(x)`.",
        ),
    )
)
FOREIGN = register(
    Primitive(
        "foreign",
        fn=run_foreign,
        infer=_infer,
        operands=("*inputs",),
        kind="impure",
        undefined=(
            "`{name}` has no derivative rule, and its arguments depend on what is differentiated",
            "Give it a rule, `srcgrad.rule(f)`, or make its arguments constants: `f(stop_gradient(x))`.",
        ),
    )
)


class _Fill(ast.NodeTransformer):
    def __init__(self, parts: Sequence[ast.expr]):
        self.parts = parts

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.parts[int(node.id.removeprefix(SLOT))] if node.id.startswith(SLOT) else node


def fill_template(template: ast.AST, parts: Sequence[ast.expr]) -> Any:
    """The user's call with its slots replaced by expressions."""
    return _Fill(parts).visit(copy.deepcopy(template))

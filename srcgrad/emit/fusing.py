"""Chains of elementwise operations on a GPU as functions under `@cp.fuse()`, each of which is one kernel there.

`cupy.fuse` traces ordinary NumPy text, so that what is fused can be read, and computes what it would unfused. It knows
functions of elements and the operators in `_OPERATORS`; Python's numbers adapt in it as outside (from CuPy 14 on).
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..ir.nodes import Atom, Const, Op, Value
from ..ir.types import Array
from ..ir.words import word_for
from .fold import Folding

_OPERATORS = {
    "np.add", "np.subtract", "np.multiply", "np.divide", "np.power", "np.negative", "np.less", "np.less_equal",
    "np.greater", "np.greater_equal", "np.equal", "np.not_equal", "np.bitwise_and", "np.bitwise_or", "np.invert",
}  # fmt: skip
_FUNCTIONS = {
    "np.exp", "np.exp2", "np.expm1", "np.log", "np.log2", "np.log10", "np.log1p", "np.sqrt", "np.square", "np.cbrt",
    "np.sin", "np.cos", "np.tan", "np.sinh", "np.cosh", "np.tanh", "np.arcsin", "np.arccos", "np.arctan", "np.arctan2",
    "np.arcsinh", "np.arccosh", "np.arctanh", "np.maximum", "np.minimum", "np.sign", "np.floor", "np.ceil", "np.hypot",
    "np.reciprocal", "np.logaddexp", "np.isnan", "np.logical_and", "np.logical_or", "np.logical_not", "np.where",
}  # fmt: skip


Kernels = dict[str, ast.FunctionDef]  # what a function does, whatever its parameters are called -> the function


class Fuser:
    """Finds chains and names their functions; those that do the same are one."""

    def __init__(self, folding: Folding, kernels: Kernels, taken: set[str]):
        self.folding, self.made = folding, kernels
        self.taken = taken | {node.name for node in kernels.values()}

    def leaves(self, op: Op) -> dict[Value, str] | None:
        """What the chain that ends in this op reads, and what its function calls that; None if it is no chain."""
        found: dict[Value, None] = {}
        if not _array(op.outputs[0] if op.outputs else None) or self._collect(op, found) < 2:
            return None
        return _named(found, self.folding)

    def _collect(self, op: Op, found: dict[Value, None]) -> int:
        """How many operations the chain has; 0 if the op cannot be part of one."""
        if not _fusable(op):
            return 0
        count = 1
        for atom in op.inputs:
            inner = self.folding.op(atom)
            inside = 0 if inner is None else self._collect(inner, found)
            count += inside
            if not inside and isinstance(atom, Value):
                found[atom] = None
        return count

    def call(self, op: Op, parameters: Mapping[Value, str], body: ast.expr, arguments: list[ast.expr]) -> ast.Call:
        """The call of the chain's function, which is defined if there is none yet."""
        arg_list = ast.arguments([], [ast.arg(name) for name in parameters.values()], None, [], [], None, [])
        key = _what_it_does(body, list(parameters.values()))
        if key not in self.made:
            decorator = ast.Call(ast.Attribute(ast.Name("np", ast.Load()), "fuse", ast.Load()), [], [])
            node = ast.FunctionDef(self._name(op), arg_list, [ast.Return(body)], [decorator], None, None)
            if "type_params" in ast.FunctionDef._fields:
                node.type_params = []  # type: ignore[attr-defined,unused-ignore]
            self.made[key] = node
        return ast.Call(ast.Name(self.made[key].name, ast.Load()), arguments, [])

    def _name(self, op: Op) -> str:
        stem = f"fused_{op.outputs[0].hint or word_for(op)}"
        name, number = stem, 1
        while name in self.taken:
            number += 1
            name = f"{stem}_{number}"
        self.taken.add(name)
        return name


def _what_it_does(body: ast.expr, parameters: list[str]) -> str:
    """The same text for functions that differ in their parameters' names alone."""
    body = copy.deepcopy(body)
    for node in ast.walk(body):
        if isinstance(node, ast.Name) and node.id in parameters:
            node.id = f"<{parameters.index(node.id)}>"
    return ast.dump(body)


def _fusable(op: Op) -> bool:
    name = op.prim.name
    if op.attrs or len(op.outputs) != 1 or op.style in ("method", "attribute"):
        return False
    if name not in _FUNCTIONS and not (name in _OPERATORS and op.style in ("operator", "augmented", "function")):
        return False
    if not _on_device(op.outputs[0]) or not all(map(_known_inside, op.inputs)):
        return False
    if name == "np.power" and not _on_device(op.inputs[0]):  # cupy.fuse has no `2.0 ** x`
        return False
    return name != "np.where" or (len(op.inputs) == 3 and _dtype(op.inputs[0]) == np.bool_)


def _known_inside(atom: Atom) -> bool:
    """What is on the device, and Python's own real numbers."""
    if isinstance(atom, Const):
        return type(atom.value) in (int, float)
    return isinstance(atom, Value) and (_on_device(atom) or (isinstance(atom.type, Array) and atom.type.weak))


def _array(value: Any) -> bool:
    return _on_device(value) and value.type.ndim > 0


def _on_device(atom: Any) -> bool:
    return isinstance(atom, Value) and isinstance(atom.type, Array) and atom.type.namespace == "cupy"


def _dtype(atom: Atom) -> Any:
    return atom.type.dtype if isinstance(atom.type, Array) else None


def _named(values: Mapping[Value, None], folding: Folding) -> dict[Value, str]:
    """Parameter names: the user's, or words for what they are."""
    names: dict[Value, str] = {}
    for value in values:
        made = folding.made.get(value)
        stem = value.hint or ("x" if made is None else word_for(made))
        stem = re.sub(r"\W", "_", stem)
        names[value] = next(name for name in _variants(stem) if name not in ("np", "cp", "cupy", *names.values()))
    return names


def _variants(stem: str) -> Iterator[str]:
    yield stem
    number = 1
    while True:
        yield f"{stem}_{number}"
        number += 1

"""`--args "f8[n, d], f8[d], steps=10"`: example arguments from a signature's text.

f8[n, d]  f4[3]  i8[n]  b1[n]  f8[()]    arrays; a name stands for one length, the same wherever it is written
float  int  2.5  10  True  None  "text"  numbers and options
[f8[n], f8[n]]  (float, f8[3])  {"w": f8[n, d]}
                                         containers
"""

from __future__ import annotations

import ast
import inspect
import types
from collections.abc import Mapping
from typing import Any

import numpy as np

from .errors import CommandError

_FIRST_LENGTH = 4  # the first name gets 4, the next 5, ...: different lengths, so that a mistaken one shows
_NUMBERS = {"float": 0.5, "int": 2, "bool": True}


def example_arguments(function: types.FunctionType, text: str | None) -> list[Any]:
    """One value for each parameter of `function`: from `text`, then from defaults and annotations of numbers.

    Floats are drawn from a seeded generator, so that the same text gives the same arguments. Raises CommandError.
    """
    given, named = _parse(text or "")
    signature = inspect.signature(function)
    try:
        bound = signature.bind_partial(*given, **named)
    except TypeError as error:
        raise CommandError(f"--args: {error}; the function takes {signature}") from None
    values = []
    for name, parameter in signature.parameters.items():
        if name in bound.arguments:
            values.append(bound.arguments[name])
        elif parameter.default is not parameter.empty:
            values.append(parameter.default)
        elif parameter.kind is parameter.VAR_POSITIONAL:
            values.append(())
        else:
            values.append(_annotated(name, parameter.annotation, signature))
    return values


def _annotated(name: str, annotation: Any, signature: inspect.Signature) -> Any:
    word = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    if word not in _NUMBERS:
        raise CommandError(
            f'the type of `{name}` is unknown: say --args "..." for {signature}, as in '
            '--args "f8[n, d], f8[d], steps=10"'
        )
    return _NUMBERS[word]


def _parse(text: str) -> tuple[list[Any], dict[str, Any]]:
    try:
        call = ast.parse(f"_({text})", mode="eval").body
    except SyntaxError:
        raise CommandError(f'--args {text!r} cannot be read; write it as in "f8[n, d], f8[d], steps=10"') from None
    if not isinstance(call, ast.Call) or any(keyword.arg is None for keyword in call.keywords):
        raise CommandError(f'--args {text!r} cannot be read; write it as in "f8[n, d], f8[d], steps=10"')
    maker = _Maker()
    positional = [maker.value(node) for node in call.args]
    return positional, {str(keyword.arg): maker.value(keyword.value) for keyword in call.keywords}


class _Maker:
    """Values from the nodes of a signature's text; lengths keep their names across arguments."""

    def __init__(self) -> None:
        self.lengths: dict[str, int] = {}
        self.random = np.random.default_rng(0)

    def value(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant() | ast.UnaryOp(operand=ast.Constant()):
                return ast.literal_eval(node)
            case ast.Name(id=name) if name in _NUMBERS:
                return _NUMBERS[name]
            case ast.Name(id=name):
                return self.array(name, ())
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Tuple(elts=elts)):
                return self.array(name, tuple(self.length(each) for each in elts))
            case ast.Subscript(value=ast.Name(id=name), slice=one):
                return self.array(name, (self.length(one),))
            case ast.Tuple(elts=elts):
                return tuple(self.value(each) for each in elts)
            case ast.List(elts=elts):
                return [self.value(each) for each in elts]
            case ast.Dict(keys=keys, values=values) if all(isinstance(key, ast.Constant) for key in keys):
                return {ast.literal_eval(key): self.value(each) for key, each in zip(keys, values) if key}
        raise CommandError(f"--args: {ast.unparse(node)!r} is no type, as in f8[n, d], float or 2.5")

    def length(self, node: ast.expr) -> int:
        for name in sorted({each.id for each in ast.walk(node) if isinstance(each, ast.Name)}):
            self.lengths.setdefault(name, _FIRST_LENGTH + len(self.lengths))
        size = _arithmetic(node, self.lengths)
        if size is None or size < 0:
            raise CommandError(f"--args: {ast.unparse(node)!r} is no length, as in n, 3 or n - 1")
        return size

    def array(self, dtype: str, shape: tuple[int, ...]) -> Any:
        try:
            kind = np.dtype(dtype)
        except TypeError:
            raise CommandError(f"--args: {dtype!r} is no type: f8, f4, i8, b1, c16, float, int, ...") from None
        drawn = self.random.standard_normal(shape)
        if kind.kind in "fc":
            return np.asarray(drawn).astype(kind)
        return np.asarray(drawn > 0).astype(kind)  # zeros and ones: valid as indices and labels


def _arithmetic(node: ast.expr, lengths: Mapping[str, int]) -> int | None:
    match node:
        case ast.Constant(value=int(size)):
            return size
        case ast.Name(id=name):
            return lengths[name]
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() | ast.Mult() | ast.FloorDiv() as op, right=right):
            a, b = _arithmetic(left, lengths), _arithmetic(right, lengths)
            if a is None or b is None or (isinstance(op, ast.FloorDiv) and not b):
                return None
            return {ast.Add: a + b, ast.Sub: a - b, ast.Mult: a * b}.get(type(op), a // b if b else None)
    return None

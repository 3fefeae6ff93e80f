"""Example arguments from a text such as `f8[n, d], f8[d], steps=10`, or from annotations and defaults.

f8[n, d]  f4[3]  i8[n]  b1[n]  f8[()]    arrays; a name stands for one length, the same wherever it is written
abs(f8[n])                               one without negative numbers
float  int  2.5  10  True  None  "text"  numbers and options
[f8[n], f8[n]]  (float, f8[3])  {"w": f8[n, d]}
                                         containers
params  Net(3)  np.eye(2)                anything else is Python, where the names of the function's module are known

An annotation says the same: `float`, `int`, `Annotated[np.ndarray, "f8[n, d]"]`, or jaxtyping's
`Float64[np.ndarray, "n d"]`.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping
from typing import Annotated, Any, get_args, get_origin

import numpy as np

_FIRST_LENGTH = 4  # the first name gets 4, the next 5, ...: different lengths, so that a mistaken one shows
_NUMBERS = ("float", "int", "bool")


class NoExample(Exception):
    """A text that cannot be read, or a parameter of unknown type; the message says what to write."""


def example_arguments(
    signature: inspect.Signature,
    text: str | None = None,
    seed: int = 0,
    names: Mapping[str, Any] | None = None,
    python: bool = True,
) -> list[Any]:
    """One value for each parameter: from `text`, then from defaults and annotations.

    names : what Python expressions in `text` may use; python : whether there may be any, beyond these names themselves
    Floats are drawn from a generator with this seed, so that the same text gives the same arguments. Raises NoExample.
    """
    maker = _Maker(seed, names or {}, python)
    given, named = _parse(text, maker) if text else ([], {})
    try:
        bound = signature.bind_partial(*given, **named)
    except TypeError as error:
        raise NoExample(f"{error}; the function takes {signature}") from None
    values = []
    for name, parameter in signature.parameters.items():
        if name in bound.arguments:
            values.append(bound.arguments[name])
        elif parameter.default is not parameter.empty:
            values.append(parameter.default)
        elif parameter.kind is parameter.VAR_POSITIONAL:
            values.append(())
        else:
            values.append(_annotated(name, parameter.annotation, maker))
    return values


def _annotated(name: str, annotation: Any, maker: _Maker) -> Any:
    if isinstance(annotation, str):  # left so by `from __future__ import annotations`, of a name that is not there
        word, text = annotation, None
    else:
        word, text = getattr(annotation, "__name__", ""), _array_text(annotation)
    if text is None and word not in _NUMBERS:
        raise NoExample(f"the type of `{name}` is unknown")
    return maker.value(ast.parse(text or word, mode="eval").body)


def _array_text(annotation: Any) -> str | None:
    """`f8[n, d]` of an annotation that says so."""
    if get_origin(annotation) is Annotated:
        return next((each for each in get_args(annotation)[1:] if isinstance(each, str)), None)
    dtypes, axes = getattr(annotation, "dtypes", None), getattr(annotation, "dim_str", None)
    if not isinstance(axes, str) or not isinstance(dtypes, (list, tuple)) or not dtypes:
        return None
    names = axes.split()
    if not all(name.isidentifier() or name.isdigit() for name in names):
        return None
    return f"{'float64' if 'float64' in dtypes else dtypes[0]}[{', '.join(names) or '()'}]"


def _parse(text: str, maker: _Maker) -> tuple[list[Any], dict[str, Any]]:
    wrong = NoExample(f'{text!r} cannot be read; write it as in "f8[n, d], f8[d], steps=10"')
    try:
        call = ast.parse(f"_({text})", mode="eval").body
    except SyntaxError:
        raise wrong from None
    if not isinstance(call, ast.Call) or any(keyword.arg is None for keyword in call.keywords):
        raise wrong
    positional = [maker.value(node) for node in call.args]
    return positional, {str(keyword.arg): maker.value(keyword.value) for keyword in call.keywords}


class _Maker:
    """Values from the nodes of a signature's text; lengths keep their names across arguments."""

    def __init__(self, seed: int, names: Mapping[str, Any], python: bool) -> None:
        self.lengths: dict[str, int] = {}
        self.names, self.runs = names, python
        self.random = np.random.default_rng(seed)

    def value(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant() | ast.UnaryOp(operand=ast.Constant()):
                return ast.literal_eval(node)
            case ast.Name(id=name) if name in self.names:
                return self.names[name]
            case ast.Name(id="float"):
                return round(self.random.uniform(0.25, 1.75), 3)
            case ast.Name(id="int" | "bool" as name):
                return 2 if name == "int" else True
            case ast.Name(id=name):
                return self.array(name, ())
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Tuple(elts=elts)) if name not in self.names:
                return self.array(name, tuple(self.length(each) for each in elts))
            case ast.Subscript(value=ast.Name(id=name), slice=one) if name not in self.names:
                return self.array(name, (self.length(one),))
            case ast.Call(func=ast.Name(id="abs"), args=[one], keywords=[]):
                return abs(self.value(one))
            case ast.Tuple(elts=elts):
                return tuple(self.value(each) for each in elts)
            case ast.List(elts=elts):
                return [self.value(each) for each in elts]
            case ast.Dict(keys=keys, values=values) if all(isinstance(key, ast.Constant) for key in keys):
                return {ast.literal_eval(key): self.value(each) for key, each in zip(keys, values) if key}
        return self.python(node)

    def python(self, node: ast.expr) -> Any:
        text = ast.unparse(node)
        if not self.runs:
            raise NoExample(f"{text!r} is no type, and no Python is run here: give it a name in the file, and say that")
        try:
            return eval(compile(ast.Expression(node), f"<{text}>", "eval"), dict(self.names))
        except NameError as error:
            raise NoExample(f"{text!r} is no type, as in f8[n, d], float or 2.5, and {error}") from None
        except Exception as error:
            raise NoExample(f"{text!r} raised {type(error).__name__}: {error}") from None

    def length(self, node: ast.expr) -> int:
        for name in sorted({each.id for each in ast.walk(node) if isinstance(each, ast.Name)}):
            self.lengths.setdefault(name, _FIRST_LENGTH + len(self.lengths))
        size = _arithmetic(node, self.lengths)
        if size is None or size < 0:
            raise NoExample(f"{ast.unparse(node)!r} is no length, as in n, 3 or n - 1")
        return size

    def array(self, dtype: str, shape: tuple[int, ...]) -> Any:
        try:
            kind = np.dtype(dtype)
        except TypeError:
            raise NoExample(f"{dtype!r} is no type: f8, f4, i8, b1, c16, float, int, ...") from None
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

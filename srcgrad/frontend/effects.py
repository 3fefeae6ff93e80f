"""Calls that only pass through: print, assert, raise, random draws. They happen once, in order, in the forward sweep.

An effect keeps the user's own text as a template, whose run-time parts are slots that the op's inputs fill.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import Unsupported
from ..ir.nodes import Const, Value
from ..ir.types import Array, Opaque, Saved
from ..rules.effects import EFFECT, SLOT
from .values import BoundMethod, ListValue, describe, is_number, sequence

if TYPE_CHECKING:
    from .calls import Calls

_INTEGER_DRAWS = {"integers", "randint", "poisson", "binomial", "geometric", "multinomial", "zipf", "logseries"}
_DRAWS = {
    "normal", "uniform", "random", "standard_normal", "rand", "randn", "random_sample", "exponential", "gamma",
    "beta", "laplace", "lognormal", "chisquare", "standard_exponential", "standard_gamma", "logistic", "gumbel",
    "triangular", "weibull", "rayleigh", "pareto", "power", "standard_t", "standard_cauchy", "vonmises", "wald", "f",
    "dirichlet", "multivariate_normal", "permutation", "choice", *_INTEGER_DRAWS,
}  # fmt: skip
# Where `size` stands among the positional arguments
_SIZE_AT = {
    "normal": 2, "uniform": 2, "integers": 2, "randint": 2, "laplace": 2, "gamma": 2, "beta": 2, "binomial": 2,
    "lognormal": 2, "logistic": 2, "gumbel": 2, "exponential": 1, "poisson": 1, "chisquare": 1, "standard_gamma": 1,
    "geometric": 1, "triangular": 3, "weibull": 1, "rayleigh": 1, "pareto": 1, "power": 1, "standard_t": 1,
    "standard_cauchy": 0, "vonmises": 2, "wald": 2, "f": 2, "zipf": 1, "logseries": 1, "random": 0,
    "standard_normal": 0, "random_sample": 0, "standard_exponential": 0, "dirichlet": 1, "multivariate_normal": 2,
    "multinomial": 2, "choice": 1,
}  # fmt: skip


def print_call(c: Calls, node: ast.Call) -> None:
    """print(...): the user's call, with run-time parts filled in."""
    for keyword in node.keywords:
        if keyword.arg not in ("sep", "end", "flush"):
            raise Unsupported(f"print() with `{keyword.arg}=`", "Print to the standard output.")
    template, inputs = fill(c, node, (node,))
    c.apply(EFFECT, inputs, {"template": template, "types": ()})


def assertion(c: Calls, node: ast.Assert) -> None:
    test = c.ev(node.test)
    known = c.maybe_truth(test)
    if known is True:
        return
    message, inputs = (None, []) if node.msg is None else fill(c, node.msg)
    condition = Const(False) if known is False else c.condition(test)
    template = ast.Assert(ast.Name(f"{SLOT}{len(inputs)}", ast.Load()), message)
    c.apply(EFFECT, [*inputs, condition], {"template": template, "types": ()})


def raising(c: Calls, node: ast.Raise) -> None:
    """`raise` with one of Python's own exceptions, which the generated code knows by the same name."""
    error = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
    kind = c.ev(error) if error is not None else None
    plain = isinstance(kind, type) and kind.__module__ == "builtins" and isinstance(error, ast.Name)
    if node.exc is None or not plain or (node.cause is not None and not isinstance(node.cause, ast.Constant)):
        raise Unsupported(
            "this exception cannot be raised by the gradient", "Raise one of Python's own: ValueError(...)."
        )
    template, inputs = (node.exc, []) if isinstance(node.exc, ast.Name) else fill(c, node.exc, (node.exc,))
    c.apply(EFFECT, inputs, {"template": ast.Raise(template, node.cause), "types": ()})


def fill(c: Calls, node: ast.AST, keep: tuple[ast.AST, ...] = ()) -> tuple[Any, list[Any]]:
    """Source text with its run-time expressions replaced by slots, and what fills them; `keep` stays as it is.

    Builds a new tree: the user's own is read again at the next compilation.
    """
    inputs: list[Any] = []

    def visit(part: Any) -> Any:
        match part:
            case ast.Call() if part in keep:
                keywords = [ast.keyword(k.arg, visit(k.value)) for k in part.keywords]
                return ast.Call(part.func, [visit(a) for a in part.args], keywords)
            case ast.JoinedStr(values):
                return ast.JoinedStr([visit(value) for value in values])
            case ast.FormattedValue(value, conversion, spec):
                return ast.FormattedValue(visit(value), conversion, None if spec is None else visit(spec))
            case ast.Tuple(items):
                return ast.Tuple([visit(item) for item in items], ast.Load())
            case ast.Starred(value):
                return ast.Starred(visit(value), ast.Load())
            case ast.Constant():
                return part
        return slot(c.ev(part), inputs)

    return visit(node), inputs


def slot(value: Any, inputs: list[Any]) -> ast.expr:
    """A value inside an effect's text: a slot, a literal, or a display of these."""
    if is_number(value) or (isinstance(value, Value) and isinstance(value.type, Saved)):
        inputs.append(value)
        return ast.Name(f"{SLOT}{len(inputs) - 1}", ast.Load())
    if isinstance(value, (str, bool, type(None))):
        return ast.Constant(value)
    if isinstance(value, tuple):
        return ast.Tuple([slot(item, inputs) for item in value], ast.Load())
    if isinstance(value, ListValue):
        return ast.List([slot(item, inputs) for item in value.items], ast.Load())
    if isinstance(value, np.dtype):
        return ast.Constant(value.name)
    if isinstance(value, type) and issubclass(value, np.generic):
        return ast.parse(f"np.{value.__name__}", mode="eval").body
    raise Unsupported(f"{describe(value)} cannot be passed on here", "Pass numbers, arrays, strings, or lists of them.")


# Random draws

_VECTORS = {"dirichlet": 0, "multivariate_normal": 0, "multinomial": 1}  # each draw has the axes of this argument
_MAKERS = (np.random.default_rng, np.random.RandomState)


def makes_generator(function: Any) -> bool:
    return function is np.random.seed or any(function is each for each in _MAKERS)


def generator(c: Calls, node: ast.Call, function: Any) -> Any:
    """A generator that is made, or the global one that is seeded: the user's call, once and in order."""
    template, inputs = fill(c, node, (node,))
    template = ast.Call(ast.parse(f"np.random.{function.__name__}", mode="eval").body, template.args, template.keywords)
    if function is np.random.seed:
        return c.apply(EFFECT, inputs, {"template": template, "types": ()})
    kind = Opaque("RandomState" if function is np.random.RandomState else "Generator")
    return c.apply(EFFECT, inputs, {"template": template, "types": (kind,)})


def is_draw(function: Any) -> bool:
    if isinstance(function, BoundMethod) and isinstance(function.receiver, Value):
        return isinstance(function.receiver.type, Opaque) and function.receiver.type.name != "SuperLU"
    owner = getattr(function, "__self__", None)
    return isinstance(owner, np.random.RandomState)


def draw(c: Calls, node: ast.Call, function: Any) -> Any:
    """A random draw: the user's call, whose result has no derivative."""
    name = function.name if isinstance(function, BoundMethod) else function.__name__
    if isinstance(function, BoundMethod) and str(function.receiver.type).endswith("Logger"):
        return _logged(c, node, function)
    if name not in _DRAWS or (name == "permutation" and len(node.args) != 1):
        raise Unsupported(
            f"the random function `{name}` cannot be used inside a differentiated function",
            "Draw before the call, and pass the numbers as an argument."
            if name != "shuffle"
            else f"Use `x = {ast.unparse(node.func).removesuffix('shuffle')}permutation(x)`.",
        )
    inputs: list[Any] = [function.receiver] if isinstance(function, BoundMethod) else []
    if any(isinstance(arg, ast.Starred) for arg in node.args) or any(k.arg is None for k in node.keywords):
        raise Unsupported("a random draw with `*` or `**`", "Write its arguments out.")
    args = [c.ev(arg) for arg in node.args]
    kwargs = {str(keyword.arg): c.ev(keyword.value) for keyword in node.keywords}
    parts = [slot(value, inputs) for value in args]
    keywords = [ast.keyword(key, slot(value, inputs)) for key, value in kwargs.items()]
    target: ast.expr = ast.parse(f"np.random.{name}", mode="eval").body
    if isinstance(function, BoundMethod):
        target = ast.Attribute(ast.Name(f"{SLOT}0", ast.Load()), name, ast.Load())
    type = _draw_type(c.dim, name, args, kwargs)
    return c.apply(EFFECT, inputs, {"template": ast.Call(target, parts, keywords), "types": (type,)})


def _logged(c: Calls, node: ast.Call, logger: BoundMethod) -> None:
    """A message to a logger, which gives nothing."""
    if node is not c.discarded:
        raise Unsupported(f"what the logger's `{logger.name}` gives is not known when compiling", "Call it before.")
    inputs: list[Any] = [logger.receiver]
    parts = [slot(c.ev(arg), inputs) for arg in node.args]
    keywords = [ast.keyword(k.arg, slot(c.ev(k.value), inputs)) for k in node.keywords]
    target = ast.Attribute(ast.Name(f"{SLOT}0", ast.Load()), logger.name, ast.Load())
    c.apply(EFFECT, inputs, {"template": ast.Call(target, parts, keywords), "types": ()})


def _draw_type(dim: Callable[[Any], Any], name: str, args: list[Any], kwargs: dict[str, Any]) -> Array:
    """Shape from `size=` (or the dimensions given), dtype by the distribution."""
    dtype = np.dtype(kwargs["dtype"]) if "dtype" in kwargs else np.dtype(int if name in _INTEGER_DRAWS else float)
    if name in ("permutation", "choice"):
        if set(kwargs) - {"size", "replace", "p"} or not args or len(args) > 2:
            raise Unsupported(f"the random function `{name}` with these arguments", "Known: a, size, replace, p.")
        if name == "permutation":
            return Array(_dtype(args[0]), _axes(args[0]) or (dim(args[0]),))
        dtype = _dtype(args[0])
    place = _SIZE_AT.get(name)
    size = tuple(args) if name in ("rand", "randn") else None
    if place is not None:
        size = kwargs.get("size", args[place] if len(args) > place else None)
    inner = _axes(args[_VECTORS[name]])[-1:] if name in _VECTORS else ()
    inner = _axes(args[0])[1:] if name == "choice" else inner
    if name in _VECTORS and not inner:
        raise Unsupported(f"the random function `{name}` with these parameters", "Give it arrays, by position.")
    if size is None and inner:
        return Array(dtype, inner)
    if size is None and name != "choice":
        parameters = [a for a in (*args, *kwargs.values()) if isinstance(a, Value) and _axes(a)]
        if len(parameters) > 1:
            raise Unsupported("a random draw with several array parameters", "Give it a `size=`.")
        if parameters:
            return Array(dtype, _axes(parameters[0]))
    if size is None or size == ():
        return Array(dtype, weak=True)
    items = sequence(size) if isinstance(size, (tuple, ListValue)) else [size]
    return Array(dtype, (*(dim(item) for item in items), *inner))


def _dtype(value: Any) -> np.dtype[Any]:
    """Of what is drawn from an array, or from the first integers."""
    return value.type.dtype if _axes(value) else np.dtype(int)


def _axes(value: Any) -> tuple[Any, ...]:
    return value.type.axes if isinstance(value, Value) and isinstance(value.type, Array) else ()

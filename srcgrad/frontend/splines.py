"""Reading splines of SciPy: made by the function from its data, or outside of it."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import Unsupported
from ..ir.nodes import Const, Value
from ..ir.solving import SOLVER
from ..ir.types import Array
from ..rules.scipy_objects import SPLINE, Made
from .state import in_place
from .values import BoundMethod, describe, is_number

if TYPE_CHECKING:
    from .calls import Calls

# the functions that make one: which keywords they may have, and whether the spline is linear in its values
_MAKERS = {
    "CubicSpline": ({"bc_type", "extrapolate"}, True),
    "make_interp_spline": ({"k", "bc_type"}, True),
    "interp1d": ({"kind", "fill_value"}, True),
    "PchipInterpolator": ({"extrapolate"}, False),
    "Akima1DInterpolator": ({"method", "extrapolate"}, False),
    "BSpline": ({"k", "extrapolate"}, True),
}
_POSITIONS = {"make_interp_spline": ("k",), "interp1d": ("kind",), "BSpline": ("k",)}
_ENDS = ("not-a-knot", "natural", "clamped")


@dataclass(frozen=True, eq=False)
class Spline:
    """A spline: `axes` are those of one of its values, or how many they are, of one from outside."""

    value: Value
    kind: str
    axes: Any = ()
    parts: tuple[Any, ...] = ()  # its knots and values
    made: Made | None = None
    before: int = 0  # how many derivatives `.derivative()` has taken
    depth: tuple[int, ...] = ()


def makes_spline(function: Any) -> bool:
    module = getattr(function, "__module__", None) or ""
    known = getattr(function, "__name__", "") in _MAKERS
    return known and isinstance(module, str) and module.startswith("scipy.interpolate.")


def make(c: Calls, function: Any, args: list[Any], kwargs: dict[str, Any], text: str) -> Spline:
    """`CubicSpline(x, y)`."""
    in_place(c, f"`{text}`")
    name = function.__name__
    allowed, linear = _MAKERS[name]
    data = ("t", "c") if name == "BSpline" else ("x", "y")
    given = {**dict(zip((*data, *_POSITIONS.get(name, ())), args)), **kwargs}
    if len(args) > 2 + len(_POSITIONS.get(name, ())) or not {*data} <= given.keys():
        raise Unsupported(f"`{text}` with these arguments", f"Give {' and '.join(data)}, and options by name.")
    knots, values = (c.latest(c.array_of(given.pop(key))) for key in data)
    for each, what in ((knots, "knots"), (values, "values")):
        if not isinstance(each, Value) or not isinstance(each.type, Array) or each.type.dtype != np.float64:
            raise Unsupported(f"the {what} of `{text}` are {describe(each)}", "Pass arrays of float64.")
    if knots.type.ndim != 1 or values.type.ndim not in (1, 2):
        raise Unsupported(f"`{text}` of {knots.type} and {values.type}", "Pass a vector of knots and one row each.")
    if name != "BSpline" and not c.agree(knots.type.axes, values.type.axes[:1]):
        raise Unsupported(f"`{text}` of {knots.type} and {values.type}", "Give one value for each knot.")
    if name == "interp1d" and values.type.ndim != 1:
        raise Unsupported("`interp1d` of several values at each knot", "Use make_interp_spline.")
    keywords = []
    for key, value in given.items():
        if key not in allowed:
            raise Unsupported(f"`{text}` is not differentiated with `{key}=`", "Leave it out.")
        known = c.key(value)
        _check_option(text, key, known)
        keywords.append(ast.keyword(key, ast.Constant(known)))
    spelling = text.removesuffix(f".{name}")
    if spelling == "scipy.interpolate" or (spelling != text and spelling.isidentifier()):
        c.modules.setdefault("scipy.interpolate", spelling)
    made = Made(name, linear, keywords)
    inputs = [knots, values]
    value = c.apply(SOLVER, inputs, made.call(inputs))
    return Spline(value, name, values.type.axes[1:], (knots, values), made, depth=c.depth)


def _check_option(text: str, key: str, value: Any) -> None:
    """Options that leave the spline linear in its values."""
    if key == "bc_type" and value not in (None, *_ENDS):
        raise Unsupported(f"`{text}` is not differentiated with bc_type={value!r}", f"Use one of {', '.join(_ENDS)}.")
    if key == "fill_value" and value != "extrapolate":
        raise Unsupported(f"`{text}` is not differentiated with fill_value={value!r}", "Use 'extrapolate'.")


def attribute(c: Calls, spline: Spline, name: str) -> Any:
    if name == "derivative" and spline.kind != "interp1d":
        return BoundMethod(spline, name)
    raise Unsupported(f"`{name}` of a spline", "Call it at a place, or take its `derivative()`.")


def method(c: Calls, spline: Spline, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """`spline.derivative()`, `spline.derivative(2)`."""
    order = c.key(args[0] if args else kwargs.get("nu", Const(1)))
    if name != "derivative" or len(args) + len(kwargs) > 1 or not isinstance(order, int) or order < 1:
        raise Unsupported(f"`{name}` of a spline with these arguments", "Say spline.derivative(nu).")
    return replace(spline, before=spline.before + order)


def evaluate(c: Calls, spline: Spline, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """`spline(x)`, `spline(x, 1)`."""
    in_place(c, "a spline")
    if c.depth[: len(spline.depth)] != spline.depth:
        raise Unsupported("a spline is used outside of the branch or loop that made it", "Make it before.")
    if spline.axes and not isinstance(spline.axes, tuple):
        raise Unsupported("a spline from outside whose values are no numbers", "Make it inside of the function.")
    given = {**dict(zip(("x", "nu"), args)), **kwargs}
    if not {"x"} <= given.keys() <= {"x", "nu"} or len(args) > 2:
        raise Unsupported("a spline called with these arguments", "Say spline(x), or spline(x, nu).")
    place = c.latest(c.array_of(given["x"]))
    order = c.key(given.get("nu", Const(0)))
    if not is_number(place) or not isinstance(order, int) or (order and spline.kind == "interp1d"):
        raise Unsupported("a spline called with these arguments", "Say spline(x), or spline(x, nu).")
    attrs: dict[str, Any] = {"nu": order, "before": spline.before, "axes": spline.axes or (), "made": spline.made}
    attrs = {key: value for key, value in attrs.items() if value or key == "axes"}
    return c.apply(SPLINE, [spline.value, place, *spline.parts], attrs)

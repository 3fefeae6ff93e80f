"""Reading `cho_factor`, `cho_solve`, `lu_factor` and `lu_solve` of scipy.linalg."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import Unsupported
from ..ir.nodes import Const, Value
from ..ir.solving import SLOT, SOLVER
from ..ir.types import Array, Opaque
from ..rules.scipy_factors import CHO_SOLVE, FACTOR, FACTOR_SOLVE
from .state import in_place
from .values import describe

if TYPE_CHECKING:
    from .calls import Calls

_SOLVES = {"cho_solve": "cho_factor", "lu_solve": "lu_factor"}


@dataclass(frozen=True, eq=False)
class Factors:
    """What `cho_factor` or `lu_factor` gives."""

    value: Value
    function: str
    matrix: Value
    lower: bool
    depth: tuple[int, ...]


def is_known(function: Any) -> bool:
    module = getattr(function, "__module__", None) or ""
    known = getattr(function, "__name__", "") in {*_SOLVES, *_SOLVES.values()}
    return known and isinstance(module, str) and module.startswith("scipy.linalg.")


def call(c: Calls, function: Any, args: list[Any], kwargs: dict[str, Any], text: str) -> Any:
    in_place(c, f"`{text}`")
    name = function.__name__
    spelling = text.removesuffix(f".{name}")
    if spelling == "scipy.linalg" or (spelling != text and spelling.isidentifier()):
        c.modules.setdefault("scipy.linalg", spelling)
    kwargs.pop("check_finite", None)
    names = ("a", "lower") if name == "cho_factor" else ("a",) if name == "lu_factor" else ("factor", "b", "trans")
    if name in _SOLVES:
        kwargs = {("factor" if key in ("c_and_lower", "lu_and_piv") else key): v for key, v in kwargs.items()}
    given = {**dict(zip(names, args)), **kwargs}
    unknown = [key for key in given if key not in names]
    if unknown or len(args) > len(names) or len(given) < (2 if name in _SOLVES else 1):
        raise Unsupported(f"`{text}` is not differentiated with these arguments", f"It takes {', '.join(names)}.")
    return _solved(c, name, given, text) if name in _SOLVES else _factored(c, name, given, text)


def _factored(c: Calls, name: str, given: dict[str, Any], text: str) -> Factors:
    matrix, lower = c.latest(c.array_of(given["a"])), bool(c.key(given.get("lower", False)))
    type = getattr(matrix, "type", None)
    if not isinstance(type, Array) or type.ndim != 2 or type.dtype != np.float64 or not c.agree(*_lengths(type)):
        raise Unsupported(f"`{text}` of {describe(matrix)}", "Pass a square matrix of float64.")
    slots: list[ast.expr] = [ast.Name(f"{SLOT}{k}", ast.Load()) for k in range(2)]
    keywords = [ast.keyword("lower", ast.Constant(True))] if lower else []
    template = ast.Call(ast.Attribute(slots[1], name, ast.Load()), slots[:1], keywords)
    factor = Opaque("factors")
    attrs = {"template": template, "functions": (), "module": "scipy.linalg", "types": (factor,)}
    return Factors(c.apply(SOLVER, [matrix], attrs), name, matrix, lower, c.depth)


def _lengths(type: Array) -> tuple[Any, Any]:
    return type.axes[:1], type.axes[1:]


def _solved(c: Calls, name: str, given: dict[str, Any], text: str) -> Any:
    factor, right = given["factor"], c.latest(c.array_of(given["b"]))
    trans = c.key(given.get("trans", Const(0)))
    if isinstance(factor, Factors) and factor.function == _SOLVES[name] and trans in (0, 1, 2):
        _check_depth(c, factor)
        attrs = {"function": name, **({"trans": 1} if trans else {})}
        return c.apply(FACTOR_SOLVE, [factor.value, right, factor.matrix], attrs)
    if name == "cho_solve" and isinstance(factor, tuple) and len(factor) == 2 and not trans:
        return c.apply(CHO_SOLVE, [c.latest(factor[0]), right], {"lower": bool(c.key(factor[1]))})
    way_out = f"Give it what `{_SOLVES[name]}` returns, as it is."
    raise Unsupported(f"`{text}` with {describe(factor)}", way_out)


def _check_depth(c: Calls, factor: Factors) -> None:
    in_place(c, "a factorised matrix")
    if c.depth[: len(factor.depth)] != factor.depth:
        raise Unsupported("a factorised matrix is used outside of the branch or loop that made it", "Make it before.")


def items(c: Calls, factor: Factors) -> tuple[Any, ...]:
    """`c, lower = cho_factor(a)`"""
    _check_depth(c, factor)
    if factor.function != "cho_factor":
        raise Unsupported("the parts of what `lu_factor` gives", "Pass it on to `lu_solve`, or use scipy.linalg.lu.")
    matrix = c.apply(FACTOR, [factor.value, factor.matrix], {"lower": factor.lower})
    return matrix, factor.lower

"""Factorised matrices of scipy.linalg: what `cho_factor` and `lu_factor` give, and the systems solved with it.

A factorisation is an object; the matrix that it was made of stands beside it as one more operand, which only the
derivative reads. With a x = b and a's transposed system a^T s = d: d_b = s, d_a = -s x^T.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.dims import Facts
from ..ir.infer import check_equal
from ..ir.primitive import Primitive, register
from ..ir.types import Array, Type
from .axes import array
from .decompositions import cholesky_partial
from .scipy_objects import op

Attrs = Mapping[str, Any]


def _outer(a: Any, b: Any) -> Any:
    return np.outer(a, b) if a.ndim == 1 else a @ b.T


def _right(b: Array, name: str) -> Array:
    if b.ndim not in (1, 2) or b.dtype != np.float64:
        raise Unsupported(f"`{name}` with a right-hand side that is {b}", "Pass a vector or a matrix of float64.")
    return b


# cho_solve(cho_factor(a), b), lu_solve(lu_factor(a), b)
def _solve_type(facts: Facts, types: Sequence[Type], attrs: Attrs, style: str) -> Type:
    b, a = _right(array(types[1]), attrs["function"]), array(types[2])
    check_equal(facts, a.axes[0], b.axes[0], f"{attrs['function']}: lengths")
    return Array(np.dtype(float), b.axes)


def _solve(factor: Any, b: Any, a: Any, *, function: str, trans: int = 0) -> Any:
    from scipy import linalg

    return getattr(linalg, function)(factor, b, **({"trans": trans} if trans else {}))


def _pull(d: Any, y: Any, factor: Any, b: Any, a: Any, *, function: str, trans: int = 0) -> Any:
    flipped = function == "lu_solve" and not trans
    return op(FACTOR_SOLVE, d, factor, d, a, function=function, **({"trans": 1} if flipped else {}))


def _matrix(d: Any, y: Any, factor: Any, b: Any, a: Any, *, function: str, trans: int = 0) -> Any:
    adjoint = _pull(d, y, factor, b, a, function=function, trans=trans)
    if function == "cho_solve":  # of a symmetric matrix
        return -0.5 * (_outer(adjoint, y) + _outer(y, adjoint))
    return -(_outer(y, adjoint) if trans else _outer(adjoint, y))


FACTOR_SOLVE = register(
    Primitive(
        "factor_solve", fn=_solve, infer=_solve_type, operands=("factor", "b", "a"), keywords=("function", "trans"),
        partials=(None, _pull, _matrix), looked_at=frozenset({"function", "trans"}),
    )
)  # fmt: skip


# cho_factor(a)[0]: Cholesky's factor in one triangle, and what `a` had in the other
def _matrix_type(facts: Facts, types: Sequence[Type], attrs: Attrs, style: str) -> Type:
    return Array(np.dtype(float), array(types[1]).axes)


def _triangle(d: Any, y: Any, factor: Any, a: Any, *, lower: bool) -> Any:
    own, other = (np.tril(y), np.triu(d, 1)) if lower else (np.triu(y), np.tril(d, -1))
    return cholesky_partial(np.tril(d) if lower else np.triu(d), own, a, upper=not lower) + other


FACTOR = register(
    Primitive(
        "factor_matrix", fn=lambda factor, a, *, lower: factor[0], infer=_matrix_type, operands=("factor", "a"),
        keywords=("lower",), partials=(None, _triangle), looked_at=frozenset({"lower"}),
    )
)  # fmt: skip


# cho_solve((c, lower), b), which reads one triangle of c
def _pair_type(facts: Facts, types: Sequence[Type], attrs: Attrs, style: str) -> Type:
    c, b = array(types[0]), _right(array(types[1]), "cho_solve")
    if c.ndim != 2 or c.dtype != np.float64:
        raise Unsupported(f"`cho_solve` with a factor that is {c}", "Pass a matrix of float64.")
    check_equal(facts, c.axes[0], b.axes[0], "cho_solve: lengths")
    return Array(np.dtype(float), b.axes)


def _pair(c: Any, b: Any, *, lower: bool) -> Any:
    from scipy import linalg

    return linalg.cho_solve((c, lower), b)


def _pair_factor(d: Any, y: Any, c: Any, b: Any, *, lower: bool) -> Any:
    """a = L L^T: d_L = -tril((s x^T + x s^T) L)."""
    product = _outer(op(CHO_SOLVE, d, c, d, lower=lower), y)
    both = product + product.T
    return -np.tril(both @ np.tril(c)) if lower else -np.triu(np.triu(c) @ both)


CHO_SOLVE: Primitive = register(
    Primitive(
        "cho_solve", fn=_pair, infer=_pair_type, operands=("c", "b"), keywords=("lower",),
        partials=(_pair_factor, lambda d, y, c, b, *, lower: op(CHO_SOLVE, d, c, d, lower=lower)),
        looked_at=frozenset({"lower"}),
    )
)  # fmt: skip

FACTOR_RULES = (FACTOR_SOLVE, FACTOR, CHO_SOLVE)

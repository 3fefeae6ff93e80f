"""Derivatives of the pseudo-inverse and of least squares, for one matrix.

Golub & Pereyra (1973), "The differentiation of pseudo-inverses", equation 4.12.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.dims import Facts
from ..ir.infer import check_equal
from ..ir.types import Array, Type
from .axes import array, dtype_of
from .decompositions import spd, svd_partial
from .internal import conj
from .linalg import regular
from .products import adjoint
from .registry import Case, general


def check_cutoff(name: str, keyword: str, value: Any) -> None:
    """The formulas hold where what is cut off is rounding error: the derivative has no terms of what is beyond."""
    if not (value is None or (isinstance(value, (int, float, np.number)) and value <= 1e-6)):
        raise Unsupported(
            f"{name} with {keyword}={value!r}, which cuts off more than rounding errors, is not differentiated",
            f"Use a `{keyword}=` of at most 1e-6, or cut off singular values of np.linalg.svd.",
        )


# pinv: Golub & Pereyra (1973), equation 4.12, transposed
def _pinv_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    x = array(types[0])
    if x.ndim < 2:
        raise Unsupported("np.linalg.pinv needs a matrix")
    return Array(dtype_of(np.linalg.pinv, (x,), ndim=2), (*x.axes[:-2], x.axes[-1], x.axes[-2]))


def pinv_partial(d: Any, y: Any, a: Any, *, rcond: Any = None, hermitian: bool = False, rtol: Any = None) -> Any:
    for keyword, value in (("rcond", rcond), ("rtol", rtol)):
        check_cutoff("pinv", keyword, value)
    a, y, d_t = conj(a), conj(y), adjoint(d)
    y_t = adjoint(y)
    beyond = (d_t - a @ (y @ d_t)) @ (y @ y_t) + (y_t @ y) @ (d_t - (d_t @ y) @ a)
    result = beyond - y_t @ d @ y_t
    return (result + adjoint(result)) / 2 if hermitian else result


general(
    np.linalg.pinv,
    pinv_partial,
    operands=("a",),
    keywords=("rcond", "hermitian", "rtol"),
    infer=_pinv_type,
    cases=[
        *(Case(shape) for shape in ((3, 2), (2, 3), (2, 4, 2))),
        Case(regular(3, 3)),
        Case((3, 2), rcond=1e-10),
        Case((3, 2), rtol=1e-10),
        Case(spd(3, 3), symmetric=True, hermitian=True),
    ],
    convention="the rank stays what it is",
)


# lstsq: x = a^+ b, the derivative of the pseudo-inverse applied to b
def _lstsq_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> tuple[Type, ...]:
    a, b = map(array, types)
    if a.ndim != 2 or b.ndim not in (1, 2):
        raise Unsupported("np.linalg.lstsq takes a matrix, and a vector or a matrix")
    check_equal(facts, a.axes[0], b.axes[0], "np.linalg.lstsq: lengths")
    m, n = a.axes
    dtype, real = (dtype_of(partial(_lstsq_part, k), (a, b), ndim=2) for k in (0, 3))
    values = Array(real, (n if facts.require(">=", m, n) else m,))
    return Array(dtype, (n, *b.axes[1:])), Array(real, (facts.fresh(),)), Array(np.dtype(np.int32)), values


def _lstsq_part(k: int, a: Any, b: Any) -> Any:
    return np.linalg.lstsq(a, b)[k]


_lstsq_part.__name__ = "lstsq"


def lstsq_right(d: Any, y: Any, a: Any, b: Any, *, rcond: Any = None) -> Any:
    check_cutoff("lstsq", "rcond", rcond)
    terms = [] if d[0] is None else [np.linalg.pinv(a).T @ d[0]]
    terms += [] if d[1] is None else [2 * _of_residuals(d[1], b) * conj(b - a @ y[0])]
    return _total(terms)


def lstsq_left(d: Any, y: Any, a: Any, b: Any, *, rcond: Any = None) -> Any:
    check_cutoff("lstsq", "rcond", rcond)
    x, rest, terms = y[0], b - a @ y[0], []
    if d[0] is not None:
        inverse = np.linalg.pinv(a)
        d_b = inverse.T @ d[0]
        beyond = _outer(rest, conj(inverse) @ d_b) + _outer(adjoint(inverse) @ x, d[0] - a.T @ d_b)
        terms += [conj(beyond) - _outer(d_b, x)]
    if d[1] is not None:
        terms += [-2 * _of_residuals(d[1], b) * _outer(conj(rest), x)]
    if d[3] is not None:
        terms += [svd_partial(d[3], None, a, compute_uv=False)]
    return _total(terms)


def _total(terms: Sequence[Any]) -> Any:
    return sum(terms[1:], terms[0]) if terms else None


def _of_residuals(d: Any, b: Any) -> Any:
    """There is one residual, or none where the rank is not full."""
    if b.ndim > 1:
        raise Unsupported(
            "the residuals of np.linalg.lstsq with several right-hand sides are not differentiated",
            "Compute them from the solution: np.sum((b - a @ x) ** 2, axis=0).",
        )
    return np.sum(d)


def _outer(a: Any, b: Any) -> Any:
    return np.outer(a, b) if a.ndim == 1 else a @ b.T


general(
    np.linalg.lstsq,
    lstsq_left,
    lstsq_right,
    operands=("a", "b"),
    keywords=("rcond",),
    infer=_lstsq_type,
    cases=[
        Case((4, 2), (4,), unknown=True),
        Case((2, 3), (2,), unknown=True),
        Case((4, 2), (4,), rcond=1e-9, unknown=True),
    ],
    convention="the rank stays what it is",
)

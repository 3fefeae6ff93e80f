"""Derivatives of matrix decompositions, for one matrix or a stack of them.

Giles (2008), "An extended collection of matrix derivative results"; Murray (2016), "Differentiation of the Cholesky
decomposition"; Townsend (2016), "Differentiating the singular value decomposition"; Walter & Lehmann (2018),
"Algorithmic differentiation of linear algebra functions", for QR; Golub & Pereyra (1973) for the pseudo-inverse.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.dims import Facts
from ..ir.types import Array, Type
from .axes import array, dtype_of
from .linalg import of_squares, regular, square
from .products import transposed
from .registry import Case, general


def _spd(*shape: int) -> Any:
    """Symmetric positive definite matrices."""

    def matrices(rng: np.random.Generator) -> Any:
        x = rng.uniform(-1.0, 1.0, shape)
        return x @ np.swapaxes(x, -1, -2) + 2.0 * np.eye(shape[-1])

    return matrices


# cholesky: a = L L.T gives da = L^-T (M + M.T) L^-1 / 2, M the lower triangle of L.T d with half its diagonal
def _cholesky(d: Any, y: Any, a: Any) -> Any:
    lower = np.tril(transposed(y) @ d)
    middle = 0.5 * (lower + transposed(np.tril(lower, -1)))
    return np.linalg.solve(transposed(y), transposed(np.linalg.solve(transposed(y), middle)))


general(
    np.linalg.cholesky,
    _cholesky,
    operands=("a",),
    infer=of_squares(np.linalg.cholesky, lambda axes: axes),
    cases=[
        Case(_spd(3, 3), symmetric=True),
        Case(_spd(2, 3, 3), symmetric=True),
        Case(_spd(1, 1), symmetric=True),
    ],
    convention="the gradient is symmetric, as the matrix is",
)


# eigh: a = V diag(w) V.T gives da = V (diag(dw) + F * (V.T dV)) V.T, F_ij = 1 / (w_j - w_i) off the diagonal
def _eigh_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> tuple[Type, ...]:
    x = array(types[0])
    axes, dtype = square(facts, x, "np.linalg.eigh"), dtype_of(np.linalg.eigvalsh, (x,), ndim=2)
    return Array(dtype, axes[:-1]), Array(dtype, axes)


def _eigh(d: Any, y: Any, a: Any) -> Any:
    w, v = y
    middle = None if d[1] is None else reciprocal_gaps(w) * (transposed(v) @ d[1])
    result = _spread_eigenvalues(d[0], v) if d[0] is not None else None
    if middle is not None:
        turned = v @ middle @ transposed(v)
        turned = (turned + transposed(turned)) / 2
        result = turned if result is None else result + turned
    return result


def _spread_eigenvalues(d: Any, v: Any) -> Any:
    return (v * in_rows(d)) @ transposed(v)


def in_rows(s: Any) -> Any:
    """A vector, or a stack of them, that scales the columns of a matrix."""
    return s if s.ndim == 1 else np.expand_dims(s, -2)


def reciprocal_gaps(w: Any) -> Any:
    """1 / (w_j - w_i), and 0 where they are equal."""
    gaps = in_rows(w) - np.expand_dims(w, -1)
    equal = gaps == 0
    return np.where(equal, 0.0, 1.0 / np.where(equal, 1.0, gaps))


_SYMMETRIC = [Case(_spd(3, 3), symmetric=True), Case(_spd(2, 3, 3), symmetric=True)]
general(
    np.linalg.eigh,
    _eigh,
    operands=("a",),
    infer=_eigh_type,
    cases=_SYMMETRIC,
    convention="the gradient is symmetric; equal eigenvalues do not turn into each other",
)
general(
    np.linalg.eigvalsh,
    lambda d, y, a: _spread_eigenvalues(d, np.linalg.eigh(a)[1]),
    operands=("a",),
    infer=of_squares(np.linalg.eigvalsh, lambda axes: axes[:-1]),
    cases=_SYMMETRIC,
    convention="the gradient is symmetric",
)


# pinv: Golub & Pereyra (1973), equation 4.12, transposed
def _pinv_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    x = array(types[0])
    if x.ndim < 2:
        raise Unsupported("np.linalg.pinv needs a matrix")
    return Array(dtype_of(np.linalg.pinv, (x,), ndim=2), (*x.axes[:-2], x.axes[-1], x.axes[-2]))


def _pinv(d: Any, y: Any, a: Any) -> Any:
    d_t, y_t = transposed(d), transposed(y)
    beyond = (d_t - a @ (y @ d_t)) @ (y @ y_t) + (y_t @ y) @ (d_t - (d_t @ y) @ a)
    return beyond - y_t @ d @ y_t


general(
    np.linalg.pinv,
    _pinv,
    operands=("a",),
    infer=_pinv_type,
    cases=[Case((3, 2)), Case((2, 3)), Case(regular(3, 3)), Case((2, 4, 2))],
    convention="the rank stays what it is",
)


# svd: a = U diag(s) Vh
def _svd_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type | tuple[Type, ...]:
    x = array(types[0])
    if x.ndim < 2 or x.dtype.kind == "c":
        raise Unsupported("np.linalg.svd is differentiated for real matrices")
    batch, (m, n) = x.axes[:-2], x.axes[-2:]
    facts.require("==", m, n)  # square, if the example is
    k = n if facts.require(">=", m, n) else m
    dtype = dtype_of(_singular_values, (x,), ndim=2)
    values = Array(dtype, (*batch, k))
    if not attrs.get("compute_uv", True):
        return values
    rows, columns = (m, n) if attrs.get("full_matrices", True) else (k, k)
    return Array(dtype, (*batch, m, rows)), values, Array(dtype, (*batch, columns, n))


def _singular_values(x: Any) -> Any:
    return np.linalg.svd(x, compute_uv=False)


def _svd(d: Any, y: Any, a: Any, *, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    thin = not full_matrices or a.shape[-1] == a.shape[-2]
    d_u, d_s, d_vh = d if compute_uv else (None, d, None)
    u, s, vh = y if compute_uv and thin else np.linalg.svd(a, full_matrices=False)
    values = None if d_s is None else (u * in_rows(d_s)) @ vh
    if d_u is None and d_vh is None:
        return values
    if not thin:
        raise Unsupported("the singular vectors of a full svd are not differentiated", "Use full_matrices=False.")
    gaps, columns, rows = reciprocal_gaps(s * s), in_rows(s), np.expand_dims(s, -1)
    terms = [] if values is None else [values]
    if d_u is not None:
        along = transposed(u) @ d_u
        terms += [(u @ (gaps * (along - transposed(along)) * columns) + (d_u - u @ along) / columns) @ vh]
    if d_vh is not None:
        along = vh @ transposed(d_vh)
        terms += [u @ ((rows * gaps * (along - transposed(along))) @ vh + (d_vh - transposed(along) @ vh) / rows)]
    return sum(terms[1:], terms[0])


general(
    np.linalg.svd,
    _svd,
    operands=("a",),
    keywords=("full_matrices", "compute_uv"),
    infer=_svd_type,
    cases=[
        *(Case(shape, full_matrices=False) for shape in ((3, 2), (2, 3), (3, 3), (2, 3, 2))),
        *(Case(shape, compute_uv=False) for shape in ((3, 2), (2, 3), (3, 3), (2, 3, 2))),
        Case((3, 3)),
    ],
    convention="equal singular values do not turn into each other",
)


# qr: a = Q R gives da = (dQ + Q M) R^-T, M the lower triangle of R dR.T - dQ.T Q, mirrored
def _qr_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> tuple[Type, ...]:
    x = array(types[0])
    if x.ndim < 2 or attrs.get("mode", "reduced") != "reduced":
        raise Unsupported("np.linalg.qr is differentiated for matrices, with mode='reduced'")
    if not facts.require(">=", x.axes[-2], x.axes[-1]):
        raise Unsupported("np.linalg.qr of a matrix with more columns than rows is not differentiated")
    dtype = dtype_of(_triangle, (x,), ndim=2)
    return Array(dtype, x.axes), Array(dtype, (*x.axes[:-2], x.axes[-1], x.axes[-1]))


def _triangle(x: Any) -> Any:
    return np.linalg.qr(x)[1]


def _qr(d: Any, y: Any, a: Any, *, mode: str = "reduced") -> Any:
    (d_q, d_r), (q, r) = d, y
    parts = [r @ transposed(d_r)] if d_r is not None else []
    parts += [-(transposed(d_q) @ q)] if d_q is not None else []
    inner = sum(parts[1:], parts[0])
    turned = q @ (np.tril(inner) + transposed(np.tril(inner, -1)))
    total = turned if d_q is None else d_q + turned
    return transposed(np.linalg.solve(r, transposed(total)))


general(
    np.linalg.qr,
    _qr,
    operands=("a",),
    keywords=("mode",),
    infer=_qr_type,
    cases=[Case((3, 2)), Case((3, 3)), Case((2, 3, 2)), Case((3, 2), mode="reduced")],
)

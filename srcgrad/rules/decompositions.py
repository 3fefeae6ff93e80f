"""Derivatives of matrix decompositions, for one matrix or a stack of them.

Giles (2008), "An extended collection of matrix derivative results"; Murray (2016), "Differentiation of the Cholesky
decomposition"; Townsend (2016), "Differentiating the singular value decomposition"; Walter & Lehmann (2018),
"Algorithmic differentiation of linear algebra functions", for QR.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.dims import Facts
from ..ir.types import Array, Type
from .axes import array, dtype_of, square
from .internal import called, conj, eye
from .linalg import of_squares
from .products import adjoint, transposed
from .registry import Case, general


def spd(*shape: int) -> Any:
    """Symmetric positive definite matrices."""

    def matrices(rng: np.random.Generator) -> Any:
        x = rng.uniform(-1.0, 1.0, shape)
        return x @ np.swapaxes(x, -1, -2) + 2.0 * np.eye(shape[-1])

    return matrices


# cholesky: a = L L^H gives da = L^-T (M + M^H) conj(L)^-1 / 2, M the lower triangle of L.T d with half its diagonal
def cholesky_partial(d: Any, y: Any, a: Any, *, upper: bool = False) -> Any:
    if upper:
        d, y = adjoint(d), adjoint(y)
    return _congruent(y, 0.5 * mirrored(transposed(y) @ d))


def mirrored(x: Any) -> Any:
    """The lower triangle, and its adjoint above it."""
    lower = np.tril(x)
    below = np.tril(lower, -1)
    if x.dtype.kind != "c":
        return lower + transposed(below)
    both = lower + below
    return (both + adjoint(both)) / 2


def _congruent(lower: Any, middle: Any) -> Any:
    """L^-T M conj(L)^-1 for a Hermitian M."""
    return np.linalg.solve(transposed(lower), transposed(np.linalg.solve(adjoint(lower), conj(middle))))


general(
    np.linalg.cholesky,
    cholesky_partial,
    operands=("a",),
    keywords=("upper",),
    signature=("a",),
    infer=of_squares(np.linalg.cholesky, lambda axes: axes),
    cases=[
        Case(spd(3, 3), symmetric=True),
        Case(spd(2, 3, 3), symmetric=True),
        Case(spd(1, 1), symmetric=True),
        Case(spd(3, 3), symmetric=True, upper=True),
        Case(spd(2, 3, 3), symmetric=True, upper=True),
        Case(spd(3, 3), symmetric=True, upper=False),
    ],
    convention="the gradient is symmetric, as the matrix is",
)


# eigh: a = V diag(w) V^H gives da = conj(V) (diag(dw) + F * (V.T dV)) V.T, F_ij = 1 / (w_j - w_i) off the diagonal
def _eigh_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> tuple[Type, ...]:
    x = array(types[0])
    axes = square(facts, x, "np.linalg.eigh")
    values, vectors = (dtype_of(f, (x,), ndim=2) for f in (np.linalg.eigvalsh, _vectors))
    return Array(values, axes[:-1]), Array(vectors, axes)


def _vectors(x: Any) -> Any:
    return np.linalg.eigh(x)[1]


def eigh_partial(d: Any, y: Any, a: Any, *, UPLO: str = "L") -> Any:
    w, v = y
    middle = None if d[1] is None else reciprocal_gaps(w) * (transposed(v) @ d[1])
    result = _spread_eigenvalues(d[0], v) if d[0] is not None else None
    if middle is not None:
        turned = conj(v) @ middle @ transposed(v)
        turned = (turned + adjoint(turned)) / 2
        result = turned if result is None else result + turned
    return result


def eigvalsh_partial(d: Any, y: Any, a: Any, *, UPLO: Any = "L") -> Any:
    return _spread_eigenvalues(d, np.linalg.eigh(a)[1] if UPLO == "L" else np.linalg.eigh(a, UPLO=UPLO)[1])


def _spread_eigenvalues(d: Any, v: Any) -> Any:
    return (conj(v) * in_rows(d)) @ transposed(v)


def in_rows(s: Any) -> Any:
    """A vector, or a stack of them, that scales the columns of a matrix."""
    return s if s.ndim == 1 else np.expand_dims(s, -2)


def reciprocal_gaps(w: Any) -> Any:
    """1 / (w_j - w_i), and 0 where they are equal."""
    gaps = in_rows(w) - np.expand_dims(w, -1)
    equal = gaps == 0
    return np.where(equal, 0.0, 1.0 / np.where(equal, 1.0, gaps))


_SYMMETRIC = [
    *(Case(spd(*shape), symmetric=True) for shape in ((3, 3), (2, 3, 3))),
    *(Case(spd(3, 3), symmetric=True, UPLO=UPLO) for UPLO in "LU"),
]
general(
    np.linalg.eigh,
    eigh_partial,
    operands=("a",),
    keywords=("UPLO",),
    infer=_eigh_type,
    cases=[Case(*case.operands, symmetric=True, phases=True, **case.attrs) for case in _SYMMETRIC],
    convention="the gradient is symmetric; equal eigenvalues do not turn into each other; "
    "the phases of complex eigenvectors are taken not to matter",
)
general(
    np.linalg.eigvalsh,
    eigvalsh_partial,
    operands=("a",),
    keywords=("UPLO",),
    infer=of_squares(np.linalg.eigvalsh, lambda axes: axes[:-1]),
    cases=_SYMMETRIC,
    convention="the gradient is symmetric",
)


# eig: a V = V diag(w), columns of length one: da = V^-T (diag(dw) + F * (V.T dV - V.T conj(V) Re diag(V.T dV))) V.T
def _eig_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> tuple[Type, ...]:
    x = array(types[0])
    axes = square(facts, x, "np.linalg.eig")
    _check_complex(x, "eig")
    return Array(x.dtype, axes[:-1]), Array(x.dtype, axes)


def _eigvals_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    x = array(types[0])
    axes = square(facts, x, "np.linalg.eigvals")
    _check_complex(x, "eigvals")
    return Array(x.dtype, axes[:-1])


def _check_complex(x: Array, name: str) -> None:
    if x.dtype.kind != "c":
        raise Unsupported(
            f"np.linalg.{name} of a real matrix gives real or complex numbers depending on its values",
            f"Make it complex: np.linalg.{name}(a + 0j); for a symmetric matrix use np.linalg.eigh.",
        )


def _eig(d: Any, y: Any, a: Any) -> Any:
    w, v = y
    middle = None if d[0] is None else _diagonal_matrices(d[0], v)
    if d[1] is not None:
        along = transposed(v) @ d[1]
        stretched = np.real(np.diagonal(along, axis1=-2, axis2=-1))
        turned = reciprocal_gaps(w) * (along - transposed(v) @ (conj(v) * in_rows(stretched)))
        middle = turned if middle is None else middle + turned
    return np.linalg.solve(transposed(v), middle @ transposed(v))


def _diagonal_matrices(d: Any, v: Any) -> Any:
    return np.expand_dims(d, -1) * eye(v, v.shape[-1], v.dtype)


def _eigvals(d: Any, y: Any, a: Any) -> Any:
    v = called(np.linalg.eig, a)[1]
    return np.linalg.solve(transposed(v), np.expand_dims(d, -1) * transposed(v))


def _complex(*shape: int) -> Any:
    return lambda rng: rng.normal(size=shape) + 1j * rng.normal(size=shape)


general(
    np.linalg.eig,
    _eig,
    operands=("a",),
    infer=_eig_type,
    cases=[Case(_complex(*shape), phases=True) for shape in ((3, 3), (2, 3, 3))],
    convention="equal eigenvalues do not turn into each other; the phases of eigenvectors are taken not to matter",
)
general(
    np.linalg.eigvals,
    _eigvals,
    operands=("a",),
    infer=_eigvals_type,
    cases=[Case(_complex(3, 3)), Case(_complex(2, 3, 3))],
)


# svd: a = U diag(s) Vh
def svd_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type | tuple[Type, ...]:
    x = array(types[0])
    if x.ndim < 2:
        raise Unsupported("np.linalg.svd needs a matrix")
    batch, (m, n) = x.axes[:-2], x.axes[-2:]
    facts.require("==", m, n)  # square, if the example is
    k = n if facts.require(">=", m, n) else m
    dtype, real = (dtype_of(f, (x,), ndim=2) for f in (np.linalg.pinv, _singular_values))
    values = Array(real, (*batch, k))
    if not attrs.get("compute_uv", True):
        return values
    rows, columns = (m, n) if attrs.get("full_matrices", True) else (k, k)
    return Array(dtype, (*batch, m, rows)), values, Array(dtype, (*batch, columns, n))


def _singular_values(x: Any) -> Any:
    return np.linalg.svd(x, compute_uv=False)


def svd_partial(
    d: Any, y: Any, a: Any, *, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False
) -> Any:
    thin = not full_matrices or a.shape[-1] == a.shape[-2]
    d_u, d_s, d_vh = d if compute_uv else (None, d, None)
    u, s, vh = y if compute_uv and thin else np.linalg.svd(a, full_matrices=False)
    u, vh = conj(u), conj(vh)
    values = None if d_s is None else (u * in_rows(d_s)) @ vh
    if d_u is None and d_vh is None:
        return values
    if not thin:
        raise Unsupported("the singular vectors of a full svd are not differentiated", "Use full_matrices=False.")
    gaps, columns, rows = reciprocal_gaps(s * s), in_rows(s), np.expand_dims(s, -1)
    terms = [] if values is None else [values]
    if d_u is not None:
        along = adjoint(u) @ d_u
        middle = gaps * (along - adjoint(along)) * columns
        if along.dtype.kind == "c":  # the phase of each pair of vectors goes to the left one
            middle = middle + (along - adjoint(along)) / (2 * columns) * eye(along, along.shape[-1], s.dtype)
        terms += [(u @ middle + (d_u - u @ along) / columns) @ vh]
    if d_vh is not None:
        along = vh @ adjoint(d_vh)
        terms += [u @ ((rows * gaps * (along - adjoint(along))) @ vh + (d_vh - adjoint(along) @ vh) / rows)]
    return sum(terms[1:], terms[0])


general(
    np.linalg.svd,
    svd_partial,
    operands=("a",),
    keywords=("full_matrices", "compute_uv", "hermitian"),
    infer=svd_type,
    cases=[
        *(Case(shape, full_matrices=False, phases=True) for shape in ((3, 2), (2, 3), (3, 3), (2, 3, 2))),
        *(Case(shape, compute_uv=False) for shape in ((3, 2), (2, 3), (3, 3), (2, 3, 2))),
        Case((3, 3), phases=True),
        Case(spd(3, 3), compute_uv=False, hermitian=True, symmetric=True),
    ],
    convention="equal singular values do not turn into each other; the phases of complex singular vectors are taken "
    "not to matter",
)
general(
    np.linalg.svdvals,
    lambda d, y, x: svd_partial(d, y, x, compute_uv=False),
    infer=lambda facts, types, attrs, style: svd_type(facts, types, {"compute_uv": False}, style),
    cases=[Case((3, 2)), Case((2, 3)), Case((2, 3, 3))],
)


# qr: a = Q R gives da = (dQ + conj(Q M)) R^-T, M the lower triangle of R dR.T - dQ.T Q, mirrored. Of a wide matrix,
# R = (U V) and a = (X Y): V = Q^H Y sends d_V on to Q, and Y takes Q d_V
def qr_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type | tuple[Type, ...]:
    x, mode = array(types[0]), attrs.get("mode", "reduced")
    if x.ndim < 2 or mode not in ("reduced", "r", "complete"):
        raise Unsupported("np.linalg.qr is differentiated for matrices, with mode='reduced', 'complete' or 'r'")
    m, n = x.axes[-2:]
    facts.require("==", m, n)
    k = n if facts.require(">=", m, n) else m
    if mode == "complete" and not facts.same(m, k):
        raise Unsupported(
            "np.linalg.qr with mode='complete' of a matrix with more rows than columns is not differentiated",
            "The further columns of Q are one choice of many: use mode='reduced'.",
        )
    dtype = dtype_of(_triangle, (x,), ndim=2)
    triangle = Array(dtype, (*x.axes[:-2], k, n))
    return triangle if mode == "r" else (Array(dtype, (*x.axes[:-2], m, k)), triangle)


def _triangle(x: Any) -> Any:
    return np.linalg.qr(x)[1]


def qr_partial(d: Any, y: Any, a: Any, *, mode: str = "reduced") -> Any:
    d_q, d_r = (None, d) if mode == "r" else d
    q, r = called(np.linalg.qr, a) if mode == "r" else y
    if r.shape[-1] == r.shape[-2]:
        return _qr_square(d_q, d_r, q, r)
    rows = a.shape[-2]
    d_left = None
    if d_r is not None:
        d_v, beyond = d_r[..., rows:], a[..., rows:]
        passed = conj(beyond) @ adjoint(d_v)
        d_q = passed if d_q is None else d_q + passed
        d_left = d_r[..., :rows]
    left = _qr_square(d_q, d_left, q, r[..., :rows])
    right = conj(q) @ d_v if d_r is not None else np.zeros_like(a[..., rows:])
    return np.concatenate((left, right), axis=-1)


def _qr_square(d_q: Any, d_r: Any, q: Any, r: Any) -> Any:
    parts = [r @ transposed(d_r)] if d_r is not None else []
    parts += [-(transposed(d_q) @ q)] if d_q is not None else []
    inner = sum(parts[1:], parts[0])
    turned = conj(q @ mirrored(inner))
    total = turned if d_q is None else d_q + turned
    return transposed(np.linalg.solve(r, transposed(total)))


general(
    np.linalg.qr,
    qr_partial,
    operands=("a",),
    keywords=("mode",),
    infer=qr_type,
    cases=[
        *(Case(shape) for shape in ((3, 2), (3, 3), (2, 3, 2), (2, 4), (2, 2, 3))),
        Case((3, 2), mode="reduced"),
        *(Case(shape, mode="r") for shape in ((3, 2), (3, 3), (2, 4))),
        *(Case(shape, mode="complete") for shape in ((3, 3), (2, 4))),
    ],
)

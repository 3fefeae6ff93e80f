"""Derivatives of scipy.linalg: decompositions, least squares, norms and logarithms, by the formulas of numpy.linalg.

Golub & Pereyra (1973), "The differentiation of pseudo-inverses"; Giles (2008), "An extended collection of matrix
derivative results"; Higham (2008), "Functions of matrices", theorem 3.6, for the logarithm. One matrix, not stacks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from scipy import linalg

from ..errors import Unsupported
from ..ir.dims import Facts, as_dim
from ..ir.infer import check_equal
from ..ir.types import Array, Type
from .axes import array, dtype_of, plain
from .decompositions import (
    eigh_partial,
    eigvalsh_partial,
    qr_partial,
    qr_type,
    reciprocal_gaps,
    spd,
    svd_partial,
    svd_type,
)
from .internal import called
from .least_squares import check_cutoff, lstsq_left, lstsq_right, pinv_partial
from .linalg import regular
from .norms import norm_partial, norm_type
from .registry import Case, general
from .scipy_linalg import of_square, one_matrix

Attrs = Mapping[str, Any]


def _check(name: str, attrs: Attrs, **defaults: Any) -> None:
    """Keywords that must stay what they are by default; arguments are not overwritten."""
    for key, value in {"overwrite_a": False, "overwrite_b": False, **defaults}.items():
        given = attrs.get(key, value)
        if given is not value and given != value:
            raise Unsupported(f"scipy.linalg.{name} with `{key}=` is not differentiated", "Leave that out.")


def _matrix(facts: Facts, type: Type, name: str) -> Array:
    x = array(type)
    if x.ndim != 2:
        raise Unsupported(f"scipy.linalg.{name} is differentiated for one matrix, not for {x.ndim} axes")
    return x


# eigh, eigvalsh: of one symmetric matrix
_ONE_MATRIX = {"b": None, "type": 1, "subset_by_index": None, "subset_by_value": None}
_STANDARD = ("b", "lower", "overwrite_a", "overwrite_b", "type", "check_finite", "subset_by_index", "subset_by_value",
             "driver")  # fmt: skip


def _eigh_type(facts: Facts, types: Sequence[Type], attrs: Attrs, style: str) -> Type | tuple[Type, ...]:
    x = one_matrix(facts, types[0], "eigh")
    _check("eigh", attrs, **_ONE_MATRIX)
    values = Array(dtype_of(linalg.eigvalsh, (x,), ndim=2), x.axes[:1])
    return values if attrs.get("eigvals_only") else (values, Array(dtype_of(_vectors, (x,), ndim=2), x.axes))


def _eigvalsh_type(facts: Facts, types: Sequence[Type], attrs: Attrs, style: str) -> Type:
    x = one_matrix(facts, types[0], "eigvalsh")
    _check("eigvalsh", attrs, **_ONE_MATRIX)
    return Array(dtype_of(linalg.eigvalsh, (x,), ndim=2), x.axes[:1])


def _vectors(x: Any) -> Any:
    return linalg.eigh(x)[1]


def _eigvalsh(
    d: Any, y: Any, a: Any, *, b: None = None, lower: bool = True, overwrite_a: bool = False, overwrite_b: bool = False,
    type: int = 1, check_finite: bool = True, subset_by_index: None = None, subset_by_value: None = None,
    driver: Any = None,
) -> Any:  # fmt: skip
    return eigvalsh_partial(d, y, a, UPLO="L" if lower else "U")


def _eigh(
    d: Any, y: Any, a: Any, *, b: None = None, lower: bool = True, eigvals_only: bool = False,
    overwrite_a: bool = False, overwrite_b: bool = False, type: int = 1, check_finite: bool = True,
    subset_by_index: None = None, subset_by_value: None = None, driver: Any = None,
) -> Any:  # fmt: skip
    return _eigvalsh(d, y, a, lower=lower) if eigvals_only else eigh_partial(d, y, a)


_DEFAULTS: dict[str, Any] = {
    **dict.fromkeys(_STANDARD), "lower": True, "overwrite_a": False, "overwrite_b": False, "type": 1,
    "check_finite": True,
}  # fmt: skip
general(
    linalg.eigh,
    _eigh,
    name="scipy.linalg.eigh",
    operands=("a",),
    signature=("a", "b"),
    keywords=(*_STANDARD, "eigvals_only"),
    infer=_eigh_type,
    cases=[
        *(Case(spd(*shape), symmetric=True, phases="signs") for shape in ((3, 3), (1, 1))),
        Case(spd(3, 3), symmetric=True, phases="signs", **_DEFAULTS),
        *(Case(spd(3, 3), symmetric=True, phases="signs", lower=False, driver=driver) for driver in ("ev", "evr")),
        *(Case(spd(3, 3), symmetric=True, eigvals_only=True, lower=lower) for lower in (True, False)),
    ],
    convention="the gradient is symmetric; equal eigenvalues do not turn into each other; "
    "the phases of complex eigenvectors are taken not to matter",
)
general(
    linalg.eigvalsh,
    _eigvalsh,
    name="scipy.linalg.eigvalsh",
    operands=("a",),
    signature=("a", "b"),
    keywords=_STANDARD,
    infer=_eigvalsh_type,
    cases=[
        *(Case(spd(3, 3), symmetric=True, lower=lower) for lower in (True, False)),
        Case(spd(3, 3), symmetric=True, **_DEFAULTS),
    ],
    convention="the gradient is symmetric",
)


# eigh_tridiagonal: the matrix has the diagonal d, and e beside it twice
def _tridiagonal_type(facts: Facts, types: Sequence[Type], attrs: Attrs, style: str) -> Type | tuple[Type, ...]:
    d, e = map(array, types)
    if d.ndim != 1 or e.ndim != 1 or {d.dtype.kind, e.dtype.kind} & {"c"}:
        raise Unsupported("scipy.linalg.eigh_tridiagonal takes two real vectors")
    check_equal(facts, d.axes[0], facts.canon(e.axes[0]) + 1, "scipy.linalg.eigh_tridiagonal: lengths")
    dtype = np.result_type(d.dtype, e.dtype, np.float32)
    values = Array(dtype, d.axes)
    return values if attrs.get("eigvals_only") else (values, Array(dtype, (d.axes[0], d.axes[0])))


def _diagonal(pull: Any, y: Any, d: Any, e: Any, *, eigvals_only: bool = False, check_finite: bool = True) -> Any:
    d_w, d_v, v = _pulls(pull, y, d, e, eigvals_only)
    terms = [] if d_w is None else [v**2 @ d_w]
    terms += [] if d_v is None else [np.sum(_turned(d_v, y) * v, axis=1)]
    return sum(terms[1:], terms[0])


def _beside(pull: Any, y: Any, d: Any, e: Any, *, eigvals_only: bool = False, check_finite: bool = True) -> Any:
    d_w, d_v, v = _pulls(pull, y, d, e, eigvals_only)
    terms = [] if d_w is None else [2 * (v[1:] * v[:-1]) @ d_w]
    if d_v is not None:
        turned = _turned(d_v, y)
        terms += [np.sum(turned[1:] * v[:-1] + turned[:-1] * v[1:], axis=1)]
    return sum(terms[1:], terms[0])


def _pulls(pull: Any, y: Any, d: Any, e: Any, eigvals_only: bool) -> tuple[Any, Any, Any]:
    return (pull, None, called(linalg.eigh_tridiagonal, d, e)[1]) if eigvals_only else (*pull, y[1])


def _turned(d_v: Any, y: Any) -> Any:
    """V M, where V M V.T is the gradient in the matrix."""
    w, v = y
    return v @ (reciprocal_gaps(w) * (v.T @ d_v))


general(
    linalg.eigh_tridiagonal,
    _diagonal,
    _beside,
    name="scipy.linalg.eigh_tridiagonal",
    operands=("d", "e"),
    keywords=("eigvals_only", "check_finite"),
    infer=_tridiagonal_type,
    cases=[
        Case((4,), (3,)),
        Case((3,), (2,), eigvals_only=True),
        Case((3,), (2,), eigvals_only=False, check_finite=False),
    ],
    convention="equal eigenvalues do not turn into each other",
)


# svd, svdvals, qr
def _svd_type(facts: Facts, types: Sequence[Type], attrs: Attrs, style: str) -> Type | tuple[Type, ...]:
    _check("svd", attrs)
    return svd_type(facts, [_matrix(facts, types[0], "svd")], attrs, style)


def _svdvals_type(facts: Facts, types: Sequence[Type], attrs: Attrs, style: str) -> Type | tuple[Type, ...]:
    _check("svdvals", attrs)
    return svd_type(facts, [_matrix(facts, types[0], "svdvals")], {"compute_uv": False}, style)


def _svd(
    d: Any, y: Any, a: Any, *, full_matrices: bool = True, compute_uv: bool = True, overwrite_a: bool = False,
    check_finite: bool = True, lapack_driver: str = "gesdd",
) -> Any:  # fmt: skip
    return svd_partial(d, y, a, full_matrices=full_matrices, compute_uv=compute_uv)


general(
    linalg.svd,
    _svd,
    name="scipy.linalg.svd",
    operands=("a",),
    keywords=("full_matrices", "compute_uv", "overwrite_a", "check_finite", "lapack_driver"),
    infer=_svd_type,
    cases=[
        *(Case(shape, full_matrices=False, phases=True) for shape in ((3, 2), (2, 3), (3, 3))),
        *(Case(shape, compute_uv=False) for shape in ((3, 2), (2, 3), (3, 3))),
        Case((3, 3), phases=True, lapack_driver="gesvd", overwrite_a=False, check_finite=False),
    ],
    convention="equal singular values do not turn into each other; the phases of complex singular vectors are taken "
    "not to matter",
)
general(
    linalg.svdvals,
    lambda d, y, a, *, overwrite_a=False, check_finite=True: svd_partial(d, y, a, compute_uv=False),
    name="scipy.linalg.svdvals",
    operands=("a",),
    keywords=("overwrite_a", "check_finite"),
    infer=_svdvals_type,
    cases=[*(Case(shape) for shape in ((3, 2), (2, 3))), Case((3, 3), overwrite_a=False, check_finite=False)],
)


def _qr_type(facts: Facts, types: Sequence[Type], attrs: Attrs, style: str) -> Type | tuple[Type, ...]:
    x, mode = _matrix(facts, types[0], "qr"), attrs.get("mode", "full")
    _check("qr", attrs, pivoting=False)
    if mode not in ("full", "economic"):
        raise Unsupported(f"scipy.linalg.qr with mode={mode!r} is not differentiated", "Use mode='economic'.")
    m, n = x.axes
    if mode == "full" and not facts.require("==", m, n) and facts.require(">=", m, n):
        raise Unsupported(
            "scipy.linalg.qr of a matrix with more rows than columns is not differentiated with mode='full'",
            "The further columns of Q are one choice of many: use mode='economic'.",
        )
    return qr_type(facts, [x], {}, style)


general(
    linalg.qr,
    lambda d, y, a, *, overwrite_a=False, lwork=None, mode="full", pivoting=False, check_finite=True: qr_partial(
        d, y, a
    ),
    name="scipy.linalg.qr",
    operands=("a",),
    keywords=("overwrite_a", "lwork", "mode", "pivoting", "check_finite"),
    infer=_qr_type,
    cases=[
        *(Case(shape, mode="economic") for shape in ((3, 2), (3, 3), (2, 4))),
        *(Case(shape) for shape in ((3, 3), (2, 4))),
        Case((3, 3), overwrite_a=False, lwork=None, mode="full", pivoting=False, check_finite=False),
    ],
)


# pinv, pinvh, lstsq
def _pinv_type(name: str) -> Any:
    def infer(facts: Facts, types: Sequence[Type], attrs: Attrs, style: str) -> Type:
        x = one_matrix(facts, types[0], name) if name == "pinvh" else _matrix(facts, types[0], name)
        _check(name, attrs, return_rank=False, atol=None)
        return Array(dtype_of(linalg.pinv, (x,), ndim=2), x.axes[::-1])

    return infer


general(
    linalg.pinv,
    lambda d, y, a, *, atol=None, rtol=None, return_rank=False, check_finite=True: pinv_partial(d, y, a, rtol=rtol),
    name="scipy.linalg.pinv",
    operands=("a",),
    signature=("a",),
    keywords=("atol", "rtol", "return_rank", "check_finite"),
    infer=_pinv_type("pinv"),
    cases=[
        *(Case(shape) for shape in ((3, 2), (2, 3))),
        Case(regular(3, 3)),
        Case((3, 2), atol=None, rtol=1e-10, return_rank=False, check_finite=False),
    ],
    convention="the rank stays what it is",
)
general(
    linalg.pinvh,
    lambda d, y, a, *, atol=None, rtol=None, lower=True, return_rank=False, check_finite=True: pinv_partial(
        d, y, a, hermitian=True, rtol=rtol
    ),
    name="scipy.linalg.pinvh",
    operands=("a",),
    keywords=("atol", "rtol", "lower", "return_rank", "check_finite"),
    infer=_pinv_type("pinvh"),
    cases=[
        Case(spd(3, 3), symmetric=True),
        Case(spd(3, 3), symmetric=True, atol=None, rtol=1e-10, lower=False, return_rank=False, check_finite=False),
    ],
    convention="the gradient is symmetric; the rank stays what it is",
)


def _lstsq_type(facts: Facts, types: Sequence[Type], attrs: Attrs, style: str) -> tuple[Type, ...]:
    a, b = _matrix(facts, types[0], "lstsq"), array(types[1])
    _check("lstsq", attrs)
    if b.ndim not in (1, 2):
        raise Unsupported(f"scipy.linalg.lstsq with a right-hand side of {b.ndim} axes")
    if attrs.get("lapack_driver") not in (None, "gelsd", "gelss"):
        raise Unsupported("scipy.linalg.lstsq with this `lapack_driver=` is not differentiated", "Leave that out.")
    check_equal(facts, a.axes[0], b.axes[0], "scipy.linalg.lstsq: lengths")
    m, n = a.axes
    square = facts.require("==", m, n)
    tall = facts.require(">=", m, n)
    dtype, real = (dtype_of(partial(_lstsq_part, k), (a, b), ndim=2) for k in (0, 3))
    residuals = Array(real, b.axes[1:]) if tall and not square else Array(dtype, (as_dim(0),))
    rank = Array(np.dtype(int), weak=True)
    return Array(dtype, (n, *b.axes[1:])), residuals, rank, Array(real, (n if tall else m,))


def _lstsq_part(k: int, a: Any, b: Any) -> Any:
    return linalg.lstsq(a, b)[k]


_lstsq_part.__name__ = "lstsq"


def _without_residuals(d: Sequence[Any]) -> tuple[Any, ...]:
    """There are residuals, or there are none, depending on the rank."""
    if d[1] is not None and d[1].shape != (0,):
        raise Unsupported(
            "the residuals of scipy.linalg.lstsq are not differentiated",
            "Compute them from the solution: np.sum((b - a @ x) ** 2, axis=0).",
        )
    return (d[0], None, None, d[3])


def _lstsq_left(
    d: Any, y: Any, a: Any, b: Any, *, cond: Any = None, overwrite_a: bool = False, overwrite_b: bool = False,
    check_finite: bool = True, lapack_driver: Any = None,
) -> Any:  # fmt: skip
    check_cutoff("lstsq", "cond", cond)
    return lstsq_left(_without_residuals(d), y, a, b)


def _lstsq_right(
    d: Any, y: Any, a: Any, b: Any, *, cond: Any = None, overwrite_a: bool = False, overwrite_b: bool = False,
    check_finite: bool = True, lapack_driver: Any = None,
) -> Any:  # fmt: skip
    check_cutoff("lstsq", "cond", cond)
    return lstsq_right(_without_residuals(d), y, a, b)


general(
    linalg.lstsq,
    _lstsq_left,
    _lstsq_right,
    name="scipy.linalg.lstsq",
    operands=("a", "b"),
    keywords=("cond", "overwrite_a", "overwrite_b", "check_finite", "lapack_driver"),
    infer=_lstsq_type,
    cases=[
        *(Case((4, 2), b, only=1) for b in ((4,), (4, 2))),
        *(Case((2, 3), b) for b in ((2,), (2, 2))),
        Case(regular(3, 3), (3,)),
        Case((4, 2), (4,), only=1, cond=1e-9, overwrite_a=False, overwrite_b=False, check_finite=False,
             lapack_driver="gelss"),
    ],
    convention="the rank stays what it is",
)  # fmt: skip


# norm, which gives Python's own number where BLAS or LAPACK computes it
def _norm_type(facts: Facts, types: Sequence[Type], attrs: Attrs, style: str) -> Type:
    x, result = array(types[0]), array(norm_type(facts, types, attrs, style))
    value = linalg.norm(np.ones((1,) * x.ndim, x.dtype), **attrs)
    return Array(np.asarray(value).dtype, result.axes, weak=type(value) is float)


general(
    linalg.norm,
    lambda d, y, a, *, ord=None, axis=None, keepdims=False, check_finite=True: norm_partial(
        d, y, a, ord=ord, axis=axis, keepdims=keepdims
    ),
    name="scipy.linalg.norm",
    operands=("a",),
    keywords=("ord", "axis", "keepdims", "check_finite"),
    infer=_norm_type,
    cases=[
        *(Case(shape) for shape in ((3,), (2, 3))),
        *(Case((4,), ord=ord) for ord in (0, 1, 2, 3, 0.5, -1, np.inf, -np.inf)),
        *(Case((4, 3), ord=ord, check_finite=False) for ord in ("fro", 1, -1, np.inf, -np.inf, 2, -2, "nuc")),
        *(Case((2, 3), ord=ord, axis=axis, keepdims=keep) for ord in (None, 1, np.inf) for axis in (0, (1, 0))
          for keep in (False, True)),
    ],
    convention="0 at 0; ties of ord=inf split evenly",
)  # fmt: skip


# logm((a e), (0 a)) has the derivative of the logarithm along e in its upper right block
def _logm_along(a: Any, e: Any) -> Any:
    n, nothing = plain(as_dim(a.shape[0])), np.zeros_like(a)
    whole = np.concatenate((np.concatenate((a, e), axis=1), np.concatenate((nothing, a), axis=1)))
    return called(linalg.logm, whole)[:n, n:]


general(
    linalg.logm,
    lambda d, y, a: _logm_along(a.T, d),
    tangent=lambda ts, y, a: _logm_along(a, ts[0]),
    name="scipy.linalg.logm",
    operands=("A",),
    infer=of_square(linalg.logm),
    cases=[Case(spd(3, 3)), Case(spd(2, 2)), Case(regular(2, 2))],
    convention="of a real matrix, the logarithm is taken to be real",
)

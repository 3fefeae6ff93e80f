"""Derivatives of scipy.linalg: triangular, banded and general systems, and factorisations.

Giles (2008), "An extended collection of matrix derivative results". Matrices, not stacks of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy import linalg

from ..errors import Unsupported
from ..ir.dims import Facts, as_dim
from ..ir.infer import check_equal
from ..ir.types import Array, Type
from .axes import array, dtype_of, square
from .decompositions import cholesky_partial, spd
from .internal import called, conj
from .linalg import regular
from .registry import Case, general


def one_matrix(facts: Facts, type: Type, name: str) -> Array:
    x = array(type)
    if x.ndim != 2:
        raise Unsupported(f"scipy.linalg.{name} is differentiated for one matrix, not for {x.ndim} axes")
    square(facts, x, f"scipy.linalg.{name}")
    return x


def _solved(function: Any) -> Any:
    """Inference for a x = b, with one or several right-hand sides."""

    def infer(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
        a, b = one_matrix(facts, types[0], function.__name__), array(types[1])
        if b.ndim not in (1, 2):
            raise Unsupported(f"scipy.linalg.{function.__name__} with a right-hand side of {b.ndim} axes")
        check_equal(facts, a.axes[0], b.axes[0], f"scipy.linalg.{function.__name__}: lengths")
        if attrs.get("transposed") and a.dtype.kind == "c":
            raise Unsupported("scipy.linalg.solve with `transposed=` of a complex matrix", "Pass a.T.")
        if attrs.get("overwrite_a") or attrs.get("overwrite_b"):
            raise Unsupported(f"scipy.linalg.{function.__name__} that overwrites its arguments", "Leave that out.")
        return Array(dtype_of(function, (a, b), ndim=2), b.axes)

    return infer


def _outer(a: Any, b: Any) -> Any:
    return np.outer(a, b) if a.ndim == 1 else a @ b.T


# Triangular systems: only the triangle that is read has a derivative
def _triangular_pull(d: Any, a: Any, trans: Any, lower: bool, unit: bool) -> Any:
    """The gradient in the right-hand side."""
    options: dict[str, Any] = {**({"lower": True} if lower else {}), **({"unit_diagonal": True} if unit else {})}
    if trans in (2, "C") and a.dtype.kind == "c":
        return conj(called(linalg.solve_triangular, a, conj(d), **options))
    options |= {"trans": 1} if trans in (0, "N") else {}
    return called(linalg.solve_triangular, a, d, **options)


def _triangular_matrix(
    d: Any, y: Any, a: Any, b: Any, *, trans: Any = 0, lower: bool = False, unit_diagonal: bool = False,
    overwrite_b: bool = False, check_finite: bool = True,
) -> Any:  # fmt: skip
    pull = _triangular_pull(d, a, trans, lower, unit_diagonal)
    product = _outer(pull, y) if trans in (0, "N") else _outer(y, pull)
    product = conj(product) if trans in (2, "C") else product
    if lower:
        return -(np.tril(product, -1) if unit_diagonal else np.tril(product))
    return -(np.triu(product, 1) if unit_diagonal else np.triu(product))


def _triangular_right(
    d: Any, y: Any, a: Any, b: Any, *, trans: Any = 0, lower: bool = False, unit_diagonal: bool = False,
    overwrite_b: bool = False, check_finite: bool = True,
) -> Any:  # fmt: skip
    return _triangular_pull(d, a, trans, lower, unit_diagonal)


general(
    linalg.solve_triangular,
    _triangular_matrix,
    _triangular_right,
    name="scipy.linalg.solve_triangular",
    operands=("a", "b"),
    keywords=("trans", "lower", "unit_diagonal", "overwrite_b", "check_finite"),
    infer=_solved(linalg.solve_triangular),
    cases=[
        *(
            Case(regular(3, 3), shape, trans=trans, lower=lower)
            for shape in ((3,), (3, 2))
            for trans in (0, 1, 2, "T")
            for lower in (False, True)
        ),
        *(Case(regular(3, 3), (3,), unit_diagonal=True, lower=lower) for lower in (False, True)),
        Case(regular(3, 3), (3,), check_finite=False, overwrite_b=False),
    ],
)

# General and symmetric systems
_SYMMETRIC = ("sym", "symmetric", "her", "hermitian", "pos", "positive definite")


def _check_structure(assume_a: Any) -> None:
    if assume_a not in (None, "gen", "general", *_SYMMETRIC):
        raise Unsupported(f"scipy.linalg.solve with assume_a={assume_a!r} is not differentiated", "Leave it out.")


def _solve_right(
    d: Any, y: Any, a: Any, b: Any, *, lower: bool = False, overwrite_a: bool = False, overwrite_b: bool = False,
    check_finite: bool = True, assume_a: Any = None, transposed: bool = False,
) -> Any:  # fmt: skip
    _check_structure(assume_a)
    options: dict[str, Any] = {} if assume_a is None else {"assume_a": assume_a}
    if lower:
        options["lower"] = True
    if assume_a in ("her", "hermitian", "pos", "positive definite"):
        return conj(called(linalg.solve, a, conj(d), **options))
    return called(linalg.solve, a if transposed or assume_a in _SYMMETRIC else a.T, d, **options)


def _solve_left(
    d: Any, y: Any, a: Any, b: Any, *, lower: bool = False, overwrite_a: bool = False, overwrite_b: bool = False,
    check_finite: bool = True, assume_a: Any = None, transposed: bool = False,
) -> Any:  # fmt: skip
    pull = _solve_right(d, y, a, b, lower=lower, assume_a=assume_a, transposed=transposed)
    product = _outer(y, pull) if transposed else _outer(pull, y)
    if assume_a in ("sym", "symmetric"):
        return -(product + product.T) / 2
    return -(product + conj(product.T)) / 2 if assume_a in _SYMMETRIC else -product


general(
    linalg.solve,
    _solve_left,
    _solve_right,
    name="scipy.linalg.solve",
    operands=("a", "b"),
    keywords=("lower", "overwrite_a", "overwrite_b", "check_finite", "assume_a", "transposed"),
    infer=_solved(linalg.solve),
    cases=[
        *(Case(regular(3, 3), shape) for shape in ((3,), (3, 2))),
        *(Case(spd(3, 3), (3,), assume_a=name, symmetric=True) for name in ("her", "pos")),
        Case(spd(3, 3), (3, 2), assume_a="pos", lower=True, symmetric=True),
        Case(regular(3, 3), (3,), assume_a="gen"),
        Case(regular(3, 3), (3,), transposed=True),
        Case(regular(3, 3), (3,), check_finite=False, overwrite_a=False, overwrite_b=False),
    ],
    convention="the gradient is symmetric where the matrix is assumed to be",
)


# inv, det and Cholesky, as in numpy.linalg
def of_square(function: Any, scalar: bool = False) -> Any:
    def infer(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
        x = one_matrix(facts, types[0], function.__name__)
        if attrs.get("overwrite_a"):
            raise Unsupported(f"scipy.linalg.{function.__name__} that overwrites its argument", "Leave that out.")
        return Array(dtype_of(function, (x,), ndim=2), () if scalar else x.axes)

    return infer


def _det(d: Any, y: Any, a: Any, *, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    return d * y * np.linalg.inv(a).T


def _inv(d: Any, y: Any, a: Any, *, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    return -(y.T @ d @ y.T)


for _function, _partial, _scalar in ((linalg.inv, _inv, False), (linalg.det, _det, True)):
    general(
        _function,
        _partial,
        name=f"scipy.linalg.{_function.__name__}",
        operands=("a",),
        keywords=("overwrite_a", "check_finite"),
        infer=of_square(_function, _scalar),
        cases=[Case(regular(3, 3)), Case(regular(2, 2), overwrite_a=False, check_finite=False)],
    )


def _cholesky(
    d: Any, y: Any, a: Any, *, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True
) -> Any:
    return cholesky_partial(d, y, a, upper=not lower)


general(
    linalg.cholesky,
    _cholesky,
    name="scipy.linalg.cholesky",
    operands=("a",),
    keywords=("lower", "overwrite_a", "check_finite"),
    infer=of_square(linalg.cholesky),
    cases=[
        Case(spd(3, 3), symmetric=True),
        *(Case(spd(3, 3), symmetric=True, lower=lower) for lower in (False, True)),
        Case(spd(3, 3), symmetric=True, overwrite_a=False, check_finite=False),
    ],
    convention="the gradient is symmetric, as the matrix is",
)


# lu: a = P L U, with P constant: S = P.T a has d_S = L^-T (tril(L.T d_L, -1) + triu(d_U U.T)) U^-T
def _lu_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> tuple[Type, ...]:
    x = one_matrix(facts, types[0], "lu")
    if attrs.get("permute_l") or attrs.get("p_indices") or attrs.get("overwrite_a"):
        raise Unsupported("scipy.linalg.lu is differentiated without `permute_l=`, `p_indices=` and `overwrite_a=`")
    dtype = dtype_of(_lower, (x,), ndim=2)
    return Array(dtype_of(_permutation, (x,), ndim=2), x.axes), Array(dtype, x.axes), Array(dtype, x.axes)


def _lower(x: Any) -> Any:
    return linalg.lu(x)[1]


def _permutation(x: Any) -> Any:
    return linalg.lu(x)[0]


def _lu(
    d: Any, y: Any, a: Any, *, permute_l: bool = False, overwrite_a: bool = False, check_finite: bool = True,
    p_indices: bool = False,
) -> Any:  # fmt: skip
    (_, d_l, d_u), (p, low, up) = d, y
    parts = [np.tril(low.T @ d_l, -1)] if d_l is not None else []
    parts += [np.triu(d_u @ up.T)] if d_u is not None else []
    if not parts:
        return None
    left = called(linalg.solve_triangular, low, sum(parts[1:], parts[0]), lower=True, trans=1, unit_diagonal=True)
    return p @ called(linalg.solve_triangular, up, left.T).T


general(
    linalg.lu,
    _lu,
    name="scipy.linalg.lu",
    operands=("a",),
    keywords=("permute_l", "overwrite_a", "check_finite", "p_indices"),
    infer=_lu_type,
    cases=[
        Case(regular(3, 3)),
        Case(lambda rng: regular(3, 3)(rng)[::-1].copy()),
        Case(regular(3, 3), permute_l=False, overwrite_a=False, check_finite=False, p_indices=False),
    ],
    convention="the permutation is constant",
)


# Banded systems: row k of the bands holds a[i, j] with i - j = k - upper
def _banded_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    ab, b = map(array, types)
    if ab.ndim != 2 or b.ndim not in (1, 2) or not isinstance(attrs.get("l_and_u"), tuple):
        raise Unsupported("scipy.linalg.solve_banded takes the numbers of bands, and the bands as a matrix")
    if attrs.get("overwrite_ab") or attrs.get("overwrite_b"):
        raise Unsupported("scipy.linalg.solve_banded that overwrites its arguments", "Leave that out.")
    check_equal(facts, ab.axes[0], as_dim(sum(attrs["l_and_u"]) + 1), "scipy.linalg.solve_banded: number of bands")
    check_equal(facts, ab.axes[1], b.axes[0], "scipy.linalg.solve_banded: lengths")
    return Array(dtype_of(np.linalg.solve, (ab, b), ndim=2), b.axes)


def _banded_right(
    d: Any, y: Any, ab: Any, b: Any, *, l_and_u: Any, overwrite_ab: bool = False, overwrite_b: bool = False,
    check_finite: bool = True,
) -> Any:  # fmt: skip
    """The transposed system: every band on the other side of the diagonal, moved along by its distance from it."""
    low, up = l_and_u
    bands = [ab[low + up - k] for k in range(low + up + 1)]
    moved = [np.roll(band, low - k) if k != low else band for k, band in enumerate(bands)]
    return called(linalg.solve_banded, (up, low), np.stack(moved), d)


def _banded_matrix(
    d: Any, y: Any, ab: Any, b: Any, *, l_and_u: Any, overwrite_ab: bool = False, overwrite_b: bool = False,
    check_finite: bool = True,
) -> Any:  # fmt: skip
    pull = _banded_right(d, y, ab, b, l_and_u=l_and_u)
    rows = []
    for k in range(sum(l_and_u) + 1):
        offset = k - l_and_u[1]
        product = _shifted(pull, offset) * y
        rows.append(np.sum(product, axis=1) if y.ndim == 2 else product)
    return -np.stack(rows)


def _shifted(x: Any, offset: int) -> Any:
    """x[j + offset] at j, and 0 beyond the ends."""
    rest = ((0, 0),) if x.ndim == 2 else ()
    if offset > 0:
        return np.pad(x[offset:], ((0, offset), *rest))
    return np.pad(x[:offset], ((-offset, 0), *rest)) if offset else x


def _bands(low: int, up: int) -> Any:
    """Bands of a matrix that is far from singular."""

    def draw(rng: np.random.Generator) -> Any:
        bands = rng.uniform(-0.5, 0.5, (low + up + 1, 5))
        bands[up] += 3.0
        return bands

    return draw


general(
    linalg.solve_banded,
    _banded_matrix,
    _banded_right,
    name="scipy.linalg.solve_banded",
    operands=("ab", "b"),
    keywords=("l_and_u", "overwrite_ab", "overwrite_b", "check_finite"),
    signature=("l_and_u", "ab", "b"),
    infer=_banded_type,
    fn=lambda ab, b, *, l_and_u, **attrs: linalg.solve_banded(l_and_u, ab, b, **attrs),
    cases=[
        *(
            Case(_bands(low, up), shape, l_and_u=(low, up))
            for low, up in ((1, 1), (2, 1), (0, 2))
            for shape in ((5,), (5, 2))
        ),
        Case(_bands(1, 1), (5,), l_and_u=(1, 1), check_finite=False, overwrite_ab=False, overwrite_b=False),
    ],
)

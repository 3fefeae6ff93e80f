"""Derivatives of scipy.linalg: exponential and square root of a matrix, Sylvester's equation, structured matrices.

Al-Mohy & Higham (2009), "Computing the Frechet derivative of the matrix exponential".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy import linalg

from ..errors import Unsupported
from ..ir.dims import ONE, Dim, Facts, as_dim
from ..ir.infer import check_equal
from ..ir.types import Array, Type
from .axes import array, dtype_of, plain, refuse_empty
from .decompositions import spd
from .internal import add_at, arange, called, zeros
from .linalg import regular
from .registry import Case, general, linear
from .scipy_linalg import of_square, one_matrix


# Functions of matrices
def _expm_frechet_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    a, e = (one_matrix(facts, t, "expm_frechet") for t in types)
    if attrs.get("compute_expm", True) or attrs.get("method") is not None:
        raise Unsupported("scipy.linalg.expm_frechet is differentiated with compute_expm=False alone")
    return Array(dtype_of(lambda a, e: linalg.expm_frechet(a, e, compute_expm=False), (a, e), ndim=2), a.axes)


def _frechet(a: Any, e: Any) -> Any:
    return called(linalg.expm_frechet, a, e, compute_expm=False)


def _frechet_point(d: Any, y: Any, a: Any, e: Any, *, compute_expm: bool, check_finite: bool = True) -> Any:
    """The derivative of expm((a e), (0 a)), whose upper right block is the result."""
    n, nothing = plain(as_dim(a.shape[0])), np.zeros_like(a)
    whole = np.concatenate((np.concatenate((a, e), axis=1), np.concatenate((nothing, a), axis=1)))
    corner = np.concatenate((np.concatenate((nothing, d), axis=1), np.concatenate((nothing, nothing), axis=1)))
    pull = _frechet(whole.T, corner)
    return pull[:n, :n] + pull[n:, n:]


general(
    linalg.expm_frechet,
    _frechet_point,
    lambda d, y, a, e, *, compute_expm, check_finite=True: _frechet(a.T, d),
    name="scipy.linalg.expm_frechet",
    operands=("A", "E"),
    keywords=("compute_expm", "check_finite"),
    infer=_expm_frechet_type,
    cases=[
        Case((3, 3), (3, 3), compute_expm=False),
        Case((2, 2), (2, 2), compute_expm=False, check_finite=False),
    ],
)
general(
    linalg.expm,
    lambda d, y, a: _frechet(a.T, d),
    name="scipy.linalg.expm",
    operands=("A",),
    infer=of_square(linalg.expm),
    cases=[Case((3, 3)), Case((1, 1))],
    tangent=lambda ts, y, a: _frechet(a, ts[0]),
)


def _sylvester_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    a, b = (one_matrix(facts, t, "solve_sylvester") for t in types[:2])
    q = array(types[2])
    for one, other in zip((a.axes[0], b.axes[0]), q.axes, strict=True):
        check_equal(facts, one, other, "scipy.linalg.solve_sylvester: lengths")
    return Array(dtype_of(linalg.solve_sylvester, (a, b, q), ndim=2), q.axes)


def _sylvester(a: Any, b: Any, q: Any) -> Any:
    return called(linalg.solve_sylvester, a, b, q)


general(
    linalg.solve_sylvester,
    lambda d, y, a, b, q: -(_sylvester(a.T, b.T, d) @ y.T),
    lambda d, y, a, b, q: -(y.T @ _sylvester(a.T, b.T, d)),
    lambda d, y, a, b, q: _sylvester(a.T, b.T, d),
    name="scipy.linalg.solve_sylvester",
    operands=("a", "b", "q"),
    infer=_sylvester_type,
    cases=[Case(regular(3, 3), regular(2, 2), (3, 2)), Case(regular(2, 2), regular(2, 2), (2, 2))],
)
general(
    linalg.sqrtm,
    lambda d, y, a: _sylvester(y.T, y.T, d),
    name="scipy.linalg.sqrtm",
    operands=("A",),
    infer=of_square(linalg.sqrtm),
    cases=[Case(spd(3, 3)), Case(spd(2, 2))],
    convention="of a real matrix, the square root is taken to be real",
)


# Matrices put together: element (i, j) of a Toeplitz matrix is number n - 1 - i + j of (c reversed, rest of r)
def _toeplitz_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    c, *r = map(array, types)
    if c.ndim != 1 or (r and r[0].ndim != 1):
        raise Unsupported("scipy.linalg.toeplitz takes a column and a row")
    if not r and c.dtype.kind == "c":
        raise Unsupported("scipy.linalg.toeplitz of a complex column alone is not differentiated", "Give the row too.")
    refuse_empty(facts, "scipy.linalg.toeplitz", c.axes[0], *(each.axes[0] for each in r))
    return Array(dtype_of(linalg.toeplitz, (c, *r)), (c.axes[0], (r[0] if r else c).axes[0]))


def _diagonals(d: Any) -> Any:
    """The sum over each diagonal, from the lower left corner to the upper right one."""
    n, m = (as_dim(length) for length in d.shape)
    places = np.expand_dims(arange(d, plain(n))[::-1], -1) + arange(d, plain(m))
    return add_at(zeros(d.builder, Array(d.dtype, (n + m - 1,))), d, places)


def _toeplitz_column(d: Any, y: Any, c: Any, *r: Any) -> Any:
    sums, n = _diagonals(d), plain(as_dim(c.shape[0]))
    column = sums[:n][::-1]
    return column if r else np.concatenate((column[:1], column[1:] + sums[n:]))


def _toeplitz_row(d: Any, y: Any, c: Any, r: Any) -> Any:
    """The row's first element is not read."""
    return np.concatenate((np.zeros_like(r[:1]), _diagonals(d)[plain(as_dim(c.shape[0])) :]))


linear(
    linalg.toeplitz,
    _toeplitz_column,
    _toeplitz_row,
    name="scipy.linalg.toeplitz",
    operands=("c", "r"),
    infer=_toeplitz_type,
    cases=[Case((3,)), Case((3,), (4,)), Case((4,), (2,)), Case((1,), (3,))],
)


def _block_diag_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    arrays = [array(t) for t in types]
    if any(x.ndim > 2 for x in arrays):
        raise Unsupported("scipy.linalg.block_diag is differentiated for matrices, not for stacks of them")
    shapes = [(ONE,) * (2 - x.ndim) + tuple(map(facts.canon, x.axes)) for x in arrays]
    rows, columns = (sum((shape[k] for shape in shapes[1:]), shapes[0][k]) for k in (0, 1))
    return Array(dtype_of(linalg.block_diag, arrays), (rows, columns))


def _block(d: Any, y: Any, *arrays: Any, which: int) -> Any:
    starts: list[Dim] = [as_dim(0), as_dim(0)]
    for x in arrays[:which]:
        starts = [start + n for start, n in zip(starts, _as_matrix(x))]
    stops = [start + n for start, n in zip(starts, _as_matrix(arrays[which]))]
    block = d[tuple(slice(plain(start), plain(stop)) for start, stop in zip(starts, stops))]
    return block if arrays[which].ndim == 2 else block.reshape(arrays[which].shape)


def _as_matrix(x: Any) -> tuple[Dim, ...]:
    return (*(ONE,) * (2 - x.ndim), *(as_dim(n) for n in x.shape))


linear(
    linalg.block_diag,
    _block,
    name="scipy.linalg.block_diag",
    operands=("*arrs",),
    signature=("*arrs",),
    infer=_block_diag_type,
    cases=[Case((2, 2), (3, 1)), Case((2, 3)), Case((2,), (2, 2), ()), Case((1, 2), (2, 1), (2, 2))],
)

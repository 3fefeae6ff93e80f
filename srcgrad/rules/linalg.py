"""Derivatives of linear algebra, for one matrix or a stack of them: solving, inverses, determinants, powers, norms.

Giles (2008), "An extended collection of matrix derivative results for forward and reverse mode algorithmic
differentiation".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.dims import Dim, Facts, as_dim, product
from ..ir.infer import broadcast_axes, check_equal
from ..ir.primitive import Infer
from ..ir.types import Array, Type
from .axes import array, dtype_of, plain, square
from .internal import unbroadcast
from .norms import scale
from .products import matmul_left, matmul_right, transposed
from .registry import Case, general


def of_squares(function: Callable[..., Any], axes: Callable[[tuple[Dim, ...]], tuple[Dim, ...]]) -> Infer:
    """Inference for a function of square matrices."""
    name = f"np.linalg.{function.__name__}"

    def infer(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
        x = array(types[0])
        return Array(dtype_of(function, (x,), ndim=2), axes(square(facts, x, name)))

    return infer


def regular(*shape: int) -> Any:
    """Matrices far from singular."""
    return lambda rng: rng.uniform(-0.5, 0.5, shape) + 2.0 * np.eye(shape[-1])


# solve: a x = b gives db = solve(a.T, d) and da = -db x.T
def _solve_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    a, b = map(array, types)
    square(facts, a, "np.linalg.solve")
    if not b.ndim:
        raise Unsupported("np.linalg.solve with a number for the right-hand side")
    check_equal(facts, a.axes[-1], b.axes[0] if b.ndim == 1 else b.axes[-2], "np.linalg.solve: lengths")
    dtype = dtype_of(np.linalg.solve, (a, b), ndim=2)
    if b.ndim == 1:
        return Array(dtype, a.axes[:-1])
    return Array(dtype, (*broadcast_axes(facts, [a.axes[:-2], b.axes[:-2]]), *b.axes[-2:]))


def _solve_right(d: Any, y: Any, a: Any, b: Any) -> Any:
    if b.ndim == 1 and a.ndim > 2:
        return unbroadcast(np.linalg.solve(transposed(a), np.expand_dims(d, -1))[..., 0], b)
    return unbroadcast(np.linalg.solve(transposed(a), d), b)


def _solve_left(d: Any, y: Any, a: Any, b: Any) -> Any:
    if b.ndim == 1 and a.ndim == 2:
        return -np.outer(np.linalg.solve(a.T, d), y)
    if b.ndim == 1:
        d_b = np.linalg.solve(transposed(a), np.expand_dims(d, -1))
        return -(d_b * np.expand_dims(y, -2))
    return unbroadcast(-(np.linalg.solve(transposed(a), d) @ transposed(y)), a)


def _solve_tangent(ts: Any, y: Any, a: Any, b: Any) -> Any:
    """a dx = db - da x"""
    t_a, t_b = ts
    if t_a is None:
        return np.linalg.solve(a, t_b)
    if b.ndim == 1 and a.ndim > 2:
        column = t_a @ np.expand_dims(y, -1)
        return np.linalg.solve(a, -column if t_b is None else np.expand_dims(t_b, -1) - column)[..., 0]
    return -np.linalg.solve(a, t_a @ y) if t_b is None else np.linalg.solve(a, t_b - t_a @ y)


general(
    np.linalg.solve,
    _solve_left,
    _solve_right,
    tangent=_solve_tangent,
    operands=("a", "b"),
    infer=_solve_type,
    cases=[
        Case(regular(3, 3), (3,)),
        Case(regular(3, 3), (3, 2)),
        Case(regular(4, 3, 3), (4, 3, 2)),
        Case(regular(4, 3, 3), (3, 2)),
        Case(regular(3, 3), (4, 3, 2)),
        Case(regular(1, 3, 3), (4, 3, 2)),
        Case(regular(4, 3, 3), (3,)),
        Case(regular(3, 3), (3, 1)),
    ],
)

# inv: d(a^-1) = -a^-1 da a^-1;  det: d det = det tr(a^-1 da);  slogdet: the same without the factor
general(
    np.linalg.inv,
    lambda d, y, a: -(transposed(y) @ d @ transposed(y)),
    operands=("a",),
    infer=of_squares(np.linalg.inv, lambda axes: axes),
    cases=[Case(regular(3, 3)), Case(regular(2, 3, 3))],
)
general(
    np.linalg.det,
    lambda d, y, a: scale(d * y, transposed(np.linalg.inv(a))),
    operands=("a",),
    infer=of_squares(np.linalg.det, lambda axes: axes[:-2]),
    cases=[Case(regular(3, 3)), Case(regular(2, 3, 3))],
    convention="raises LinAlgError where the matrix is singular",
)


def _slogdet_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> tuple[Type, ...]:
    x = array(types[0])
    axes = square(facts, x, "np.linalg.slogdet")[:-2]
    return tuple(Array(dtype_of(partial(_part, k), (x,), ndim=2), axes) for k in (0, 1))


def _part(k: int, x: Any) -> Any:
    return np.linalg.slogdet(x)[k]


_part.__name__ = "slogdet"


def _slogdet(d: Any, y: Any, a: Any) -> Any:
    """The logarithm takes the real part of tr(a^-1 da), a complex sign is turned by the imaginary part."""
    pull = d[1]
    if a.dtype.kind == "c" and d[0] is not None:
        turn = 1j * np.imag(d[0] * y[0])
        pull = turn if pull is None else pull + turn
    return None if pull is None else scale(pull, transposed(np.linalg.inv(a)))


general(
    np.linalg.slogdet,
    _slogdet,
    operands=("a",),
    infer=_slogdet_type,
    cases=[Case(regular(3, 3)), Case(regular(2, 3, 3)), Case(lambda rng: -regular(3, 3)(rng))],
    convention="raises LinAlgError where the matrix is singular; a real sign is constant",
)


# matrix_power: one term for each factor, with the factors before and after it transposed
def _power(d: Any, y: Any, a: Any, *, n: int) -> Any:
    if n < 0:
        inverse = np.linalg.inv(a)
        return -(transposed(inverse) @ _power(d, y, inverse, n=-n) @ transposed(inverse))
    if n == 0:
        return None
    before = [np.linalg.matrix_power(transposed(a), k) if k > 1 else transposed(a) for k in range(1, n)]
    terms = [d @ before[-1], *(b @ d @ c for b, c in zip(before, before[-2::-1])), before[-1] @ d] if n > 1 else [d]
    return sum(terms[1:], terms[0])


general(
    np.linalg.matrix_power,
    _power,
    operands=("a",),
    keywords=("n",),
    view=True,  # the first power is the matrix itself
    infer=of_squares(lambda x: np.linalg.matrix_power(x, 2), lambda axes: axes),
    cases=[*(Case(regular(3, 3), n=n) for n in (0, 1, 2, 3, 5, -1, -2)), Case(regular(2, 3, 3), n=3)],
)


# multi_dot: the factors before and after, transposed
def _multi_dot_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    arrays = [array(t) for t in types]
    if len(arrays) < 2 or any(a.ndim != 2 for a in arrays[1:-1]) or not {arrays[0].ndim, arrays[-1].ndim} <= {1, 2}:
        raise Unsupported("np.linalg.multi_dot takes two or more matrices; the first and the last may be vectors")
    for a, b in pairwise(arrays):
        check_equal(facts, a.axes[-1], b.axes[0], "np.linalg.multi_dot: lengths")
    axes = (*arrays[0].axes[:-1], *(arrays[-1].axes[1:]))
    return Array(dtype_of(lambda *xs: np.linalg.multi_dot(xs), arrays, ndim=2), axes)


def _multi_dot(d: Any, y: Any, *factors: Any, which: int) -> Any:
    before, x, after = _product(factors[:which]), factors[which], _product(factors[which + 1 :])
    if before is not None:
        d = matmul_right(d, y, before, x if after is None else x @ after)
    return d if after is None else matmul_left(d, y, x, after)


def _product(factors: Sequence[Any]) -> Any:
    if len(factors) > 2:
        return np.linalg.multi_dot(factors)
    return factors[0] @ factors[1] if len(factors) == 2 else (factors[0] if factors else None)


general(
    np.linalg.multi_dot,
    _multi_dot,
    fn=lambda *arrays: np.linalg.multi_dot(arrays),
    operands=("*arrays",),
    infer=_multi_dot_type,
    cases=[
        Case((2, 3), (3, 4)),
        Case((2, 3), (3, 4), (4, 5), (5, 2)),
        Case((3,), (3, 4), (4, 5)),
        Case((2, 3), (3, 4), (4,)),
        Case((3,), (3, 4), (4,)),
        Case((2, 3), (3,)),
        Case((3,), (3, 2)),
        Case((3,), (3,)),
    ],
)


# tensorinv and tensorsolve: inv and solve of a matrix whose rows and columns are several axes
def _flat(x: Any, rows: int) -> Any:
    """The matrix whose rows are the first axes."""
    if x.ndim == 2 and rows == 1:
        return x
    size = plain(product(as_dim(n) for n in x.shape[:rows]))
    return x.reshape((size, plain(product(as_dim(n) for n in x.shape[rows:]))))


def _tensorinv_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    x, ind = array(types[0]), attrs.get("ind", 2)
    if not 0 < ind < x.ndim:
        raise Unsupported("np.linalg.tensorinv: `ind` must be positive, and leave an axis")
    rows, columns = (product(facts.canon(n) for n in axes) for axes in (x.axes[:ind], x.axes[ind:]))
    check_equal(facts, rows, columns, "np.linalg.tensorinv")
    return Array(dtype_of(np.linalg.inv, (x,), ndim=2), (*x.axes[ind:], *x.axes[:ind]))


def _tensorinv(d: Any, y: Any, a: Any, *, ind: int = 2) -> Any:
    inverse, pull = _flat(y, a.ndim - ind), _flat(d, a.ndim - ind)
    return -(inverse.T @ pull @ inverse.T).reshape(a.shape)


general(
    np.linalg.tensorinv,
    _tensorinv,
    operands=("a",),
    keywords=("ind",),
    infer=_tensorinv_type,
    cases=[
        Case(lambda rng: regular(6, 6)(rng).reshape(2, 3, 3, 2)),
        Case(lambda rng: regular(6, 6)(rng).reshape(6, 3, 2), ind=1),
    ],
)


def _tensorsolve_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    a, b = map(array, types)
    if attrs.get("axes") is not None:
        raise Unsupported("np.linalg.tensorsolve with `axes=`", "Move the axes of `a` to its end first: np.moveaxis.")
    for mine, theirs in zip(a.axes, b.axes):
        check_equal(facts, mine, theirs, "np.linalg.tensorsolve: lengths")
    return Array(dtype_of(np.linalg.solve, (a, b), ndim=2), a.axes[b.ndim :])


def _tensorsolve_right(d: Any, y: Any, a: Any, b: Any, *, axes: None = None) -> Any:
    pull = np.linalg.solve(_flat(a, b.ndim).T, np.ravel(d) if d.ndim > 1 else d)
    return pull.reshape(b.shape) if b.ndim > 1 else pull


def _tensorsolve_left(d: Any, y: Any, a: Any, b: Any, *, axes: None = None) -> Any:
    pull = np.linalg.solve(_flat(a, b.ndim).T, np.ravel(d) if d.ndim > 1 else d)
    return -np.outer(pull, y).reshape(a.shape)


general(
    np.linalg.tensorsolve,
    _tensorsolve_left,
    _tensorsolve_right,
    operands=("a", "b"),
    keywords=("axes",),
    infer=_tensorsolve_type,
    cases=[
        Case(lambda rng: regular(6, 6)(rng).reshape(2, 3, 6), (2, 3)),
        Case(lambda rng: regular(6, 6)(rng).reshape(2, 3, 3, 2), (2, 3)),
        Case(regular(3, 3), (3,), axes=None),
    ],
)

"""Derivatives of linear algebra, for one matrix or a stack of them: solving, inverses, determinants, powers, norms.

Giles (2008), "An extended collection of matrix derivative results for forward and reverse mode algorithmic
differentiation".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.dims import Dim, Facts
from ..ir.infer import broadcast_axes, check_equal
from ..ir.primitive import Infer
from ..ir.types import Array, Type
from .axes import Axis, array, dtype_of, normal_axes, normal_axis, reduced_axes, restored
from .internal import unbroadcast
from .products import matmul_left, matmul_right, transposed
from .reductions import extreme_share
from .registry import Case, general


def square(facts: Facts, x: Array, name: str) -> tuple[Dim, ...]:
    """The axes of a stack of square matrices."""
    if x.ndim < 2:
        raise Unsupported(f"{name} needs a matrix")
    check_equal(facts, x.axes[-2], x.axes[-1], f"{name} of a matrix that is not square")
    return x.axes


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


def _scale(d: Any, matrices: Any) -> Any:
    """Each matrix of a stack times its own number."""
    return (d if d.ndim == 0 else np.expand_dims(d, (-2, -1))) * matrices


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


general(
    np.linalg.solve,
    _solve_left,
    _solve_right,
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
    lambda d, y, a: _scale(d * y, transposed(np.linalg.inv(a))),
    operands=("a",),
    infer=of_squares(np.linalg.det, lambda axes: axes[:-2]),
    cases=[Case(regular(3, 3)), Case(regular(2, 3, 3))],
    convention="raises LinAlgError where the matrix is singular",
)


def _slogdet_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> tuple[Type, ...]:
    x = array(types[0])
    if x.dtype.kind == "c":
        raise Unsupported("np.linalg.slogdet of a complex matrix is not differentiated")
    log = Array(dtype_of(np.linalg.det, (x,), ndim=2), square(facts, x, "np.linalg.slogdet")[:-2])
    return log, log


general(
    np.linalg.slogdet,
    lambda d, y, a: None if d[1] is None else _scale(d[1], transposed(np.linalg.inv(a))),
    operands=("a",),
    infer=_slogdet_type,
    cases=[Case(regular(3, 3)), Case(regular(2, 3, 3)), Case(lambda rng: -regular(3, 3)(rng))],
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


# norm: x / |x| for the Euclidean one, and 0 at 0
def _norm_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    x, axis = array(types[0]), attrs.get("axis")
    count = len(normal_axes(axis, x.ndim))
    if count not in (1, 2) and not (axis is None and attrs.get("ord") is None):
        raise Unsupported(f"np.linalg.norm with `ord=` of {count} axes")
    return Array(dtype_of(np.linalg.norm, (x,)), reduced_axes(x, attrs))


def _norm(d: Any, y: Any, x: Any, *, ord: Any = None, axis: Axis = None, keepdims: bool = False) -> Any:
    if x.dtype.kind == "c":
        raise Unsupported("np.linalg.norm of complex numbers is not differentiated")
    count = len(normal_axes(axis, x.ndim))
    if ord is None or (count == 1 and ord == 2) or (count == 2 and ord == "fro"):
        return restored(d / np.where(y == 0, 1.0, y), x, axis, keepdims) * x
    d, y = restored(d, x, axis, keepdims), restored(y, x, axis, keepdims)
    if count == 2:
        return _matrix_norm(d, x, ord, axis)
    if ord == 0:
        return None
    if ord == 1:
        return d * np.sign(x)
    if np.isinf(ord):
        return extreme_share(d, y, np.absolute(x), axis) * np.sign(x)
    ratio = np.where(x == 0, 1.0, np.absolute(x)) / np.where(y == 0, 1.0, y)
    return d * ratio ** (ord - 1) * np.sign(x)


def _matrix_norm(d: Any, x: Any, ord: Any, axis: Any) -> Any:
    """The largest or smallest sum of a column (ord = 1, -1) or a row (ord = inf, -inf)."""
    rows, columns = (normal_axis(each, x.ndim) for each in (axis or (0, 1)))
    if ord in (1, -1):
        summed, compared = rows, columns
    elif ord in (np.inf, -np.inf):
        summed, compared = columns, rows
    else:
        return _spectral_norm(d, x, ord)
    sums = np.sum(np.absolute(x), axis=summed, keepdims=True)
    return extreme_share(d, _extreme(sums, ord, axis=compared, keepdims=True), sums, compared) * np.sign(x)


def _extreme(x: Any, ord: float, **attrs: Any) -> Any:
    """Computed again, for the norm itself may round differently."""
    return np.max(x, **attrs) if ord > 0 else np.min(x, **attrs)


def _spectral_norm(d: Any, x: Any, ord: Any) -> Any:
    """Norms of the singular values s of U diag(s) Vh: dx = U diag(ds) Vh."""
    if x.ndim != 2 or ord not in (2, -2, "nuc"):
        raise Unsupported(f"np.linalg.norm of {x.ndim} axes with ord={ord!r} is not differentiated")
    u, s, vh = np.linalg.svd(x, full_matrices=False)
    return (u * (d if ord == "nuc" else extreme_share(d, _extreme(s, ord), s, None))) @ vh


general(
    np.linalg.norm,
    _norm,
    operands=("x",),
    keywords=("ord", "axis", "keepdims"),
    infer=_norm_type,
    cases=[
        *(Case(shape) for shape in ((3,), (2, 3), (2, 3, 4))),
        *(Case((4,), ord=ord) for ord in (0, 1, 2, 3, 0.5, np.inf, -np.inf)),
        *(Case((4, 3), ord=ord) for ord in ("fro", 1, -1, np.inf, -np.inf, 2, -2, "nuc")),
        *(
            Case((2, 3), ord=ord, axis=axis, keepdims=keepdims)
            for ord in (None, 1, 2, 3, np.inf)
            for axis in (0, 1, -1)
            for keepdims in (False, True)
        ),
        *(
            Case((2, 3, 4), ord=ord, axis=axis, keepdims=keepdims)
            for ord in (None, "fro", 1, np.inf)
            for axis in ((0, 1), (1, 2), (2, 0))
            for keepdims in (False, True)
        ),
    ],
    convention="0 at 0; ties of ord=inf split evenly",
)

"""Derivatives of norms of vectors and matrices, and of the condition number, which is made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.dims import ONE, Facts
from ..ir.types import Array, Type
from .axes import Axis, array, dtype_of, normal_axes, normal_axis, reduced_axes, refuse_empty, restored, square
from .internal import conj
from .order import extreme_share
from .products import transposed
from .registry import Case, general


def norm_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    x, axis = array(types[0]), attrs.get("axis")
    count = len(normal_axes(axis, x.ndim))
    if count not in (1, 2) and not (axis is None and attrs.get("ord") is None):
        raise Unsupported(f"np.linalg.norm with `ord=` of {count} axes")
    return Array(dtype_of(np.linalg.norm, (x,)), reduced_axes(x, attrs))


def norm_partial(d: Any, y: Any, x: Any, *, ord: Any = None, axis: Axis = None, keepdims: bool = False) -> Any:
    count = len(normal_axes(axis, x.ndim))
    if count == 1 or ord in (None, "fro"):
        return _vector_norm(d, y, x, ord=2 if ord in (None, "fro") else ord, axis=axis, keepdims=keepdims)
    rows, columns = (normal_axis(each, x.ndim) for each in (axis if isinstance(axis, tuple) else (0, 1)))
    if ord in (2, -2, "nuc"):
        d = np.squeeze(d, axis=(rows, columns)) if keepdims else d
        return conj(_spectral_norm(d, x, ord, rows, columns))
    return _sum_norm(restored(d, x, axis, keepdims), x, ord, rows, columns)


def _vector_norm(d: Any, y: Any, x: Any, *, axis: Axis = None, keepdims: bool = False, ord: Any = 2) -> Any:
    """x / |x| for the Euclidean norm, and 0 at 0."""
    if ord == 2:
        return restored(d / np.where(y == 0, 1.0, y), x, axis, keepdims) * conj(x)
    d, y = restored(d, x, axis, keepdims), restored(y, x, axis, keepdims)
    if ord == 0:
        return None
    if ord == 1:
        return d * direction(x)
    if np.isinf(ord):
        return extreme_share(d, y, np.absolute(x), axis) * direction(x)
    if ord < 0:  # an element that is 0 makes the norm 0 whatever the others are
        d = np.where(y == 0, 0.0, d)
    ratio = np.where(x == 0, 1.0, np.absolute(x)) / np.where(y == 0, 1.0, y)
    return d * ratio ** (ord - 1) * direction(x)


def direction(x: Any) -> Any:
    """The derivative of |x|, 0 at 0."""
    return conj(np.sign(x))


def _sum_norm(d: Any, x: Any, ord: Any, rows: int, columns: int) -> Any:
    """The largest or smallest sum of a column (ord = 1, -1) or a row (ord = inf, -inf)."""
    if ord not in (1, -1, np.inf, -np.inf):
        raise Unsupported(f"np.linalg.norm of matrices has no ord={ord!r}")
    summed, compared = (rows, columns) if ord in (1, -1) else (columns, rows)
    sums = np.sum(np.absolute(x), axis=summed, keepdims=True)
    return extreme_share(d, _extreme(sums, ord, axis=compared, keepdims=True), sums, compared) * direction(x)


def _extreme(x: Any, ord: float, **attrs: Any) -> Any:
    """Computed again, for the norm itself may round differently."""
    return np.max(x, **attrs) if ord > 0 else np.min(x, **attrs)


def _spectral_norm(d: Any, x: Any, ord: Any, rows: int, columns: int) -> Any:
    """Norms of the singular values s of U diag(s) Vh: dx = U diag(ds) Vh."""
    if x.ndim == 2:
        placed = (rows, columns) == (0, 1)
        u, s, vh = _thin_svd(x if placed else x.T)
        result = (u * (d if ord == "nuc" else extreme_share(d, _extreme(s, ord), s, None))) @ vh
        return result if placed else result.T
    last = (x.ndim - 2, x.ndim - 1)
    placed = (rows, columns) == last
    u, s, vh = _thin_svd(x if placed else np.moveaxis(x, (rows, columns), last))
    d = np.expand_dims(d, -1)
    if ord != "nuc":
        d = extreme_share(d, _extreme(s, ord, axis=-1, keepdims=True), s, -1)
    result = (u * np.expand_dims(d, -2)) @ vh
    return result if placed else np.moveaxis(result, last, (rows, columns))


def _thin_svd(x: Any) -> Any:
    return np.linalg.svd(x, full_matrices=False)


_PAIRS = ((0, 1), (1, 2), (2, 0), (1, 0))
general(
    np.linalg.norm,
    norm_partial,
    operands=("x",),
    keywords=("ord", "axis", "keepdims"),
    infer=norm_type,
    cases=[
        *(Case(shape) for shape in ((3,), (2, 3), (2, 3, 4))),
        *(Case((4,), ord=ord) for ord in (0, 1, 2, 3, 0.5, -1, -2.5, np.inf, -np.inf)),
        *(Case((4, 3), ord=ord) for ord in ("fro", 1, -1, np.inf, -np.inf, 2, -2, "nuc")),
        *(Case((2, 3), ord=ord, axis=(1, 0)) for ord in (1, 2, "nuc")),
        *(
            Case((2, 3), ord=ord, axis=axis, keepdims=keepdims)
            for ord in (None, 1, 2, 3, np.inf)
            for axis in (0, 1, -1)
            for keepdims in (False, True)
        ),
        *(
            Case((2, 3, 4), ord=ord, axis=axis, keepdims=keepdims)
            for ord in (None, "fro", 1, -1, np.inf, 2, -2, "nuc")
            for axis in _PAIRS
            for keepdims in (False, True)
        ),
    ],
    convention="0 at 0; ties of ord=inf split evenly",
)


# The array API's norms: of a flat vector over any axes, and of matrices in the last two
def _vector_norm_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    x, ord = array(types[0]), attrs.get("ord", 2)
    if not isinstance(ord, str) and np.isinf(ord):
        refuse_empty(
            facts, f"np.linalg.vector_norm(ord={ord})", *(x.axes[i] for i in normal_axes(attrs.get("axis"), x.ndim))
        )
    return Array(dtype_of(np.linalg.vector_norm, (x,)), reduced_axes(x, attrs))


def _matrix_norm_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    x = array(types[0])
    if x.ndim < 2:
        raise Unsupported("np.linalg.matrix_norm needs a matrix")
    if attrs.get("ord", "fro") != "fro":
        refuse_empty(facts, "np.linalg.matrix_norm", *x.axes[-2:])
    tail = (ONE, ONE) if attrs.get("keepdims") else ()
    return Array(dtype_of(np.linalg.matrix_norm, (x,), ndim=2), (*x.axes[:-2], *tail))


def _last_two(d: Any, y: Any, x: Any, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    return norm_partial(d, y, x, ord=ord, axis=(x.ndim - 2, x.ndim - 1), keepdims=keepdims)


general(
    np.linalg.vector_norm,
    _vector_norm,
    operands=("x",),
    keywords=("axis", "keepdims", "ord"),
    signature=("x",),
    infer=_vector_norm_type,
    cases=[
        *(Case(shape, ord=ord) for shape in ((3,), (2, 3)) for ord in (1, 2, 3, np.inf, -1)),
        *(Case((2, 3, 4), axis=axis, keepdims=keep) for axis in (0, (0, 2), None) for keep in (False, True)),
        *(Case((2, 3, 4), axis=(1, 2), ord=ord) for ord in (1, 3, np.inf, -np.inf)),
    ],
    convention="0 at 0; ties of ord=inf split evenly",
)
general(
    np.linalg.matrix_norm,
    _last_two,
    operands=("x",),
    keywords=("keepdims", "ord"),
    signature=("x",),
    infer=_matrix_norm_type,
    cases=[
        *(Case((4, 3), ord=ord) for ord in ("fro", 1, -1, np.inf, -np.inf, 2, -2, "nuc")),
        *(Case((2, 3, 4), ord=ord, keepdims=keep) for ord in ("fro", 1, np.inf, 2, "nuc") for keep in (False, True)),
        Case((3, 2)),
    ],
    convention="0 at 0; ties of ord=inf split evenly",
)


# The condition number: the largest singular value over the smallest, or the norm times that of the inverse
def _cond_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    x = array(types[0])
    if attrs.get("p") not in (None, 2, -2):
        square(facts, x, "np.linalg.cond")
    if x.ndim < 2:
        raise Unsupported("np.linalg.cond needs a matrix")
    return Array(dtype_of(np.linalg.cond, (x,), ndim=2), x.axes[:-2])


def _cond(d: Any, y: Any, x: Any, *, p: Any = None) -> Any:
    if p in (None, 2, -2):
        u, s, vh = _thin_svd(x)
        longest, shortest = (_relative(u, s, vh, part, k) for part, k in ((slice(None, 1), 0), (slice(-1, None), -1)))
        change = longest - shortest if p != -2 else shortest - longest
        return conj(scale(d * y, change))
    inverse, axis = np.linalg.inv(x), (x.ndim - 2, x.ndim - 1)
    norms = [np.linalg.norm(each, ord=p, axis=axis if x.ndim > 2 else None) for each in (x, inverse)]
    grown = norm_partial(d * norms[1], norms[0], x, ord=p, axis=axis)
    shrunk = norm_partial(d * norms[0], norms[1], inverse, ord=p, axis=axis)
    return grown - transposed(inverse) @ shrunk @ transposed(inverse)


def _relative(u: Any, s: Any, vh: Any, part: slice, k: int) -> Any:
    """The derivative of the logarithm of singular value number k."""
    value = s[k] if s.ndim == 1 else np.expand_dims(s[..., k], (-2, -1))
    return u[..., part] @ vh[..., part, :] / value


def scale(d: Any, matrices: Any) -> Any:
    """Each matrix of a stack times its own number."""
    return (d if d.ndim == 0 else np.expand_dims(d, (-2, -1))) * matrices


general(
    np.linalg.cond,
    _cond,
    keywords=("p",),
    infer=_cond_type,
    cases=[
        *(Case((3, 3), p=p) for p in (None, 2, -2, 1, -1, np.inf, -np.inf, "fro")),
        Case((4, 2)),
        *(Case((2, 3, 3), p=p) for p in (None, -2, 1, "fro")),
    ],
)

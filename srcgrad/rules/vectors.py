"""Derivatives of products with stacks of vectors: matvec and vecmat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.dims import Facts
from ..ir.infer import broadcast_axes, check_equal
from ..ir.types import Array, Type
from .axes import array, dtype_of
from .internal import called, unbroadcast
from .products import transposed
from .registry import Case, bilinear


def _matvec_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    a, x = map(array, types)
    if a.ndim < 2 or not x.ndim:
        raise Unsupported("np.matvec takes matrices and vectors")
    check_equal(facts, a.axes[-1], x.axes[-1], "np.matvec: lengths")
    return Array(dtype_of(np.multiply, (a, x)), (*broadcast_axes(facts, [a.axes[:-2], x.axes[:-1]]), a.axes[-2]))


def _vecmat_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    x, a = map(array, types)
    if a.ndim < 2 or not x.ndim:
        raise Unsupported("np.vecmat takes vectors and matrices")
    if x.dtype.kind == "c":
        raise Unsupported("np.vecmat of complex vectors is not differentiated", "Use np.matmul.")
    check_equal(facts, a.axes[-2], x.axes[-1], "np.vecmat: lengths")
    return Array(dtype_of(np.multiply, (x, a)), (*broadcast_axes(facts, [x.axes[:-1], a.axes[:-2]]), a.axes[-1]))


def _pairs(x: Any, y: Any) -> Any:
    """All products of two stacks of vectors."""
    return np.expand_dims(x, -1) * np.expand_dims(y, -2)


bilinear(
    np.matvec,
    lambda d, y, a, x: unbroadcast(_pairs(d, x), a),
    lambda d, y, a, x: unbroadcast(called(np.matvec, transposed(a), d), x),
    operands=("a", "x"),
    infer=_matvec_type,
    cases=[Case((2, 3), (3,)), Case((4, 2, 3), (3,)), Case((2, 3), (4, 3)), Case((4, 2, 3), (4, 3))],
)
bilinear(
    np.vecmat,
    lambda d, y, x, a: unbroadcast(called(np.matvec, a, d), x),
    lambda d, y, x, a: unbroadcast(_pairs(x, d), a),
    operands=("x", "a"),
    infer=_vecmat_type,
    cases=[Case((2,), (2, 3)), Case((2,), (4, 2, 3)), Case((4, 2), (2, 3)), Case((4, 2), (4, 2, 3))],
)

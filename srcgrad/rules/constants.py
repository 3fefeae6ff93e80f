"""Functions without derivative: results that are integers, booleans or steps, and arrays made from nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.dims import Dim, Facts, as_dim
from ..ir.infer import elementwise as elementwise_type
from ..ir.types import BOOL, Array, Type
from .axes import array, dtype_of, normal_axis, same_axes, size
from .internal import unbroadcast
from .registry import Case, constant, linear

function: Any  # the tables below loop over functions of different types

# Comparisons, logic, bits
for function in (
    np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal,
    np.logical_and, np.logical_or, np.logical_xor,
    np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.left_shift, np.right_shift, np.gcd, np.lcm,
):  # fmt: skip
    constant(function, operands=("a", "b"), infer=elementwise_type(function), cheap=True)
for function in (
    np.logical_not, np.invert, np.isnan, np.isfinite, np.isinf, np.signbit, np.isneginf, np.isposinf, np.isreal,
    np.iscomplex, np.bitwise_count,
):  # fmt: skip
    constant(function, operands=("x",), infer=elementwise_type(function), cheap=True)
constant(
    np.isclose,
    operands=("a", "b"),
    keywords=("rtol", "atol", "equal_nan"),
    infer=elementwise_type(np.isclose),
    cheap=True,
)

# Steps: the derivative is zero wherever there is one
for function in (np.floor, np.ceil, np.trunc, np.rint, np.sign, np.fix, np.spacing):
    constant(function, operands=("x",), infer=elementwise_type(function), convention="0 at the steps too")
constant(
    np.floor_divide,
    operands=("a", "b"),
    infer=elementwise_type(np.floor_divide),
    convention="0 at the steps too",
)
constant(
    np.round,
    operands=("a",),
    keywords=("decimals",),
    signature=("a", "decimals", "out"),
    infer=same_axes(np.round),
    aliases=(np.around,),
    convention="0 at the steps too",
)


# Order and search
def _argsort_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    x = array(types[0])
    if attrs.get("axis", -1) is None:
        return Array(np.dtype(np.intp), (size(facts, x),))
    normal_axis(attrs.get("axis", -1), x.ndim)
    return Array(np.dtype(np.intp), x.axes)


def _searched_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    return Array(np.dtype(np.intp), array(types[1]).axes)


def _nonzero_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type | tuple[Type, ...]:
    x, count = array(types[0]), facts.fresh("count")
    if not x.ndim:
        raise Unsupported("np.nonzero of a number")
    return tuple(Array(np.dtype(np.intp), (count,)) for _ in x.axes)


constant(
    np.argsort,
    operands=("a",),
    keywords=("axis", "kind", "stable"),
    signature=("a", "axis", "kind", "order"),
    infer=_argsort_type,
)
constant(np.argpartition, operands=("a",), keywords=("kth", "axis", "kind"), infer=_argsort_type)
constant(
    np.searchsorted,
    operands=("a", "v", "sorter"),
    keywords=("side",),
    signature=("a", "v", "side", "sorter"),
    infer=_searched_type,
)
constant(np.nonzero, operands=("a",), infer=_nonzero_type, several=True)


def _flat_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    return Array(np.dtype(np.intp), (facts.fresh("count"),))


def _verdict_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    return BOOL


def _triangle_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> tuple[Type, ...]:
    """n (n + 1) / 2 places in a triangle whose longest row has n."""
    k = attrs.get("k", 0)
    n = _length(facts, types[0]) - abs(k)
    inward = len(types) == 1 and (k == 0 or (k > 0) == (attrs["upper"]))
    known = inward and facts.require(">=", n, as_dim(0))
    places = Array(np.dtype(np.intp), ((n * n + n) // 2 if known else facts.fresh("count"),))
    return places, places


def _argwhere_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    return Array(np.dtype(np.intp), (facts.fresh("count"), as_dim(array(types[0]).ndim)))


def _isin_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    return Array(np.dtype(bool), array(types[0]).axes)


def _triangle_of_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> tuple[Type, ...]:
    x = array(types[0])
    if x.ndim != 2:
        raise Unsupported("the triangle of an array that is not a matrix")
    lengths = [Array(np.dtype(np.intp), dim=facts.canon(dim)) for dim in x.axes]
    square = facts.require("==", x.axes[0], x.axes[1])
    return _triangle_type(facts, lengths[:1] if square else lengths, attrs, style)


def _diagonal_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> tuple[Type, ...]:
    places = Array(np.dtype(np.intp), (_length(facts, types[0]),))
    return tuple(places for _ in range(attrs.get("ndim", 2)))


constant(np.flatnonzero, operands=("a",), infer=_flat_type)
constant(np.argwhere, operands=("a",), infer=_argwhere_type)
constant(
    np.isin,
    operands=("element", "test_elements"),
    keywords=("assume_unique", "invert", "kind"),
    infer=_isin_type,
)
constant(np.diag_indices, operands=("n",), keywords=("ndim",), infer=_diagonal_type, several=True)
for function, upper in ((np.triu_indices_from, True), (np.tril_indices_from, False)):
    constant(
        function,
        operands=("arr",),
        keywords=("k",),
        infer=lambda facts, types, attrs, style, upper=upper: _triangle_of_type(
            facts, types, {**attrs, "upper": upper}, style
        ),
    )
constant(np.digitize, operands=("x", "bins"), keywords=("right",), infer=same_axes(np.argsort))
for function in (np.allclose, np.array_equal, np.array_equiv):
    constant(function, operands=("a", "b"), keywords=("rtol", "atol", "equal_nan"), infer=_verdict_type)
for function, upper in ((np.triu_indices, True), (np.tril_indices, False)):
    constant(
        function,
        operands=("n", "m"),
        keywords=("k",),
        signature=("n", "k", "m"),
        infer=lambda facts, types, attrs, style, upper=upper: _triangle_type(
            facts, types, {**attrs, "upper": upper}, style
        ),
    )


# Arrays made from a shape: its lengths may be symbolic. Operands beyond the fill value only keep names alive.
def _filled_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    return Array(np.dtype(attrs.get("dtype") or float), _shape(attrs["shape"]))


def _full_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    dtype = attrs.get("dtype")
    known = np.dtype(dtype) if dtype is not None else dtype_of(np.asarray, [array(types[0])])
    return Array(known, _shape(attrs["shape"]))


def _shape(shape: Any) -> tuple[Dim, ...]:
    return tuple(as_dim(n) for n in (shape if isinstance(shape, (tuple, list)) else (shape,)))


def _maker(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *names, shape, dtype=float: function(shape, dtype or float)


for function in (np.zeros, np.ones, np.empty):
    constant(
        function,
        operands=(),
        keywords=("shape", "dtype"),
        infer=_filled_type,
        fn=_maker(function),
        cheap=True,
    )

linear(
    np.full,
    lambda d, y, fill, *names, shape, dtype=None: unbroadcast(d, fill),
    operands=("fill_value",),
    keywords=("shape", "dtype"),
    signature=("shape", "fill_value", "dtype"),
    infer=_full_type,
    fn=lambda fill, *names, shape, dtype=None: np.full(shape, fill, dtype),
    cases=[Case((), shape=(2, 3)), Case((), shape=3), Case((), shape=(3,), dtype=np.float64)],
)


# Arrays like another one
def _like_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    x = array(types[0])
    shape = _shape(attrs["shape"]) if attrs.get("shape") is not None else x.axes
    return Array(np.dtype(attrs["dtype"]) if attrs.get("dtype") is not None else x.dtype, shape)


for function in (np.zeros_like, np.ones_like, np.empty_like):
    constant(
        function,
        operands=("a",),
        keywords=("dtype", "shape", "order"),
        signature=("a", "dtype", "order"),
        infer=_like_type,
        fn=lambda a, *names, function=function, **attrs: function(a, **attrs),
        cheap=True,
    )
linear(
    np.full_like,
    None,
    lambda d, y, a, fill, *names, dtype=None, shape=None, order="K": unbroadcast(d, fill),
    operands=("a", "fill_value"),
    keywords=("dtype", "shape", "order"),
    signature=("a", "fill_value", "dtype", "order"),
    infer=_like_type,
    fn=lambda a, fill, *names, **attrs: np.full_like(a, fill, **attrs),
    cases=[Case((2, 3), ()), Case((2, 3), (), dtype=np.float64, order="C"), Case((3,), (), shape=(2, 2))],
)


# Identity matrices, ranges and grids: lengths come from integer operands
def _eye_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    lengths = [_length(facts, t) for t in types]
    return Array(np.dtype(attrs.get("dtype") or float), (lengths[0], lengths[-1]))


def _length(facts: Facts, type: Type) -> Dim:
    dim = array(type).dim
    return facts.fresh() if dim is None else dim


for function, operands, names in (
    (np.eye, ("N", "M"), ("k", "dtype")),
    (np.identity, ("n",), ("dtype",)),
    (np.tri, ("N", "M"), ("k", "dtype")),
):
    constant(function, operands=operands, keywords=names, infer=_eye_type)

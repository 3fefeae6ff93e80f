"""Derivatives of scipy.special.logsumexp, softmax and log_softmax, over any axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy import special

from ..errors import Unsupported
from ..ir.dims import Facts
from ..ir.infer import broadcast_axes
from ..ir.types import Array, Type
from .axes import Axis, alike, array, dtype_of, normal_axes, reduced_axes, restored
from .internal import unbroadcast
from .registry import Case, general, uniform


def _real(types: Sequence[Type], name: str) -> list[Array]:
    arrays = [array(t) for t in types]
    if any(x.dtype.kind == "c" for x in arrays):
        raise Unsupported(f"scipy.special.{name} of complex numbers is not differentiated")
    return arrays


def _logsumexp_type(
    facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str
) -> Type | tuple[Type, ...]:
    arrays = _real(types, "logsumexp")
    dtype = dtype_of(lambda a, *b: special.logsumexp(a, b=b[0] if b else None), arrays)
    whole = Array(dtype, broadcast_axes(facts, [x.axes for x in arrays]))
    result = Array(dtype, reduced_axes(whole, attrs))
    return (result, result) if attrs.get("return_sign") else result


def _shares(y: Any, a: Any, b: Any, axis: Axis, keepdims: bool, return_sign: bool) -> tuple[Any, Any]:
    """exp(a - y), where y has the axes of `a` again, and the operand whose axes the sum ran over."""
    value, sign = y if return_sign else (y, None)
    whole = a if b is None or a.ndim >= b.ndim else b
    if b is None:  # nothing but -inf: every share is 0
        value = np.where(value == -np.inf, 0.0, value)
    shares = np.exp(a - restored(value, whole, axis, keepdims))
    return shares if sign is None else shares * restored(sign, whole, axis, keepdims), whole


def _logsumexp_terms(
    d: Any, y: Any, a: Any, *b: Any, axis: Axis = None, keepdims: bool = False, return_sign: bool = False
) -> Any:
    d = d[0] if return_sign else d
    if d is None:
        return None
    shares, whole = _shares(y, a, b[0] if b else None, axis, keepdims, return_sign)
    weighted = restored(d, whole, axis, keepdims) * shares
    return unbroadcast(weighted * b[0], a) if b else weighted


def _logsumexp_weights(
    d: Any, y: Any, a: Any, b: Any, *, axis: Axis = None, keepdims: bool = False, return_sign: bool = False
) -> Any:
    d = d[0] if return_sign else d
    if d is None:
        return None
    shares, whole = _shares(y, a, b, axis, keepdims, return_sign)
    return unbroadcast(restored(d, whole, axis, keepdims) * shares, b)


general(
    special.logsumexp,
    _logsumexp_terms,
    _logsumexp_weights,
    name="scipy.special.logsumexp",
    fn=lambda a, *b, **attrs: special.logsumexp(a, **{"b": b[0] if b else None, **attrs}),
    operands=("a", "b"),
    keywords=("axis", "keepdims", "return_sign"),
    signature=("a", "axis", "b", "keepdims", "return_sign"),
    infer=_logsumexp_type,
    cases=[
        *(Case(shape) for shape in ((), (3,), (2, 3), (1, 3))),
        *(
            Case((2, 3, 4), axis=axis, keepdims=keepdims)
            for axis in (None, 0, -1, (0, 2), (1, -1))
            for keepdims in (False, True)
        ),
        *(Case((2, 3), uniform((2, 3), 0.5, 2.0), axis=axis) for axis in (None, 0, 1)),
        Case((2, 3), uniform((3,), 0.5, 2.0), axis=1, keepdims=True),
        Case((3,), uniform((2, 3), 0.5, 2.0), axis=1),
        Case((3,), lambda rng: np.array([1.0, -3.0, 0.5]), return_sign=True),
        Case((2, 3), (2, 3), axis=1, return_sign=True),
    ],
    convention="the derivative in terms that are all -inf is 0; the sign is constant",
)


def _softmax_type(function: Any) -> Any:
    def infer(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
        (x,) = _real(types, function.__name__)
        normal_axes(attrs.get("axis"), x.ndim)
        return Array(dtype_of(function, (x,)), x.axes)

    return infer


_SOFTMAX_CASES = [
    *(Case(shape) for shape in ((), (3,), (2, 3), (1, 3))),
    *(Case((2, 3, 4), axis=axis) for axis in (None, 0, 1, -1, (0, 2), (1, -1))),
]
general(
    special.softmax,
    lambda d, y, x, *, axis=None: y * (d - np.sum(y * d, **alike(x, axis))),
    name="scipy.special.softmax",
    keywords=("axis",),
    infer=_softmax_type(special.softmax),
    cases=_SOFTMAX_CASES,
    tangent=lambda t, y, x, *, axis=None: y * (t[0] - np.sum(y * t[0], **alike(x, axis))),
)
general(
    special.log_softmax,
    lambda d, y, x, *, axis=None: d - np.exp(y) * np.sum(d, **alike(x, axis)),
    name="scipy.special.log_softmax",
    keywords=("axis",),
    infer=_softmax_type(special.log_softmax),
    cases=_SOFTMAX_CASES,
    tangent=lambda t, y, x, *, axis=None: t[0] - np.sum(np.exp(y) * t[0], **alike(x, axis)),
)

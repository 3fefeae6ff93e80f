"""Derivatives of polynomials, in the order of np.poly1d (the highest power first) and of np.polynomial.polynomial.

Sums, products and their like are linear in each polynomial; the roots move by dr = -dp(r) / p'(r).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.polynomial import polynomial

from ..errors import Unsupported
from ..ir.dims import Facts, as_dim
from ..ir.infer import check_equal
from ..ir.types import Array, Type
from .axes import array, dtype_of, plain, refuse_empty
from .internal import arange, called, conj, placed
from .least_squares import check_cutoff
from .registry import Case, bilinear, general, linear, uniform

function: Any  # the tables below loop over functions of different types


def _nodes(n: int) -> Any:
    """Points that are apart from each other."""
    return lambda rng: np.linspace(-1.0, 1.0, n) + rng.uniform(-0.05, 0.05, n)


def _coefficients(type: Type, name: str) -> Array:
    x = array(type)
    if x.ndim != 1:
        raise Unsupported(f"{name} takes one-dimensional arrays of coefficients")
    return x


# Values: Horner's rule, so that dp/dx is the value of the derivative and dp/dc_k = x^k
def _polyval_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    p, x = _coefficients(types[0], "np.polyval"), array(types[1])
    return Array(dtype_of(np.polyval, (p, x)), x.axes)


def _polyval_coefficients(d: Any, y: Any, p: Any, x: Any) -> Any:
    powers = _powers(x, p.shape[0], decreasing=True)
    return _contracted(d, powers)


def _powers(x: Any, count: Any, decreasing: bool) -> Any:
    exponents = arange(x, count)
    if decreasing:
        exponents = exponents[::-1]
    return (np.expand_dims(x, -1) if x.ndim else x) ** exponents


def _contracted(d: Any, powers: Any) -> Any:
    """The sum over all axes but the last."""
    if d.ndim == 0:
        return d * powers
    return d @ powers if d.ndim == 1 else np.tensordot(d, powers, axes=d.ndim)


general(
    np.polyval,
    _polyval_coefficients,
    lambda d, y, p, x: d * np.polyval(np.polyder(p), x),
    operands=("p", "x"),
    infer=_polyval_type,
    cases=[Case((4,), (3,)), Case((3,), ()), Case((3,), (2, 3)), Case((1,), (3,)), Case((2,), (1,))],
)


# Derivatives and integrals scale each coefficient
def _polyder_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    p, m = _coefficients(types[0], "np.polyder"), _order(attrs)
    n = facts.canon(p.axes[0])
    return Array(_product_dtype(p), (n - m if facts.require(">", n, as_dim(m)) else as_dim(0),))


def _order(attrs: Mapping[str, Any]) -> int:
    m = attrs.get("m", 1)
    if not isinstance(m, (int, np.integer)) or m < 0:
        raise Unsupported("the order `m` of a derivative or integral must be a whole number known when compiling")
    return int(m)


def _product_dtype(p: Array) -> np.dtype[Any]:
    return dtype_of(lambda p: np.polyder(np.ones(3, np.asarray(p).dtype)), (p,))


def _falling(x: Any, first: Any, length: Any, m: int) -> Any:
    """k (k - 1) ... (k - m + 1) for the powers k from `first` down."""
    k = arange(x, length)[::-1] + first
    factors = [k - j if j else k for j in range(m)]
    product = factors[0]
    for factor in factors[1:]:
        product = product * factor
    return product


def _polyder(d: Any, y: Any, p: Any, *, m: int = 1) -> Any:
    if m == 0:
        return d
    kept = as_dim(p.shape[0]) - m
    return placed(p, d * _falling(d, m, plain(kept), m), slice(None, plain(kept)))


linear(
    np.polyder,
    _polyder,
    operands=("p",),
    keywords=("m",),
    infer=_polyder_type,
    view=True,
    cases=[Case((4,)), Case((5,), m=2), Case((4,), m=3), Case((3,), m=0)],
)


def _polyint_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    p, m = _coefficients(types[0], "np.polyint"), _order(attrs)
    k = array(types[1]) if len(types) > 1 else None
    dtypes = (p,) if k is None else (p, k)
    dtype = dtype_of(lambda p, k=0: np.polyint(np.ones(2, np.asarray(p).dtype), 1, k), dtypes)
    return Array(dtype if m else p.dtype, (facts.canon(p.axes[0]) + m,))


def _polyint(d: Any, y: Any, p: Any, *k: Any, m: int = 1) -> Any:
    if m == 0:
        return d
    n = p.shape[0]
    return d[: plain(as_dim(n))] / _falling(d, m, n, m)


def _polyint_constants(d: Any, y: Any, p: Any, k: Any, *, m: int = 1) -> Any:
    """The first constant becomes the coefficient of x^(m - 1), divided by (m - 1)!."""
    scaled = [d[-m + j] / math.factorial(m - 1 - j) if m - 1 - j > 1 else d[-m + j] for j in range(m)]
    if k.ndim == 0 or (k.shape[0] == 1 and m > 1):  # one number stands for all
        return sum(scaled[1:], scaled[0]).reshape(k.shape)
    return np.stack(scaled)


linear(
    np.polyint,
    _polyint,
    _polyint_constants,
    operands=("p", "k"),
    keywords=("m",),
    signature=("p", "m", "k"),
    infer=_polyint_type,
    view=True,
    fn=lambda p, *k, m=1: np.polyint(p, m, *k),
    cases=[
        *(Case((3,), m=m) for m in (0, 1, 2, 3)),
        Case((3,)),
        Case((3,), (), m=1),
        Case((3,), (2,), m=2),
        Case((3,), (), m=3),
        Case((3,), (1,), m=1),
        Case((3,), (1,), m=2),
    ],
)


# Sums and products
def _sum_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    a, b = (_coefficients(t, "the sum of polynomials") for t in types)
    n, m = facts.canon(a.axes[0]), facts.canon(b.axes[0])
    return Array(dtype_of(np.polyadd, (a, b)), (n if facts.require(">=", n, m) else m,))


def _last(d: Any, x: Any) -> Any:
    """The coefficients of the powers that `x` has."""
    longer, mine = as_dim(d.shape[0]), as_dim(x.shape[0])
    return d if longer == mine else d[plain(longer - mine) :]


_PAIRS = [Case((n,), (m,)) for n, m in ((3, 3), (4, 2), (2, 4))]
for function, sign in ((np.polyadd, 1), (np.polysub, -1)):
    general(
        function,
        lambda d, y, a, b: _last(d, a),
        (lambda d, y, a, b: _last(d, b)) if sign == 1 else (lambda d, y, a, b: -_last(d, b)),
        operands=("a1", "a2"),
        infer=_sum_type,
        cases=_PAIRS,
    )


def _polymul_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    a, b = (_coefficients(t, "the product of polynomials") for t in types)
    refuse_empty(facts, "np.polymul", a.axes[0], b.axes[0])
    return Array(dtype_of(np.polymul, (a, b)), (facts.canon(a.axes[0]) + facts.canon(b.axes[0]) - 1,))


bilinear(
    np.polymul,
    lambda d, y, a, b: np.correlate(d, conj(b)),
    lambda d, y, a, b: np.correlate(d, conj(a)),
    operands=("a1", "a2"),
    infer=_polymul_type,
    cases=_PAIRS,
)


# Quotients: u = v q + r. The quotient depends on as many leading coefficients of u as it has itself, by a triangular
# matrix L made of v: q = L^-1 u, so that its transpose divides what is turned around.
def _polydiv_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Any:
    u, v = (_coefficients(t, "the quotient of polynomials") for t in types)
    n, m = facts.canon(u.axes[0]), facts.canon(v.axes[0])
    if not facts.require(">=", n, m):
        raise Unsupported("np.polydiv by a polynomial of a higher degree", "The remainder is the polynomial itself.")
    dtype = dtype_of(lambda u, v: np.polydiv(u, v)[0], (u, v))
    return Array(dtype, (n - m + 1,)), Array(dtype, (facts.fresh(),))


def _leading(n: int) -> Any:
    """Coefficients, the first of which is far from 0."""
    return lambda rng: np.concatenate([rng.uniform(1.0, 2.0, 1), rng.uniform(-1.0, 1.0, n - 1)])


def _divided(d: Any, u: Any, v: Any) -> Any:
    """The cotangent of u, which is 0 behind the quotient's length."""
    d, remainder = d
    if remainder is not None:
        raise Unsupported("the remainder of np.polydiv loses as many leading zeros as there are", "Use u - v * q.")
    if d is None:
        return None
    turned = np.concatenate([d[::-1], np.zeros_like(v[1:])])
    return np.concatenate([called(np.polydiv, turned, v)[0][::-1], np.zeros_like(v[1:])])


def _divisor(d: Any, y: Any, u: Any, v: Any) -> Any:
    """-sum_i g_i q_(i - j) with g the cotangent of u."""
    g, q = _divided(d, u, v), y[0]
    if g is None:
        return None
    start = plain(as_dim(q.shape[0]) - 1)
    return -np.convolve(g, q[::-1])[slice(start, plain(as_dim(start) + v.shape[0]))]


general(
    np.polydiv,
    lambda d, y, u, v: _divided(d, u, v),
    _divisor,
    operands=("u", "v"),
    infer=_polydiv_type,
    cases=[
        Case((5,), _leading(3), unknown=True, only=1),
        Case((4,), _leading(4), unknown=True, only=1),
        Case((4,), _leading(1), unknown=True, only=1),
        Case((3,), _leading(2), unknown=True, only=1),
    ],
    convention="the quotient alone: how long the remainder is depends on the values",
)


# Roots: of a polynomial with a leading coefficient that is not 0
def _roots_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    p = _coefficients(types[0], "np.roots")
    if p.dtype.kind != "c":
        raise Unsupported(
            "np.roots of real coefficients gives real or complex numbers depending on their values",
            "Make them complex: np.roots(p + 0j).",
        )
    return Array(dtype_of(lambda p: np.roots(np.ones(3, np.asarray(p).dtype)), (p,)), (facts.fresh(),))


general(
    np.roots,
    lambda d, y, p: _contracted(-d / np.polyval(np.polyder(p), y), _powers(y, p.shape[0], decreasing=True)),
    operands=("p",),
    infer=_roots_type,
    cases=[Case(lambda rng: rng.normal(size=4) + 1j * rng.normal(size=4), unknown=True)],
    convention="simple roots; coefficients that are 0 at the ends do not count",
)


# The coefficients of the polynomial with given roots: each root takes the product over the others
def _poly_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    roots = array(types[0])
    if roots.ndim != 1:
        raise Unsupported("np.poly of a matrix is not differentiated", "Pass its eigenvalues.")
    if roots.dtype.kind == "c":
        raise Unsupported("np.poly of complex roots is real or complex depending on them, and not differentiated")
    refuse_empty(facts, "np.poly", roots.axes[0])
    return Array(
        dtype_of(lambda r: np.poly(np.ones(2, np.asarray(r).dtype)), (roots,)), (facts.canon(roots.axes[0]) + 1,)
    )


def _poly(d: Any, y: Any, roots: Any) -> Any:
    """-sum_k d_(k + 1) q_k, q the quotient by x - r: its sums are those of a polynomial in r."""
    n = roots.shape[0]
    return -np.polyval(np.correlate(y[:-1], d[1:], mode="full")[:n], roots)


general(
    np.poly,
    _poly,
    operands=("seq_of_zeros",),
    infer=_poly_type,
    cases=[Case((3,)), Case((1,)), Case((4,))],
)


# Least squares: the coefficients p minimise |w (V p - y)|, V the powers of x; z = (V.T w^2 V)^-1 d
def _polyfit_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    arrays = [array(t) for t in types]
    if any(x.dtype.kind == "c" for x in arrays):
        raise Unsupported("np.polyfit of complex numbers is not differentiated", "Use np.linalg.lstsq.")
    if arrays[1].ndim != 1:
        raise Unsupported("np.polyfit of several sets of values at once is not differentiated", "Fit one at a time.")
    for x in arrays:
        _coefficients(x, "np.polyfit")
        check_equal(facts, x.axes[0], arrays[0].axes[0], "np.polyfit: lengths")
    if not isinstance(attrs.get("deg"), (int, np.integer)):
        raise Unsupported("np.polyfit needs a degree that is a whole number known when compiling")
    dtype = dtype_of(lambda x, y, *w: np.polyfit(np.arange(2) + x, y * np.ones(2), 0), arrays)
    return Array(dtype, (as_dim(int(attrs["deg"]) + 1),))


def _weighted(d: Any, x: Any, w: tuple[Any, ...], deg: int, rcond: Any) -> tuple[Any, Any]:
    """z as a polynomial at x, and its coefficients."""
    check_cutoff("polyfit", "rcond", rcond)
    powers = _powers(x, deg + 1, decreasing=True)
    inverse = np.linalg.pinv(np.expand_dims(w[0], -1) * powers if w else powers)
    z = inverse @ (inverse.T @ d)
    return np.polyval(z, x), z


def _squared(w: tuple[Any, ...], x: Any) -> Any:
    return np.square(w[0]) * x if w else x


def _polyfit_points(d: Any, p: Any, x: Any, y: Any, *w: Any, deg: int, rcond: Any = None) -> Any:
    if deg == 0:
        return None
    pull, z = _weighted(d, x, w, deg, rcond)
    rest = y - np.polyval(p, x)
    return _squared(w, rest * np.polyval(np.polyder(z), x) - pull * np.polyval(np.polyder(p), x))


general(
    np.polyfit,
    _polyfit_points,
    lambda d, p, x, y, *w, deg, rcond=None: _squared(w, _weighted(d, x, w, deg, rcond)[0]),
    lambda d, p, x, y, w, *, deg, rcond=None: 2 * w * (y - np.polyval(p, x)) * _weighted(d, x, (w,), deg, rcond)[0],
    operands=("x", "y", "w"),
    keywords=("deg", "rcond"),
    signature=("x", "y", "deg", "rcond", "full", "w", "cov"),
    infer=_polyfit_type,
    fn=lambda x, y, *w, **attrs: np.polyfit(x, y, w=w[0] if w else None, **attrs),
    cases=[
        *(Case(_nodes(6), (6,), deg=deg) for deg in (0, 1, 2, 3)),
        Case(_nodes(6), (6,), uniform((6,), 0.5, 2.0), deg=2),
        Case(_nodes(5), (5,), deg=1, rcond=1e-12),
    ],
    convention="the rank stays full",
)


# np.polynomial.polynomial: the lowest power first
def _values_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    x, c = array(types[0]), _coefficients(types[1], "polyval")
    return Array(dtype_of(polynomial.polyval, (x, c)), x.axes)


def _slopes(d: Any, y: Any, x: Any, c: Any) -> Any:
    return d * np.polyval(np.polyder(c[::-1]), x)


general(
    polynomial.polyval,
    _slopes,
    lambda d, y, x, c: _contracted(d, _powers(x, c.shape[0], decreasing=False)),
    operands=("x", "c"),
    infer=_values_type,
    cases=[Case((3,), (4,)), Case((), (3,)), Case((2, 3), (3,)), Case((3,), (1,))],
)

"""Derivatives of scipy.special: error functions, gamma and beta, exponential integrals, logistic and entropy functions.

Imported when a function of scipy.special is first looked for. Abramowitz & Stegun (1964), chapters 5 to 7 and 26, and
the NIST Digital Library of Mathematical Functions. Where no derivative in a parameter is known, it is refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy import special

from ..errors import Unsupported
from ..ir.dims import Facts
from ..ir.nodes import Const
from ..ir.primitive import Infer, Partial, Primitive
from ..ir.symbolic import Sym
from ..ir.types import Array, Type
from .axes import array, dtype_of
from .internal import called
from .registry import Case, constant, general, uniform
from .registry import elementwise as _elementwise

SQRT_PI, SQRT_2PI = math.sqrt(math.pi), math.sqrt(2 * math.pi)


def number(d: Any, value: float, text: str) -> Any:
    """A constant spelled as in the formula: a Python number, which leaves float32 as it is."""
    return Sym(d.builder, Const(value, text)) if isinstance(d, Sym) else value


def root_2pi(d: Any) -> Any:
    return number(d, SQRT_2PI, "math.sqrt(2 * math.pi)")


def two_over_root_pi(d: Any) -> Any:
    return number(d, 2 / SQRT_PI, "2 / math.sqrt(math.pi)")


def elementwise(function: Any, *partials: Partial | None, name: str = "", **options: Any) -> Primitive:
    """An elementwise function under its name in scipy.special."""
    return _elementwise(function, *partials, name=f"scipy.special.{name or function.__name__}", **options)


def refused(function: str, parameter: str) -> Partial:
    """A parameter in which no derivative is known: the call is refused where the parameter depends on `wrt`."""

    def partial(d: Any, y: Any, *inputs: Any, **attrs: Any) -> Any:
        raise Unsupported(
            f"scipy.special.{function} has no derivative rule with respect to `{parameter}`",
            "Keep it constant (leave it out of wrt, or use stop_gradient).",
        )

    return partial


def two_results(function: Any) -> Infer:
    """Inference for an elementwise function of one operand with several results."""

    def infer(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> tuple[Type, ...]:
        x = array(types[0])
        return (Array(dtype_of(lambda x: function(x)[0], (x,)), x.axes),) * 2

    return infer


def pair(function: Any, first: Callable[[Any], Any], second: Callable[[Any], Any], low: float, high: float) -> None:
    """A function with two results, and the derivative of each."""

    def partial(d: Any, y: Any, x: Any) -> Any:
        terms = [each * slope(x) for each, slope in zip(d, (first, second)) if each is not None]
        return sum(terms[1:], terms[0])

    cases = [Case(uniform(shape, low, high)) for shape in ((), (3,), (2, 3), (0,))]
    general(function, partial, name=f"scipy.special.{function.__name__}", infer=two_results(function), cases=cases)


# Error functions
elementwise(special.erf, lambda d, y, x: d * two_over_root_pi(d) * np.exp(-(x**2)))
elementwise(special.erfc, lambda d, y, x: -d * two_over_root_pi(d) * np.exp(-(x**2)))
elementwise(special.erfi, lambda d, y, x: d * two_over_root_pi(d) * np.exp(x**2))
elementwise(special.erfcx, lambda d, y, x: d * (2 * x * y - 2 / SQRT_PI))
elementwise(special.erfinv, lambda d, y, x: d * (SQRT_PI / 2) * np.exp(y * y), domain=((-0.9, 0.9),), singular=True)
elementwise(special.erfcinv, lambda d, y, x: d * (-SQRT_PI / 2) * np.exp(y * y), domain=((0.1, 1.9),), singular=True)
elementwise(special.dawsn, lambda d, y, x: d * (1 - 2 * x * y))
elementwise(special.wofz, lambda d, y, x: d * (2j / SQRT_PI - 2 * x * y))
elementwise(special.ndtr, lambda d, y, x: d * np.exp(-(x**2) / 2) / root_2pi(d))
elementwise(special.log_ndtr, lambda d, y, x: d * np.exp(-(x**2) / 2 - y) / root_2pi(d))
elementwise(special.ndtri, lambda d, y, x: d * root_2pi(d) * np.exp(y**2 / 2), domain=((0.05, 0.95),), singular=True)
elementwise(
    special.owens_t,
    lambda d, y, h, a: d * special.erf(a * h / math.sqrt(2)) * np.exp(-h * h / 2) / (-2 * SQRT_2PI),
    lambda d, y, h, a: d * np.exp(-h * h * (1 + a * a) / 2) / (2 * math.pi * (1 + a * a)),
)
pair(special.fresnel, lambda x: np.sin(math.pi / 2 * x * x), lambda x: np.cos(math.pi / 2 * x * x), -2.0, 2.0)

# Gamma and beta
elementwise(special.gamma, lambda d, y, x: d * y * special.digamma(x), domain=((0.5, 3.0),))
elementwise(special.gammaln, lambda d, y, x: d * special.digamma(x), domain=((0.5, 3.0),), singular=True)
elementwise(special.loggamma, lambda d, y, x: d * special.digamma(x), domain=((0.5, 3.0),), singular=True)
elementwise(
    special.rgamma,
    lambda d, y, x: -d * y * special.digamma(x),
    domain=((0.5, 3.0),),
    convention="nan at the poles of gamma",
)
constant(special.gammasgn, name="scipy.special.gammasgn")


def polygamma(n: Any, x: Any) -> Any:
    return called(special.polygamma, n, x)


def _zeta(d: Any, y: Any, x: Any, q: Any) -> Any:
    return -d * x * called(special.zeta, x + 1, q)


elementwise(
    special.digamma,
    lambda d, y, x: d * polygamma(1, x),
    name="digamma",
    domain=((0.5, 3.0),),
    singular=True,
)
elementwise(
    special.polygamma,
    None,
    lambda d, y, n, x: d * polygamma(n + 1, x),
    operands=("n", "x"),
    singular=True,
    cases=[
        *(Case(n, uniform((3,), 0.5, 3.0)) for n in (0, 1, 2)),
        Case(lambda rng: np.array([[1], [3]]), uniform((3,), 0.5, 3.0)),
    ],
)
elementwise(
    special.zeta,
    refused("zeta", "x"),
    _zeta,
    operands=("x", "q"),
    singular=True,
    cases=[Case(3, uniform((3,), 0.5, 3.0)), Case(2.5, uniform((), 0.5, 3.0))],
)


def _multigammaln(d: Any, y: Any, a: Any, p: Any) -> Any:
    """log gamma_p(a) = const + sum_j log gamma(a - j / 2), j = 0 .. p - 1."""
    if not isinstance(getattr(p, "const", p), (int, np.integer)):
        raise Unsupported("scipy.special.multigammaln needs a dimension `d` that is known when compiling")
    count = int(getattr(p, "const", p))
    terms = [special.digamma(a - j / 2 if j else a) for j in range(count)]
    return d * sum(terms[1:], terms[0])


elementwise(
    special.multigammaln,
    _multigammaln,
    None,
    operands=("a", "d"),
    cases=[Case(uniform((3,), 2.0, 4.0), p) for p in (1, 2, 3)],
)
elementwise(
    special.beta,
    lambda d, y, a, b: d * y * (special.digamma(a) - special.digamma(a + b)),
    lambda d, y, a, b: d * y * (special.digamma(b) - special.digamma(a + b)),
    domain=((0.5, 3.0),),
)
elementwise(
    special.betaln,
    lambda d, y, a, b: d * (special.digamma(a) - special.digamma(a + b)),
    lambda d, y, a, b: d * (special.digamma(b) - special.digamma(a + b)),
    domain=((0.5, 3.0),),
)
elementwise(
    special.poch,
    lambda d, y, z, m: d * y * (special.digamma(z + m) - special.digamma(z)),
    lambda d, y, z, m: d * y * special.digamma(z + m),
    domain=((0.5, 3.0),),
)
elementwise(
    special.binom,
    lambda d, y, n, k: d * y * (special.digamma(n + 1) - special.digamma(n - k + 1)),
    lambda d, y, n, k: d * y * (special.digamma(n - k + 1) - special.digamma(k + 1)),
    domain=((3.1, 4.9), (0.1, 2.9)),
    operands=("n", "k"),
)

# Exponential, sine and cosine integrals
elementwise(special.exp1, lambda d, y, x: -d * np.exp(-x) / x, domain=((0.5, 2.0),), singular=True)
elementwise(special.expi, lambda d, y, x: d * np.exp(x) / x, domain=((0.5, 2.0),), singular=True)


def _expn(d: Any, y: Any, n: Any, x: Any) -> Any:
    """-E_(n - 1)(x); E_0(x) = exp(-x) / x."""
    known = getattr(n, "const", None)
    if known is not None:
        return -d * (y * (1 + 1 / x) if known == 0 else special.expn(n - 1, x))
    return -d * np.where(n == 0, y * (1 + 1 / x), special.expn(np.where(n == 0, 1, n - 1), x))


elementwise(
    special.expn,
    None,
    _expn,
    operands=("n", "x"),
    singular=True,
    cases=[
        *(Case(n, uniform((3,), 0.5, 2.0)) for n in (0, 1, 2)),
        Case(lambda rng: np.array([0, 1, 3]), uniform((2, 3), 0.5, 2.0)),
    ],
)
elementwise(
    special.spence,
    lambda d, y, x: d * np.where(x == 1, -1.0, np.log(x) / np.where(x == 1, 1.0, 1 - x)),
    domain=((0.2, 0.9),),
    singular=True,
)
pair(special.sici, lambda x: np.sinc(x / math.pi), lambda x: np.cos(x) / x, 0.5, 3.0)
pair(special.shichi, lambda x: np.sinh(x) / x, lambda x: np.cosh(x) / x, 0.5, 3.0)

# Logistic functions, logarithms and entropies; x log y and its relatives are 0 in y where x is
elementwise(special.expit, lambda d, y, x: d * y * (1 - y))
elementwise(special.log_expit, lambda d, y, x: d * special.expit(-x))
elementwise(special.logit, lambda d, y, x: d / (x * (1 - x)), domain=((0.1, 0.9),), singular=True)
elementwise(
    special.xlogy,
    lambda d, y, a, b: d * np.log(b),
    lambda d, y, a, b: d * a / np.where(a == 0, 1.0, b),
    domain=((-2.0, 2.0), (0.5, 2.0)),
    singular=True,
)
elementwise(
    special.xlog1py,
    lambda d, y, a, b: d * np.log1p(b),
    lambda d, y, a, b: d * a / np.where(a == 0, 1.0, 1 + b),
    domain=((-2.0, 2.0), (-0.5, 2.0)),
    singular=True,
)
elementwise(special.entr, lambda d, y, x: -d * (np.log(x) + 1), domain=((0.2, 2.0),), singular=True)
elementwise(
    special.rel_entr,
    lambda d, y, a, b: d * (np.log(a / b) + 1),
    lambda d, y, a, b: -d * a / np.where(a == 0, 1.0, b),
    domain=((0.5, 2.0),),
    singular=True,
)
elementwise(
    special.kl_div,
    lambda d, y, a, b: d * np.log(a / b),
    lambda d, y, a, b: d * (1 - a / np.where(a == 0, 1.0, b)),
    domain=((0.5, 2.0),),
    singular=True,
)

# Losses and transformations
elementwise(
    special.huber,
    lambda d, y, delta, r: d * np.maximum(np.absolute(r) - delta, 0.0),
    lambda d, y, delta, r: d * np.clip(r, -delta, delta),
    domain=((0.3, 0.9), (-3.0, -1.0)),
    operands=("delta", "r"),
)
elementwise(
    special.pseudo_huber,
    lambda d, y, delta, r: d * (2 * y / delta - r * r / (delta * np.hypot(1.0, r / delta))),
    lambda d, y, delta, r: d * r / np.hypot(1.0, r / delta),
    domain=((0.5, 2.0), (-2.0, 2.0)),
    operands=("delta", "r"),
)


def _boxcox_power(log: Any) -> Partial:
    """(x^n - 1) / n = L g(n L), L = log x: the derivative in n is L^2 h(n L), with a series for h near 0."""

    def partial(d: Any, y: Any, x: Any, n: Any) -> Any:
        scaled = n * log(x)
        small = np.absolute(scaled) < 1e-4
        apart = np.where(small, 1.0, scaled)
        slope = (scaled * np.exp(scaled) - np.expm1(scaled)) / (apart * apart)
        return d * np.square(log(x)) * np.where(small, 0.5 + scaled / 3 + scaled * scaled / 8, slope)

    return partial


elementwise(
    special.boxcox,
    lambda d, y, x, n: d * x ** (n - 1),
    _boxcox_power(np.log),
    operands=("x", "lmbda"),
    cases=[
        *(Case(uniform(x, 0.5, 2.0), uniform(n, 0.5, 2.0)) for x, n in (((3,), (3,)), ((2, 3), ()), ((3,), (2, 1)))),
        Case(uniform((3,), 0.5, 2.0), lambda rng: np.array([0.0, -1.0, 2.0])),
        Case(uniform((3,), 0.5, 2.0), 0.0),
    ],
    singular=True,
)
elementwise(
    special.boxcox1p,
    lambda d, y, x, n: d * (1 + x) ** (n - 1),
    _boxcox_power(np.log1p),
    operands=("x", "lmbda"),
    domain=((-0.5, 1.0), (0.5, 2.0)),
    singular=True,
)
for _function, _slope in (
    (special.exp2, lambda d, y, x: d * y * math.log(2.0)),
    (special.exp10, lambda d, y, x: d * y * math.log(10.0)),
    (special.expm1, lambda d, y, x: d * (y + 1)),
    (special.cosm1, lambda d, y, x: -d * np.sin(x)),
):
    elementwise(_function, _slope)
elementwise(special.log1p, lambda d, y, x: d / (1 + x), domain=((-0.5, 2.0),), singular=True)
elementwise(special.cbrt, lambda d, y, x: d / (3 * y * y), domain=((0.5, 2.0),), singular=True)

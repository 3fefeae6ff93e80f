"""Derivatives of scipy.special: Bessel functions, incomplete gamma and beta functions, hypergeometric functions.

Abramowitz & Stegun (1964), chapters 6, 9 and 15. Derivatives in an order or a shape parameter have no closed form, and
are refused.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from ..errors import Unsupported
from ..ir.primitive import Partial
from .registry import Case, uniform
from .special import elementwise, refused


def _of_order(function: Any, slope: Partial, low: float = 0.5, high: float = 3.0, whole: bool = False) -> None:
    """A function of an order and x: `slope` is the derivative in x."""
    orders = (1, 2) if whole else (1.5, 2)
    elementwise(
        function,
        refused(function.__name__, "v" if not whole else "n"),
        slope,
        operands=("v", "x"),
        cases=[
            *(Case(order, uniform((3,), low, high)) for order in orders),
            Case(2, uniform((), low, high)),
            Case(lambda rng: np.array([[1], [2]]), uniform((3,), low, high)),
        ],
    )


def _real(slope: Partial) -> Partial:
    """A scaled function, which is analytic on the real line alone."""

    def partial(d: Any, y: Any, *inputs: Any) -> Any:
        if y.dtype.kind == "c":
            raise Unsupported("an exponentially scaled Bessel function of a complex argument is not differentiated")
        return slope(d, y, *inputs)

    return partial


# Bessel functions of the first kind and second kind
_of_order(special.jv, lambda d, y, v, x: d * (special.jv(v - 1, x) - special.jv(v + 1, x)) / 2)
_of_order(special.yv, lambda d, y, v, x: d * (special.yv(v - 1, x) - special.yv(v + 1, x)) / 2)
_of_order(special.yn, lambda d, y, n, x: d * (special.yn(n - 1, x) - special.yn(n + 1, x)) / 2, whole=True)
elementwise(special.j0, lambda d, y, x: -d * special.j1(x))
elementwise(special.j1, lambda d, y, x: d * (special.j0(x) - special.jv(2, x)) / 2)
elementwise(special.y0, lambda d, y, x: -d * special.y1(x), domain=((0.5, 3.0),), singular=True)
elementwise(special.y1, lambda d, y, x: d * (special.y0(x) - special.yn(2, x)) / 2, domain=((0.5, 3.0),), singular=True)

# Modified Bessel functions, and those scaled by exp(-|x|) or exp(x)
_of_order(special.iv, lambda d, y, v, x: d * (special.iv(v - 1, x) + special.iv(v + 1, x)) / 2)
_of_order(special.kv, lambda d, y, v, x: -d * (special.kv(v - 1, x) + special.kv(v + 1, x)) / 2)
_of_order(special.kn, lambda d, y, n, x: -d * (special.kv(n - 1, x) + special.kv(n + 1, x)) / 2, whole=True)
_of_order(special.kve, lambda d, y, v, x: d * (y - (special.kve(v - 1, x) + special.kve(v + 1, x)) / 2))
_of_order(
    special.ive, _real(lambda d, y, v, x: d * ((special.ive(v - 1, x) + special.ive(v + 1, x)) / 2 - np.sign(x) * y))
)
elementwise(special.i0, lambda d, y, x: d * special.i1(x))
elementwise(special.i1, lambda d, y, x: d * (special.i0(x) + special.iv(2, x)) / 2)
elementwise(special.i0e, lambda d, y, x: d * (special.i1e(x) - np.sign(x) * y))
elementwise(special.i1e, lambda d, y, x: d * ((special.i0e(x) + special.ive(2, x)) / 2 - np.sign(x) * y))
elementwise(special.k0, lambda d, y, x: -d * special.k1(x), domain=((0.5, 3.0),), singular=True)
elementwise(
    special.k1, lambda d, y, x: -d * (special.k0(x) + special.kv(2, x)) / 2, domain=((0.5, 3.0),), singular=True
)
elementwise(special.k0e, lambda d, y, x: d * (y - special.k1e(x)), domain=((0.5, 3.0),), singular=True)
elementwise(
    special.k1e,
    lambda d, y, x: d * (y - (special.k0e(x) + special.kve(2, x)) / 2),
    domain=((0.5, 3.0),),
    singular=True,
)

# Incomplete gamma functions: the integrand; and their inverses: its reciprocal at the result
_SHAPES = [
    Case(2.5, uniform((3,), 0.5, 3.0)),
    Case(1, uniform((), 0.5, 3.0)),
    Case(lambda rng: np.array([[1], [2]]), uniform((3,), 0.5, 3.0)),
]


def _gamma_density(a: Any, x: Any) -> Any:
    return np.exp(special.xlogy(a - 1, x) - x - special.gammaln(a))


elementwise(
    special.gammainc,
    refused("gammainc", "a"),
    lambda d, y, a, x: d * _gamma_density(a, x),
    cases=_SHAPES,
    singular=True,
)
elementwise(
    special.gammaincc,
    refused("gammaincc", "a"),
    lambda d, y, a, x: -d * _gamma_density(a, x),
    cases=_SHAPES,
    singular=True,
)
_SHARES = [Case(2.5, uniform((3,), 0.1, 0.9)), Case(1, uniform((), 0.1, 0.9))]
elementwise(
    special.gammaincinv,
    refused("gammaincinv", "a"),
    lambda d, y, a, p: d / _gamma_density(a, y),
    operands=("a", "y"),
    cases=_SHARES,
    singular=True,
)
elementwise(
    special.gammainccinv,
    refused("gammainccinv", "a"),
    lambda d, y, a, p: -d / _gamma_density(a, y),
    operands=("a", "y"),
    cases=_SHARES,
    singular=True,
)


# Incomplete beta functions, and the distribution function of Student's t
def _beta_density(a: Any, b: Any, x: Any) -> Any:
    return np.exp(special.xlogy(a - 1, x) + special.xlog1py(b - 1, -x) - special.betaln(a, b))


for _function, _sign in ((special.betainc, 1), (special.betaincc, -1)):
    elementwise(
        _function,
        refused(_function.__name__, "a"),
        refused(_function.__name__, "b"),
        (lambda d, y, a, b, x: d * _beta_density(a, b, x))
        if _sign == 1
        else (lambda d, y, a, b, x: -d * _beta_density(a, b, x)),
        operands=("a", "b", "x"),
        cases=[Case(2.5, 1.5, uniform((3,), 0.1, 0.9)), Case(1, 2, uniform((), 0.1, 0.9))],
        singular=True,
    )
elementwise(
    special.betaincinv,
    refused("betaincinv", "a"),
    refused("betaincinv", "b"),
    lambda d, y, a, b, p: d / _beta_density(a, b, y),
    operands=("a", "b", "y"),
    cases=[Case(2.5, 1.5, uniform((3,), 0.1, 0.9))],
    singular=True,
)
elementwise(
    special.stdtr,
    refused("stdtr", "df"),
    lambda d, y, n, x: d * np.exp(-special.betaln(n / 2, 0.5) - (n + 1) / 2 * np.log1p(x * x / n)) / np.sqrt(n),
    operands=("df", "t"),
    cases=[Case(3.5, (3,)), Case(lambda rng: np.array([2, 5, 9]), (2, 3))],
)

# Hypergeometric functions
elementwise(
    special.hyp0f1,
    refused("hyp0f1", "v"),
    lambda d, y, v, z: d * special.hyp0f1(v + 1, z) / v,
    operands=("v", "z"),
    cases=[Case(1.5, (3,)), Case(lambda rng: np.array([[1], [2]]), (3,))],
)
elementwise(
    special.hyp1f1,
    refused("hyp1f1", "a"),
    refused("hyp1f1", "b"),
    lambda d, y, a, b, x: d * a / b * special.hyp1f1(a + 1, b + 1, x),
    operands=("a", "b", "x"),
    cases=[Case(1.5, 2.5, (3,)), Case(lambda rng: np.array([[1], [2]]), 3, (3,))],
)
elementwise(
    special.hyp2f1,
    refused("hyp2f1", "a"),
    refused("hyp2f1", "b"),
    refused("hyp2f1", "c"),
    lambda d, y, a, b, c, z: d * a * b / c * special.hyp2f1(a + 1, b + 1, c + 1, z),
    operands=("a", "b", "c", "z"),
    cases=[Case(1.5, 0.5, 2.5, uniform((3,), -0.8, 0.8)), Case(1, 2, 3, uniform((), -0.8, 0.8))],
)

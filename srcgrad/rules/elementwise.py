"""Derivatives of the elementwise functions: arithmetic, powers, exponentials, trigonometry, extremes.

Formulas from Abramowitz & Stegun (1964), chapters 3 and 4, unless noted.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..ir.dims import Facts
from ..ir.infer import elementwise as infer_elementwise
from ..ir.primitive import Infer
from ..ir.types import Type
from .internal import unbroadcast
from .registry import Case, elementwise, general, infer_python, uniform

function: Any  # the tables below loop over functions of different types

LN2, LN10 = math.log(2.0), math.log(10.0)

# Arithmetic
elementwise(np.add, lambda d, y, a, b: d, lambda d, y, a, b: d, cheap=True)
elementwise(np.subtract, lambda d, y, a, b: d, lambda d, y, a, b: -d, cheap=True)
elementwise(np.multiply, lambda d, y, a, b: d * b, lambda d, y, a, b: d * a, cheap=True)
elementwise(
    np.divide,
    lambda d, y, a, b: d / b,
    lambda d, y, a, b: -d * y / b,
    domain=((-2.0, 2.0), (0.5, 2.0)),
    singular=True,
    aliases=(np.true_divide,),
)
elementwise(np.negative, lambda d, y, x: -d, cheap=True)
elementwise(np.positive, lambda d, y, x: d, cheap=True)
elementwise(np.reciprocal, lambda d, y, x: -d * y * y, domain=((0.5, 2.0),), singular=True)
elementwise(np.square, lambda d, y, x: d * (2 * x))
elementwise(
    np.remainder,
    lambda d, y, a, b: d,
    lambda d, y, a, b: -d * np.floor(a / b),
    domain=((2.1, 2.9), (0.75, 0.95)),
    aliases=(np.mod,),
    convention="the derivative of the pieces; 0 jump at multiples of b",
)

elementwise(
    np.fmod,
    lambda d, y, a, b: d,
    lambda d, y, a, b: -d * np.trunc(a / b),
    domain=((2.1, 2.9), (0.75, 0.95)),
    convention="the derivative of the pieces; 0 jump at multiples of b",
)


# Powers
def _power_base(d: Any, y: Any, x: Any, n: Any) -> Any:
    """d x^n / dx = n x^(n - 1); the exponent 0 gives 0 everywhere, also at x = 0."""
    exponent = getattr(n, "const", None)
    if exponent is not None:
        return d * (n * x ** (n - 1)) if exponent not in (0, 1) else (d if exponent == 1 else None)
    return d * n * x ** np.where(n == 0, 1.0, n - 1)


def _power_exponent(d: Any, y: Any, x: Any, n: Any) -> Any:
    """d x^n / dn = x^n ln x, and 0 at x = 0, its limit for n > 0."""
    return d * y * np.log(np.where(x == 0, 1.0, x))


for function in (np.power, np.float_power):
    elementwise(
        function,
        _power_base,
        _power_exponent,
        domain=((0.5, 2.0), (-2.0, 2.0)),
        singular=True,
        cases=[
            *(Case(uniform(a, 0.5, 2.0), b) for a, b in (((), ()), ((3,), (3,)), ((2, 3), (3,)), ((3,), (2, 1)))),
            *(Case((3,), n) for n in (0, 1, 2, 3)),
            *(Case(uniform((3,), 0.5, 2.0), n) for n in (0.5, -1, 2.5)),
            Case(2.0, (3,)),
        ],
        convention="x ** 0 has derivative 0 in x everywhere; 0 ** n has derivative 0 in n",
    )
elementwise(np.sqrt, lambda d, y, x: d / (2 * y), domain=((0.5, 2.0),), python=math.sqrt, singular=True)
elementwise(np.cbrt, lambda d, y, x: d / (3 * y * y), domain=((0.5, 2.0),), singular=True)

# Exponentials and logarithms
elementwise(np.exp, lambda d, y, x: d * y, python=math.exp)
elementwise(np.exp2, lambda d, y, x: d * y * LN2)
elementwise(np.expm1, lambda d, y, x: d * (y + 1), python=math.expm1)
elementwise(np.log, lambda d, y, x: d / x, domain=((0.5, 2.0),), python=math.log, singular=True)
elementwise(np.log2, lambda d, y, x: d / (x * LN2), domain=((0.5, 2.0),), python=math.log2, singular=True)
elementwise(np.log10, lambda d, y, x: d / (x * LN10), domain=((0.5, 2.0),), python=math.log10, singular=True)
elementwise(np.log1p, lambda d, y, x: d / (1 + x), domain=((-0.5, 2.0),), python=math.log1p, singular=True)


def above_minus_infinity(y: Any, *operands: Any) -> Any:
    """log 0 from nothing but exp(-inf): shares of it are 0, not inf - inf. Beside a finite constant it cannot be."""
    if any(getattr(x, "const", None) is not None and x.const > -np.inf for x in operands):
        return y
    return np.where(y == -np.inf, 0.0, y)


for function, exponential in ((np.logaddexp, np.exp), (np.logaddexp2, np.exp2)):
    elementwise(
        function,
        lambda d, y, a, b, exponential=exponential: d * exponential(a - above_minus_infinity(y, a, b)),
        lambda d, y, a, b, exponential=exponential: d * exponential(b - above_minus_infinity(y, a, b)),
        convention="0 in both where both are -inf",
    )

# Trigonometry
elementwise(np.sin, lambda d, y, x: d * np.cos(x), python=math.sin)
elementwise(np.cos, lambda d, y, x: -d * np.sin(x), python=math.cos)
elementwise(np.tan, lambda d, y, x: d * (1 + y * y), domain=((-1.0, 1.0),), python=math.tan)
elementwise(np.arcsin, lambda d, y, x: d / np.sqrt(1 - x * x), domain=((-0.9, 0.9),), python=math.asin, singular=True)
elementwise(np.arccos, lambda d, y, x: -d / np.sqrt(1 - x * x), domain=((-0.9, 0.9),), python=math.acos, singular=True)
elementwise(np.arctan, lambda d, y, x: d / (1 + x * x), python=math.atan)
elementwise(
    np.arctan2,
    lambda d, y, a, b: d * b / (a * a + b * b),
    lambda d, y, a, b: -d * a / (a * a + b * b),
    domain=((0.5, 2.0), (0.5, 2.0)),
    python=math.atan2,
    singular=True,
)
elementwise(
    np.hypot,
    lambda d, y, a, b: d * a / np.where(y == 0, 1.0, y),
    lambda d, y, a, b: d * b / np.where(y == 0, 1.0, y),
    domain=((0.5, 2.0), (0.5, 2.0)),
    convention="0 at (0, 0)",
)
elementwise(
    math.erf,
    lambda d, y, x: d * (2 / math.sqrt(math.pi) * np.exp(-x * x)),
    infer=infer_python,
    module="math",
    cases=[Case(())],
)
elementwise(
    math.erfc,
    lambda d, y, x: d * (-2 / math.sqrt(math.pi) * np.exp(-x * x)),
    infer=infer_python,
    module="math",
    cases=[Case(())],
)
elementwise(np.deg2rad, lambda d, y, x: d * (math.pi / 180), python=math.radians, aliases=(np.radians,))
elementwise(np.rad2deg, lambda d, y, x: d * (180 / math.pi), python=math.degrees, aliases=(np.degrees,))


def _sinc(d: Any, y: Any, x: Any) -> Any:
    """(cos(pi x) - sinc x) / x; near 0, where that cancels, three terms of its series, right to 1e-13."""
    near, square = np.abs(x) < 0.01, (math.pi * x) ** 2
    series = -(math.pi**2) / 3 * x * (1 - square / 10 * (1 - square / 28))
    return d * np.where(near, series, (np.cos(math.pi * x) - y) / np.where(near, 1.0, x))


elementwise(np.sinc, _sinc, cases=[Case(uniform((3,), 0.1, 2.0)), Case(uniform((2, 3), -0.009, 0.009)), Case(())])

# Hyperbolic functions
elementwise(np.sinh, lambda d, y, x: d * np.cosh(x), python=math.sinh)
elementwise(np.cosh, lambda d, y, x: d * np.sinh(x), python=math.cosh)
elementwise(np.tanh, lambda d, y, x: d * (1 - y * y), python=math.tanh)
elementwise(np.arcsinh, lambda d, y, x: d / np.sqrt(x * x + 1), python=math.asinh)
elementwise(
    np.arccosh,  # off the real line sqrt(z * z - 1) is on the wrong branch in half of the plane
    lambda d, y, x: d / (np.sqrt(x - 1) * np.sqrt(x + 1) if x.dtype.kind == "c" else np.sqrt(x * x - 1)),
    domain=((1.5, 3.0),),
    python=math.acosh,
    singular=True,
)
elementwise(np.arctanh, lambda d, y, x: d / (1 - x * x), domain=((-0.9, 0.9),), python=math.atanh, singular=True)

# Absolute values and signs
for function in (np.absolute, np.fabs):
    elementwise(
        function,
        lambda d, y, x: d * (np.conj(np.sign(x)) if x.dtype.kind == "c" else np.sign(x)),
        domain=((-2.0, -0.5),),
        python=math.fabs if function is np.fabs else None,
        convention="0 at 0",
        aliases=(abs,) if function is np.absolute else (),
    )
elementwise(
    np.copysign,
    lambda d, y, a, b: d * np.copysign(1.0, a) * np.copysign(1.0, b),
    None,
    domain=((0.5, 2.0), (0.5, 2.0)),
)
elementwise(
    np.ldexp,  # x * 2**n
    lambda d, y, x, n: d * np.exp2(n),
    None,
    cases=[
        Case((3,), lambda rng: np.array([-1, 0, 2])),
        Case((2, 3), lambda rng: rng.integers(-2, 3, 3)),
        Case((), lambda rng: rng.integers(-2, 3)),
    ],
)
elementwise(np.nextafter, lambda d, y, x, towards: d, None, convention="that of its first operand")
elementwise(
    np.heaviside,
    None,
    lambda d, y, a, b: d * (a == 0),
    cases=[Case(lambda rng: np.array([-1, 0, 2]), (3,)), Case((3,), (3,)), Case((2, 3), ())],
    convention="0 in the first operand, at the step too",
)


# Two results at once: a whole part, which is a step, and the rest
def _pair(function: Any) -> Infer:
    """Two arrays of one shape, with dtypes of their own."""
    first, second = (infer_elementwise(lambda *x, k=k: function(*x)[k]) for k in (0, 1))

    def infer(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> tuple[Type, ...]:
        return first(facts, types, attrs, "function"), second(facts, types, attrs, "function")

    return infer


general(
    np.divmod,
    lambda d, y, a, b: None if d[1] is None else unbroadcast(d[1], a),
    lambda d, y, a, b: None if d[1] is None else unbroadcast(-d[1] * y[0], b),
    operands=("a", "b"),
    infer=_pair(np.divmod),
    cases=[
        Case(uniform(a, 2.1, 2.9), uniform(b, 0.75, 0.95))
        for a, b in (((3,), (3,)), ((2, 3), (3,)), ((), (3,)), ((), ()))
    ],
    convention="the quotient is a step; the remainder has the derivative of its pieces",
)
general(
    np.modf,
    lambda d, y, x: d[0],
    infer=_pair(np.modf),
    cases=[Case(uniform(shape, 0.1, 0.9)) for shape in ((3,), (2, 3), ())],
    convention="the whole part is a step",
)
general(
    np.frexp,  # x = mantissa * 2**exponent
    lambda d, y, x: d[0] * np.exp2(-y[1]),
    infer=_pair(np.frexp),
    cases=[Case(uniform(shape, 1.1, 1.9)) for shape in ((3,), (2, 3), ())],
    convention="the exponent is a step",
)

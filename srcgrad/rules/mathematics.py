"""Derivatives of the functions of `math` that have no twin among the ufuncs, and those that are steps."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.dims import Facts
from ..ir.primitive import named
from ..ir.types import BOOL, FLOAT, INT, Type
from .elementwise import LN2
from .internal import called
from .registry import PYTHON_TWINS, Case, constant, elementwise, general, infer_python, linear, uniform

function: Any  # the tables below loop over functions of different types

# Formulas from Abramowitz & Stegun (1964), chapter 7, and of the pieces of steps
_TABLE: tuple[tuple[Any, tuple[Any, ...], tuple[tuple[float, float], ...]], ...] = (
    (math.exp2, (lambda d, y, x: d * y * LN2,), ((-2.0, 2.0),)),
    (math.cbrt, (lambda d, y, x: d / (3 * y * y),), ((0.5, 2.0),)),
    (math.erf, (lambda d, y, x: d * (2 / math.sqrt(math.pi)) * np.exp(-x * x),), ((-2.0, 2.0),)),
    (math.erfc, (lambda d, y, x: d * (-2 / math.sqrt(math.pi)) * np.exp(-x * x),), ((-2.0, 2.0),)),
    (
        math.copysign,
        (lambda d, y, a, b: d * np.copysign(1.0, a) * np.copysign(1.0, b), None),
        ((0.5, 2.0), (0.5, 2.0)),
    ),
    (math.fmod, (lambda d, y, a, b: d, lambda d, y, a, b: -d * np.trunc(a / b)), ((2.1, 2.9), (0.75, 0.95))),
    (math.remainder, (lambda d, y, a, b: d, lambda d, y, a, b: -d * np.rint(a / b)), ((2.1, 2.3), (0.85, 0.95))),
)
for function, partials, domain in _TABLE:
    elementwise(
        function,
        *partials,
        cases=[Case(*(uniform((), *interval) for interval in domain))],
        infer=infer_python,
        singular=function is math.cbrt,
        convention="the derivative of the pieces" if function in (math.fmod, math.remainder) else "",
    )


def _verdict(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    infer_python(facts, types, attrs, style)
    return BOOL


def _integer(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    infer_python(facts, types, attrs, style)
    return INT


def _digamma(x: Any) -> Any:
    """(ln gamma)'(x), which Python itself does not have."""
    try:
        from scipy.special import digamma
    except ImportError:
        raise Unsupported("the derivative of the gamma function needs SciPy", "Install `srcgrad[scipy]`.") from None
    return called(digamma, x)


elementwise(
    math.gamma,
    lambda d, y, x: d * y * _digamma(x),
    infer=infer_python,
    cases=[Case(uniform((), 0.5, 2.0)), Case(uniform((), -0.9, -0.1))],
)
elementwise(
    math.lgamma,
    lambda d, y, x: d * _digamma(x),
    infer=infer_python,
    cases=[Case(uniform((), 0.5, 2.0)), Case(uniform((), -0.9, -0.1))],
)


# Two results at once
def _pair(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> tuple[Type, ...]:
    return infer_python(facts, types, attrs, style), FLOAT


def _split_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> tuple[Type, ...]:
    return infer_python(facts, types, attrs, style), INT


elementwise(
    math.ldexp,
    lambda d, y, x, i: called(math.ldexp, d, i),
    None,
    operands=("x", "i"),
    infer=infer_python,
    cases=[Case((), 3)],
)
general(
    math.modf,
    lambda d, y, x: d[0],
    infer=_pair,
    cases=[Case(uniform((), 0.1, 0.9))],
    convention="the whole part is a step",
)
general(
    math.frexp,
    lambda d, y, x: None if d[0] is None else called(math.ldexp, d[0], -y[1]),
    infer=_split_type,
    cases=[Case(uniform((), 1.1, 1.9))],
    convention="the exponent is a step",
)


# Sums, norms and distances of many numbers
def _summed(*numbers: float) -> float:
    return math.fsum(numbers)


def _distance(*numbers: float) -> float:
    half = len(numbers) // 2
    return math.dist(numbers[:half], numbers[half:])


def _length(d: Any, y: Any, *numbers: Any, which: int) -> Any:
    return d * numbers[which] / np.where(y == 0, 1.0, y)


def _apart(d: Any, y: Any, *numbers: Any, which: int = 0) -> Any:
    half = len(numbers) // 2
    other = numbers[which + half if which < half else which - half]
    return d * (numbers[which] - other) / np.where(y == 0, 1.0, y)


linear(
    math.fsum,
    lambda d, y, *numbers, which: d,
    fn=_summed,
    operands=("*seq",),
    signature=("seq",),
    infer=infer_python,
    cases=[Case((), ()), Case(())],
)
general(
    math.dist,
    _apart,
    _apart,
    fn=_distance,
    operands=("*p", "*q"),
    infer=infer_python,
    cases=[Case((), (), (), ()), Case((), ())],
    convention="0 where the points are one",
)
PYTHON_TWINS[named("np.hypot")] = general(
    math.hypot,
    _length,
    operands=("*coordinates",),
    signature=("*coordinates",),
    infer=infer_python,
    cases=[Case(()), Case((), ()), Case((), (), ())],
    convention="0 at the origin",
)


for function in (math.isfinite, math.isinf, math.isnan):
    constant(function, operands=("x",), infer=_verdict, cheap=True)
for function in (math.floor, math.ceil, math.trunc):
    constant(function, operands=("x",), infer=_integer, cheap=True, convention="0 at the steps too")
for function in (math.comb, math.perm, math.gcd, math.lcm):
    constant(function, operands=("n", "k"), infer=_integer, cheap=True)
for function in (math.factorial, math.isqrt):
    constant(function, operands=("n",), infer=_integer, cheap=True)
constant(math.isclose, operands=("a", "b"), keywords=("rel_tol", "abs_tol"), infer=_verdict, cheap=True)
constant(math.ulp, operands=("x",), infer=infer_python, cheap=True, convention="0 at the steps too")


def _bessel(x: Any) -> Any:
    """I1, the derivative of I0, which NumPy itself does not have."""
    try:
        from scipy.special import i1
    except ImportError:
        raise Unsupported("the derivative of np.i0 needs SciPy", "Install `srcgrad[scipy]`.") from None
    return called(i1, x)


elementwise(np.i0, lambda d, y, x: d * _bessel(x))

"""Derivatives of the functions of `math` that have no twin among the ufuncs, and those that are steps."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..ir.dims import Facts
from ..ir.types import BOOL, INT, Type
from .elementwise import LN2
from .registry import Case, constant, elementwise, infer_python, uniform

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


for function in (math.isfinite, math.isinf, math.isnan):
    constant(function, operands=("x",), infer=_verdict, cheap=True)
for function in (math.floor, math.ceil, math.trunc):
    constant(function, operands=("x",), infer=_integer, cheap=True, convention="0 at the steps too")

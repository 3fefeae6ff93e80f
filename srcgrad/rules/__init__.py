"""Derivative rules: importing this package makes every supported function known to the compiler."""

from __future__ import annotations

from importlib import import_module

from . import (  # noqa: F401
    constants,
    decompositions,
    diagonals,
    effects,
    einsum,
    extremes,
    internal,
    joining,
    linalg,
    nans,
    permuting,
    products,
    python,
    reductions,
    repeating,
    shaping,
    signals,
)
from . import elementwise as _elementwise  # noqa: F401
from ..ir.primitive import when_used
from .registry import CASES, Case, bilinear, constant, elementwise, general, impure, linear

# SciPy is optional, and costs nobody anything before it is used
for _module, _tables in {
    "scipy.special": ("special", "special_bessel", "special_reductions"),
}.items():
    when_used(_module, lambda tables=_tables: [import_module(f".{table}", __name__) for table in tables])

__all__ = ["CASES", "Case", "bilinear", "constant", "elementwise", "general", "impure", "linear"]

"""Derivative rules: importing this package makes every supported function known to the compiler."""

from __future__ import annotations

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
from .registry import CASES, Case, bilinear, constant, elementwise, general, impure, linear

__all__ = ["CASES", "Case", "bilinear", "constant", "elementwise", "general", "impure", "linear"]

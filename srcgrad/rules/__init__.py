"""Derivative rules: importing this package makes every supported function known to the compiler."""

from __future__ import annotations

from . import constants, effects, elementwise as _elementwise, internal, joining, linalg, products, python, reductions, shaping
from .registry import CASES, Case, bilinear, constant, elementwise, general, impure, linear

__all__ = ["CASES", "Case", "bilinear", "constant", "elementwise", "general", "impure", "linear"]

"""Derivative rules: importing this package makes every supported function known to the compiler."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from importlib import import_module

from ..ir.primitive import when_used
from . import (  # noqa: F401
    array_api,
    calling,
    complex,
    constants,
    decompositions,
    diagonals,
    effects,
    einsum,
    extremes,
    fourier,
    grids,
    internal,
    joining,
    least_squares,
    linalg,
    mathematics,
    nans,
    norms,
    order,
    outer_products,
    padding,
    permuting,
    places,
    polynomials,
    products,
    python,
    reductions,
    repeating,
    running,
    selecting,
    shaping,
    signals,
    splitting,
    statistics,
    stencils,
    taking,
    ufuncs,
    vectors,
)
from . import elementwise as _elementwise  # noqa: F401
from . import scipy_factors as _factors  # noqa: F401
from . import scipy_objects as _objects  # noqa: F401
from .registry import CASES, Case, bilinear, constant, elementwise, general, impure, linear


def _load(tables: Sequence[str]) -> None:
    for table in tables:
        import_module(f".{table}", __name__)


# SciPy is optional, and costs nobody anything before it is used
for _module, _tables in {
    "scipy.special": ("special", "special_bessel", "special_reductions"),
    "scipy.linalg": ("scipy_linalg", "scipy_matrices", "scipy_decompositions"),
    "scipy.signal": ("scipy_signal",),
    "scipy.stats": ("distributions", "multivariate"),
}.items():
    when_used(_module, partial(_load, _tables))

__all__ = ["CASES", "Case", "bilinear", "constant", "elementwise", "general", "impure", "linear"]

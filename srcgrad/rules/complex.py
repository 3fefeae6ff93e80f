"""Functions of complex numbers that are no analytic functions: sign and angle.

The gradient g of a real L in a complex z has dL = Re(g dz), so that an analytic function has its derivative for a
factor, and a real-valued one the conjugate of the direction in which it grows. On the real line both are steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..ir.dims import Facts
from ..ir.primitive import Partial, Primitive, find
from ..ir.types import Array, Type
from . import constants  # noqa: F401  (registers sign)
from .axes import array, dtype_of
from .registry import CASES, Case, constant

# complex operands, for the cases below
_OPERANDS = [lambda rng, n=n: rng.normal(size=n) + 1j * rng.normal(size=n) for n in ((), (3,), (2, 3))]


def _on_complex(function: Any, partial: Partial, tangent: Partial | None = None, **attrs: Any) -> Primitive:
    """Give a constant function of the real line its derivative off it."""
    real = find(function)
    assert real is not None
    looked_at = frozenset(real.keywords)
    prim = replace(real, kind="elementwise", partials=(partial,), tangent=tangent, looked_at=looked_at, singular=True)
    real.of_complex = prim
    CASES[prim] = [Case(operand, **attrs) for operand in _OPERANDS]
    return prim


def _sign(d: Any, y: Any, x: Any) -> Any:
    """dz / |z| without its part along z; 0 at 0."""
    return (d - np.real(d * y) * np.conj(y)) / _size(x)


def _sign_tangent(ts: Any, y: Any, x: Any) -> Any:
    (t,) = ts
    return (t - np.real(t * np.conj(y)) * y) / _size(x)


def _size(z: Any) -> Any:
    """What to divide by, so that nothing is left of it where z is 0."""
    size = np.absolute(z)
    return np.where(size == 0, np.inf, size)


def _angle_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    x = array(types[0])
    return Array(dtype_of(np.angle, (x,)), x.axes)


_on_complex(np.sign, _sign, _sign_tangent)
constant(np.angle, operands=("z",), keywords=("deg",), infer=_angle_type, convention="0 on the real line")
_ANGLE = _on_complex(np.angle, lambda d, y, z, *, deg=False: d * (180 / np.pi if deg else 1.0) * -1j / z)
CASES[_ANGLE].append(Case(_OPERANDS[1], deg=True))

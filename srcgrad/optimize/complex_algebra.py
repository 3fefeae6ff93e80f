"""Rewrites of complex arithmetic in the backward sweep; each comment is the proof."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..ir.symbolic import Sym, apply
from .algebra import Context, adjoint, rule

_WIDENING = ("np.multiply", "np.divide", "np.add", "np.subtract", "np.matmul", "np.fft.fft", "np.fft.ifft")


@rule(*_WIDENING)
def widened_anyway(c: Context) -> Any:
    """A real number is made complex by what it meets: astype(x) * z = x * z."""
    if c.op.role != "adjoint":
        return None
    for k, x in enumerate(c.args):
        inner = c.made(x, "astype")
        if not inner or not adjoint(c, x) or x.dtype.kind != "c" or inner[0].dtype.kind != "f":
            continue
        result: Sym = apply(c.builder, c.op.prim, (*c.args[:k], inner[0], *c.args[k + 1 :]), c.op.attrs, c.op.style)
        if result.dtype == c.op.outputs[0].type.dtype:  # type: ignore[union-attr]
            return result
    return None


@rule("np.multiply")
def modulus_times_direction(c: Context) -> Any:
    """|z| conj(sign z) = conj z, also at 0."""
    if c.op.role != "adjoint":
        return None
    for a, b in (c.args, c.args[::-1]):
        turned = c.made(b, "np.conjugate")
        signed = c.made(turned[0], "np.sign") if turned else None
        if not signed or signed[0].dtype.kind != "c":
            continue
        found, rest = _without_modulus(c, a, signed[0], 4)
        if found:
            return np.conj(signed[0]) if rest is None else rest * np.conj(signed[0])
    return None


def _without_modulus(c: Context, a: Sym, z: Sym, depth: int) -> tuple[bool, Any]:
    """Whether `a` has the factor |z|, and what is left of it without; None for 1."""
    modulus = c.made(a, "np.absolute")
    if modulus and modulus[0].atom is z.atom:
        return True, None
    factors = c.made(a, "np.multiply")
    if not factors or not depth:
        return False, None
    for one, other in (factors, factors[::-1]):
        found, rest = _without_modulus(c, other, z, depth - 1)
        if found:
            return True, one if rest is None else one * rest
    return False, None

"""Derivatives that must agree with each other: forward mode with reverse mode, and the two ways to second order."""

from __future__ import annotations

import copy
import inspect
from types import SimpleNamespace
from typing import Any

import numpy as np
from fuzz_judge import Wrong, checking
from fuzz_referee import Doubtful

from srcgrad import grad, jvp, vjp


def examine_orders(loss: Any, *args: Any) -> None:
    """Raises `Wrong` where derivatives of `loss` in all its arguments disagree."""
    wrt = tuple(inspect.signature(loss).parameters)[: len(args)]
    with checking(), np.errstate(all="ignore"):
        compare_orders(SimpleNamespace(loss=loss, WRT=wrt, arguments=lambda: copy.deepcopy(list(args))))


def compare_orders(module: Any) -> None:
    """jvp against grad, and jvp(grad), forward over reverse, against vjp(grad), reverse over reverse.

    The Hessian is symmetric, so that along one direction its columns and its rows give the same.
    """
    loss, args = module.loss, module.arguments()
    numbers = tuple(k for k in range(len(module.WRT)) if np.asarray(args[k]).dtype.kind == "f")
    if not numbers:
        raise Doubtful("nothing to differentiate")
    rng = np.random.default_rng(7)
    along = tuple(_like(args[k], rng.normal(size=np.shape(args[k]))) for k in numbers)
    gradient = grad(loss, numbers)
    close = _Close(any(np.asarray(arg).dtype == np.float32 for arg in args))

    first = gradient(*copy.deepcopy(args))
    expected = [sum(float(np.sum(d * t)) for d, t in zip(first, along))]
    value, found = jvp(loss, tuple(copy.deepcopy(args)), along, argnums=numbers)
    close([value], [loss(*copy.deepcopy(args))], "value of jvp", [])
    close([found], expected, "jvp against grad", [d * t for d, t in zip(first, along)])

    again, forward = jvp(gradient, tuple(copy.deepcopy(args)), along, argnums=numbers)
    close(again, first, "value of jvp(grad)", [])
    again, pullback = vjp(gradient, *copy.deepcopy(args), argnums=numbers)
    close(again, first, "value of vjp(grad)", [])
    backward = pullback(along)
    close(forward, backward, "jvp(grad) against vjp(grad)", [])
    for which, d in zip(numbers, (*forward, *backward)):
        if np.shape(d) != np.shape(args[which]):
            raise Wrong("shape of a second derivative", f"{np.shape(d)} for {np.shape(args[which])}")


def _like(arg: Any, direction: Any) -> Any:
    return direction.astype(arg.dtype) if isinstance(arg, np.ndarray) else float(direction)


class _Close:
    """Compares lists of arrays, with the error allowed relative to the largest of them and of what was summed."""

    def __init__(self, single: bool):
        self.tolerance = 1e-3 if single else 1e-8

    def __call__(self, found: Any, expected: Any, what: str, terms: Any) -> None:
        if not all(np.all(np.isfinite(each)) for each in (*found, *expected)):
            raise Doubtful(f"not finite: {what}")
        scale = max(1.0, *(float(np.max(np.abs(each), initial=0.0)) for each in (*expected, *terms)))
        for a, b in zip(found, expected, strict=True):
            if not np.allclose(a, b, rtol=0, atol=self.tolerance * scale):
                raise Wrong(what, f"{a}\nand\n{b}")

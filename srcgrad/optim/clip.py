"""Gradient clipping: `clip_grad_norm_`, `clip_grad_value_` and `get_total_norm`, as in PyTorch's `nn.utils`."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srcgrad.optim.blocks import blocks
from srcgrad.runtime.device import namespace_of
from srcgrad.runtime.parameter import Parameter

Array = NDArray[Any]


def clip_grad_norm_(
    parameters: Parameter | Iterable[Parameter],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> float:
    """Scale all gradients, in place, so that together they have at most the norm `max_norm`; returns the norm before.

    norm_type : p of the p-norm over all elements of all gradients; math.inf for the largest magnitude
    Raises RuntimeError, with `error_if_nonfinite`, where the norm is infinite or not a number; without it such a norm
    spoils all gradients, as in PyTorch.
    """
    grads = _gradients(parameters)
    norm = get_total_norm(grads, norm_type, error_if_nonfinite)
    scale = max_norm / (norm + 1e-6)
    if not scale >= 1:
        for grad in grads:
            grad *= scale
    return norm


def clip_grad_value_(parameters: Parameter | Iterable[Parameter], clip_value: float) -> None:
    """Limit every element of every gradient to [-clip_value, clip_value], in place."""
    limit = float(clip_value)
    for grad in _gradients(parameters):
        namespace_of(grad).clip(grad, -limit, limit, out=grad)


def get_total_norm(arrays: Iterable[Array], norm_type: float = 2.0, error_if_nonfinite: bool = False) -> float:
    """The p-norm of all elements of all arrays together, computed in float64; 0 for no arrays.

    Raises ValueError for p <= 0, RuntimeError, with `error_if_nonfinite`, for a norm that is infinite or not a number.
    """
    p = float(norm_type)
    if not p > 0:
        raise ValueError(f"Invalid norm_type: {norm_type}; a norm needs p > 0")
    parts = _on_cpu([_norm_of_powers(array, p) for array in arrays])
    norm = float(np.max(parts, initial=0.0)) if math.isinf(p) else sum(parts) ** (1 / p)
    if error_if_nonfinite and not math.isfinite(norm):
        raise RuntimeError(
            f"The total norm of order {p} for gradients from `parameters` is non-finite, so it cannot be clipped. To "
            "disable this error and scale the gradients by the non-finite norm anyway, set `error_if_nonfinite=False`"
        )
    return norm


def _on_cpu(parts: list[Any]) -> list[float]:
    """Numbers of the GPU as Python's, all of them at once: waits for the device one time."""
    numpy_or_cupy = namespace_of(*parts)
    return parts if numpy_or_cupy is np else numpy_or_cupy.stack(parts).get().tolist()


def _norm_of_powers(array: Array, p: float) -> Any:
    """The sum of |x|^p, or the largest |x| for p = inf; on a GPU an array without axes."""
    if not isinstance(array, np.ndarray):
        cp, sizes = namespace_of(array), abs(array).astype(np.float64)
        return cp.sum(sizes**p) if not math.isinf(p) else cp.max(sizes) if array.size else cp.zeros(())
    if math.isinf(p):
        return float(np.max(np.abs(array), initial=0.0))
    if p == 2 and array.dtype.kind == "f":
        return _sum_of_squares(array)
    return float(np.sum(np.abs(array).astype(np.float64) ** p))


def _sum_of_squares(array: Array) -> float:
    """In float64, since squares of float32 leave its range early; block by block, without a copy of the array."""
    wide = np.empty(0)
    total = 0.0
    for (part,) in blocks([array], scratch=0):
        if wide.shape != part.shape:
            wide = np.empty(part.shape)
        total += float(np.sum(np.multiply(part, part, out=wide, dtype=np.float64)))
    return total


def _gradients(parameters: Parameter | Iterable[Parameter]) -> list[Array]:
    """The gradients that are there, each array once."""
    listed = [parameters] if isinstance(parameters, Parameter) else list(parameters)
    for index, parameter in enumerate(listed):
        if not isinstance(parameter, Parameter):
            raise TypeError(f"gradients are those of Parameters, and entry {index} is a {type(parameter).__name__}")
    return list({id(p.grad): p.grad for p in listed if p.grad is not None}.values())

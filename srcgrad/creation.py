"""Parameters made where they are to live: `zeros`, `ones`, `full`, `rand` and `randn`, with a device and a dtype.

What they make needs no gradient unless asked for, as PyTorch's functions of these names; the dtype is NumPy's float64
unless another is given. On a GPU nothing passes through the CPU: numbers are drawn there, from CuPy's generators.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from srcgrad.runtime.device import cupy_with_device, device
from srcgrad.runtime.parameter import Parameter


def zeros(*shape: int, device: Any = "cpu", dtype: DTypeLike = np.float64, requires_grad: bool = False) -> Parameter:
    """A parameter of zeros: `zeros(3, 4, device="cuda", dtype=np.float32)`.

    shape : the length of every axis
    Raises RuntimeError where there is no such device; TypeError for integers that would require a gradient.
    """
    return _made(lambda xp: xp.zeros(shape, dtype), device, requires_grad)


def ones(*shape: int, device: Any = "cpu", dtype: DTypeLike = np.float64, requires_grad: bool = False) -> Parameter:
    """A parameter of ones. Arguments and errors as those of `zeros`."""
    return _made(lambda xp: xp.ones(shape, dtype), device, requires_grad)


def full(
    shape: tuple[int, ...],
    value: float,
    *,
    device: Any = "cpu",
    dtype: DTypeLike = np.float64,
    requires_grad: bool = False,
) -> Parameter:
    """A parameter of one value everywhere. Arguments and errors as those of `zeros`."""
    return _made(lambda xp: xp.full(shape, value, dtype), device, requires_grad)


def rand(
    *shape: int,
    generator: Any = None,
    device: Any = "cpu",
    dtype: DTypeLike = np.float64,
    requires_grad: bool = False,
) -> Parameter:
    """A parameter drawn uniformly from [0, 1).

    generator : of the device, as `numpy.random.default_rng(0)` or `cupy.random.default_rng(0)`; or a seed, or None for
        another draw each time
    dtype : float32 or float64
    Raises TypeError for a generator of another device; else as `zeros`.
    """
    return _made(lambda xp: _generator(xp, generator).random(shape, dtype=np.dtype(dtype).type), device, requires_grad)


def randn(
    *shape: int,
    generator: Any = None,
    device: Any = "cpu",
    dtype: DTypeLike = np.float64,
    requires_grad: bool = False,
) -> Parameter:
    """A parameter drawn from the standard normal distribution. Arguments and errors as those of `rand`."""
    return _made(
        lambda xp: _generator(xp, generator).standard_normal(shape, dtype=np.dtype(dtype).type), device, requires_grad
    )


def _made(make: Callable[[Any], Any], place: Any, requires_grad: bool) -> Parameter:
    where = device(place)
    if where.type == "cpu":
        return Parameter(make(np), requires_grad)
    cupy = cupy_with_device(where)
    with contextlib.nullcontext() if where.index is None else cupy.cuda.Device(where.index):
        return Parameter(make(cupy), requires_grad)


def _generator(xp: Any, given: Any) -> Any:
    """The generator itself, or one with the seed given."""
    if hasattr(given, "standard_normal"):
        if not type(given).__module__.startswith(xp.__name__):
            raise TypeError(
                f"the generator is {type(given).__module__}'s, and the numbers are drawn by {xp.__name__}: "
                f"pass {xp.__name__}.random.default_rng(seed), or a seed"
            )
        return given
    return xp.random.default_rng(given)

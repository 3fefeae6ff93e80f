"""CUDA devices as CuPy sees them: `is_available`, `device_count`, `synchronize`."""

from __future__ import annotations

import importlib
from typing import Any


def is_available() -> bool:
    """Whether CuPy (the extra `srcgrad[cuda]`) is installed and finds a device."""
    return device_count() > 0


def device_count() -> int:
    """How many CUDA devices there are; 0 without CuPy or its driver."""
    try:
        runtime = _cupy().cuda.runtime
    except ImportError:
        return 0
    try:
        return int(runtime.getDeviceCount())
    except runtime.CUDARuntimeError:
        return 0


def synchronize() -> None:
    """Wait until the current device has done all that it was asked for; a time measured before that means nothing.

    Raises RuntimeError where there is no device.
    """
    if not is_available():
        raise RuntimeError("there is no CUDA device here: CuPy is not installed (srcgrad[cuda]), or finds none")
    _cupy().cuda.Device().synchronize()


def _cupy() -> Any:
    return importlib.import_module("cupy")

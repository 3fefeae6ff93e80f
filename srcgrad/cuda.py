"""CUDA devices as CuPy sees them: `is_available`, `device_count`, `synchronize`."""

from __future__ import annotations

from srcgrad.runtime.device import cupy_with_device, device, device_count


def is_available() -> bool:
    """Whether CuPy (the extra `srcgrad[cuda]`) is installed and finds a device."""
    return device_count() > 0


def synchronize(where: str | device | None = None) -> None:
    """Wait until a device, the current one by default, has done all that it was asked for.

    A time measured before that means nothing. Raises RuntimeError where there is no device.
    """
    wanted = device("cuda") if where is None else device(where)
    cupy = cupy_with_device(wanted)
    cupy.cuda.Device(wanted.index).synchronize()


__all__ = ["device_count", "is_available", "synchronize"]

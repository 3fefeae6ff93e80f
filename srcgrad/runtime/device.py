"""`device`: where arrays live, "cpu" or "cuda:0"; which arrays are on one, and how they get there."""

from __future__ import annotations

import importlib
import re
import sys
from typing import Any

import numpy as np


class device:
    """A place for arrays: device("cpu"), device("cuda"), device("cuda:1"), device("cuda", 1). Equal by value.

    type : "cpu" or "cuda"
    index : which of several; None for the current one
    Raises RuntimeError for other names, as PyTorch does. Whether it is there is asked when an array goes there.
    """

    __slots__ = ("index", "type")

    def __init__(self, name: str | device, index: int | None = None) -> None:
        if isinstance(name, device):
            index, name = name.index, name.type
        matched = re.fullmatch(r"(cpu|cuda)(?::(\d+))?", name) if isinstance(name, str) else None
        if matched is None or (index is not None and matched[2] is not None):
            raise RuntimeError(f"a device is 'cpu', 'cuda' or 'cuda:0' (with another number perhaps), not {name!r}")
        self.type: str = matched[1]
        self.index: int | None = int(matched[2]) if matched[2] else index

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __repr__(self) -> str:
        return (
            f"device(type={self.type!r})" if self.index is None else f"device(type={self.type!r}, index={self.index})"
        )


_CPU = device("cpu")
_INSTALL = "Install CuPy for your CUDA version: pip install 'srcgrad[cuda]' (cupy-cuda12x), or cupy-cuda13x."


def cupy_ndarray() -> Any:
    """CuPy's array type where the program has imported CuPy; no array can be of it otherwise."""
    cupy = sys.modules.get("cupy")
    return _Nothing if cupy is None else getattr(cupy, "ndarray", _Nothing)


class _Nothing:
    """A type that no value has."""


def is_array(value: Any) -> bool:
    """Whether this is an array of NumPy or CuPy."""
    return isinstance(value, np.ndarray) or type(value) is cupy_ndarray()


def device_of(array: Any) -> device:
    """Where an array (or a number) is."""
    return device("cuda", int(array.device.id)) if type(array) is cupy_ndarray() else _CPU


def namespace_of(*values: Any) -> Any:
    """The module whose functions take these arrays: CuPy if one of them is on a GPU, else NumPy."""
    kind = cupy_ndarray()
    return sys.modules["cupy"] if any(type(value) is kind for value in values) else np


def moved(array: Any, where: device) -> Any:
    """The array on a device: itself, if it is there already; otherwise a copy. None stays None.

    Raises RuntimeError where there is no such device.
    """
    if array is None or (where.type, where.index or 0) == (device_of(array).type, device_of(array).index or 0):
        return array
    if where.type == "cpu":
        return array.get()
    cupy = cupy_with_device(where)
    with cupy.cuda.Device(where.index or 0):
        return cupy.array(array)


def converted(array: Any, where: device | None, dtype: np.dtype[Any] | None) -> Any:
    """The array on a device and of a dtype, where one is given: itself, if it is so already. None stays None.

    Raises TypeError for complex numbers that would lose their imaginary parts; RuntimeError as `moved` does.
    """
    if array is None:
        return None
    if dtype is not None and array.dtype.kind == "c" and dtype.kind != "c":
        raise TypeError(f"{array.dtype} values do not fit into {dtype}: take their .real or .imag first")
    there = array if where is None else moved(array, where)
    return there if dtype is None else there.astype(dtype, copy=False)


def destination(
    targets: tuple[Any, ...], where: Any = None, dtype: Any = None
) -> tuple[device | None, np.dtype[Any] | None]:
    """The device and the dtype that the arguments of a `to(...)` name: ("cuda"), (np.float64), ("cpu", "float32").

    Raises TypeError for what is neither or comes twice, RuntimeError for a text that names no device and no dtype.
    """
    for target in targets:
        if isinstance(target, device) or (isinstance(target, str) and not _names_dtype(target)):
            given, where = where, device(target)
        elif target is None or not _names_dtype(target):
            raise TypeError(f"to(...) takes a device and a dtype, such as 'cuda' and np.float32, not {target!r}")
        else:
            given, dtype = dtype, target
        if given is not None:
            raise TypeError("to(...) takes one device and one dtype")
    if where is None and dtype is None:
        raise TypeError("to(...) takes a device, a dtype, or both")
    return None if where is None else device(where), None if dtype is None else np.dtype(dtype)


def _names_dtype(target: Any) -> bool:
    try:
        return np.dtype(target).kind in "biufc"
    except TypeError:
        return False


def on_host(array: Any) -> Any:
    """The array in the CPU's memory, for a file or a picture; waits for the GPU."""
    return moved(array, _CPU)


def as_array_beside(value: Any, like: Any) -> Any:
    """`value` as an array where `like` is. Raises TypeError for an array that is somewhere else."""
    if not is_array(value):
        return namespace_of(like).asarray(value)
    if is_array(like) and device_of(value) != device_of(like):
        raise TypeError(
            f"an array on {device_of(value)} where one on {device_of(like)} is needed: move it, {_way_to(like)}"
        )
    return value


def _way_to(like: Any) -> str:
    return "array.get()" if device_of(like).type == "cpu" else "cupy.asarray(array)"


def cupy_with_device(where: device) -> Any:
    """CuPy, where the device is there. Raises RuntimeError that says what is missing."""
    try:
        cupy = importlib.import_module("cupy")
    except ImportError:
        raise RuntimeError(f"{where} needs CuPy, which is not installed. {_INSTALL}") from None
    count = device_count()
    if not count:
        raise RuntimeError(
            f"{where}: CuPy is installed, but it sees no CUDA device. See nvidia-smi for the driver, and "
            "CUDA_VISIBLE_DEVICES; device('cuda' if cuda.is_available() else 'cpu') runs everywhere."
        )
    if (where.index or 0) >= count:
        raise RuntimeError(f"{where}: there {'is one CUDA device' if count == 1 else f'are {count} CUDA devices'} here")
    return cupy


def device_count() -> int:
    """How many CUDA devices there are; 0 without CuPy or its driver."""
    try:
        runtime = importlib.import_module("cupy").cuda.runtime
    except ImportError:
        return 0
    try:
        return int(runtime.getDeviceCount())
    except runtime.CUDARuntimeError:
        return 0

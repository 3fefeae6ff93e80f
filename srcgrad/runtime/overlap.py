"""Whether arrays share memory: asked at each call of a function that writes into an argument."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..errors import GradTypeError

_WORK = 10_000  # steps that NumPy may take to find out whether two arrays with strides interleave


def apart(function: Callable[..., Any], name: str, array: np.ndarray[Any, Any], others: Mapping[str, Any]) -> None:
    """Raises GradTypeError if an array that the function changes shares memory with another, or with itself.

    The gradient works on a copy of the array, so that the change would be missing in what shares its memory.
    """
    clash = next((f"`{other}`" for other, value in others.items() if _share(array, value)), None)
    if clash is None and _interleaved(array):
        clash = "itself"
    if clash is not None:
        raise GradTypeError(
            f"`{function.__qualname__}` changes its argument `{name}` in place, which here shares memory with {clash}. "
            f"Pass a copy of one: {name}.copy()."
        )


def _share(one: Any, other: Any) -> bool:
    if not np.may_share_memory(one, other):
        return False
    try:
        return bool(np.shares_memory(one, other, max_work=_WORK))  # type: ignore[arg-type]
    except np.exceptions.TooHardError:
        return True


def _interleaved(array: np.ndarray[Any, Any]) -> bool:
    """Whether two elements may lie at one place, as in a broadcast array or a sliding window."""
    reach = array.itemsize
    for stride, length in sorted((abs(s), n) for s, n in zip(array.strides, array.shape) if n > 1):
        if stride < reach:
            return True
        reach = stride * (length - 1) + reach
    return False

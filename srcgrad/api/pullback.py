"""The backward half of a function at one point, waiting for a cotangent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..dispatch import Dispatcher


class Pullback:
    """The backward half with what the forward half saved for it.

    Takes a cotangent of the value's shape, in its dtype or one that casts to it.
    """

    __slots__ = ("_dispatcher", "_value", "backward", "saved")

    def __init__(self, backward: Callable[..., Any], saved: tuple[Any, ...], dispatcher: Dispatcher, value: Any):
        self.backward, self.saved, self._dispatcher = backward, saved, dispatcher
        self._value = np.shape(value), np.result_type(value), isinstance(value, np.ndarray)

    def __call__(self, cotangent: Any) -> tuple[Any, ...]:
        seed = self._checked(cotangent)
        try:
            gradients: tuple[Any, ...] = self.backward(*self.saved, seed)
        except Exception as error:
            self._dispatcher._explain(error)
            raise
        return gradients

    def _checked(self, cotangent: Any) -> Any:
        shape, dtype, is_array = self._value
        array = np.asarray(cotangent)
        if array.shape != shape:
            raise ValueError(f"a cotangent of shape {array.shape} for a value of shape {shape}")
        if not np.can_cast(array.dtype, dtype, "same_kind"):
            raise TypeError(f"a cotangent of dtype {array.dtype} for a value of dtype {dtype}")
        array = array.astype(dtype, copy=False)
        return array if is_array else array[()]

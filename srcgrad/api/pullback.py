"""The backward half of a function at one point, waiting for a cotangent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..dispatch import Dispatcher
from ..runtime.device import is_array, namespace_of
from ..runtime.trees import fitted, tree_leaves, tree_map


class Pullback:
    """The backward half with what the forward half saved for it.

    Takes a cotangent of the value's structure and shape, in its dtype or one that casts to it.
    """

    __slots__ = ("_value", "arguments", "backward", "dispatcher", "saved")

    def __init__(
        self,
        backward: Callable[..., Any],
        saved: tuple[Any, ...],
        dispatcher: Dispatcher,
        value: Any,
        arguments: Sequence[Any] | None = None,
    ):
        self.backward, self.saved, self.dispatcher, self.arguments = backward, saved, dispatcher, arguments
        self._value = tree_map(_like, value)

    def __call__(self, cotangent: Any) -> tuple[Any, ...]:
        return self.rows(tree_leaves(fitted(cotangent, self._value, "a cotangent")))

    @property
    def several(self) -> bool:
        """Whether the backward half takes several cotangents at once, with a leading axis: its name says so."""
        return self.backward.__name__.endswith("_rows")

    def rows(self, seeds: Sequence[Any]) -> tuple[Any, ...]:
        """The cotangents for several of the value, each leaf with a leading axis."""
        try:
            gradients: tuple[Any, ...] = self.backward(*self.saved, *seeds)
        except Exception as error:
            self.dispatcher._explain(error)
            raise
        return gradients


def _like(value: Any) -> Any:
    """Something of the value's shape and dtype that takes no memory."""
    if is_array(value):
        numpy_or_cupy = namespace_of(value)
        return numpy_or_cupy.broadcast_to(numpy_or_cupy.zeros((), value.dtype), value.shape)
    return value

"""Lists, tuples and dicts of arrays and numbers: their leaves, and structures of the same shape."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .device import as_array_beside, is_array
from .signature import Path, path_text


def tree_leaves(value: Any) -> list[Any]:
    """Everything in a structure that is no container, in its order."""
    return [leaf for _, leaf in tree_paths(value)]


def tree_paths(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """The leaves with the way to each."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from tree_paths(item, (*path, key))
    elif isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            yield from tree_paths(item, (*path, i))
    else:
        yield path, value


def tree_map(function: Callable[[Any], Any], value: Any) -> Any:
    """The structure with a function applied to every leaf."""
    if isinstance(value, dict):
        return {key: tree_map(function, item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(tree_map(function, item) for item in value)
    return function(value)


def fitted(direction: Any, value: Any, what: str) -> Any:
    """A tangent or cotangent of `value`, in its structure, shape and dtype.

    what : how an error calls the direction; its leaves are named as in `a cotangent['w'][0]`
    Raises ValueError for another structure or shape, TypeError for a dtype that does not cast to the value's.
    """
    return _fitted(direction, value, what, ())


def _fitted(direction: Any, value: Any, what: str, path: Path) -> Any:
    if isinstance(value, dict):
        if not isinstance(direction, dict) or direction.keys() != value.keys():
            raise ValueError(f"{path_text(what, path)} must be a dict with the keys {', '.join(map(repr, value))}")
        return {key: _fitted(direction[key], item, what, (*path, key)) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        if not isinstance(direction, (list, tuple)) or len(direction) != len(value):
            raise ValueError(f"{path_text(what, path)} must be a {type(value).__name__} of {len(value)}")
        items = (_fitted(d, item, what, (*path, i)) for i, (d, item) in enumerate(zip(direction, value)))
        return type(value)(items)
    return _fitted_leaf(direction, value, path_text(what, path))


def _fitted_leaf(direction: Any, value: Any, what: str) -> Any:
    if not is_array(value) and not isinstance(value, (np.generic, float, complex)):
        return direction
    dtype = value.dtype if is_array(value) else np.result_type(value)
    if dtype.kind not in "fc":
        return direction  # refused where it is differentiated
    array, shape = as_array_beside(direction, value), value.shape if is_array(value) else ()
    if array.shape != shape:
        raise ValueError(f"{what} of shape {array.shape} for a value of shape {shape}")
    if not np.can_cast(array.dtype, dtype, "same_kind"):
        raise TypeError(f"{what} of dtype {array.dtype} for a value of dtype {dtype}")
    array = array.astype(dtype, copy=False)
    if is_array(value) or not isinstance(array, np.ndarray):
        return array
    return array[()] if isinstance(value, np.generic) else array.item()

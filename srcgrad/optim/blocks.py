"""Updates in blocks that stay in the processor's cache, with scratch memory of one block's size and no temporaries."""

from __future__ import annotations

import functools
import math
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

# Elements: 256 KB in float32. A step of Adam touches six such blocks, which the last cache holds, and the half
# microsecond of a NumPy call is nothing beside the work on one. Smaller blocks measure slower.
BLOCK = 65536

_local = threading.local()


def blocks(arrays: Sequence[Array], scratch: int) -> Iterable[tuple[Array, ...]]:
    """Views of the same part of every array, followed by `scratch` arrays of that shape to compute in.

    arrays : of one shape; the scratch arrays have the first one's dtype, and hold nothing from block to block
    Memory laid out alike in all of them is walked flat; anything else in slices along its leading axes.
    """
    first = arrays[0]
    if first.size <= BLOCK:
        return ((*arrays, *_small(first.dtype, first.shape, scratch)),)
    return _many(arrays, _rows(first.dtype, scratch))


@functools.lru_cache(maxsize=256)
def number(value: float, dtype: np.dtype[Any]) -> Array:
    """A factor for arrays of `dtype`, rounded as NumPy rounds Python's floats, which take it twice as long."""
    factor = np.array(value, dtype)
    factor.flags.writeable = False
    return factor


def _many(arrays: Sequence[Array], rows: list[Array]) -> Iterator[tuple[Array, ...]]:
    arrays = _in_memory_order(arrays)
    for index in _parts(arrays[0].shape):
        views = [array[(*index, ...)] for array in arrays]
        yield (*views, *_shaped(rows, views[0].shape))


def _in_memory_order(arrays: Sequence[Array]) -> Sequence[Array]:
    """Flat views where all arrays have their elements in one order, without gaps."""
    if all(array.flags.c_contiguous for array in arrays):
        return [array.reshape(-1) for array in arrays]
    if all(array.flags.f_contiguous for array in arrays):
        return [array.T.reshape(-1) for array in arrays]
    return arrays


def _parts(shape: tuple[int, ...]) -> Iterator[tuple[int | slice, ...]]:
    """Indices of parts of at most BLOCK elements, which cover the shape."""
    if math.prod(shape) <= BLOCK:
        yield ()
        return
    length, *rest = shape
    inner = math.prod(rest)
    if inner > BLOCK:
        yield from ((i, *part) for i in range(length) for part in _parts(tuple(rest)))
        return
    rows = BLOCK // inner
    yield from ((slice(start, start + rows),) for start in range(0, length, rows))


def _small(dtype: np.dtype[Any], shape: tuple[int, ...], count: int) -> list[Array]:
    """The scratch arrays of a parameter that is one block; the views are kept, since making them takes longer than it.

    They are let go where a program has come with more shapes than a model has.
    """
    pool: dict[Any, list[Array]] = _local.__dict__.setdefault("small", {})
    views = pool.get((dtype, shape, count))
    if views is None:
        if len(pool) >= 1000:
            pool.clear()
        views = pool[dtype, shape, count] = _shaped(_rows(dtype, count), shape)
    return views


def _shaped(rows: list[Array], shape: tuple[int, ...]) -> list[Array]:
    """The beginnings of the rows, in a shape."""
    size = math.prod(shape)
    return [row[:size].reshape(shape) for row in rows]


def _rows(dtype: np.dtype[Any], count: int) -> list[Array]:
    """Scratch rows of BLOCK elements, made once for each thread and dtype."""
    pool: dict[Any, list[Array]] = _local.__dict__.setdefault("rows", {})
    rows = pool.setdefault(dtype, [])
    if len(rows) < count:
        rows.extend(np.empty(BLOCK, dtype) for _ in range(count - len(rows)))
    return rows[:count]

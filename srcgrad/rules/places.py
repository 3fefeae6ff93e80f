"""Functions that give places, counts and windows: what they return has no derivative."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.dims import ONE, Dim, Facts, as_dim
from ..ir.types import Array, Type
from .axes import array, size
from .registry import constant

function: Any  # the tables below loop over functions of different types
PLACE = np.dtype(np.intp)


# Order by several keys, and indices of several axes
def _lexsort_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    return Array(PLACE, array(types[-1]).axes)


def _unraveled_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> tuple[Type, ...]:
    return tuple(Array(PLACE, array(types[0]).axes) for _ in types[1:])


def _mesh_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> tuple[Type, ...]:
    vectors = list(map(array, types))
    if any(each.ndim != 1 or each.dtype.kind not in "iu" for each in vectors):
        raise Unsupported("np.ix_ of anything but vectors of integers", "Use np.nonzero(mask)[0] for a mask.")
    return tuple(
        Array(each.dtype, tuple(each.axes[0] if i == k else ONE for i in range(len(vectors))))
        for k, each in enumerate(vectors)
    )


constant(
    np.lexsort,
    fn=lambda *keys, axis=-1: np.lexsort(keys, axis),
    operands=("*keys",),
    keywords=("axis",),
    signature=("keys", "axis"),
    infer=_lexsort_type,
)
constant(
    np.unravel_index,
    fn=lambda indices, *shape, order="C": np.unravel_index(indices, shape, order),
    operands=("indices", "*shape"),
    keywords=("order",),
    signature=("indices", "shape", "order"),
    infer=_unraveled_type,
    several=True,
)
constant(np.ix_, operands=("*args",), signature=("*args",), infer=_mesh_type, several=True)


# Counts
def _histogram_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> tuple[Type, ...]:
    bins = attrs.get("bins", 10)
    if not isinstance(bins, (int, np.integer)) or attrs.get("range") is None:
        raise Unsupported(
            "np.histogram whose edges depend on its arguments", "Give it a number of `bins=` and a `range=`."
        )
    counts = np.dtype(float) if attrs.get("density") else PLACE
    return Array(counts, (as_dim(int(bins)),)), Array(np.dtype(float), (as_dim(int(bins) + 1),))


constant(np.histogram, operands=("a",), keywords=("bins", "range", "density"), infer=_histogram_type)


# Windows, by their length
def _window_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    length = array(types[0]).dim
    return Array(np.dtype(float), (facts.fresh() if length is None else length,))


for function in (np.hanning, np.hamming, np.blackman, np.bartlett):
    constant(function, operands=("M",), infer=_window_type)


# What leaves elements out: how many depends on the values, so that there is no derivative where they decide
def _unique_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type | tuple[Type, ...]:
    if attrs.get("axis") is not None:
        raise Unsupported("np.unique along an axis is not read")
    x = array(types[0])
    some: tuple[Dim, ...] = (facts.fresh("count"),)
    parts: list[Type] = [Array(x.dtype, some)]
    if attrs.get("return_index"):
        parts.append(Array(PLACE, some))
    if attrs.get("return_inverse"):
        parts.append(Array(PLACE, x.axes or (size(facts, x),)))
    if attrs.get("return_counts"):
        parts.append(Array(PLACE, some))
    return parts[0] if len(parts) == 1 else tuple(parts)


def _trimmed_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    x = array(types[0])
    if x.ndim != 1:
        raise Unsupported("np.trim_zeros of an array that is not one-dimensional")
    return Array(x.dtype, (facts.fresh("count"),))


_WHY = "{name} has no derivative: how many elements it leaves out depends on them"
constant(
    np.unique,
    operands=("ar",),
    keywords=("return_index", "return_inverse", "return_counts", "axis", "equal_nan"),
    infer=_unique_type,
    undefined=(_WHY, "Use np.sort, which keeps them all."),
)
constant(
    np.trim_zeros,
    operands=("filt",),
    keywords=("trim",),
    infer=_trimmed_type,
    undefined=(_WHY, "Slice the array where it begins and ends."),
)

"""Derivatives of splitting: the cotangents of the parts are joined again, or set into zeros."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.dims import Dim, Facts, as_dim
from ..ir.primitive import Infer, find
from ..ir.symbolic import Sym
from ..ir.types import Array, Type
from .axes import along, array, normal_axis
from .internal import set_at, zeros
from .joining import hstack_axis
from .registry import Case, linear

function: Any  # the tables below loop over functions of different types


def _split_lengths(facts: Facts, length: Dim, sections: Any, even: bool) -> list[Dim]:
    if isinstance(sections, (int, np.integer)):
        count = int(sections)
        if even and not facts.require("==", (length // count) * count, length):
            raise Unsupported(f"split: {length} elements do not divide into {count} equal parts")
        if even:
            return [length // count] * count
        parts = [(length + (count - 1 - k)) // count for k in range(count - 1)]
        return [*parts, length - sum(parts)]  # written so that they add up to the whole
    bounds = [as_dim(0), *(as_dim(bound) for bound in sections), length]
    return [_stretch(facts, a, b, length) for a, b in pairwise(bounds)]


def _stretch(facts: Facts, start: Dim, stop: Dim, length: Dim) -> Dim:
    known = [facts.require(">=", stop, start), facts.require(">=", length, stop)]
    if not all(known) or (start.constant or 0) < 0:
        raise Unsupported("split at a place that is not inside the array, or not known to be")
    return stop - start


def _splitting(axis: Callable[[int, Mapping[str, Any]], int], even: bool) -> Infer:
    def infer(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> tuple[Type, ...]:
        x = array(types[0])
        k = normal_axis(axis(x.ndim, attrs), x.ndim)
        lengths = _split_lengths(facts, facts.canon(x.axes[k]), attrs["indices_or_sections"], even)
        return tuple(Array(x.dtype, (*x.axes[:k], n, *x.axes[k + 1 :])) for n in lengths)

    return infer


def _rejoined(axis: Callable[[int, Mapping[str, Any]], int], *names: str) -> Any:
    def partial(d: Any, y: Any, x: Any, **attrs: Any) -> Any:
        k = normal_axis(axis(x.ndim, attrs), x.ndim)
        if all(each is not None for each in d):
            return _whole(x, d, k)
        base, start = zeros(x.builder, x.type), 0
        for each, part in zip(d, y):
            stop = part.shape[k] + start
            if each is not None:
                base = set_at(base, each, along(k, slice(start or None, stop)))
            start = stop
        return base

    if "axis" in names:
        return lambda d, y, x, *, indices_or_sections, axis=0: partial(d, y, x, axis=axis)
    return lambda d, y, x, *, indices_or_sections: partial(d, y, x)


def _whole(x: Any, parts: Sequence[Any], axis: int) -> Any:
    """The parts joined: they have the shape of `x`, also where arithmetic on its length cannot tell."""
    prim = find(np.concatenate)
    assert prim is not None
    (value,) = x.builder.append(prim, [part.atom for part in parts], [x.type], {"axis": axis} if axis else {})
    return Sym(x.builder, value)


_SPLITS: tuple[tuple[Any, Any, bool], ...] = (
    (np.split, lambda ndim, attrs: attrs.get("axis", 0), True),
    (np.array_split, lambda ndim, attrs: attrs.get("axis", 0), False),
    (np.hsplit, lambda ndim, attrs: hstack_axis(ndim), True),
    (np.vsplit, lambda ndim, attrs: 0, True),
    (np.dsplit, lambda ndim, attrs: 2, True),
)
for function, axis, even in _SPLITS:
    names = ("indices_or_sections", "axis") if function in (np.split, np.array_split) else ("indices_or_sections",)
    linear(
        function,
        _rejoined(axis, *names),
        operands=("ary",),
        keywords=names,
        infer=_splitting(axis, even),
        several=True,
        view=True,
        cases=[
            Case((4, 2, 2), indices_or_sections=1),
            Case((2, 4, 4), indices_or_sections=2),
            Case((4, 4, 4), indices_or_sections=(1, 3)),
            *([Case((6,), indices_or_sections=3)] if function in (np.split, np.hsplit) else []),
            *([Case((4, 3), indices_or_sections=3, axis=-1)] if "axis" in names else []),
            *([Case((7,), indices_or_sections=3)] if not even else []),
        ],
    )

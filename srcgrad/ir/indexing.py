"""Indexing on symbolic axes: which axes an index keeps, drops, adds, and how long slices are."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import Unsupported
from .dims import ONE, Dim, Facts, as_dim
from .infer import broadcast_axes
from .nodes import Slot
from .types import Array, Type


def fill_slots(template: Any, dynamic: Sequence[Any]) -> Any:
    """The index itself: `Slot(k)` replaced by the k-th dynamic part (counted from 1)."""
    match template:
        case Slot(number):
            return dynamic[number - 1]
        case builtins.slice():
            parts = (template.start, template.stop, template.step)
            return slice(*(fill_slots(part, dynamic) for part in parts))
        case tuple():
            return tuple(fill_slots(part, dynamic) for part in template)
        case list():
            return [fill_slots(part, dynamic) for part in template]
        case _:
            return template


def getitem_type(facts: Facts, array: Array, template: Any, dynamic: Sequence[Type]) -> Array:
    """The type of `array[index]`, by NumPy's rules for basic and advanced indexing."""
    entries = _expand(array, template if isinstance(template, tuple) else (template,), dynamic)
    axes: list[Dim] = []
    advanced: list[tuple[Dim, ...]] = []
    first_advanced, contiguous, last = None, True, -2
    source = iter(array.axes)
    for position, entry in enumerate(entries):
        if entry is None:
            axes.append(ONE)
            continue
        if isinstance(entry, slice):
            axes.append(slice_length(facts, next(source), entry, dynamic))
            continue
        shape = _advanced_axes(facts, entry, dynamic, source)
        if shape is None:  # a plain integer takes part in advanced indexing only beside an index array
            advanced.append(())
        else:
            advanced.append(shape)
        if last not in (-2, position - 1):
            contiguous = False
        if first_advanced is None:
            first_advanced = len(axes)
        last = position
    if any(_is_array_entry(entry, dynamic) for entry in entries) and advanced:
        joined = list(broadcast_axes(facts, advanced))
        at = first_advanced if contiguous and first_advanced is not None else 0
        axes[at:at] = joined
    return Array(array.dtype, tuple(axes), namespace=array.namespace)


def is_basic(template: Any, dynamic: Sequence[Type]) -> bool:
    """Whether the index selects every element at most once, and gives a view: ints and slices only."""
    entries = template if isinstance(template, tuple) else (template,)
    return not any(_is_array_entry(entry, dynamic) for entry in entries)


def selects_once(template: Any, dynamic: Sequence[Type]) -> bool:
    """Whether no element is selected twice: by ints, slices and at most one mask."""
    entries = template if isinstance(template, tuple) else (template,)
    arrays = [entry for entry in entries if _is_array_entry(entry, dynamic)]
    return not arrays or (len(arrays) == 1 and _is_mask(arrays[0], dynamic))


def _is_mask(entry: Any, dynamic: Sequence[Type]) -> bool:
    type = dynamic[entry.number - 1] if isinstance(entry, Slot) else None
    return isinstance(type, Array) and type.dtype.kind == "b"


def rearranges(template: Any) -> bool:
    """Whether the index keeps every element once: full slices, reversed ones, and new axes."""
    entries = template if isinstance(template, tuple) else (template,)
    whole = (slice(None), slice(None, None, -1), slice(None, None, 1))
    return all(entry is None or entry is Ellipsis or entry in whole for entry in entries)


def _is_array_entry(entry: Any, dynamic: Sequence[Type]) -> bool:
    if isinstance(entry, (list, bool, np.ndarray)):
        return True
    if isinstance(entry, Slot):
        type = dynamic[entry.number - 1]
        return isinstance(type, Array) and (type.ndim > 0 or type.dtype.kind == "b")
    return False


def _expand(array: Array, entries: tuple[Any, ...], dynamic: Sequence[Type]) -> list[Any]:
    """Replace the ellipsis, and append the full slices that are left out."""
    consumed = 0
    for entry in entries:
        if isinstance(entry, Slot) and isinstance(dynamic[entry.number - 1], Array):
            type = dynamic[entry.number - 1]
            assert isinstance(type, Array)
            consumed += type.ndim if type.dtype.kind == "b" else 1
        elif entry is not None and entry is not Ellipsis:
            consumed += 1
    if consumed > array.ndim:
        raise Unsupported(f"too many indices: the array has {array.ndim} axes, the index names {consumed}")
    fill = [slice(None)] * (array.ndim - consumed)
    if any(entry is Ellipsis for entry in entries):
        at = next(i for i, entry in enumerate(entries) if entry is Ellipsis)
        return [*entries[:at], *fill, *entries[at + 1 :]]
    return [*entries, *fill]


def _advanced_axes(facts: Facts, entry: Any, dynamic: Sequence[Type], source: Any) -> tuple[Dim, ...] | None:
    """The axes that an integer, an index array or a mask contributes; None for an integer."""
    if isinstance(entry, Slot):
        type = dynamic[entry.number - 1]
        if not isinstance(type, Array) or type.dtype.kind not in "iub":
            raise Unsupported(f"an index must be an integer, a slice, or an integer or boolean array, not {type}")
        if type.dtype.kind == "b":
            for _ in type.axes:
                next(source)
            return (facts.fresh("count"),)
        next(source)
        return type.axes if type.ndim else None
    next(source)
    if isinstance(entry, list):
        return tuple(as_dim(n) for n in np.shape(entry))
    return None


def slice_length(facts: Facts, length: Dim, entry: slice, dynamic: Sequence[Type]) -> Dim:
    """How many elements a slice selects; adds the guards that make the answer certain."""
    length = facts.canon(length)
    start, stop, step = (_bound(facts, part, dynamic) for part in (entry.start, entry.stop, entry.step))
    if step is not None and step.constant is None:
        return facts.fresh()
    stride = 1 if step is None or step.constant is None else step.constant
    if all(part is None or part.constant is not None for part in (start, stop)) and length.constant is not None:
        whole = slice(*(None if part is None else part.constant for part in (start, stop, step)))
        return as_dim(len(range(*whole.indices(length.constant))))
    if stride > 0:
        low = _position(facts, start, length, as_dim(0), as_dim(0), length)
        high = _position(facts, stop, length, length, as_dim(0), length)
    else:  # from the last element down to, but without, the one before the first
        high = _position(facts, start, length, length - 1, as_dim(-1), length - 1)
        low = _position(facts, stop, length, as_dim(-1), as_dim(-1), length - 1)
    if low is None or high is None:
        return facts.fresh()
    if facts.require(">=", high, low):
        return (high - low + (abs(stride) - 1)) // abs(stride)
    return as_dim(0) if facts.require(">=", low, high) else facts.fresh()


def _bound(facts: Facts, part: Any, dynamic: Sequence[Type]) -> Dim | None:
    if isinstance(part, Slot):
        type = dynamic[part.number - 1]
        dim = type.dim if isinstance(type, Array) else None
        return dim if dim is not None else facts.fresh("bound")
    return None if part is None else as_dim(part)


def _position(facts: Facts, bound: Dim | None, length: Dim, default: Dim, lowest: Dim, highest: Dim) -> Dim | None:
    """Where a slice bound points to, clipped as Python does; None if it cannot be told.

    Which case it is, the example decides, and a guard holds it fast.
    """
    if bound is None:
        return default
    if not facts.require(">=", bound, as_dim(0)):
        if not facts.require(">=", as_dim(-1), bound):
            return None
        bound = length + bound  # counted from the end
    for within, edge in ((facts.require(">=", highest, bound), highest), (facts.require(">=", bound, lowest), lowest)):
        if not within:
            clipped = (edge, bound) if edge is lowest else (bound, edge)
            return edge if facts.require(">=", *clipped) else None
    return bound

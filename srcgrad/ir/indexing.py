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


def without_dots(array: Array, template: Any) -> Any:
    """The index of one element, `x[0, ...]`, as `x[0]`; any other as it is."""
    if not isinstance(template, tuple) or Ellipsis not in template or not array.ndim:
        return template
    rest = tuple(entry for entry in template if entry is not Ellipsis)
    one = len(rest) == array.ndim and not any(entry is None or isinstance(entry, (slice, list, bool)) for entry in rest)
    return template if not one else rest if len(rest) > 1 else rest[0]


def composed(first: Any, second: Any, base: Array, dynamic: Sequence[Type], later: Sequence[Type]) -> Any:
    """The index with which `x[first][second]` is read off `x`, for a first index of integers and full slices; or None.

    `dynamic` and `later` are the types of the run-time parts, which come one after the other in the joined index.
    """
    entries = second if isinstance(second, tuple) else (second,)
    if covers(second):
        return first
    outer = _expand(base, first if isinstance(first, tuple) else (first,), dynamic)
    if any(entry is None for entry in outer) or any(entry is None or entry is Ellipsis for entry in entries):
        return None
    if not is_basic(first, dynamic):
        return None
    places = [i for i, entry in enumerate(outer) if isinstance(entry, slice)]
    if not is_basic(second, later):  # beside integers an index array keeps its place where it follows them at once
        plain = len(entries) == 1 and not _is_mask(entries[0], later)
        if not plain or places != list(range(len(outer) - len(places), len(outer))):
            return None
    for place, entry in zip(places, entries):
        outer[place] = _nested(outer[place], _shifted(entry, len(dynamic)))
        if outer[place] is None:
            return None
    while outer[-1] == slice(None) and len(outer) > 1:
        outer.pop()
    return tuple(outer) if len(outer) > 1 else outer[0]


def _nested(first: slice, second: Any) -> Any:
    """The index along one axis for `x[first][second]`: where that is a matter of adding; else None."""
    if first == slice(None):
        return second
    if first.step is not None or first.stop is not None or type(first.start) is not int or first.start < 0:
        return None
    if type(second) is int and second >= 0:
        return first.start + second
    if not isinstance(second, slice) or not all(
        part is None or (type(part) is int and part >= 0) for part in _parts(second)
    ):
        return None
    return slice(
        (second.start or 0) + first.start, None if second.stop is None else second.stop + first.start, second.step
    )


def _parts(entry: slice) -> tuple[Any, Any, Any]:
    return entry.start, entry.stop, entry.step


def _shifted(entry: Any, shift: int) -> Any:
    if isinstance(entry, Slot):
        return Slot(entry.number + shift)
    if isinstance(entry, slice):
        return slice(*(_shifted(part, shift) for part in (entry.start, entry.stop, entry.step)))
    return entry


def covers(template: Any) -> bool:
    """Whether the index selects all of the array, in its order."""
    entries = template if isinstance(template, tuple) else (template,)
    return all(entry is Ellipsis or entry == slice(None) for entry in entries)


def selects_once(template: Any, dynamic: Sequence[Type]) -> bool:
    """Whether no element is selected twice: by ints, slices and at most one mask, or one list that names none twice."""
    entries = template if isinstance(template, tuple) else (template,)
    arrays = [entry for entry in entries if _is_array_entry(entry, dynamic)]
    return not arrays or (len(arrays) == 1 and (_is_mask(arrays[0], dynamic) or _distinct(arrays[0])))


def _distinct(entry: Any) -> bool:
    """A list of booleans, or of different integers counted from the start."""
    if not isinstance(entry, list):
        return False
    numbers = np.array(entry)
    return numbers.dtype.kind == "b" or (np.unique(numbers).size == numbers.size and bool(np.all(numbers >= 0)))


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
            return (type.count if type.count is not None else facts.fresh("count"),)
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
        cut = _cut_off(start, stop)
        return facts.clip(length - cut) if stride == 1 and cut is not None else facts.fresh()
    if facts.require(">=", high, low):
        return (high - low + (abs(stride) - 1)) // abs(stride)
    return as_dim(0) if facts.require(">=", low, high) else facts.fresh()


def _cut_off(start: Dim | None, stop: Dim | None) -> int | None:
    """How many elements `[start:stop]` leaves out at the two ends of an array, if it has as many."""
    first = 0 if start is None else start.constant
    last = 0 if stop is None else stop.constant
    if first is None or last is None or first < 0 or (stop is not None and last >= 0):
        return None
    return first - last


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

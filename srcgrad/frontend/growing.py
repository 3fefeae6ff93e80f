"""Making an array of a list before the loop that fills it, and counting what each pass adds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.dims import Dim, as_dim
from ..ir.nodes import Const, Slot, Value
from ..ir.types import Array
from .filled import WAY_OUT, Container, Filled, Filling, Grow, Growth, Rows
from .state import Place, Silent
from .storing import Storing
from .values import DictValue


class Growing(Storing):
    @contextmanager
    def filling(self, bounds: tuple[Any, Any, Any, bool]) -> Iterator[Filling]:
        """While a loop is read; before it, lists that it fills become arrays."""
        loop = Filling(self._occurrence(), self.depth, bounds)
        for container in self._fillable():
            growth = self.plan.grows.get((loop.place, container.place))
            if growth is not None and container.depth == self.depth and not container.foreign:
                self._become_rows(container, growth, loop)
        self.loops.append(loop)
        try:
            yield loop
            for rows in loop.rows:
                self._check_filled(rows, loop)
        finally:
            self.loops.pop()
            for rows in loop.rows:
                rows.filling = rows.recent = None

    def _occurrence(self) -> Place:
        """The loop's place, by the calls that lead to it, and which time it is read there."""
        calls = [f"{f.statement.lineno}:{f.statement.col_offset}" for f in self.frames[:-1] if f.statement is not None]
        (file, line, column), reader = self.here(), self.reader()
        around = " ".join(calls) if reader is None else repr(reader.key)
        place = f"{file} {around}", line, column
        which = place, self.depth, id(reader)
        self.entered[which] += 1
        return f"{place[0]} {self.entered[which]}", line, column

    def reader(self) -> Any:
        """The procedure that is being read, if any."""
        return None

    def begin_pass(self, loop: Filling, index: Value) -> None:
        loop.index, loop.inner, loop.counts = index, self.depth, dict.fromkeys(loop.rows, 0)
        for rows in loop.rows:
            rows.recent = None

    def _check_filled(self, rows: Rows, loop: Filling) -> None:
        count = loop.counts.get(rows, 0)
        if count == rows.growth.count or (count and rows.growth.offset is not None):
            return
        if not count:
            self._learn_no_growth(rows)
        if not count and rows.growth.guessed:
            text = f"an item of `{rows.name}` is chosen by a number that is known only while running"
            raise Unsupported(text, "Use a list in place of the dict.")
        if not count and self.faults:
            raise Silent
        if not count:
            raise Unsupported(f"`{rows.name}` is filled by this loop in some readings only", WAY_OUT)
        raise Grow((loop.place, self._place_of(rows)), replace(rows.growth, count=count))

    def _become_rows(self, container: Container, growth: Growth, loop: Filling) -> None:
        """An array in place of a list: the items that it has, and room for those that the loop adds."""
        name = self.variable_of(container)
        added = self._pass_count(loop) * growth.count if growth.count else as_dim(0)
        old, below = container.rows, 0
        if isinstance(container, DictValue):
            if old is not None:
                raise Unsupported(f"two loops fill the dict `{name}`", "Use one dict for each.")
            before, below = self._keys_before(container, growth, loop, name)
            items = dict(container.items)
        else:
            items = {} if old is not None else dict(enumerate(container.items))
            before = old.total if old is not None else as_dim(len(items))
        total = before + added + below
        alike = _alike(list(items.values())) if not growth.count else None
        arrays = [self._allocated(type, total, name, k, alike) for k, type in enumerate(growth.types)]
        rows = Rows(name, arrays, growth, total, below, before, loop if growth.count else None)
        container.rows = rows
        container.items = Filled(name)  # type: ignore[assignment]
        if growth.count:
            loop.rows.append(rows)
        for key, item in items.items() if alike is None else ():
            self._put(rows, Const(key), item, first=True)
        if old is not None:
            for array, earlier in zip(arrays, old.arrays):
                index = slice(None, self._number_of(before))
                dynamic = [index.stop] if isinstance(index.stop, Value) else []
                template = slice(None, Slot(1)) if dynamic else index
                self._write(array, template, dynamic, self.latest(earlier), True)

    def _keys_before(self, container: DictValue, growth: Growth, loop: Filling, name: str) -> tuple[Dim, int]:
        """Rows before those of the loop, and how many keys are negative: together without a gap."""
        keys = list(container.items)
        start = self.facts.canon(self.dim(loop.bounds[0])).constant
        if growth.guessed and start is not None:
            growth.offset = sum(1 for key in keys if type(key) is int and key >= 0) - start
        first = self.facts.canon(self.dim(loop.bounds[0]) + (growth.offset or 0)).constant
        below = sum(1 for key in keys if type(key) is int and key < 0)
        wanted = [*range(-below, 0), *range(first or 0)]
        stride = self.maybe_number(loop.bounds[2])
        if (
            first is None
            or loop.bounds[3]
            or stride != 1
            or first < 0
            or set(keys) - set(wanted)
            or len(keys) < len(wanted)
        ):
            raise Unsupported(
                f"the dict `{name}` is filled with keys that are no rows of an array",
                "Let the loop count from 0, or from the number of keys before it; keys -1, -2, ... may precede.",
            )
        return as_dim(first), below

    def _allocated(self, type: Array, total: Dim, name: str, number: int, alike: Const | None) -> Value:
        shape = tuple(self._as_value(dim) for dim in (total, *type.axes))
        kwargs = {} if type.dtype == np.float64 else {"dtype": type.dtype}
        if alike is not None and alike.value:
            array = self.invoke(np.full, [shape, alike], kwargs, "np.full")
        else:
            array = self.invoke(np.empty if alike is None else np.zeros, [shape], kwargs, "")
        array.hint = name if not number else f"{name}_{number}"
        self.named_at[array] = self.frame.level
        self.listed[array] = name
        return array  # type: ignore[no-any-return]

    def _as_value(self, dim: Dim) -> Any:
        number = self._number_of(dim)
        return Const(number) if type(number) is int else number


def _alike(items: list[Any]) -> Const | None:
    """The number that all items of a list are, as in `[0.0] * n`."""
    first = items[0]
    known = isinstance(first, Const) and all(isinstance(v, Const) and repr(v.value) == repr(first.value) for v in items)
    return first if known else None

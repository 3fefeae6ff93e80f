"""Reading lists and dicts that loops have filled: an item, the length, all of it as the array that it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np

from ..errors import Unsupported
from ..ir.dims import Dim, as_dim
from ..ir.nodes import Const, Slot, Value
from ..ir.primitive import find, named
from .filled import Container, Filled, FilledLists, Rows, singular
from .values import DictValue, Iteration, ListValue, describe, flatten, is_number

_STACKING = (np.stack, np.vstack, np.concatenate, np.hstack, np.column_stack, np.dstack, np.block)


class Reading(FilledLists):
    def read_row(self, container: Container, key: Any) -> Any:
        """`hs[key]`."""
        rows = container.rows
        if not is_number(key) or key.type.ndim or key.type.dtype.kind not in "iu":
            raise Unsupported(f"{describe(key)} as the index of `{rows.name}`", "It takes an integer.")
        number = self.maybe_number(key)
        if rows.filling is not None or isinstance(container, DictValue):
            place = self._key_now(rows, container, self.dim(key))
            recent = rows.recent
            if recent is not None and self.depth[: len(recent[0])] == recent[0] and self.facts.same(recent[1], place):
                return recent[2]
            self._check_there(rows, place)
            if rows.filling is not None and number is not None and number < 0 and isinstance(container, ListValue):
                key, number = self._number_of(place), None
        template, dynamic = (Slot(1), [key]) if number is None else (number, [])
        if type(key) is int:
            template, dynamic = key, []
        return self._row_of(
            rows, lambda array: self.apply(named("getitem"), [array, *dynamic], {"index": template}, "operator")
        )

    def _row_of(self, rows: Rows, read: Any) -> Any:
        leaves = []
        for array, type in zip(rows.arrays, rows.growth.types):
            leaf = read(array)
            if type.weak:
                self.promotions.append(self.builder.origin)  # a row is a NumPy number, the item was a Python one
            if is_number(rows.growth.item):
                leaf.hint = leaf.hint or singular(rows.name)
            leaves.append(leaf)
        return flatten(rows.growth.item)[1](leaves)

    def _key_now(self, rows: Rows, container: Container, key: Dim) -> Dim:
        """Of a list that is being filled, -1 is the item stored last."""
        negative = key.constant is not None and key.constant < 0
        if isinstance(container, ListValue) and negative and rows.filling is not None:
            return self._filled_length(rows) + key
        return key

    def whole(self, value: Any) -> Any:
        """A filled list as the array that it is, for functions that stack or walk over it; else the value itself."""
        if not isinstance(value, ListValue) or value.rows is None:
            return value
        rows = value.rows
        if len(rows.arrays) != 1 or rows.filling is not None or not is_number(rows.growth.item):
            return value
        rows.sealed = True
        if rows.growth.types[0].weak:
            self.promotions.append(self.builder.origin)
        return rows.arrays[0]

    def walkable(self, value: Any) -> Any:
        """What a loop walks over, with filled lists as the arrays that they are."""
        if isinstance(value, Iteration):
            return Iteration(value.kind, tuple(map(self.walkable, value.parts)), value.start)
        if isinstance(value, ListValue) and value.rows is not None and value.rows.filling is None:
            item, arrays = value.rows.growth.item, value.rows.arrays
            if isinstance(item, tuple) and type(item) is tuple and all(map(is_number, item)):
                return Iteration("zip", tuple(arrays))
        return self.whole(value)

    def count_rows(self, container: Container) -> Any:
        """len()."""
        rows = container.rows
        below = as_dim(rows.below)
        number = self._number_of(self._filled_length(rows) + below)
        return Const(number) if type(number) is int else number

    def _refuse_items(self, container: Any) -> NoReturn:
        Filled(container.rows.name)._refuse()

    def stacked(self, function: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        """np.stack and its like of a filled list; NotImplemented where there is none."""
        if not args or not isinstance(args[0], ListValue) or args[0].rows is None or function not in _STACKING:
            return NotImplemented
        array = self.whole(args[0])
        if not isinstance(array, Value):
            self._refuse_items(args[0])
        axis = kwargs.get("axis", args[1] if len(args) > 1 else Const(0))
        axis = self.number(axis) if is_number(axis) else axis
        ndim = array.type.ndim  # type: ignore[union-attr]
        if function is np.stack and axis == 0 and not set(kwargs) - {"axis"}:
            return array
        if function is np.stack and not set(kwargs) - {"axis"}:
            return self.apply(find(np.moveaxis), [array], {"source": 0, "destination": axis})  # type: ignore[arg-type]
        if function is np.vstack and ndim == 2 and not kwargs:
            return array
        if function in (np.concatenate, np.vstack) and ndim > 1 + (function is np.vstack) and axis == 0:
            rest = tuple(self.length(array, k) for k in range(2, ndim))
            return self.invoke(np.reshape, [array, (Const(-1), *rest)], {}, "np.reshape")
        return self._refuse_items(args[0])

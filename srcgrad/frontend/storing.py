"""Storing items into lists and dicts that loops fill: rows of arrays."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NoReturn

from ..errors import Unsupported
from ..ir.dims import Dim
from ..ir.nodes import Slot, Value
from ..ir.primitive import named
from ..ir.types import Array
from .filled import WAY_OUT, Container, Filling, Grow, Growth, Rows, singular
from .reading import Reading
from .values import DictValue, ListValue, describe, flatten, is_number, same_structure


class Storing(Reading):
    def fills(self, container: Any) -> bool:
        """Whether a change of this list or dict is one of rows."""
        if not isinstance(container, (ListValue, DictValue)) or container.foreign:
            return False
        if container.rows is not None:
            return True
        return container.depth != self.depth and any(loop.outer == container.depth for loop in self.loops)

    def store_row(self, container: Container, key: Any, item: Any) -> None:
        """`hs.append(item)` where `key` is None, or `hs[key] = item`."""
        rows, loop = container.rows, next((e for e in self.loops if e.outer == container.depth), None)
        if rows is None or (key is None and rows.filling is None and loop is not None):
            self._grow(container, key, item, loop)
        if rows.sealed:
            raise Unsupported(f"`{rows.name}` changes after it was stacked", "Stack it once it is complete.")
        self._check_item(rows, item)
        if rows.filling is None:
            self._store_after(rows, container, key, item)
            return
        if self.depth != rows.filling.inner:
            raise Unsupported(f"`{rows.name}` gets an item in some passes only", WAY_OUT)
        if key is not None and isinstance(container, ListValue):
            self._learn_no_growth(rows)
        count = rows.filling.counts[rows]
        rows.filling.counts[rows] = count + 1
        if key is None:
            place = rows.start + self._done(rows.filling) * rows.growth.count + count
            key = self._number_of(place)
        else:
            place = self._stored_key(rows, container, key)
        first = rows.filling.counts[rows] > count and (rows.growth.offset is None or count == 0)
        self._name_items(rows, item)
        rows.recent = (self.depth, place, item)
        self._put(rows, key, item, first)

    def _name_items(self, rows: Rows, item: Any) -> None:
        """An item without a name of its own is called after its list: `h` of `hs`."""
        if isinstance(item, Value) and item.hint is None:
            item.hint = singular(rows.name)
            self.named_at[item] = self.frame.level

    def _stored_key(self, rows: Rows, container: Container, key: Any) -> Dim:
        """The key that this pass adds; another one only where it holds an item already."""
        place = self.dim(key)
        assert rows.filling is not None
        assert rows.filling.index is not None
        own = self.dim(rows.filling.index) + (rows.growth.offset or 0)
        if rows.growth.guessed and isinstance(container, DictValue) and not self.facts.same(place, own):
            self._learn_offset(rows, container, place)
        if rows.growth.offset is None or not self.facts.same(place, own):
            rows.filling.counts[rows] -= 1
            self._check_there(rows, place)
        return place

    def _learn_offset(self, rows: Rows, container: Container, place: Dim) -> None:
        """The first store of a pass tells better than a guess which key the loop adds."""
        assert rows.filling is not None
        assert rows.filling.index is not None
        distance = self.facts.canon(place - self.dim(rows.filling.index)).constant
        if distance is not None and rows.filling.counts[rows] == 1:
            growth = replace(rows.growth, offset=distance, guessed=False)
            raise Grow((rows.filling.place, container.place), growth)

    def guess_growth(self, container: Container, key: Any) -> None:
        """An item of a list from before the loop, chosen by the pass: the loop is about to fill it."""
        loop = next((each for each in self.loops if each.outer == container.depth), None)
        items = container.items if isinstance(container, ListValue) else list(container.items.values())
        outside = loop is not None and not container.foreign and container.depth != self.depth
        if not outside or not isinstance(key, Value) or self.maybe_number(key) is not None:
            return
        if not items:
            raise Unsupported("it is not certain that this holds an item by now", WAY_OUT)
        self.needs_unrolling()
        types = [leaf.type for leaf in flatten(items[0])[0]]
        assert loop is not None
        if types and all(isinstance(t, Array) for t in types) and (loop.place, container.place) not in self.plan.grows:
            offset = 0 if isinstance(container, DictValue) else None
            raise Grow((loop.place, container.place), Growth(items[0], types, 1, offset, guessed=True))

    def _grow(self, container: Container, key: Any, item: Any, loop: Filling | None) -> NoReturn:
        """The first item that a loop stores tells what the list is made of."""
        self.needs_unrolling()
        kind = "list" if isinstance(container, ListValue) else "dict"
        replaced = kind == "list" and key is not None and bool(container.items)
        inside = loop is not None and (self.depth == loop.inner or replaced)
        if loop is None or not inside or (loop.place, container.place) in self.plan.grows:
            raise Unsupported(f"a {kind} made outside a loop or branch changes inside it, in some passes only", WAY_OUT)
        offset = None
        if key is not None and not replaced:
            assert loop.index is not None
            distance = self.facts.canon(self.dim(key) - self.dim(loop.index)).constant if is_number(key) else None
            if distance is None or kind == "list":
                raise Unsupported(f"a {kind} made outside a loop changes inside it", WAY_OUT)
            offset = distance
        leaves, _ = flatten(item)
        if not leaves:
            raise Unsupported(f"{describe(item)} as an item of a {kind} that a loop fills", "Store arrays or numbers.")
        types = [leaf.type for leaf in leaves]
        known = all(isinstance(t, Array) and all(self.facts.canon(a).entry for a in t.axes) for t in types)
        if not known:
            raise Unsupported(f"a {kind} whose items have a length that is known only inside the loop", WAY_OUT)
        raise Grow((loop.place, container.place), Growth(item, types, 0 if replaced else 1, offset))

    def _store_after(self, rows: Rows, container: Container, key: Any, item: Any) -> None:
        if key is None or (self.depth != container.depth and rows.growth.count):
            raise Unsupported(f"`{rows.name}`, which a loop has filled, changes afterwards", "Append before the loop.")
        if rows.growth.count:  # else any index that a list takes will do, and another fails as there
            self._check_there(rows, self.dim(key))
        rows.recent = None
        self._put(rows, key, item, first=False)

    def _check_item(self, rows: Rows, item: Any) -> None:
        """Items are alike, and stay as they are: another array would have to follow every change."""
        if not same_structure(rows.growth.item, item):
            raise Unsupported(f"`{rows.name}` gets items of different kinds", WAY_OUT)
        for leaf, type in zip(flatten(item)[0], rows.growth.types):
            if leaf.type.dtype != type.dtype or not self._fits(leaf.type, type):
                raise Unsupported(f"`{rows.name}` gets items of type {type} and {leaf.type}", "Give them one type.")
            if leaf.type.weak != type.weak:
                self.promotions.append(self.builder.origin)
            if not self.is_array(leaf):
                continue
            made = {value for op in self.builder.ops for value in op.outputs}
            for base in self.bases(leaf):
                if base in self.current and base not in made:
                    raise Unsupported(
                        f"an array that is changed in place is an item of `{rows.name}`, where all items would change",
                        "Append a copy: `.append(x.copy())`.",
                    )
                self.listed[base] = rows.name

    def _fits(self, one: Array, other: Array) -> bool:
        pairs = list(zip(one.axes, other.axes))
        return one.ndim == other.ndim and all(self.facts.same(a, b) or self.facts.require("==", a, b) for a, b in pairs)

    def _put(self, rows: Rows, key: Any, item: Any, first: bool) -> None:
        """Write a row; `first` says that it has not been written before, nor read."""
        self._check_item(rows, item)
        index = self.maybe_number(key)
        template, dynamic = (Slot(1), [key]) if index is None else (index, [])
        for array, leaf in zip(rows.arrays, flatten(item)[0]):
            self._write(array, template, dynamic, leaf, first)

    def _write(self, array: Value, template: Any, dynamic: list[Any], value: Any, first: bool) -> None:
        style = "fill" if first else "function"
        new = self.apply(named("index_set"), [array, value, *dynamic], {"index": template}, style)
        new.hint = array.hint
        self.write(array, new)

    def write(self, array: Value, new: Value) -> None:
        """An item that changes right after it was stored is stored again."""
        super().write(array, new)
        for rows in self._holding(array):
            assert rows.recent is not None
            _, place, item = rows.recent
            self._put(rows, self._number_of(place), item, first=False)

    def may_change_item(self, array: Value) -> bool:
        return bool(self._holding(array))

    def _holding(self, array: Value) -> list[Rows]:
        """Lists that have got this array as an item in this very pass, outside of branches and loops inside."""
        base = array
        while base in self.exact:
            base = self.exact[base].base
        recent = [rows for loop in self.loops for rows in loop.rows if rows.recent is not None]
        return [r for r in recent if r.recent and r.recent[0] == self.depth and base in flatten(r.recent[2])[0]]

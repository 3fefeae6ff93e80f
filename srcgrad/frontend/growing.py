"""Lists and dicts that loops fill, item by item: arrays with one row for each item.

`hs = []` and `hs.append(h)` in each pass become `hs = np.zeros((n, h.size))` and `hs[t] = h`; so does a dict with the
pass's number as its key, and key -1, if it has one, is the last row. The loop is read until its first append tells what
an item is; the function is then read again, with an array made before that loop. What is known of an array holds for
the list: its length, which index is in range, how it is stacked. Where the array would not do as the list does - an
item that changes later, an index that is not there yet, an append in some passes only - the function is refused.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

import numpy as np

from ..errors import Unsupported
from ..ir.dims import Dim, as_dim
from ..ir.nodes import Const, Slot, Value
from ..ir.primitive import find, named
from ..ir.types import Array
from .overloads import Overloads
from .state import Place, Plan, Restart, Silent
from .values import Closure, DictValue, Iteration, ListValue, Record, describe, flatten, is_number, same_structure

Container = ListValue | DictValue
_WAY_OUT = "Use an array: `out = np.zeros(...)` before the loop, and `out[i] = ...` inside."


@dataclass(eq=False)
class Growth:
    """What one loop adds to a list or dict in each pass: `item` tells the structure, `types` the leaves' types."""

    item: Any
    types: list[Array]
    count: int = 1  # appends in a pass
    offset: int | None = None  # of a dict: the key less the loop's index
    guessed: bool = False  # from an item that is read, before the loop stores its first


@dataclass(eq=False)
class Rows:
    """A filled list or dict: an array for each leaf of an item, and which keys they hold."""

    name: str
    arrays: list[Value]
    growth: Growth
    total: Dim  # rows
    below: int = 0  # keys -1, -2, ...: the last rows
    start: Dim = field(default_factory=lambda: as_dim(0))  # rows that were there before the loop
    filling: Filling | None = None  # the loop that is filling it, while it is read
    recent: tuple[tuple[int, ...], Dim, Any] | None = None  # where an item was last stored, under which key, and it
    sealed: bool = False  # whether the array has been given out as such


@dataclass(eq=False)
class Filling:
    """A loop that is being read: the pass's index, how many passes there are and were before."""

    place: Place
    outer: tuple[int, ...]
    bounds: tuple[Any, Any, Any, bool]
    inner: tuple[int, ...] = ()
    index: Value | None = None
    rows: list[Rows] = field(default_factory=list)
    counts: dict[Rows, int] = field(default_factory=dict)


class Grow(Restart):
    """Read the function again with an array for this list, from this loop on."""

    def __init__(self, key: tuple[Place, Place], growth: Growth):
        self.key, self.growth = key, growth

    def learn(self, plan: Plan) -> Plan:
        return replace(plan, grows={**plan.grows, self.key: self.growth})


class Filled:
    """Stands for the items of a filled list: whoever asks for them one by one is refused."""

    def __init__(self, name: str):
        self._name = name

    def _refuse(self, *args: Any) -> NoReturn:
        raise Unsupported(
            f"`{self._name}`, which a loop has filled, is used in a way that needs its items one by one",
            "It can be indexed, walked over, stacked, summed, and measured with len().",
        )

    __iter__ = __len__ = __getitem__ = __setitem__ = __contains__ = __bool__ = __add__ = __mul__ = __or__ = _refuse

    def __getattr__(self, name: str) -> Any:
        return self._refuse()


class Growing(Overloads):
    # Loops

    @contextmanager
    def filling(self, bounds: tuple[Any, Any, Any, bool]) -> Iterator[Filling]:
        """While a loop is read; before it, lists that it fills become arrays."""
        loop = Filling(self._occurrence(), self.depth, bounds)
        for container in self._containers():
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
        if not count and rows.growth.guessed:
            text = f"an item of `{rows.name}` is chosen by a number that is known only while running"
            raise Unsupported(text, "Write np.stack of the items, and index that.")
        if not count and self.faults:
            raise Silent
        if not count:
            raise Unsupported(f"`{rows.name}` is filled by this loop in some readings only", _WAY_OUT)
        raise Grow((loop.place, self._place_of(rows)), replace(rows.growth, count=count))

    def _place_of(self, rows: Rows) -> Place:
        return next(c.place for c in self._containers() if c.rows is rows)

    def _containers(self) -> list[Container]:
        """Every list and dict that a variable leads to."""
        found: dict[int, Container] = {}
        seen: set[int] = set()

        def visit(value: Any) -> None:
            if id(value) in seen:
                return
            seen.add(id(value))
            if isinstance(value, (ListValue, DictValue)):
                found[id(value)] = value
                if value.rows is None:
                    for item in value.items if isinstance(value, ListValue) else value.items.values():
                        visit(item)
            elif isinstance(value, tuple):
                for item in value:
                    visit(item)
            elif isinstance(value, Record):
                for item in value.attrs.values():
                    visit(item)
            elif isinstance(value, Closure):
                for item in value.frame.env.values():
                    visit(item)

        for frame in self._all_frames():
            for value in frame.env.values():
                visit(value)
        return list(found.values())

    def _pass_count(self, loop: Filling) -> Dim:
        """How many passes the loop makes; the calls check that it is no negative number."""
        start, stop, step, _ = loop.bounds
        stride = self.maybe_number(step)
        if stride not in (1, -1):
            raise Unsupported(
                "a list that a loop with a step fills", "Loop over range(n), and compute the index from it."
            )
        count: Dim = (self.dim(stop) - self.dim(start)) * stride
        if not self.facts.canon(count).entry or not self.facts.require(">=", count, as_dim(0)):
            raise Unsupported("a list filled in passes whose number is not known before the loop", _WAY_OUT)
        return count

    def _done(self, loop: Filling) -> Dim:
        """How many passes there were before this one."""
        start, stop, step, backwards = loop.bounds
        assert loop.index is not None
        assert isinstance(loop.index.type, Array)
        assert loop.index.type.dim is not None
        stride = self.maybe_number(step)
        first = self.dim(start) if not backwards else self.dim(stop) - stride
        done: Dim = (loop.index.type.dim - first) * (stride if not backwards else -stride)
        return done

    def _become_rows(self, container: Container, growth: Growth, loop: Filling) -> None:
        """An array in place of a list: the items that it has, and room for those that the loop adds."""
        name = self._variable(container)
        added = self._pass_count(loop) * growth.count
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
        arrays = [self._allocated(type, total, name, k) for k, type in enumerate(growth.types)]
        rows = Rows(name, arrays, growth, total, below, before, loop)
        container.rows = rows
        container.items = Filled(name)  # type: ignore[assignment]
        loop.rows.append(rows)
        for key, item in items.items():
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

    def _allocated(self, type: Array, total: Dim, name: str, number: int) -> Value:
        shape = tuple(self._as_value(dim) for dim in (total, *type.axes))
        kwargs = {} if type.dtype == np.float64 else {"dtype": type.dtype}
        array = self.invoke(np.empty, [shape], kwargs, "np.empty")
        array.hint = name if not number else f"{name}_{number}"
        self.named_at[array] = self.frame.level
        self.listed[array] = name
        return array  # type: ignore[no-any-return]

    def _as_value(self, dim: Dim) -> Any:
        number = self._number_of(dim)
        return Const(number) if type(number) is int else number

    def _variable(self, container: Container) -> str:
        names = [name for frame in self._all_frames() for name, value in frame.env.items() if value is container]
        return names[0].strip() if names else "items"

    # Storing

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
            raise Unsupported(f"`{rows.name}` gets an item in some passes only", _WAY_OUT)
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
            item.hint = _singular(rows.name)
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
            raise Unsupported("it is not certain that this holds an item by now", _WAY_OUT)
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
        if loop is None or self.depth != loop.inner or (loop.place, container.place) in self.plan.grows:
            raise Unsupported(
                f"a {kind} made outside a loop or branch changes inside it, in some passes only", _WAY_OUT
            )
        offset = None
        if key is not None:
            assert loop.index is not None
            distance = self.facts.canon(self.dim(key) - self.dim(loop.index)).constant if is_number(key) else None
            if distance is None or kind == "list":
                raise Unsupported(f"a {kind} made outside a loop changes inside it", _WAY_OUT)
            offset = distance
        leaves, _ = flatten(item)
        if not leaves:
            raise Unsupported(f"{describe(item)} as an item of a {kind} that a loop fills", "Store arrays or numbers.")
        types = [leaf.type for leaf in leaves]
        known = all(isinstance(t, Array) and all(self.facts.canon(a).entry for a in t.axes) for t in types)
        if not known:
            raise Unsupported(f"a {kind} whose items have a length that is known only inside the loop", _WAY_OUT)
        raise Grow((loop.place, container.place), Growth(item, types, 1, offset))

    def _store_after(self, rows: Rows, container: Container, key: Any, item: Any) -> None:
        if key is None or self.depth != container.depth:
            raise Unsupported(f"`{rows.name}`, which a loop has filled, changes afterwards", "Append before the loop.")
        self._check_there(rows, self.dim(key))
        rows.recent = None
        self._put(rows, key, item, first=False)

    def _check_item(self, rows: Rows, item: Any) -> None:
        """Items are alike, and stay as they are: another array would have to follow every change."""
        if not same_structure(rows.growth.item, item):
            raise Unsupported(f"`{rows.name}` gets items of different kinds", _WAY_OUT)
        for leaf, type in zip(flatten(item)[0], rows.growth.types):
            if leaf.type.dtype != type.dtype or not self._fits(leaf.type, type):
                raise Unsupported(f"`{rows.name}` gets items of type {type} and {leaf.type}", "Give them one type.")
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

    def _number_of(self, dim: Dim) -> Any:
        """A length as a number of the output, or known now; by the pass's index if it depends on it."""
        dim = self.facts.canon(dim)
        if dim.constant is not None:
            return dim.constant
        for loop in reversed(self.loops):
            own = loop.index.type.dim if loop.index is not None and isinstance(loop.index.type, Array) else None
            symbol = None if own is None else own.symbol
            times = 0 if symbol is None else dict(dim.terms).get((symbol,), 0)
            if own is not None and times:
                return self._of_index(loop.index, times, self.facts.canon(dim - own * times))
        return self.apply(named("dim"), [], {"dim": dim})

    def _of_index(self, index: Any, times: int, rest: Dim) -> Any:
        """`times * index + rest`, as short as it can be said."""
        if times < 0:
            known = self._number_of(rest)
            left = Const(known) if type(known) is int else known
            right = index if times == -1 else self.binary(ast.Mult, Const(-times), index, ast.Mult())
            return self.binary(ast.Sub, left, right, ast.Sub())
        product = index if times == 1 else self.binary(ast.Mult, Const(times), index, ast.Mult())
        known = self._number_of(rest)
        if known == 0 and type(known) is int:
            return product
        if type(known) is int:
            return self.binary(ast.Add if known > 0 else ast.Sub, product, Const(abs(known)), ast.Pass())
        return self.binary(ast.Add, product, known, ast.Add())

    # Reading

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
                leaf.hint = leaf.hint or _singular(rows.name)
            leaves.append(leaf)
        return flatten(rows.growth.item)[1](leaves)

    def _key_now(self, rows: Rows, container: Container, key: Dim) -> Dim:
        """Of a list that is being filled, -1 is the item stored last."""
        negative = key.constant is not None and key.constant < 0
        if isinstance(container, ListValue) and negative and rows.filling is not None:
            return self._filled_length(rows) + key
        return key

    def _filled_length(self, rows: Rows) -> Dim:
        """How many rows there are by now, those of negative keys aside."""
        if rows.filling is None:
            return rows.total - rows.below
        done = self._done(rows.filling) * rows.growth.count
        return rows.start + done + rows.filling.counts.get(rows, 0)

    def _check_there(self, rows: Rows, key: Dim) -> None:
        """Raises Unsupported unless the key is certainly one that has an item."""
        last = self._filled_length(rows) - 1
        above = self.facts.require(">=", self.facts.canon(key), as_dim(-rows.below))
        if not (above and self.facts.require(">=", self.facts.canon(last), self.facts.canon(key))):
            raise Unsupported(f"it is not certain that `{rows.name}` holds an item here by now", _WAY_OUT)

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


def _singular(name: str) -> str:
    return name[:-1] if len(name) > 1 and name.endswith("s") else f"{name}_item"


_STACKING = (np.stack, np.vstack, np.concatenate, np.hstack, np.column_stack, np.dstack, np.block)

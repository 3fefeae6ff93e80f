"""Lists and dicts that loops fill, item by item: arrays with one row for each item.

`hs = []` and `hs.append(h)` in each pass become `hs = np.zeros((n, h.size))` and `hs[t] = h`; so does a dict with the
pass's number as its key, and key -1, if it has one, is the last row. The loop is read until its first append tells what
an item is; the function is then read again, with an array made before that loop. What is known of an array holds for
the list: its length, which index is in range, how it is stacked. Where the array would not do as the list does - an
item that changes later, an index that is not there yet, an append in some passes only - the function is refused.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

from ..errors import Unsupported
from ..ir.dims import Dim, as_dim
from ..ir.nodes import Const, Value
from ..ir.primitive import named
from ..ir.types import Array
from .overloads import Overloads
from .state import Place, Plan, Restart
from .values import DictValue, ListValue

Container = ListValue | DictValue
WAY_OUT = "Use an array: `out = np.zeros(...)` before the loop, and `out[i] = ...` inside."


@dataclass(eq=False)
class Growth:
    """What one loop adds to a list or dict in each pass: `item` tells the structure, `types` the leaves' types."""

    item: Any
    types: list[Array]
    count: int = 1  # appends in a pass; 0 where items from before the loop are chosen, or replaced, while running
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


class FilledLists(Overloads):
    def _place_of(self, rows: Rows) -> Place:
        return next(c.place for c in self._fillable() if c.rows is rows)

    def _learn_no_growth(self, rows: Rows) -> None:
        """A list whose items the loop reads, or replaces, and to which it appends none."""
        if rows.growth.guessed and rows.growth.offset is None and rows.filling is not None:
            raise Grow((rows.filling.place, self._place_of(rows)), replace(rows.growth, count=0, guessed=False))

    def _fillable(self) -> list[Container]:
        """Every list and dict that a variable leads to."""
        return [each for each in self.containers() if isinstance(each, (ListValue, DictValue))]

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
            raise Unsupported("a list filled in passes whose number is not known before the loop", WAY_OUT)
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
            self._learn_no_growth(rows)
            raise Unsupported(f"it is not certain that `{rows.name}` holds an item here by now", WAY_OUT)

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


def singular(name: str) -> str:
    return name[:-1] if len(name) > 1 and name.endswith("s") else f"{name}_item"

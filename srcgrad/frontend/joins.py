"""Where two paths meet: truth values, and one value out of two branches that each computed one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.dims import Dim, Symbol
from ..ir.nodes import NO_ATTRS, Const, Region, Undefined, Value
from ..ir.primitive import named
from ..ir.types import Array, Type
from .memory import Memory
from .state import ABSENT, Entry
from .values import (
    BoundMethod,
    Closure,
    DictValue,
    Iteration,
    ListValue,
    RangeValue,
    describe,
    flatten,
    lift,
    same_structure,
)

Half = tuple[list[Any], Any]  # the ops of a branch, and what it computed


class Joins(Memory):
    # Truth

    def condition(self, value: Any) -> Any:
        """A run-time truth value: a scalar."""
        if isinstance(value, Value) and isinstance(value.type, Array) and value.type.ndim:
            raise Unsupported(
                "the truth value of an array is ambiguous",
                "Use np.where for a choice by element, or .any() or .all().",
            )
        if isinstance(value, (Value, Const, bool)):
            return value
        raise Unsupported(f"{describe(value)} as a condition")

    def maybe_truth(self, value: Any) -> bool | None:
        """Whether a condition holds, if that is known now."""
        if isinstance(value, (Value, Const)):
            number = self.maybe_number(value)
            return None if number is None else bool(number)
        if isinstance(value, (ListValue, DictValue)):
            return bool(value.items)
        if isinstance(value, (RangeValue, Iteration)):
            return None
        if isinstance(value, (BoundMethod, Closure)):
            return True
        return bool(value)

    def truth(self, value: Any) -> bool:
        known = self.maybe_truth(value)
        if known is None:
            raise Unsupported("this condition must be known when compiling")
        return known

    # Types

    def common_type(self, types: Sequence[Type], own: set[Symbol] | None = None) -> Type:
        """The type that holds either path's value; ints and floats meet as floats, as in arithmetic.

        An axis that is not equally long on both paths has a length known only while running. A loop's `own` lengths of
        that kind, which are extended, stand for those of every pass.
        """
        result = types[0]
        for type in types[1:]:
            if not isinstance(type, Array) or not isinstance(result, Array):
                if type != result:
                    raise Unsupported(f"the variable is {result} on one path and {type} on another")
                continue
            axes = self._common_axes(result, type, own)
            self._same_precision(result, type)
            result = replace(_common_number(result, type), axes=axes)
        return replace(result, dim=None) if isinstance(result, Array) else result

    def _common_axes(self, a: Array, b: Array, own: set[Symbol] | None) -> tuple[Dim, ...]:
        if a.ndim != b.ndim:
            raise Unsupported(
                f"the variable is {a} on one path and {b} on another",
                "Give it one shape on every path (start with np.zeros), or use two names.",
            )
        return tuple(
            x if self.facts.canon(x).symbol in (own or ()) or self.agree([x], [y]) else self._meeting(x, y, own)
            for x, y in zip(a.axes, b.axes)
        )

    def _meeting(self, x: Dim, y: Dim, own: set[Symbol] | None) -> Dim:
        """A length that is one or the other; of a loop, at least what it starts with, until a pass cuts it."""
        if own is not None:
            length = self.facts.meeting(x)
            own |= length.symbols()
            return length
        one, other = self.facts.canon(x).constant, self.facts.canon(y).constant
        return self.facts.meeting(0 if one is None or other is None else min(one, other))

    def agree(self, a: Sequence[Dim], b: Sequence[Dim]) -> bool:
        """Whether two shapes are one: provably, or in every call of this compilation."""
        return len(a) == len(b) and all(self.facts.same(x, y) or self.facts.require("==", x, y) for x, y in zip(a, b))

    def _same_precision(self, a: Array, b: Array) -> None:
        """float32 on one path and float64 on the other would become float64 on both, unlike in a plain call."""
        if a.dtype.kind not in "fc" or b.dtype.kind not in "fc":
            number, other = (a, b) if a.weak else (b, a)
            if number.weak and not other.weak and other.dtype == np.float64:
                self.promotions.append(self.builder.origin)
        elif not a.weak and not b.weak and a.dtype != b.dtype:
            way_out = f"Write .astype(np.{a.dtype}), so that it has one precision on every path."
            raise Unsupported(f"the variable is {a.dtype} on one path and {b.dtype} on another", way_out)
        elif a.weak != b.weak and a.dtype == b.dtype:
            self.promotions.append(
                self.builder.origin
            )  # np.float64 turns float32 arrays into float64, Python's 0.5 does not

    def convert(self, atom: Any, type: Type, ops: list[Any]) -> Any:
        """An atom with the joined type, converted at the end of its branch where it differs."""
        if not isinstance(atom.type, Array) or not isinstance(type, Array) or atom.type.dtype == type.dtype:
            return atom
        if isinstance(atom, Undefined):
            return Undefined(type)
        if isinstance(atom, Const):
            value = type.dtype.type(atom.value)
            return Const(value.item() if type.weak or type.dtype == float else value)
        outer, self.builder.ops = self.builder.ops, ops
        try:
            cast = named("float") if type.weak and type.dtype == float else named("astype")
            attrs = {} if cast.name == "float" else {"dtype": type.dtype}
            return self.apply(cast, [atom], attrs, "method")
        finally:
            self.builder.ops = outer

    # Branches

    def join(
        self,
        test: Any,
        halves: Sequence[Half],
        style: str = "function",
        names: Sequence[str] = (),
        spelled: str = "",
        attrs: Mapping[str, Any] = NO_ATTRS,
    ) -> Any:
        """One value out of two branches that each computed one.

        `names` are the variables that a tuple of values goes to; `spelled` is "and" or "or" where the user wrote that.
        """
        written, entries = self._written(halves), self._stored(halves)
        then, other = ((value, *self._entries_after(ops, entries)) for ops, value in halves)
        names = [*names, *("" for _ in entries)] if names else ()
        given = (then, other)
        then, other = (self._as_after(ops, value) for (ops, _), value in zip(halves, given))
        if not same_structure(then, other):
            then, other = lift(then), lift(other)
            if not same_structure(then[0], other[0]):
                raise Unsupported(f"the branches give {describe(then[0])} and {describe(other[0])}")
            self._check_entries(entries, then[1:], other[1:])
        rows = [flatten(value)[0] for value in (then, other)]
        ends = [[self.at_end_of(ops, atom) for atom in row] for (ops, _), row in zip(halves, rows)]
        types = []
        for k, pair in enumerate(zip(*rows)):
            type = self.common_type([a.type for a in pair])
            for (ops, _), row in zip(halves, ends):
                row[k] = self.convert(row[k], type, ops)
            types.append(type)
        ends = [[*row, *(self.at_end_of(ops, array) for array in written)] for row, (ops, _) in zip(ends, halves)]
        named_values = [*then[0], *then[1:]] if names else ()
        owners = (
            [name for name, value in zip(names, named_values) for _ in flatten(value)[0]]
            if names
            else [""] * len(types)
        )
        owned = [self._joined_owned(halves, rows, k, owners[k]) for k in range(len(types))]
        regions = tuple(Region((), tuple(ops), tuple(row)) for (ops, _), row in zip(halves, ends))
        attrs = {"spelled": spelled} if spelled else attrs
        types += [array.type for array in written]
        made = self.builder.append(named("if"), [self.atom(test)], types, attrs, regions=regions, style=style)
        outputs, versions = made[: len(owned)], made[len(owned) :]
        for array, version in zip(written, versions):
            version.hint = array.hint
            self.current[array] = version
        for k, output in enumerate(outputs):
            self.link(output, [row[k] for row in rows], owned[k])
        result, *values = self.anew(flatten(then)[1](list(outputs)), given)
        for entry, value in zip(entries, values):
            self.store(*entry, value)
            self.hint_entry(value, entry)
        return result

    def _stored(self, halves: Sequence[Half]) -> list[Entry]:
        """Entries of containers from before the branch that either half assigns."""
        return list(dict.fromkeys(entry for ops, _ in halves for entry in getattr(ops, "stores", ())))

    def _entries_after(self, ops: Any, entries: Sequence[Entry]) -> list[Any]:
        stores = getattr(ops, "stores", {})
        return [stores[entry] if entry in stores else self.entry_value(entry) for entry in entries]

    def _as_after(self, ops: Any, value: Any) -> Any:
        """A value with what its lists, dicts and objects hold at the end of a branch that has been read."""
        stores = getattr(ops, "stores", {})
        before = {entry: self.held_now(entry) for entry in stores}
        for entry, new in stores.items():
            self.put(entry, new)
        try:
            leaves, rebuild = flatten(value)
            return rebuild(leaves) if stores else value
        finally:
            for entry, old in before.items():
                self.put(entry, old)

    def _check_entries(self, entries: Sequence[Entry], then: Sequence[Any], other: Sequence[Any]) -> None:
        for entry, one, two in zip(entries, then, other):
            text = f"`{self.entry_name(entry)}` of {describe(entry[0])}"
            if one is ABSENT or two is ABSENT:
                raise Unsupported(f"{text} is assigned in one branch only", "Assign it before the branch.")
            if not same_structure(one, two):
                raise Unsupported(f"{text} has a different kind of value in each branch", "Use two names.")

    def hint_entry(self, value: Any, entry: Entry) -> None:
        """What an entry holds is called after it, where it has no name yet."""
        if isinstance(value, Value) and value.hint is None:
            value.hint = self.entry_name(entry)
            self.named_at[value] = self.frame.level

    def _written(self, halves: Sequence[Half]) -> list[Value]:
        """Arrays from before the branch that either half writes into."""
        return list(dict.fromkeys(array for ops, _ in halves for array in self.writes(ops)))

    def at_end_of(self, ops: Any, atom: Any) -> Any:
        """An array's version at the end of a region that has been read."""
        ended = getattr(ops, "current", None)
        if ended is None:
            return atom
        outer = self.current, self.read_from, self.builder.ops, self.depth
        self.current, self.read_from, self.builder.ops, self.depth = (
            dict(ops.current),
            dict(ops.read_from),
            ops,
            ops.depth,
        )
        try:
            return self.latest(atom)
        finally:
            self.current, self.read_from, self.builder.ops, self.depth = outer

    def _joined_owned(self, halves: Sequence[Half], rows: Sequence[Sequence[Any]], k: int, name: str) -> bool:
        """Whether a joined array is reachable through its own variable alone, whichever branch made it."""
        for (ops, _), row in zip(halves, rows):
            source = row[k]
            if self.twice(row, k):
                return False
            if not self.own_result(source, ops) and not (name and self._kept(source, name)):
                return False
        return True

    def _kept(self, source: Any, name: str) -> bool:
        """Whether a branch left a variable's own array as it was."""
        return isinstance(source, Value) and self.owned(source, name)


def _common_number(a: Array, b: Array) -> Array:
    if a.weak != b.weak:
        weak, strong = (a, b) if a.weak else (b, a)
        order = "biufc"
        if order.index(weak.dtype.kind) <= order.index(strong.dtype.kind) or strong.dtype.kind == "f":
            return strong
        return replace(strong, dtype=np.result_type(weak.dtype, strong.dtype))
    return a if a.dtype == b.dtype else replace(a, dtype=np.result_type(a.dtype, b.dtype))

"""What a loop carries from pass to pass: IR leaves of its variables, their types, and whether they are its own memory.

The body is read on fresh values until the types are stable, and until it is known which arrays the loop owns.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Any

from ..errors import Unsupported
from ..ir.dims import Dim, Symbol
from ..ir.nodes import Value
from ..ir.types import Array, Type
from .branches import Env
from .jumps import Jumps
from .scopes import SCOPES, loads
from .state import ABSENT, Entry
from .stores import containers_in, holds_container, same_objects
from .values import Maybe, Poison, assigned_part, describe, flatten, lift, same_structure, unassigned

Pass = tuple[list[Value], list[Any], list[Any]]  # parameters, ops, results


@dataclass
class Carried:
    """The variables that one loop hands from pass to pass, as IR leaves."""

    names: list[str | Entry]  # variables, and entries of containers from before the loop
    before: Env
    starts: list[Any]  # what each of `names` is before the loop
    inits: list[Any]
    rebuild: Callable[[list[Any]], Any]
    hints: list[str | None]
    owners: list[str]  # the variable of each leaf; "" for entries of containers
    types: list[Type]
    shared: set[int] = field(default_factory=set)  # leaves that may be somebody else's memory, too
    sources: dict[int, set[Value]] = field(default_factory=dict)  # arrays from before the loop that a pass hands on
    cells: list[Value] = field(default_factory=list)  # arrays from before the loop that its body writes into
    ends: list[Any] = field(default_factory=list)  # the newest versions of what a pass hands on
    listed: dict[int, str] = field(default_factory=dict)  # leaves that a filled list holds as items
    broken: Env = field(default_factory=dict)  # what a fault in the body has made unusable
    candidates: set[str] = field(default_factory=set)  # assigned inside alone, and read in the next pass or behind
    late: Env = field(default_factory=dict)  # those that the last reading gave a value
    kept: set[str] = field(default_factory=set)  # lists, dicts and objects that stay the same ones
    more: list[str | Entry] = field(default_factory=list)  # what the last reading found to be carried as well
    certain: set[str] = field(default_factory=set)  # variables that every pass assigns
    lengths: set[Symbol] = field(default_factory=set)  # of axes that a pass may make longer or shorter
    left: tuple[Any, ...] = ()  # what each of `names` is after a pass
    started: set[int] = field(default_factory=set)  # leaves that were numbers, and are arrays of that number now
    stop: Any = None  # after a pass: whether it is the last one, where that depends on the run

    def params(self) -> list[Value]:
        types = [replace(t, dim=None) if isinstance(t, Array) else t for t in self.types]
        return [
            Value(t, h)
            for t, h in zip((*types, *(c.type for c in self.cells)), (*self.hints, *(c.hint for c in self.cells)))
        ]


class Carrying(Jumps):
    def read_pass(self, carried: Carried, indices: list[Value], body: Callable[[], None]) -> Pass:
        """Read the body once: its parameters, its ops, and what it hands to the next pass."""
        origin, statement = self.builder.origin, self.frame.statement
        params = carried.params()
        with self.own_region() as ops:
            self.enter(carried, params, indices)
            stop = self.one_pass(body)
            carried.stop = None if self.maybe_truth(stop) is False else self.atom(stop)
            carried.broken = {n: v for n, v in self.frame.env.items() if isinstance(v, Poison) and not v.why}
            carried.late = self._late(carried)
            carried.more = [*self._replaced(carried), *(each for each in self.stores() if each not in carried.names)]
            results = self._attempt(carried)
            carried.ends = [self.latest(value) for value in (*results, *carried.cells)]
        carried.cells += [array for array in self.writes(ops) if array not in carried.cells]
        self.builder.origin, self.frame.statement = origin, statement
        self.frame.env = dict(carried.before)
        return params, ops, results

    def carry(self, names: Sequence[str | Entry], kept: Set[str] | None = None) -> Carried:
        """Lists, dicts and objects are at first expected to stay the same ones, whose entries change."""
        before = dict(self.frame.env)
        if kept is None:
            kept = {name for name in names if isinstance(name, str) and holds_container(before[name])}
        names = [name for name in names if name not in kept]
        starts = [before[name] if isinstance(name, str) else self.entry_value(name) for name in names]
        values = tuple(map(lift, starts))
        leaves, rebuild = flatten(values)
        owners = [name for name, value in zip(names, values) for _ in flatten(value)[0]]
        single = {name for name in names if owners.count(name) == 1}
        spelled = {name: name.strip() if isinstance(name, str) else self.entry_name(name) for name in single}
        hints = [
            spelled[name] if name in single else (leaf.hint if isinstance(leaf, Value) else None)
            for name, leaf in zip(owners, leaves)
        ]
        variables = [name if isinstance(name, str) else "" for name in owners]
        types = [leaf.type for leaf in leaves]
        return Carried(list(names), before, starts, leaves, rebuild, hints, variables, types, kept=set(kept))

    def _attempt(self, carried: Carried) -> list[Any]:
        """What the pass leaves; it may have failed for a variable that the next reading carries."""
        try:
            return self._results(carried)
        except Unsupported:
            if not carried.late and not carried.more:
                raise
            return list(carried.inits)

    def _replaced(self, carried: Carried) -> list[str | Entry]:
        """Lists, dicts and objects in whose place a pass has put others: they are carried like other variables."""
        names = [n for n in sorted(carried.kept) if not same_objects(self.frame.env.get(n), carried.before[n])]
        carried.kept -= set(names)
        return list(names)

    def _late(self, carried: Carried) -> Env:
        """Variables without a value before the loop that a pass has given one."""
        values = {n: self.frame.env.get(n) for n in sorted(carried.candidates - {*carried.names})}
        return {n: value for n, value in values.items() if _may_be_carried(value)}

    def _carry_more(self, carried: Carried) -> None:
        """Carry as well what a reading has found; variables without a value are not assigned before the first pass."""
        for container, key in (each for each in carried.more if not isinstance(each, str)):
            if self.entry_value((container, key)) is ABSENT:
                self.needs_unrolling()
                text = f"`{key}` of {describe(container)} is assigned inside the loop only"
                raise Unsupported(text, "Give it a value before the loop, which may not run.")
        env = self.frame.env
        self.frame.env = {**carried.before, **{n: Maybe(unassigned(value)) for n, value in carried.late.items()}}
        more = self.carry([*carried.names, *carried.late, *carried.more], carried.kept)
        self.frame.env = env
        carried.names, carried.before, carried.inits = more.names, more.before, more.inits
        carried.starts = more.starts
        carried.rebuild, carried.hints, carried.owners = more.rebuild, more.hints, more.owners
        carried.types += more.types[len(carried.types) :]

    def enter(self, carried: Carried, params: list[Value], indices: list[Value]) -> None:
        """Loop variables are the function's own memory if what they start as is, and what each pass leaves."""
        owned = [self._owned_start(carried, k) for k in range(len(carried.inits))]
        for k, (param, init, own) in enumerate(zip(params, carried.inits, owned)):
            self.link(param, [init, *carried.sources.get(k, ())], own)
            if carried.listed.get(k):
                self.listed[param] = carried.listed[k]
        for param, array in zip(params[len(owned) :], carried.cells):
            self.current[array] = param
        for param in params:
            self.named_at[param] = self.frame.level
        for index in indices:
            self.named_at[index] = self.frame.level
        values = self._inside(carried, params)
        self.frame.env = {**carried.before, **{n: v for n, v in values if isinstance(n, str)}}
        for entry, value in values:
            if not isinstance(entry, str):
                self.store(*entry, value)

    def _inside(self, carried: Carried, params: list[Value]) -> list[tuple[str | Entry, Any]]:
        """What the carried variables are within a pass; lists among them may not be changed, only replaced."""
        values = carried.rebuild(list(params))
        self.carried_anew |= {each for each in containers_in(values, set()) if getattr(each, "rows", None) is None}
        return list(zip(carried.names, values))

    def _owned_start(self, carried: Carried, k: int) -> bool:
        """Whether a variable's array is the loop's own from the first pass on."""
        single = self.owned(carried.inits[k], carried.owners[k]) and not self.twice(carried.inits, k)
        return single and k not in carried.shared

    def _results(self, carried: Carried) -> list[Any]:
        """What the carried variables are after one pass."""
        results: list[Any] = []
        left: list[Any] = []
        for name, start in zip(carried.names, carried.starts):
            value = self.frame.env.get(name) if isinstance(name, str) else self.entry_value(name)
            if isinstance(name, str):
                carried.certain -= {name}
                if name in self.frame.env and not isinstance(value, Maybe):
                    carried.certain |= {name}
            if isinstance(value, Poison):
                raise self.poisoned(value)
            if isinstance(start, Poison):
                raise self.poisoned(start)
            left.append(value)
            start, value = lift(start), lift(value)
            if not same_structure(start, value):
                self.needs_unrolling()
                raise Unsupported(
                    f"`{name if isinstance(name, str) else self.entry_name(name)}` changes its kind or length inside "
                    "the loop",
                    "A loop keeps the structure of its variables: start with an array, a number, or a list as long.",
                )
            results += flatten(value)[0]
        carried.left = tuple(left)
        return results

    def settled(self, carried: Carried, params: list[Value], ops: list[Any], results: list[Any]) -> bool:
        """Whether another reading would learn nothing new about types and memory."""
        new = [self.common_type([t, a.type], carried.lengths) for t, a in zip(carried.types, results)]
        shared = {
            k
            for k, (param, result) in enumerate(zip(params, results))
            if isinstance(param.type, Array)
            and param.type.ndim
            and param in self.fresh
            and not (self.own_result(result, ops, params) and not self.twice(results, k))
        }
        stable = all(
            not isinstance(t, Array)
            or not isinstance(n, Array)
            or (t.dtype == n.dtype and t.weak == n.weak and self.facts.same_axes(t.axes, n.axes))
            for t, n in zip(carried.types, new)
        )
        shrinks = sum(self._shrinks(carried, t, a.type) for t, a in zip(carried.types, results)) > 0
        carried.types = new
        carried.shared |= shared
        known = self._sources_known(carried, results)
        listed = {
            k: self.listed[base]
            for k, result in enumerate(results)
            if self.is_array(result)
            for base in self.bases(result) & self.listed.keys()
        }
        known = known and carried.listed.keys() >= listed.keys()
        carried.listed.update(listed)
        if carried.late or carried.more:
            self._carry_more(carried)
            return False
        return (
            stable and not shrinks and not shared and known and len(carried.ends) == len(results) + len(carried.cells)
        )

    def _sources_known(self, carried: Carried, results: Sequence[Any]) -> bool:
        """Whether this reading knew which arrays from before the loop its variables may be in the next pass."""
        known = True
        for k, result in enumerate(results):
            if self.is_array(result) and self._read_next(carried.owners[k]):
                outside = {base for base in self.bases(result) if self._from_before(base)} - self.bases(
                    carried.inits[k]
                )
                known = known and outside <= carried.sources.get(k, set())
                carried.sources.setdefault(k, set()).update(outside)
        return known

    def _read_next(self, owner: str) -> bool:
        """Whether the next pass may read what this one leaves in a variable; functions made around may, when called."""
        frame = self.frame
        if owner[:1] in ("", " ") or not frame.late or owner in frame.late[-1] or frame.node is None:
            return True
        inner = [each for each in ast.walk(frame.node) if each is not frame.node and isinstance(each, SCOPES)]
        return any(owner in loads(each) for each in inner)

    def _from_before(self, value: Value) -> bool:
        """Whether a value is older than the region about to be made."""
        born = self.born.get(value, ())
        return self.depth[: len(born)] == born

    def _shrinks(self, carried: Carried, start: Type, end: Type) -> bool:
        """Whether a pass may make an axis shorter than it was said to be at least; from now on that is zero."""
        found = False
        for x, y in zip(start.axes, end.axes) if isinstance(start, Array) and isinstance(end, Array) else ():
            for symbol in self.facts.canon(x).symbols() & carried.lengths:
                least = self.facts.bounds[symbol][0]
                if least.constant != 0 and not self.facts.require(">=", y, least):
                    self.facts.may_be_empty(symbol)
                    found = True
        return found

    def types_behind(self, carried: Carried, params: Sequence[Value]) -> list[Type]:
        """The types of a loop's outputs: an axis that every pass changes has one more length behind the loop."""

        def behind(length: Dim) -> Dim:
            symbol = self.facts.canon(length).symbol
            own = symbol is not None and symbol in carried.lengths
            return self.facts.meeting(self.facts.bounds[symbol][0]) if own else length  # type: ignore[index]

        return [
            replace(p.type, axes=tuple(map(behind, p.type.axes)))
            if isinstance(p.type, Array) and p.type.axes
            else p.type
            for p in params
        ]

    def converted(self, carried: Carried, results: list[Any], ops: list[Any]) -> tuple[list[Any], list[Any]]:
        starts = [self.latest(init) for init in carried.inits]
        inits = [self.convert(a, t, self.builder.ops) for a, t in zip(starts, carried.types)]
        ends = [self.convert(a, t, ops) for a, t in zip(carried.ends, carried.types)]
        return [*inits, *(self.latest(array) for array in carried.cells)], [*ends, *carried.ends[len(results) :]]

    def leave(
        self,
        carried: Carried,
        results: Sequence[Any],
        outputs: Sequence[Value],
        inside: set[str],
        loop: Any,
        runs: Callable[[], bool] = lambda: False,
    ) -> None:
        """The variables after a loop; `runs` proves that it makes a pass, or cannot."""
        env = dict(carried.before)
        for array, version in zip(carried.cells, outputs[len(carried.inits) :]):
            version.hint = array.hint
            self.current[array] = version
        outputs = outputs[: len(carried.inits)]
        for name in inside:
            if name not in env:
                way_out = "Give it a value before the loop, which may not run."
                env[name] = Poison(f"`{name}` is assigned inside the loop only", way_out, loop)
            elif name not in carried.names and name not in carried.kept:
                env[name] = Poison(
                    f"`{name}` after the loop is its last item, or what it was before",
                    "Use another name.",
                    loop,
                )
        for k, output in enumerate(outputs):
            init = carried.inits[k]
            self.link(output, [init, results[k]], self._owned_start(carried, k))
        values = self.anew(carried.rebuild(list(outputs)), [tuple(carried.starts), carried.left])
        for each, value in zip(carried.names, values):
            if not isinstance(each, str):
                self.store(*each, value)
                self.hint_entry(value, each)
                continue
            sure = isinstance(value, Maybe) and each in carried.certain
            env[each] = Maybe(value.value, runs) if sure else value
            self.hint(env[each], each)
        self.frame.env = {**env, **carried.broken}


def _may_be_carried(value: Any) -> bool:
    """Whether a variable is made of arrays and numbers whose lengths do not depend on the pass."""
    leaves, _ = flatten(lift(assigned_part(value)))
    return bool(leaves) and all(
        isinstance(leaf.type, Array) and all(dim.entry or dim.constant is not None for dim in leaf.type.axes)
        for leaf in leaves
    )

"""Calls that become functions of their own: long helpers called again, and helpers that call themselves.

A helper is read in place of its call at first. Where it turns out to be long and to be called again with the same key,
or to call itself, the function is read anew, and the helper once, by itself: a procedure with parameters, lengths
and facts of its own. What it reads from around it becomes parameters too. Where it is called, its guards are stated of
the call's lengths. What cannot be a procedure (it changes its caller's list, say) is read in place after all.

A method is read once for each object, so that what it finds there is known to hold of each, and checked at each call.
Where two readings give the same text, the objects share one procedure, and the call passes the arrays of its object.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from ..errors import Origin, Unsupported
from ..ir.builder import Builder
from ..ir.calls import CALL, Procedure, called
from ..ir.dims import Dim, Facts, Symbol
from ..ir.nodes import Atom, Function, Param, Region, Slot, Value, walk
from ..ir.types import Array, Type
from ..runtime.source import Node
from .callee import Callee, holds_code, placed, results_of, same_procedure, state_guards, state_of
from .keys import frames_of, spread
from .recursion import Recursing
from .repeats import Outline, Repeats
from .scopes import nonlocal_names
from .state import Frame, Silent
from .stores import containers_in
from .values import (
    Instance,
    Poison,
    copied,
    flatten,
    lift,
    same_structure,
)

_READINGS = 6  # of a function that calls itself, until its result's type is settled


class Unserved(Exception):
    """A procedure does not fit a call: its guards do not hold there, or what it reads is something else by now."""


class Outliner(Repeats):
    def __init__(self, *given: Any):
        super().__init__(*given)
        self.reading: list[Callee] = []

    # Whether to read in place

    def run(self, node: ast.FunctionDef | ast.Lambda, frame: Frame) -> Any:
        """The decorated function itself may be one that calls itself."""
        try:
            frame.key = self.key_of(frame, node)
            if frame.key in self.plan.outlined:
                self.builder.origin = self.origin(node)
                return self._call(frame, node, frame.function.__name__)
        except Unsupported as error:
            self.note(error, node)
            return Poison("")
        frame.owner = None
        result = super().run(node, frame)
        self.check_calls(self.builder.ops)
        return result

    def read_call(self, frame: Frame, node: Node, text: str) -> Any:
        frame.key = self.key_of(frame, node) if not nonlocal_names(node) else None
        in_part = any(level >= 0 for level in self.customs)  # not what a derivative taken here is of
        if frame.key is None or self.is_inlined(frame.key) or in_part:
            frame.owner = self.callee
            return super().read_call(frame, node, text)
        self.met(frame.key)
        if self.is_outlined(frame.key):
            return self._call(frame, node, text)
        self.check_recursion(frame, node)
        frame.owner = self.callee
        ops = self.builder.ops
        before = len(ops)
        result = super().read_call(frame, node, text)
        if self.plan.procedures and not self.uncounted:
            self.count(frame.key, ops[before:])
        return result

    # Calling a procedure

    def _call(self, frame: Frame, node: Node, text: str) -> Any:
        scopes = self._scopes(frame)
        reading = next((c for c in self.reading if (c.key, c.scopes) == (frame.key, scopes)), None)
        if reading is not None:
            reading.recursive = True
            if not reading.known:
                raise Recursing(reading, self.builder.origin)
        callee = reading or self.callees.get((frame.key, scopes))
        if callee is None:
            callee = self._read(frame, node, text, scopes)
            self.callees[frame.key, scopes] = callee
        try:
            return self._append(callee, frame)
        except Unserved:
            if callee.recursive:
                raise self._uneven(callee, self.builder.origin) from None
        frame.owner = self.callee
        return super().read_call(frame, node, text)

    def _uneven(self, callee: Callee, origin: Origin) -> Unsupported:
        name = callee.procedure.name
        return Unsupported(
            f"`{name}` calls itself with lengths that cannot be followed",
            "Keep lengths that must be equal equal in every call, or write it as a loop.", origin,
        )  # fmt: skip

    def _scopes(self, frame: Frame) -> tuple[int, ...]:
        frames = [frame.parent, *(f for value in frame.env.values() for f in frames_of(value))]
        return tuple(id(f) for f in frames if f is not None)

    def _append(self, callee: Callee, frame: Frame) -> Any:
        """The call's op, and its result."""
        atoms = self._arguments(callee, frame)
        lengths = self._lengths(callee, atoms)
        if callee in self.reading:
            callee.calls.append((self.facts, lengths, self.builder.origin))
        elif not state_guards(callee.facts, self.facts, lengths):
            raise Unserved
        results, rebuild = results_of(callee.result, callee.recursive)
        types = [self._type(result.type, callee, lengths) for result in results]
        outputs = self.builder.append(CALL, atoms, types, {"procedure": callee.procedure})
        arrays = tuple(a for a in atoms if isinstance(a, Value) and isinstance(a.type, Array) and a.type.ndim)
        for output in outputs:
            if isinstance(output.type, Array) and output.type.ndim:
                if callee.procedure.shares:
                    self.views[output] = arrays
                    self.linked_at[output] = self.builder.origin
                else:
                    self.fresh.add(output)
                self.born[output] = self.depth
        return copied(rebuild(list(outputs)), self.depth)

    def _arguments(self, callee: Callee, frame: Frame) -> list[Atom]:
        """What the call passes: the arguments, then what the procedure reads from around it."""
        given = [leaf for name, value in frame.env.items() for leaf in self._leaves(value, self._loose(callee, name))]
        for source, (mark, inside) in tuple(callee.outside.items()):
            value = self._outer(source)
            if mark is not None and self.marked(value) != mark:
                raise Unserved
            # what the procedure took as a parameter when it was read; an integer may have become known since
            pairs = zip(spread(value, "")[0], spread(inside, "")[0])
            given += [leaf for (_, leaf), (_, seen) in pairs if isinstance(seen, Value)]
        return [self.atom(leaf) for leaf in given]

    def _loose(self, callee: Callee, name: str) -> bool:
        return (callee.key[0], name) in self.plan.loose

    def _leaves(self, value: Any, loose: bool = False) -> list[Any]:
        return [leaf for _, leaf in spread(value, "")[0] if self.varies(leaf, loose)]

    def _outer(self, source: Any) -> Any:
        """Something that a procedure reads from around it, as it is seen here."""
        return self.variable(*source) if isinstance(source, tuple) else self.captured_here(source)

    def _lengths(self, callee: Callee, atoms: Sequence[Atom]) -> dict[Symbol, Dim]:
        """What the procedure's lengths are in this call."""
        lengths: dict[Symbol, Dim] = {}
        for param, atom in zip(callee.params, atoms):
            if not isinstance(param.type, Array) or not isinstance(atom.type, Array):
                continue
            for axis, given in zip(param.type.axes, atom.type.axes):
                if axis.symbol is not None:
                    lengths[axis.symbol] = self.facts.canon(given)
            if param.type.dim is not None and param.type.dim.symbol is not None:
                lengths[param.type.dim.symbol] = self.dim(atom)
        return lengths

    def _type(self, type: Type, callee: Callee, lengths: dict[Symbol, Dim]) -> Type:
        """The procedure's type with the call's lengths; one that only running reveals is new in each call."""
        if not isinstance(type, Array):
            return type
        dims = [callee.facts.canon(d) for d in (*type.axes, *([] if type.dim is None else [type.dim]))]
        for symbol in sorted({s for dim in dims for s in dim.symbols()} - lengths.keys()):
            lengths[symbol] = self.facts.fresh()
        given = [placed(dim, lengths) for dim in dims]
        count = len(type.axes)
        return replace(type, axes=tuple(given[:count]), dim=given[count] if given[count:] else None)

    # Reading a procedure

    def _read(self, frame: Frame, node: Node, text: str, scopes: tuple[int, ...]) -> Callee:
        procedure = Procedure(self.name_of(frame, node, text), Facts())
        callee = Callee(frame.key, self.kind(frame.key), scopes, procedure, procedure.facts)
        likely = [c for c in self.callees.values() if (c.kind, c.scopes) == (callee.kind, scopes)]
        outer, faults, earlier = self.facts, len(self.faults), dict(self.callees)
        uncounted, self.uncounted = self.uncounted, self.uncounted or bool(likely)
        self.reading.append(callee)
        try:
            for _ in range(_READINGS):
                self.callees = dict(earlier)  # what was read meanwhile knew less than will be known now
                del self.faults[faults:]
                before = state_of(callee)
                self._once(callee, frame, node, outer)
                if len(self.faults) > faults:
                    calls_itself = callee.recursive or callee.key in self.plan.recursive
                    raise Silent if calls_itself else Outline(inlined=frozenset([callee.kind]))
                if not callee.recursive or state_of(callee) == before:
                    break
            else:
                way_out = "Return one kind of result, of one shape and dtype, on every path."
                raise Unsupported(f"`{procedure.name}` calls itself, and its result differs from call to call", way_out)
        finally:
            self.reading.pop()
            self.uncounted = uncounted
        for facts, lengths, origin in callee.calls:
            guards = len(facts.guards)
            if not state_guards(callee.facts, facts, lengths) or len(facts.guards) > guards:
                raise self._uneven(callee, origin)
        callee.procedure = next((c.procedure for c in likely if same_procedure(c, callee)), procedure)
        return callee

    def _once(self, callee: Callee, frame: Frame, node: Node, outer: Facts) -> None:
        """Read the function by itself, with what is known of its own result."""
        facts = Facts()
        facts.orders = not callee.recursive
        callee.facts = callee.procedure.facts = facts
        callee.params, sources = [], list(callee.outside)
        callee.attributes = {}
        callee.roots = {name: value for name, value in frame.env.items() if isinstance(value, Instance)}
        callee.outside, callee.calls = {}, []
        inner = replace(frame, env={}, statement=None, level=0, owner=callee, loops=[])
        faults = len(self.faults)
        with self._apart(callee, facts):
            for name, value in frame.env.items():
                inner.env[name] = self.parameters(callee, value, name, outer, self._loose(callee, name))
            for source in sources:
                self.from_around(callee, source)
            self.frames.append(inner)
            try:
                result = self.ev(node.body) if isinstance(node, ast.Lambda) else self.run_body(node, inner)
            except Unsupported as error:
                self.note(error, node)
                return
            except Recursing as signal:
                if signal.callee is not callee:
                    raise
                way_out = "Give it a path on which it returns a value without calling itself."
                name = callee.procedure.name
                self.note(Unsupported(f"every path of `{name}` calls itself", way_out, signal.origin), node)
                return
            finally:
                self.frames.pop()
            if len(self.faults) == faults:
                self._finish(callee, result, node)

    @contextmanager
    def _apart(self, callee: Callee, facts: Facts) -> Iterator[None]:
        """Ops go to the procedure's own body, lengths to its own facts."""
        kept = (self.facts, self.builder, self.depth, self.floor, self.open_loops, self.loops, self.callee)
        versions = dict(self.current), dict(self.read_from)
        origin, statement = self.builder.origin, self.frame.statement
        builder = Builder(facts)
        builder.origin, builder.newest = origin, self.latest
        self._regions += 1
        self.facts, self.builder, self.depth = facts, builder, (-self._regions,)
        self.floor = self.depth
        self.open_loops, self.loops, self.callee = [], [], callee
        try:
            yield
        finally:
            self.facts, self.builder, self.depth, self.floor, self.open_loops, self.loops, self.callee = kept
            self.current, self.read_from = versions
            self.builder.origin, self.frame.statement = origin, statement

    def _finish(self, callee: Callee, result: Any, node: Node) -> None:
        """The procedure's body, once its result is known; a fault is noted."""
        if callee.recursive:
            result = lift(result)
        why = self._unfit(callee, result)
        if callee.recursive and callee.known and not same_structure(lift(callee.result), result):
            why = "calls itself, and returns different kinds of results"
        if why:
            way_out = "Return new arrays and numbers, of one kind on every path."
            self.note(Unsupported(f"`{callee.procedure.name}` {why}", way_out, self.builder.origin), node)
            return
        leaves, rebuild = flatten(result)
        shares = any(map(self._foreign, leaves))
        result = rebuild([self.latest(leaf) for leaf in leaves])
        results, _ = results_of(result, callee.recursive)
        callee.result, callee.known = result, True
        for leaf in results[:1] if len(results) == 1 else ():
            if isinstance(leaf, Value) and leaf.hint is None and self.builder.ops[-1].regions:
                leaf.hint = "result"
        ops, procedure = tuple(self.builder.ops), callee.procedure
        procedure.shares = shares
        procedure.impure = any(op.prim.kind == "impure" for op in walk(ops)) or any(p.impure for p in called(ops))
        params = tuple(Param(value, str(value.hint)) for value in callee.params)
        template = Slot(0) if len(results) == 1 else tuple(Slot(k) for k in range(len(results)))
        notes = {"signature": tuple((p.name, "plain", None) for p in params), "modules": self.modules}
        notes["attributes"] = callee.attributes
        procedure.body = Function(procedure.name, params, Region((), ops, tuple(results)), template, notes)

    def whose(self, base: Value) -> str:
        if self.callee is None or base not in self.callee.params:
            return super().whose(base)
        return (
            f"it is an argument of `{self.callee.procedure.name}`, which calls itself and may not change its arguments"
        )

    def _foreign(self, leaf: Any) -> bool:
        """Whether a result may be memory that the procedure was given."""
        if not isinstance(leaf, Value) or not isinstance(leaf.type, Array) or not leaf.type.ndim:
            return False
        return not self.bases(leaf) <= self.fresh

    def _unfit(self, callee: Callee, result: Any) -> str:
        """Why a function can be no procedure; empty if it can."""
        if isinstance(result, Poison) or holds_code(result):
            return "returns something that belongs to this call alone"
        if any(each.depth[:1] != self.depth for each in containers_in(result, set())):
            return "returns a list, dict or object of its caller"
        leaves = [leaf for leaf in flatten(result)[0] if isinstance(leaf, Value)]
        arrays = [leaf for leaf in leaves if isinstance(leaf.type, Array) and leaf.type.ndim]
        for k, one in enumerate(arrays):
            if any(self.bases(one) & self.bases(other) for other in arrays[:k]):
                return "returns one array twice"
        return ""


__all__ = ["Outline", "Outliner"]

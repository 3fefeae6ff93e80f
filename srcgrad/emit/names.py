"""Naming: versions of one variable share its name wherever their lives don't overlap."""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Iterable

from ..ir.calls import called
from ..ir.nodes import Atom, Function, Op, Value
from ..ir.types import Tape
from ..ir.words import place_name, word_for
from .fold import Folding
from .statements import Block, Statement


class Naming:
    """Classes of values that share a name, and the names."""

    def __init__(
        self,
        function: Function,
        folding: Folding,
        conflicts: dict[Value, set[Value]],
        source: dict[Value, Value],
        groups: dict[Value, tuple[Value, ...]],
        items: set[Value],
    ):
        self.items = items
        self.function, self.folding, self.source, self.groups = function, folding, source, groups
        self.conflicts = conflicts
        self.parent: dict[Value, Value] = {}
        self.members: dict[Value, list[Value]] = {}
        self.names: dict[Value, str] = {}
        self.taken = _reserved() | {procedure.name for procedure in called(function.body.ops)}
        self.taken |= {param.name for param in function.params if param.value in folding.in_place}

    def find(self, value: Value) -> Value:
        while value in self.parent:
            value = self.parent[value]
        return value

    def _class(self, value: Value) -> list[Value]:
        return self.members.setdefault(self.find(value), [self.find(value)])

    def clash(self, a: Value, b: Value) -> bool:
        mine = self._class(a)
        return any(self.find(other) is self.find(b) for v in mine for other in self.conflicts.get(v, ()))

    def merge(self, a: Atom, b: Atom, force: bool = False) -> bool:
        """Let two values share one name, if they never exist at once."""
        if not isinstance(a, Value) or not isinstance(b, Value) or self._folded(a) or self._folded(b):
            return False
        x, y = self.find(a), self.find(b)
        if x is y:
            return True
        if not force and not self._alike(x, y):
            return False
        if not force and self.clash(x, y):
            return False
        mine, theirs = self._class(x), self._class(y)
        self.parent[y] = x
        mine.extend(theirs)
        return True

    def _alike(self, x: Value, y: Value) -> bool:
        """Whether a reader would expect one name: arguments keep theirs, and a cotangent is not its primal."""
        fixed = {p.value for p in self.function.params if not p.path}
        mine, theirs = self._class(x), self._class(y)
        if any(v in fixed for v in mine) or any(v in fixed for v in theirs):
            hints = {v.hint for v in (*mine, *theirs)}
            return len(hints) == 1 and not (set(mine) & fixed and set(theirs) & fixed)
        kinds = {v.hint.startswith("d_") for v in (*mine, *theirs) if v.hint}
        return len(kinds) < 2

    def _folded(self, value: Value) -> bool:
        return value in self.folding.inline

    # Coalescing

    def coalesce(self, block: Block) -> None:
        """First what must share a name, then what would otherwise be copied."""
        for statement in _walk(block):
            if statement.op is not None and statement.kind in ("for", "while"):
                self._loop_must(statement)
        for statement in _walk(block):
            op = statement.op
            if op is None or statement.kind != "op":
                continue
            if op.prim.name in ("index_add", "index_set"):
                self.merge(op.inputs[0], op.outputs[0])
            elif op.prim.name in ("np.add", "np.subtract") and op.role != "primal":
                first = self._leftmost(op)
                if isinstance(first, Value) and first.hint == op.outputs[0].hint:
                    self.merge(first, op.outputs[0])

        for statement in _walk(block):
            op = statement.op
            if op is not None and statement.kind in ("for", "while"):
                self._loop_may(statement)
            elif op is not None and statement.kind == "if":
                for end in statement.ends:
                    for result, output in zip(end, op.outputs):
                        self.merge(output, result)

    def _leftmost(self, op: Op) -> Atom:
        """The accumulator of a folded sum."""
        inner = self.folding.op(op.inputs[0])
        chain = inner is not None and inner.role != "primal" and inner.prim.name in ("np.add", "np.subtract")
        return self._leftmost(inner) if chain and inner is not None else op.inputs[0]

    def _loop_must(self, statement: Statement) -> None:
        op = statement.op
        assert op is not None
        for param, output in zip(_carried_params(op), op.outputs):
            self.merge(param, output, force=True)
        if statement.kind == "while":
            for a, b in zip(op.regions[0].params, op.regions[1].params):
                self.merge(b, a, force=True)

    def _loop_may(self, statement: Statement) -> None:
        op = statement.op
        assert op is not None
        first = 3 if statement.kind == "for" else 0
        params = _carried_params(op)
        for param, result in zip(params, op.regions[-1].results):
            self.merge(param, result)
        for param, init in zip(params, op.inputs[first:]):
            self.merge(param, init)

    # Names

    def assign(self, block: Block) -> dict[Value, str]:
        """A name for every value with a statement, in the order of the text."""
        for param in self.function.params:
            if not param.path:
                self._name_class(param.value, param.name)
        results = [atom for atom in self.function.body.results if isinstance(atom, Value)]
        for atom in results[: self.function.notes.get("values", 0)]:
            if atom not in self.names and not self._folded(atom):
                self._name_class(atom, self._wish(atom))
        self._name_all(block, set(results))  # what is saved, and gradients before the terms that they are made of
        self._name_all(block, None)
        return self.names

    def _name_all(self, block: Block, among: set[Value] | None) -> None:
        """Names for values, or for those of a few, in the order in which they are assigned."""
        for statement in _walk(block):
            heads = statement.head if statement.kind in ("for", "while") else ()
            for value in (*statement.writes, *heads):
                chosen = among is None or value in among
                if chosen and value not in self.names and not self._folded(value):
                    self._name_class(value, self._wish(value))

    def _name_class(self, value: Value, wish: str) -> None:
        members = self._class(value)
        used = {self.names[o] for v in members for o in self.conflicts.get(v, ()) if o in self.names}
        fixed = {p.name for p in self.function.params if not p.path}
        name, number = wish, 0
        own = any(p.value in members and p.name == wish for p in self.function.params)
        while not own and (name in used or name in self.taken or (name in fixed and self._fixed_live(name, members))):
            number += 1
            name = f"{wish}_{number}"
        for member in members:
            self.names[member] = name

    def _fixed_live(self, name: str, members: list[Value]) -> bool:
        """Whether the parameter of that name is still needed while these values live."""
        owner = next(p.value for p in self.function.params if p.name == name and not p.path)
        return any(owner in self.conflicts.get(v, ()) for v in members)

    def _place(self, value: Value) -> str | None:
        """A value without a name that is assigned to `x[i]` is x_i."""
        for op in (op for op, _ in self.folding.uses.get(value, ()) if _written_to(op, value)):
            array = op.outputs[0].hint if op is not None else None
            if op is not None and array is not None:
                return place_name(array, op.attrs["index"], op.inputs[2:])
        return None

    def _wish(self, value: Value) -> str:
        """The user's name; else a word for the operation; `d_` before it for a cotangent."""
        hints = [v.hint for v in self._class(value) if v.hint]
        if isinstance(value.type, Tape) and value in self.groups:
            return "history"
        if isinstance(value.type, Tape) and value in self.items and value in self.source:
            return self._wish(self.source[value])
        if isinstance(value.type, Tape):
            return f"{self._wish(self.source[value]) if value in self.source else 'value'}_steps"
        plain = [hint for hint in hints if not hint.startswith("d_")]
        for hint in (*plain, *hints):
            return hint
        if value in self.source:
            return self._wish(self.source[value])
        for word in (v.word for v in self._class(value)):
            if word is not None:
                return word
        place = self._place(value)
        if place is not None:
            return place
        op = self.folding.made.get(value)
        if op is None:
            return "i"
        return word_for(op, self.folding.made)


def _written_to(op: Op | None, value: Value) -> bool:
    return op is not None and op.prim.name == "index_set" and op.role == "primal" and op.inputs[1] is value


def _carried_params(op: Op) -> tuple[Value, ...]:
    params = op.regions[-1].params
    return params[1 : 1 + op.attrs["carried"]] if op.prim.name == "for" else params


def _walk(block: Block) -> Iterable[Statement]:
    for statement in block:
        yield statement
        for inner in statement.blocks:
            yield from _walk(inner)


def _reserved() -> set[str]:
    return {"np", "math", *keyword.kwlist, *dir(builtins)}

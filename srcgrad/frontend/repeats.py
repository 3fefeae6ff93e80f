"""Calls that come again: which helpers and methods are worth a function of their own.

Calls are counted by their kind: methods of objects of one kind count as one helper. What turns out to be long enough,
over all its calls, is outlined: the function is read anew by a plan that says so. A helper that is called within
another alone comes after that one: what it is worth is seen when the other has become a function.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..errors import Unsupported
from ..ir.calls import CALL, called, procedure_of, reachable
from ..ir.nodes import Op, walk
from ..runtime.source import Node
from .around import Around
from .callee import Callee
from .objects import class_of
from .state import Frame, Key, Plan, Restart
from .values import Instance, Record

_LEAST = 5  # ops that a procedure is worth
_LONG, _SAVING, _SAVING_LONG = 10, 40, 30  # ops, over all calls, from which on it is; fewer for a long helper
_DEPTH = 12  # levels of a recursion on known numbers that are written out


class Outline(Restart):
    """The function is to be read again, by a plan with one more procedure, or one less."""

    def __init__(self, nested: frozenset[Key] = frozenset(), **more: frozenset[Any]):
        self.nested, self.more = nested, more

    def learn(self, plan: Plan) -> Plan:
        """What is called within the new procedure alone is counted anew, but once only."""
        nested = self.nested - plan.recounted
        plan = replace(plan, outlined=plan.outlined - nested, recounted=plan.recounted | nested)
        return replace(plan, **{name: getattr(plan, name) | some for name, some in self.more.items()})


class Repeats(Around):
    def __init__(self, *given: Any):
        super().__init__(*given)
        self.callees: dict[Any, Callee] = {}
        self.sizes: dict[Key, int] = {}  # ops that calls of this kind have taken so far
        self.times: dict[Key, int] = {}
        self.within: dict[Key, frozenset[Key]] = {}  # the kinds of calls that all calls of a kind are inside of
        self.uncounted = False  # while what is read is likely to be like a procedure that is known

    def key_of(self, frame: Frame, node: ast.AST) -> Key | None:
        try:
            return self.call_key(frame, node)
        except Unsupported:
            return None

    def is_outlined(self, key: Key) -> bool:
        return key in self.plan.outlined or self.kind(key) in self.plan.outlined

    def is_inlined(self, key: Key) -> bool:
        return key in self.plan.inlined or self.kind(key) in self.plan.inlined

    def met(self, key: Key) -> None:
        """A call of this kind, inside of those whose frames are open."""
        kind = self.kind(key)
        around = frozenset(self.kind(f.key) for f in self.frames if f.key is not None)
        self.within[kind] = self.within.get(kind, around) & around

    def count(self, key: Key, ops: Sequence[Op]) -> None:
        """Note what a call has taken that was read in place; what does nothing but call another is worth nothing."""
        kind, size = self.kind(key), written_out(ops)
        self.times[kind] = self.times.get(kind, 0) + 1
        self.sizes[kind] = self.sizes.get(kind, 0) + size
        saving = _SAVING_LONG if size >= _LONG else _SAVING
        if self.times[kind] > 1 and len(ops) > 1 and size >= _LEAST and self.sizes[kind] >= saving:
            nested = frozenset(k for k in self.plan.outlined if kind in self.within.get(k, ()))
            raise Outline(nested, outlined=frozenset([kind]))

    def check_recursion(self, frame: Frame, node: Node) -> None:
        """A call within a call of its own key has no end here; one with other known numbers may have."""
        if any(f.key == frame.key for f in self.frames):
            raise Outline(outlined=frozenset([frame.key]), recursive=frozenset([frame.key]))
        around = [f for f in self.frames if f.node is node and f.function is frame.function and f.key is not None]
        if len(around) < _DEPTH:
            return
        place, _, arguments = frame.key
        before = dict(around[-1].key[2])
        numbers = [name for name, mark in arguments if mark != before.get(name) and mark[0] == "known"]
        if numbers:
            raise Outline(loose=frozenset((place, name) for name in numbers))

    def check_calls(self, ops: Sequence[Op]) -> None:
        """A procedure that is called at one place alone is read there after all."""
        bodies = [ops, *(p.function.body.ops for p in reachable(ops))]
        calls = Counter(procedure for body in bodies for procedure in called(body))
        alone = [c.key for c in self.callees.values() if calls[c.procedure] == 1 and not c.recursive]
        if alone:
            raise Outline(inlined=frozenset(alone))

    def name_of(self, frame: Frame, node: Node, text: str) -> str:
        """The helper's name; of a method that is the object's main one, its class's: `layer_norm`."""
        name = node.name if isinstance(node, ast.FunctionDef) else text
        if name == "forward" or name.startswith("__"):
            owner = next(iter(frame.env.values()), None)
            if isinstance(owner, (Instance, Record)):
                name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", class_of(owner).__name__).lower()
        name = name.strip("_")
        return name if name.isidentifier() else "function"


def written_out(ops: Sequence[Op]) -> int:
    """How many ops these are, with what they call in place of calls; a procedure that is being read counts as one."""
    total = 0
    for op in walk(ops):
        body = procedure_of(op).body if op.prim is CALL else None
        total += written_out(body.body.ops) if body is not None else 1
    return total

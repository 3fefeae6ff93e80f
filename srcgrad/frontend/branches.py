"""Reading `if`: branches that are known now are taken, others become regions whose variables meet behind them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from ..errors import Unsupported
from ..ir.nodes import NO_ATTRS, Value
from .inputs import Inputs
from .scopes import returns
from .state import Ops
from .values import Maybe, Poison, assigned_part, flatten, lift, same_structure, unassigned

Returned = tuple[Any] | None
Env = dict[str, Any]


class Branches(Inputs):
    def block(self, statements: Sequence[ast.stmt]) -> Returned:
        raise NotImplementedError

    def read_if(self, node: ast.If) -> Returned:
        test = self.ev(node.test)
        known = self.maybe_truth(test)
        if known is not None:
            return self.block(node.body if known else node.orelse)
        condition = self.atom(self.condition(test))
        self.fork(condition, (lambda: self.block(node.body), lambda: self.block(node.orelse)), node)
        return None

    def fork(
        self,
        condition: Any,
        halves: Sequence[Callable[[], Any]],
        node: ast.stmt,
        attrs: Mapping[str, Any] = NO_ATTRS,
    ) -> None:
        """Read one half or the other, as the condition says while running; their variables meet behind them."""
        statement = self.frame.statement
        before = dict(self.frame.env)
        read = []
        for half in halves:
            self.frame.env = dict(before)
            with self.own_region() as ops:
                half()
            read.append((ops, self.frame.env))
        self.frame.statement, self.frame.env = node, before
        self.merging.append(node)
        with self.at(node):
            self.frame.env = self._merge(condition, before, read, attrs)
        self.merging.pop()
        self.frame.statement = statement

    @contextmanager
    def own_region(self) -> Iterator[Ops]:
        """A region whose variables are merged with those of the code around it."""
        frame, outer = self.frame, self.frame.region
        with self.region() as ops:
            frame.region = self.depth
            try:
                yield ops
            finally:
                frame.region = outer

    def _merge(self, condition: Any, before: Env, halves: list[tuple[Ops, Env]], attrs: Mapping[str, Any]) -> Env:
        """The variables after a branch: one value for each that both halves define alike."""
        (then_ops, then), (else_ops, other) = halves
        merged = dict(before)
        changed: list[str] = []
        partly: set[str] = set()
        for name in dict.fromkeys([*then, *other]):
            one, two = then.get(name), other.get(name)
            if one is two:
                merged[name] = one
            elif isinstance(one, Poison) or isinstance(two, Poison):
                merged[name] = one if isinstance(one, Poison) else two
            elif isinstance(one, Maybe) or isinstance(two, Maybe) or name not in then or name not in other:
                if self._meet_in_part(name, then, other):
                    partly.add(name)
                    changed.append(name)
                else:
                    merged[name] = Poison(f"`{name}` is assigned in one branch only", "Assign it before the branch.")
            elif same_structure(one, two) and not flatten(one)[0]:
                merged[name] = one
            elif same_structure(lift(one), lift(two)):
                changed.append(name)
            else:
                merged[name] = Poison(f"`{name}` has a different kind of value in each branch", "Use two names.")
        effects = any(op.prim.kind in ("impure", "control") for op in (*then_ops, *else_ops))
        quiet = not any((effects, *(ops.writes or ops.stores for ops in (then_ops, else_ops))))
        if not changed and quiet:
            return merged
        values = [tuple(env[name] for name in changed) for env in (then, other)]
        joined = self.join(condition, [(then_ops, values[0]), (else_ops, values[1])], names=changed, attrs=attrs)
        for name, value in zip(changed, joined):
            merged[name] = Maybe(value) if name in partly else value
            self.hint(value, name)
        return merged

    def _meet_in_part(self, name: str, then: Env, other: Env) -> bool:
        """Make a variable that is not assigned on every path alike on all of them, if its later value matters."""
        values = [assigned_part(env[name]) for env in (then, other) if name in env]
        if not flatten(lift(values[0]))[0] or not all(same_structure(lift(values[0]), lift(v)) for v in values):
            return False
        if not self.matters(name):
            return False
        for env in (then, other):
            env[name] = assigned_part(env[name]) if name in env else unassigned(values[0])
        return True

    def matters(self, name: str) -> bool:
        """Whether a variable assigned inside the statement being read may be read outside of it."""
        raise NotImplementedError

    def hint(self, value: Any, name: str) -> None:
        leaves, _ = flatten(value)
        if len(leaves) == 1 and isinstance(leaves[0], Value):
            leaves[0].hint = name.strip()
            self.named_at[leaves[0]] = self.frame.level

    # Branches that return

    def returning_if(self, node: ast.If, rest: Sequence[ast.stmt]) -> Returned:
        """`if` with a return inside: what follows belongs to whichever branch goes on."""
        self.frame.statement = node
        self.builder.origin = self.frame.source.origin(node, node)
        try:
            test = self.ev(node.test)
            known = self.maybe_truth(test)
            if known is not None:
                return self.block([*(node.body if known else node.orelse), *rest])
            return self._both_ways(node, self.atom(self.condition(test)), rest)
        except Unsupported as error:
            self.note(error, node)
            return (Poison(""),)

    def _both_ways(self, node: ast.If, condition: Any, rest: Sequence[ast.stmt]) -> Returned:
        if self.frame.nonlocals:
            raise Unsupported("`return` under a run-time condition, beside `nonlocal`", "Return at the end alone.")
        origin = self.builder.origin
        before, halves = dict(self.frame.env), []
        for body in (node.body, node.orelse):
            self.frame.env = dict(before)
            with self.own_region() as ops:
                returned = self.block([*body, *rest])
            halves.append((ops, returned[0] if returned is not None else None))
        self.frame.env = before
        self.builder.origin, self.frame.statement = origin, node
        if any(isinstance(value, Poison) for _, value in halves):
            return (Poison(""),)
        if any(value is None for _, value in halves) and not all(value is None for _, value in halves):
            raise Unsupported("one branch returns a value, the other returns None", "Return a value at the end, too.")
        return (self.join(condition, halves),)


__all__ = ["Branches", "returns"]

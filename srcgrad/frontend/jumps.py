"""Reading `break` and `continue`: flags that say how a pass goes on, and branches that hold what is left of it.

What follows a branch that may jump belongs into the half that goes on; where both halves may, the flag guards it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .branches import Branches, Returned
from .scopes import jumps, loads

JUMPS = {"jumps": True}


@dataclass(frozen=True)
class Flags:
    """The variables of one loop that tell whether it stops, and whether the rest of the pass is skipped."""

    stopped: str
    skipped: str


class Jumps(Branches):
    def flags(self) -> Flags:
        """Flags for one more loop; no user's name starts with a space."""
        depth = " " * len(self.frame.loops)
        return Flags(f" stopped{depth}", f" skipped{depth}")

    def jump(self, node: ast.Break | ast.Continue) -> None:
        flags = self.frame.loops[-1]
        self.frame.env[flags.skipped] = True
        if isinstance(node, ast.Break):
            self.frame.env[flags.stopped] = True

    def one_pass(self, body: Callable[[], Any]) -> Any:
        """Run a loop's body with flags of its own; whether the loop stops after it, as an abstract bool."""
        flags = self.flags()
        self.frame.loops.append(flags)
        try:
            self.frame.env[flags.stopped] = self.frame.env[flags.skipped] = False
            body()
            return self.frame.env.get(flags.stopped)
        finally:
            self.frame.loops.pop()
            for name in (flags.stopped, flags.skipped):
                self.frame.env.pop(name, None)

    def after_jumps(self, node: ast.stmt, rest: Sequence[ast.stmt]) -> Returned:
        """What follows a statement that may have jumped."""
        flags = self.frame.loops[-1]
        continues = any(isinstance(n, ast.Continue) for n in jumps([node]))
        flag = self.frame.env[flags.skipped if continues else flags.stopped]
        known = self.maybe_truth(flag)
        if known is None and rest:
            self.fork(flag, (lambda: None, lambda: self._all(rest)), node, JUMPS)
            return None
        return None if known else self.block(rest)

    def jumping_if(self, node: ast.If, rest: Sequence[ast.stmt]) -> Returned:
        """`if` with a jump inside: what follows belongs to the half that goes on, where only one does."""
        self.frame.statement = node
        with self.at(node):
            test = self.ev(node.test)
            known = self.maybe_truth(test)
        if known is not None:
            return self.block([*(node.body if known else node.orelse), *rest])
        halves = (node.body, node.orelse)
        going = [not _ends(half) for half in halves]
        bodies = [[*half, *rest] if goes and sum(going) == 1 else half for half, goes in zip(halves, going)]
        condition = self.atom(self.condition(test))
        self.fork(condition, tuple(lambda body=body: self._all(body) for body in bodies), node, JUMPS)  # type: ignore[misc]
        return self.after_jumps(node, rest) if sum(going) == 2 else None

    def raising_if(self, node: ast.If, rest: Sequence[ast.stmt]) -> Returned:
        """`if` of which one way ends in an exception: what follows is reached by the other way alone."""
        test = self.ev(node.test)
        known = self.maybe_truth(test)
        if known is not None:
            return self.block([*(node.body if known else node.orelse), *rest])
        halves = (node.body, [*node.orelse, *rest])
        raising = 0 if _raises(node.body) else 1
        going: Sequence[ast.stmt] = halves[1 - raising] if raising else halves[1]
        condition = self.atom(self.condition(test))
        ways = (halves[raising], []) if raising == 0 else ([], halves[raising])
        before = dict(self.frame.env)
        self.fork(condition, (lambda: self._all(ways[0]), lambda: self._all(ways[1])), node)
        self.frame.env = before
        return self.block(going)

    def matters(self, name: str) -> bool:
        node = self.merging[-1]
        outside = name in loads(self.frame.node) - loads(node) if self.frame.node is not None else True
        return outside or any(name in late for late in self.frame.late)

    def _all(self, statements: Sequence[ast.stmt]) -> None:
        self.block(statements)


def raising_half(node: ast.stmt, rest: Sequence[ast.stmt]) -> bool:
    """Whether a branch has one way that always raises, and does nothing that outlives it."""
    if not isinstance(node, ast.If):
        return False
    then, other = _raises(node.body), _raises([*node.orelse, *rest])
    return then or (other and _returns_at_once(node.body))


def _returns_at_once(body: Sequence[ast.stmt]) -> bool:
    return bool(body) and isinstance(body[-1], ast.Return)


def _raises(statements: Sequence[ast.stmt]) -> bool:
    """Whether a block is straight-line code with `raise` at its end."""
    compound = (ast.If, ast.For, ast.While, ast.With, ast.Try, ast.Match, ast.Return, ast.Break, ast.Continue)
    return (
        bool(statements)
        and isinstance(statements[-1], ast.Raise)
        and not any(isinstance(each, compound) for each in statements)
    )


def _ends(statements: Sequence[ast.stmt]) -> bool:
    """Whether a block never reaches its end."""
    for node in statements:
        if isinstance(node, (ast.Break, ast.Continue, ast.Return, ast.Raise)):
            return True
        if isinstance(node, ast.If) and _ends(node.body) and _ends(node.orelse):
            return True
    return False

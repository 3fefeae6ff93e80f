"""Functions that call themselves: the paths that do not call tell the type of the result.

While that type is not known, a call raises `Recursing`; whatever branches around it takes the other way. The function
is then read again, its calls giving that type, until the type of its result is what was assumed.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

from ..errors import Origin
from .branches import Returned
from .keys import Keys
from .state import Signal


class Recursing(Signal):
    """A call whose result is not known yet."""

    def __init__(self, callee: Any, origin: Origin):
        self.callee, self.origin = callee, origin


class Recursion(Keys):
    def _guarded(self, statement: ast.stmt) -> Returned:
        def other_ways() -> list[Callable[[], Returned]]:
            match statement:
                case ast.If(body=body, orelse=orelse):
                    return [lambda: self.block(body), lambda: self.block(orelse)]
                case ast.For() | ast.While():  # which may not run
                    return [lambda: None]
            return []

        returned: Returned = self._or_else(lambda: super(Recursion, self)._guarded(statement), other_ways)
        return returned

    def returning_if(self, node: ast.If, rest: Sequence[ast.stmt]) -> Returned:
        ways = [lambda: self.block([*node.body, *rest]), lambda: self.block([*node.orelse, *rest])]
        returned: Returned = self._or_else(lambda: super(Recursion, self).returning_if(node, rest), lambda: ways)
        return returned

    def _ev_IfExp(self, node: ast.IfExp) -> Any:
        ways = [lambda: self.ev(node.body), lambda: self.ev(node.orelse)]
        return self._or_else(lambda: super(Recursion, self)._ev_IfExp(node), lambda: ways)

    def _ev_BoolOp(self, node: ast.BoolOp) -> Any:
        return self._or_else(lambda: super(Recursion, self)._ev_BoolOp(node), lambda: [lambda: self.ev(node.values[0])])

    def _or_else(self, read: Callable[[], Any], ways: Callable[[], Sequence[Callable[[], Any]]]) -> Any:
        """What `read` gives; where that calls a function of unknown result, what the first other way gives."""
        frame, env, pending = self.frame, dict(self.frame.env), list(self.pending)
        try:
            return read()
        except Recursing as signal:
            for way in ways():
                frame.env, self.pending = dict(env), list(pending)
                try:
                    return way()
                except Recursing:
                    continue
            raise signal from None

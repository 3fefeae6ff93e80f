"""Random assignments: names bound anew, swapped, accumulated; a block is a list of lines."""

from __future__ import annotations

from dataclasses import replace

from fuzz_choice import Chooser
from fuzz_expressions import Expressions
from fuzz_vocabulary import SCALAR, Expr, Scope, Shape, Variable, tame

Lines = list[str]
CARRIED = 4.0  # what a loop hands on stays below this, or below what it was before
SHAPES: list[tuple[int, Shape]] = [
    (6, SCALAR), (5, ("n",)), (5, ("n", "m")), (3, ("m",)), (1, ("m", "n")), (1, ("n-1",)), (1, ("h",)),
]  # fmt: skip


def indented(lines: Lines) -> Lines:
    return [f"    {line}" for line in lines]


class Writer:
    """What all statements need, and assignments; names are numbered in the order of their making."""

    def __init__(self, chooser: Chooser, scope: Scope, depth: int = 3):
        self.c, self.scope, self.depth = chooser, scope, depth
        self.e = Expressions(chooser, scope)
        self.counter = 0
        self.nesting: list[str] = []
        self.tastes: dict[str, int] = {}
        self.returns: Shape = SCALAR

    def prelude(self) -> list[Lines]:
        """Functions of the module that the statements call."""
        return []

    def taste(self, kind: str) -> int:
        """How much this program likes a kind of statement: programs that all look alike find less (swarm testing)."""
        if kind not in self.tastes:
            self.tastes[kind] = self.c.pick([2, 2, 0, 1, 8] if kind != "assign" else [2, 2, 1, 1, 8])
        return self.tastes[kind]

    def block(self, count: int) -> Lines:
        lines: Lines = []
        for _ in range(count):
            lines += self.statement()
        return lines or ["pass"]

    def inner(self, kind: str, scope: Scope, count: int) -> Lines:
        """A nested block with variables of its own."""
        outer, self.scope = self.scope, scope
        self.e = Expressions(self.c, scope)
        self.nesting.append(kind)
        lines = self.block(count)
        self.nesting.pop()
        self.scope, self.e = outer, Expressions(self.c, outer)
        return lines

    @property
    def looping(self) -> bool:
        return "loop" in self.nesting

    def statement(self) -> Lines:
        raise NotImplementedError

    def fresh(self, stem: str = "v") -> str:
        self.counter += 1
        return f"{stem}{self.counter}"

    def bind(self, name: str, e: Expr, own: bool = False) -> None:
        self.scope.variables[name] = Variable(e.shape, e.bound, own)
        self.scope.indices.pop(name, None)

    # Assignments

    def assign(self) -> Lines:
        e = self.e.make(self.c.weighted(SHAPES), self.depth)
        name = self.fresh()
        own = e.text.startswith("np.") or (e.text.startswith("(") and self.c.chance(40))
        self.bind(name, e, own and e.shape != SCALAR)
        return [f"{name} = {e.text}"]

    def target(self, shape: Shape | None = None) -> str | None:
        """A variable that may be assigned to here."""
        names = [n for n, v in self.scope.variables.items() if shape is None or v.shape == shape]
        return self.c.pick(names) if names else None

    def reassign(self) -> Lines:
        name = self.target()
        if name is None:
            return self.assign()
        variable = self.scope.variables[name]
        keep = self.nesting or name in "xywst" or self.c.chance(70)
        e = self.e.make(variable.shape if keep else self.c.weighted(SHAPES), self.depth)
        if self.looping:
            e = tame(e, max(CARRIED, variable.bound), self.c)
            e = replace(e, bound=max(CARRIED, variable.bound))
        self.bind(name, e)
        return [f"{name} = {e.text}"]

    def accumulate(self) -> Lines:
        name = self.target(SCALAR)
        if name is None:
            return self.assign()
        variable = self.scope.variables[name]
        e = tame(self.e.make(SCALAR, self.depth), 3.0, self.c)
        self.scope.variables[name] = replace(variable, bound=variable.bound + (12 if self.looping else 3))
        op = self.c.weighted([(6, "+="), (3, "-="), (1, "*=")])
        if op == "*=":
            return [f"{name} *= np.tanh({e.text})"]
        return [f"{name} {op} {e.text}"] if self.c.chance(80) else [f"{name} = {name} {op[0]} {e.text}"]

    def alias(self) -> Lines:
        source = self.target()
        if source is None:
            return self.assign()
        variable = self.scope.variables[source]
        name = self.fresh()
        self.scope.variables[name] = replace(variable, own=variable.own and self.c.chance(10))
        if self.c.chance(90):
            self.scope.variables[source] = replace(variable, own=False)
        return [f"{name} = {source}"]

    def swap(self) -> Lines:
        """`a, b = b, a + b`: both sides read the old values."""
        shape = self.c.pick([SCALAR, ("n",), ("n", "m")])
        names = self.scope.of(shape)
        if len(names) < 2:
            return self.assign()
        a = self.c.pick(names)
        b = self.c.pick([name for name in names if name != a])
        limit = max(CARRIED, self.scope.variables[a].bound, self.scope.variables[b].bound)
        e = tame(self.e.make(shape, 2), limit if self.looping else 100.0, self.c)
        for name in (a, b):
            self.scope.variables[name] = Variable(shape, limit)
        return [f"{a}, {b} = {b}, {e.text}"] if self.c.chance(80) else [f"{a}, {b} = {b}, {a}"]

"""Random statements: assignments, branches, loops, writes into arrays; a block is a list of lines and blocks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from fuzz_choice import Chooser
from fuzz_expressions import SCALAR, Expr, Expressions, Scope, Shape, Variable, tame

Lines = list[str]
CARRIED = 4.0  # what a loop hands on stays below this, or below what it was before
SHAPES: list[tuple[int, Shape]] = [
    (6, SCALAR), (5, ("n",)), (5, ("n", "m")), (3, ("m",)), (1, ("m", "n")), (1, ("n-1",)), (1, ("h",)),
]  # fmt: skip


def indented(lines: Lines) -> Lines:
    return [f"    {line}" for line in lines]


class Statements:
    """Writes the body of one function; names are numbered in the order of their making."""

    def __init__(self, chooser: Chooser, scope: Scope, depth: int = 3):
        self.c, self.scope, self.depth = chooser, scope, depth
        self.e = Expressions(chooser, scope)
        self.counter = 0
        self.nesting: list[str] = []

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
        c, nested = self.c, len(self.nesting)
        options: list[tuple[int, Callable[[], Lines]]] = [
            (20, self.assign), (8, self.reassign), (6, self.accumulate), (3, self.alias), (2, self.swap),
            (5, self.write), (2, self.augment), (1, self.create),
        ]  # fmt: skip
        if nested < 3:
            options += [(7, self.branch), (9, self.for_loop), (2, self.while_loop), (2, self.recurrence)]
            options += [(1, self.shrinking)]
        if not self.looping:
            options += [(1, self.early_return)]
        elif c.below(300) == 299:
            return [f"if {self.e.condition(1)}:", f"    {c.pick(['break', 'continue'])}"]
        return c.weighted(options)()

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

    # Arrays written into

    def create(self) -> Lines:
        c, name = self.c, self.fresh("a")
        shape = c.weighted([(3, ("n",)), (2, ("n", "m")), (1, ("m",))])
        size = shape[0] if len(shape) == 1 else f"({', '.join(shape)})"
        options = [f"np.zeros({size})", f"np.ones({size})", f"np.full({size}, 0.7)"]
        source = self.target(shape)
        if source is not None:
            options += [f"{source}.copy()", f"np.zeros_like({source})", f"np.copy({source})"]
        bound = self.scope.variables[source].bound if source else 1.0
        self.bind(name, Expr("", shape, max(1.0, bound)), own=True)
        return [f"{name} = {c.pick(options)}"]

    def owned(self) -> tuple[Lines, str]:
        names = [
            n for n, v in self.scope.variables.items() if v.own and v.shape in (("n",), ("m",), ("n", "m"))
        ]
        if names and self.c.chance(80):
            return [], self.c.pick(names)
        if self.c.chance(3) and (name := self.target(("n",))):
            return [], name  # perhaps an argument: copied on entry, or refused
        return (lines := self.create()), lines[0].split(" ")[0]

    def write(self) -> Lines:
        """Item assignment, plain or augmented."""
        lines, name = self.owned()
        shape = self.scope.variables[name].shape
        first = self.e.position(shape[0])
        if len(shape) == 1:
            places: list[tuple[int, tuple[str, Shape]]] = [
                (5, (first, SCALAR)),
                (1, (":", shape)),
                (1, (":2", SCALAR)),
            ]
            if shape == ("n",):
                places += [(2, ("1:", ("n-1",))), (1, (":-1", ("n-1",))), (1, ("::2", ("h",)))]
        else:
            second = self.e.position(shape[1])
            places = [
                (4, (first, (shape[1],))), (3, (f"{first}, {second}", SCALAR)), (2, (f":, {second}", (shape[0],))),
                (1, (":", shape)), (1, (f"{first}, 1:", SCALAR)), (1, (":", (shape[1],))),
            ]  # fmt: skip
        if self.c.chance(5):
            places = [(1, (f"{name} > 0.1", SCALAR))]
        place, value_shape = self.c.weighted(places)
        return [*lines, f"{name}[{place}] {self.stored(name, value_shape)}"]

    def stored(self, name: str, shape: Shape) -> str:
        e = tame(self.e.make(shape, self.depth - 1), 3.0, self.c)
        variable = self.scope.variables[name]
        self.scope.variables[name] = replace(variable, bound=variable.bound + 6)
        op = self.c.weighted([(6, "="), (4, "+="), (1, "-="), (2, "*=")])
        return f"{op} np.sin({e.text})" if op == "*=" else f"{op} {e.text}"

    def augment(self) -> Lines:
        """`a += ...` on a whole array."""
        lines, name = self.owned()
        text = self.stored(name, self.e.broadcastable(self.scope.variables[name].shape))
        return [*lines, f"{name} {'+' if text.startswith('= ') else ''}{text}"]

    def recurrence(self) -> Lines:
        """`a[i]` from `a[i - 1]`."""
        name, index = self.fresh("a"), self.fresh("i")
        self.scope.variables[name] = Variable(("n",), 2.0, own=True)
        start = tame(self.e.make(SCALAR, 1), 2.0, self.c)
        scope = self.scope.copy()
        scope.indices[index] = "n"
        outer, self.scope = self.scope, scope
        self.e = Expressions(self.c, scope)
        body = tame(self.e.make(SCALAR, 2), 2.0, self.c)
        self.scope, self.e = outer, Expressions(self.c, outer)
        factor = self.c.pick(["0.5 * ", "np.tanh(", "np.sin("])
        previous = f"{factor}{name}[{index} - 1]" + (")" if factor.endswith("(") else "")
        return [
            f"{name} = np.zeros(n)", f"{name}[0] = {start.text}", f"for {index} in range(1, n):",
            f"    {name}[{index}] = {previous} + {body.text}",
        ]  # fmt: skip

    # Branches

    def branch(self) -> Lines:
        c = self.c
        condition = self.e.condition(1)
        if c.chance(10) and self.scope.indices:
            condition = f"{c.pick(list(self.scope.indices))} {c.pick(['>', '==', '<'])} {c.pick(['1', '2'])}"
        halves = [self.scope.copy()]
        lines = [f"if {condition}:", *indented(self.inner("if", halves[0], c.between(1, 2)))]
        while c.chance(15) and len(halves) < 3:
            halves.append(self.scope.copy())
            lines += [
                f"elif {self.e.condition(1)}:",
                *indented(self.inner("if", halves[-1], c.between(1, 2))),
            ]
        halves.append(self.scope.copy())
        if c.chance(60):
            lines += ["else:", *indented(self.both(halves, c.between(1, 2)))]
        self.join(halves)
        return lines

    def both(self, halves: list[Scope], count: int) -> Lines:
        """The other branch; mostly it assigns the names that the first one made."""
        lines = self.inner("if", halves[-1], count)
        for name, variable in halves[0].variables.items():
            if name not in halves[-1].variables and self.c.chance(60):
                e = Expressions(self.c, halves[-1]).make(variable.shape, 2)
                halves[-1].variables[name] = Variable(e.shape, e.bound)
                lines.append(f"{name} = {e.text}")
        return lines

    def join(self, halves: list[Scope]) -> None:
        """What every branch leaves with one shape."""
        first = halves[0].variables
        merged = {}
        for name, variable in first.items():
            versions = [half.variables.get(name) for half in halves]
            if all(v is not None and v.shape == variable.shape for v in versions):
                known = [v for v in versions if v is not None]
                merged[name] = Variable(
                    variable.shape, max(v.bound for v in known), all(v.own for v in known)
                )
        self.scope.variables.clear()
        self.scope.variables.update(merged)
        for name in list(self.scope.indices):
            if any(name not in half.indices for half in halves):
                del self.scope.indices[name]

    def early_return(self) -> Lines:
        condition, e = self.e.condition(2), self.e.make(SCALAR, self.depth)
        return [f"if {condition}:", f"    return {e.text}"]

    # Loops

    def for_loop(self) -> Lines:
        c, scope = self.c, self.scope.copy()
        for name, variable in scope.variables.items():
            scope.variables[name] = replace(variable, bound=max(variable.bound, CARRIED))
        header = self.header(scope)
        outside = set(self.scope.variables)
        lines = [header, *indented(self.inner("loop", scope, c.between(1, 3)))]
        self.after(scope, outside, keep=3)
        return lines

    def header(self, scope: Scope) -> str:
        c, index = self.c, self.fresh("i")
        kind = c.weighted(
            [
                (5, "range"),
                (3, "constant"),
                (2, "rows"),
                (2, "items"),
                (1, "enumerate"),
                (1, "zip"),
                (1, "odd"),
            ]
        )
        vectors, matrices = scope.of(("n",)), scope.of(("n", "m"))
        if kind == "rows" and matrices:
            source = c.pick(matrices)
            scope.variables[row := self.fresh("row")] = Variable(("m",), scope.variables[source].bound)
            return f"for {row} in {source}:"
        if kind in ("items", "enumerate", "zip") and vectors:
            source, other = c.pick(vectors), c.pick(vectors)
            bound = max(scope.variables[source].bound, scope.variables[other].bound)
            scope.variables[item := self.fresh("item")] = Variable(SCALAR, bound)
            if kind == "items":
                return f"for {item} in {source}:"
            if kind == "enumerate":
                scope.indices[index] = "n"
                return f"for {index}, {item} in enumerate({source}):"
            scope.variables[second := self.fresh("item")] = Variable(SCALAR, bound)
            return f"for {item}, {second} in zip({source}, {other}):"
        if kind == "constant":
            return f"for {index} in range({c.pick(['2', '3', '1', 'k'])}):"
        if kind == "odd":
            scope.indices[index] = "n"
            return f"for {index} in {c.pick(['range(n - 1, -1, -1)', 'range(0, n, 2)', 'range(1, n)', 'reversed(range(n))'])}:"
        length = c.weighted([(3, "n"), (1, "m")])
        scope.indices[index] = length
        source = c.pick(
            scope.of((length,)) or ["x"] if length == "n" and "x" in scope.variables else [length]
        )
        return f"for {index} in range({length if source == length or scope.variables[source].shape != (length,) else f'len({source})'}):"

    def after(self, scope: Scope, outside: set[str], keep: int) -> None:
        """What a loop leaves: the variables from before; now and then one that only it assigned."""
        for name, variable in scope.variables.items():
            if name in outside or self.c.chance(keep):
                self.scope.variables[name] = variable

    def while_loop(self) -> Lines:
        c, count = self.c, self.fresh("k")
        scope = self.scope.copy()
        condition = f"{count} < {c.pick(['2', '3', 'k'])}"
        if c.chance(40):
            condition += f" and {self.e.condition(0)}"
        body = self.inner("loop", scope, c.between(1, 3))
        self.after(scope, set(self.scope.variables), keep=2)
        return [f"{count} = 0", f"while {condition}:", *indented([*body, f"{count} += 1"])]

    def shrinking(self) -> Lines:
        """A loop whose number of passes depends on the data."""
        name = self.target(SCALAR)
        if name is None:
            return self.assign()
        threshold = self.c.pick(["0.9", "1.7", "0.35"])
        return [
            f"while abs({name}) > {threshold}:",
            f"    {name} = {name} * {self.c.pick(['0.5', '0.7', 'np.tanh(0.5)'])}",
        ]

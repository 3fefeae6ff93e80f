"""Random statements of every kind: what is added to assignments are branches and loops."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from fuzz_assignments import CARRIED, Lines, indented
from fuzz_expressions import Expressions
from fuzz_views import Views
from fuzz_vocabulary import SCALAR, Scope, Variable


class Statements(Views):
    """Writes the body of one function."""

    def statement(self) -> Lines:
        c, nested = self.c, len(self.nesting)
        options: list[tuple[int, Callable[[], Lines]]] = [
            (20, self.assign), (8, self.reassign), (6, self.accumulate), (3, self.alias), (2, self.swap),
            (5, self.write), (2, self.augment), (1, self.create),
            (3, self.view), (4, self.write_any), (2, self.overlap), (2, self.given_out), (1, self.passed_on),
        ]  # fmt: skip
        if nested < 3:
            options += [(7, self.branch), (9, self.for_loop), (2, self.while_loop), (2, self.recurrence)]
            options += [(1, self.shrinking)]
        if not self.looping:
            options += [(1, self.early_return)]
        elif c.below(300) == 299:
            return [f"if {self.e.condition(1)}:", f"    {c.pick(['break', 'continue'])}"]
        return c.weighted([(weight * self.taste(make.__name__), make) for weight, make in options])()

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
                merged[name] = Variable(variable.shape, max(v.bound for v in known), all(v.own for v in known))
        self.scope.variables.clear()
        self.scope.variables.update(merged)
        for name in list(self.scope.indices):
            if any(name not in half.indices for half in halves):
                del self.scope.indices[name]

    def early_return(self) -> Lines:
        condition, e = self.e.condition(2), self.e.make(self.returns, self.depth)
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
            walks = ["range(n - 1, -1, -1)", "range(0, n, 2)", "range(1, n)", "reversed(range(n))"]
            return f"for {index} in {c.pick(walks)}:"
        length = c.weighted([(3, "n"), (1, "m")])
        scope.indices[index] = length
        vectors = scope.of((length,))
        count = f"len({c.pick(vectors)})" if vectors and c.chance(50) else length
        return f"for {index} in range({count}):"

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
            condition += f" and ({self.e.condition(0)})"
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

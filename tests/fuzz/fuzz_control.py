"""Random control flow that leaves the straight path: jumps, `else` of loops, variables that only some paths assign."""

from __future__ import annotations

from fuzz_assignments import Lines, indented
from fuzz_statements import Statements
from fuzz_vocabulary import SCALAR, Scope


class Control(Statements):
    """Statements of every kind, and many that jump."""

    def statement(self) -> Lines:
        if self.looping and self.c.chance(22):
            return self.jump()
        if len(self.nesting) < 3 and self.c.chance(6):
            return self.c.pick([self.endless, self.walrus])()
        return super().statement()

    def test(self) -> str:
        """A condition, on a counter now and then."""
        if self.scope.indices and self.c.chance(40):
            index = self.c.pick(list(self.scope.indices))
            return f"{index} {self.c.pick(['==', '>=', '<', '!='])} {self.c.pick(['1', '2', '0'])}"
        text = self.e.condition(1)
        if self.c.chance(15):
            text = f"{text} {self.c.pick(['and', 'or'])} {self.e.condition(0)}"
        return f"not ({text})" if self.c.chance(10) else text

    def jump(self) -> Lines:
        """`if ...: break`, after a change or two; nested, or with a branch that goes on."""
        scope = self.scope.copy()
        lines = [f"if {self.test()}:"]
        body = self.inner("if", scope, self.c.below(2)) if self.c.chance(40) else []
        lines += indented([*(line for line in body if line != "pass"), *self.leave()])
        if self.c.chance(15):
            lines += ["else:", *indented(self.inner("if", self.scope.copy(), 1))]
        if self.c.chance(15):
            lines = [f"if {self.test()}:", *indented([*self.assign_known(), *lines])]
        return lines

    def leave(self) -> Lines:
        kind = self.c.weighted([(5, "break"), (4, "continue"), (3, "return")])
        if kind == "return":
            return [f"return {self.e.make(self.returns, 1).text}"]
        return [kind]

    def assign_known(self) -> Lines:
        name = self.target(SCALAR)
        return [f"{name} = np.tanh({name})"] if name is not None else []

    def for_loop(self) -> Lines:
        lines = super().for_loop()
        return lines + self.otherwise()

    def while_loop(self) -> Lines:
        lines = super().while_loop()
        lines = self.counted_first(lines) if any("continue" in line for line in lines) else lines
        return lines + self.otherwise()

    def counted_first(self, lines: Lines) -> Lines:
        """The count goes up at the start of a pass, so that `continue` does not repeat it for ever."""
        return [*lines[:2], lines[-1], *lines[2:-1]]

    def otherwise(self) -> Lines:
        if not self.c.chance(25):
            return []
        return ["else:", *indented(self.inner("if", self.scope.copy(), 1))]

    def endless(self) -> Lines:
        """`while True`, left by its count or by something else."""
        count, limit = self.fresh("k"), self.c.pick(["2", "3", "4"])
        scope = self.scope.copy()
        body = self.inner("loop", scope, self.c.between(1, 3))
        self.after(scope, set(self.scope.variables), keep=2)
        leave = [f"if {count} >= {limit}:", f"    {self.c.pick(['break', 'break', *self.leave()[:1]])}"]
        if leave[1].strip() == "continue":
            leave[1] = "    break"
        return [f"{count} = 0", "while True:", *indented([f"{count} += 1", *leave, *body])]

    def walrus(self) -> Lines:
        name = self.target(SCALAR)
        if name is None:
            return self.assign()
        count = self.fresh("k")
        body = self.inner("loop", self.scope.copy(), 1)
        first = f"while ({name} := np.tanh({name}) * {self.c.pick(['0.5', '1.5'])}) > 0.1 and {count} < 3:"
        return [f"{count} = 0", first, *indented([f"{count} += 1", *body])]

    # What is perhaps not assigned

    def join(self, halves: list[Scope]) -> None:
        extra = {}
        if self.c.chance(25):
            for half in halves:
                extra.update({n: v for n, v in half.variables.items() if n not in self.scope.variables})
        super().join(halves)
        self.scope.variables.update(extra)

    def after(self, scope: Scope, outside: set[str], keep: int) -> None:
        super().after(scope, outside, keep=25)
        for name, length in scope.indices.items():
            if name not in self.scope.indices and self.c.chance(15):
                self.scope.indices[name] = length

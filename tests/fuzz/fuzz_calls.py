"""Random functions that call others: long, recursive, rebinding, writing to what they get; and containers."""

from __future__ import annotations

from collections.abc import Callable

from fuzz_assignments import Lines, indented
from fuzz_choice import Chooser
from fuzz_control import Control
from fuzz_expressions import Expressions
from fuzz_vocabulary import SCALAR, Expr, Scope, Shape, Variable, tame

LIMIT = 5.0  # what functions are given and give stays below this


class Calls(Control):
    """Statements of every kind, and many that call functions or keep values in containers."""

    def prelude(self) -> list[Lines]:
        """Functions of the module, which every statement may call."""
        self.functions: list[tuple[str, Shape]] = []
        texts = []
        for number in range(self.c.between(1, 2)):
            make = self.c.pick([self.long_function, self.falling, self.halving, self.long_function])
            name, shape, lines = make(number)
            self.functions.append((name, shape))
            texts.append(lines)
        return texts

    def statement(self) -> Lines:
        if not self.c.chance(30) or len(self.nesting) > 3:
            return super().statement()
        options: list[tuple[int, Callable[[], Lines]]] = [
            (6, self.call), (2, self.rebinding), (2, self.matched), (1, self.raising), (1, self.deleted),
            (2, self.boxed), (2, self.keyed), (1, self.spread), (2, self.poked), (1, self.listed),
        ]  # fmt: skip
        return self.c.weighted(
            [(weight * self.taste(make.__name__), make) for weight, make in [*options, options[0]]]
        )()

    def tamed(self, shape: Shape, depth: int = 2, limit: float = LIMIT) -> Expr:
        return tame(self.e.make(shape, depth), limit, self.c)

    # Functions of the module

    def long_function(self, number: int) -> tuple[str, Shape, Lines]:
        """Statements enough to be kept as a function of its own: a vector and a number in, one of them out."""
        name, shape = f"stage{number}", self.c.pick([SCALAR, ("n",)])
        scope = Scope({"x": Variable(("n",), LIMIT), "s": Variable(SCALAR, LIMIT)})
        body = Body(self.c, scope, depth=2, returns=shape)
        lines = ["n = x.shape[0]", "m = 2", *body.block(self.c.between(4, 7))]
        lines += [f"return {tame(body.e.make(shape, 2), LIMIT, self.c).text}"]
        return name, shape, [f"def {name}(x, s, k=2):", *indented(lines)]

    def falling(self, number: int) -> tuple[str, Shape, Lines]:
        """Recursion to a depth that is an argument."""
        name, shape = f"fall{number}", self.c.pick([SCALAR, ("n",)])
        scope = Scope({"x": Variable(("n",), LIMIT), "s": Variable(SCALAR, LIMIT)})
        e = Expressions(self.c, scope)
        first = [
            f"if depth {self.c.pick(['== 0', '<= 0', '< 1'])}:",
            f"    return {tame(e.make(shape, 2), 2.0, self.c).text}",
        ]
        if self.c.chance(40):
            first += [f"if {e.condition(1)}:", f"    return {tame(e.make(shape, 1), 2.0, self.c).text}"]
        body = Body(self.c, scope, depth=1, returns=shape)
        lines = body.block(self.c.below(3))
        vector, scalar = (tame(body.e.make(each, 1), 3.0, self.c).text for each in (("n",), SCALAR))
        again = f"{name}({vector}, {scalar}, depth - 1)"
        other = tame(body.e.make(shape, 1), 2.0, self.c).text
        last = self.c.pick(
            [f"return np.tanh({again}) + {other}", f"return {again} * 0.5", f"return {other} - 0.3 * {again}"]
        )
        if self.c.chance(20):
            last = f"return 0.3 * {again} + 0.2 * {again}"
        return (
            name,
            shape,
            [f"def {name}(x, s, depth=2):", *indented(["n = len(x)", "m, k = 2, 3", *first, *lines, last])],
        )

    def halving(self, number: int) -> tuple[str, Shape, Lines]:
        """Recursion on halves."""
        name = f"half{number}"
        combine = self.c.pick(["{} + {}", "{} * 0.5 - np.sin({})", "np.maximum({}, 0.9 * {})"])
        halves = combine.format(f"{name}(x[: n // 2], s)", f"{name}(x[n // 2 :], s)")
        leaf = self.c.pick(["x[0] * s", "np.tanh(x[0]) + s", "np.sum(x) * x[0]"])
        return (
            name,
            SCALAR,
            [
                f"def {name}(x, s):",
                "    n = len(x)",
                "    if n == 1:",
                f"        return {leaf}",
                f"    return {halves}",
            ],
        )

    # Statements

    def call(self) -> Lines:
        if not self.scope.of(("n",)):
            return self.create()
        name, shape = self.c.pick(self.functions)
        arguments = [self.tamed(("n",)).text, self.tamed(SCALAR).text]
        if not name.startswith("half") and self.c.chance(25):
            arguments.append(self.c.pick(["1", "3", "k", "depth=1" if name.startswith("fall") else "k=1"]))
        text = f"{name}({', '.join(arguments)})"
        target = self.target(shape) if self.c.chance(40) else None
        target = target or self.fresh()
        self.bind(target, Expr(text, shape, LIMIT))
        return [f"{target} = {text}"]

    def rebinding(self) -> Lines:
        """A closure that changes a variable of the function around it."""
        name, function, seen = self.fresh("a"), self.fresh("g"), self.fresh()
        shape = self.c.pick([SCALAR, ("n",)])
        start = self.tamed(shape).text
        self.scope.variables[name] = Variable(shape, LIMIT)
        self.scope.variables[seen] = Variable(shape, LIMIT)
        inside = [
            "nonlocal " + name,
            f"{name} = np.tanh({name} * u + {self.tamed(SCALAR, 1).text})",
            f"return {name} * u",
        ]
        calls = [f"{seen} = {function}({self.tamed(SCALAR, 1).text})"]
        if self.c.chance(50):
            calls = [
                f"for {self.fresh('i')} in range({self.c.pick(['2', 'k', 'n'])}):",
                f"    {seen} = {function}({self.tamed(SCALAR, 1).text})",
            ]
            calls.insert(0, f"{seen} = {name}")
        elif self.c.chance(40):
            calls += [f"if {self.e.condition(1)}:", f"    {seen} = {function}(0.7)"]
        return [f"{name} = {start}", f"def {function}(u):", *indented(inside), *calls]

    def matched(self) -> Lines:
        name, e = self.fresh(), self.tamed(SCALAR)
        subject = self.c.pick(["k", "n", "(k, n)", "k - 2"])
        cases = (
            ["case 3:", "case 1 | 2:", "case _:"]
            if subject != "(k, n)"
            else ["case (3, 4):", "case (3, count):", "case _:"]
        )
        lines = []
        for case in cases:
            lines += [case, f"    {name} = {self.tamed(SCALAR).text}"]
        self.bind(name, e)
        return [f"match {subject}:", *indented(lines)]

    def raising(self) -> Lines:
        return [f"if abs({self.tamed(SCALAR, 1).text}) > 1e4:", '    raise ValueError("out of range")']

    def deleted(self) -> Lines:
        name, e, kept = self.fresh(), self.e.make(self.c.pick([SCALAR, ("n",)]), 2), self.fresh()
        self.bind(kept, Expr("", e.shape, 2.0))
        return [f"{name} = {e.text}", f"{kept} = np.sin({name})", f"del {name}"]

    def boxed(self) -> Lines:
        """A list that one branch changes and another replaces."""
        box, name = self.fresh("box"), self.fresh()
        shape = self.c.pick([SCALAR, ("n",)])
        change = self.c.pick(
            [
                f"{box}[0] = {self.tamed(shape).text}",
                f"{box}[0] = {box}[0] * 0.5",
                f"{box}[1], {box}[0] = {box}[0], {box}[1]",
            ]
        )
        other = self.c.pick(
            [
                f"{box} = [{self.tamed(shape).text}, {self.tamed(shape).text}]",
                f"{box}[1] = {self.tamed(shape).text}",
                "pass",
            ]
        )
        lines = [f"{box} = [{self.tamed(shape).text}, {self.tamed(shape).text}]"]
        if self.c.chance(60):
            lines += [f"if {self.e.condition(1)}:", f"    {change}", "else:", f"    {other}"]
        else:
            lines += [f"for {self.fresh('i')} in range({self.c.pick(['2', 'n'])}):", f"    {change}"]
        self.bind(name, Expr("", shape, 4 * LIMIT))
        return [*lines, f"{name} = {self.c.pick([f'{box}[0] + 0.5 * {box}[1]', f'sum({box})', f'{box}[-1] * 0.3'])}"]

    def keyed(self) -> Lines:
        """A dict whose entries one branch or a loop changes."""
        table, name = self.fresh("d"), self.fresh()
        shape = self.c.pick([SCALAR, ("n",), ("n", "m")])
        lines = [f"{table} = {{'a': {self.tamed(shape).text}, 'b': {self.tamed(SCALAR).text}}}"]
        a, b = f"{table}['a']", f"{table}['b']"
        change = self.c.pick([f"{a} = {a} * np.sin({b})", f"{b} = np.cos({b}) + {self.tamed(SCALAR).text}"])
        head = f"for {self.fresh('i')} in range({self.c.pick(['2', 'n'])}):"
        lines += [f"if {self.e.condition(1)}:" if self.c.chance(50) else head, f"    {change}"]
        self.bind(name, Expr("", shape, 6 * LIMIT))
        return [*lines, f"{name} = {a} * np.cos({b})"]

    def spread(self) -> Lines:
        name = self.fresh()
        helpers = [h for h in self.scope.helpers if h.arity == 2]
        if not helpers:
            return self.call()
        helper = self.c.pick(helpers)
        self.bind(name, Expr("", SCALAR, helper.bound))
        return [f"{name} = {helper.name}(*[{self.tamed(SCALAR).text}, {self.tamed(SCALAR).text}])"]

    def poked(self) -> Lines:
        """A nested function, long or short, that writes to what it is given."""
        name = self.any_array([("n",)])
        if name is None:
            return self.create()
        self.grown(name)
        function = self.fresh("g")
        writes = [
            "v[0] = v[0] * {}",
            "v[1:] += 0.1 * v[:-1] * {}",
            "v *= np.cos({})",
            "v[:] = np.tanh(v) + {}",
            "v[-1] -= {}",
        ]
        lines = [self.c.pick(writes).format(self.tamed(SCALAR, 1).text) for _ in range(self.c.pick([1, 2, 6]))]
        call = [f"{function}({name})"]
        if self.c.chance(30):
            call = [f"for {self.fresh('i')} in range(2):", f"    {function}({name})"]
        return [f"def {function}(v):", *indented(lines), *call]

    def listed(self) -> Lines:
        """A comprehension over items, read again."""
        vectors = self.scope.of(("n",))
        if not vectors:
            return self.create()
        items, name = self.fresh("items"), self.fresh()
        item = self.c.pick(["np.sin(e)", "e * e", f"e * {self.tamed(SCALAR, 1).text}", "e if e > 0 else 0.1 * e"])
        read = self.c.pick(
            [f"sum({items})", f"np.sum(np.array({items}) ** 2)", f"{items}[0] * {items}[-1]", f"max({items})"]
        )
        self.bind(name, Expr("", SCALAR, 40.0))
        return [f"{items} = [{item} for e in {self.c.pick(vectors)}]", f"{name} = {read}"]


class Body(Control):
    """The body of a function that gives what it is said to give, wherever it returns."""

    def __init__(self, chooser: Chooser, scope: Scope, depth: int, returns: Shape):
        super().__init__(chooser, scope, depth)
        self.returns = returns

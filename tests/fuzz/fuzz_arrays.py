"""Random writes into arrays that the function made."""

from __future__ import annotations

from dataclasses import replace

from fuzz_assignments import Lines, Writer
from fuzz_expressions import Expressions
from fuzz_vocabulary import SCALAR, Expr, Shape, Variable, tame


class Arrays(Writer):
    """Item assignment, augmented assignment, recurrences."""

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
        names = [n for n, v in self.scope.variables.items() if v.own and v.shape in (("n",), ("m",), ("n", "m"))]
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

"""Random NumPy expressions of a wanted shape, with a bound on their size so that no program overflows."""

from __future__ import annotations

from fuzz_choice import Chooser
from fuzz_vocabulary import CONSTANTS, SCALAR, SMALLER, Expr, Scope, Shape, tame


class Expressions:
    def __init__(self, chooser: Chooser, scope: Scope):
        self.c, self.scope = chooser, scope

    def make(self, shape: Shape, depth: int) -> Expr:
        """An expression of exactly this shape."""
        c = self.c
        if depth <= 0 or c.chance(20):
            return self.leaf(shape)
        options = [
            (30, self.unary),
            (45, self.binary),
            (8, self.choice),
            (12, self.helper),
            (25, self.structural),
        ]
        return tame(c.weighted(options)(shape, depth - 1), 200.0, c)

    def leaf(self, shape: Shape) -> Expr:
        names = self.scope.of(shape)
        if names and not (shape == SCALAR and self.c.chance(15)):
            name = names[-1] if self.c.chance(40) else self.c.pick(names)
            return Expr(name, shape, self.scope.variables[name].bound)
        return self.constant(shape) if shape == SCALAR else self.cut(shape)

    def cut(self, shape: Shape) -> Expr:
        """A piece of what there is, where no variable has the shape."""
        c = self.c
        if shape == SCALAR or self.scope.of(shape):
            return self.leaf(shape)
        match shape:
            case ("1",):
                return Expr(f"np.ones(1) * {self.leaf(SCALAR).text}", shape, 3.0)
            case ("1", length) | (length, "1"):
                e = self.cut((length,))
                return Expr(f"({e.text}){'[None, :]' if shape[0] == '1' else '[:, None]'}", shape, e.bound)
            case (length,) if length in SMALLER:
                e = self.cut(("n",))
                return Expr(c.pick(SMALLER[length]).format(f"({e.text})"), shape, e.bound)
            case (length,) if self.scope.of(("n", "m")):
                e = self.leaf(("n", "m"))
                index = f"[:, {self.position('m')}]" if length == "n" else f"[{self.position('n')}]"
                return Expr(f"{e.text}{index}", shape, e.bound)
            case ("m", "n"):
                e = self.cut(("n", "m"))
                return Expr(f"({e.text}).T", shape, e.bound)
            case (rows, columns) if self.scope.of((rows,)) and self.scope.of((columns,)):
                a, b = self.leaf((rows,)), self.leaf((columns,))
                return Expr(f"np.outer({a.text}, {b.text})", shape, a.bound * b.bound)
        size = shape[0] if len(shape) == 1 else f"({', '.join(shape)})"
        return Expr(f"np.full({size}, 0.3)", shape, 1.0)

    def constant(self, shape: Shape) -> Expr:
        text = self.c.pick(CONSTANTS)
        return Expr(f"({text})" if text[0] == "-" else text, shape, 3.0)

    def unary(self, shape: Shape, depth: int) -> Expr:
        e = self.make(shape, depth)
        t, b = e.text, e.bound
        options = [
            (5, (f"np.tanh({t})", 1.0)), (4, (f"np.sin({t})", 1.0)), (3, (f"np.cos({t})", 1.0)),
            (3, (f"(-{t})", b)), (2, (f"np.sqrt(1.0 + ({t}) ** 2)", 1 + b)), (2, (f"np.exp(-({t}) ** 2)", 1.0)),
            (1, (f"np.log1p(({t}) ** 2)", 1 + b)),
            (2, (f"np.maximum({t}, {self.c.pick(['0.0', '0.2', '-0.1'])})", b + 1)),
            (1, (f"np.minimum({t}, 0.7)", b + 1)), (1, (f"abs({t})", b)), (1, (f"np.abs({t})", b)),
            (1, (f"np.clip({t}, -0.8, 0.9)", 1.0)), (1, (f"1.0 / (1.0 + ({t}) ** 2)", 1.0)),
            (1, (f"np.arctan({t})", 1.6)),
            (1, (f"1.0 / (1.0 + np.exp(-np.tanh({t})))", 1.0)), (1, (f"np.negative({t})", b)),
        ]  # fmt: skip
        if b <= 14:
            options += [
                (3, (f"({t}) ** 2", b * b)),
                (1, (f"np.square({t})", b * b)),
                (1, (f"({t}) ** 3", b**3)),
            ]
            options += [(1, (f"np.power({t}, 2)", b * b))]
        if b <= 4:
            options += [
                (3, (f"np.exp({t})", 60.0)),
                (1, (f"np.sinh({t})", 30.0)),
                (1, (f"np.expm1({t})", 60.0)),
            ]
        text, bound = self.c.weighted(options)
        return Expr(f"({text})", shape, bound)

    def binary(self, shape: Shape, depth: int) -> Expr:
        c = self.c
        a = self.make(shape, depth)
        b = self.make(self.broadcastable(shape), depth)
        if c.chance(40):
            a, b = b, a
        options = [
            (5, (f"({a.text} + {b.text})", a.bound + b.bound)),
            (4, (f"({a.text} - {b.text})", a.bound + b.bound)),
            (5, (f"({a.text} * {b.text})", a.bound * b.bound)),
            (2, (f"({a.text} / (1.0 + ({b.text}) ** 2))", a.bound)),
            (1, (f"({a.text} / (2.0 + np.sin({b.text})))", a.bound)),
            (1, (f"np.maximum({a.text}, {b.text})", max(a.bound, b.bound))),
            (1, (f"np.minimum({a.text}, {b.text})", max(a.bound, b.bound))),
            (1, (f"np.multiply({a.text}, {b.text})", a.bound * b.bound)),
            (1, (f"np.hypot({a.text}, 1.0 + ({b.text}) ** 2)", a.bound + b.bound**2 + 1)),
            (1, (f"np.add({a.text}, {b.text})", a.bound + b.bound)),
        ]
        text, bound = c.weighted(options)
        return Expr(text, shape, bound)

    def broadcastable(self, shape: Shape) -> Shape:
        """A shape that broadcasts to this one."""
        options = [(6, shape), (3, SCALAR)]
        if len(shape) == 2:
            options += [(2, shape[1:]), (2, (shape[0], "1")), (1, ("1", shape[1]))]
        return self.c.weighted(options)

    def choice(self, shape: Shape, depth: int) -> Expr:
        test = self.make(self.broadcastable(shape), depth)
        a, b = self.make(shape, depth), self.make(self.broadcastable(shape), depth)
        bound = max(a.bound, b.bound)
        if self.c.chance(60) and shape != SCALAR:
            return Expr(f"np.where({test.text} > {self.c.pick(CONSTANTS)}, {a.text}, {b.text})", shape, bound)
        condition = self.condition(depth)
        b = self.make(shape, depth)
        return Expr(f"({a.text} if {condition} else {b.text})", shape, max(a.bound, b.bound))

    def condition(self, depth: int) -> str:
        """A test of an active scalar."""
        c = self.c
        e = self.make(SCALAR, min(depth, 1))
        text = f"{e.text} {c.pick(['>', '<', '>=', '<='])} {c.pick(['0.05', '0.4', '-0.2', '1.1'])}"
        if c.chance(15):
            other = self.make(SCALAR, 0)
            text = f"{text} {c.pick(['and', 'or'])} {other.text} < 0.6"
        return f"not ({text})" if c.chance(8) else text

    def helper(self, shape: Shape, depth: int) -> Expr:
        helpers = [h for h in self.scope.helpers if shape == SCALAR or not h.scalar]
        if not helpers:
            return self.unary(shape, depth)
        h = self.c.pick(helpers)
        arguments = [self.make(shape, depth)]
        arguments += [
            tame(self.make(SCALAR if h.scalar else self.broadcastable(shape), depth), 5.0, self.c)
            for _ in range(h.arity - 1)
        ]
        arguments[0] = tame(arguments[0], 5.0, self.c)
        return Expr(f"{h.name}({', '.join(a.text for a in arguments)})", shape, h.bound)

    # What changes shapes

    def structural(self, shape: Shape, depth: int) -> Expr:
        match shape:
            case ():
                return self.to_scalar(depth)
            case (length,):
                return self.to_vector(length, depth)
            case (rows, columns):
                return self.to_matrix(rows, columns, depth)
        raise AssertionError(shape)

    def to_scalar(self, depth: int) -> Expr:
        c = self.c
        length = c.pick(["n", "m"])
        kind = c.weighted([(5, "sum"), (2, "mean"), (2, "item"), (2, "dot"), (1, "max"), (1, "msum"), (1, "norm")])
        if kind == "item":
            e = self.make((length,), depth - 1)
            return Expr(f"({e.text})[{self.position(length)}]", SCALAR, e.bound)
        if kind == "dot":
            a, b = (tame(self.make((length,), depth - 1), 8.0, c) for _ in range(2))
            spelled = c.pick([f"({a.text} @ {b.text})", f"np.dot({a.text}, {b.text})"])
            return Expr(spelled, SCALAR, 5 * a.bound * b.bound)
        shape = c.pick([("n",), ("n", "m"), ("m",)])
        e = self.make(shape, depth - 1)
        if kind == "norm":
            return Expr(f"np.sqrt(0.1 + np.sum(({e.text}) ** 2))", SCALAR, 5 * e.bound)
        spelled = {
            "sum": f"np.sum({e.text})", "mean": f"np.mean({e.text})", "max": f"np.{c.pick(['max', 'min'])}({e.text})",
            "msum": f"({e.text}).{c.pick(['sum', 'mean'])}()",
        }[kind]  # fmt: skip
        return Expr(spelled, SCALAR, e.bound * (15 if "sum" in spelled else 1))

    def position(self, length: str) -> str:
        """An index below a length: a loop's counter, or a constant."""
        counters = [name for name, limit in self.scope.indices.items() if limit == length]
        return (
            self.c.pick(counters)
            if counters and self.c.chance(80)
            else self.c.pick(["0", "-1", "1" if length == "n" else "0"])
        )

    def to_vector(self, length: str, depth: int) -> Expr:
        c = self.c
        shape = (length,)
        if length == "1":
            e = self.make(c.pick([("n",), ("m",)]), depth - 1)
            return Expr(f"np.sum({e.text}, keepdims=True)", shape, 5 * e.bound)
        if length in SMALLER:
            e = self.make(("n",), depth - 1)
            return Expr(c.pick(SMALLER[length]).format(f"({e.text})"), shape, e.bound)
        other = "m" if length == "n" else "n"
        kinds = [(3, "reduce"), (3, "matmul"), (2, "flip"), (2, "row"), (1, "cumsum"), (1, "full")]
        kind = c.weighted(kinds)
        if kind == "flip":
            e = self.make(shape, depth - 1)
            return Expr(f"({e.text})[::-1]", shape, e.bound)
        if kind == "cumsum":
            e = tame(self.make(shape, depth - 1), 10.0, c)
            return Expr(f"np.cumsum({e.text})", shape, 5 * e.bound)
        if kind == "full":
            e = self.make(SCALAR, depth - 1)
            return Expr(f"({e.text} * np.ones({length}))", shape, e.bound)
        matrix = self.make(("n", "m"), depth - 1)
        if kind == "row":
            index = f"[:, {self.position('m')}]" if length == "n" else f"[{self.position('n')}]"
            return Expr(f"({matrix.text}){index}", shape, matrix.bound)
        if kind == "reduce":
            axis = c.pick([1, -1]) if length == "n" else c.pick([0, -2])
            name = c.weighted([(4, "sum"), (2, "mean"), (1, "max")])
            spelled = c.pick([f"np.{name}({matrix.text}, axis={axis})", f"({matrix.text}).{name}(axis={axis})"])
            return Expr(spelled, shape, matrix.bound * 5)
        vector = self.make((other,), depth - 1)
        matrix, vector = tame(matrix, 10.0, c), tame(vector, 10.0, c)
        if length == "n":
            spelled = c.pick([f"({matrix.text} @ {vector.text})", f"({vector.text} @ ({matrix.text}).T)"])
        else:
            spelled = c.pick([f"({vector.text} @ {matrix.text})", f"(({matrix.text}).T @ {vector.text})"])
        return Expr(spelled, shape, 5 * matrix.bound * vector.bound)

    def to_matrix(self, rows: str, columns: str, depth: int) -> Expr:
        c, shape = self.c, (rows, columns)
        if "1" in shape:
            return self.flat_matrix(rows, columns, depth)
        if rows == "m":
            e = self.make((columns, rows), depth - 1)
            return Expr(f"({e.text}){c.pick(['.T', '.transpose()'])}", shape, e.bound)
        kind = c.weighted([(3, "outer"), (3, "matmul"), (2, "transpose"), (1, "flip"), (1, "softmax")])
        if kind == "outer":
            return self.outer(shape, depth)
        if kind == "matmul":
            a, b = (tame(self.make(("n", "m"), depth - 1), 8.0, c) for _ in range(2))
            third = tame(self.make(("n", "m"), depth - 2), 8.0, c)
            return Expr(f"({a.text} @ ({b.text}).T @ {third.text} * 0.1)", shape, 3 * a.bound * b.bound * third.bound)
        e = self.make(shape, depth - 1)
        if kind == "transpose":
            return Expr(f"np.transpose(({e.text}).T)", shape, e.bound)
        if kind == "softmax":
            t = tame(e, 4.0, c).text
            return Expr(f"(np.exp({t}) / np.sum(np.exp({t}), axis=1, keepdims=True))", shape, 1.0)
        return Expr(f"({e.text}){c.pick(['[::-1]', '[:, ::-1]'])}", shape, e.bound)

    def outer(self, shape: Shape, depth: int) -> Expr:
        a, b = (tame(self.make((length,), depth - 1), 10.0, self.c) for length in shape)
        spelled = self.c.pick([f"np.outer({a.text}, {b.text})", f"(({a.text})[:, None] * {b.text})"])
        return Expr(spelled, shape, a.bound * b.bound)

    def flat_matrix(self, rows: str, columns: str, depth: int) -> Expr:
        shape, axis = (rows, columns), 0 if rows == "1" else 1
        if self.c.chance(50) and shape in (("n", "1"), ("1", "m")):
            e = self.make(("n", "m"), depth - 1)
            name = self.c.weighted([(3, "sum"), (2, "mean"), (1, "max")])
            return Expr(f"np.{name}({e.text}, axis={axis}, keepdims=True)", shape, e.bound * 5)
        e = self.make((columns if rows == "1" else rows,), depth - 1)
        return Expr(f"({e.text}){'[None, :]' if rows == '1' else '[:, None]'}", shape, e.bound)

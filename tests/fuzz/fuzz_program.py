"""A whole random module: helpers, a function `loss`, the arguments to call it with."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from fuzz_assignments import indented
from fuzz_choice import Chooser
from fuzz_expressions import Expressions
from fuzz_statements import Statements
from fuzz_vocabulary import SCALAR, Expr, Helper, Scope, Variable, tame

ARGUMENTS = {
    "x": (("n",), "rng.normal(size={n})"),
    "y": (("m",), "rng.normal(size={m})"),
    "w": (("n", "m"), "rng.normal(size=({n}, {m}))"),
    "z": (("n",), "rng.uniform(-1.0, 1.0, size={n})"),
    "s": (SCALAR, "float(rng.normal())"),
    "t": (SCALAR, "float(rng.uniform(0.2, 1.0))"),
}
LENGTHS = {
    ("x", "y"): ["n, m = len(x), len(y)", "n = x.shape[0]\nm = y.shape[0]", "n, m = x.size, y.size"],
    ("w",): ["n, m = w.shape", "n = w.shape[0]\nm = w.shape[1]", "n, m = len(w), len(w[0])"],
}


@dataclass(frozen=True)
class Program:
    """Source text of a module with `loss`, `arguments()` and WRT."""

    text: str


def program(c: Chooser, statements: int = 8, kind: type[Statements] = Statements) -> Program:
    """A program of about this many statements, of the kinds that one writer knows."""
    base = c.pick([("x", "y"), ("w",)])
    names = sorted({*base, *(name for name in ARGUMENTS if c.chance(45))}, key=list(ARGUMENTS).index)
    helpers = [helper(c, k) for k in range(c.below(3))]
    scope = Scope({name: Variable(ARGUMENTS[name][0], 3.0) for name in names}, helpers=[h for h, _ in helpers])
    writer = kind(c, scope, depth=c.pick([1, 1, 2, 2, 3]))
    texts = [text for _, text in helpers] + writer.prelude()
    body = c.pick(LENGTHS[base]).split("\n")
    if c.chance(50):
        body += ["total = 0.0"]
        scope.variables["total"] = Variable(SCALAR, 0.0)
    body += writer.block(c.between(1, statements))
    body.append(f"return {result(c, scope)}")
    lines = ["import numpy as np"]
    for text in texts:
        lines += ["", "", *text]
    lines += ["", "", f"def loss({', '.join([*names, 'k=3'])}):", *indented(commented(c, body))]
    lines += ["", "", "def arguments():", *indented(arguments(c, names))]
    lines += ["", "", f"WRT = {tuple(names)!r}", ""]
    return Program("\n".join(lines))


def arguments(c: Chooser, names: list[str]) -> list[str]:
    sizes = {"n": c.pick([3, 4, 5, 2]), "m": c.pick([2, 3, 4, 1])}
    values = [ARGUMENTS[name][1].format(**sizes) for name in names]
    if c.chance(15):
        values = [f"{v}.astype(np.float32)" if "size=" in v else v for v in values]
    return [f"rng = np.random.default_rng({c.below(1000)})", f"return [{', '.join(values)}]"]


def result(c: Chooser, scope: Scope) -> str:
    """One number made of several variables."""
    names = list(scope.variables)
    chosen = names[-2:] + [name for name in names[:-2] if c.chance(40)]
    terms = []
    for name in chosen:
        if scope.variables[name].shape == SCALAR:
            terms.append(name)
        else:
            terms.append(c.pick(["np.sum({})", "np.mean({})", "np.sum({} ** 2)", "{}.sum()"]).format(name))
    extra = Expressions(c, scope).make(SCALAR, 2).text
    return c.pick([" + ", " - ", " + 0.5 * "]).join([*terms, extra] if c.chance(50) else terms)


def commented(c: Chooser, lines: list[str]) -> list[str]:
    """Lines with needless parentheses gone, some with a comment."""
    tidy = [_tidy(line) for line in lines]
    return [f"{line}  # step {k}" if c.chance(10) else line for k, line in enumerate(tidy)]


def _tidy(line: str) -> str:
    stripped = line.lstrip()
    indent = line[: len(line) - len(stripped)]
    if stripped.startswith("elif "):
        return indent + "el" + _tidy(stripped[2:])
    if stripped in ("else:", "break", "continue") or stripped.startswith(("match ", "case ")):
        return line
    if stripped.startswith("return "):
        return indent + "return " + ast.unparse(ast.parse(stripped[7:]))
    if stripped.endswith(":"):
        return indent + ast.unparse(ast.parse(f"{stripped} pass")).split("\n")[0]
    return indent + ast.unparse(ast.parse(stripped))


def helper(c: Chooser, number: int) -> tuple[Helper, list[str]]:
    """A module-level function: elementwise, or of scalars with control flow."""
    name, arity = f"helper{number}", c.between(1, 2)
    names = ["a", "b"][:arity]
    scalar = c.chance(40)
    variables = {each: Variable(SCALAR, 5.0) for each in names}
    if not scalar:
        body = [f"return {tame(elementwise(c, names, 2), 3.0, c).text}"]
        if c.chance(50):
            body = [f"a = {tame(elementwise(c, names, 1), 5.0, c).text}", *body]
        return Helper(name, arity, 5.0), [
            f"def {name}({', '.join(names)}):",
            *indented([_tidy(b) for b in body]),
        ]
    scope = Scope(variables)
    writer = Statements(c, scope, depth=1)
    body = ["n = 3", "x = np.full(n, 0.4) * a", "m = 2"]
    scope.variables["x"] = Variable(("n",), 2.0)
    body += writer.block(c.between(1, 2))
    body.append(f"return {tame(writer.e.make(SCALAR, 2), 3.0, c).text}")
    return Helper(name, arity, 5.0, scalar=True), [
        f"def {name}({', '.join([*names, 'k=2'])}):", *indented([_tidy(b) for b in body])
    ]  # fmt: skip


def elementwise(c: Chooser, names: list[str], depth: int) -> Expr:
    """An expression of the helper's arguments that works for every shape; the first sets the result's."""
    scope = Scope({name: Variable(("any",), 5.0) for name in names})

    class Elementwise(Expressions):
        def leaf(self, shape):
            return Expr(self.c.pick([*names, names[0]]), shape, 5.0)

        def structural(self, shape, depth):
            return self.unary(shape, depth)

        def broadcastable(self, shape):
            return shape

        def choice(self, shape, depth):
            a, b = self.make(shape, depth), self.make(shape, depth)
            return Expr(f"np.where(a > 0.1, {a.text}, {b.text})", shape, max(a.bound, b.bound))

    e = Elementwise(c, scope).make(("any",), depth)
    return Expr(f"({names[0]} * {e.text})", e.shape, 5 * e.bound)

"""Random views and aliases, and writes through them: overlapping parts, swaps, `out=`, helpers, arguments."""

from __future__ import annotations

from dataclasses import replace

from fuzz_arrays import Arrays
from fuzz_assignments import Lines
from fuzz_vocabulary import SCALAR, Shape, Variable, tame

# A name's view: how it is taken, and the shape of what it shows
VIEWS: dict[Shape, list[tuple[str, Shape]]] = {
    ("n",): [
        ("{}[1:]", ("n-1",)), ("{}[:-1]", ("n-1",)), ("{}[::2]", ("h",)), ("{}[::-1]", ("n",)), ("{}[:]", ("n",)),
        ("np.flip({})", ("n",)), ("{}[...]", ("n",)), ("{}.T", ("n",)),
    ],
    ("n", "m"): [
        ("{}.T", ("m", "n")), ("{}[0]", ("m",)), ("{}[-1]", ("m",)), ("{}[:, 0]", ("n",)), ("{}[1:, 0]", ("n-1",)),
        ("{}[::-1]", ("n", "m")), ("np.swapaxes({}, 0, 1)", ("m", "n")), ("{}[:]", ("n", "m")),
        ("np.transpose({})", ("m", "n")),
    ],
    ("m", "n"): [("{}.T", ("n", "m")), ("{}[0]", ("n",)), ("{}[:, -1]", ("m",)), ("{}[:, 1]", ("m",))],
}  # fmt: skip
ARRAYS: list[Shape] = [("n",), ("m",), ("n", "m"), ("m", "n"), ("n-1",), ("h",)]


class Views(Arrays):
    """What two names see of one memory."""

    def any_array(self, shapes: list[Shape] = ARRAYS) -> str | None:
        """A variable that may be written to: an argument, a view, an alias, whatever it is."""
        names = [n for n, v in self.scope.variables.items() if v.shape in shapes]
        return self.c.pick(names) if names else None

    def grown(self, name: str) -> None:
        """A write may show in every array."""
        for other, variable in self.scope.variables.items():
            if variable.shape != SCALAR:
                self.scope.variables[other] = replace(variable, bound=variable.bound + 3.0)

    def value(self, shape: Shape) -> str:
        return tame(self.e.make(shape, self.depth - 1), 2.0, self.c).text

    def view(self) -> Lines:
        source = self.any_array(list(VIEWS))
        if source is None:
            return self.create()
        text, shape = self.c.pick(VIEWS[self.scope.variables[source].shape])
        name = self.fresh("u")
        self.scope.variables[name] = Variable(shape, self.scope.variables[source].bound)
        return [f"{name} = {text.format(source)}"]

    def write_any(self) -> Lines:
        """Item or whole, plain or augmented, through any name."""
        name = self.any_array()
        if name is None:
            return self.create()
        shape = self.scope.variables[name].shape
        self.grown(name)
        places: list[tuple[str, Shape]] = [("", shape), ("[:]", shape), ("[0]", shape[1:]), ("[-1]", shape[1:])]
        places += [("[...]", shape), ("[::-1]", shape)]
        if len(shape) == 2:
            places += [("[:, 0]", shape[:1]), ("[0, -1]", SCALAR), ("[-1, :]", shape[1:]), ("[0][-1]", SCALAR)]
        if shape == ("n",):
            places += [("[1:]", ("n-1",)), ("[1:][0]", SCALAR), ("[:-1]", ("n-1",))]
        place, part = self.c.pick(places)
        op = self.c.pick(["+=", "-=", "*=", "="]) if place else self.c.pick(["+=", "-=", "*="])
        text = self.value(self.c.pick([part, SCALAR]))
        return [f"{name}{place} {op} {'np.sin(' + text + ')' if op == '*=' else text}"]

    def overlap(self) -> Lines:
        name = self.any_array([("n",), ("n", "m")])
        if name is None:
            return self.create()
        self.grown(name)
        texts = [
            "{0}[1:] = {0}[:-1]", "{0}[:] = {0}[::-1]", "{0}[:-1] += {0}[1:]", "{0}[0], {0}[-1] = {0}[-1], {0}[0]",
            "{0}[::-1] = 0.5 * {0}", "{0}[1:] *= np.sin({0}[:-1])", "{0}[[0, -1]] = {0}[[-1, 0]]",
            "{0}[[0, 0, 1]] = 0.5 * {0}[[1, 0, 0]]", "{0}[[1, 1]] += {0}[:2]",
        ]  # fmt: skip
        return [self.c.pick(texts).format(name)]

    def given_out(self) -> Lines:
        name = self.any_array()
        if name is None:
            return self.create()
        shape = self.scope.variables[name].shape
        self.grown(name)
        texts = [
            "np.add({0}, {1}, out={0})", "np.multiply(np.sin({1}), 0.5, out={0})", "np.tanh({0}, out={0})",
            "np.subtract({1}, {0}, {0})", "{0}.fill({2})", "np.copyto({0}, {1})", "{0}[...] = {1}",
            "np.copyto({0}, {1}, where={0} > 0.1)", "{0}[{0} > 0.2] *= np.sin({2})", "np.add.at({0}, [0, 0, 1], {2})",
            "np.multiply.at({0}, np.array([0, 0]), 0.5)", "np.sort({0}, axis=0, out={0})",
            "np.put({0}, [0, 1, 0], {2})", "{0}.flat[1] = {2}",
        ]  # fmt: skip
        return [self.c.pick(texts).format(name, self.value(shape), self.value(SCALAR))]

    def passed_on(self) -> Lines:
        """A nested function that writes into its argument, or a list that holds arrays."""
        name = self.any_array()
        if name is None:
            return self.create()
        self.grown(name)
        helper, other = self.fresh("g"), self.fresh("u")
        shape = self.scope.variables[name].shape
        if self.c.chance(50):
            self.scope.variables[other] = Variable(shape, self.scope.variables[name].bound)
            return [
                f"def {helper}(v):", f"    v[0] {self.c.pick(['=', '+='])} {self.value(shape[1:])}", "    return v",
                f"{other} = {helper}({name})",
            ]  # fmt: skip
        return [f"{other} = [{name}, {self.value(SCALAR)}]", f"{other}[0] += {self.value(shape)}"]

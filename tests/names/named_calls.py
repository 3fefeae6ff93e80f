"""The calls of `*.txt`: `name: call ; call -> words of a refusal`, as functions whose source srcgrad can read."""

import ast
import linecache
import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

RNG, DRAWN = np.random.default_rng(0), []


def drawn(*shape):
    """Numbers between 0.2 and 0.95, in no order, that no other array has."""
    DRAWN.append(shape)
    return RNG.permutation(np.geomspace(0.2, 0.9, math.prod(shape)) + 0.0031 * len(DRAWN)).reshape(shape)


def scattered(*shape):
    """Complex numbers around 0."""
    return RNG.normal(size=shape) + 1j * RNG.normal(size=shape)


def with_nans(x):
    return np.where(np.arange(x.size).reshape(x.shape) % 3 == 1, np.nan, x)


# What the calls are about: x, y numbers; v, w vectors; m, n matrices; s a square one; t has three axes; z, c are
# complex, q, u, cm, cn, ct, c2, cb in all four quadrants; g, gm have nans; o, om, ... are written into; p, k hold
# integers; some, mask choose
VALUES = {
    "x": 0.7, "y": 1.3, "i": 2, "v": drawn(4), "w": drawn(4), "m": drawn(3, 4), "n": drawn(3, 4),
    "s": drawn(3, 3) + 2 * np.eye(3), "t": drawn(2, 3, 4), "z": drawn(4) + 1j * drawn(4),
    "c": drawn(3, 3) + 1j * drawn(3, 3) + np.diag([1.0, 2.0, 4.0]),
    "g": with_nans(drawn(4)), "gm": with_nans(drawn(3, 4)),
    "o": drawn(4), "o8": drawn(8), "om": drawn(3, 4), "o44": drawn(4, 4), "o324": drawn(3, 2, 4), "oz": drawn(4) + 0j,
    "k": np.array([0, 2, 2]), "p": np.array([0, 3, 1, 3]), "some": np.array([True, False, True, True]),
    "mask": np.array([1, 0, 1, 1, 0, 1, 1, 0, 1, 1, 0, 1], dtype=bool).reshape(3, 4),
    "q": 0.6 + 0.8j, "u": scattered(4), "cm": scattered(3, 4), "cn": scattered(4, 3), "ct": scattered(2, 3, 4),
    "c2": scattered(3, 3) + 2 * np.eye(3), "cb": scattered(2, 3, 3) + 2 * np.eye(3),
}  # fmt: skip


@dataclass(frozen=True)
class Call:
    """One line's call: the function that it is about, its text, and the words of the error if it is refused."""

    area: str
    name: str
    text: str
    refused: str = ""

    def __str__(self):
        return f"{self.area} {self.text}"

    @property
    def tree(self):
        return ast.parse(self.text, mode="eval").body

    @property
    def operands(self):
        """The names of the values that the call reads, in the order of VALUES."""
        read = {node.id for node in ast.walk(self.tree) if isinstance(node, ast.Name)}
        return [name for name in VALUES if name in read]

    @property
    def active(self):
        """Positions of what is differentiated: the floats and the complex arrays."""
        values = [np.asarray(VALUES[name]) for name in self.operands]
        return tuple(k for k, value in enumerate(values) if value.dtype.kind in "fc")

    def of(self, text):
        """Another call."""
        return replace(self, text=text, refused="")

    def in_double(self):
        """The call with double for single precision, which finite differences need."""
        text = self.text.replace("float32", "float64").replace("complex64", "complex128")
        return self if text == self.text else self.of(text)

    def arguments(self):
        return [np.copy(VALUES[each]) if np.ndim(VALUES[each]) else VALUES[each] for each in self.operands]

    def value(self):
        """What NumPy gives."""
        with np.errstate(all="ignore"):
            return np.asarray(made(self, self.text)(*self.arguments()))


def text_of(call, result):
    return f"def function({', '.join(call.operands)}):\n    return {result}\n"


def made(call, result):
    """A function of the call's operands that returns `result`; its source is known to `inspect`."""
    text = text_of(call, result)
    file = f"<{call}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    namespace = {"np": np, "math": math}
    if "scipy" in text:
        import scipy.linalg
        import scipy.signal
        import scipy.special
        import scipy.stats

        namespace["scipy"] = scipy
    exec(compile(text, file, "exec"), namespace)
    return namespace["function"]


def bent(call):
    """A real number that every element of the call's result moves, each in its own way."""
    total = f"np.sum(np.sin({call.text}))"
    return f"np.real((1.0 - 0.5j) * {total})" if call.value().dtype.kind == "c" else total


def loss(call):
    """The function of the call's operands that returns that number."""
    return made(call, bent(call))


def source(call):
    """Its text."""
    return text_of(call, bent(call))


def read():
    """Every call of every file."""
    for file in sorted(Path(__file__).parent.glob("*.txt")):
        name = ""
        for line in file.read_text().splitlines():
            if line.startswith("#") or not line.strip():
                continue
            if not line.startswith(" "):
                name, _, line = line.partition(": ")
            for part in line.split(" ; "):
                text, _, refused = part.strip().partition(" -> ")
                yield Call(file.stem, name, text, refused)


CALLS = list(read())

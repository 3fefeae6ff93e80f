"""Random programs that fill, read and hand on lists, dicts and objects: the gradient is right, or refused at a line.

python tests/fuzz/fuzz_containers.py 1000 [first seed]
"""

import importlib.util
import random
import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from agreement import check

from srcgrad import CompileError

HEAD = """
import dataclasses
from collections import namedtuple

import numpy as np

Pair = namedtuple("Pair", "a b")


@dataclasses.dataclass
class Cell:
    w: np.ndarray
    b: float

    def __call__(self, x):
        return np.tanh(self.w * x + self.b)

    @property
    def size(self):
        return np.sum(self.w**2) + self.b**2


class Sum:
    def __init__(self, start):
        self.total = start

    def add(self, x):
        self.total = self.total + np.sum(x)
        return self

    def __add__(self, other):
        return Sum(self.total + other)
"""
STEPS = ["np.tanh(cell.w * x + {h})", "np.sin({h}) + x", "cell(x) * 0.5 + {h} * 0.3", "x * {h} * 0.2 + cell.b"]
FILLS = {
    "list": ("hs = []", "hs.append(h)", "h"),
    "start": ("hs = [h]", "hs.append(h)", "hs[-1]"),
    "both": ("hs = [h]", "hs.append(h)", "hs[t]"),
    "dict": ("hs = {-1: h}", "hs[t] = h", "hs[t - 1]"),
    "pairs": ("hs = []", "hs.append((h, x))", "h"),
    "array": ("hs = []", "hs.append(h.copy())", "h"),
}
READS = {
    "list": [
        "total = total + np.sum(np.stack(hs) ** 2)",
        "total = total + np.sum(np.array(hs)[1:] * xs[1:])",
        "for h in reversed(hs):\n        total = 0.9 * total + h @ xs[0]",
        "for t in range(1, len(hs)):\n        total = total + np.sum(hs[t] * hs[t - 1])",
        "total = total + sum(np.sum(h**2) for h in hs) / len(hs)",
        "total = total + np.sum(hs[-1]) * hs[0][1]",
        "for h, x in zip(hs, xs):\n        total = total + h @ x",
    ],
    "dict": [
        "for t in range(n):\n        total = total + hs[t] @ hs[t - 1]",
        "total = total + np.sum(hs[n - 1] ** 2) + np.sum(hs[-1])",
        "for t in reversed(range(n)):\n        total = 0.8 * total + np.sum(hs[t])",
    ],
    "pairs": [
        "for a, b in reversed(hs):\n        total = 0.9 * total + a @ b",
        "total = total + np.sum(hs[-1][0] * hs[0][1])",
    ],
}
EXTRAS = [
    "pair = Pair(b=total, a=np.sum(xs[0]))\n    total = pair.a * pair.b * 0.1",
    "acc = Sum(total).add(xs[1]).add(xs[2] ** 2) + 1.0\n    total = acc.total",
    "parts = {k: np.sum(v) for k, v in zip(('a', 'b'), xs[:2])}\n    parts.update(c=total)\n"
    "    total = sum(parts[k] * (1.0 if k < 'c' else 0.5) for k in sorted(parts))",
    "first, *rest, last = [np.sum(x) for x in xs[:4]]\n    total = total + first * last + sum(rest)",
    "total = total + cell.size",
    "other = dataclasses.replace(cell) if False else Cell(cell.w * 2.0, total * 0.1)\n    total = np.sum(other(xs[0]))",
    "box = [total, [total * 2.0, xs[0]]]\n    box[1][0], box[0] = box[0], box[1][0]\n    total = box[0] + box[1][0]",
]


def program(rng):
    """One function of an object, an array of rows and the number of passes, as text."""
    kind = rng.choice(list(FILLS))
    start, store, before = FILLS[kind]
    reads = READS["list" if kind in ("list", "start", "both", "array") else kind]
    walk = "for t, x in enumerate(xs):" if kind in ("dict", "both") or rng.random() < 0.3 else "for x in xs:"
    if kind in ("start", "both"):  # one item more than there are rows
        reads = [
            read.replace("np.array(hs)[1:] * xs[1:]", "np.array(hs)[1:] * xs") for read in reads if "zip" not in read
        ]
    lines = ["h = np.zeros(3) + cell.b", start, walk, f"    h = {rng.choice(STEPS).format(h=before)}", f"    {store}"]
    lines += ["total = 0.0", *rng.sample(reads, rng.randint(1, min(3, len(reads))))]
    lines += rng.sample(EXTRAS, rng.randint(0, 3))
    return HEAD + "\n\ndef loss(cell, xs, n):\n    " + "\n    ".join([*lines, "return total"]) + "\n"


def run(seed, folder):
    """ "right", or "refused" with the error's first line; a wrong gradient raises."""
    text = program(random.Random(seed))
    file = Path(folder) / f"containers_{seed}.py"
    file.write_text(text)
    spec = importlib.util.spec_from_file_location(file.stem, file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module
    spec.loader.exec_module(module)
    rng = np.random.default_rng(seed)
    passes = int(rng.choice([66, 5, 70]))
    cell, xs = module.Cell(rng.standard_normal(3), 0.3), rng.standard_normal((passes, 3)) * 0.4
    try:
        check(module.loss, cell, xs, passes, wrt=(0, 1), tolerance=1e-5)
    except CompileError as error:
        return "refused", str(error).splitlines()[0]
    except Exception:
        print(f"seed {seed}\n{text}")
        raise
    return "right", ""


def main(count, first=0):
    results = {"right": 0, "refused": 0}
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(first, first + count):
            outcome, why = run(seed, folder)
            results[outcome] += 1
            if why:
                print(seed, why)
    print(results)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

"""The page of generated gradients beside hand-written ones: `python docs/gallery.py` writes it anew.

The functions and the gradients written by hand are those of tests/specimens, where finite differences and the complex
step check what the hand wrote. The generated gradients are made here, and compared with them here.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
PAGE = Path(__file__).with_name("gallery.md")
sys.path.insert(0, str(ROOT / "tests"))

from specimens import lines_of_code  # noqa: E402

from srcgrad import grad  # noqa: E402

# specimen, title, and what a reader should see
ENTRIES = """
mlp: A multilayer perceptron
A helper called three times, read in place. Line by line what the hand wrote, in the same order. What has no name in the
source, the sum inside the helper, lends its cotangent a plain one: `d_total`, where the hand has `d_a2` and `d_a1`.

logistic_regression: Logistic regression
The derivative of `logaddexp` is general and takes two transcendental functions more: `exp(-m - logaddexp(0, -m))` is
the hand's `1 / (1 + exp(m))`, without its overflow warning for large margins. The hand's formula is shorter and faster.

softmax_cross_entropy_labels: Softmax and cross-entropy
The hand knows that the gradient is softmax minus one-hot. The rules arrive at the same sum, with the two terms in the
other order. That the row's maximum takes no part in the derivative is found by algebra.

attention: Attention
`x` is used three times, and the softmax is written out. The hand merges the softmax's two divisions into the weights;
the generated one divides by the total again, and calls the cotangent of `q @ k.T` after the operation, `d_product`.

rnn: A recurrent network
Backpropagation through time: one list of states, read backwards.

lstm: An LSTM
**The generated one is worse.** It is right, and more than twice as long: each recorded variable has a list of its own,
where the hand keeps one tuple for a pass, and a sigmoid is differentiated through its quotient and its exponential,
which are recorded too, where the hand writes `s * (1 - s)` from the value that is there anyway. For that the
hand's is 0 where a sigmoid is as good as 1, and the generated one still has all its digits.

conv2d: A convolution
The loops over the kernel's places run again, backwards. The hand assigns each place once, where the generated one adds
to zeros: it does not use that a place is visited only once.

kalman_filter: A Kalman filter
Two scalars through a loop, each assigned twice in a pass. What the sweep back needs is one tuple for each pass. The
hand differentiates the recursion as one formula.

jacobi: Jacobi sweeps
The grid is written in place, and so is its cotangent; nothing is recorded, since a sweep is linear in the grid.

newton_sqrt: Newton's method
A `while` loop on the value that is differentiated: as many passes back as were made. The hand folds two divisions into
one.

black_scholes: Black-Scholes
A helper read twice. The hand knows that its derivative is a density and writes that down; the generated one carries the
pieces, and computes a constant, `np.sqrt(2.0 / np.pi)`, twice, as the function does.

gaussian_cholesky: A Gaussian process's likelihood
By way of a Cholesky factor. **The generated one is longer and slower**: it differentiates the factorisation (with two
more solves), where the hand knows that the factor drops out of the closed form.

rk4_pendulum: An ordinary differential equation
Runge-Kutta steps, a helper read four times. The hand takes `GRAVITY / length` for one variable and records the four
stages; the generated one records the sines, and divides by the length again.
"""

HEAD = """# Gallery

{count} functions, the gradients that srcgrad generates from them, and the gradients that a person wrote by hand. Each
pair is compared: the largest difference of any entry, over three draws of random arguments and relative to the largest
entry, stands in the table. Lines are those of the body. Where the hand's is better, the text says why.

"""

DIFFERENCE = re.compile(r"\b\de-\d\d\b")


@dataclass(frozen=True)
class Entry:
    title: str
    remark: str
    function: str
    generated: str
    by_hand: str
    difference: float


def entries() -> list[Entry]:
    """All of them, compiled and compared."""
    return [_entry(*text.split("\n", 1)) for text in ENTRIES.strip().split("\n\n")]


def _entry(head: str, remark: str) -> Entry:
    """The function of a specimen, its two gradients, and how far apart they are."""
    name, title = head.split(": ")
    module = importlib.import_module(f"specimens.{name}")
    gradient = grad(module.loss, wrt=module.WRT)
    apart = max(_difference(gradient, module, np.random.default_rng(seed)) for seed in range(3))
    return Entry(title, remark, _function(module), gradient.source, inspect.getsource(module.by_hand), apart)


def _difference(gradient: Any, module: ModuleType, rng: np.random.Generator) -> float:
    arguments = module.arguments(rng)
    pairs = zip(gradient(*arguments), module.by_hand(*arguments), strict=True)
    return max(float(np.max(np.abs(ours - hand)) / np.max(np.abs(hand))) for ours, hand in pairs)


def _function(module: ModuleType) -> str:
    """What stands between the specimen's imports and the gradient written by hand."""
    source = inspect.getsource(module)
    start = source.index("\n", source.index("WRT = "))
    return source[start : source.index("def by_hand")].strip() + "\n"


def page(entries: list[Entry]) -> str:
    """The whole page."""
    table = ["| | generated | by hand | largest difference |", "|---|---|---|---|"]
    table += [f"| {_link(each.title)} | {_lines(each)} | {each.difference:.0e} |" for each in entries]
    parts = [HEAD.format(count=len(entries)) + "\n".join(table), *(part for each in entries for part in _section(each))]
    return "\n\n".join(parts) + "\n"


def _link(title: str) -> str:
    anchor = re.sub(r"[^\w-]", "", title.lower().replace(" ", "-"))
    return f"[{title}](#{anchor})"


def _lines(each: Entry) -> str:
    return f"{lines_of_code(each.generated)} lines | {lines_of_code(each.by_hand)} lines"


def _section(each: Entry) -> Iterator[str]:
    yield from (f"## {each.title}", each.remark, _code(each.function))
    yield from ('<div class="pair">\n<div>', "Generated:", _code(each.generated), "</div>\n<div>")
    yield from ("By hand:", _code(each.by_hand), "</div>\n</div>")


def _code(text: str) -> str:
    return f"```python shown\n{text.strip()}\n```"


def same(shown: str, now: str) -> bool:
    """But for the differences, which are rounding errors, and so the machine's own."""
    return DIFFERENCE.sub("", shown) == DIFFERENCE.sub("", now)


def refresh() -> None:
    """Write the page, if a gradient on it has changed."""
    now = page(entries())
    if not PAGE.exists() or not same(PAGE.read_text(), now):
        PAGE.write_text(now)


if __name__ == "__main__":
    refresh()

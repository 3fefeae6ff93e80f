"""`python -m benchmarks.run`: generated gradients against hand-written ones, and against other tools where installed.

Ratios are hand-written time / time: 2 is twice as fast as by hand, 0.5 half as fast. `python -m benchmarks.run RNN`
measures the workloads whose names contain a word; `--sources FILE` writes the generated code of rows below 0.95.
"""

import argparse
import ast
import inspect
import textwrap
from pathlib import Path
from typing import Any

import numpy as np

import srcgrad

from .peers import contenders
from .timing import as_time, compare, machine, one_thread, table
from .workloads import Workload, workloads

PEERS = ("torch", "jax", "autograd")


def measure(workload: Workload) -> dict[str, Any]:
    """Times of all contenders, after a check that they agree, and the lines of both gradients."""
    module, args = workload.module, workload.arguments(np.random.default_rng(0))
    gradient = srcgrad.grad(module.loss, wrt=module.WRT)
    bare = gradient.specialize(*args)
    expected = module.by_hand(*args)
    calls = {
        "hand": lambda: module.by_hand(*args),
        "bare": lambda: bare(*args),
        "call": lambda: gradient(*args),
        **contenders(workload, args),
    }
    for name, call in calls.items():
        for actual, wanted in zip(call(), expected, strict=True):
            tolerance = 1e-3 if np.asarray(wanted).dtype == np.float32 else 1e-8
            scale = np.max(np.abs(wanted))
            assert np.max(np.abs(np.asarray(actual) - wanted)) <= tolerance * scale, f"{workload.name}: {name} differs"
    times = compare(calls, workload.seconds)
    return {
        "times": times,
        "lines": (lines(gradient.source), lines(inspect.getsource(module.by_hand))),
        "source": gradient.source,
    }


def lines(source: str) -> int:
    """Lines of a function's body, without blank ones and comments."""
    source = textwrap.dedent(source)
    function = next(node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef))
    body = source.splitlines()[function.body[0].lineno - 1 : function.end_lineno]
    return sum(1 for line in body if line.strip() and not line.strip().startswith("#"))


def row(workload: Workload, result: dict[str, Any]) -> list[str]:
    times = result["times"]
    ratios = [as_ratio(times["hand"] / times[name]) if name in times else "-" for name in ("bare", "call", *PEERS)]
    generated, hand = result["lines"]
    return [workload.name, as_time(times["hand"]), *ratios, f"{generated} / {hand}"]


def as_ratio(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio >= 0.1 else f"{ratio:.1g}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*")
    parser.add_argument("--sources", type=Path)
    options = parser.parse_args()
    chosen = [w for w in workloads() if not options.words or any(word in w.name for word in options.words)]
    rows, slow = [], []
    with one_thread():
        for workload in chosen:
            result = measure(workload)
            rows.append(row(workload, result))
            ratio = result["times"]["hand"] / result["times"]["bare"]
            if ratio < 0.95:
                slow.append(f"## {workload.name}: {ratio:.2f}\n\n```python\n{result['source']}```\n")
            print("#", *rows[-1], flush=True)
    print()
    print(machine("numpy", *PEERS))
    print(table(["workload", "by hand", "generated", "with dispatch", *PEERS, "lines / by hand"], rows))
    means = [geometric_mean(rows, 2 + k) for k in range(2 + len(PEERS))]
    print("geometric means:", ", ".join(f"{n} {m}" for n, m in zip(("generated", "with dispatch", *PEERS), means)))
    if options.sources:
        options.sources.write_text("\n".join(slow))


def geometric_mean(rows: list[list[str]], column: int) -> str:
    values = [float(r[column]) for r in rows if r[column] != "-"]
    return f"{np.exp(np.mean(np.log(values))):.2f}" if values else "-"


if __name__ == "__main__":
    main()

"""`python -m benchmarks.compile`: what compiling, loading from disk, dispatching and importing cost."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
import types
from collections.abc import Callable
from pathlib import Path

import numpy as np

from srcgrad import pipeline
from srcgrad.request import Request
from srcgrad.runtime.signature import describe

from .timing import as_time, compare, machine, one_thread, table

ROOT = Path(__file__).parents[1]
BYTECODE = tempfile.TemporaryDirectory(prefix="srcgrad-benchmark-")


def attention_block(wq, wk, wv, wo, w1, b1, w2, b2, gain, bias, x, target):
    """About thirty lines: one block of a transformer, with a loss."""
    # attention
    queries = x @ wq
    keys = x @ wk
    values = x @ wv
    scores = queries @ keys.T / np.sqrt(keys.shape[1])
    scores = scores - np.max(scores, axis=1, keepdims=True)
    weights = np.exp(scores)
    weights = weights / np.sum(weights, axis=1, keepdims=True)
    attended = weights @ values @ wo
    x = x + attended
    # layer norm
    mean = np.mean(x, axis=1, keepdims=True)
    centred = x - mean
    variance = np.mean(centred**2, axis=1, keepdims=True)
    normal = centred / np.sqrt(variance + 1e-5)
    normal = normal * gain + bias
    # two dense layers
    hidden = normal @ w1 + b1
    hidden = 0.5 * hidden * (1.0 + np.tanh(0.7978845608 * (hidden + 0.044715 * hidden**3)))
    out = hidden @ w2 + b2
    out = x + out
    # a loss that walks over the rows
    total = 0.0
    for i in range(len(out)):
        error = out[i] - target[i]
        if np.sum(error**2) > 1.0:
            total = total + np.sqrt(np.sum(error**2))
        else:
            total = total + 0.5 * np.sum(error**2)
    penalty = np.sum(w1**2) + np.sum(w2**2)
    return total / len(out) + 1e-4 * penalty


WRT = ("wq", "wk", "wv", "wo", "w1", "b1", "w2", "b2", "gain", "bias")


def example() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    d, h, n = 8, 16, 5
    shapes = {
        "wq": (d, d),
        "wk": (d, d),
        "wv": (d, d),
        "wo": (d, d),
        "w1": (d, h),
        "b1": (h,),
        "w2": (h, d),
        "b2": (d,),
    }
    shapes |= {"gain": (d,), "bias": (d,), "x": (n, d), "target": (n, d)}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


def stages(rounds: int = 15) -> str:
    """Median CPU time of every stage of the compiler, for the function above."""
    pipeline.time = types.SimpleNamespace(perf_counter=time.process_time)  # wall time is noise
    args = example()
    signature = tuple((name, "plain", None) for name in args)
    specs = {name: describe(value) for name, value in args.items()}
    request = Request(attention_block, specs, tuple((name, None) for name in WRT), single=False, signature=signature)
    seen: dict[str, list[float]] = {}
    whole = []
    for _ in range(rounds):
        start = time.process_time()
        compiled = pipeline.compile_function(request, args)
        whole.append(time.process_time() - start)
        for stage, seconds in compiled.seconds.items():
            seen.setdefault(stage, []).append(seconds)
    rows = [[stage, f"{1e3 * statistics.median(each):.1f}"] for stage, each in seen.items()]
    return table(["stage", "ms"], [*rows, ["all", f"{1e3 * statistics.median(whole):.1f}"]])


CALL = """
import time, numpy as np, benchmarks.compile as b, srcgrad
args = b.example().values()
gradient = srcgrad.grad(b.attention_block, wrt=b.WRT)
start = time.process_time()
gradient(*args)
first = time.process_time() - start
warm = srcgrad.grad(b.small, wrt="w")
start = time.process_time()
warm(np.ones(3), np.ones((4, 3)))
second = time.process_time() - start
print(first, second, gradient.specializations[0].origin)
"""


def small(w, x):
    return np.sum(np.tanh(x @ w) ** 2)


def first_calls(rounds: int = 5) -> str:
    """The first call in a new process: compiled, and then, in another process, from the disk: CPU time."""
    _python("import benchmarks.compile")
    times: dict[str, list[list[str]]] = {"compiled": [], "disk": []}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            for each in times.values():
                each.append(_python(CALL, SRCGRAD_CACHE_DIR=folder).split())
    assert all(run[2] == name for name, runs in times.items() for run in runs)
    rows = [
        [title, *(as_time(statistics.median(float(run[k]) for run in times[name])) for k in (0, 1))]
        for name, title in (("compiled", "compiled, nothing on disk"), ("disk", "from the disk"))
    ]
    return table(["first call in a process", "30 lines, first of all", "2 lines, after that"], rows)


def dispatch() -> str:
    """What the check of the signature adds to a call."""
    import srcgrad

    from .scalar import loss as parabola

    args = tuple(example().values())
    rows = []
    for name, function, wrt, values in (
        ("1 number", parabola, "x", (10.0,)),
        ("2 arrays", small, "w", (np.ones(3), np.ones((4, 3)))),
        ("12 arrays", attention_block, WRT, args),
    ):
        gradient = srcgrad.grad(function, wrt=wrt)
        bare = gradient.specialize(*values)
        times = compare({"bare": _calling(bare, values), "call": _calling(gradient, values)}, 1.0)
        rows.append(
            [name, as_time(times["bare"]), as_time(times["call"]), as_time(max(times["call"] - times["bare"], 0.0))]
        )
    return table(["arguments", "bare", "dispatched", "difference"], rows)


def _calling(function: Callable[..., object], values: tuple[object, ...]) -> Callable[[], object]:
    return lambda: function(*values)


IMPORT = """
import time, numpy
start = time.process_time()
import srcgrad
print(time.process_time() - start)
"""


def import_time(rounds: int = 9) -> str:
    """What `import srcgrad` takes where NumPy is imported already, in CPU time."""
    return as_time(statistics.median(float(_python(IMPORT)) for _ in range(rounds)))


def _python(script: str, **environment: str) -> str:
    """What a new process prints; its modules' bytecode is kept in a folder of ours, as installing leaves it."""
    env = {**os.environ, "PYTHONPYCACHEPREFIX": BYTECODE.name, **environment}
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    return run.stdout


def main() -> None:
    print(machine("numpy"), end="\n\n")
    with one_thread():
        for part in (stages, first_calls, dispatch):
            print(part(), end="\n\n")
    print("import, beyond NumPy's:", import_time())


if __name__ == "__main__":
    main()

"""`python -m benchmarks.gpu`: gradients on a GPU against PyTorch eager, torch.compile and JAX where installed.

Ratios are the tool's time / srcgrad's time: 2 is half as fast as srcgrad. Wall-clock seconds of one gradient, medians
of interleaved rounds; every round waits for the device before and after. A call of the dispatcher is timed, not the
bare function. `python -m benchmarks.gpu MLP` measures the workloads whose names contain a word. Without a GPU it says
what is missing; `--simulate` runs the same code on the tests' simulator, where the times mean nothing.
"""

import argparse
import contextlib
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

import srcgrad

from . import peers
from .timing import as_time, machine, table
from .workloads import Workload, workloads

Contenders = dict[str, tuple[Callable[[], Any], Callable[[], Any]]]  # name -> (call, wait for the device)


def of_srcgrad(workload: Workload, args: tuple[Any, ...]) -> Contenders:
    """The compiled gradient of CuPy arrays."""
    import cupy

    gradient = srcgrad.grad(workload.module.loss, wrt=workload.module.WRT)
    arrays = [cupy.asarray(each) if isinstance(each, np.ndarray) else each for each in args]
    gradient(*arrays)
    return {"srcgrad": (lambda: gradient(*arrays), srcgrad.cuda.synchronize)}


def of_torch(workload: Workload, args: tuple[Any, ...]) -> Contenders:
    """PyTorch on the GPU, eager and compiled."""
    import torch

    if not torch.cuda.is_available():
        raise ModuleNotFoundError("torch without CUDA")
    loss = getattr(peers, f"_torch_{workload.torch}")
    tensors = [torch.as_tensor(np.asarray(each), device="cuda") for each in args]
    wrt = [tensors[k].requires_grad_() for k in peers._positions(workload)]
    compiled = torch.compile(lambda *given: loss(torch, *given))

    def gradients(value: Callable[..., Any]) -> Callable[[], Any]:
        return lambda: torch.autograd.grad(value(*tensors), wrt)

    calls = {"torch": gradients(lambda *given: loss(torch, *given)), "torch.compile": gradients(compiled)}
    return {name: (call, torch.cuda.synchronize) for name, call in calls.items()}


def of_jax(workload: Workload, args: tuple[Any, ...]) -> Contenders:
    """JAX's jit on the GPU."""
    import jax

    if jax.default_backend() != "gpu":
        raise ModuleNotFoundError("jax without CUDA")
    call = peers._jax(workload, args)  # which waits itself
    return {"jax": (call, lambda: None)}


def measure(workload: Workload, rounds: int = 15) -> dict[str, float]:
    """Seconds of one gradient for every tool that is there; raises AssertionError where one disagrees."""
    args = workload.arguments(np.random.default_rng(0))
    expected = workload.module.by_hand(*args)
    found: Contenders = {}
    for make in (of_srcgrad, of_torch, of_jax):
        with contextlib.suppress(ModuleNotFoundError):
            found |= make(workload, args)
    for name, (call, wait) in found.items():
        for actual, wanted in zip(call(), expected, strict=True):
            tolerance = 1e-3 if np.asarray(wanted).dtype == np.float32 else 1e-8
            scale = float(np.max(np.abs(wanted)))
            close = np.allclose(on_cpu(actual), wanted, rtol=tolerance, atol=tolerance * scale)
            assert close, f"{workload.name}: {name} disagrees with the gradient written by hand"
        wait()
    return compare(found, rounds)


def on_cpu(array: Any) -> Any:
    """A gradient of any of the tools as a NumPy array."""
    for method in ("get", "cpu"):
        if hasattr(array, method):
            return np.asarray(getattr(array, method)())
    return np.asarray(array)


def compare(contenders: Contenders, rounds: int, seconds: float = 0.05) -> dict[str, float]:
    """Median seconds of one call: rounds in changing order, each of several calls between two waits."""
    order, times = random.Random(0), {name: list[float]() for name in contenders}
    repeats = {name: max(1, int(seconds / max(_time(*each, 3), 1e-7))) for name, each in contenders.items()}
    for _ in range(rounds):
        for name in order.sample(list(contenders), len(contenders)):
            times[name].append(_time(*contenders[name], repeats[name]))
    return {name: statistics.median(each) for name, each in times.items()}


def _time(call: Callable[[], Any], wait: Callable[[], Any], repeats: int) -> float:
    wait()
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    wait()
    return (time.perf_counter() - start) / repeats


def row(workload: Workload, times: Mapping[str, float]) -> list[str]:
    own = times["srcgrad"]
    others = [f"{times[name] / own:.2f}" if name in times else "" for name in ("torch", "torch.compile", "jax")]
    return [workload.name, as_time(own), *others]


@contextlib.contextmanager
def simulator() -> Iterator[None]:
    sys.path[:0] = [str(Path(__file__).parents[1] / "tests" / "gpu")]
    import cupy_simulator

    with cupy_simulator.simulated():
        yield


def main(words: list[str], rounds: int = 15) -> None:
    """Print a table of all workloads whose names contain one of the words."""
    if not srcgrad.cuda.is_available():
        sys.exit("There is no GPU here (or CuPy is not installed): nothing is measured.")
    chosen = [each for each in workloads() if not words or any(word.lower() in each.name.lower() for word in words)]
    print(machine("cupy-cuda12x", "cupy-cuda13x", "torch", "jax"))
    rows = [row(workload, measure(workload, rounds)) for workload in chosen]
    print(table(["workload", "srcgrad", "torch / it", "torch.compile / it", "jax / it"], rows))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*")
    parser.add_argument("--simulate", action="store_true")
    given = parser.parse_args()
    with simulator() if given.simulate else contextlib.nullcontext():
        if given.simulate:
            print("Simulated on the CPU: these times mean nothing.")
        main(given.words, 2 if given.simulate else 15)

"""`python -m benchmarks.optimizers`: steps of the optimizers against PyTorch's on the CPU, and the memory they take.

Ratios are PyTorch's time / ours, with PyTorch's default implementation: 2 is twice as fast as PyTorch.
"""

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np

import srcgrad
from srcgrad import optim

from .timing import as_time, compare, machine, one_thread, table

PROBLEMS = {
    "1 x 4,000,000": [(2000, 2000)],
    "20 x 65,536": [(256, 256)] * 20,
    "100 x 64": [(64,)] * 100,
}
OPTIMIZERS: dict[str, tuple[str, dict[str, Any]]] = {
    "SGD": ("SGD", {"lr": 1e-4}),
    "SGD, momentum, decay": ("SGD", {"lr": 1e-4, "momentum": 0.9, "weight_decay": 1e-4}),
    "Adam": ("Adam", {"lr": 1e-4}),
    "AdamW": ("AdamW", {"lr": 1e-4}),
    "RMSprop": ("RMSprop", {"lr": 1e-4}),
    "Adagrad": ("Adagrad", {"lr": 1e-4}),
}


def arrays(shapes: list[tuple[int, ...]]) -> list[tuple[Any, Any]]:
    """(parameter, gradient) pairs in float32."""
    rng = np.random.default_rng(0)
    return [tuple(rng.standard_normal(shape, np.float32) for _ in range(2)) for shape in shapes]  # type: ignore[misc]


def ours(name: str, options: dict[str, Any], pairs: list[tuple[Any, Any]]) -> tuple[Any, Callable[[], Any]]:
    params = [srcgrad.Parameter(value.copy()) for value, _ in pairs]
    for param, (_, grad) in zip(params, pairs):
        param.grad = grad
    optimizer = getattr(optim, name)(params, **options)
    return params, optimizer.step


def pytorchs(name: str, options: dict[str, Any], pairs: list[tuple[Any, Any]]) -> tuple[Any, Callable[[], Any]]:
    import torch

    torch.set_num_threads(1)
    params = [torch.nn.Parameter(torch.from_numpy(value.copy())) for value, _ in pairs]
    for param, (_, grad) in zip(params, pairs):
        param.grad = torch.from_numpy(grad)
    optimizer = getattr(torch.optim, name)(params, **options)
    return params, optimizer.step


def measure(case: tuple[str, dict[str, Any]], shapes: list[tuple[int, ...]]) -> tuple[float, float, float]:
    """Our seconds, PyTorch's, and our peak memory for one step as a share of the parameters'."""
    pairs = arrays(shapes)
    (params, step), (others, other_step) = ours(*case, pairs), pytorchs(*case, pairs)
    for _ in range(3):
        step()
        other_step()
    for param, other in zip(params, others):
        np.testing.assert_allclose(param.data, other.detach().numpy(), rtol=1e-5, atol=1e-6)
    times = compare({"ours": step, "torch": other_step}, seconds=2.0)
    tracemalloc.start()
    step()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return times["ours"], times["torch"], peak / sum(param.data.nbytes for param in params)


def main() -> None:
    rows, ratios, peaks = [], [], []
    with one_thread():
        for name, case in OPTIMIZERS.items():
            row = [name]
            for shapes in PROBLEMS.values():
                mine, theirs, peak = measure(case, shapes)
                row += [as_time(mine), f"{theirs / mine:.2f}"]
                ratios.append(theirs / mine)
                peaks.append(peak)
            rows.append(row)
            print("#", *row, flush=True)
    print()
    print(machine("numpy", "torch"))
    print(table(["float32", *(head for size in PROBLEMS for head in (size, "torch / ours"))], rows))
    print(f"geometric mean {np.exp(np.mean(np.log(ratios))):.2f}")
    largest = max(peaks[:: len(PROBLEMS)])
    print(f"memory allocated by a step on {next(iter(PROBLEMS))}: at most {largest:.2%} of the parameters'")


if __name__ == "__main__":
    main()

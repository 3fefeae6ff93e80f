"""Times that a shared machine cannot spoil: CPU seconds, one thread, interleaved rounds, medians."""

import gc
import os
import platform
import random
import statistics
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def one_thread() -> AbstractContextManager[Any]:
    """BLAS and OpenMP on one thread; torch and jax are told separately, by `peers`."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1)


def compare(contenders: Mapping[str, Callable[[], Any]], seconds: float = 1.0, rounds: int = 15) -> dict[str, float]:
    """Median CPU seconds of one call for each contender.

    Every round runs all of them in another order, so that a busy moment, or memory that the one before left warm,
    favours none.
    """
    order = random.Random(0)
    share = seconds / rounds / len(contenders)
    repeats = {name: max(1, int(share / max(_time(call, 1), 1e-9))) for name, call in contenders.items()}
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name in order.sample(list(contenders), len(contenders)):
            times[name].append(_time(contenders[name], repeats[name]))
    return {name: statistics.median(each) for name, each in times.items()}


def _time(call: Callable[[], Any], repeats: int) -> float:
    gc.collect()
    gc.disable()
    try:
        start = time.process_time()
        for _ in range(repeats):
            call()
        return (time.process_time() - start) / repeats
    finally:
        gc.enable()


def machine(*modules: str) -> str:
    """What was measured on, in one line."""
    import importlib.metadata as metadata

    versions = []
    for name in modules:
        try:
            versions.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{platform.machine()}, {cores} cores, Python {platform.python_version()}, {', '.join(versions)}"


def table(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table, padded so that it also reads in a terminal."""
    widths = [max(len(row[k]) for row in [header, *rows]) for k in range(len(header))]

    def line(cells: list[str]) -> str:
        return (
            "| "
            + " | ".join(c.ljust(w) if k == 0 else c.rjust(w) for k, (c, w) in enumerate(zip(cells, widths)))
            + " |"
        )

    rule = "|" + "|".join("-" * (w + 1) + ("-" if k == 0 else ":") for k, w in enumerate(widths)) + "|"
    return "\n".join([line(header), rule, *map(line, rows)])


def as_time(seconds: float) -> str:
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"

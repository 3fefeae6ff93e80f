"""Memory of the gradient of a long loop: stored whole, and in segments that are computed again.

python -m benchmarks.checkpointing [--passes 2000] [--size 2000]

The peak is what tracemalloc sees over one call of the gradient; the time is CPU seconds next to the plain loop's.
"""

import argparse
import tracemalloc
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from srcgrad import checkpointed, grad

from .timing import compare, one_thread


def plain(x, rate, n):
    for _ in range(n):
        x = x + rate * np.sin(x) * np.roll(x, 1)
    return np.sum(x**2)


def by_root(x, rate, n):
    for _ in checkpointed(range(n)):
        x = x + rate * np.sin(x) * np.roll(x, 1)
    return np.sum(x**2)


def slots_8(x, rate, n):
    for _ in checkpointed(range(n), slots=8):
        x = x + rate * np.sin(x) * np.roll(x, 1)
    return np.sum(x**2)


def slots_12_twice(x, rate, n):
    for _ in checkpointed(range(n), slots=12, levels=2):
        x = x + rate * np.sin(x) * np.roll(x, 1)
    return np.sum(x**2)


def slots_6_thrice(x, rate, n):
    for _ in checkpointed(range(n), slots=6, levels=3):
        x = x + rate * np.sin(x) * np.roll(x, 1)
    return np.sum(x**2)


CASES = {
    "range(n)": plain,
    "checkpointed(range(n))": by_root,
    "checkpointed(range(n), slots=8)": slots_8,
    "checkpointed(range(n), slots=12, levels=2)": slots_12_twice,
    "checkpointed(range(n), slots=6, levels=3)": slots_6_thrice,
}


def peak(call: Callable[[], Any]) -> int:
    """The most memory that a call has at any time, in bytes."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passes", type=int, default=2000)
    parser.add_argument("--size", type=int, default=2000)
    given = parser.parse_args()
    x = np.random.default_rng(0).normal(size=given.size)
    calls: dict[str, Callable[[], Any]] = {
        name: partial(grad(function), x, 0.01, given.passes) for name, function in CASES.items()
    }
    expected = calls["range(n)"]()
    for name, call in calls.items():
        np.testing.assert_array_equal(call(), expected, err_msg=name)  # bit for bit
    with one_thread():
        times = compare(calls, seconds=3.0, rounds=5)
    print(f"{given.passes} passes over {given.size} numbers, {x.nbytes / 1e3:.0f} kB\n")
    print(f"| {'loop over':42} | peak, MB | time |")
    print("|---|---:|---:|")
    for name, call in calls.items():
        print(f"| {name:42} | {peak(call) / 1e6:.2f} | {times[name] / times['range(n)']:.2f}x |")


if __name__ == "__main__":
    main()

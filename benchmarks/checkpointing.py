"""Memory of the gradient of a long loop: stored whole, in segments, and by the binomial schedule.

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


def binomial_24(x, rate, n):
    for _ in checkpointed(range(n), slots=24, schedule="binomial"):
        x = x + rate * np.sin(x) * np.roll(x, 1)
    return np.sum(x**2)


CASES = {
    "range(n)": plain,
    "checkpointed(range(n))": by_root,
    "checkpointed(range(n), slots=8)": slots_8,
    "checkpointed(range(n), slots=12, levels=2)": slots_12_twice,
    "checkpointed(range(n), slots=6, levels=3)": slots_6_thrice,
    'checkpointed(range(n), slots=24, schedule="binomial")': binomial_24,
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
        # bit for bit, but that one text adds `d_x += a + b` and another `d_x += a` and then `b`
        np.testing.assert_allclose(call(), expected, rtol=1e-10 if "binomial" in name else 0, err_msg=name)
    with one_thread():
        times = compare(calls, seconds=3.0, rounds=5)
    print(f"{given.passes} passes over {given.size} numbers, {x.nbytes / 1e3:.0f} kB\n")
    print(f"| {'loop over':53} | peak, MB | time |")
    print("|---|---:|---:|")
    for name, call in calls.items():
        print(f"| {name:53} | {peak(call) / 1e6:.2f} | {times[name] / times['range(n)']:.2f}x |")


if __name__ == "__main__":
    main()

"""The time of a matrix product on the CPU and, where there is one, on a GPU."""

import time

import numpy as np

from srcgrad import cuda, device

SHAPES = (512, 1024), (1024, 512)


def arrays(where):
    """Two random float32 matrices on a device."""
    rng = np.random.default_rng(0)
    drawn = [rng.standard_normal(shape, dtype=np.float32) for shape in SHAPES]
    if where.type == "cpu":
        return drawn
    import cupy

    return [cupy.asarray(array) for array in drawn]


def seconds(where, repeats=20):
    """The shortest time of a product, everything waited for: a GPU returns before it is done."""
    a, b = arrays(where)
    times = []
    for _ in range(repeats):
        wait(where)
        start = time.perf_counter()
        a @ b
        wait(where)
        times.append(time.perf_counter() - start)
    return min(times)


def wait(where):
    """Until the device has done what it was asked for."""
    if where.type == "cuda":
        cuda.synchronize()


def main():
    """Time the CPU, and the GPU if there is one; returns the seconds of each."""
    places = [device("cpu"), *([device("cuda")] if cuda.is_available() else [])]
    taken = {where.type: seconds(where) for where in places}
    for name, time_taken in taken.items():
        print(f"{name}: (512x1024) @ (1024x512) in {1e3 * time_taken:.3f} ms")
    if len(places) == 1:
        print("no GPU here")
    return taken


if __name__ == "__main__":
    main()

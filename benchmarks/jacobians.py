"""Whole Jacobians: several rows or columns at once, against one by one, by hand, and JAX.

python -m benchmarks.jacobians [--seconds 1]

JAX stands in the table where it is installed, compiled by XLA, with its own choice of rows (`jacrev`) or columns. The
times are CPU seconds on one thread; every ratio is to `srcgrad`, which takes several rows at once.
"""

import argparse
import contextlib
import inspect
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from srcgrad import hessian, jacfwd, jacrev, jvp, vjp

from .timing import compare, machine, one_thread


def layer(x, w):
    return np.tanh(w @ x)


def layer_by_hand(x, w):
    y = np.tanh(w @ x)
    return (1.0 - y * y)[:, None] * w


def two_layers(x, w1, w2):
    return np.tanh(w2 @ np.tanh(w1 @ x))


def two_layers_by_hand(x, w1, w2):
    h = np.tanh(w1 @ x)
    y = np.tanh(w2 @ h)
    return ((1.0 - y * y)[:, None] * w2 * (1.0 - h * h)) @ w1


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def rosenbrock_by_hand(x):
    n = len(x)
    matrix = np.zeros((n, n))
    main, off = np.zeros(n), -400.0 * x[:-1]
    main[:-1] = 1200.0 * x[:-1] ** 2 - 400.0 * x[1:] + 2.0
    main[1:] += 200.0
    matrix[np.arange(n), np.arange(n)] = main
    matrix[np.arange(n - 1), np.arange(1, n)] = off
    matrix[np.arange(1, n), np.arange(n - 1)] = off
    return matrix


def steps(x):
    for _ in range(20):
        x = x + 0.1 * (np.roll(x, 1) - x) * x
    return x


def steps_by_hand(x):
    n = len(x)
    matrix = np.eye(n)
    for _ in range(20):
        before = np.roll(x, 1)
        matrix = matrix * (1.0 + 0.1 * (before - 2.0 * x))[:, None] + 0.1 * x[:, None] * np.roll(matrix, 1, axis=0)
        x = x + 0.1 * (before - x) * x
    return matrix


def network(x, w, v):
    return np.sum(np.tanh(x @ w) @ v)


def large(x, w):
    return np.sum(np.tanh(x @ w), axis=1)


def rng(*shape):
    return np.random.default_rng(len(shape)).normal(size=shape) / 4.0


# name: derivative, function, arguments, by hand or None
CASES: dict[str, tuple[Callable[..., Any], Callable[..., Any], tuple[Any, ...], Callable[..., Any] | None]] = {
    "a layer, 60 rows": (jacrev, layer, (rng(60), rng(60, 60)), layer_by_hand),
    "two layers, 10 rows": (jacrev, two_layers, (rng(200), rng(100, 200), rng(10, 100)), two_layers_by_hand),
    "two layers, 60 rows": (jacrev, two_layers, (rng(60), rng(60, 60), rng(60, 60)), two_layers_by_hand),
    "20 steps, 60 columns": (jacfwd, steps, (rng(60),), steps_by_hand),
    "20 steps, 60 rows": (jacrev, steps, (rng(60),), steps_by_hand),
    "Rosenbrock's Hessian, 60 rows": (hessian, rosenbrock, (rng(60),), rosenbrock_by_hand),
    "a network's Hessian in 8 x 20 inputs": (hessian, network, (rng(8, 20), rng(20, 30), rng(30)), None),
    "sums of a large layer, 100 rows": (jacrev, large, (rng(100, 400), rng(400, 300)), None),
}


def by_rows(function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    value, pullback = vjp(function, *args, argnums=0)
    matrix, seed = np.empty((value.size, *args[0].shape)), np.zeros(value.shape)
    for k in range(value.size):
        seed.flat[k] = 1.0
        (matrix[k],) = pullback(seed)
        seed.flat[k] = 0.0
    return matrix.reshape(*value.shape, *args[0].shape)


def by_columns(function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    x, columns = args[0], []
    direction, rest = np.zeros(x.shape), (None,) * (len(args) - 1)
    for k in range(x.size):
        direction.flat[k] = 1.0
        columns.append(jvp(function, args, (direction, *rest))[1])
        direction.flat[k] = 0.0
    return np.stack(columns, axis=-1).reshape(*columns[0].shape, *x.shape)


def jax_contender(make: Any, function: Callable[..., Any], args: tuple[Any, ...]) -> Callable[[], Any]:
    import jax

    jax.config.update("jax_enable_x64", True)
    source = re.sub(r"\bnp\.", "jax.numpy.", inspect.getsource(function))
    namespace: dict[str, Any] = {"jax": jax}
    exec(source, namespace)
    derivative = jax.jit(getattr(jax, make.__name__)(namespace[function.__name__]))
    arrays = [jax.numpy.asarray(each) for each in args]
    return lambda: jax.block_until_ready(derivative(*arrays))


def contenders(name: str) -> dict[str, Callable[[], Any]]:
    make, function, args, by_hand = CASES[name]
    whole = make(function)
    expected = whole(*args)
    if make is hessian:
        from srcgrad import grad

        function_, one = grad(function), by_rows
    else:
        function_, one = function, by_columns if make is jacfwd else by_rows
    made: dict[str, Callable[[], Any]] = {"srcgrad": lambda: whole(*args), "one by one": lambda: one(function_, args)}
    if by_hand is not None:
        made["by hand"] = lambda: by_hand(*args)
    with contextlib.suppress(ModuleNotFoundError):
        made["jax"] = jax_contender(make, function, args)
    for tool, call in made.items():
        np.testing.assert_allclose(call(), expected, rtol=1e-9, atol=1e-11, err_msg=f"{tool}: {name}")
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=1.0)
    seconds = parser.parse_args().seconds
    print(machine("numpy", "jax"), "\n")
    print(f"| {'derivative':36} | srcgrad, ms | one by one | by hand | jax |")
    print("|---|---:|---:|---:|---:|")
    with one_thread():
        for name in CASES:
            times = compare(contenders(name), seconds)
            ratios = [
                f"{times[k] / times['srcgrad']:.2f}x" if k in times else "-" for k in ("one by one", "by hand", "jax")
            ]
            print(f"| {name:36} | {1e3 * times['srcgrad']:.3f} | {' | '.join(ratios)} |", flush=True)


if __name__ == "__main__":
    main()

"""The text of gradients with functions of their own, as reviewed.

SRCGRAD_UPDATE_GOLDEN=1 pytest tests/emit/test_golden_calls.py
"""

import os
from pathlib import Path

import numpy as np
import pytest

from srcgrad import grad

pytestmark = pytest.mark.quick
GOLDEN = Path(__file__).parents[1] / "golden" / "calls"


def power(x, n):
    if n == 0:
        return 1.0
    return x * power(x, n - 1)


def horner(c, x, i=0):
    if i == len(c):
        return 0.0
    return c[i] + x * horner(c, x, i + 1)


def tree_sum(x):
    if len(x) == 1:
        return np.sin(x[0])
    half = len(x) // 2
    return tree_sum(x[:half]) + tree_sum(x[half:])


def even(x, n):
    return x if n == 0 else np.sin(odd(x, n - 1))


def odd(x, n):
    return x * x if n == 0 else np.cos(even(x, n - 1))


def turns(x, n):
    return np.sum(even(x, n))


def block(h, w, b, gain):
    centred = h - np.mean(h, axis=1, keepdims=True)
    hidden = np.maximum(centred @ w + b, 0.0)  # relu
    return h + gain * np.tanh(hidden)


def network(x, layers):
    for w, b, gain in layers:
        x = block(x, w, b, gain)
    return np.mean(x**2)


def lorenz(state, sigma, rho, beta):
    x, y, z = state[0], state[1], state[2]
    return np.array([sigma * (y - x), x * (rho - z) - y, x * y - beta * z])


def rk4(f, y, h):
    k1 = f(y)
    k2 = f(y + h / 2 * k1)
    k3 = f(y + h / 2 * k2)
    k4 = f(y + h * k3)
    return y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def simulate(start, rho, steps):
    y = start
    for _ in range(steps):
        y = rk4(lambda s: lorenz(s, 10.0, rho, 8 / 3), y, 0.01)
    return np.sum(y**2)


LAYERS = [(np.ones((3, 3)), np.ones(3), 0.5) for _ in range(6)]
CASES = {
    "power": (power, 2.0, 5),
    "horner": (horner, np.ones(3), 0.5),
    "tree_sum": (tree_sum, np.ones(5)),
    "turns": (turns, np.ones(3), 4),
    "network": (network, np.ones((2, 3)), LAYERS),
    "simulate": (simulate, np.ones(3), 28.0, 3),
}


@pytest.mark.parametrize("name", CASES)
def test_the_text_is_the_one_that_was_reviewed(name):
    function, *args = CASES[name]
    gradient = grad(function)
    gradient(*args)
    file = GOLDEN / f"{name}.py"
    if os.environ.get("SRCGRAD_UPDATE_GOLDEN"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(gradient.source)
    assert gradient.source == file.read_text()

"""Helpers: read in place where they are short, functions of their own where they are long and called again."""

import ast
import functools
import math
import operator

import numpy as np
import pytest
from agreement import check

from srcgrad import grad, value_and_grad, vjp

pytestmark = pytest.mark.quick
RNG = np.random.default_rng(0)


def source_of(function, *args, **kwargs):
    gradient = grad(function, **kwargs)
    gradient(*args)
    return gradient.source


def defined(text):
    return [node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]


def block(h, p):
    hidden = np.tanh(h @ p["w1"] + p["b1"])
    return h + hidden @ p["w2"] + p["b2"]


def network(x, blocks):
    for p in blocks:
        x = block(x, p)
    return np.mean(x**2)


def blocks(count, width=3):
    return [
        {
            "w1": RNG.normal(size=(width, 4)),
            "b1": RNG.normal(size=4),
            "w2": RNG.normal(size=(4, width)) / 4,
            "b2": RNG.normal(size=width),
        }
        for _ in range(count)
    ]


# Long helpers


def test_equal_blocks_share_one_pair_of_functions():
    check(network, RNG.normal(size=(2, 3)), blocks(7), tolerance=1e-5)
    text = source_of(network, RNG.normal(size=(2, 3)), blocks(12))
    assert defined(text) == ["block_forward", "block_backward", "network_grad"]
    assert text.count("= block_forward(") == text.count("= block_backward(") == 12


def test_the_text_grows_by_two_lines_for_a_block():
    lines = [len(source_of(network, np.ones((2, 3)), blocks(n)).splitlines()) for n in (8, 12)]
    assert lines[1] - lines[0] == 8


def test_few_blocks_are_read_in_place():
    assert defined(source_of(network, np.ones((2, 3)), blocks(3))) == ["network_grad"]


def score(x, w, b):
    z = x @ w + b
    z = z - np.max(z, axis=1, keepdims=True)
    e = np.exp(z)
    p = e / np.sum(e, axis=1, keepdims=True)
    return np.sum(p * np.log(p + 1e-9), axis=1)


def three_scores(x, w1, w2, w3, b, b3):
    return np.sum(score(x, w1, b) * score(x, w2, b) - score(x[1:], w3, b3).sum())


def test_one_function_serves_calls_with_different_lengths():
    args = [RNG.normal(size=s) for s in [(4, 3), (3, 5), (3, 5), (3, 2), 5, 2]]
    gradient = check(three_scores, *args, tolerance=1e-5)
    gradient(*args)
    assert defined(gradient.source) == ["score_forward", "score_backward", "three_scores_grad"]


def test_lengths_that_do_not_fit_are_numpys_error():
    args = [np.ones(s) for s in [(4, 3), (2, 5), (3, 5), (3, 2), 5, 2]]
    with pytest.raises(Exception, match=r"lengths|mismatch|dimension"):
        grad(three_scores)(*args)


def test_forward_and_backward_halves():
    def features(x, parameters):
        for p in parameters:
            x = block(x, p)
        return x

    x, parameters = RNG.normal(size=(2, 3)), blocks(7)
    y, pullback = vjp(features, x, parameters)
    np.testing.assert_allclose(y, features(x, parameters))
    d, _ = pullback(np.ones_like(y))
    assert d.shape == x.shape


def test_value_and_gradient_together():
    x, parameters = RNG.normal(size=(2, 3)), blocks(8)
    value, _ = value_and_grad(network)(x, parameters)
    assert value == network(x, parameters)


def test_float32():
    parameters = [{k: v.astype(np.float32) for k, v in p.items()} for p in blocks(7)]
    d = grad(network)(np.ones((2, 3), dtype=np.float32), parameters)
    assert d.dtype == np.float32


def test_inside_a_loop_what_is_saved_is_recorded():
    def lorenz(state, sigma, rho, beta):
        x, y, z = state[0], state[1], state[2]
        return np.array([sigma * (y - x), x * (rho - z) - y, x * y - beta * z])

    def step(f, y, h):
        k1 = f(y)
        k2 = f(y + h / 2 * k1)
        k3 = f(y + h / 2 * k2)
        k4 = f(y + h * k3)
        return y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)

    def simulate(start, rho, steps):
        y = start
        for _ in range(steps):
            y = step(lambda s: lorenz(s, 10.0, rho, 8 / 3), y, 0.01)
        return np.sum(y**2)

    gradient = check(simulate, np.array([1.0, 2.0, 3.0]), 28.0, 3)
    gradient(np.array([1.0, 2.0, 3.0]), 28.0, 3)
    assert defined(gradient.source) == ["lorenz_forward", "lorenz_backward", "simulate_grad"]


def test_a_closure_over_an_active_value_gets_it_as_an_argument():
    def loss(x, w):
        scale = np.exp(w)

        def layer(h):
            z = np.tanh(h * scale + w)
            z = z - np.mean(z)
            return z / np.sqrt(np.mean(z**2) + 1.0) + np.sin(scale * h)

        return np.sum(layer(layer(layer(x))))

    x, w = RNG.normal(size=4), RNG.normal(size=4)
    check(loss, x, w, tolerance=1e-5)
    assert "layer_forward(h, scale, w)" in source_of(loss, x, w)


def test_a_closure_whose_variable_changes_between_calls():
    def loss(x):
        scale = 1.0

        def layer(h):
            z = np.tanh(h * scale + 0.1)
            z = z - np.mean(z)
            return z / np.sqrt(np.mean(z**2) + 1.0) + np.sin(scale * h)

        first = layer(x)
        scale = np.sum(x)
        return np.sum(first * layer(first) * layer(x) * layer(first))

    check(loss, RNG.normal(size=4), tolerance=1e-5)


def long(x):
    z = np.tanh(x) + np.sin(x) * np.cos(x)
    z = z - np.mean(z)
    return z / np.sqrt(np.mean(z**2) + 1.0)


def test_what_is_saved_survives_writes_in_the_caller():
    def loss(x):
        y = x.copy()
        total = 0.0
        for k in [1.0, 2.0, 3.0, 4.0]:
            z = long(y)
            total = total + np.sum(z**2)
            y += k * z
            y[0] = 0.5
            z *= 2.0
        return total + np.sum(y)

    gradient = check(loss, RNG.normal(size=4), tolerance=1e-5)
    gradient(np.ones(4))
    assert "long_backward" in gradient.source


def test_a_helper_that_changes_its_argument_is_read_in_place():
    def advance(y):
        z = np.tanh(y) + np.sin(y) * np.cos(y)
        y += z / np.sqrt(np.mean(z**2) + 1.0) - np.mean(z) * np.exp(-z)

    def loss(x):
        y = x.copy()
        advance(y)
        advance(y)
        advance(y)
        return np.sum(y**2)

    check(loss, RNG.normal(size=4), tolerance=1e-5)


def test_a_result_that_may_be_the_argument():
    def clamp(y):
        z = np.tanh(y) + np.sin(y) * np.cos(y) - np.mean(y) + np.exp(-y) * np.mean(np.cos(y))
        return y if np.sum(z) > 0.0 else z

    def loss(x):
        y = clamp(x) * 1.5
        y = clamp(y)
        y = clamp(y)
        return np.sum(clamp(y) ** 2)

    check(loss, np.array([0.3, 0.4]))
    check(loss, np.array([-1.3, -0.4]))


def test_several_results_in_containers():
    def cell(state, x):
        gate = 1.0 / (1.0 + np.exp(-x - state["h"]))
        c = gate * state["c"] + (1.0 - gate) * np.tanh(x)
        return {"h": gate * np.tanh(c), "c": c}, [np.sum(c), None]

    def loss(xs, h):
        state, total = {"h": h, "c": h * 0.5}, 0.0
        for k in range(4):
            state, (part, _) = cell(state, xs[k])
            total = total + part
        return total + np.sum(state["h"])

    check(loss, RNG.normal(size=(4, 3)), RNG.normal(size=3))


def test_randomness_and_prints_happen_once_and_in_order(capsys):
    def noisy(x, rng):
        print("drawn")
        z = np.tanh(x + rng.normal(size=3)) * np.sin(x) + np.cos(x) * np.mean(x)
        return z - np.mean(z) + np.exp(-z) * 0.5

    def loss(x, rng):
        return np.sum(noisy(noisy(noisy(x, rng), rng), rng))

    x = RNG.normal(size=3)
    gradient = grad(loss, wrt=("x",))
    d = gradient(x, np.random.default_rng(1))
    assert capsys.readouterr().out == "drawn\n" * 3
    for k in range(3):
        step = np.zeros(3)
        step[k] = 1e-6
        rise = loss(x + step, np.random.default_rng(1)) - loss(x - step, np.random.default_rng(1))
        assert d[0][k] == pytest.approx(rise / 2e-6, rel=1e-5)


def test_zeros_are_strong_across_calls():
    def entropy(p):
        z = np.sqrt(p) * 2.0 + p * np.log(p + 1.0) + np.sin(p) * np.cos(p)
        return np.exp(z) * 2.0

    def loss(x):
        mask = x > 0
        return np.sum(np.where(mask, entropy(x) + entropy(2.0 * x) + entropy(3.0 * x), 0.0))

    x = np.array([0.0, 0.5])
    with np.errstate(all="ignore"):
        d = grad(loss)(x)
    assert d[0] == 0.0
    assert "entropy_backward" in source_of(loss, np.array([0.3, 0.5]))
    assert d[1] == pytest.approx((loss(np.array([0.3, 0.5 + 1e-6])) - loss(np.array([0.3, 0.5 - 1e-6]))) / 2e-6)


def test_a_helper_that_is_linear_saves_nothing():
    def smooth(x):
        y = 0.5 * x + 0.25 * np.roll(x, 1) + 0.25 * np.roll(x, -1)
        return y - 0.1 * np.roll(y, 2) + 0.2 * x - 0.3 * np.roll(x, 3)

    def loss(x):
        return np.sum(smooth(smooth(smooth(x))) ** 2)

    check(loss, RNG.normal(size=5))
    text = source_of(loss, RNG.normal(size=5))
    assert defined(text) == ["smooth", "smooth_backward", "loss_grad"]
    assert "saved" not in text


# Functions as values


def test_functions_in_lists_and_dicts_and_as_arguments():
    layers = [lambda v: v + 1.0, np.tanh, {"f": lambda v: v * v}]

    def apply(f, x):
        return f(x)

    def loss(x):
        return apply(layers[0], x) * apply(layers[1], x) * layers[2]["f"](x)

    check(loss, 0.7)


def test_several_lambdas_on_one_line():
    def loss(x):
        f, g = (lambda v: v + 1.0), (lambda v: v * 2.0)
        return f(x) * g(x)

    check(loss, 0.7)


def test_loop_variables_are_bound_late_and_defaults_early():
    def loss(x):
        late, early = [], []
        for k in [1.0, 2.0, 3.0]:
            late.append(lambda v: v * k)  # noqa: B023
            early.append(lambda v, k=k: v**k)
        return late[0](x) + early[1](x)

    check(loss, 0.7)


def test_map_reduce_and_operators():
    def loss(x, y):
        squares = list(map(lambda v, w: v * w, [x, y], [y, x]))
        return functools.reduce(operator.mul, squares, operator.add(x, 1.0))

    check(loss, 0.7, 0.4)


def power(x, p=2):
    return x**p


half = functools.partial(operator.mul, 0.5)
cube = functools.partial(power, p=3)


def test_partial():
    check(lambda x: half(x) * cube(x) + functools.partial(power, p=4)(x), 0.7)


def test_a_partial_that_is_replaced(monkeypatch):
    gradient = grad(lambda x: cube(x))
    assert gradient(2.0) == pytest.approx(12.0)
    monkeypatch.setitem(globals(), "cube", functools.partial(power, p=2))
    assert gradient(2.0) == pytest.approx(4.0)


def twice(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return 2.0 * function(*args, **kwargs)

    return wrapper


@twice
def squared(x, scale=1.0):
    return scale * x**2


def test_a_wrapper_is_read_not_skipped():
    check(squared, 1.5, 2.0)
    check(lambda x: squared(x) * squared(x, scale=x), 1.5)


@functools.cache
def coefficient(n):
    return 1.0 / math.factorial(n)


@functools.cache
def nodes(n):
    return np.linspace(0.0, 1.0, n)


def test_cached_functions_of_known_arguments_are_data():
    def loss(x):
        return np.sum(x * nodes(3)) * coefficient(4) + coefficient(5)

    check(loss, np.array([1.0, 2.0, 3.0]))
    assert nodes.cache_info().hits > 0


@functools.cache
def smooth_step(x):
    return x * x * (3.0 - 2.0 * x)


def test_cached_functions_of_other_arguments_are_read():
    check(lambda x: smooth_step(x), 0.3)

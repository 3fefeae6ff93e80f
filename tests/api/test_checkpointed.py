"""Loops with a memory budget: the gradient of the plain loop, bit for bit, with less of it stored."""

import tracemalloc

import numpy as np
import pytest

from srcgrad import check_grads, checkpoint, checkpointed, grad, hvp, jvp, value_and_grad
from srcgrad.errors import CompileError

RNG = np.random.default_rng(0)
W, X = RNG.normal(size=(4, 4)) / 2, RNG.normal(size=4)


def plain(w, x, n):
    for i in range(n):
        x = np.tanh(w @ x) + 0.1 * i
    return np.sum(x**2)


def three(w, x, n):
    for i in checkpointed(range(n), slots=3):
        x = np.tanh(w @ x) + 0.1 * i
    return np.sum(x**2)


def by_root(w, x, n):
    for i in checkpointed(range(n)):
        x = np.tanh(w @ x) + 0.1 * i
    return np.sum(x**2)


def twice(w, x, n):
    for i in checkpointed(range(n), slots=2, levels=2):
        x = np.tanh(w @ x) + 0.1 * i
    return np.sum(x**2)


def thrice_by_root(w, x, n):
    for i in checkpointed(range(n), levels=3):
        x = np.tanh(w @ x) + 0.1 * i
    return np.sum(x**2)


ALL = [three, by_root, twice, thrice_by_root]


@pytest.mark.parametrize("function", ALL)
@pytest.mark.parametrize("n", [-5, 0, 1, 2, 3, 5, 7, 10, 23])
def test_value_and_gradient_are_those_of_the_plain_loop_bit_for_bit(function, n):
    assert function(W, X, n) == plain(W, X, n)
    value, gradients = value_and_grad(function, wrt=("w", "x"))(W, X, n)
    expected, plain_gradients = value_and_grad(plain, wrt=("w", "x"))(W, X, n)
    assert value == expected
    for found, wanted in zip(gradients, plain_gradients):
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("function", ALL)
def test_both_modes_and_second_order(function):
    check_grads(function, W, X, 5)
    _, tangent = jvp(function, (W, X, 6), (None, X, None))
    assert tangent == jvp(plain, (W, X, 6), (None, X, None))[1]
    np.testing.assert_allclose(hvp(function)(W, X, 6, W), hvp(plain)(W, X, 6, W), rtol=1e-12)


def test_each_segment_is_computed_again():
    gradient = grad(three, wrt="w")
    gradient(W, X, 7)
    assert gradient.source.splitlines()[3:] == [
        "def three_grad(w, x, n):",
        "    length = abs(n) // 3 + 1",
        "    x_steps = []",
        "    for first in range(0, n, length):",
        "        x_steps.append(x)",
        "        for i in range(first, min(first + length, n)):",
        "            x = np.tanh(w @ x) + 0.1 * i",
        "    d_x = 2 * x",
        "    d_w = np.zeros_like(w)",
        "    for first, x in zip(reversed(range(0, n, length)), reversed(x_steps)):",
        "        history = []",
        "        for i in range(first, min(first + length, n)):",
        "            tanh = np.tanh(w @ x)",
        "            history.append((x, tanh))",
        "            x = tanh + 0.1 * i",
        "        for x, tanh in reversed(history):",
        "            d_product = d_x * (1 - tanh * tanh)",
        "            d_w += np.outer(d_product, x)",
        "            d_x = w.T @ d_product",
        "    return d_w",
    ]


def waves(x, n):
    for _ in range(n):
        x = x + 0.01 * np.sin(x) * np.roll(x, 1)
    return np.sum(x**2)


def waves_in_segments(x, n):
    for _ in checkpointed(range(n)):
        x = x + 0.01 * np.sin(x) * np.roll(x, 1)
    return np.sum(x**2)


def waves_in_levels(x, n):
    for _ in checkpointed(range(n), slots=5, levels=3):
        x = x + 0.01 * np.sin(x) * np.roll(x, 1)
    return np.sum(x**2)


def peak(gradient, *args):
    gradient(*args)
    tracemalloc.start()
    try:
        gradient(*args)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_grows_with_the_root_of_the_passes():
    x = RNG.normal(size=1000)
    whole, segments, levels = (peak(grad(f), x, 400) for f in (waves, waves_in_segments, waves_in_levels))
    assert segments < whole / 8
    assert levels < segments / 1.5


def test_bounds_branches_inner_loops_and_written_arrays():
    def loss(x, start, stop):
        kept = np.zeros(20)
        total = 0.0
        for i in checkpointed(range(start, stop), slots=3):
            if i % 2 == 0:
                x = np.sin(x) * x
            else:
                for _ in range(2):
                    x = x - 0.1 * np.roll(x, 1)
            kept[i] = x[0]
            total = total + np.sum(x) * kept[i]
        return total + np.sum(kept**2)

    def unchecked(x, start, stop):
        kept = np.zeros(20)
        total = 0.0
        for i in range(start, stop):
            if i % 2 == 0:
                x = np.sin(x) * x
            else:
                for _ in range(2):
                    x = x - 0.1 * np.roll(x, 1)
            kept[i] = x[0]
            total = total + np.sum(x) * kept[i]
        return total + np.sum(kept**2)

    for start, stop in ((0, 7), (3, 11), (5, 5)):
        np.testing.assert_array_equal(grad(loss)(X, start, stop), grad(unchecked)(X, start, stop))
    check_grads(loss, X, 2, 9)


def test_one_checkpointed_loop_in_another():
    def loss(w, x, n):
        for _ in checkpointed(range(n), slots=2):
            for i in checkpointed(range(n), slots=2):
                x = np.tanh(w @ x) + 0.1 * i
        return np.sum(x**2)

    def unchecked(w, x, n):
        for _ in range(n):
            for i in range(n):
                x = np.tanh(w @ x) + 0.1 * i
        return np.sum(x**2)

    for n in (0, 1, 3, 5):
        np.testing.assert_array_equal(grad(loss)(W, X, n), grad(unchecked)(W, X, n))


def test_a_checkpointed_function_adds_up_in_the_order_of_the_plain_one():
    def cell(w, x):
        return np.tanh(w @ x)

    again = checkpoint(cell)

    def stored(w, x, n):
        for _ in range(n):
            x = cell(w, x)
        return np.sum(x**2)

    def computed_again(w, x, n):
        for _ in range(n):
            x = again(w, x)
        return np.sum(x**2)

    np.testing.assert_array_equal(grad(computed_again)(W, X, 7), grad(stored)(W, X, 7))


def test_as_ordinary_python():
    assert checkpointed(range(3), slots=2) == range(3)
    with pytest.raises(TypeError, match="takes a range, not list"):
        checkpointed([1, 2])
    with pytest.raises(ValueError, match="must be positive"):
        checkpointed(range(3), slots=0)


def left_early(x, n):
    for _ in checkpointed(range(n)):
        if x > 3.0:
            break
        x = x * x
    return x


def talkative(x, n):
    for _ in checkpointed(range(n)):
        print(x)
        x = x * x
    return x


def growing(x, n):
    for _ in checkpointed(range(n)):
        x = np.concatenate([x, x])
    return np.sum(x)


def of_a_list(x, n):
    for each in checkpointed([1.0, 2.0]):
        x = x * each
    return x


def numbered(x, n):
    for i, _ in enumerate(checkpointed(range(n))):
        x = x * i
    return x


def unknown_slots(x, n):
    for _ in checkpointed(range(n), slots=n):
        x = x * x
    return x


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (left_early, "left early"),
        (talkative, "prints"),
        (growing, "shape"),
        (of_a_list, "takes a range"),
        (numbered, "enumerate"),
        (unknown_slots, "known when compiling"),
    ],
)
def test_refused_at_the_line(function, message):
    x = np.ones(2) if function is growing else 1.5
    with pytest.raises(CompileError, match=message) as caught:
        grad(function)(x, 3)
    assert "test_checkpointed.py:" in str(caught.value)

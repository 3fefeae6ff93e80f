"""Loops that keep a given number of states by the binomial schedule, and compute no pass too often."""

import tracemalloc
from collections import Counter
from functools import cache
from math import comb
from types import SimpleNamespace

import numpy as np
import pytest

from srcgrad import check_grads, checkpointed, grad, hvp, jacobian, jvp, value_and_grad, vjp
from srcgrad.errors import CompileError

RNG = np.random.default_rng(0)
W, X = RNG.normal(size=(4, 4)) / 2, RNG.normal(size=4)


def plain(w, x, n):
    for i in range(n):
        x = np.tanh(w @ x) + 0.1 * i
    return np.sum(x**2) + np.sum(w)


def one(w, x, n):
    for i in checkpointed(range(n), slots=1, schedule="binomial"):
        x = np.tanh(w @ x) + 0.1 * i
    return np.sum(x**2) + np.sum(w)


def three(w, x, n):
    for i in checkpointed(range(n), slots=3, schedule="binomial"):
        x = np.tanh(w @ x) + 0.1 * i
    return np.sum(x**2) + np.sum(w)


def forty(w, x, n):
    for i in checkpointed(range(n), slots=40, schedule="binomial"):
        x = np.tanh(w @ x) + 0.1 * i
    return np.sum(x**2) + np.sum(w)


def assert_same(function, like, *args):
    value, gradients = value_and_grad(function, wrt=("w", "x"))(*args)
    expected, plain_gradients = value_and_grad(like, wrt=("w", "x"))(*args)
    assert value == expected == like(*args) == function(*args)
    for found, wanted in zip(gradients, plain_gradients):
        assert found.dtype == wanted.dtype
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("function", [one, three, forty])
@pytest.mark.parametrize("n", [-5, 0, 1, 2, 3, 4, 5, 10, 11, 36, 40, 41])
def test_value_and_gradient_are_those_of_the_plain_loop_bit_for_bit(function, n):
    w, x = W.copy(), X.copy()
    assert_same(function, plain, w, x, n)
    np.testing.assert_array_equal(w, W)
    np.testing.assert_array_equal(x, X)


def test_both_modes_and_second_order():
    check_grads(three, W, X, 7)
    assert jvp(three, (W, X, 6), (None, X, None))[1] == jvp(plain, (W, X, 6), (None, X, None))[1]
    np.testing.assert_allclose(hvp(three)(W, X, 6, W), hvp(plain)(W, X, 6, W), rtol=1e-12)

    def squared(w, x):
        return np.sum(grad(three, wrt="w")(w, x, 5) ** 2)

    check_grads(squared, W, X)


def test_a_pullback_may_be_called_twice():
    def end(w, x, n):
        for i in checkpointed(range(n), slots=2, schedule="binomial"):
            x = np.tanh(w @ x) + 0.1 * i
        return x

    _, pullback = vjp(end, W, X, 6, wrt="x")
    (first,), (second,) = pullback(X), pullback(X)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(X @ jacobian(end, wrt="x")(W, X, 6), first, rtol=1e-12)


def test_the_schedule_reads_as_ordinary_code():
    gradient = grad(three, wrt="x")
    gradient(W, X, 7)
    assert gradient.source.splitlines()[3:] == [
        "def three_grad(w, x, n):",
        "    x_1 = x",
        "    for i in range(n):",
        "        x_1 = np.tanh(w @ x_1) + 0.1 * i",
        "    d_x = 2 * x_1",
        "    firsts = np.zeros(3, dtype=np.int64)",
        "    x_kept = np.zeros((3, w.shape[0]))",
        "    x_kept[0] = x",
        "    depth = 0",
        "    for i in reversed(range(n)):",
        "        first = int(firsts[depth])",
        "        x = x_kept[depth].copy()",
        "        while first < i:",
        "            passes = i + 1 - first",
        "            free = 3 - depth",
        "            times = 0",
        "            reach = 1",
        "            while reach < passes:",
        "                times += 1",
        "                reach = reach * (free + times) // times",
        "            left = reach * times // (free + times)",
        "            end = first + min(left, passes - left * free // (free + times - 1))",
        "            for i_1 in range(first, end):",
        "                x = np.tanh(w @ x) + 0.1 * i_1",
        "            if end < i:",
        "                depth += 1",
        "                x_kept[depth] = x",
        "                firsts[depth] = end",
        "            first = end",
        "        tanh = np.tanh(w @ x)",
        "        d_x = w.T @ (d_x * (1 - tanh * tanh))",
        "        if firsts[depth] == i:",
        "            depth -= 1",
        "    return d_x",
    ]


# How many passes are computed


def steps(x, n):
    for _ in range(n):
        x = np.exp(-x)
    return np.sum(x**2)


def least(passes, slots):
    """Griewank & Walther (2000), the closed form: `slots` holds the state that all begins with, too."""
    r = 0
    while comb(slots + r, r) < passes:
        r += 1
    return r * passes - (comb(slots + r, r - 1) if r else 0)


@cache
def searched(passes, slots):
    """The same by trying every place for the next state: the passes up to it, those behind it, those before it."""
    if passes <= 1:
        return 0
    if slots == 1:
        return passes * (passes - 1) // 2
    return min(m + searched(passes - m, slots - 1) + searched(m, slots) for m in range(1, passes))


def test_the_closed_form_is_the_minimum():
    assert least(10, 3) == 15  # the paper's own example
    for slots in range(1, 8):
        for n in range(1, 50):
            assert least(n, slots) == searched(n, slots)


def counting(gradient):
    """The emitted function, and how often it has called each function of NumPy."""
    calls = Counter()

    class Counted:
        def __getattr__(self, name):
            calls[name] += 1
            return getattr(np, name)

    scope = {"np": Counted()}
    exec(gradient.source.replace("import numpy as np", ""), scope)
    return SimpleNamespace(call=scope["steps_grad"], calls=calls)


@pytest.mark.parametrize("slots", [1, 2, 3, 4, 5, 8, 13, 50])
def test_no_pass_is_computed_more_often_than_must_be(slots, tmp_path, monkeypatch):
    source = f"""
import numpy as np
from srcgrad import checkpointed

def steps(x, n):
    for _ in checkpointed(range(n), slots={slots}, schedule="binomial"):
        x = np.exp(-x)
    return np.sum(x**2)
"""
    (tmp_path / f"steps_{slots}.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    gradient = grad(__import__(f"steps_{slots}").steps)
    x = np.full(2, 0.5)
    gradient(x, 3)
    counted = counting(gradient)
    for n in [*range(30), 36, 37, 55, 56, 57, 100, 211]:
        counted.calls.clear()
        np.testing.assert_array_equal(counted.call(x, n), grad(steps)(x, n))
        # the value's passes, those to reach a state again, and each once more with its derivative
        assert counted.calls["exp"] == n + least(n, slots) + n


# What is carried and read


def many(w, x, n):
    v, t, k, total = x * 0.5, 0.1, 1, 0.0
    kept = np.zeros(30)
    for i in range(2, n):
        if i % 2 == 0:
            x = np.sin(x) * v
        else:
            for _ in range(2):
                x = x - 0.1 * np.roll(v, 1)
        v = np.tanh(w @ v) * np.cos(x) + t
        k = k + 2
        t = t * 1.1 + 0.25
        kept[i] = x[1] * k
        total = total + np.sum(x) * kept[i] * t
    return total + np.sum(kept**2) + np.sum(v * (w @ x))


def many_kept(w, x, n):
    v, t, k, total = x * 0.5, 0.1, 1, 0.0
    kept = np.zeros(30)
    for i in checkpointed(range(2, n), slots=3, schedule="binomial"):
        if i % 2 == 0:
            x = np.sin(x) * v
        else:
            for _ in range(2):
                x = x - 0.1 * np.roll(v, 1)
        v = np.tanh(w @ v) * np.cos(x) + t
        k = k + 2
        t = t * 1.1 + 0.25
        kept[i] = x[1] * k
        total = total + np.sum(x) * kept[i] * t
    return total + np.sum(kept**2) + np.sum(v * (w @ x))


@pytest.mark.parametrize("n", [0, 2, 3, 4, 13, 30])
def test_several_variables_branches_inner_loops_and_written_arrays(n):
    assert_same(many_kept, many, W, X, n)


def half(w, x, n):
    t = 0.1
    for _ in range(n):
        x = np.tanh(w @ x) * t
        t = t * 1.1 + 0.3
    return np.sum(x**2)


def half_kept(w, x, n):
    t = 0.1
    for _ in checkpointed(range(n), slots=2, schedule="binomial"):
        x = np.tanh(w @ x) * t
        t = t * 1.1 + 0.3
    return np.sum(x**2)


def test_a_number_stays_a_python_number_so_that_float32_stays_float32():
    assert_same(half_kept, half, W.astype(np.float32), X.astype(np.float32), 9)


def nested(w, x, n):
    for k in range(n):
        y = x * k
        for i in range(n):
            y = np.tanh(w @ y) + 0.1 * i * k
        x = x + y
    return np.sum(x**2)


def nested_kept(w, x, n):
    for k in checkpointed(range(n), slots=2, schedule="binomial"):
        y = x * k
        for i in checkpointed(range(n), slots=2, schedule="binomial"):
            y = np.tanh(w @ y) + 0.1 * i * k
        x = x + y
    return np.sum(x**2)


def in_segments(w, x, n):
    for k in checkpointed(range(n), slots=2):
        y = x * k
        for i in checkpointed(range(n), slots=2, schedule="binomial"):
            y = np.tanh(w @ y) + 0.1 * i * k
        x = x + y
    return np.sum(x**2)


@pytest.mark.parametrize("function", [nested_kept, in_segments])
@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_one_checkpointed_loop_in_another(function, n):
    assert_same(function, nested, W, X, n)


def replaced(w, x, n):
    y = x
    for _ in range(n):
        y = np.tanh(w @ x)
        x = x + y
    return np.sum(x * y)


def replaced_kept(w, x, n):
    y = x
    for _ in checkpointed(range(n), slots=2, schedule="binomial"):
        y = np.tanh(w @ x)
        x = x + y
    return np.sum(x * y)


def replaced_in_segments(w, x, n):
    y = x
    for _ in checkpointed(range(n), slots=2):
        y = np.tanh(w @ x)
        x = x + y
    return np.sum(x * y)


@pytest.mark.parametrize("function", [replaced_kept, replaced_in_segments])
@pytest.mark.parametrize("n", [0, 1, 6])
def test_a_variable_that_no_pass_reads(function, n):
    assert_same(function, replaced, W, X, n)


def positive(w, x, n):
    y = x[x > 0]
    for _ in range(n):
        y = np.sin(y) * w[0, 0]
    return np.sum(y**2)


def positive_kept(w, x, n):
    y = x[x > 0]
    for _ in checkpointed(range(n), slots=2, schedule="binomial"):
        y = np.sin(y) * w[0, 0]
    return np.sum(y**2)


@pytest.mark.parametrize("n", [0, 1, 6])
def test_a_length_that_only_running_decides(n):
    assert_same(positive_kept, positive, W, X, n)


# Memory


def waves(x, n):
    for _ in range(n):
        x = x + 0.01 * np.sin(x) * np.roll(x, 1)
    return np.sum(x**2)


def waves_kept(x, n):
    for _ in checkpointed(range(n), slots=10, schedule="binomial"):
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


def test_memory_is_that_of_the_slots_for_any_number_of_passes():
    x = RNG.normal(size=1000)
    gradient = grad(waves_kept)
    assert peak(gradient, x, 600) < 20 * x.nbytes  # 10 kept, and what one pass and its derivative have
    assert peak(gradient, x, 600) < 1.05 * peak(gradient, x, 60)
    # one text adds `d_x += a + b`, the other `d_x += a` and then `b`
    np.testing.assert_allclose(gradient(x, 600), grad(waves)(x, 600), rtol=1e-11)


# What is refused


def test_as_ordinary_python():
    assert checkpointed(range(3), slots=2, schedule="binomial") == range(3)
    with pytest.raises(ValueError, match='"segments" or "binomial", not \'revolve\''):
        checkpointed(range(3), slots=2, schedule="revolve")
    for options in ({}, {"slots": 2, "levels": 2}):
        with pytest.raises(ValueError, match="takes slots, and no levels"):
            checkpointed(range(3), schedule="binomial", **options)
    with pytest.raises(ValueError, match="must be positive"):
        checkpointed(range(3), slots=0, schedule="binomial")


def unknown(x, n):
    for _ in checkpointed(range(n), slots=2, schedule="revolve"):
        x = x * x
    return x


def without_slots(x, n):
    for _ in checkpointed(range(n), schedule="binomial"):
        x = x * x
    return x


def with_levels(x, n):
    for _ in checkpointed(range(n), slots=2, levels=2, schedule="binomial"):
        x = x * x
    return x


def no_slots(x, n):
    for _ in checkpointed(range(n), slots=0, schedule="binomial"):
        x = x * x
    return x


def computed(x, n):
    for _ in checkpointed(range(n), slots=2, schedule=n):
        x = x * x
    return x


def left_early(x, n):
    for _ in checkpointed(range(n), slots=2, schedule="binomial"):
        if x > 3.0:
            break
        x = x * x
    return x


def talkative(x, n):
    for _ in checkpointed(range(n), slots=2, schedule="binomial"):
        print(x)
        x = x * x
    return x


def flagged(x, n):
    up = True
    for _ in checkpointed(range(n), slots=2, schedule="binomial"):
        if up:
            x = x * x
        up = x > 0.5
    return x


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (unknown, "schedule that is unknown"),
        (computed, "schedule that is unknown"),
        (without_slots, "takes slots"),
        (with_levels, "no levels"),
        (no_slots, "positive integers"),
        (left_early, "left early"),
        (talkative, "prints"),
        (flagged, "Carry arrays and real numbers"),
    ],
)
def test_refused_at_the_line(function, message):
    with pytest.raises(CompileError, match=message) as caught:
        grad(function)(0.5, 3)
    assert "test_binomial.py:" in str(caught.value)

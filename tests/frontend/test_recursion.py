"""Functions that call themselves become a forward and a backward function that call themselves."""

import numpy as np
import pytest
from agreement import check

from srcgrad import grad
from srcgrad.errors import CompileError

pytestmark = pytest.mark.quick
RNG = np.random.default_rng(0)


def power(x, n):
    if n == 0:
        return 1.0
    return x * power(x, n - 1)


def by_halves(x, n):
    return x if n == 1 else by_halves(x, n // 2) ** 2 * (x if n % 2 else 1.0)


def horner(c, x, i=0):
    if i == len(c):
        return 0.0
    return c[i] + x * horner(c, x, i + 1)


def tree_sum(x):
    if len(x) == 1:
        return np.sin(x[0])
    half = len(x) // 2
    return tree_sum(x[:half]) * tree_sum(x[half:])


def even(x, n):
    return x if n == 0 else np.sin(odd(x, n - 1))


def odd(x, n):
    return x * x if n == 0 else np.cos(even(x, n - 1))


def both(x, n):
    """Two results, and an integer."""
    if n == 0:
        return x, 2.0 * x, 0
    a, b, count = both(x, n - 1)
    return a * b, b + np.cos(a), count + 1


def fibonacci(x, n):
    if n < 2:
        return x
    return fibonacci(x, n - 1) + x * fibonacci(x, n - 2)


def quadrature(x, low, high, depth):
    """Simpson's rule, halved until it is fine enough."""

    def f(t):
        return np.exp(-x * t) * np.sin(t)

    middle = (low + high) / 2
    if depth == 0:
        return (high - low) / 6 * (f(low) + 4 * f(middle) + f(high))
    return quadrature(x, low, middle, depth - 1) + quadrature(x, middle, high, depth - 1)


@pytest.mark.parametrize(
    ("function", "args"),
    [
        (power, (1.7, 5)),
        (power, (1.7, 0)),
        (by_halves, (1.1, 13)),
        (horner, (RNG.normal(size=5), 0.7)),
        (tree_sum, (RNG.normal(size=7),)),
        (lambda x, n: np.sum(even(x, n)), (RNG.normal(size=3), 4)),
        (lambda x, n: np.sum(odd(x, n)), (RNG.normal(size=3), 4)),
        (lambda x, n: both(x, n)[0] + both(x, n)[1] * both(x, n)[2], (0.4, 3)),
        (fibonacci, (0.3, 7)),
        (quadrature, (0.8, 0.0, 2.0, 3)),
    ],
)
def test_value_and_gradient(function, args):
    check(function, *args)


def test_depths_share_one_compilation():
    gradient = grad(power)
    for n in range(6):
        assert gradient(1.5, n) == pytest.approx(n * 1.5 ** (n - 1) if n else 0.0)
    assert gradient.source.count("def ") == 3


def test_the_decorated_function_is_not_written_twice():
    gradient = grad(power)
    gradient(2.0, 3)
    forward, backward, main = gradient.source.split("\n\n\n")
    assert forward.startswith("def power_forward(x, n):")
    assert backward.startswith("def power_backward(saved, d_result):")
    assert main.splitlines() == [
        "def power_grad(x, n):",
        "    _, power_saved = power_forward(x, n)",
        "    d_x = power_backward(power_saved, 1.0)",
        "    return d_x",
    ]


def test_a_nested_function_reads_what_is_around_it():
    def loss(w, x, depth):
        scale = np.tanh(w)

        def layer(h, n):
            if n == 0:
                return h
            return np.sin(layer(h, n - 1) @ w) * scale.sum()

        return np.sum(layer(x, depth))

    check(loss, 0.3 * RNG.normal(size=(3, 3)), RNG.normal(size=(2, 3)), 3)


def test_in_loops_and_branches():
    def loss(x, n):
        total = 0.0
        for i in range(n):
            if i % 2 == 0:
                total = total + power(x, i)
            else:
                total = total * power(0.5 * x, 2)
        return total

    check(loss, 1.3, 5)


def test_a_known_depth_is_written_out():
    def loss(x):
        return power(x, 4)

    gradient = check(loss, 1.4)
    gradient(1.4)
    assert "power" not in gradient.source


def test_a_known_depth_that_is_large_becomes_a_number():
    def loss(x):
        return power(x, 30)

    gradient = check(loss, 1.1)
    gradient(1.1)
    assert "power_forward(x, 30)" in gradient.source


def test_trees_of_lists_are_written_out():
    def total(tree):
        if isinstance(tree, list):
            value = 0.0
            for part in tree:
                value = value + total(part)
            return value**2
        return np.sin(tree)

    check(lambda x, y: total([x, [y, x], [[y]]]), 0.3, 0.4)


def test_lengths_that_change_from_call_to_call():
    def cumulative(x, w):
        if len(x) == 0:
            return 0.0
        return x[0] * w[0] + w[-1] * cumulative(x[1:], w[1:])

    check(cumulative, RNG.normal(size=4), RNG.normal(size=4))


def test_a_print_happens_once_for_each_call(capsys):
    def noisy(x, n):
        print("level", n)
        return x if n == 0 else x * noisy(x, n - 1)

    grad(noisy)(2.0, 2)
    assert capsys.readouterr().out == "level 2\nlevel 1\nlevel 0\n"


def test_zeros_are_strong_across_calls():
    """What a mask excludes contributes nothing, also where the derivative behind a call is infinite."""

    def root(x, n):
        return np.sqrt(x) if n == 0 else root(x, n - 1)

    def loss(x, n):
        return np.sum(np.where(x > 0, root(x, n), 0.0))

    with np.errstate(divide="ignore", invalid="ignore"):
        np.testing.assert_array_equal(grad(loss)(np.array([0.0, 4.0]), 2), [0.0, 0.25])


def test_float32_stays_float32():
    def layer(x, n):
        return x if n == 0 else np.tanh(layer(x, n - 1)) * 0.5

    d = grad(lambda x, n: np.sum(layer(x, n)))(np.ones(3, dtype=np.float32), 3)
    assert d.dtype == np.float32


# What is refused


def fault_of(function, *args):
    with pytest.raises(CompileError) as caught:
        grad(function)(*args)
    return caught.value.faults[0]


def test_no_path_without_a_call():
    def forever(x, n):
        return x * forever(x, n + 1)

    fault = fault_of(forever, 1.0, 0)
    assert "every path of `forever` calls itself" in fault.message
    assert "a path on which it returns a value" in fault.way_out


def test_results_of_different_kinds():
    def mixed(x, n):
        if n == 0:
            return x
        return mixed(x, n - 1), x

    fault = fault_of(lambda x, n: mixed(x, n)[0], 1.0, 3)
    assert fault.message == "the branches give a value of type float and a tuple"


def test_a_result_that_grows():
    def growing(x, n):
        if n == 0:
            return x
        return np.concatenate([x, growing(x, n - 1)])

    fault = fault_of(lambda x, n: np.sum(growing(x, n)), np.ones(2), 3)
    assert "`growing` calls itself with lengths that cannot be followed" in fault.message


def test_shapes_that_take_turns():
    def turned(x, y, n):
        return x @ y if n == 0 else turned(y, x, n - 1)

    fault = fault_of(lambda x, y, n: np.sum(turned(x, y, n)), np.ones((3, 2)), np.ones((2, 3)), 2)
    assert "`turned` calls itself with lengths that cannot be followed" in fault.message

"""Forward mode, and second order, through functions that stay functions: what calls itself, and long helpers."""

import numpy as np
import pytest

from srcgrad import check_grads, checkpoint, grad, hessian, hvp, jacfwd, jvp, rule
from srcgrad.errors import CompileError

RNG = np.random.default_rng(0)


def power(x, n):
    return 1.0 if n == 0 else x * power(x, n - 1)


def tree(x):
    if len(x) == 1:
        return np.sin(x[0])
    half = len(x) // 2
    return tree(x[:half]) * tree(x[half:])


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


def masked(w, x, n):
    """Loops and masks inside; what the masks exclude has an infinite derivative."""
    h = np.maximum(w @ x, 0.0)
    for _ in range(2):
        h = np.where(h > 0.1, np.sqrt(np.abs(h)), 0.0)
    return h if n == 0 else masked(0.5 * w, h + x, n - 1)


def growing(x, n):
    s = x
    while s < 5.0:
        s = s * (1.0 + x)
    return s if n == 0 else s * growing(0.9 * x, n - 1)


def newton(a, x, n):
    return x if n == 0 else newton(a, x - (x * x - a) / (2 * x), n - 1)


def steps(x, n):
    total = 0.0
    for i in range(n):
        total = total + power(x, i) if i % 2 == 0 else total * power(0.5 * x, 2)
    return total


@checkpoint
def pass_(h, w):
    return np.tanh(h @ w) * h


def layers(w, h, n):
    return h if n == 0 else layers(w, pass_(h, w), n - 1)


softplus = rule(lambda x: np.log1p(np.exp(x)))


@softplus.forward
def softplus_forward(x):
    e = np.exp(x)
    return np.log1p(e), e


@softplus.backward
def softplus_backward(e, d):
    return (d * e / (1.0 + e),)


@softplus.jvp
def softplus_jvp(args, tangents):
    e = np.exp(args[0])
    return np.log1p(e), tangents[0] * e / (1.0 + e)


def soft(x, n):
    return softplus(x) if n == 0 else softplus(soft(x * x, n - 1)) * x


CASES = {
    "power": (power, (1.7, 5)),
    "no level": (power, (1.7, 0)),
    "a tree": (tree, (RNG.normal(size=5),)),
    "two that call each other": (lambda x, n: np.sum(even(x, n)), (RNG.normal(size=3), 3)),
    "several results": (lambda x, n: both(x, n)[0] + both(x, n)[1] * both(x, n)[2], (0.4, 3)),
    "two arguments": (newton, (2.0, 1.0, 3)),
    "in a loop and a branch": (steps, (1.3, 5)),
    "a loop inside": (lambda x, n: growing(x, n), (0.7, 2)),
    "a checkpoint": (lambda w, h, n: np.sum(layers(w, h, n)), (0.3 * RNG.normal(size=(2, 2)), np.ones((1, 2)), 2)),
    "a rule": (lambda x, n: np.sum(soft(x, n)), (RNG.normal(size=2), 2)),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("modes", [("fwd",), ("rev",), ("fwd", "rev")], ids="+".join)
def test_agrees_with_finite_differences_to_second_order(name, modes):
    function, args = CASES[name]
    check_grads(function, *args, modes=modes)


@pytest.mark.parametrize("modes", [("fwd",), ("rev",), ("fwd", "rev")], ids="+".join)
def test_masks_in_a_recursion(modes):
    w, x = np.random.default_rng(0).normal(size=(3, 3)), np.array([0.6, 0.9, 0.7])
    with np.errstate(divide="ignore", invalid="ignore"):
        check_grads(lambda w, x, n: np.sum(masked(w, x, n) ** 2), w, x, 1, modes=modes)


def test_third_order():
    check_grads(power, 1.3, 4, order=3)


def test_the_tangent_function_calls_itself():
    directional = jvp(power)
    assert directional((2.0, 3), (1.0, None)) == (8.0, 12.0)
    assert directional.source.split("\n\n\n")[0].splitlines() == [
        "def power_tangent(x, n, t_x):",
        "    if n == 0:",
        "        result = 1.0",
        "        t_result = 0.0",
        "    else:",
        "        value, t_value = power_tangent(x, n - 1, t_x)",
        "        result = x * value",
        "        t_result = t_x * value + t_value * x",
        "    return result, t_result",
    ]


def test_a_hessian_by_rows_columns_and_products():
    x = RNG.normal(size=5)
    whole = hessian(tree)(x)
    np.testing.assert_allclose(jacfwd(grad(tree))(x), whole, rtol=1e-12)
    np.testing.assert_allclose([hvp(tree)(x, row) for row in np.eye(5)], whole, rtol=1e-12)


def block(x, w, b):
    a = np.tanh(x @ w + b)
    n = (a - np.mean(a, axis=-1, keepdims=True)) / np.sqrt(np.var(a, axis=-1, keepdims=True) + 1e-3)
    s = np.exp(n - np.max(n, axis=-1, keepdims=True))
    s = s / np.sum(s, axis=-1, keepdims=True)
    return x + s * np.cos(a)


def deep(x, w, b):
    for_all = block(block(x, w, b), w, b)
    return np.sum(block(block(for_all, w, b), w, b) ** 2)


def test_a_long_helper_is_written_once_at_each_order():
    args = RNG.normal(size=(4, 3)), RNG.normal(size=(3, 3)), RNG.normal(size=3)
    product = hvp(deep)
    product(*args, args[0])
    assert product.source.count("def ") == 3
    check_grads(deep, *args)


def test_a_derivative_inside_a_function_of_what_calls_itself():
    def slope(x, n):
        return grad(power)(x, n) * x + grad(power)(x * x, n)

    check_grads(slope, 1.2, 4)


def test_a_function_that_takes_a_derivative_of_itself_is_refused():
    def own(x, n):
        return x * x if n == 0 else x * grad(own)(x, n - 1)

    with pytest.raises(CompileError, match=r"test_derivatives_of_calls.py:\d+.*calls itself(.*\n)*.*grad\(own\)"):
        grad(own)(2.0, 3)


def test_an_argument_that_is_changed_in_a_recursion_is_refused():
    def writer(x, n):
        if n == 0:
            return 0.0
        x[n] = x[n] * x[n - 1]
        return x[n] + writer(x, n - 1)

    with pytest.raises(CompileError, match=r"`x` is changed in place.*argument of `writer`, which calls itself"):
        grad(writer)(np.ones(4), 3)

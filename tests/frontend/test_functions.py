"""Helpers, lambdas, closures, defaults and every kind of parameter."""

import math

import numpy as np
import other_module
import pytest
from agreement import check
from other_module import Constants, weighted

from srcgrad import grad

pytestmark = pytest.mark.quick

X, Y = np.array([0.5, -1.5, 2.0]), np.array([1.0, 0.3, -0.7])
SCALE = 100.0  # not the other module's


def power(v, k=2):
    return v**k


def total(v, *, k=2.0):
    return np.sum(v) * k


def signed(v):
    if np.sum(v) > 0:
        return v
    return -v


def gathered(v, *rest, **options):
    return v * rest[0] * options["q"]


def test_helpers_of_the_same_module():
    def loss(x):
        return np.sum(power(x)) + total(x, k=3.0) + np.sum(signed(x)) + np.sum(gathered(x, 2.0, q=3.0))

    check(loss, X)


def test_helpers_of_another_module_see_their_own_globals():
    def loss(x):
        a = weighted(x) + other_module.weighted(x, 4.0) + np.sum(other_module.scaled(x))
        return a + np.sum(Constants.square(x)) * Constants.gain * SCALE

    check(loss, X)


def test_functions_in_containers_and_arguments_see_their_own_globals():
    """A list of functions, a function as an argument: each reads the SCALE of where it was written."""
    steps = [other_module.scaled, np.tanh, lambda v: v * SCALE]

    def loss(x, f, table):
        for step in steps:
            x = step(x)
        return np.sum(f(x)) + np.sum(table["f"](x))

    check(loss, X, other_module.scaled, {"f": Constants.square})


def test_nested_functions_and_lambdas():
    def loss(x):
        def inner(v, a=2.0):
            return v * a + x

        square, cube = (lambda v: v * v), (lambda v, k=3: v**k)
        twice = lambda f: lambda v: f(f(v))  # noqa: E731
        return np.sum(inner(x) * inner(x, 3.0)) + np.sum(square(x) + cube(x)) + np.sum(twice(twice(square))(x * 0.5))

    check(loss, X)


def test_several_lambdas_on_one_line():
    a, b, c = grad(lambda x: x * 2), grad(lambda x: x * 3), grad(lambda x, y=2: x * y)
    assert (a(1.0), b(1.0), c(1.0)) == (2.0, 3.0, 2.0)
    same = grad(lambda x: x * x), grad(lambda x: x * x)
    assert [f(3.0) for f in same] == [6.0, 6.0]
    outer = grad(lambda x: (lambda y: y * x)(x))
    assert outer(3.0) == 6.0


def test_a_lambda_over_several_lines():
    loss = grad(
        lambda x: np.sum(x * 2)
        + x[0]
    )  # fmt: skip
    np.testing.assert_allclose(loss(X), [3, 2, 2])


def test_closures_over_everything():
    def make(a, array, n, f):
        def loss(x):
            return np.sum(f(x) ** n * array) * a

        return loss

    check(make(2.0, Y, 3, np.sin), X)
    check(make(np.float32(2.0), 1.5, 2, lambda v: v + 1), X)
    check(make(2, np.ones((2, 1)), 2.5, np.exp), X)


def test_late_binding_and_bound_defaults():
    bound = [grad(lambda x, k=k: x * k) for k in (1.0, 2.0, 3.0)]
    late = [grad(lambda x: x * k) for k in (1.0, 2.0, 3.0)]  # noqa: B023
    assert [f(1.0) for f in bound] == [1.0, 2.0, 3.0]
    assert [f(1.0) for f in late] == [3.0, 3.0, 3.0]


def test_variables_of_a_comprehension_are_its_own():
    k = 100.0

    def loss(x):
        late, bound = [lambda v: v * k for k in (1, 2, 3)], [lambda v, k=k: v * k for k in (1, 2, 3)]  # noqa: B023
        return sum(np.sum(f(x)) for f in (*late, *bound)) + k * x[0]

    np.testing.assert_allclose(grad(loss)(X), [115, 15, 15])


def test_every_kind_of_parameter():
    def loss(x, /, y, *rest, scale=2.0, mode="sum"):
        a = np.sum(x * y) * scale if mode == "sum" else np.mean(x * y)
        for each in rest:
            a = a * each
        return a

    gradient = grad(loss, wrt=("x", "rest", "scale"))
    dx, drest, dscale = gradient(X, Y, 3.0, 4.0)
    np.testing.assert_allclose(dx, Y * 24)
    np.testing.assert_allclose(drest, [8 * X @ Y, 6 * X @ Y])
    np.testing.assert_allclose(dscale, 12 * X @ Y)
    np.testing.assert_allclose(gradient(X, Y, mode="mean", scale=1.0)[0], Y / 3)
    np.testing.assert_allclose(gradient(X, y=Y)[0], 2 * Y)


def test_arguments_are_passed_on_with_stars():
    def f(a, b, c=1.0):
        return np.sum(a * b) * c

    def loss(x, y):
        pair, options = (x, y), {"c": 3.0}
        return f(*pair, **options) + f(*[x, x]) + max(*[x[0], y[0]])

    check(loss, X, Y)


def test_unpacking():
    def loss(x, y):
        a, b = x, y
        a, b = b, a
        (c, d), e = (a, b), 2.0
        first, *rest = (c[0], c[1], d[2])
        *start, end = [c, d, c * d]
        return np.sum(c * d**2) * e + first * rest[0] + rest[1] ** 2 + np.sum(start[0] * start[1] * end)

    check(loss, X, Y)


def test_imports_annotations_and_docstrings_inside():
    def loss(x):
        """Of no effect."""
        from math import tau

        import numpy.linalg as la

        scale: float = 2.0
        unused: int  # noqa: F842
        return math.cos(x[0]) * scale + la.norm(x) * tau

    check(loss, X)


def test_builtins():
    def loss(x, n):
        a = max(x[0], x[1]) * min(x[1], x[2]) * abs(x[0]) * float(n) + int(2.7) * x[1]
        quotient, rest = divmod(7, 2)
        b = a * quotient + rest * x[2] + pow(x[2], 2) + len([x, x]) * x[0] + sum([1.0, 2.0], 3.0) * x[1]
        return b * bool(n) if isinstance(x, np.ndarray) and callable(abs) else b * 7

    check(loss, X, 3)


def smoothed(v, axis=-1):
    return v - np.mean(v, axis=axis, keepdims=True)


def long_block(v, w):
    s = smoothed(v @ w)
    return v + np.tanh(s * 2.0 + 1.0) @ w + np.sin(s) * np.cos(v) + np.exp(-s) - v * s


def test_a_default_that_becomes_known_in_a_function_that_is_called_again():
    """`axis` is read from around the block, and its first reading makes it a known number."""

    def loss(v, ws):
        for w in ws:
            v = long_block(v, w)
        return np.sum(v)

    ws = [np.linspace(0.1, 0.9, 9).reshape(3, 3) * k for k in (0.1, 0.2, 0.3, 0.4)]
    check(loss, np.array([X, Y]), ws)

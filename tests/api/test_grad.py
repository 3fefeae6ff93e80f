"""`grad`: what is differentiated, what cannot be, and what a gradient promises."""

import copy

import numpy as np
import pytest

from srcgrad import GradTypeError, SourceNotFound, grad, value_and_grad

pytestmark = pytest.mark.quick

X, Y = np.array([0.5, -1.5, 2.0]), np.array([1.0, 0.3, -0.7])


def product(x, y, *, k=2.0):
    return np.sum(x * y) * k


def test_as_a_decorator_with_and_without_arguments():
    @grad
    def plain(x, y):
        return np.sum(x * y)

    @grad(wrt="y")
    def chosen(x, y):
        return np.sum(x * y)

    @grad(argnums=(1, 0))
    def both(x, y):
        return np.sum(x * y)

    np.testing.assert_allclose(plain(X, Y), Y)
    np.testing.assert_allclose(chosen(X, Y), X)
    np.testing.assert_allclose(both(X, Y), (X, Y))


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({}, 2 * Y),
        ({"argnums": 1}, 2 * X),
        ({"argnums": -2}, 2 * X),
        ({"argnums": np.int64(1)}, 2 * X),
        ({"argnums": (0,)}, (2 * Y,)),
        ({"argnums": [1, 0]}, (2 * X, 2 * Y)),
        ({"wrt": "y"}, 2 * X),
        ({"wrt": ("k", "x")}, (X @ Y, 2 * Y)),
        ({"wrt": ["k"]}, (X @ Y,)),
    ],
    ids=str,
)
def test_positions_and_names(choice, expected):
    got = grad(product, **choice)(X, Y)
    assert isinstance(got, tuple) == isinstance(expected, tuple)
    for one, other in zip(got, expected) if isinstance(expected, tuple) else [(got, expected)]:
        np.testing.assert_allclose(one, other)


@pytest.mark.parametrize(
    ("choice", "error", "message"),
    [
        ({"argnums": 3}, ValueError, "there is no position 3"),
        ({"argnums": -4}, ValueError, "there is no position -4"),
        ({"argnums": (0, -3)}, ValueError, "different positions"),
        ({"argnums": ()}, ValueError, "at least one"),
        ({"argnums": "x"}, TypeError, "names go into wrt="),
        ({"argnums": 1.0}, TypeError, "an integer or a sequence of integers"),
        ({"argnums": True}, TypeError, "an integer or a sequence of integers"),
        ({"wrt": "q"}, ValueError, "has no parameter `q`; it has x, y, k"),
        ({"wrt": ()}, ValueError, "at least one"),
        ({"wrt": ("x", "x")}, ValueError, "different names"),
        ({"wrt": 0}, TypeError, "positions go into argnums="),
        ({"wrt": "x", "argnums": 0}, ValueError, "not both"),
    ],
    ids=str,
)
def test_choices_that_make_no_sense(choice, error, message):
    with pytest.raises(error, match=message):
        grad(product, **choice)


def test_positions_among_star_arguments():
    def loss(x, *rest):
        return np.sum(x) * rest[0] * rest[1] ** 2

    dx, d1 = grad(loss, argnums=(0, 2))(X, 2.0, 3.0)
    np.testing.assert_allclose(dx, [18, 18, 18])
    np.testing.assert_allclose(d1, 12 * np.sum(X))
    assert grad(loss, wrt="rest")(X, 2.0, 3.0) == pytest.approx((9 * np.sum(X), 12 * np.sum(X)))
    with pytest.raises(GradTypeError, match=r"without a number or array at `rest\[2\]`"):
        grad(loss, argnums=3)(X, 2.0, 3.0)


def test_calls_bind_as_python_does():
    gradient = grad(product)
    np.testing.assert_allclose(gradient(y=Y, x=X, k=3.0), 3 * Y)
    for args, kwargs in (((X,), {}), ((X, Y, 2.0), {}), ((X, Y), {"q": 1}), ((), {})):
        with pytest.raises(TypeError):
            gradient(*args, **kwargs)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (3, "`x`, which is a number of type int"),
        (True, "`x`, which is True"),
        (np.array([1, 2]), r"`x`, which is an array of integers \(int64\)"),
        (np.array([True]), r"`x`, which is an array of booleans"),
        (np.float32, "`x`, which is float32"),
        ("text", "`x`, which is 'text'"),
        (None, "`x`, which is None"),
        ([X, 3], r"`x\[1\]`, which is a number of type int"),
        ({"w": X, "n": [np.array([1])]}, r"`x\['n'\]\[0\]`, which is an array of integers"),
    ],
    ids=str,
)
def test_parameters_that_have_no_gradient(value, message):
    def loss(x):
        return 2.0

    with pytest.raises(GradTypeError, match=f"`.*loss` cannot be differentiated with respect to {message}") as caught:
        grad(loss)(value)
    assert isinstance(caught.value, TypeError)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (X.view(np.matrix), "argument `x` of `.*` is a numpy.matrix"),
        (np.ma.masked_array(X), "MaskedArray"),
        (np.array([1.0, None], dtype=object), "dtype object"),
        (X.astype(np.longdouble), "extended precision"),
        (X.astype(">f8"), "foreign byte order"),
        ({1, 2}, "a set"),
        ({("a", 1): X}, "a dict with the key"),
    ],
    ids=range(7),
)
def test_arguments_that_a_compiled_function_cannot_take(value, message):
    with pytest.raises(GradTypeError, match=message):
        grad(lambda x: 2.0)(value)


@pytest.mark.parametrize(
    ("loss", "kind"),
    [
        (lambda x: x, "an array of shape"),
        (lambda x: None, "None"),
        (lambda x: (np.sum(x), 2.0), "a tuple"),
        (lambda x: [np.sum(x)], "a list"),
        (lambda x: {"a": np.sum(x)}, "a dict"),
        (lambda x: len(x), "int64"),
        (lambda x: 3, "int64"),
        (lambda x: x[0] > 0, "bool"),
        (lambda x: True, "bool"),
        (lambda x: "text", "a str"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_results_that_are_no_real_number(loss, kind):
    with pytest.raises(GradTypeError, match=f"returns {kind}.*vjp"):
        grad(loss)(X)


def test_what_is_no_python_function():
    for thing in (3, np.sin, len, "text"):
        with pytest.raises(SourceNotFound, match="is not a Python function"):
            grad(thing)
    with pytest.raises(GradTypeError, match="options"):
        grad(lambda x, **options: x)


def test_no_source_to_read():
    names = {"np": np}
    exec("def loss(x): return np.sum(x)", names)
    with pytest.raises(SourceNotFound, match=r"the source of `loss` cannot be read.*not through exec"):
        grad(names["loss"])(X)
    with pytest.raises(SourceNotFound, match="the source of `<lambda>`"):
        grad(eval("lambda x: x"))(2.0)


def test_gradients_are_fresh():
    """Of no argument's memory and of no other gradient's, although all of these are the same numbers."""

    @grad(wrt=("x", "y", "z", "pair"))
    def loss(x, y, z, pair):
        return np.sum(x) + np.sum(x * y) + np.sum(y + z) + np.sum((pair[0] + pair[1]) * x)

    args = [X.copy(), X.copy(), X.copy(), [X.copy(), X.copy()]]
    before = copy.deepcopy(args)
    *first, pair = loss(*args)
    arrays = [*first, *pair, *args[:3], *args[3]]
    for i, one in enumerate(arrays[:5]):
        assert one.flags.writeable
        assert not any(np.shares_memory(one, other) for j, other in enumerate(arrays) if j != i)
        one[:] = 100.0
    np.testing.assert_array_equal(args[:3], before[:3])
    same = grad(lambda a, b: np.sum(a * b), (0, 1))(X, X)
    assert not np.shares_memory(same[0], same[1])
    assert not np.shares_memory(same[0], X)


def test_value_and_grad():
    value, d = value_and_grad(product)(X, Y)
    assert value == pytest.approx(product(X, Y))
    np.testing.assert_allclose(d, 2 * Y)
    value, (dk, _) = grad(product, wrt=("k", "x")).value_and_grad(X, Y, k=3.0)
    assert dk == pytest.approx(X @ Y)

"""raise, assert, del, pass, match and np.errstate inside a differentiated function."""

import warnings

import numpy as np
import pytest
from agreement import check

from srcgrad import CompileError, grad

pytestmark = pytest.mark.quick

X = np.array([0.7, 1.2, -0.4, 0.9])


def raises_below(x, a):
    if a < 0.0:
        raise ValueError(f"a is {a}")
    return np.sum(x**2) * a


def raises_else(x, a):
    if a > 0.0:
        y = a * x
    else:
        raise ValueError("too small")
    return np.sum(y**2)


def raises_at_the_end(x, a):
    if a > 0.0:
        return np.sum(x) * a**2
    raise ValueError("not positive")


def raises_in_a_loop(x, a):
    t = a
    for v in x:
        if v > 5.0:
            raise ValueError("too large", v)
        t += v * t
    return t


def raises_in_a_helper(x, a):
    def root(v):
        if v < 0.0:
            raise ArithmeticError
        return np.sqrt(v)

    return root(a) * root(x[0])


def asserted(x, a):
    assert a > 0.0, "a must be positive"
    return np.sum(x) * a


def deleted(x, a):
    y = x * a
    z = np.sum(y**2)
    del y
    return z


def silenced(x, a):
    with np.errstate(divide="ignore", invalid="ignore"):
        y = np.where(x > 0.0, np.log(np.abs(x)), 0.0)
    return np.sum(y) * a


def silenced_return(x, a):
    for v in x:
        with np.errstate(all="ignore"):
            if v < 0.0:
                return v * a
            a = a * v
    return a


def matched(x, a, mode="square", shape=(1, 2)):
    match mode:
        case "square" | "quadratic":
            y = x**2
        case _:
            y = x
    match shape:
        case (1, n):
            y = y * n
        case (m, n, _):
            y = y * m * n
    match x.ndim:
        case 1:
            return np.sum(y) * a
        case 2:
            return np.sum(y)
    return a


def matched_while_running(x, a):
    t = a
    for i in range(len(x)):
        match i:
            case 0:
                t += x[i]
            case k if k > 2:
                t *= x[k]
            case other:
                t += x[other] ** 2
    return t


def passed(x, a):
    if a > 0.0:
        pass
    else:
        a = a * 2.0
    return a * x[0]


CASES = [
    value for value in globals().copy().values() if getattr(value, "__module__", "") == __name__ and callable(value)
]


@pytest.mark.parametrize("function", CASES, ids=lambda f: f.__name__)
def test_the_gradient_is_right(function):
    check(function, X, 0.6)


@pytest.mark.parametrize(
    ("function", "args"),
    [
        (raises_below, (X, -1.0)),
        (raises_else, (X, -1.0)),
        (raises_at_the_end, (X, -1.0)),
        (raises_in_a_loop, (X + 5.0, 0.6)),
        (raises_in_a_helper, (-X, 0.6)),
        (asserted, (X, -1.0)),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_it_raises_what_the_function_raises(function, args):
    with pytest.raises(Exception) as expected:  # noqa: PT011
        function(*args)
    with pytest.raises(type(expected.value)) as raised:
        grad(function)(*args)
    if function is not asserted:  # whose message pytest rewrites
        assert raised.value.args == expected.value.args


def test_exceptions_of_ones_own_are_refused_at_their_line():
    class Mine(Exception):
        pass

    def loss(x):
        if x[0] > 0.0:
            raise Mine("no")
        return np.sum(x)

    with pytest.raises(CompileError, match="cannot be raised by the gradient"):
        grad(loss)(X)


def test_an_errstate_that_raises_is_refused():
    def loss(x):
        with np.errstate(divide="raise"):
            return np.sum(1.0 / x)

    with pytest.raises(CompileError, match="errstate"):
        grad(loss)(X)


def test_a_deleted_variable_is_gone():
    def loss(x):
        y = x
        del y
        return np.sum(y)  # noqa: F821

    with pytest.raises(CompileError, match="used before it is assigned"):
        grad(loss)(X)


def test_warnings_are_those_of_numpy():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        grad(silenced)(np.abs(X), 0.6)

"""Variables that only some paths assign, and loop variables behind their loop: as in Python, to the exception."""

import numpy as np
import pytest
from agreement import check

from srcgrad import grad

pytestmark = pytest.mark.quick

X = np.array([0.7, 1.2, -0.4, 0.9, 0.3])


def last_index(x, a):
    t = a
    for i in range(len(x)):
        t += x[i] ** 2
    return t * x[i] * (i + 1)


def last_item(x, a):
    t = a
    for v in x:
        t += v**2
    return t * v


def found_item(x, a):
    for v in x:
        if v < 0.0:
            return v * a
    return a


def found_index(x, a):
    for i in range(len(x)):
        if x[i] < 0.0:
            break
    return x[i] ** 2 * a + i


def local_after(x, a):
    t = a
    for v in x:
        w = v * a
        t += w
    return t * w


def branch_only(x, a):
    if x[0] > 0.0:
        y = x * a
    if a > 0.0:
        return np.sum(y**2)
    return a


def previous(x, a):
    t = a
    for i in range(len(x)):
        if i > 0:
            t += p * x[i]  # noqa: F821
        p = x[i] ** 2  # noqa: F841
    return t


def while_local(x, a):
    i = 0
    while i < 3:
        w = x[i] * a
        i += 1
    return w * w


def start_then_last(x, a):
    v = a
    for v in x:  # noqa: B007
        pass
    return v * a


def in_branch_in_loop(x, a):
    t = a
    for v in x:
        if v < 0.0:
            m = v * a
        t += v
    return t * m


def break_then(x, a):
    for i in range(len(x)):
        w = x[i] * a
        if w < 0.0:
            break
    return w**2 + i * a


def conditional_in_nest(x, a):
    t = a
    for i in range(3):
        for j in range(2):
            q = x[i] * x[j]
            t += q
        t += q * a
    return t * q


CASES = [
    value for value in globals().copy().values() if getattr(value, "__module__", "") == __name__ and callable(value)
]


@pytest.mark.parametrize("function", CASES, ids=lambda f: f.__name__)
def test_the_variable_has_its_last_value(function):
    check(function, X, 0.6)


UNASSIGNED = [
    (branch_only, (-X, 0.6)),
    (last_index, (X[:0], 0.6)),
    (last_item, (X[:0], 0.6)),
    (found_index, (X[:0], 0.6)),
    (local_after, (X[:0], 0.6)),
    (in_branch_in_loop, (np.abs(X), 0.6)),
]


@pytest.mark.parametrize(("function", "args"), UNASSIGNED, ids=lambda value: getattr(value, "__name__", ""))
def test_reading_what_was_not_assigned_raises_as_the_function_does(function, args):
    with pytest.raises(UnboundLocalError) as expected:
        function(*args)
    gradient = grad(function)
    gradient(X, 0.6)  # the one specialisation must not serve the other call
    with pytest.raises(UnboundLocalError) as raised:
        gradient(*args)
    assert str(raised.value) == str(expected.value)


def test_an_old_value_of_another_variable_of_that_name_is_never_used():
    def inner(x):
        y = 3.0 * x[0]
        return y

    def loss(x):
        total = inner(x)
        if x[0] > 5.0:
            y = x[1]
        return total * y

    with pytest.raises(UnboundLocalError):
        grad(loss)(X)


def test_what_is_assigned_in_every_pass_needs_no_check_where_there_is_a_pass():
    gradient = grad(last_index)
    gradient(X, 0.6)
    assert "UnboundLocalError" not in gradient.source


def test_what_a_pass_has_not_assigned_yet_may_be_handed_to_an_inner_loop():
    """The text keeps two names for `v`, and copies one to the other before the first pass has assigned it."""

    def loss(x, y, w):
        for _ in range(len(x)):
            for _ in range(len(w)):
                v = w
            if np.sum(y) < -0.2:
                v = np.arctan(v)
            else:
                x += np.arctan(v) @ y
        return np.mean(x)

    rng = np.random.default_rng(0)
    x, y, w = rng.normal(size=3), rng.normal(size=2), rng.normal(size=(3, 2))
    for total in (5.0, -5.0):
        check(loss, x, y + total, w)

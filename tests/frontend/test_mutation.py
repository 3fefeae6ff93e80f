"""Item assignment and `+=` into arrays that the function made: right, or refused where others share the memory."""

import numpy as np
import pytest
from agreement import check

from srcgrad import CompileError, grad

pytestmark = pytest.mark.quick


def refused(loss, *args, match):
    with pytest.raises(CompileError, match=match):
        grad(loss)(*args)


RNG = np.random.default_rng(4)
X, M = np.array([0.5, -1.5, 2.0]), RNG.standard_normal((3, 2))


def test_filling_an_array():
    def loss(x, m):
        y, z = np.zeros(3), np.empty((3, 2))
        for i in range(3):
            y[i] = x[i] ** 2
            for j in range(2):
                z[i, j] = m[i, j] * m[i - 1, j]
        return np.sum(y * x) + np.sum(z**2)

    check(loss, X, M)


def test_every_way_to_write():
    def loss(x):
        y = np.zeros_like(x)
        y[1:] = x[:-1]
        y[0] += x[2] * 3
        y *= 2
        y[::2] -= x[::2] ** 2
        y[:] = y * x
        y[1] = y[0]
        y[0] = 7.0
        y += x
        y /= 2.0
        z = np.zeros((2, 3))
        z[0] = y
        z[1] = z[0] * 2
        z[:, 1] *= 3
        return np.sum(y**2) + np.sum(z**2)

    check(loss, X)


def test_a_recurrence_in_place():
    def loss(x):
        y = x * 1.0
        for i in range(1, len(x)):
            y[i] = y[i - 1] * y[i]
        return np.sum(y)

    check(loss, X)


def test_a_write_in_one_branch():
    def loss(x):
        y = x * 1.0
        if y[0] > 0:
            y[0] = 5.0
        else:
            y[1] = x[0] * 2
        y[2] *= 3
        return np.sum(y * x)

    check(loss, X)
    check(loss, -X)


def test_a_name_of_its_own_before_and_after():
    def loss(x):
        y = x * 2
        z = y
        y = y + 1
        y += x
        return np.sum(y * z)

    check(loss, X)


def test_scalars_are_values():
    def loss(x):
        a = x[0]
        b = a
        a += x[1]
        a *= 2.0
        return a * b

    check(loss, X)


# Where somebody else sees the change, too


def argument(x):
    x[0] = 1.0
    return np.sum(x)


def argument_augmented(x):
    x += 1.0
    return np.sum(x)


def argument_through_a_helper(x):
    def reset(v):
        v[0] = 0.0

    reset(x)
    return np.sum(x)


def second_name(x):
    y = x * 1.0
    z = y
    y += 1
    return np.sum(z)


def view(x):
    y = x * 1.0
    z = y[1:]
    y[0] = 2.0
    return np.sum(z) + np.sum(y)


def through_a_view(x):
    y = x * 1.0
    z = y.reshape(-1)
    z *= 2
    return np.sum(z) * np.sum(y)


def in_a_list(x):
    y = x * 1
    z = [y, 2.0]
    y *= 2
    return np.sum(z[0] * y)


def real_part(x):
    y = x * 1
    z = np.real(y)
    y *= 2
    return np.sum(z) + np.sum(y)


def same_after_a_branch(x):
    y, z = x * 1, x * 2
    if x[0] > 0:
        z = y
    z += 1
    return np.sum(y * z)


def other_after_a_branch(x):
    y, z = x * 1, x * 2
    if x[0] > 0:
        z = y
    y += 1
    return np.sum(y * z)


def conditional_expression(x):
    y = x * 1
    z = y if x[0] > -100 else x
    z[0] = 3.0
    return np.sum(y * z)


def held_by_a_closure(x):
    y = x * 1
    f = (lambda v: lambda: v)(y)
    y += 1
    return np.sum(f() * y)


def held_by_a_default(x):
    y = x * 1

    def f(v=y):
        return v

    y += 1
    return np.sum(f() * y)


def held_by_a_method(x):
    y = x * 1
    total = y.sum
    y *= 2
    return total()


def held_by_another_name_around_a_loop(x):
    y = x * 1
    z = y
    for _ in range(3):
        y += x
    return np.sum(z * y)


def names_exchanged_in_a_loop(x):
    y, z = x * 1, x * 2
    for i in range(3):
        y[0] = x[1] * i
        z = y
    return np.sum(y * z)


def walked_over(x):
    y = x * 1
    for v in y:
        y[2] = 3 * v
    return np.sum(y)


def zero_passes_leave_the_argument(x):
    y = x
    for _ in range(len(x) - 3):
        y = y * 2
    y += 1
    return np.sum(y**2)


FOLLOWED = [argument, argument_augmented, argument_through_a_helper, second_name, view, through_a_view, in_a_list]
FOLLOWED += [held_by_a_closure, held_by_a_default, held_by_a_method, held_by_another_name_around_a_loop]
FOLLOWED += [names_exchanged_in_a_loop, walked_over]
UNDECIDED = [real_part, same_after_a_branch, other_after_a_branch, conditional_expression]
UNDECIDED += [zero_passes_leave_the_argument]


@pytest.mark.parametrize("loss", FOLLOWED, ids=[f.__name__ for f in FOLLOWED])
def test_a_change_that_others_see(loss):
    check(loss, X)


@pytest.mark.parametrize("loss", UNDECIDED, ids=[f.__name__ for f in UNDECIDED])
def test_a_change_that_others_may_see_names_both_lines(loss):
    both = r"test_mutation\.py:\d+:\d+: `\w+` is changed in place, and .*may share .* \(.*test_mutation\.py:\d+\)"
    refused(loss, X, match=both + r"\n.*\n.*\n.*\.copy\(\)")


def test_a_global_array_is_not_changed():
    def loss(x):
        M[0] = x[:2]
        return np.sum(M)

    before = M.copy()
    refused(loss, X, match="`M` is changed in place, and it belongs to the module or function around")
    np.testing.assert_array_equal(M, before)


def test_a_cast_that_loses_the_derivative():
    def loss(x):
        y = np.zeros(3, dtype=int)
        y[0] = x[0]
        return np.sum(y) * 1.0

    refused(loss, X, match="storing .* into an array of int64 loses its derivative")

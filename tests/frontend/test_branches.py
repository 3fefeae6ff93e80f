"""if, elif, else, returns inside, conditional expressions, and / or / not: as Python takes them."""

import numpy as np
import pytest
from agreement import check

from srcgrad import grad

pytestmark = pytest.mark.quick

X = np.array([0.5, -1.5, 2.0])


@pytest.mark.parametrize("x", [2.0, 0.8, 0.5, 0.65, -1.0])
def test_every_path_through_nested_branches_and_returns(x):
    def loss(x):
        if x > 1:
            return x**2
        elif x > 0.7:
            return x * 3
        elif x > 0.4:
            if x < 0.6:
                return x * 7
            z = 3.0
        else:
            z = 4.0 * x
        return x * z

    check(loss, x)


def test_a_branch_changes_some_variables():
    def loss(x):
        a, b, n = x * 2, x, 0
        if x[0] > 0:
            a = a * b
            n = n + 1
        else:
            b = b - a
        return np.sum(a * b) * (n + 1)

    check(loss, X)
    check(loss, -X)


def test_an_integer_becomes_a_float_in_one_branch():
    def loss(x):
        total = 0
        if x[0] > -100:
            total = x[0]
        return total * total

    check(loss, X)


def test_a_flag_is_set_in_one_branch():
    def loss(x):
        big = False
        if np.sum(x) > 0.5:
            big = True
        return np.sum(x**2) if big else np.sum(x)

    check(loss, X)
    check(loss, -X)


def test_conditional_expressions_choose():
    def loss(a, b):
        return (a if a > b else b * 2) * (1.0 if a < b else a)

    check(loss, 2.0, 3.0)
    check(loss, 3.0, 2.0)


@pytest.mark.parametrize(("a", "b"), [(2.0, 3.0), (-2.0, 3.0), (2.0, -3.0), (-2.0, -3.0)])
def test_and_or_not_decide(a, b):
    def loss(a, b):
        if (a > 0 and b > 0) or not a > -5:
            return a * b
        if not (a > 0 or b > 0):
            return a + 2 * b
        return a * a

    check(loss, a, b)


@pytest.mark.parametrize(("a", "b"), [(2.0, 3.0), (3.0, 2.0), (4.5, 6.0)])
def test_comparisons_chain(a, b):
    def loss(a, b):
        if 1 < a < b != 6.5:
            return a * b
        return a * 5 + b

    check(loss, a, b)


@pytest.mark.parametrize("a", [2.0, -2.0])
def test_and_or_give_one_of_their_values(a):
    """`a or b` is a or b, not True."""

    def loss(a, b):
        c = (a > 0 and b) or a
        d = np.maximum(a, 0.0) or b * b
        return c * c + d

    check(loss, a, 3.0)


def test_the_right_side_is_read_only_where_it_counts():
    def loss(x):
        i = 0
        while i < len(x) and x[i] > 0:
            i += 1
        safe = x[1] != 0 and 1 / x[1] > 0
        also = i >= len(x) or x[i] < 0
        return np.sum(x) * i + (x[0] if safe else x[2]) + (x[0] if also else 0.0)

    check(loss, np.array([1.0, 2.0, 3.0]))
    grad(loss)(np.array([1.0, 0.0, 3.0]))  # 1 / 0.0 would warn, and warnings are errors here


def test_known_conditions_leave_no_branch():
    def loss(x, mode, flag, bias=None):
        if bias is None:
            bias = 2.0
        if mode == "sum" and flag:
            return np.sum(x) * bias
        return np.mean(x) if mode in ("mean", "average") else x[0]

    for mode, flag in (("sum", True), ("mean", True), ("sum", False)):
        gradient = check(loss, X, mode, flag)
        gradient(X, mode, flag)
        assert "if" not in gradient.source


def test_assignment_expressions():
    def loss(x):
        if (n := len(x)) > 2 and n > 1 and (total := np.sum(x)) < 100:
            return n * x[0]
        return (total := np.sum(x)) * n * total

    check(loss, X)


def test_branches_in_a_helper_that_returns_early():
    def clipped(v, limit=1.0):
        if v > limit:
            return limit
        if v < -limit:
            return -limit * v
        return v * v

    def loss(x):
        return clipped(x[0]) + clipped(x[1]) + clipped(x[2], limit=3.0)

    check(loss, X)


def test_containers_meet_behind_a_branch():
    def loss(x):
        pair, table = (x, 2.0), {"w": x}
        if x[0] > 0:
            pair, table = (x * x, 3.0), {"w": x * 3}
        return np.sum(pair[0]) * pair[1] + np.sum(table["w"] ** 2)

    check(loss, X)
    check(loss, -X)

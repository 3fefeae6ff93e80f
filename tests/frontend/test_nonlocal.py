"""`nonlocal`: a nested function changes a variable of the one around it."""

import numpy as np
import pytest
from agreement import check

from srcgrad import CompileError, grad

pytestmark = pytest.mark.quick

X = np.array([0.7, -1.3, 2.1])


def test_a_running_total():
    def loss(x):
        total = 0.0

        def add(v):
            nonlocal total
            total = total + v**2

        add(x[0])
        add(x[1])
        return total * x[2]

    check(loss, X)


def test_in_loops_and_branches():
    def loss(x, n):
        total, count = 0.0, 0

        def add(v):
            nonlocal total, count
            if v > 0:
                total = np.sin(total) + v**2
            count += 1

        for i in range(n):
            add(x[i])
            if x[i] < 0:
                add(x[i] * x[0] + 2.0)
        return total * count

    check(loss, X, 3)


def test_in_a_while_loop():
    def loss(x):
        k = 0
        y = x

        def step():
            nonlocal k, y
            y = y * 0.5 + 1.0
            k += 1

        while k < 3:
            step()
        return np.sum(y**2)

    check(loss, X)


def test_an_array_changed_in_place():
    def loss(x):
        out = np.zeros(3)

        def put(i, v):
            nonlocal out
            out[i] = v
            out += 1.0

        for i in range(3):
            put(i, x[i] ** 2)
        return np.sum(out**2)

    check(loss, X)


def test_the_function_around_goes_on_with_the_new_value():
    def loss(x):
        state = x

        def advance():
            nonlocal state
            before = state
            state = state * x + before
            return np.sum(before)

        first = advance()
        state = state * 2.0
        second = advance()
        return first * second + np.sum(state)

    check(loss, X)


def refused(loss, *args):
    with pytest.raises(CompileError) as error:
        grad(loss)(*args)
    return str(error.value)


def test_in_a_comprehension():
    def loss(x):
        total = 0.0

        def add(v):
            nonlocal total
            total = total + v
            return v

        return sum(add(v) for v in x) * total

    assert "`total` is changed" in refused(loss, X)


def test_in_a_conditional_expression():
    def loss(x):
        total = 0.0

        def add(v):
            nonlocal total
            total = total + v
            return v

        y = add(x[0]) if x[1] > 0 else x[2]
        return y * total

    assert "Return the value instead" in refused(loss, X)


def test_through_another_function():
    def loss(x, n):
        total = 0.0

        def add(v):
            nonlocal total
            total = total + v

        def twice(v):
            for _ in range(n):
                add(v)

        twice(x[0])
        return total

    assert "`total` is changed by a function" in refused(loss, X, 2)


def test_a_counter_that_outlives_its_maker():
    def loss(x):
        def make():
            total = 0.0

            def add(v):
                nonlocal total
                total = total + v
                return total

            return add

        add = make()
        add(x[0])
        return add(x[1])

    assert "nonlocal total" in refused(loss, X)


def test_a_return_under_a_condition():
    def loss(x):
        total = 0.0

        def add(v):
            nonlocal total
            total = total + v
            if v > 0:
                return 1.0
            return 2.0

        return add(x[0]) * total

    assert "Return at the end alone" in refused(loss, X)


def test_recursion():
    def loss(x, n):
        total = 0.0

        def add(k):
            nonlocal total
            if k > 0:
                total = total + x[k]
                add(k - 1)

        add(n)
        return total

    assert "`total` is changed by a function" in refused(loss, X, 2)


def test_a_variable_of_a_function_that_is_not_read():
    count = 1.0

    def loss(x):
        nonlocal count
        count = count + x[0]
        return count

    assert "`count` is changed" in refused(loss, X)

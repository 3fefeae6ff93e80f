"""break, continue, return inside loops, and the else of a loop: the gradient takes the passes that were made."""

import numpy as np
import pytest
from agreement import check

from srcgrad import CompileError, grad

pytestmark = pytest.mark.quick

X = np.array([0.7, 1.2, -0.4, 0.9, 0.3])
ROWS = X.reshape(5, 1) * np.array([1.0, -0.5, 2.0])


def at_the_top(x, a):
    t = a
    for i in range(len(x)):
        if x[i] < 0.0:
            break
        t = t + a * x[i] ** 2
    return t


def over_items(x, a):
    t = a
    for v in x:
        if v < 0.0:
            break
        t += v**3 * t
    return t


def after_a_change(x, a):
    """The pass that breaks has changed `s` already."""
    s, t = 0.0, a
    for v in x:
        s += v**2
        if s > a + 1.5:
            break
        t += s * v
    return t * s


def at_the_end(x, a):
    s = a
    for v in x:
        s = s * 1.3 + v**2
        if s > 3.0:
            break
    return s


def changed_by_the_break(x, a):
    t = a
    for v in x:
        if v < 0.0:
            t = t * v
            break
        t += v**2
    return t


def two_breaks(x, a):
    t = a
    for v in x:
        if v < -1.0:
            break
        t += np.sin(v) * t
        if t > 2.0:
            t = t * a
            break
        t += v
    return t


def in_nested_ifs(x, a):
    t = a
    for v in x:
        if v < 0.5:
            t = t * 1.5
            if t > 1.0:
                break
            t = t + v
        t += v**2
    return t


def continued(x, a):
    t = a
    for v in x:
        if v < 0.0:
            continue
        t += a * v**2
    return t


def continued_in_nested_ifs(x, a):
    t = a
    for v in x:
        if v < 0.5:
            t *= 1.1
            if v < 0.0:
                continue
            t += v**3
        t += a * v**2
    return t


def both(x, a):
    t = a
    for v in x:
        if v < 0.0:
            continue
        if t > 2.0:
            break
        t += a * v**2
    return t


def both_in_one_if(x, a):
    t = a
    for v in x:
        if v < 0.8:
            t += v
            if t > 2.0:
                break
            if v < 0.0:
                continue
        t = t * 1.2
    return t


def for_else_reached(x, a):
    t = a
    for v in x:
        if v > 5.0:
            break
        t += v**2
    else:
        t = t * 3.0
    return t


def for_else_passed_by(x, a):
    t = a
    for v in x:
        if v < 0.0:
            break
        t += v**2
    else:
        t = t * 3.0
    return t


def for_else_without_break(x, a):
    t = a
    for v in x:
        t += v**2
    else:
        t = t * a
    return t


def returned(x, a):
    t = a
    for v in x:
        t += v**2
        if t > 2.0:
            return t * a
    return t


def returned_never(x, a):
    t = a
    for v in x:
        if v > 50.0:
            return 0.0 * t
        t += v**2
    return t * a


def returned_from_two_places(x, a):
    t = a
    for v in x:
        if v < -1.0:
            return t
        t += v**2
        if t > 2.0:
            return t**2
    return t**3


def returned_from_a_nest(x, a):
    t = a
    for i in range(len(x)):
        for j in range(i):
            t += x[i] * x[j]
            if t > 1.6:
                return t * a
    return t


def inner_break(x, a):
    t = a
    for i in range(len(x)):
        for j in range(len(x)):
            if j > i:
                break
            t += x[i] * x[j] * a
    return t


def inner_and_outer_break(x, a):
    t = a
    for i in range(len(x)):
        for j in range(i + 1):
            if x[j] < 0.0:
                break
            t += x[i] * x[j]
        if t > 4.0:
            break
    return t


def broken_twice_by_else(x, a):
    """for ... else: continue, break: leaves both loops."""
    t = a
    for i in range(len(x)):
        for j in range(i + 1):
            if x[j] * x[i] < 0.0:
                break
            t += x[i] * x[j]
        else:
            t *= 1.1
            continue
        break
    return t


def backwards(x, a):
    t = a
    for i in reversed(range(len(x))):
        if x[i] < 0.0:
            break
        t += x[i] ** 2 * i
    return t


def over_reversed_items(x, a):
    t = a
    for v in reversed(x):
        if v < 0.0:
            break
        t = t * v + v
    return t


def stepped(x, a):
    t = a
    for i in range(4, 0, -1):
        if x[i] < 0.0:
            break
        t = t * x[i] + x[i - 1]
    return t


def enumerated(x, a):
    t = a
    for i, v in enumerate(x):
        if i > 2:
            break
        t += v**2 * i
    return t


def rows(x, a):
    m = np.outer(x, x)
    t = np.ones(5) * a
    for row in m:
        if np.sum(row) < 0.0:
            break
        t = np.tanh(t + row)
    return np.sum(t**2)


def over_a_list(x, a):
    t = a
    for v in [x[0], x[1], x[2], x[3]]:
        if v < 0.0:
            break
        t += v**2
    else:
        t = 0.0
    return t


def over_a_tuple_with_continue(x, a):
    t = a
    for v, w in ((x[0], 2.0), (x[2], 3.0), (x[3], 4.0)):
        if v < 0.0:
            continue
        t += w * v**2
        if t > 6.0:
            break
    return t


def while_true(x, a):
    t, i = a, 0
    while True:
        if i >= len(x):
            break
        t += x[i] ** 2 * t
        i += 1
    return t


def until_converged(x, a):
    r = x[0]
    while True:
        new = 0.5 * (r + a / r)
        if abs(new - r) < 1e-9:
            break
        r = new
    return r


def until_converged_at_the_end(x, a):
    r = x[0]
    while True:
        change = 0.5 * (a / r - r)
        r = r + change
        if abs(change) < 1e-9:
            break
    return r * a


def while_with_break(x, a):
    t, i = a, 0
    while t < 3.0:
        if i == 4:
            break
        t += x[i] ** 2
        i += 1
    return t


def while_else(x, a):
    t, i = a, 0
    while i < 5:
        if x[i] < 0.0:
            break
        t += x[i] ** 2
        i += 1
    else:
        t = t * 7.0
    return t * a


def while_continue(x, a):
    t, i = a, 0
    while i < 5:
        i += 1
        if x[i - 1] < 0.0:
            continue
        t += x[i - 1] ** 2 * a
    return t


def while_returns(x, a):
    t, i = a, 0
    while i < 5:
        if t > 2.0:
            return t * x[0]
        t += x[i] ** 2
        i += 1
    return t


def walrus(x, a):
    t = a
    while (t := t * 1.5) < 4.0:
        t += x[0] ** 2
    return t


def never_entered(x, a):
    t = a * x[0]
    for i in range(0):
        if x[i] < 0.0:
            break
        t += x[i]
    return t


def zero_trip(x, a):
    t = a * x[0]
    for v in x[5:]:
        if v < 0.0:
            break
        t += v
    else:
        t *= 2.0
    return t


def inactive(x, a):
    """A search for an index: nothing to differentiate, nothing to record."""
    k = 0
    for i in range(len(x)):
        if x[i] < 0.0:
            k = i
            break
    return x[k] ** 2 * a


def written(x, a):
    y = np.zeros(5)
    for i in range(5):
        if x[i] < 0.0:
            break
        y[i] = x[i] ** 2 * a
    return np.sum(y * x)


def vector_state(x, a):
    h = np.zeros(5)
    for _ in range(20):
        new = np.tanh(0.5 * h + x * a)
        if np.sum((new - h) ** 2) < 1e-3:
            break
        h = new
    return np.sum(h)


def returned_or_broken_or_else(x, a):
    t = a
    for v in x:
        if v > 3.0:
            return v
        if v < 0.0:
            break
        t += v**2
    else:
        return t * 2.0
    return t**2


def helper_with_jumps(x, a):
    def first_negative(v):
        for i in range(len(v)):
            if v[i] < 0.0:
                return v[i] ** 2
        return v[0]

    return first_negative(x) * a + first_negative(x * x)


CASES = [
    value for value in globals().copy().values() if getattr(value, "__module__", "") == __name__ and callable(value)
]


@pytest.mark.parametrize("function", CASES, ids=lambda f: f.__name__)
def test_the_gradient_takes_the_passes_that_were_made(function):
    check(function, X, 0.6)


@pytest.mark.parametrize("function", CASES, ids=lambda f: f.__name__)
def test_on_other_data_other_passes_are_made(function):
    check(function, np.array([0.3, -0.2, 1.1, 1.4, 0.85]), 1.3)
    check(function, np.array([1.3, 0.2, 1.1, 0.4, 0.85]), 0.2)


def test_a_break_inside_two_branches_keeps_the_else_from_running():
    """What follows the branches is left out; what it would hand on must be known at the `break` all the same."""

    def loss(z, s, t):
        for item in z:
            if t > 0:
                s = np.tanh(s)
                if s > -2:
                    break
            if item <= 0.4:
                return item
        else:
            return t
        return s * 3.0

    z = np.array([0.5, -0.3, 0.2])
    check(loss, z, 0.7, 0.4)
    check(loss, z, 0.7, -0.4)
    check(loss, z + 1.0, 0.7, -0.4)
    assert grad(loss).value_and_grad(z, 0.7, 0.4)[0] == loss(z, 0.7, 0.4)


def test_return_is_the_only_way_out_of_an_endless_loop():
    def loss(x):
        y = x[0]
        while True:
            y = y * x[0] + 1.1
            if y > 3.0:
                return y * y
            for k in range(3):
                y = y + x[k] ** 2
                if y > 7.0:
                    return y * 3

    check(loss, np.array([0.7, -1.3, 2.1]))


def test_branches_that_return_before_an_exception_at_the_end():
    def loss(x):
        if x[0] > 5:
            return x[0]
        elif x[0] > 0:
            return x[1] ** 2
        raise ValueError("neither")

    check(loss, np.array([0.7, -1.3, 2.1]))
    with pytest.raises(ValueError, match="neither"):
        grad(loss)(np.array([-0.7, -1.3, 2.1]))


def test_an_assignment_expression_in_a_comprehension():
    def loss(x):
        last = 0.0
        for i in range(3):
            parts = [last := v**2 + last * x[i] for v in (x[0], x[1])]
        return parts[0] + 2.0 * last

    check(loss, np.array([0.7, -1.3, 2.1]))


def test_an_assignment_expression_in_a_comprehension_that_may_not_be_evaluated_is_refused():
    @grad
    def loss(x):
        last = 0.0
        y = sum([last := v**2 for v in (x[0], x[2])]) if x[1] > 0 else x[2]
        return y * last

    with pytest.raises(CompileError, match="Assign it before"):
        loss(np.ones(3))


def left_in_three_places(x, limit):
    v, a, k = x * 1.0, x * 2.0, 0
    while True:
        k += 1
        if k >= 4:
            break
        if np.sum(v) <= limit:
            if v[0] > 0.5:
                v, a = a, np.arctan(v)
                break
        elif v[1] < 1.1:
            continue
        if np.prod(v) < -100.0:
            break
        for _ in range(2):
            v = v + 0.5 * np.arctan(a + v)
    return np.sum(v * a)


@pytest.mark.parametrize("limit", [0.0, 1.5, 3.0, 100.0])
@pytest.mark.parametrize("x", [(0.3, 0.4), (0.6, 0.4), (3.0, 4.0), (3.0, 0.5)])
def test_a_break_inside_branches_records_nothing_of_what_it_skips(x, limit):
    """What an earlier pass recorded of the statements behind the `break` is not taken for this pass's."""
    check(left_in_three_places, np.array(x), limit, wrt=(0,))

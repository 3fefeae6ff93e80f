"""Views, aliases and arguments that are written to: everybody who sees the memory sees the change, as in NumPy."""

import numpy as np
import pytest
from agreement import check

from srcgrad import CompileError, grad

pytestmark = pytest.mark.quick

X, ORDER, W = np.array([0.5, -1.5, 2.0]), np.array([1, 1, 0]), np.arange(12.0).reshape(4, 3) / 7.0


def repeated_indices(x, order):
    y = np.zeros_like(x)
    y[order] = x
    return np.sum(y**2)


def repeated_rows_and_columns(w, order):
    y = w * 1.0
    y[order] = w[:3] ** 2
    y[[0, 2]] = w[2]
    y[order, 1] = w[:3, 0]
    y[:, order] = np.sin(w)
    y[..., 1] += 2
    y[order] *= w[1:]
    return np.sum(y**2)


def an_argument_changed(x):
    x[0] = x[1] * 2
    x += 1
    return np.sum(x**2)


# Arguments


def one_of_two_arguments(x, y):
    x[0] = 3.0
    return np.sum(x * y)


def elements_swapped(x):
    y = x.copy()
    y[0], y[2] = y[2], y[0]
    return np.sum(y * np.array([1.0, 2.0, 3.0]))


def rows_swapped(w):
    y = w.copy()
    y[0], y[2] = y[2], y[0]
    return np.sum(y * np.arange(3) ** 2 * np.arange(4)[:, None])


def overlapping_parts(x):
    x[1:] = x[:-1]
    x[:] = x[::-1]
    y = x[1:]
    y += 1
    z = y
    y *= x[0]
    return np.sum(x**2) + z[0]


def rows_walked_over(w):
    for row in w:
        row *= 2
        row[0] = row[1] ** 2
    w.T[0] = w.T[1]
    w[1][2] = w[0][1]
    w[1:][0] = 3 * w[0]
    return np.sum(w**3)


def reshaped(x):
    a = np.zeros((2, 3))
    f = a.reshape(-1)
    f[1] = x[0]
    a.ravel()[2] = x[1]
    a.reshape(3, 2)[1] = x[:2] ** 2
    a[0] += x
    return np.sum(a**2) + f[0]


def either_branch(x):
    y = x[:2]
    if x[0] > 0:
        y[0] = x[1] * 2
    else:
        x[1] = 3.0
    return np.sum(y) * np.sum(x)


def two_buffers(x, w):
    u, v = x.copy(), np.zeros_like(x)
    for _ in range(3):
        v[1:] = u[:-1] * 2
        v[0] = u[2]
        u, v = v, u
    return np.sum(u**2)


def stuff(d, i, v):
    d[i] = v


def helpers_that_write(x):
    y = x * 2
    z = [y, x]
    stuff(z[0], 1, x[0] ** 2)
    stuff(x, 0, 2.0)
    t = {"a": y[1:]}
    t["a"][0] *= x[0]
    z[0] += 1
    return np.sum(y) + np.sum(x * y)


def a_while_loop(x):
    i = 0
    y = x
    while i < 2:
        y[i] = y[i + 1] * 2
        i += 1
    return np.sum(x**2)


CASES = [
    (
        repeated_indices,
        (
            X,
            ORDER,
        ),
    ),
    (
        repeated_rows_and_columns,
        (
            W,
            ORDER,
        ),
    ),
    (an_argument_changed, (X,)),
    (
        one_of_two_arguments,
        (
            X,
            X * 2,
        ),
    ),
    (elements_swapped, (X,)),
    (rows_swapped, (W,)),
    (overlapping_parts, (X,)),
    (rows_walked_over, (W,)),
    (reshaped, (X,)),
    (either_branch, (X,)),
    (
        two_buffers,
        (
            X,
            W,
        ),
    ),
    (helpers_that_write, (X,)),
    (a_while_loop, (X,)),
    (either_branch, (-X,)),
]


@pytest.mark.parametrize(("loss", "args"), CASES, ids=[loss.__name__ for loss, _ in CASES])
def test_as_numpy_does_it(loss, args):
    check(loss, *args)


@pytest.mark.parametrize("args", [(X, X), (X, X[::-1]), (X[1:], X[:-1])], ids=["same", "reversed", "overlapping"])
def test_arguments_that_share_memory_with_one_that_is_changed(args):
    with pytest.raises(TypeError, match=r"changes its argument `x` in place, which here shares memory with `y`"):
        grad(one_of_two_arguments)(*args)


def test_an_argument_whose_elements_share_memory():
    with pytest.raises(TypeError, match=r"shares memory with itself. Pass a copy of one: x.copy\(\)"):
        grad(an_argument_changed)(np.broadcast_to(1.0, 3))


@pytest.mark.parametrize("x", [X[::-1], np.asfortranarray(W), W.T, W[::2, ::-1]], ids=["back", "F", "T", "strided"])
def test_arguments_in_any_layout(x):
    check(an_argument_changed, x)


def test_what_the_function_made_of_its_argument_is_a_result():
    def scaled(x):
        x *= 3.0
        return x

    from srcgrad import vjp

    value, pullback = vjp(scaled, X)
    np.testing.assert_array_equal(value, 3.0 * X)
    np.testing.assert_array_equal(pullback(np.ones(3))[0], np.full(3, 3.0))


def test_an_array_that_is_walked_over_is_held_by_the_loop():
    """A variable bound anew inside the loop may still name the array that the loop reads its items from."""

    def loss(w):
        a = w * 2.0
        for v in a:  # noqa: B007
            a = a
            a *= 2.0
        return v

    with pytest.raises(CompileError, match="`a` is changed in place, and it may share its memory"):
        grad(loss)(np.array([0.5, 1.5, 0.3]))

    def new_in_every_pass(w):
        a = w * 2.0
        total = 0.0
        for v in a:
            total += v
            a = a * 2.0
            a += 1.0
        return total + a[0]

    check(new_in_every_pass, np.array([0.5, 1.5, 0.3]))


def test_what_a_pass_hands_on_may_be_an_array_from_before_the_loop():
    """From the second pass on `v` is `u`, so what is written to `u` shows in `v`."""

    def read_in_the_next_pass(x):
        u, v, total = x * 1.0, x + x, 0.0
        for _ in range(3):
            u[0] *= 2.0
            total += v[0] * u[1]
            v = u
        return total

    def the_argument(x):
        v, total = x + x, 0.0
        for _ in range(3):
            x[0] *= 2.0
            total += v[0]
            v = x
        return total

    def a_view(x):
        u, v, total = x * 1.0, x + x, 0.0
        while total < 1.0:
            u[0] *= 2.0
            total += 1.0 + v[-1]
            v = u[::-1]
        return total

    def in_a_list(x):
        u, v, total = x * 1.0, [x + x], 0.0
        for _ in range(3):
            u[0] *= 2.0
            total += v[0][0] * u[1]
            v = [u]
        return total

    def walked_by_an_inner_loop(x):
        v = x + x
        for _ in range(3):
            for item in v:
                x[::-1] += np.tanh(item)
            v = x
        return np.sum(v**2)

    def read_by_a_function_inside(x):
        u, v, total = x * 1.0, x + x, 0.0

        def first():
            return v[0]

        for _ in range(3):
            u[0] *= 2.0
            total += first()
            v = u
        return total

    for loss in (read_in_the_next_pass, the_argument, a_view, in_a_list, walked_by_an_inner_loop):
        with pytest.raises(CompileError, match=r"`[ux]` is changed in place, and `v` may share its memory"):
            grad(loss)(X)
    with pytest.raises(CompileError, match="changed in place"):
        grad(read_by_a_function_inside)(X)

    def exchanged(x):
        u, v, w = x * 1.0, x + x, x - 1
        for _ in range(4):
            u[0] *= 1.1
            v[0] *= 2.0
            w[0] += v[1] + u[0]
            u, v, w = v, w, u
        return np.sum(u * v * w)

    def read_behind_the_loop_alone(x):
        u, v = x * 1.0, x + x
        for i in range(3):
            u[0] = x[1] * i
            v = u
        return np.sum(u * v)

    check(exchanged, X)
    check(read_behind_the_loop_alone, X)

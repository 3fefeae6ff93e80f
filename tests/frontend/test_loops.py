"""Loops over ranges, arrays, zip, enumerate, reversed, lists and conditions; none, one and many passes."""

import numpy as np
import pytest
from agreement import check

from srcgrad import grad
from srcgrad.errors import CompileError

pytestmark = pytest.mark.quick

RNG = np.random.default_rng(2)
X, Y, M = RNG.standard_normal(4), RNG.standard_normal(4), RNG.standard_normal((3, 2))


def up(x, y):
    """range(len(x))"""
    t = 0.5
    for i in range(len(x)):
        t = t * 0.7 + x[i] ** 2 * i
    return t


def down(x, y):
    """range(len(x) - 1, -1, -1)"""
    t = 0.5
    for i in range(len(x) - 1, -1, -1):
        t = t * 0.7 + x[i]
    return t


def stepped(x, y):
    """range(1, len(x), 2)"""
    t = 0.5
    for i in range(1, len(x), 2):
        t = t * x[i] + y[i]
    return t


def empty(x, y):
    """range(5, 5)"""
    t = x[0]
    for i in range(5, 5):
        t = t * x[i]
    return t * y[0]


def backwards(x, y):
    """reversed(range(...))"""
    t = 0.5
    for i in reversed(range(len(x))):
        t = t * 0.7 + x[i]
    return t


def elements(x, y):
    """v in x"""
    t = 0.5
    for v in x:
        t += v**3 * t
    return t


def reversed_elements(x, y):
    """v in reversed(x)"""
    t = 0.5
    for v in reversed(x):
        t = t * 0.7 + v
    return t


def zipped(x, y):
    """zip(x, y)"""
    t = 0.5
    for a, b in zip(x, y):
        t = t * a + b
    return t


def zipped_backwards(x, y):
    """zip(reversed(x), reversed(y), reversed(range(n)))"""
    t = 0.5
    for a, b, i in zip(reversed(x), reversed(y), reversed(range(len(x)))):
        t = t * a + b * i
    return t


def counted(x, y):
    """enumerate(x, 1)"""
    t = 0.5
    for i, v in enumerate(x, 1):
        t = t * 0.7 + i * v * v
    return t


def counted_pairs(x, y):
    """enumerate(zip(x, y))"""
    t = 0.5
    for i, (a, b) in enumerate(zip(x, y)):
        t = t * 0.7 + a * b**2 * i
    return t


def triangle(x, y):
    """nested, the inner bounds by the outer"""
    t = 0.0
    for i in range(x.shape[0]):
        for j in range(i):
            t += x[i] * x[j] * y[j]
    return t


def branching(x, y):
    """a branch inside"""
    t = 0.0
    for a, b in zip(x, y):
        if a > b:
            t = t + a * b
        elif a > 0:
            t = t * a
    return t


def arrays(x, y):
    """carried arrays"""
    for _ in range(3):
        x, y = np.sin(x) + y, y * x
    return np.sum(x * y)


HEADS = (
    up,
    down,
    stepped,
    empty,
    backwards,
    elements,
    reversed_elements,
    zipped,
    zipped_backwards,
    counted,
    counted_pairs,
    triangle,
)
HEADS += (branching, arrays)


@pytest.mark.parametrize("loss", HEADS, ids=[head.__doc__ for head in HEADS])
def test_loops(loss):
    check(loss, X, Y)


def test_a_zip_in_both_directions_is_refused():
    def loss(x, y):
        t = 0.5
        for a, b in zip(x, reversed(y)):
            t = t * a + b
        return t

    with pytest.raises(CompileError, match="some go backwards"):
        grad(loss)(X, Y)


@pytest.mark.parametrize("n", [0, 1, 5, -2])
def test_the_number_of_passes_is_an_argument(n):
    def loss(x, n):
        for k in range(n):
            x = np.sin(x) * (k + 1)
        return np.sum(x)

    check(loss, X, n)


def test_rows_of_a_matrix():
    def loss(m):
        t = np.zeros(2)
        for row in m:
            t = np.tanh(t + row) * row
        return np.sum(t)

    check(loss, M)


@pytest.mark.parametrize("x", [0.5, 3.0, 100.0])
def test_while_loops(x):
    def loss(x):
        k = 0
        while x > 1 and k < 4:
            x = x * x * 0.1
            k += 1
        return x**2 * (k + 1)

    check(loss, x)


def test_while_over_an_index():
    def loss(x):
        total, i = 0, 0
        while i < len(x):
            total = total + x[i] * i
            i += 1
        return total

    check(loss, X)


def test_lists_are_walked_item_by_item():
    def loss(x):
        t = 0.0
        for f, w in zip((np.sin, np.cos, lambda v: v**3), [1.0, 2.0, 3.0]):
            t = t + np.sum(f(x)) * w
        for k in (1, 2):
            t = t + np.sum(x**k)
        return t

    check(loss, X)


def test_lists_beside_arrays():
    def loss(x):
        t = 0.0
        for name, v in zip(("a", "b"), x):
            t = t + (v**2 if name == "a" else v)
        for i, (v, k) in enumerate(zip(x, [2, 3])):
            t = t + v**k * i
        return t

    check(loss, X)


def test_a_loop_of_known_length_is_written_out_where_its_body_needs_the_number():
    def loss(x, m):
        layers = [x, x * 2, x**2]
        total, parts = 0.0, []
        for i in range(3):
            total = total + np.sum(layers[i]) * i
            parts.append(total)
        for axis in range(2):
            total = total + np.sum(np.max(m, axis=axis))
        for i in range(3):
            last = x[i]
        return total * parts[1] + parts[-1] * last * i

    check(loss, X, M)


def test_a_return_inside_a_written_out_loop():
    def first_above(x, limits):
        for limit in limits:
            for i in range(2):
                if x[i] > limit:
                    return x[i] * limit
        return np.sum(x)

    def loss(x, scale):
        return first_above(x, (1.0, 0.4)) * scale

    for x in ([2.0, 0.0, 1.0], [0.5, 0.1, 1.0], [0.0, 0.45, 1.0], [0.1, 0.2, 3.0]):
        check(loss, np.array(x), 2.0)


def test_sums_of_generators_and_arrays():
    def loss(x, y):
        a = sum(v**2 for v in x) + sum([v * w for v, w in zip(x, y)]) + sum(x) * 2
        b = sum(x[i] * i for i in range(len(x)) if i != 1) + sum((v for v in y), 1.0)
        return a + b + sum(v for v in x if v > 0)

    check(loss, X, Y)


def test_nested_sums():
    def loss(x, y):
        total = 2.0
        a = sum(sum(v * w for w in y) for v in x) + sum(v * w**2 for v in x for w in y)
        return a * total + max(v for v in (x[0], x[1])) + np.sum(sum((row for row in x[:, None] * y), np.zeros(4)))

    check(loss, X, Y)


def test_variables_that_change_together():
    def loss(x, n):
        state, pair, last = {"p": x, "v": np.zeros(4), "t": 0}, [x, x * 2], 0.0
        for i in range(n):
            state = {"p": state["p"] + 0.1 * state["v"], "v": state["v"] - state["p"], "t": state["t"] + 1}
            pair = [pair[1], pair[0] * pair[1]]
            last, total = last + x[i], last
            pair[0] = pair[0] * total
        return np.sum(state["p"] ** 2) * state["t"] + np.sum(pair[0]) * last

    check(loss, X, 3)


def test_comprehensions_over_a_short_array_assume_its_length():
    def loss(x):
        squares = [v**2 for v in x]
        table = dict(enumerate(tuple(x)))
        return squares[0] * squares[-1] + table[1] + np.sum(np.stack([x[i] * x for i in range(3)])) + list(x)[2]

    gradient = check(loss, X)
    assert gradient(X[:3])[0].shape == (3,)

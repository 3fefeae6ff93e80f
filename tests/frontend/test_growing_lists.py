"""Lists and dicts that a loop fills: what becomes of their items afterwards, and where they cannot be followed."""

import numpy as np
import pytest
from agreement import check

from srcgrad import CompileError, grad

pytestmark = pytest.mark.quick

RNG = np.random.default_rng(21)
W, H0 = RNG.standard_normal((3, 3)) * 0.4, RNG.standard_normal(3)
XS = RNG.standard_normal((70, 3)) * 0.3  # more passes than are written out
V = RNG.standard_normal(70)


def states(w, xs, h):
    hs = []
    for x in xs:
        h = np.tanh(w @ x + h)
        hs.append(h)
    return hs


def test_stacked():
    def loss(w, xs, h):
        hs = states(w, xs, h)
        return np.sum(np.stack(hs) ** 2 * xs) + np.sum(np.array(hs)[1:] * np.asarray(hs)[:-1])

    check(loss, W, XS, H0)


@pytest.mark.parametrize(
    "join",
    [
        lambda hs: np.stack(hs),
        lambda hs: np.stack(hs, axis=1),
        lambda hs: np.stack(hs, axis=-1),
        lambda hs: np.vstack(hs),
        lambda hs: np.concatenate(hs),
        lambda hs: np.array(hs),
        lambda hs: np.mean(hs, axis=0),
        lambda hs: sum(hs),
        lambda hs: np.max(hs, axis=0),
        lambda hs: hs[-1] * hs[0] + hs[len(hs) - 1] * hs[3],
    ],
)
def test_every_way_to_join_the_items(join):
    check(lambda w, xs, h: np.sum(np.sin(join(states(w, xs, h)))), W, XS, H0)


def test_matrices_are_joined():
    def loss(w, xs):
        rows = []
        for x in xs:
            rows.append(np.outer(x, x) @ w)
        return np.sum(np.concatenate(rows) ** 2) + np.sum(np.vstack(rows))

    check(loss, W, XS)


def test_numbers():
    def loss(v):
        losses, total = [], 0.0
        for x in v:
            total = 0.9 * total + x * x
            losses.append(total)
        return sum(losses) + losses[-1] * losses[0] + np.mean(losses) + max(losses) + len(losses)

    check(loss, V)


def test_walked_over_again():
    def loss(w, xs, h):
        hs, total = states(w, xs, h), 0.0
        for h in hs:
            total = total + np.sum(h**2)
        for h in reversed(hs):
            total = 0.9 * total + h[0]
        for i, h in enumerate(hs):
            total = total + i * h[1]
        for h, x in zip(hs, xs):
            total = total + h @ x
        return total + sum(np.sum(h) for h in hs)

    check(loss, W, XS, H0)


def test_indexed_in_another_loop():
    def loss(w, xs, h, order):
        hs, total = states(w, xs, h), 0.0
        for t in range(1, len(xs)):
            total = total + np.sum(hs[t] * hs[t - 1])
        for t in reversed(range(len(hs))):
            total = 0.5 * total + hs[t][0]
        for k in order:
            total = total + hs[k][2] ** 2
        return total

    check(loss, W, XS, H0, np.array([3, 69, -1, 3]), wrt=(0, 1, 2))


def test_a_list_with_items_from_before():
    def loss(w, xs, h):
        hs = [h]
        for x in xs:
            hs.append(np.tanh(w @ x + hs[-1]))
        return np.sum(np.stack(hs) ** 2) + np.sum(hs[0] * hs[1]) + len(hs)

    check(loss, W, XS, H0)


def test_read_while_it_is_filled():
    def loss(xs, n):
        ys = [xs[0], xs[1]]
        for t in range(2, n):
            ys.append(np.sin(ys[t - 1]) + 0.5 * ys[t - 2] + xs[t] * ys[-1])
        return np.sum(ys[n - 1] ** 2) + np.sum(np.stack(ys))

    check(loss, XS, 70, wrt=(0,))


def test_tuples_as_items():
    def loss(w, xs, h):
        cache = []
        for x in xs:
            a = w @ x + h
            h = np.tanh(a)
            cache.append((a, h))
        total = 0.0
        for a, h in reversed(cache):
            total = 0.9 * total + a @ h
        return total + cache[-1][1][0]

    check(loss, W, XS, H0)


def test_a_helper_that_fills_a_list_for_several_layers():
    def layer(w, xs):
        h, hs = np.zeros(w.shape[0]), []
        for x in xs:
            h = np.tanh(w @ x + h)
            hs.append(h)
        return np.stack(hs)

    def loss(w1, w2, xs, layers):
        xs = layer(w2, layer(w1, xs))
        for w in layers:
            xs = layer(w, xs)
        return np.sum(xs**2)

    layers = [RNG.standard_normal((4, 2)), RNG.standard_normal((3, 4))]
    check(loss, RNG.standard_normal((5, 3)), RNG.standard_normal((2, 5)), XS, layers)


def test_two_items_in_a_pass_and_two_loops():
    def loss(w, xs):
        rows = []
        for x in xs:
            rows.append(w @ x)
            rows.append(x * x)
        for x in xs[1:]:
            rows.append(x)
        return np.sum(np.stack(rows) ** 3) + len(rows)

    check(loss, W, XS)


def test_a_list_in_each_pass_of_a_loop():
    def loss(w, xs, n):
        total = 0.0
        for k in range(n):
            rows = []
            for x in xs:
                rows.append(np.tanh(w @ x) * k)
            total = total + np.sum(np.stack(rows) ** 2)
        return total

    check(loss, W, XS, 66, wrt=(0, 1))


def test_a_list_filled_by_a_helper():
    def push(out, x):
        out.append(np.sin(x))

    def loss(xs):
        out = []
        for x in xs:
            push(out, x)
        return np.sum(np.stack(out) ** 2)

    check(loss, XS)


def test_backwards_and_from_a_number():
    def loss(xs, n):
        down, up = [], []
        for t in reversed(range(n)):
            down.append(xs[t] * t)
        for t in range(3, n):
            up.append(down[t - 3] * xs[t])
        return np.sum(np.stack(up)) + np.sum(np.stack(down)[::2] ** 2)

    check(loss, XS, 70, wrt=(0,))


def test_single_precision():
    def loss(w, xs):
        rows = []
        for x in xs:
            rows.append(np.tanh(w @ x))
        return np.sum(np.stack(rows) ** 2)

    w, xs = W.astype(np.float32), XS.astype(np.float32)
    d = grad(loss)(w, xs)
    assert d.dtype == np.float32
    np.testing.assert_allclose(d, grad(loss)(W, XS), rtol=1e-4, atol=1e-4)


def test_no_passes_and_few():
    def loss(w, xs):
        rows = [w[0]]
        for x in xs:
            rows.append(np.tanh(w @ x))
        return np.sum(np.stack(rows) ** 2)

    gradient = grad(loss)
    for n in (70, 3, 1, 0):
        np.testing.assert_allclose(gradient(W, XS[:n]), check(loss, W, XS[:n], wrt=(0,))(W, XS[:n])[0])


def test_an_item_that_changes_in_its_own_pass():
    def loss(xs, picks):
        rows = []
        for t in range(len(picks)):
            row = np.zeros(3)
            rows.append(row)
            row[picks[t]] = xs[t, 0] ** 2
            row *= 2.0
        return np.sum(np.stack(rows) * xs)

    check(loss, XS, RNG.integers(0, 3, 70), wrt=(0,))


def refusal(function, *args):
    with pytest.raises(CompileError) as caught:
        grad(function)(*args)
    return str(caught.value)


def test_items_that_change_later_are_refused():
    def carried(xs):
        h, hs = np.zeros(3), []
        for x in xs:
            h += x
            hs.append(h)
        return np.sum(np.stack(hs))

    def after(xs):
        hs = []
        for x in xs:
            h = np.sin(x)
            hs.append(h)
            if x[0] > 0.0:
                h[0] = 1.0
        return np.sum(np.stack(hs))

    def next_pass(xs):
        h, hs = np.zeros(3), []
        for x in xs:
            h *= 0.5
            h = np.tanh(x + h)
            hs.append(h)
        return np.sum(np.stack(hs))

    def behind(xs):
        h, hs = np.zeros(3), []
        for x in xs:
            h = np.tanh(x + h)
            hs.append(h)
        h *= 2.0
        return np.sum(np.stack(hs))

    def through(xs):
        hs = []
        for x in xs:
            hs.append(np.sin(x))
        hs[0][1] = 5.0
        return np.sum(np.stack(hs))

    for function in (carried, after, next_pass, behind, through):
        assert "changed in place" in refusal(function, XS), function.__name__
    assert "Append a copy: `.append(x.copy())`." in refusal(carried, XS)


def test_a_copy_may_be_appended():
    def loss(xs):
        h, hs = np.zeros(3), []
        for x in xs:
            h += x
            hs.append(h.copy())
        return np.sum(np.stack(hs) ** 2)

    check(loss, XS)


def test_lists_that_no_array_can_be():
    def some(xs):
        out = []
        for x in xs:
            if x[0] > 0.0:
                out.append(x)
        return np.sum(np.stack(out))

    def mixed(xs):
        out = []
        for x in xs:
            out.append(x)
            out.append(x[0])
        return np.sum(out[0])

    def forever(xs):
        out, h = [], xs[0]
        while np.sum(h**2) > 0.1:
            h = 0.5 * h
            out.append(h)
        return np.sum(np.stack(out))

    def ahead(xs, n):
        out = []
        for t in range(n):
            out.append(xs[t] if t < 1 else out[t + 1])
        return np.sum(out[0])

    def popped(xs):
        out = []
        for x in xs:
            out.append(x)
        return np.sum(out.pop())

    def stopped(xs):
        out = []
        for x in xs:
            out.append(x)
            if x[0] > 1e9:
                break
        return np.sum(np.stack(out))

    assert "changes inside it" in refusal(some, XS)
    assert "items of different kinds" in refusal(mixed, XS) or "items of type" in refusal(mixed, XS)
    assert "changes inside it" in refusal(forever, XS)
    assert "not certain that this holds an item" in refusal(ahead, XS, 70)
    assert "needs its items one by one" in refusal(popped, XS)
    assert "`break` in a loop that fills a list" in refusal(stopped, XS)


def test_a_stacked_list_stays_as_it_is():
    def loss(xs):
        out = []
        for x in xs:
            out.append(np.sin(x))
        y = np.stack(out)
        y[0] = 0.0
        return np.sum(y * np.stack(out))

    assert "the list `out`, which a loop fills, holds it" in refusal(loss, XS)


def test_the_text():
    gradient = grad(lambda w, xs, h: np.sum(np.stack(states(w, xs, h)) ** 2))
    gradient(W, XS, H0)
    assert "hs = np.empty((xs.shape[0], w.shape[0]))" in gradient.source
    assert "hs[i] = h" in gradient.source
    assert "d_hs = 2 * hs" in gradient.source

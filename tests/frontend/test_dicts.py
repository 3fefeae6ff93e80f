"""Dicts that a loop fills with its own number as the key, the idiom of hand-written recurrent networks."""

import numpy as np
import pytest
from agreement import check

from srcgrad import CompileError, grad

pytestmark = pytest.mark.quick

RNG = np.random.default_rng(22)
HIDDEN, VOCABULARY, STEPS = 4, 5, 70
WEIGHTS = [
    RNG.standard_normal(shape) * 0.1
    for shape in (
        (HIDDEN, VOCABULARY),
        (HIDDEN, HIDDEN),
        (VOCABULARY, HIDDEN),
        (HIDDEN, 1),
        (VOCABULARY, 1),
        (HIDDEN, 1),
    )
]
INPUTS, TARGETS = RNG.integers(0, VOCABULARY, STEPS), RNG.integers(0, VOCABULARY, STEPS)
XS = RNG.standard_normal((STEPS, 3)) * 0.3


def char_rnn(Wxh, Whh, Why, bh, by, hprev, inputs, targets):
    xs, hs, ys, ps = {}, {}, {}, {}
    hs[-1] = np.copy(hprev)
    loss = 0
    for t in range(len(inputs)):
        xs[t] = np.zeros((Wxh.shape[1], 1))
        xs[t][inputs[t]] = 1
        hs[t] = np.tanh(np.dot(Wxh, xs[t]) + np.dot(Whh, hs[t - 1]) + bh)
        ys[t] = np.dot(Why, hs[t]) + by
        ps[t] = np.exp(ys[t]) / np.sum(np.exp(ys[t]))
        loss += -np.log(ps[t][targets[t], 0])
    return loss


def test_a_character_model():
    gradient = check(char_rnn, *WEIGHTS, INPUTS, TARGETS, wrt=tuple(range(6)))
    gradient(*WEIGHTS, INPUTS, TARGETS)
    assert "hs[t - 1]" in gradient.source
    assert "d_hs[t - 1] += " in gradient.source
    assert ".copy()\n    hs" not in gradient.source


def test_its_gradient_is_karpathys():
    """The backward pass as it was published with the model (without its clipping)."""
    Wxh, Whh, Why, bh, by, hprev = WEIGHTS
    xs, hs, ps = {}, {-1: hprev}, {}
    for t in range(STEPS):
        xs[t] = np.zeros((VOCABULARY, 1))
        xs[t][INPUTS[t]] = 1
        hs[t] = np.tanh(Wxh @ xs[t] + Whh @ hs[t - 1] + bh)
        y = Why @ hs[t] + by
        ps[t] = np.exp(y) / np.sum(np.exp(y))
    expected = [np.zeros_like(w) for w in WEIGHTS]
    dhnext = np.zeros_like(hprev)
    for t in reversed(range(STEPS)):
        dy = np.copy(ps[t])
        dy[TARGETS[t]] -= 1
        expected[2] += dy @ hs[t].T
        expected[4] += dy
        dhraw = (1 - hs[t] * hs[t]) * (Why.T @ dy + dhnext)
        expected[3] += dhraw
        expected[0] += dhraw @ xs[t].T
        expected[1] += dhraw @ hs[t - 1].T
        dhnext = Whh.T @ dhraw
    expected[5] = dhnext
    for got, want in zip(grad(char_rnn, argnums=range(6))(*WEIGHTS, INPUTS, TARGETS), expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-12)


def test_read_in_a_later_loop():
    def loss(xs, n):
        hs = {-1: np.zeros(3)}
        for t in range(n):
            hs[t] = np.tanh(xs[t] + 0.5 * hs[t - 1])
        total = np.sum(hs[-1]) + np.sum(hs[n - 1]) + len(hs)
        for t in range(n):
            total = total + hs[t] @ hs[t - 1]
        for t in reversed(range(n)):
            total = 0.9 * total + hs[t][0]
        return total

    check(loss, XS, STEPS, wrt=(0,))


def test_keys_from_one():
    def loss(xs, n):
        y = {0: xs[0]}
        for t in range(1, n):
            y[t] = np.sin(y[t - 1]) + xs[t]
        return np.sum(y[n - 1] ** 2) + np.sum(y[0])

    check(loss, XS, STEPS, wrt=(0,))


def test_a_key_ahead_of_the_index():
    def loss(xs, n):
        y = {0: xs[0]}
        for t in range(n - 1):
            y[t + 1] = np.sin(y[t]) + xs[t]
        return np.sum(y[n - 1] ** 2)

    check(loss, XS, STEPS, wrt=(0,))


def test_an_item_stored_twice_in_a_pass():
    def loss(xs, n):
        y = {}
        for t in range(n):
            y[t] = np.sin(xs[t])
            y[t] = y[t] * xs[t]
        total = 0.0
        for t in range(n):
            total = total + np.sum(y[t] ** 2)
        return total

    check(loss, XS, STEPS, wrt=(0,))


def refusal(function, *args):
    with pytest.raises(CompileError) as caught:
        grad(function)(*args)
    return str(caught.value)


def test_keys_that_may_not_be_there_are_refused():
    def ahead(xs, n):
        y = {-1: xs[0]}
        for t in range(n):
            y[t] = xs[t] * y[t + 1] if t > 0 else y[t - 1]
        return np.sum(y[0])

    def before(xs, n):
        y = {}
        for t in range(n):
            y[t] = xs[t] * 2.0 if t < 1 else y[t - 1] * xs[t]
        return np.sum(y[-1])

    def strange(xs, n):
        y = {}
        for t in range(n):
            y[2 * t] = xs[t]
        return np.sum(y[0])

    def gap(xs, n):
        y = {-1: xs[0], 7: xs[1]}
        for t in range(n):
            y[t] = xs[t] * y[t - 1]
        return np.sum(y[0])

    assert "not certain that `y` holds an item" in refusal(ahead, XS, STEPS)
    assert "not certain that this holds an item" in refusal(before, XS, STEPS)
    assert "changes inside it" in refusal(strange, XS, STEPS)
    assert "keys that are no rows of an array" in refusal(gap, XS, STEPS)


def test_sorted_keys():
    def loss(x):
        parts = {"b": x[0], "a": x[1] ** 2}
        parts.update(c=x[2])
        weights = {key: k + 1.0 for k, key in enumerate(sorted(parts))}
        return sum(weights[key] * parts[key] for key in sorted(parts, reverse=True)) + sorted([3, 1, 2])[0]

    check(loss, XS[0])

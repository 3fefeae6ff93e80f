"""Wrong rules of the user's, wherever they are called: `check_grads` names the statement that calls them."""

import inspect
import re

import numpy as np
import pytest

from srcgrad import GradientMismatch, check_grads, checkpoint, checkpointed, rule

right = rule.elementwise(lambda x: np.sin(x), lambda d, y, x: d * np.cos(x))
square = rule.elementwise(lambda x: x * x, lambda d, y, x: 3.0 * x * d)  # 2 x d
double = rule.linear(lambda x: 2.0 * x, transpose=lambda d, y, x: 3.0 * d)  # 2 d
power = rule(lambda x: np.exp(x), forward=lambda x: (np.exp(x), x), backward=lambda x, d: (d * x,))  # d exp(x)
product = rule(lambda x, y: x * y, forward=lambda x, y: (x * y, y), backward=lambda y, d: (d * y, d * y))  # d x


def straight(x):
    a = right(x)
    b = square(a)  # wrong
    return np.sum(b * a)


def in_a_loop(x):
    for _ in range(3):
        x = np.sin(x)
        x = square(x)  # wrong
    return np.sum(x)


def in_a_branch(x):
    y = x * 2.0
    if np.sum(x) > 0:
        y = power(y)  # wrong
    else:
        y = y * y
    return np.sum(y)


def helper(x):
    t = np.cos(x)
    return double(t)  # wrong


def in_a_helper(x):
    y = np.sin(x)
    return np.sum(helper(y) * y)


class Model:
    def __init__(self):
        self.k = 2.0

    def act(self, x):
        z = x * self.k
        return square(z)  # wrong

    def loss(self, x):
        return np.sum(self.act(x))


MODEL = Model()


def in_a_method(x):
    return MODEL.loss(x)


def itself(x, n):
    if n == 0:
        return right(x)
    return square(itself(x, n - 1)) * 0.5  # wrong


def in_a_recursion(x):
    n = int(np.size(x)) - 1
    return np.sum(itself(x, n))


def in_a_while_loop(x):
    k = 0
    while k < 2:
        x = x + power(x)  # wrong
        k += 1
    return np.sum(x)


@checkpoint
def block(x):
    u = np.tanh(x)
    return square(u)  # wrong


def in_a_checkpoint(x):
    for _ in range(2):
        x = block(x)
    return np.sum(x)


def in_a_checkpointed_loop(x):
    for _ in checkpointed(range(4), slots=2):
        y = np.sin(x)
        x = square(y) + x  # wrong
    return np.sum(x)


def written_to_an_array(x):
    out = np.zeros(3)
    for i in range(3):
        out[i] = square(x[i])  # wrong
    return np.sum(out**2)


def of_two_arguments(x):
    z = np.sin(x)
    return np.sum(product(z, x))  # wrong


def long_helper(x):
    a = np.tanh(x)
    b = np.sin(a) * a
    c = np.cos(b) + a
    d = np.exp(-c) * b
    e = d / (1.0 + c * c)
    h = np.sin(e) * d + e * c
    k = power(h)  # wrong
    return k * a


def in_a_helper_called_again(x):
    return np.sum(long_helper(long_helper(long_helper(long_helper(x)))))


BOTH_MODES = [straight, in_a_loop, in_a_helper, in_a_method, in_a_recursion, in_a_checkpoint, in_a_checkpointed_loop]
BOTH_MODES += [written_to_an_array]
REVERSE = [in_a_branch, in_a_while_loop, of_two_arguments, in_a_helper_called_again]  # their rules have no `jvp`


@pytest.mark.parametrize("function", [*BOTH_MODES, *REVERSE], ids=lambda f: f.__name__)
def test_the_statement_is_named(function):
    modes = ("rev",) if function in REVERSE else ("fwd", "rev")
    with pytest.raises(GradientMismatch) as caught:
        check_grads(function, np.array([0.4, 0.7, 1.1]), modes=modes)
    place = re.search(r"test_blame\.py:(\d+):\d+: the first statement whose derivative disagrees", str(caught.value))
    assert place is not None, caught.value
    lines = inspect.getsource(inspect.getmodule(function)).splitlines()
    assert lines[int(place.group(1)) - 1].endswith("# wrong")

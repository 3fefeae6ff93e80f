"""print, assert, random draws and exceptions: once, in order, as one plain call would."""

import contextlib
import io

import numpy as np
import pytest
from agreement import check

from srcgrad import CompileError, grad, value_and_grad

pytestmark = pytest.mark.quick

X = np.array([0.5, -1.5, 2.0])


def printed(function, *args):
    with contextlib.redirect_stdout(io.StringIO()) as out:
        function(*args)
    return out.getvalue()


def chatty(x):
    print("start", x[0], x.shape, None, True, [x[0], 2], (1.5, x[1]), end="!\n")
    for i in range(2):
        print("pass", i, x[i] * 2, sep="-")
        x = x * 1.5
    if x[0] > -100:
        print(f"sum {np.sum(x):.3f} of {len(x)} {'numbers'!r}")
    else:
        print("never")
    print(*[1, 2], x.sum())
    return np.sum(x**2)


def test_prints_come_once_and_in_order():
    expected = printed(chatty, X)
    gradient = grad(chatty)
    assert printed(gradient, X) == expected
    assert printed(gradient.value_and_grad, X) == expected
    assert printed(lambda x: gradient.forward(x).backward(), X) == expected


def test_random_draws_are_those_of_one_plain_call():
    def loss(x, rng):
        noise = rng.normal(size=3) * rng.uniform(0.0, 2.0, x.shape) + rng.standard_normal(3)
        total = 0.0
        for i in range(len(x)):
            total += rng.normal() * x[i]
        if total > -100:
            total += rng.random() * x[0]
        return np.sum(x * noise) + total + rng.integers(0, 10) * x[1] + rng.normal(1.0, 2.0) * x[2]

    one, other = np.random.default_rng(7), np.random.default_rng(7)
    value, d = value_and_grad(loss)(X, one)
    assert value == pytest.approx(loss(X, other))
    assert one.random() == other.random()
    # the loss is linear in x once the draws are fixed
    assert d @ X == pytest.approx(value)


@pytest.mark.parametrize(
    "draw",
    [
        lambda g: g.normal(size=3),
        lambda g: g.standard_normal(3),
        lambda g: g.choice(3, size=3, replace=False),
        lambda g: g.permutation(3),
        lambda g: g.permutation(np.array([0.5, 1.5, 2.5])),
        lambda g: g.choice(np.array([0.5, 1.5]), size=(2, 3)),
        lambda g: g.dirichlet(np.ones(3)),
        lambda g: g.multivariate_normal(np.zeros(3), np.eye(3), size=2),
        lambda g: g.multinomial(20, np.array([0.2, 0.3, 0.5])),
        lambda g: g.triangular(0.0, 0.5, 1.0, 3) * g.weibull(2.0, 3) * g.standard_t(5.0, 3) + g.random(),
    ],
)
@pytest.mark.parametrize("modern", [True, False])
def test_a_generator_made_inside(modern, draw):
    def loss(x):
        g = np.random.default_rng(3) if modern else np.random.RandomState(3)
        return np.sum(x**2 * draw(g)) + g.normal() * x[0]

    check(loss, X)


def test_a_draw_has_no_derivative_in_its_parameters():
    def loss(x, rng):
        return np.sum(rng.normal(x, 1.0) ** 2)

    with pytest.raises(CompileError, match=r"no derivative in its parameters[^$]*mean \+ std"):
        value_and_grad(loss)(X, np.random.default_rng(0))


def test_a_shuffle_is_refused():
    def loss(x):
        g = np.random.default_rng(0)
        g.shuffle(x)
        return x[0]

    with pytest.raises(CompileError, match=r"`shuffle`[^$]*g.permutation"):
        value_and_grad(loss)(X)


def test_the_global_generator():
    def loss(x):
        return np.sum(x * np.random.normal(size=3)) + np.random.rand() * x[0]

    np.random.seed(0)
    value, d = value_and_grad(loss)(X)
    np.random.seed(0)
    assert value == pytest.approx(loss(X))
    assert d @ X == pytest.approx(value)


def test_assertions_hold_or_fail_as_in_a_plain_call():
    def loss(x):
        assert x.ndim == 1
        assert np.all(np.isfinite(x)), "not finite"
        assert x[0] < 1, f"x[0] is {x[0]}, too large"
        return np.sum(x**2)

    gradient = check(loss, X)
    with pytest.raises(AssertionError, match=r"x\[0\] is 5\.0, too large") as caught:
        gradient(X + 4.5)
    assert any("test_effects.py" in note for note in caught.value.__notes__)
    with pytest.raises(AssertionError, match="not finite"):
        gradient(np.array([0.0, np.inf]))


def test_exceptions_name_the_users_line():
    def loss(m):
        y = m * 2
        return np.linalg.inv(y)[0, 0]

    with pytest.raises(np.linalg.LinAlgError) as caught:
        grad(loss)(np.zeros((2, 2)))
    assert any("test_effects.py" in note and "np.linalg.inv(y)" in note for note in caught.value.__notes__)


def test_an_index_out_of_range_is_pythons_own_error():
    with pytest.raises(IndexError) as caught:
        grad(lambda x, i: x[i] ** 2)(X, 7)
    assert any("test_effects.py" in note for note in caught.value.__notes__)


def test_no_effect_is_lost_in_a_list_outside():
    log = []

    def loss(x):
        log.append(1)
        return np.sum(x)

    with pytest.raises(CompileError, match="the list `log` belongs to the caller, and is changed here"):
        grad(loss)(X)
    assert log == []

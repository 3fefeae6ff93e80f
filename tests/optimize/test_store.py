"""What a loop records for its backward sweep: only what must be."""

import numpy as np
import pytest
from referee import numerical_gradient

from srcgrad import grad

X = np.random.default_rng(1).uniform(0.5, 1.5, size=6)


def check(f, *args):
    gradient = grad(f)
    np.testing.assert_allclose(gradient(*args), numerical_gradient(f, args, 0), rtol=1e-7, atol=1e-9)
    return gradient.source


@pytest.mark.quick
def test_a_linear_loop_records_nothing():
    def smooth(x):
        for _ in range(5):
            x = 0.5 * x + 0.25 * np.roll(x, 1)
        return np.sum(x * X)

    assert "append" not in check(smooth, X)


@pytest.mark.quick
def test_items_of_an_array_are_walked_again_not_recorded():
    def energy(x):
        total = 0.0
        for v in x:
            total += v**3
        return total

    assert "append" not in check(energy, X)


@pytest.mark.quick
def test_the_next_value_is_carried_backwards_instead_of_recorded_twice():
    def recurrence(x):
        h = 0.1
        for v in x:
            h = np.tanh(v * h + v)
        return h

    source = check(recurrence, X)
    assert source.count("append") == 1
    assert "h_before" in source


@pytest.mark.quick
def test_recordings_read_together_share_a_list():
    def product(x):
        a, b = 1.0, 0.5
        for v in x:
            c = np.sin(a * v)
            a = a + c * b
            b = b * v + c
        return a * b

    source = check(product, X)
    assert source.count("append") == 1


@pytest.mark.quick
def test_a_value_that_does_not_change_in_the_loop_is_not_recorded():
    def powers(x):
        scale = np.sum(x)
        total = 0.0
        for _ in range(3):
            total = total * scale + scale**2
        return total

    source = check(powers, X)
    assert source.count("append") == 1  # `total`, which the derivative of total * scale needs
    assert "scale_steps" not in source


@pytest.mark.quick
def test_nothing_is_recorded_for_a_loop_without_a_pass():
    def power(x, n):
        y = x
        for _ in range(n):
            y = y * x
        return y

    gradient = grad(power)
    assert [gradient(2.0, n) for n in (0, 1, 3)] == [1.0, 4.0, 32.0]


@pytest.mark.quick
def test_branches_in_loops_record_what_either_needs():
    def mixed(x):
        y = 1.0
        for v in x:
            if v > 1.0:
                s = np.sin(y * v)
                y = y + s * s
            else:
                y = y * v
        return y

    check(mixed, X)
    check(mixed, X[X > 1.0])
    check(mixed, X[X <= 1.0])
    gradient = grad(mixed)
    out = gradient.forward(X[::-1].copy())
    np.testing.assert_allclose(out.backward()[0], numerical_gradient(mixed, (X[::-1],), 0), rtol=1e-7)

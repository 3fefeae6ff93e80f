"""Results are fresh memory, and are not copied where they are already."""

import numpy as np
import pytest
from agreement import check

pytestmark = pytest.mark.quick

X = np.array([0.5, -1.2, 0.8])


def test_a_gradient_accumulated_in_nested_loops_is_not_copied():
    def loss(x, n):
        s = 1.0
        for i in range(n):
            for j in range(i):
                s = np.sin(s * x[j])
        return s

    gradient = check(loss, X, 3)
    gradient(X, 3)
    assert ".copy()" not in gradient.source


def test_gradients_that_two_variables_swap_are_not_one_array():
    def loss(x, y, n):
        a, b = x, y
        for _ in range(n):
            a, b = b, a
        return np.sum(a * 2.0 + b)

    check(loss, X, X + 1.0, 3)
    check(loss, X, X + 1.0, 0)

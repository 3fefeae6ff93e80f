"""Whole algorithms: nested loops with inner bounds, branches and writes together."""

import numpy as np
import pytest
from agreement import check

pytestmark = pytest.mark.quick

RNG = np.random.default_rng(2)
X, Y = RNG.standard_normal(4), RNG.standard_normal(4)


def test_algorithms():
    """A factorisation and a bubble sort: nested loops with inner bounds, branches and writes."""

    def loss(x, y):
        n = len(x)
        a, low = np.outer(x, x) + np.outer(y, y), np.zeros((n, n))
        for i in range(n):
            for j in range(i + 1):
                s = 0.0
                for k in range(j):
                    s += low[i, k] * low[j, k]
                low[i, j] = np.sqrt(abs(a[i, i] - s) + 3) if i == j else (a[i, j] - s) / low[j, j]
        z = y.copy()
        for i in range(n):
            for j in range(n - 1 - i):
                if z[j] > z[j + 1]:
                    larger = z[j]
                    z[j] = z[j + 1]
                    z[j + 1] = larger
        return np.sum(low) + z[0] * 1 + z[1] * 2 + z[2] * 3 + z[3] * 4

    check(loss, X, Y)


def test_the_largest_and_where_it_is():
    def loss(x):
        best, at, found = x[0], 0, False
        for i in range(1, len(x)):
            if x[i] > best and not found:
                best, at, found = x[i], i, i > 2
        return best * (at + 1) * x[at]

    check(loss, X)

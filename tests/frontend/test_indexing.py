"""Reading parts of arrays: integers, slices, masks, index arrays, and lengths as numbers."""

import numpy as np
import pytest
from agreement import check

pytestmark = pytest.mark.quick

RNG = np.random.default_rng(1)
X, M = RNG.standard_normal(5), RNG.standard_normal((3, 4))

PARTS = [
    lambda x: x[0] * x[-1] * x[2] ** 2,
    lambda x: np.sum(x[1:] * x[:-1]),
    lambda x: np.sum(x[::2] ** 2) + np.sum(x[1::2]),
    lambda x: np.sum(x[::-1] * x),
    lambda x: np.sum(x[-2:] ** 2) + np.sum(x[:-3]),
    lambda x: np.sum(x[3:0:-1] ** 2) + np.sum(x[-1:0:-2]),
    lambda x: np.sum(x[None, :] * x[:, None]),
    lambda x: np.sum(x[...] ** 2) + np.sum(x[np.newaxis, ..., np.newaxis]),
    lambda x: np.sum(x[[0, 0, 3]] ** 2),
    lambda x: np.sum(x[np.array([1, 1, -1])] ** 2),
    lambda x: np.sum(x[np.array([[0, 1], [1, 4]])] ** 3),
    lambda x: np.sum(x[:0]) + np.sum(x[7:]) + x[0],
    lambda x: np.sum(x[:100] ** 2),
    lambda x: np.sum(x[len(x) // 2 :] * 2.0),
    lambda x: np.sum(x[: x.shape[0] - 2] * x[2:]),
    lambda x: np.sum(x[1:4][1:] ** 2),
]


@pytest.mark.parametrize("loss", PARTS, ids=range(len(PARTS)))
def test_parts_of_a_vector(loss):
    check(loss, X)


MATRIX_PARTS = [
    lambda m: np.sum(m[1] * m[2]) + m[0, 1] * m[-1, -2],
    lambda m: np.sum(m[:, 0] * m[:, 3]) + np.sum(m[1:, ::2] ** 2),
    lambda m: np.sum(m[..., 1] ** 2) + np.sum(m[0, ...] ** 2),
    lambda m: np.sum(m[[0, 2]] ** 2) + np.sum(m[:, [1, 1]] ** 2),
    lambda m: np.sum(m[[0, 1, 2], [3, 1, 1]] ** 2),
    lambda m: np.sum(m[np.arange(3), np.array([0, 0, 2])] ** 2),
    lambda m: np.sum(m[:, None, :] * m[None, :, :]),
    lambda m: np.sum(m[1, 1:3] * m[2, :2]),
    lambda m: np.sum(m.T[2] ** 2) + np.sum(m[::-1, ::-1] * m),
]


@pytest.mark.parametrize("loss", MATRIX_PARTS, ids=range(len(MATRIX_PARTS)))
def test_parts_of_a_matrix(loss):
    check(loss, M)


@pytest.mark.parametrize("i", [0, 2, -1])
def test_an_integer_argument_as_index(i):
    check(lambda x, i: x[i] ** 2 * x[0], X, i)


@pytest.mark.parametrize("k", [-4, -2, 0, 1, 3, 5, 9])
def test_an_integer_argument_as_a_slice_bound(k):
    """Negative, past the end, empty: as Python slices."""
    check(lambda x, k: np.sum(x[k:] ** 2) + np.sum(x[:k]) + x[0], X, k)


def test_index_arrays_as_arguments_may_repeat():
    check(lambda x, i: np.sum(x[i] ** 2), X, np.array([0, 1, 1, -1]))


def test_lengths_are_numbers():
    def loss(m):
        rows, columns = m.shape
        return np.sum(m) / rows + np.sum(m**2) / columns + m.size + m.ndim * m[0, 0] / len(m.T)

    check(loss, M)


def test_a_shape_is_compared_before_the_branch_that_relies_on_it():
    def loss(x, y):
        if x.shape == y.shape:
            return np.sum(x * y)
        return np.sum(x) + np.sum(y**2)

    gradient = check(loss, X, X + 1.0)
    check(loss, X, X[:2])
    check(loss, X, M)
    for n, m in ((4, 4), (4, 3), (3, 4), (5, 5)):
        expected = np.full(n, 2.0) if n == m else np.ones(n)
        np.testing.assert_allclose(gradient(np.ones(n), np.full(m, 2.0))[0], expected)


@pytest.mark.parametrize(
    "loss",
    [
        lambda x: np.sum(x**2) if x.shape == (5,) else np.sum(x),
        lambda x: np.sum(x**2) if x.shape[0] != 5 else np.sum(x),
        lambda x: np.sum(x**2) if (x.ndim, len(x)) == (1, 5) else x[3],
        lambda x: x @ x if x.ndim == 1 else np.trace(x @ x),
    ],
    ids=range(4),
)
def test_ranks_and_lengths_decide_when_compiling(loss):
    check(loss, X)
    check(lambda m: loss(m[0]), M)


def test_unpacking_an_array_assumes_its_length():
    def loss(m):
        (a, b, c, d), row, _ = m
        return a * b + c * d + np.sum(row**2)

    check(loss, M)

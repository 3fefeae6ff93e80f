"""Boolean masks: parts whose length only running reveals."""

import numpy as np
import pytest
from agreement import check

pytestmark = pytest.mark.quick

RNG = np.random.default_rng(1)
X, M = RNG.standard_normal(5), RNG.standard_normal((3, 4))


@pytest.mark.parametrize(
    "loss",
    [
        lambda x: np.sum(x[x > 0] ** 2),
        lambda x: np.sum(x[(x > -0.5) & (x < 0.5)]) + np.sum(x[~(x > 0)] ** 2),
        lambda x: np.sum(x[x > 100]) + x[0],
    ],
)
def test_elements_that_a_mask_selects(loss):
    check(loss, X)


def test_rows_and_elements_of_a_matrix():
    check(lambda m: np.sum(m[m > 0] ** 2) + np.sum(m[m[:, 0] > 0] ** 2), M)


def test_masks_as_arguments():
    check(lambda x, m: np.sum(x[m] ** 2), X, np.array([True, False, True, True, False]))


def test_masked_writes():
    def loss(x):
        y = x.copy()
        y[y > 0] = 0.0
        y[x < -0.1] *= 2.0
        return np.sum(y**2)

    check(loss, X)

"""Maxima that cancel need no derivative; maxima that matter keep theirs."""

import numpy as np
import pytest
from referee import numerical_gradient

from srcgrad import grad

X = np.random.default_rng(0).normal(size=(4, 3))
LABELS = np.array([0, 2, 1, 1])


def softmax_cross_entropy(x):
    shifted = x - x.max(axis=1, keepdims=True)
    return np.mean(np.log(np.sum(np.exp(shifted), axis=1)) - shifted[np.arange(4), LABELS])


def log_sum_exp(x):
    top = np.max(x, axis=1)
    return np.sum(top + np.log(np.sum(np.exp(x - top[:, None]), axis=1)))


def softmax_entropy(x):
    weights = np.exp(x - np.max(x))
    weights = weights / np.sum(weights)
    return -np.sum(weights * np.log(weights))


def log_softmax_of_everything(x):
    z = x - np.max(x)
    return np.sum((z - np.log(np.sum(np.exp(z)))) ** 2)


def shifted_exponentials(x):
    return np.sum(np.exp(x - np.max(x, axis=1, keepdims=True)))


def shifted_twice(x):
    top = np.max(x, axis=1, keepdims=True)
    return np.sum(np.log(np.sum(np.exp(x - top), axis=1)) + 2.0 * top[:, 0])


def compared(x):
    z = x - np.max(x, axis=1, keepdims=True)
    return np.sum(np.where(z > -0.5, z, 0.0) ** 2)


def in_a_loop(x):
    total = 0.0
    for row in x:
        z = row - np.max(row)
        total += np.log(np.sum(np.exp(z))) + z[0] ** 2
    return total


@pytest.mark.quick
@pytest.mark.parametrize("f", [softmax_cross_entropy, log_sum_exp, softmax_entropy, log_softmax_of_everything])
def test_the_maximum_has_no_derivative_where_it_cancels(f):
    gradient = grad(f)
    np.testing.assert_allclose(gradient(X), numerical_gradient(f, (X,), 0), rtol=1e-7, atol=1e-9)
    assert "==" not in gradient.source  # the mask of the largest elements, which a maximum's derivative needs


@pytest.mark.quick
@pytest.mark.parametrize("f", [shifted_exponentials, shifted_twice, compared, in_a_loop])
def test_the_maximum_has_its_derivative_where_it_matters(f):
    gradient = grad(f)
    np.testing.assert_allclose(gradient(X), numerical_gradient(f, (X,), 0), rtol=1e-7, atol=1e-9)
    assert "==" in gradient.source

"""Factorised matrices of scipy.linalg, and the systems solved with them."""

import numpy as np
import pytest
from agreement import check
from referee import numerical_gradient
from scipy import linalg
from scipy.linalg import cho_factor, cho_solve, lu_factor, lu_solve

from srcgrad import grad, hessian, jvp
from srcgrad.errors import CompileError

rng = np.random.default_rng(0)
RAW, B = rng.normal(size=(3, 3)), rng.normal(size=3)


def likelihood(raw, b):
    factors = cho_factor(raw @ raw.T + 3.0 * np.eye(3), lower=True)
    return np.sum(b * cho_solve(factors, b)) + 2 * np.sum(np.log(np.diag(factors[0])))


def unpacked(raw, b):
    c, lower = linalg.cho_factor(raw @ raw.T + 3.0 * np.eye(3))
    return np.sum(np.sin(linalg.cho_solve((c, lower), b))) + np.sum(np.log(np.diagonal(c)))


def of_a_triangle(raw, b):
    return np.sum(cho_solve((np.linalg.cholesky(raw @ raw.T + 3.0 * np.eye(3)), True), np.outer(b, b)) ** 2)


def both_triangles(raw, b):
    return np.sum(cho_factor(raw @ raw.T + 3.0 * np.eye(3), lower=True)[0] ** 2) * np.sum(b)


def by_lu(raw, b):
    factors = lu_factor(raw + 3.0 * np.eye(3))
    x = lu_solve(factors, b)
    return np.sum(x * lu_solve(factors, np.sin(x), trans=1)) + np.sum(lu_solve(factors, np.outer(b, x)) ** 2)


ALL = [likelihood, unpacked, of_a_triangle, both_triangles, by_lu]


@pytest.mark.parametrize("loss", ALL)
def test_matrix_and_right_hand_side(loss):
    check(loss, RAW, B)


@pytest.mark.parametrize("loss", ALL)
def test_forward_mode_and_second_order(loss):
    moves = rng.normal(size=(3, 3)), rng.normal(size=3)
    value, tangent = jvp(loss, (RAW, B), moves)
    d_raw, d_b = grad(loss, (0, 1))(RAW, B)
    assert value == loss(RAW, B)
    np.testing.assert_allclose(tangent, np.sum(d_raw * moves[0]) + d_b @ moves[1], rtol=1e-9)
    weights = rng.normal(size=(3, 3))
    expected = numerical_gradient(lambda raw: np.sum(weights * grad(loss)(raw, B)), (RAW,), 0)
    got = np.tensordot(weights, hessian(loss)(RAW, B), axes=2)
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-6)


def test_factors_from_outside():
    factors = cho_factor(RAW @ RAW.T + 3.0 * np.eye(3))
    check(lambda b: np.sum(cho_solve(factors, b) ** 2), B)


def test_the_text_solves_with_the_same_factors():
    gradient = grad(lambda a, b: np.sum(lu_solve(lu_factor(a), b)), (0, 1))
    gradient(RAW, B)
    assert gradient.source.count("lu_factor") == 1
    assert "trans=1" in gradient.source


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (lambda a: np.sum(lu_factor(a)[0]), "lu_factor"),
        (lambda a: np.sum(cho_solve(lu_factor(a), B)), "cho_factor"),
        (lambda a: np.sum(cho_solve(cho_factor(a, overwrite_a=True), B)), "these arguments"),
        (lambda a: np.sum(cho_factor(a[:2])[0]), "square matrix"),
    ],
)
def test_what_is_refused(loss, message):
    with pytest.raises(CompileError, match=message):
        grad(loss)(RAW)

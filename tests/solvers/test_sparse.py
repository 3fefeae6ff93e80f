"""Sparse matrices of SciPy: products and solutions, with constant entries or differentiated ones."""

import numpy as np
import pytest
from agreement import check
from referee import numerical_gradient
from scipy import sparse
from scipy.sparse.linalg import bicgstab, cg, gmres, minres, splu, spsolve

from srcgrad import grad, hessian, jvp
from srcgrad.errors import CompileError

rng = np.random.default_rng(0)
DENSE = rng.normal(size=(4, 4)) * (rng.random((4, 4)) < 0.6) + 4 * np.eye(4)
SQUARE, MATRIX, SYMMETRIC = sparse.csr_array(DENSE), sparse.csc_matrix(DENSE), sparse.csr_array(DENSE @ DENSE.T)
WIDE = sparse.coo_array(rng.normal(size=(3, 4)) * (rng.random((3, 4)) < 0.6))
STENCIL = sparse.dia_array((np.ones((3, 4)) * [[1.0], [-2.0], [1.0]], [-1, 0, 1]), shape=(4, 4))
FACTORS = splu(MATRIX)
ROWS, COLUMNS = np.array([0, 1, 2, 3, 0, 2]), np.array([0, 1, 2, 3, 2, 1])
X, DATA = rng.normal(size=4), rng.normal(size=6) + 3


def product(x):
    return np.sum(np.sin(SQUARE @ x) ** 2) + SQUARE.shape[0] * np.sum(SQUARE.T @ x)


def several_formats(x):
    return np.sum((WIDE @ x) ** 2) + np.sum((MATRIX @ x) ** 3) + np.sum(STENCIL.dot(x) ** 2) + np.sum((x @ WIDE.T) ** 3)


def of_a_matrix(x):
    return np.sum((SQUARE @ np.outer(x, x)) ** 2) + np.sum((np.outer(x, x) @ SQUARE) ** 2)


def solved(b):
    return np.sum(spsolve(MATRIX, b) ** 2)


def factorised_outside(b):
    return np.sum(FACTORS.solve(b) ** 2) + np.sum(FACTORS.solve(b, "T") ** 3)


def factorised_inside(b):
    lu = splu(MATRIX)
    x = lu.solve(b)
    return np.sum(x * lu.solve(x))


def iterated(b):
    x, _ = cg(SYMMETRIC, b, rtol=1e-13)
    y, _ = gmres(SQUARE, b, rtol=1e-13, atol=0.0)
    z, _ = bicgstab(SQUARE, b, rtol=1e-13)
    w, _ = minres(SYMMETRIC, b, rtol=1e-13)
    return np.sum(x**3) + np.sum(np.sin(y)) + np.sum(z * w)


@pytest.mark.parametrize(
    "loss", [product, several_formats, of_a_matrix, solved, factorised_outside, factorised_inside, iterated]
)
def test_constant_matrices(loss):
    check(loss, X, tolerance=1e-5 if loss is iterated else 1e-6)


def smoothed(x, steps):
    for _ in range(steps):
        x = x + 0.1 * (STENCIL @ x) * (SQUARE @ x)
    return np.sum(x**2)


def test_products_in_a_loop():
    check(smoothed, X, 3, wrt=(0,))


def long_helper(matrix, x):
    y = np.sin(matrix @ x) + np.cos(matrix.T @ x) * np.exp(-x * x)
    z = np.tanh(y) * np.sqrt(1.0 + y * y) + np.log(2.0 + y * y)
    return np.sum(z * y - np.sin(z) / (1.0 + y * y))


def test_helpers_that_take_matrices_are_read_in_place():
    def loss(x):
        return long_helper(SQUARE, x) + long_helper(SQUARE, x * x) + long_helper(MATRIX, x) + long_helper(SQUARE, 2 * x)

    check(loss, X)


def products_of_data(data, x):
    matrix = sparse.csr_array((data, (ROWS, COLUMNS)), shape=(4, 4))
    return np.sum((matrix.T @ np.sin(matrix @ x)) ** 2) + np.sum((np.sin(x @ matrix) @ matrix.T) ** 2)


def solutions_of_data(data, b):
    matrix = sparse.csc_matrix((data, (ROWS, COLUMNS)), shape=(4, 4))
    x = spsolve(matrix, b)
    return np.sum(x**3) + np.sum(splu(matrix).solve(b) ** 2) + np.sum(matrix.toarray()[0] ** 2)


def iterations_of_data(data, b):
    matrix = sparse.csr_array((data[:4], (COLUMNS[:4], COLUMNS[:4])), shape=(4, 4))
    x, _ = cg(matrix, b, rtol=1e-14)
    y, _ = gmres(matrix, np.sin(x), rtol=1e-14)
    return np.sum(x * y)


@pytest.mark.parametrize("loss", [products_of_data, solutions_of_data, iterations_of_data])
def test_entries_are_differentiated(loss):
    check(loss, DATA, X)


@pytest.mark.parametrize("loss", [products_of_data, solutions_of_data, iterations_of_data])
def test_forward_mode_and_second_order(loss):
    moves = rng.normal(size=6), rng.normal(size=4)
    value, tangent = jvp(loss, (DATA, X), moves)
    d_data, d_x = grad(loss, (0, 1))(DATA, X)
    assert value == loss(DATA, X)
    np.testing.assert_allclose(tangent, d_data @ moves[0] + d_x @ moves[1], rtol=1e-9)
    rows = [numerical_gradient(lambda d, k=k: grad(loss)(d, X)[k], (DATA,), 0) for k in range(6)]
    np.testing.assert_allclose(hessian(loss)(DATA, X), rows, rtol=1e-5, atol=1e-6)


def test_a_matrix_may_be_an_argument():
    def loss(x, matrix):
        return np.sum((matrix @ x) ** 2)

    gradient = grad(loss)
    for matrix in (SQUARE, WIDE, SQUARE[:1], MATRIX):
        np.testing.assert_allclose(gradient(X, matrix), 2 * matrix.T @ (matrix @ X))
    assert gradient.source.splitlines()[-1] == "    return matrix.T @ (2 * (matrix @ x))"


def test_an_iteration_that_fails_gives_no_gradient():
    def loss(b):
        return np.sum(cg(SYMMETRIC, b, rtol=1e-15, maxiter=1)[0])

    with pytest.raises(RuntimeError, match="not converged"):
        grad(loss)(X)


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (lambda x: np.sum((SQUARE * 2.0) @ x), "arithmetic with a sparse matrix"),
        (lambda x: np.sum((SQUARE @ SQUARE) @ x), "two sparse matrices"),
        (lambda x: np.sum(cg(SQUARE, x, M=SQUARE)[0]), "M="),
        (lambda x: np.sum(sparse.csr_array((x, ROWS[:4], COLUMNS[:3]), shape=(2, 4)) @ x), "csr_array"),
        (lambda x: np.sum(SQUARE.power(2) @ x), "attribute `power`"),
        (lambda x: np.sum(SQUARE @ np.outer(x, x)[None]), "vector or matrix"),
    ],
)
def test_what_is_refused(loss, message):
    with pytest.raises(CompileError, match=message):
        grad(loss)(X)


def test_control_flow_may_not_decide_which_matrix_it_is():
    def loss(data, x):
        matrix = SQUARE
        if x[0] > 100.0:
            matrix = sparse.csr_array((data, (ROWS, COLUMNS)), shape=(4, 4))
        return np.sum(matrix @ x)

    with pytest.raises(CompileError):
        grad(loss)(DATA, X)

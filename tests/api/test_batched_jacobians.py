"""Rows and columns of Jacobians that are computed several at once, with a leading axis: as one by one."""

import numpy as np
import pytest

from srcgrad import grad, hessian, jacfwd, jacobian, jacrev, jvp, vjp
from srcgrad.runtime.trees import tree_leaves

RNG = np.random.default_rng(0)


def network(x, w1, b1, w2):
    h = np.tanh(x @ w1 + b1)
    return h @ w2


def structured(p):
    return {"a": p["u"] * np.sum(p["v"]), "b": [np.outer(p["v"], p["v"]), p["u"]]}


def single_precision(x):
    return np.exp(x) * x[::-1]


def filled(x, n):
    out = np.zeros(n)
    for i in range(n):
        x = x * np.roll(x, 1) + 0.1 * i
        out[i] = x[0]
    return out


def until(x):
    k = 0
    while k < 3 and np.sum(x) < 100:
        x = x * 1.5 * np.where(x > 0, x, -x)
        k += 1
    return x


def branched(x, flag):
    y = x * x if flag > 0 else np.cumsum(x)
    return y * np.max(y)


def solved(a, b):
    return np.linalg.solve(a, b)


def products(x, y):
    return np.array([x @ y, np.sum(x * y * y)])


def gathered(x, idx):
    y = x[idx]
    y[0] = y[1] * 2
    return y.reshape(2, -1)


def contracted(a, b):
    return np.einsum("ij,jk->ik", a, b)


def normal(*shape):
    return RNG.normal(size=shape)


CASES = {
    "a network": (network, (normal(3, 4), normal(4, 5), normal(5), normal(5, 2)), (0, 1, 2)),
    "dicts and lists": (structured, ({"u": normal(2), "v": normal(3)},), (0,)),
    "float32": (single_precision, (normal(4).astype(np.float32),), (0,)),
    "a loop that writes": (filled, (normal(3), 4), (0,)),
    "a while loop": (until, (normal(3),), (0,)),
    "a branch": (branched, (normal(3), 1.0), (0,)),
    "the other branch": (branched, (normal(3), -1.0), (0,)),
    "an equation": (solved, (normal(3, 3) + 3 * np.eye(3), normal(3)), (0, 1)),
    "several equations": (solved, (normal(3, 3) + 3 * np.eye(3), normal(3, 2)), (0, 1)),
    "scalar products": (products, (normal(3), normal(3)), (0, 1)),
    "integer indices": (gathered, (normal(5), np.array([1, 1, 3, 0])), (0,)),
    "einsum": (contracted, (normal(2, 3), normal(3, 2)), (0, 1)),
    "no elements": (single_precision, (np.zeros(0),), (0,)),
    "one element": (single_precision, (np.ones(1),), (0,)),
}


def units(structure):
    """One direction for each element: which leaf it is in, where, and the structure with 1 there."""
    leaves = tree_leaves(structure)
    for k, leaf in enumerate(leaves):
        for place in np.ndindex(np.shape(leaf)):
            parts = [np.zeros(np.shape(each), np.result_type(each)) for each in leaves]
            parts[k][place] = 1
            yield k, place, refilled(structure, iter(parts))


def refilled(structure, parts):
    if isinstance(structure, dict):
        return {key: refilled(item, parts) for key, item in structure.items()}
    if isinstance(structure, (list, tuple)):
        return type(structure)(refilled(item, parts) for item in structure)
    return next(parts)


def by_rows(function, args, argnums):
    value, pullback = vjp(function, *args, argnums=argnums)
    blocks = [[np.empty((*np.shape(y), *np.shape(args_)), np.result_type(y, args_)) for args_ in leaves(args, argnums)]
              for y in tree_leaves(value)]  # fmt: skip
    for k, place, cotangent in units(value):
        for block, row in zip(blocks[k], tree_leaves(pullback(cotangent))):
            block[place] = row
    return [block for row in blocks for block in row]


def leaves(args, argnums):
    return tree_leaves([args[k] for k in argnums])


@pytest.mark.parametrize("make", [jacrev, jacfwd, jacobian])
@pytest.mark.parametrize("name", CASES)
def test_as_row_by_row(name, make):
    function, args, argnums = CASES[name]
    found = tree_leaves(make(function, argnums=argnums)(*args))
    expected = by_rows(function, args, argnums)
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected):
        assert np.shape(ours) == np.shape(theirs)
        assert ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, rtol=1e-12 if ours.dtype == np.float64 else 1e-6, atol=1e-14)


def test_more_rows_than_fit_at_once():
    x = normal(700)
    matrix = jacrev(lambda x: np.sin(x) * x[::-1] + np.sum(x))(x)
    expected = np.ones((700, 700)) + np.diag(np.cos(x) * x[::-1])
    expected[np.arange(700), np.arange(700)[::-1]] += np.sin(x)
    np.testing.assert_allclose(matrix, expected, rtol=1e-12)
    np.testing.assert_allclose(jacfwd(lambda x: np.sin(x) * x[::-1] + np.sum(x))(x), expected, rtol=1e-12)


def test_a_hessian():
    def rosenbrock(x):
        return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)

    x = normal(6)
    matrix = hessian(rosenbrock)(x)
    columns = [jvp(grad(rosenbrock), (x,), (row,))[1] for row in np.eye(6)]
    np.testing.assert_allclose(matrix, columns, rtol=1e-12)


def test_rows_read_like_the_backward_half():
    rows = jacrev(network)
    rows(*CASES["a network"][1])
    assert rows.source.split("\n\n\n")[-1].splitlines() == [
        "def network_rows(w2, h, w1, d_value):",
        "    return (d_value @ w2.T * (1 - h * h) @ w1.T,)",
    ]


def test_columns_read_like_the_tangent():
    columns = jacfwd(network)
    columns(*CASES["a network"][1])
    assert columns.source.splitlines()[3:] == [
        "def network_columns(x, w1, b1, w2, t_x):",
        "    h = np.tanh(x @ w1 + b1)",
        "    value = h @ w2",
        "    t_value = t_x @ w1 * (1 - h * h) @ w2",
        "    return value, t_value",
    ]


def test_what_has_no_form_for_several_rows_comes_row_by_row():
    def factor(a):
        return np.linalg.cholesky(a @ a.T + np.eye(3))

    a = normal(3, 3)
    rows = jacrev(factor)
    np.testing.assert_allclose(rows(a), by_rows(factor, (a,), (0,))[0], rtol=1e-12)
    assert "def factor_backward(" in rows.source


def test_auxiliary_results_come_once():
    matrix, aux = jacrev(lambda x: (x**2, {"x": x}), has_aux=True)(np.arange(3.0))
    np.testing.assert_array_equal(matrix, np.diag(2 * np.arange(3.0)))
    np.testing.assert_array_equal(aux["x"], np.arange(3.0))
    matrix, aux = jacfwd(lambda x: (x**2, {"x": x}), has_aux=True)(np.arange(3.0))
    np.testing.assert_array_equal(aux["x"], np.arange(3.0))

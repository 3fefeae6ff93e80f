"""Forward mode through every kind of statement: along a direction it gives what reverse mode gives, to second order."""

import numpy as np
import pytest

from srcgrad import grad, hvp, jvp, vjp

X = np.array([0.3, 0.8, -0.2, 1.1])
RNG = np.random.default_rng(5)


def stopping(x):
    total = 0.0
    for item in x:
        if item < 0.0:
            continue
        total = total + np.sin(item) * total + item**2
        if total > 0.6:
            break
    else:
        total = total * 2.0
    return total


def returning(x):
    for i in range(len(x)):
        for j in range(i):
            if x[i] * x[j] > 0.5:
                return x[i] ** 2 * x[j]
    return np.sum(x**3)


def while_stopping(x):
    y, k = x[0], 0
    while k < 10:
        y = np.cos(y) * x[k % 4]
        k += 1
        if abs(y) < 0.1:
            break
    return y * x[1]


def perhaps_unassigned(x):
    for item in x:
        if item > 0.5:
            last = item**2 * np.sum(x)
    return last * x[0]


def views(x):
    a = np.zeros((2, 4))
    row = a[1]
    row[:] = np.sin(x)
    a[0, ::2] = row[1:3] * x[:2]
    row *= a[0]
    a.T[0] += x[3]
    return np.sum(a**2) + row[2]


def filled(x):
    hs = [x * 0.5]
    for t in range(3):
        hs.append(np.tanh(hs[t] * x) + hs[0])
    return np.sum(np.stack(hs) ** 2) + hs[-1][0]


def containers(x):
    scale = {"a": x[0], "b": x[1] ** 2}
    scale["c"] = scale["a"] * scale["b"]
    first, *rest = x
    return scale["c"] * np.sum(np.stack(rest)) + first**3


STATEMENTS = [stopping, returning, while_stopping, perhaps_unassigned, views, filled, containers]


@pytest.mark.parametrize("function", STATEMENTS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("x", [X, X[::-1].copy(), 0.6 * X], ids=["one path", "another", "a third"])
def test_both_modes_agree(function, x):
    v, w = RNG.normal(size=(2, 4))
    before = x.copy()
    value, tangent = jvp(function, (x,), (v,))
    assert value == function(x.copy())
    assert tangent == pytest.approx(grad(function)(x) @ v, rel=1e-10)
    step = 1e-6
    differences = (function(x + step * v) - function(x - step * v)) / (2 * step)
    assert tangent == pytest.approx(differences, rel=1e-6, abs=1e-7)
    product = hvp(function)(x, v)
    np.testing.assert_allclose(product, vjp(grad(function), x)[1](v)[0], rtol=1e-9, atol=1e-11)
    differences = (grad(function)(x + step * v) - grad(function)(x - step * v)) / (2 * step)
    np.testing.assert_allclose(product, differences, rtol=1e-5, atol=1e-6)
    assert product @ w == pytest.approx(hvp(function)(x, w) @ v, rel=1e-9, abs=1e-10)
    np.testing.assert_array_equal(x, before)


def test_an_unassigned_variable_is_reported_as_python_does():
    with pytest.raises(UnboundLocalError, match="last"):
        jvp(perhaps_unassigned, (0.1 * X,), (X,))

"""has_aux: a function that returns (loss, aux), and what every derivative makes of it."""

import numpy as np
import pytest

from srcgrad import GradTypeError, Parameter, grad, hessian, hvp, jacfwd, jacobian, jacrev, jvp, value_and_grad, vjp

X = np.array([1.0, -2.0, 0.5])


def loss(x, scale):
    hidden = np.tanh(x) * scale
    return np.sum(hidden**2), {"hidden": hidden, "steps": [3, "text"], "largest": np.argmax(x)}


def plain(x, scale):
    return loss(x, scale)[0]


def check(aux):
    np.testing.assert_array_equal(aux["hidden"], np.tanh(X) * 2.0)
    assert (aux["steps"], aux["largest"]) == ([3, "text"], 0)


def test_grad():
    gradient, aux = grad(loss, has_aux=True)(X, 2.0)
    np.testing.assert_array_equal(gradient, grad(plain)(X, 2.0))
    check(aux)
    both, aux = grad(loss, (0, 1), has_aux=True)(X, 2.0)
    np.testing.assert_allclose(both[1], grad(plain, 1)(X, 2.0))
    check(aux)


def test_decorator():
    @grad(wrt="x", has_aux=True)
    def decorated(x):
        return np.sum(x**2), x

    gradient, aux = decorated(X)
    np.testing.assert_array_equal(gradient, 2 * X)
    np.testing.assert_array_equal(aux, X)
    assert "return 2 * x, x" in decorated.source


def test_value_and_grad():
    (value, aux), gradient = value_and_grad(loss, has_aux=True)(X, 2.0)
    assert value == plain(X, 2.0)
    np.testing.assert_array_equal(gradient, grad(plain)(X, 2.0))
    check(aux)


def test_vjp():
    value, pullback, aux = vjp(loss, X, 2.0, has_aux=True)
    assert value == plain(X, 2.0)
    np.testing.assert_allclose(pullback(3.0)[0], 3 * grad(plain)(X, 2.0))
    check(aux)


def test_jvp():
    value, tangent, aux = jvp(loss, (X, 2.0), (X, 1.0), has_aux=True)
    assert value == plain(X, 2.0)
    np.testing.assert_allclose(tangent, jvp(plain, (X, 2.0), (X, 1.0))[1])
    check(aux)


@pytest.mark.parametrize("mode", [jacobian, jacfwd, jacrev])
def test_jacobians(mode):
    matrix, aux = mode(lambda x: (x**2, np.sum(x)), has_aux=True)(X)
    np.testing.assert_allclose(matrix, np.diag(2 * X))
    assert aux == np.sum(X)


def test_second_derivatives():
    matrix, aux = hessian(loss, has_aux=True)(X, 2.0)
    np.testing.assert_allclose(matrix, hessian(plain)(X, 2.0))
    check(aux)
    product, aux = hvp(loss, has_aux=True)(X, 2.0, X)
    np.testing.assert_allclose(product, matrix @ X)
    check(aux)


def test_the_training_style():
    @grad(has_aux=True)
    def decorated(w):
        return np.sum(w**2), w[0]

    w = Parameter(X)
    result, aux = decorated.forward(w)
    result.backward()
    np.testing.assert_array_equal(w.grad, 2 * X)
    assert aux == X[0]


def test_errors():
    for f, what in ((plain, r"f8\[\]"), (lambda x, s: (np.sum(x), x, x), "a tuple"), (lambda x, s: None, "None")):
        with pytest.raises(GradTypeError, match=rf"returns {what}; with has_aux=True it must return a pair"):
            grad(f, has_aux=True)(X, 2.0)
    with pytest.raises(GradTypeError, match=r"returns a tuple.*say has_aux=True"):
        grad(loss)(X, 2.0)

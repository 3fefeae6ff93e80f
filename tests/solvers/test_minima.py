"""Minima: their places by the derivative of the gradient, their values as if the place stayed."""

import numpy as np
import pytest
from agreement import check
from referee import numerical_gradient
from scipy.optimize import minimize, minimize_scalar

from srcgrad import grad, hessian, jvp
from srcgrad.errors import CompileError

SCALE, WEIGHTS, CENTRE = 1.3, np.array([0.3, 0.7]), np.array([0.5, 0.8])


def bowl(x, a):
    return (x[0] - a[0]) ** 2 * (1 + x[1] ** 2) + (x[1] - a[1]) ** 4 + np.sum(x * x) * SCALE


def bowl_slope(x, a):
    bent, raised = 2 * (x[0] - a[0]) * (1 + x[1] ** 2), 4 * (x[1] - a[1]) ** 3
    return np.array([bent, 2 * x[1] * (x[0] - a[0]) ** 2 + raised]) + 2 * SCALE * x


def place(a):
    return np.sum(WEIGHTS * minimize(bowl, np.zeros(2), args=(a,), jac=bowl_slope, options={"gtol": 1e-10}).x)


def value(a):
    return minimize(bowl, np.zeros(2), args=(a,), jac=bowl_slope, options={"gtol": 1e-10}).fun ** 2


def both(a):
    res = minimize(lambda x: (bowl(x, a), bowl_slope(x, a)), np.zeros(2), jac=True, options={"gtol": 1e-10})
    return np.sum(WEIGHTS * res.x) + res.fun


@pytest.mark.parametrize("loss", [place, value, both])
def test_minima_of_several_variables(loss):
    check(loss, CENTRE)


def test_the_gradient_is_srcgrads_own_without_jac():
    def rough(a):
        return np.sum(WEIGHTS * minimize(bowl, np.zeros(2), args=(a,), method="Nelder-Mead", tol=1e-8).x)

    np.testing.assert_allclose(grad(rough)(CENTRE), grad(place)(CENTRE), rtol=1e-6)


@pytest.mark.parametrize("loss", [place, value])
def test_forward_mode_and_second_order(loss):
    direction = np.array([0.4, -1.1])
    np.testing.assert_allclose(jvp(loss, (CENTRE,), (direction,))[1], grad(loss)(CENTRE) @ direction, rtol=1e-9)
    rows = [numerical_gradient(lambda a, k=k: grad(loss)(a)[k], (CENTRE,), 0, 1e-4) for k in range(2)]
    np.testing.assert_allclose(hessian(loss)(CENTRE), rows, rtol=1e-5, atol=1e-6)


def test_minima_of_one_variable():
    """x - a + sinh(x) / 2 = 0: dx/da = 1 / (1 + cosh(x) / 2)."""

    def loss(a):
        res = minimize_scalar(lambda x: (x - a) ** 2 + np.cosh(x), tol=1e-12)
        return 3 * res.x + res.fun

    x = minimize_scalar(lambda x: (x - 0.7) ** 2 + np.cosh(x), tol=1e-12).x
    expected = 3 / (1 + np.cosh(x) / 2) - 2 * (x - 0.7)
    np.testing.assert_allclose(grad(loss)(0.7), expected, rtol=1e-7)


def test_a_failed_minimisation_gives_no_gradient():
    def loss(a):
        return np.sum(minimize(bowl, np.zeros(2), args=(a,), options={"maxiter": 1}).x)

    with pytest.raises(RuntimeError, match="Maximum number of iterations"):
        grad(loss)(CENTRE)


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (lambda a: np.sum(minimize(bowl, np.zeros(2), args=(a,), bounds=((0, 1), (0, 1))).x), "bounds"),
        (lambda a: minimize_scalar(lambda x: (x - a[0]) ** 2, bounds=(0.0, 1.0), method="bounded").x, "bounds"),
        (lambda a: np.sum(minimize(bowl, np.zeros(2), args=(a,), hess="2-point").x), "hess"),
        (lambda a: np.sum(minimize(lambda x: x - a, np.zeros(2)).x), "not one number"),
        (lambda a: np.sum(minimize(bowl, np.zeros(2), args=(a,)).jac), "attribute `jac`"),
    ],
)
def test_what_is_refused(loss, message):
    with pytest.raises(CompileError, match=message):
        grad(loss)(CENTRE)

"""Solvers in the middle of programs: names, branches, loops, objects, writes, derivatives taken inside."""

import functools

import numpy as np
import pytest
from agreement import check
from referee import numerical_gradient
from scipy.integrate import quad, solve_ivp
from scipy.optimize import brentq, minimize, root

from srcgrad import checkpoint, grad, hessian, jvp, stop_gradient
from srcgrad.errors import CompileError

MIXING = np.array([[2.0, 0.5], [0.3, 1.5]])
THETA = np.array([0.7, 1.3])


def residual(x, theta):
    return MIXING @ x + np.tanh(x) * theta - 1.0


def names_of_helpers(theta):
    residual, jac = theta, theta * 2.0
    x = root(lambda x: MIXING @ x + np.tanh(x) * residual * jac - 1.0, np.zeros(2), tol=1e-12).x
    return np.sum(x * residual)


def one_name_twice(theta):
    def f(x, t):
        return MIXING @ x + t * x**3 - 1.0

    a = root(f, np.zeros(2), args=(theta,), tol=1e-12).x

    def f(x, t):
        return MIXING @ x + t * np.sin(x) - a

    return np.sum(a * root(f, np.zeros(2), args=(theta,), tol=1e-12).x)


def an_equation_inside_another(theta):
    def outer(y):
        x = brentq(lambda x: x**3 + x - y * theta[0], -10.0, 10.0, xtol=1e-14)
        return y + x - theta[1]

    return brentq(outer, -10.0, 10.0, xtol=1e-14)


def an_integral_inside_a_flow(theta):
    def rhs(s, y):
        return -y * quad(lambda u: np.exp(-u * theta[0]), 0.0, 1.0)[0] + theta[1]

    return np.sum(solve_ivp(rhs, (0.0, 1.0), np.array([1.0]), rtol=1e-9, atol=1e-9).y[:, -1])


def in_a_branch(theta):
    if theta[0] > 0.0:
        x = root(residual, np.zeros(2), args=(theta,), tol=1e-12).x
    else:
        x = theta
    return np.sum(x * theta)


def while_not_there(theta):
    x, k = np.zeros(2), 0
    while np.sum(x) < 1.2:
        x = x + 0.5 * root(residual, x, args=(theta + k,), tol=1e-12).x
        k = k + 1
    return np.sum(x**2)


def variables_that_change_later(theta):
    theta = theta.copy()
    x = root(lambda x: MIXING @ x + np.tanh(x) * theta - 1.0, np.zeros(2), tol=1e-12).x
    theta[0] = 5.0
    y = root(lambda x: MIXING @ x + np.tanh(x) * theta - 1.0, np.zeros(2), tol=1e-12).x
    return np.sum(x * y)


def solutions_that_are_written_into(theta):
    sol = root(lambda x: MIXING @ x - theta, theta)
    x = sol.x
    before = x * 2
    x[0] = x[0] * 2
    return np.sum(sol.x**2 * before)


def a_branch_inside(theta):
    def f(x):
        return [x[0] - theta[0] if x[0] > 0.0 else x[0], x[1] ** 3 - theta[1]]

    return np.sum(root(f, np.ones(2), tol=1e-11).x)


def a_partial(theta):
    f = functools.partial(lambda t, x: MIXING @ x + np.tanh(x) * t - 1.0, theta)
    return np.sum(root(f, [0, 0], tol=1e-12)["x"])


def a_derivative_inside(theta):
    return np.sum(grad(in_a_branch)(theta) * np.array([1.0, 2.0]))


recomputed = checkpoint(lambda theta: np.sum(root(residual, np.zeros(2), args=(theta,), tol=1e-12).x ** 2))


def in_a_checkpoint(theta):
    return recomputed(theta) * theta[0]


PROGRAMS = [
    names_of_helpers, one_name_twice, an_equation_inside_another, an_integral_inside_a_flow, in_a_branch,
    while_not_there, variables_that_change_later, solutions_that_are_written_into, a_branch_inside, a_partial,
    a_derivative_inside, in_a_checkpoint,
]  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs(program):
    check(program, THETA)


@pytest.mark.parametrize("program", PROGRAMS)
def test_forward_mode_and_second_order(program):
    direction = np.array([0.4, -1.0])
    np.testing.assert_allclose(jvp(program, (THETA,), (direction,))[1], grad(program)(THETA) @ direction, rtol=1e-6)
    rows = [numerical_gradient(lambda t, k=k: grad(program)(t)[k], (THETA,), 0, 1e-4) for k in range(2)]
    np.testing.assert_allclose(hessian(program)(THETA), rows, rtol=1e-4, atol=1e-4)


def test_the_other_branch():
    check(in_a_branch, -THETA)


def test_parameters_in_a_dict():
    def loss(params):
        def f(x, p):
            return MIXING @ x + np.tanh(x) * p["w"] - p["b"]

        return np.sum(root(f, np.zeros(2), args=(params,), tol=1e-12).x ** 2)

    check(loss, {"w": THETA, "b": THETA * 0.5})


class Balance:
    def __init__(self, w):
        self.w = w

    def residual(self, x):
        return MIXING @ x + np.tanh(x) * self.w - 1.0


def test_methods_of_objects():
    def loss(model):
        return np.sum(root(model.residual, np.zeros(2), tol=1e-12).x ** 2)

    gradient = grad(loss)(Balance(THETA))
    np.testing.assert_allclose(gradient.w, numerical_gradient(lambda w: loss(Balance(w)), (THETA,), 0), rtol=1e-7)


def test_stopped_values_are_constants_inside():
    def loss(theta):
        return np.sum(root(lambda x: MIXING @ x + stop_gradient(theta) * x - theta, np.zeros(2), tol=1e-12).x)

    np.testing.assert_allclose(grad(loss)(THETA), np.linalg.solve((MIXING + np.diag(THETA)).T, np.ones(2)))


def test_flows_that_run_backwards():
    def loss(theta):
        given = {"rtol": 1e-10, "atol": 1e-10}
        sol = solve_ivp(lambda t, y: -y * theta[0] + t, (1.0, 0.0), theta, t_eval=np.array([0.8, 0.5, 0.0]), **given)
        return np.sum(sol.y**2)

    check(loss, THETA, tolerance=1e-5)


def test_forward_and_backward_are_halves_of_the_same():
    def loss(theta):
        return np.sum(root(residual, np.zeros(2), args=(theta,), tol=1e-12).x ** 2)

    gradient = grad(loss)
    assert gradient.forward(THETA).item() == loss(THETA)
    assert "optimize.root" in gradient.forward_source
    assert "optimize.root" not in gradient.backward_source


def writes_into_its_vector(x):
    x[0] = x[0] + 1.0
    return x


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (lambda t: np.sum(root(writes_into_its_vector, t).x * t), "in place|writes into"),
        (lambda t: np.sum(minimize(lambda x: np.sum((x - t) ** 2), t)["hess_inv"]), "attribute `hess_inv`"),
    ],
)
def test_what_is_refused(loss, message):
    with pytest.raises(CompileError, match=message):
        grad(loss)(THETA)

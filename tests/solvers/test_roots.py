"""Solutions of f(x, p) = 0: their derivatives are those of the equation, whatever the method."""

import numpy as np
import pytest
from agreement import check
from referee import complex_step_gradient, numerical_gradient
from scipy import optimize
from scipy.optimize import brentq, fsolve, newton, root, root_scalar

from srcgrad import grad, hessian, jvp
from srcgrad.errors import CompileError

MIXING = np.array([[2.0, 0.5], [0.3, 1.5]])
TARGET = np.array([0.2, 0.1])
THETA = np.array([0.7, 1.3])


def residual(x, theta):
    return MIXING @ x + np.tanh(x) * theta - 1.0


def by_args(theta):
    sol = root(residual, np.zeros(2), args=(theta,), tol=1e-12)
    return np.sum((sol.x - TARGET) ** 2)


def by_closure(theta):
    sol = root(lambda x: MIXING @ x + np.tanh(x) * theta - 1.0, np.zeros(2), tol=1e-12)
    return np.sum((sol.x - TARGET) ** 2)


def by_both(theta, scale):
    def balance(x, level):
        return x + scale * np.sin(x) * theta - level

    return np.sum(root(balance, [0.0, 0.0], args=(scale**2,), method="lm", options={"xtol": 1e-14}).x)


def by_list(theta):
    x = fsolve(lambda x, t: [x[0] + x[1] * t[0] - 1.0, x[0] ** 3 - x[1] * t[1]], [1.0, 0.5], args=(theta,), xtol=1e-11)
    return x[0] * x[1] ** 2 + x[0]


def with_jacobian(theta):
    def jacobian(x):
        return MIXING + np.diag(theta * (1 - np.tanh(x) ** 2))

    return np.sum(root(lambda x: residual(x, theta), np.zeros(2), jac=jacobian, tol=1e-12).x ** 3)


def with_pair(theta):
    def both(x):
        return residual(x, theta), MIXING + np.diag(theta * (1 - np.tanh(x) ** 2))

    return np.sum(root(both, np.zeros(2), jac=True, tol=1e-12).x ** 3)


def one_after_the_other(theta):
    x = root(lambda x: x + np.tanh(x * theta) - TARGET, np.zeros(2), tol=1e-12).x
    y = root(lambda y: y + np.tanh(y * theta) * np.sum(x) - TARGET, x, tol=1e-12).x
    return np.sum(x * y)


def with_a_loop_inside(theta):
    def settled(x):
        for _ in range(3):
            x = x + 0.1 * theta * np.sin(x)
        return x - 1.0

    return np.sum(root(settled, np.zeros(2), tol=1e-13).x ** 2)


@pytest.mark.parametrize(
    "loss", [by_args, by_closure, by_list, with_jacobian, with_pair, one_after_the_other, with_a_loop_inside]
)
def test_equations_of_a_vector(loss):
    check(loss, THETA)


def test_arguments_closures_and_options_together():
    check(by_both, THETA, 0.4)


def of_a_scalar(mean, e):
    return root_scalar(lambda E, e: E - e * np.sin(E) - mean, args=(e,), bracket=(0.0, 7.0), xtol=1e-14).root ** 2


def bracketed(a, b):
    return brentq(lambda x: x**3 - a * x - b, 1.0, 10.0)


def by_newton(a, b):
    return np.sin(newton(lambda x: x**3 - a * x - b, 2.0, fprime=lambda x: 3 * x**2 - a, tol=1e-13))


def one_unknown(a, b):
    x = fsolve(lambda x: x**2 - a * b, 1.0, xtol=1e-13)
    return 2.0 * x[0]


def with_a_branch_inside(a, b):
    def f(x):
        if a > 0.0:
            x = x * 2.0
        return x + a * np.sin(x) - b

    return optimize.bisect(f, -5.0, 5.0, xtol=1e-14)


@pytest.mark.parametrize("loss", [of_a_scalar, bracketed, by_newton, one_unknown, with_a_branch_inside])
def test_one_equation(loss):
    check(loss, 1.2, 0.3)


def in_a_loop(theta, n):
    total = 0.0
    for i in range(n):
        x = brentq(lambda x: x**3 + theta * x - 1.0 - i, 0.0, 10.0)  # noqa: B023
        total = total + x * x
    return total


def test_a_solver_in_a_loop_records_its_solutions():
    check(in_a_loop, 1.5, 3, wrt=(0,))


def test_the_text_is_what_one_would_write():
    gradient = grad(by_args)
    gradient(THETA)
    assert (
        gradient.source
        == """import numpy as np
from scipy import optimize


def residual(x, theta, MIXING):
    return MIXING @ x + np.tanh(x) * theta - 1.0


def residual_jac(x, theta, MIXING):
    tanh = np.tanh(x)
    jac = np.zeros((2, 2))
    for i in range(2):
        d = np.zeros(2)
        d[i] = 1.0
        d_x = d * theta * (1 - tanh * tanh) + MIXING.T @ d
        jac[i] = d_x
    return jac


def residual_vjp(x, theta, MIXING, d_residual):
    return d_residual * np.tanh(x)


def by_args_grad(theta, *, MIXING, TARGET):
    sol = optimize.root(residual, np.zeros(2), args=(theta, MIXING), tol=1e-12)
    if not sol.success:
        raise RuntimeError(sol.message)
    x = sol.x
    jac = residual_jac(x, theta, MIXING)
    adjoint = -np.linalg.solve(jac.T, 2 * (x - TARGET))
    d_theta = residual_vjp(x, theta, MIXING, adjoint)
    return d_theta
"""
    )


def test_the_derivative_is_exact_where_finite_differences_are_not():
    """Newton's steps on complex numbers solve the same equation: their complex step is the referee."""

    def stepped(theta):
        x = np.zeros(2)
        for _ in range(30):
            slope = MIXING + np.diag(theta * (1 - np.tanh(x) ** 2))
            x = x - np.linalg.solve(slope, residual(x, theta))
        return np.sum((x - TARGET) ** 2)

    np.testing.assert_allclose(grad(by_args)(THETA), complex_step_gradient(stepped, (THETA,), 0), rtol=1e-10)


@pytest.mark.parametrize("loss", [by_args, by_list, one_after_the_other, with_a_loop_inside])
def test_forward_mode_and_second_order(loss):
    direction = np.array([0.4, -1.1])
    value, tangent = jvp(loss, (THETA,), (direction,))
    assert value == loss(THETA)
    np.testing.assert_allclose(tangent, grad(loss)(THETA) @ direction, rtol=1e-9)
    rows = [numerical_gradient(lambda t, k=k: grad(loss)(t)[k], (THETA,), 0, 1e-4) for k in range(2)]
    np.testing.assert_allclose(hessian(loss)(THETA), rows, rtol=1e-5, atol=1e-6)


def test_where_a_solver_starts_does_not_matter():
    def started(start):
        return np.sum(root(lambda x: x**2 - TARGET, start, tol=1e-12).x)

    np.testing.assert_array_equal(grad(started)(np.ones(2)), np.zeros(2))


def test_single_precision_parameters_get_single_precision_gradients():
    gradient = grad(by_args)(THETA.astype(np.float32))
    assert gradient.dtype == np.float32
    np.testing.assert_allclose(gradient, grad(by_args)(THETA), rtol=1e-5)


def test_a_solver_that_fails_gives_no_gradient():
    def hopeless(theta):
        return np.sum(root(lambda x: x**2 + theta, np.ones(2)).x)

    with pytest.raises(RuntimeError, match="not making good progress"):
        grad(hopeless)(THETA)


def test_success_may_be_read():
    def guarded(theta):
        sol = root(residual, np.zeros(2), args=(theta,), tol=1e-12)
        if not sol.success:
            raise ValueError("no solution")
        return np.sum(sol.x)

    check(guarded, THETA)


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (lambda p: np.sum(root(residual, np.zeros(2), args=(p,), callback=print).x), "callback"),
        (lambda p: np.sum(root(residual, np.zeros(2), args=(p,)).fun), "attribute `fun`"),
        (lambda p: np.sum(root(lambda x: x[0] * p[0], np.zeros(2)).x), "Return as many equations"),
        (lambda p: np.sum(root(residual, np.zeros(2, np.float32), args=(p,)).x), "SciPy solves in float64"),
        (lambda p: np.sum(root(residual, np.zeros((2, 1)), args=(p,)).x), "real numbers"),
        (lambda p: newton(lambda x: x - p[0], 1.0, full_output=True)[0], "full_output"),
    ],
)
def test_what_is_refused(loss, message):
    with pytest.raises(CompileError, match=message):
        grad(loss)(THETA)


def test_a_fault_inside_the_function_is_told_once():
    with pytest.raises(CompileError) as caught:
        grad(lambda p: np.sum(root(lambda x: x @ np.ones(3) + p, np.zeros(2)).x))(THETA)
    assert "Poison" not in str(caught.value)


def test_a_function_that_prints_is_refused():
    def loud(x, theta):
        print(x)
        return x - theta

    def loss(theta):
        return np.sum(root(loud, np.zeros(2), args=(theta,)).x)

    with pytest.raises(CompileError, match="prints"):
        grad(loss)(THETA)


def test_a_solution_is_read_where_it_is_made():
    def loss(theta):
        if theta[0] > 0.0:
            sol = root(residual, np.zeros(2), args=(theta,))
        else:
            sol = root(residual, np.ones(2), args=(theta,))
        return np.sum(sol.x)

    with pytest.raises(CompileError, match="`sol`"):
        grad(loss)(THETA)


# Fixed points


def of_a_number(theta):
    x = optimize.fixed_point(lambda x: np.cos(theta[0] * x) + theta[1] / 4, 0.5, xtol=1e-13)
    return x**2 * theta[1]


def of_a_vector(theta):
    def step(x, weight):
        return np.tanh(MIXING @ x / 4 + weight) * theta

    return np.sum((optimize.fixed_point(step, np.ones(2), args=(theta / 3,), xtol=1e-13) - TARGET) ** 2)


@pytest.mark.parametrize("loss", [of_a_number, of_a_vector])
def test_fixed_points(loss):
    theta = np.array([0.6, 0.9])
    check(loss, theta)
    rows = [numerical_gradient(lambda t, i=i: grad(loss)(t)[i], (theta,), 0) for i in range(2)]
    np.testing.assert_allclose(hessian(loss)(theta), rows, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(jvp(loss, (theta,), (TARGET,))[1], grad(loss)(theta) @ TARGET, rtol=1e-10)


def test_a_fixed_point_has_as_many_numbers_as_its_start():
    with pytest.raises(CompileError, match="the function returns"):
        grad(lambda t: np.sum(optimize.fixed_point(lambda x: np.cos(t * x), 0.5)))(THETA)

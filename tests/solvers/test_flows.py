"""Differential equations: the adjoint equation, from the last given time to the first."""

import numpy as np
import pytest
from agreement import check
from referee import numerical_gradient
from scipy.integrate import odeint, solve_ivp

from srcgrad import grad, hessian, jvp
from srcgrad.errors import CompileError

RATE = 0.4
TIMES = np.linspace(0.0, 2.0, 5)
DATA = 0.2 * np.arange(10.0).reshape(2, 5)
START = np.array([1.0, 0.5])
TIGHT = 1e-10


def prey(t, y, a, b):
    return [a * y[0] - b * y[0] * y[1], -RATE * y[1] + b * y[0] * y[1] * np.cos(t)]


def at_the_end(a, b, start):
    sol = solve_ivp(prey, (0.0, 2.0), start, args=(a, b), rtol=1e-10, atol=1e-12)
    return np.sum(sol.y[:, -1] ** 2) + sol.y[0, -1]


def fit(a, b, start):
    sol = solve_ivp(prey, (0.0, 2.0), start, t_eval=TIMES, args=(a, b), rtol=1e-10, atol=1e-12)
    return np.sum((sol.y - DATA) ** 2)


def by_closure(a, b, start):
    def rate(t, y):
        return -a * y * np.sin(b * t) + t

    sol = solve_ivp(rate, (0.0, 2.0), start, method="DOP853", rtol=1e-10, atol=TIGHT)
    return np.sum(np.sin(sol.y[:, -1]))


@pytest.mark.parametrize("loss", [at_the_end, fit, by_closure])
def test_parameters_and_the_start(loss):
    check(loss, 0.7, 0.3, START, tolerance=1e-5)


def span(a, t0, t1):
    sol = solve_ivp(lambda t, y: -a * y * np.sin(t) + t, (t0, t1), np.array([1.0, 2.0, a]), rtol=1e-10, atol=1e-12)
    return np.sum(np.sin(sol.y[:, -1]))


def test_the_ends_of_the_span():
    check(span, 0.5, 0.2, 1.7, tolerance=1e-5)


def mixed(matrix, start, times):
    sol = solve_ivp(lambda t, y: matrix @ y, (0.0, 2.0), start, t_eval=times, rtol=1e-10, atol=1e-12)
    return np.sum(np.sin(sol.y) * np.arange(times.size)) + np.sum(sol.t**2)


def test_matrices_and_given_times():
    check(mixed, np.array([[0.1, -1.0], [0.8, -0.2]]), START, np.array([0.1, 0.5, 1.0, 1.9]), tolerance=1e-5)


def pendulum(a, start, times):
    def swing(y, t, a):
        return [y[1], -a * np.sin(y[0]) - 0.1 * y[1] * t]

    y = odeint(swing, start, times, args=(a,), rtol=1e-11, atol=1e-12)
    return np.sum(y[:, 0] ** 2) + y[-1, 1] * y[1, 0]


def test_odeint():
    check(pendulum, 1.3, START, np.array([0.0, 0.4, 0.9, 1.5]), tolerance=1e-5)


def one_state(k, start):
    y = odeint(lambda t, y: -k * y, start, np.linspace(0.0, 1.0, 4), tfirst=True, rtol=1e-11, atol=1e-12)
    return np.sum(y**2)


def test_a_state_that_is_a_number():
    check(one_state, 0.8, 1.5, tolerance=1e-5)


def any_length(k, start):
    sol = solve_ivp(lambda t, y: -k * y**2, (0.0, 1.0), start, t_eval=[0.5, 1.0], rtol=1e-10, atol=1e-12)
    return np.sum(sol.y**2)


def test_one_text_serves_states_of_any_length():
    gradient = grad(any_length, (0, 1))
    for start in (np.array([1.0, 2.0]), np.array([1.0, 2.0, 0.5])):
        d_k, d_start = gradient(0.5, start)
        final = start / (1 + 0.5 * start)
        half = start / (1 + 0.25 * start)
        np.testing.assert_allclose(d_k, np.sum(-2 * final**3 - half**3), rtol=1e-7)
        np.testing.assert_allclose(d_start, 2 * (final**3 + half**3) / start**2, rtol=1e-7)


@pytest.mark.parametrize("loss", [at_the_end, fit])
def test_forward_mode_and_second_order(loss):
    args = (0.7, 0.3, START)
    value, tangent = jvp(loss, args, (0.4, -1.0, np.array([0.2, 0.5])))
    d_a, d_b, d_start = grad(loss, (0, 1, 2))(*args)
    assert value == loss(*args)
    np.testing.assert_allclose(tangent, 0.4 * d_a - d_b + d_start @ np.array([0.2, 0.5]), rtol=1e-6)
    expected = numerical_gradient(lambda a: grad(loss)(float(a), 0.3, START), (0.7,), 0, 1e-4)
    np.testing.assert_allclose(hessian(loss)(*args), expected, rtol=1e-4)


def test_steps_that_the_solver_chose_may_be_read_but_not_differentiated():
    def counted(a):
        sol = solve_ivp(lambda t, y: -a * y, (0.0, 1.0), START)
        return sol.y[0, -1] * sol.t.size

    def everywhere(a):
        return np.sum(solve_ivp(lambda t, y: -a * y, (0.0, 1.0), START).y)

    assert np.isfinite(grad(counted)(0.5))
    with pytest.raises(CompileError, match=r"t_eval="):
        grad(everywhere)(0.5)


def test_a_solution_that_ends_early_gives_no_gradient():
    def blown_up(a):
        return np.sum(solve_ivp(lambda t, y: a * y**2, (0.0, 5.0), START).y[:, -1])

    with pytest.raises(RuntimeError, match="step size"):
        grad(blown_up)(1.0)


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (lambda a: solve_ivp(lambda t, y: -a * y, (0.0, 1.0), START, dense_output=True).y[0, -1], "dense_output"),
        (lambda a: solve_ivp(lambda t, y: -a * y, (0.0, 1.0), START, events=print).y[0, -1], "events"),
        (lambda a: solve_ivp(lambda t, y: -a * y, (0.0, 1.0), START, rtol=[1e-5, 1e-6]).y[0, -1], "one number"),
        (lambda a: solve_ivp(lambda t, y: -a * y[0], (0.0, 1.0), START).y[0, -1], "Return one rate"),
        (lambda a: odeint(lambda y, t: -a * y, START, TIMES, full_output=True)[0][0, 0], "full_output"),
    ],
)
def test_what_is_refused(loss, message):
    with pytest.raises(CompileError, match=message):
        grad(loss)(0.5)

"""Integrals: Leibniz's rule in the limits, and the integral of the derivative in everything else."""

import numpy as np
import pytest
from agreement import check
from referee import numerical_gradient
from scipy import integrate
from scipy.integrate import quad

from srcgrad import grad, hessian, jvp
from srcgrad.errors import CompileError


def limits_and_parameter(a, b, p):
    area = quad(lambda t: np.exp(-p * t * t) * t, a, b, epsabs=1e-13, epsrel=1e-13)[0]
    return area * area


def by_args(a, b, p):
    def height(t, p, q):
        return np.sin(p * t) * q

    area, _ = quad(height, a, b, args=(p, p * a))
    return np.exp(area)


def to_infinity(a, b, p):
    return quad(lambda t: b * np.exp(-p * t), a, np.inf)[0]


@pytest.mark.parametrize("loss", [limits_and_parameter, by_args, to_infinity])
def test_limits_and_parameters(loss):
    check(loss, 0.1, 2.0, 0.7)


def of_arrays(w, b):
    def height(t):
        return np.sum(w * np.sin(w * t))

    return np.exp(integrate.quad(height, 0.0, b)[0])


def test_parameters_that_are_arrays():
    gradient = check(of_arrays, np.array([0.3, 0.9]), 1.4)
    gradient(np.array([0.3, 0.9]), 1.4)
    assert "integrate.quad_vec(height_grad, 0.0, b, args=(w,)" in gradient.source


def test_forward_mode_and_second_order():
    w, direction = np.array([0.3, 0.9]), np.array([1.0, -0.5])
    tangent = jvp(of_arrays, (w, 1.4), (direction, 0.3), argnums=(0, 1))[1]
    d_w, d_b = grad(of_arrays, (0, 1))(w, 1.4)
    np.testing.assert_allclose(tangent, d_w @ direction + d_b * 0.3, rtol=1e-9)
    rows = [numerical_gradient(lambda w, b, k=k: grad(of_arrays)(w, b)[k], (w, 1.4), 0) for k in range(2)]
    np.testing.assert_allclose(hessian(of_arrays)(w, 1.4), rows, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (lambda p: quad(lambda t: p * t, 0.0, 1.0, weight="cos", wvar=1.0)[0], "weight"),
        (lambda p: quad(lambda t: p * np.array([t, t]), 0.0, 1.0)[0], "not one number"),
        (lambda p: quad(lambda t: p * t, 0.0, 1.0)[1], "the error that `quad` estimates"),
    ],
)
def test_what_is_refused(loss, message):
    with pytest.raises(CompileError, match=message):
        grad(loss)(2.0)

"""Gradient clipping: by the norm of all gradients together, and by value."""

import math

import numpy as np
import pytest

from srcgrad import Parameter
from srcgrad.optim import clip_grad_norm_, clip_grad_value_, get_total_norm

pytestmark = pytest.mark.quick


def parameters(*grads):
    made = [Parameter(np.zeros_like(grad)) for grad in grads]
    for p, grad in zip(made, grads):
        p.grad = grad
    return made


def test_the_norm_is_that_of_all_gradients_together():
    grads = np.array([3.0, 0.0]), np.array([[4.0]])
    made = parameters(*grads)
    assert clip_grad_norm_(made, 1.0) == 5.0
    assert get_total_norm(grads) == pytest.approx(1.0, rel=1e-6)
    assert made[0].grad is grads[0]


def test_smaller_gradients_are_left_alone():
    grad = np.array([0.3, 0.4])
    assert clip_grad_norm_(parameters(grad), 1.0) == pytest.approx(0.5)
    assert grad.tolist() == [0.3, 0.4]


@pytest.mark.parametrize(("p", "norm"), [(1, 7.0), (2, 5.0), (3, 91 ** (1 / 3)), (math.inf, 4.0)])
def test_norms_of_every_order(p, norm):
    assert get_total_norm([np.array([3.0]), np.array(-4.0)], p) == pytest.approx(norm)


def test_squares_beyond_float32():
    grad = np.array([3e30, 4e30], np.float32)
    made = parameters(grad)
    assert clip_grad_norm_(made, 1.0) == pytest.approx(5e30)
    np.testing.assert_allclose(made[0].grad, [0.6, 0.8], rtol=1e-6)
    assert made[0].grad.dtype == np.float32


def test_values_are_limited_in_place():
    grad = np.array([-3.0, 0.1, 3.0])
    clip_grad_value_(parameters(grad), 0.5)
    assert grad.tolist() == [-0.5, 0.1, 0.5]


def test_one_parameter_and_none_at_all():
    (p,) = parameters(np.array([3.0, 4.0]))
    assert clip_grad_norm_(p, 10) == 5.0
    assert clip_grad_norm_([], 1.0) == 0.0
    assert clip_grad_norm_([Parameter(1.0)], 1.0) == 0.0


def test_a_gradient_that_two_parameters_share_counts_once():
    shared = np.array([3.0, 4.0])
    assert clip_grad_norm_(parameters(shared, shared), 2.5) == 5.0
    np.testing.assert_allclose(shared, [1.5, 2.0], rtol=1e-6)


@pytest.mark.parametrize("value", [math.inf, math.nan])
def test_a_norm_that_is_not_finite(value):
    made = parameters(np.array([value, 1.0]))
    with pytest.raises(RuntimeError, match=r"total norm of order 2.0 .* is non-finite"):
        clip_grad_norm_(made, 1.0, error_if_nonfinite=True)
    assert made[0].grad[1] == 1.0


@pytest.mark.parametrize("p", [0, -1, math.nan])
def test_orders_that_are_no_norm(p):
    with pytest.raises(ValueError, match=r"Invalid norm_type: .*a norm needs p > 0"):
        clip_grad_norm_([], 1.0, norm_type=p)


def test_arrays_are_not_parameters():
    with pytest.raises(TypeError, match="entry 0 is a ndarray"):
        clip_grad_value_([np.ones(2)], 1.0)

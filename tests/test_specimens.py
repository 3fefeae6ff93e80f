"""The specimens' hand-written gradients are right, so that compiled ones may be compared with them."""

import copy
import importlib
import inspect
import pkgutil

import numpy as np
import pytest
import specimens
from referee import complex_step_gradient, numerical_gradient

pytestmark = pytest.mark.quick

NAMES = sorted(module.name for module in pkgutil.iter_modules(specimens.__path__))
# What NumPy does not continue into the complex plane: abs, norm, sign, var, Cholesky, slogdet, logaddexp.
REAL_ONLY = {
    "active_branch",
    "batch_norm",
    "cosine_similarity",
    "gaussian_cholesky",
    "jacobi",  # its grid is a copy, with the dtype, of the first argument
    "log_det_covariance",
    "logistic_regression",
    "mean_variance",
    "smooth_l1",
    "total_variation",
}


@pytest.fixture(params=NAMES)
def specimen(request):
    return importlib.import_module(f"specimens.{request.param}")


@pytest.fixture(params=range(3))
def args(request, specimen):
    return specimen.arguments(np.random.default_rng(request.param))


def test_by_hand_agrees_with_finite_differences(specimen, args):
    for name, gradient in gradients(specimen, args).items():
        expected = numerical_gradient(specimen.loss, args, position(specimen, name))
        assert_close(gradient, expected, 1e-6, name)


@pytest.mark.parametrize("specimen", sorted({*NAMES} - REAL_ONLY), indirect=True)
def test_by_hand_agrees_with_the_complex_step(specimen, args):
    for name, gradient in gradients(specimen, args).items():
        expected = complex_step_gradient(specimen.loss, args, position(specimen, name))
        assert_close(gradient, expected, 1e-12, name)


def test_by_hand_keeps_the_contract_of_a_gradient(specimen, args):
    before = copy.deepcopy(args)
    for name, gradient in gradients(specimen, args).items():
        parameter = args[position(specimen, name)]
        assert np.shape(gradient) == np.shape(parameter), name
        assert np.result_type(gradient) == np.result_type(parameter) == np.float64, name
        assert not any(np.shares_memory(gradient, arg) for arg in args), name
    for arg, original in zip(args, before, strict=True):
        np.testing.assert_array_equal(arg, original)


def test_loss_and_by_hand_are_called_alike(specimen, args):
    assert inspect.signature(specimen.loss) == inspect.signature(specimen.by_hand)
    assert np.shape(specimen.loss(*args)) == ()


def test_referees_agree_and_leave_their_arguments_alone():
    def f(x, scale):
        x *= scale  # the referee's own copy
        return np.sum(np.sin(x))

    args = np.array([[0.5, -1.0, 2.0]]), 3.0
    np.testing.assert_allclose(numerical_gradient(f, args, 0), 3.0 * np.cos(3.0 * args[0]), rtol=1e-8)
    np.testing.assert_allclose(complex_step_gradient(f, args, 0), 3.0 * np.cos(3.0 * args[0]), rtol=1e-14)
    np.testing.assert_array_equal(args[0], [[0.5, -1.0, 2.0]])


def gradients(specimen, args):
    """The hand-written gradients by parameter name."""
    return dict(zip(specimen.WRT, specimen.by_hand(*args), strict=True))


def position(specimen, name):
    return list(inspect.signature(specimen.loss).parameters).index(name)


def assert_close(actual, expected, tolerance, name):
    """Errors are relative to the largest entry: a small entry of a large gradient has its rounding error."""
    error = np.max(np.abs(actual - expected))
    assert error <= tolerance * np.max(np.abs(expected)), f"d_{name}: {actual} against {expected}"

"""`nn.functional`: values and gradients equal PyTorch's, as recorded and, where torch is installed, live."""

import importlib.util
import json
import math

import functional_cases as cases
import numpy as np
import pytest

from srcgrad import grad, vjp
from srcgrad.nn import functional

RECORDED = json.loads(cases.RECORD.read_text())


def written_out(name, folder):
    """The call in a function of its own, with literal options, as a user writes it."""
    function, makers, _, options, _ = cases.CASES[name]
    names = ", ".join("abc"[: len(makers)])
    given = "".join(f", {key}={value!r}" for key, value in options.items())
    call = f"def call({names}):\n    return functional.{function}({names}{given})\n"
    path = folder / "user_code.py"
    path.write_text(f"from srcgrad.nn import functional\n\n\n{call}")
    spec = importlib.util.spec_from_file_location("user_code", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.call


def value_and_gradients(name, dtype, folder):
    """The value, and the gradients of its product with a random cotangent."""
    arrays, rng = cases.arrays_of(name, dtype)
    before = [array.copy() for array in arrays]
    call = written_out(name, folder)
    value, pullback = vjp(call, *arrays, argnums=cases.positions(name))
    np.testing.assert_array_equal(value, call(*arrays))
    gradients = pullback(rng.standard_normal(np.shape(value)).astype(dtype))
    for array, old in zip(arrays, before):
        np.testing.assert_array_equal(array, old)
    return value, gradients


@pytest.mark.parametrize("name", cases.CASES)
def test_values_and_gradients_are_as_recorded(name, tmp_path):
    value, gradients = value_and_gradients(name, np.float64, tmp_path)
    for each, expected in zip((value, *gradients), RECORDED[name], strict=True):
        np.testing.assert_allclose(cases.digest(each), expected, rtol=1e-11, atol=1e-11)


@pytest.mark.peers
@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides")  # PyTorch's, about kl_div
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", cases.CASES)
def test_values_and_gradients_equal_pytorchs(name, dtype, tmp_path):
    pytest.importorskip("torch")
    value, gradients = value_and_gradients(name, dtype, tmp_path)
    expected, theirs, _ = cases.pytorchs(name, dtype)
    tolerance = {"rtol": 200 * np.finfo(dtype).eps, "atol": 50 * np.finfo(dtype).eps}
    np.testing.assert_allclose(value, expected, **tolerance)
    for mine, other in zip(gradients, theirs, strict=True):
        assert mine.dtype == dtype
        assert mine.shape == other.shape
        np.testing.assert_allclose(mine, other, **tolerance)


# beyond PyTorch's cases


def test_extreme_scores_overflow_nowhere():
    x = np.array([-1e4, -40.0, 0.0, 40.0, 1e4])
    for function in (functional.sigmoid, functional.silu, functional.softplus, functional.elu, functional.gelu):

        def total(x, function=function):
            return np.sum(function(x))

        assert np.isfinite(functional.softmax(x)).all()
        assert np.isfinite(grad(total)(x)).all()
    np.testing.assert_allclose(functional.sigmoid(x), [0.0, math.exp(-40.0), 0.5, 1.0, 1.0], rtol=1e-14)


def test_certain_and_wrong_costs_a_hundred():
    p, target = np.array([0.0, 1.0, 1.0]), np.array([1.0, 1.0, 0.0])
    with np.errstate(divide="ignore"):
        losses = functional.binary_cross_entropy(p, target, reduction="none")
    assert losses.tolist() == [100.0, 0.0, 100.0]


def test_what_no_one_expects_does_not_count_in_kl_div():
    log_p, target = np.log(np.array([0.5, 0.5])), np.array([1.0, 0.0])

    @grad
    def divergence(log_p, target):
        return functional.kl_div(log_p, target, reduction="sum")

    assert divergence.value_and_grad(log_p, target)[0] == pytest.approx(math.log(2.0))
    assert divergence(log_p, target).tolist() == [-1.0, 0.0]


def test_dropout_zeroes_and_scales_with_one_mask_for_both_sweeps():
    x = np.ones(10_000)

    @grad
    def total(x, rng):
        return np.sum(functional.dropout(x, 0.2, rng) ** 2)

    value, gradient = total.value_and_grad(x, np.random.default_rng(0))
    np.testing.assert_allclose(np.unique(gradient), [0.0, 2.0 / 0.8**2], rtol=1e-14)
    assert value == pytest.approx(np.sum(gradient) / 2)
    assert np.mean(gradient == 0) == pytest.approx(0.2, abs=0.02)
    assert functional.dropout(x, 0.2, np.random.default_rng(0), training=False) is x
    assert functional.dropout(np.ones(3, np.float32), 0.5, np.random.default_rng(0)).dtype == np.float32


@pytest.mark.parametrize("shape", [(6, 3), (4, 3, 2, 2)])
def test_layer_and_batch_norm(shape):
    rng = np.random.default_rng(0)
    x, weight, bias = rng.normal(size=shape), rng.normal(size=3), rng.normal(size=3)
    axes = (0, 2, 3)[: len(shape) - 1]
    plain = functional.batch_norm(x)
    np.testing.assert_allclose(np.mean(plain, axis=axes), 0.0, atol=1e-14)
    np.testing.assert_allclose(np.var(plain, axis=axes), 1.0, rtol=1e-3)
    by_running = functional.batch_norm(x, np.mean(x, axis=axes), np.var(x, axis=axes), weight, bias)
    np.testing.assert_allclose(by_running, functional.batch_norm(x, weight=weight, bias=bias), atol=1e-13)
    np.testing.assert_allclose(np.mean(functional.layer_norm(x), axis=-1), 0.0, atol=1e-14)


@pytest.mark.parametrize("loss", ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "kl_div"])
def test_losses_do_not_broadcast(loss):
    """Predictions (n, 1) against targets (n,) would be compared each with each."""
    with pytest.raises(AssertionError, match=f"{loss} compares arrays of one shape"):
        getattr(functional, loss)(np.ones((4, 1)), np.ones(4))


def test_a_reduction_that_is_none():
    with pytest.raises(AssertionError, match='reduction is "mean", "sum" or "none"'):
        functional.mse_loss(np.ones(3), np.ones(3), reduction="average")


# the texts


def source(function, *args):
    gradient = grad(function)
    gradient(*args)
    return gradient.source


def test_the_gradient_of_a_linear_layer_reads_as_by_hand():
    def loss(weight, x, y):
        return functional.mse_loss(functional.relu(functional.linear(x, weight)), y)

    text = source(loss, np.ones((2, 3)), np.ones((4, 3)), np.ones((4, 2)))
    assert "import" in text
    assert "srcgrad" not in text
    assert len(text.splitlines()) < 14


def test_the_gradient_of_cross_entropy_has_no_log():
    """log_softmax is not evaluated where only the gradient is asked for."""

    def loss(scores, target):
        return functional.cross_entropy(scores, target)

    assert "np.log(" not in source(loss, np.ones((4, 3)), np.array([0, 1, 2, 0]))

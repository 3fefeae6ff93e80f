"""`forward` returns a Result; `backward` adds its gradients to the Parameters. Pullbacks by hand here."""

import gc
import json
import weakref
from pathlib import Path

import numpy as np
import pytest

from srcgrad.runtime.grad_mode import no_grad
from srcgrad.runtime.parameter import Parameter
from srcgrad.runtime.result import Result

pytestmark = pytest.mark.quick

PYTORCH = Path(__file__).parents[1] / "data" / "two_layer_net_pytorch.json"


def loss_backward():
    """Stands for a generated function."""


def line(w, x, b):
    """The recorded call of w * x + b."""
    saved_w, saved_x = w.data.copy(), x.data.copy()
    return Result(saved_w * saved_x + b.data, lambda d: (d * saved_x, d * saved_w, d), (w, x, b), loss_backward)


def doubled(p, saved=None):
    """The recorded call of 2 * p, elementwise; `saved` is what the pullback says it kept."""

    def pullback(d):
        return (2 * d,)

    if saved is not None:
        pullback.saved = saved
    return Result(2 * p.data, pullback, (p,), loss_backward)


def curve(x, c, b, d):
    """The recorded call of y = c * 3 * exp(x) + b * x + d, b without a gradient."""
    grown = 3 * np.exp(x.data)
    slope = c.data * grown + b.data
    return Result(c.data * grown + b.data * x.data + d, lambda g: (g * slope, g * grown), (x, c), loss_backward)


# the numbers of the tutorials


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_exponential_of_the_sgd_tutorial(dtype):
    x, c = Parameter(5.0, dtype=dtype), Parameter(3.0, dtype=dtype)
    b = Parameter(2.0, requires_grad=False, dtype=dtype)
    y = curve(x, c, b, 4.0)
    y.backward()
    assert y.item() == pytest.approx(1349.7185, abs=1e-4)
    assert x.grad == pytest.approx(1337.7185, abs=1e-4)
    assert c.grad == pytest.approx(445.2395, abs=1e-4)
    assert b.grad is None
    assert x.grad.dtype == c.grad.dtype == dtype


def test_line_of_the_requires_grad_tutorial():
    w, x, b = Parameter(3.0), Parameter(2.0), Parameter(1.0)
    assert w.grad is None
    y = line(w, x, b)
    y.backward()
    assert y.item() == 7
    assert [w.grad, x.grad, b.grad] == [2, 3, 1]


def test_two_layer_net_follows_pytorch():
    """The same arrays, and float32 rounding apart the same losses, over 500 steps."""
    recorded = json.loads(PYTORCH.read_text())
    rng = np.random.default_rng(recorded["seed"])
    x, y, w1, w2 = (rng.standard_normal(shape, np.float32) for shape in recorded["shapes"].values())
    w1, w2 = Parameter(w1), Parameter(w2)
    losses = {}
    for step in range(500):
        out = two_layer_loss(w1, w2, x, y)
        losses[str(step)] = out.item()
        out.backward()
        with no_grad():
            w1 -= recorded["learning_rate"] * w1.grad
            w2 -= recorded["learning_rate"] * w2.grad
        w1.zero_grad()
        w2.zero_grad()
    assert w1.dtype == w2.dtype == np.float32
    for step, loss in recorded["loss"].items():
        # late losses are a millionth of a millionth of the first, and so mostly rounding
        assert losses[step] == pytest.approx(loss, rel=1e-5 if int(step) < 100 else 5e-3), step


def two_layer_loss(w1, w2, x, y):
    """The recorded call of sum((relu(x @ w1) @ w2 - y) ** 2)."""
    inner = x @ w1.data
    hidden = np.maximum(inner, 0)
    error = hidden @ w2.data - y

    def pullback(d):
        d_error = 2 * d * error
        return x.T @ ((d_error @ w2.data.T) * (inner > 0)), hidden.T @ d_error

    return Result(np.sum(error**2), pullback, (w1, w2), loss_backward)


# the value


def test_a_result_shows_its_value():
    out = Result(np.float32(0.1), lambda d: (), (), loss_backward)
    assert (out.shape, out.dtype) == ((), np.float32)
    assert out.value == np.float32(0.1)
    assert isinstance(out.item(), float)
    assert float(out) == out.item()
    assert f"{out:.2f}" == "0.10"
    assert repr(out) == str(out) == f"{out}" == "Result(0.1, grad_fn=<loss_backward>)"


def test_a_python_float_is_a_value_too():
    out = Result(7.0, None, None, None)
    assert (out.item(), out.shape, out.dtype) == (7.0, (), np.float64)
    assert repr(out) == "Result(7.0)"


def test_an_array_value():
    out = doubled(Parameter([1.0, 2.0]))
    assert out.shape == (2,)
    assert np.asarray(out) is out.value
    assert np.asarray(out, dtype=np.float32).dtype == np.float32
    assert repr(out) == "Result(array([2., 4.]), grad_fn=<loss_backward>)"
    with pytest.raises(ValueError, match="size 1"):
        out.item()
    with pytest.raises(ValueError, match="ambiguous"):
        bool(out)


def test_comparisons_look_at_the_value():
    out, other = doubled(Parameter(3.0)), doubled(Parameter(4.0))
    assert out == 6.0
    assert out != other
    assert out < other
    assert other > 7
    assert out <= 6 <= out
    assert out == pytest.approx(6.0)
    assert np.isclose(out, 6.0)
    assert len({out, other}) == 2
    assert (doubled(Parameter([1.0, 2.0])) == 4.0).tolist() == [False, True]


def test_arithmetic_would_lose_the_gradient():
    out = doubled(Parameter(3.0))
    for lost in (
        lambda: out + out,
        lambda: 0.5 * out,
        lambda: -out,
        lambda: sum([out, out]),
        lambda: out / 2,
    ):
        with pytest.raises(TypeError, match=r"would lose the gradient: .* out\.value"):
            lost()


# what was recorded


def test_grad_fn_is_there_where_it_was_recorded():
    recorded = doubled(Parameter(1.0))
    assert recorded.grad_fn is loss_backward
    assert recorded.requires_grad
    plain = Result(2.0, None, None, loss_backward)
    assert plain.grad_fn is None
    assert not plain.requires_grad


def test_backward_of_what_was_not_recorded():
    with pytest.raises(RuntimeError, match=r"not recorded.*no_grad\(\).*requires_grad=True"):
        Result(7.0, None, (), None).backward()


# backward


def test_the_first_gradient_is_assigned_and_later_ones_added_in_place():
    p = Parameter([1.0, 2.0])
    fresh = np.ones(2)
    assert Result(3.0, lambda d: (fresh,), (p,), loss_backward).backward() is None
    assert p.grad is fresh
    doubled(p).backward(np.ones(2))
    assert p.grad is fresh
    assert fresh.tolist() == [3, 3]


def test_a_parameter_given_twice_gets_both_gradients():
    p, q = Parameter([1.0]), Parameter([1.0])
    shared = np.array([5.0])
    Result(0.0, lambda d: (shared, shared, shared), (p, p, q), loss_backward).backward()
    assert p.grad.tolist() == [10]
    assert q.grad.tolist() == [5]
    assert not np.shares_memory(p.grad, q.grad)


def test_the_cotangent_stays_the_callers():
    p = Parameter([1.0, 2.0])
    cotangent = np.ones(2)
    out = Result(p.data.copy(), lambda d: (d,), (p,), loss_backward)
    out.backward(cotangent, retain_graph=True)
    out.backward(cotangent)
    assert p.grad.tolist() == [2, 2]
    assert cotangent.tolist() == [1, 1]


def test_numbers_become_arrays_of_the_parameters_dtype():
    x = Parameter(1.0, dtype=np.float32)
    Result(np.float32(2), lambda d: (2.0,), (x,), loss_backward).backward()
    assert isinstance(x.grad, np.ndarray)
    assert x.grad.dtype == np.float32


def test_without_parameters_backward_returns_the_gradients():
    assert Result(6.0, lambda d: (2 * d, 3 * d), None, loss_backward).backward() == (2.0, 3.0)


def test_the_default_cotangent_is_one_of_the_values_type():
    for value in (2.0, np.float32(2), np.array(2, dtype=np.float32), np.ones((1, 1))):
        (seed,) = Result(value, lambda d: (d,), None, loss_backward).backward()
        assert seed == 1
        assert np.shape(seed) == np.shape(value)
        assert np.result_type(seed) == np.result_type(value)


def test_an_array_needs_a_cotangent():
    p = Parameter([1.0, 2.0])
    out = doubled(p)
    with pytest.raises(RuntimeError, match=r"only for scalar outputs.*shape \(2,\).*backward\(gradient=\.\.\.\)"):
        out.backward()
    with pytest.raises(RuntimeError, match=r"gradient of shape \(3,\) for a value of shape \(2,\)"):
        out.backward(np.ones(3))
    out.backward([1, 10])  # none of the refused calls has used it up
    assert p.grad.tolist() == [2, 20]


def test_a_cotangent_takes_the_values_dtype():
    out = Result(np.ones(2, np.float32), lambda d: (d,), None, loss_backward)
    (seed,) = out.backward(np.ones(2))
    assert seed.dtype == np.float32
    with pytest.raises(TypeError, match="same_kind"):
        Result(1.0, lambda d: (d,), None, loss_backward).backward(1j)


def test_a_second_backward_says_how_to_keep_what_was_saved():
    p = Parameter(1.0)
    out = doubled(p)
    out.backward(retain_graph=True)
    out.backward()
    assert p.grad == 4
    with pytest.raises(RuntimeError, match=r"second time.*loss_backward.*retain_graph=True.*forward"):
        out.backward()
    assert out.grad_fn is loss_backward


def test_what_was_saved_is_freed():
    class Saved:
        pass

    saved = Saved()
    alive = weakref.ref(saved)

    def pullback(d, saved=saved):
        return (d,)

    out = Result(1.0, pullback, (Parameter(1.0),), loss_backward)
    del saved, pullback
    assert alive() is not None
    out.backward()
    gc.collect()
    assert alive() is None


def test_a_pullback_that_returns_too_few_is_caught():
    with pytest.raises(ValueError, match="zip"):
        Result(1.0, lambda d: (), (Parameter(1.0),), loss_backward).backward()


def test_gradients_are_checked_against_their_parameters():
    with pytest.raises(ValueError, match="grad of shape"):
        Result(1.0, lambda d: (np.ones(3),), (Parameter([1.0]),), loss_backward).backward()


def test_a_step_between_forward_and_backward_is_noticed():
    p = Parameter([1.0, 2.0])
    out = doubled(p)
    p -= 1.0
    with pytest.raises(RuntimeError, match=r"parameter 0, of shape \(2,\), was modified in place"):
        out.backward(np.ones(2))
    assert p.grad is None


def test_a_step_is_harmless_where_the_parameter_was_not_saved():
    p = Parameter([1.0, 2.0])
    out = doubled(p, saved=(np.ones(2), 3))
    needs_it = doubled(p, saved=(p.data.reshape(2, 1).T,))
    p -= 1.0
    out.backward(np.ones(2))
    assert p.grad.tolist() == [2, 2]
    with pytest.raises(RuntimeError, match="modified in place"):
        needs_it.backward(np.ones(2))

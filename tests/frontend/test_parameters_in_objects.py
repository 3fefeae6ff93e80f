"""Training style: Parameters in the attributes of objects are found, read as arrays, and get their gradients."""

import numpy as np
import pytest
from referee import numerical_gradient

from srcgrad import GradTypeError, Parameter, grad, no_grad

pytestmark = pytest.mark.quick

RNG = np.random.default_rng(13)
X, Y = RNG.standard_normal((5, 3)), RNG.standard_normal((5, 2))


class Linear:
    def __init__(self, n, m):
        self.w, self.b = Parameter(RNG.standard_normal((n, m))), Parameter(np.zeros(m))

    def __call__(self, x):
        return x @ self.w + self.b


class Net:
    def __init__(self):
        self.layers = [Linear(3, 4), Linear(4, 4)]
        self.heads = {"out": Linear(4, 2), "aux": Linear(4, 2)}
        self.scale = Parameter(1.5)
        self.training = True
        self._registry = {"scale": self.scale}
        self.losses = []

    def parameters(self):
        linear = [*self.layers, *self.heads.values()]
        return [self.scale, *(p for each in linear for p in (each.w, each.b))]

    def __call__(self, x):
        for layer in self.layers:
            x = np.tanh(layer(x))
        return self.heads["out"](x) * self.scale


@grad
def loss(model, x, y):
    return np.sum((model(x) - y) ** 2)


def test_forward_finds_every_parameter():
    net = Net()
    out = loss.forward(net, X, Y)
    out.backward()
    np.testing.assert_allclose(out.item(), loss.function(net, X, Y))
    for parameter in net.parameters():
        values = parameter.data.copy()

        def value(changed, parameter=parameter):
            parameter.data = changed
            return float(loss.function(net, X, Y))

        expected = numerical_gradient(value, [values], 0)
        parameter.data = values
        assert (parameter.grad.shape, parameter.grad.dtype) == (parameter.shape, parameter.dtype)
        np.testing.assert_allclose(parameter.grad, expected, rtol=1e-5, atol=1e-6)
    assert "x @ model.layers[0].w.data" in loss.forward_source


def test_a_parameter_in_two_places_gets_one_gradient():
    net = Net()
    net.layers[1] = net.layers[0] = Linear(3, 3)
    net.heads["out"] = Linear(3, 2)
    loss.forward(net, X, Y).backward()
    shared = net.layers[0].w
    before = shared.data.copy()

    def value(changed):
        shared.data = changed
        return float(loss.function(net, X, Y))

    np.testing.assert_allclose(shared.grad, numerical_gradient(value, [before], 0), rtol=1e-5, atol=1e-6)


def test_a_frozen_parameter_is_left_alone():
    net = Net()
    loss.forward(net, X, Y).backward()
    full = net.layers[1].w.grad
    for parameter in net.parameters():
        parameter.grad = None
    net.layers[0].w.requires_grad = False
    loss.forward(net, X, Y).backward()
    assert net.layers[0].w.grad is None
    np.testing.assert_allclose(net.layers[1].w.grad, full)
    assert "d_w_0" not in loss.backward_source


def test_what_changes_in_the_model_is_noticed():
    net = Net()
    first = loss.forward(net, X, Y).item()
    net.heads["out"] = Linear(4, 2)
    assert loss.forward(net, X, Y).item() == pytest.approx(loss.function(net, X, Y))
    net.layers.pop()
    assert loss.forward(net, X, Y).item() == pytest.approx(loss.function(net, X, Y))
    net.layers[0].w = Parameter(np.zeros((3, 4)))
    assert loss.forward(net, X, Y).item() == pytest.approx(loss.function(net, X, Y))
    assert loss.forward(net, X, Y).item() != pytest.approx(first)


def test_unrelated_changes_compile_nothing():
    net = Net()
    loss.forward(net, X, Y)
    compiled = len(loss.specializations)
    for step in range(3):
        net.losses.append(float(step))
        net.last = f"step {step}"
        loss.forward(net, X[: step + 2], Y[: step + 2]).backward()
    assert len(loss.specializations) == compiled


def test_training_reduces_the_loss():
    net = Net()
    first = loss.forward(net, X, Y).item()
    for _ in range(50):
        for parameter in net.parameters():
            parameter.grad = None
        out = loss.forward(net, X, Y)
        out.backward()
        for parameter in net.parameters():
            if parameter.grad is not None:
                parameter.data -= 0.002 * parameter.grad
    assert out.item() < 0.8 * first


def test_no_grad_runs_the_plain_function():
    net = Net()
    with no_grad():
        out = loss.forward(net, X, Y)
    assert not out.requires_grad
    np.testing.assert_allclose(out.item(), loss.function(net, X, Y))


def test_grad_gives_arrays_in_place_of_parameters():
    net = Net()
    d = loss(net, X, Y)
    loss.forward(net, X, Y).backward()
    assert type(d) is Net
    assert type(d.layers[0].w) is np.ndarray
    np.testing.assert_allclose(d.layers[0].w, net.layers[0].w.grad)
    assert not d.heads["aux"].w.any()
    assert type(net.layers[0].w) is Parameter


def test_objects_in_containers_and_several_models():
    @grad
    def both(models, gain, x):
        return gain * np.sum(models[0](x) * models[1]["head"](x))

    one, two, gain = Linear(3, 2), Linear(3, 2), Parameter(0.5)
    both.forward([one, {"head": two}], gain, X).backward()
    np.testing.assert_allclose(one.w.grad, 0.5 * X.T @ two(X))
    np.testing.assert_allclose(two.b.grad, 0.5 * np.sum(one(X), axis=0))
    np.testing.assert_allclose(gain.grad, np.sum(one(X) * two(X)))


def test_a_key_that_cannot_be_spelled_is_refused():
    class Odd:
        def __init__(self):
            self.table = {(0, 1): Parameter(1.0)}

    with pytest.raises(GradTypeError, match=r"`model.table` holds a Parameter under the key \(0, 1\)"):
        grad(lambda model: model.table[0, 1] ** 2).forward(Odd())

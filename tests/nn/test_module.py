"""Modules: attributes are the tree, printed and saved as in PyTorch, and read by the compiler like any object."""

from collections import OrderedDict

import numpy as np
import pytest

from srcgrad import Parameter, grad, nn
from srcgrad.nn import functional
from srcgrad.optim import SGD, Adam


class Neuron(nn.Module):
    def __init__(self):
        self.layer1 = nn.Linear(2, 1, rng=0)
        self.activation = nn.Tanh()

    def forward(self, x):
        return self.activation(self.layer1(x))


class Blocks(nn.Module):
    """Lists, dicts and arrays as attributes."""

    def __init__(self):
        self.blocks = [nn.Linear(3, 3, rng=k) for k in range(2)]
        self.heads = {"mean": nn.Linear(3, 1, rng=2)}
        self.scale = [Parameter(2.0), 1.5]
        self.shift = np.array([0.5])
        self.name = "blocks"

    def forward(self, x):
        for block in self.blocks:
            x = functional.relu(block(x))
        return self.heads["mean"](x) * self.scale[0] + self.shift


@grad
def loss(model, x, y):
    return functional.mse_loss(model(x), y)


X, Y = np.array([[1.0, 2.0]], np.float32), np.array([[1.0]], np.float32)


def test_one_neuron():
    model = Neuron()
    model.layer1.weight = Parameter([[0.6, -0.2]], dtype=np.float32)
    model.layer1.bias = Parameter([0.8], dtype=np.float32)
    assert model(X).item() == pytest.approx(0.7615942, rel=1e-6)
    out = loss.forward(model, X, Y)
    assert out.item() == pytest.approx(0.0568373, abs=5e-8)
    out.backward()
    np.testing.assert_allclose(model.layer1.weight.grad, [[-0.2002, -0.4005]], atol=5e-5)
    np.testing.assert_allclose(model.layer1.bias.grad, [-0.2002], atol=5e-5)
    state = model.state_dict()
    assert type(state) is OrderedDict
    assert list(state) == ["layer1.weight", "layer1.bias"]
    assert "srcgrad" not in loss.source


def test_printed_as_pytorch_does():
    assert repr(Neuron()) == (
        "Neuron(\n  (layer1): Linear(in_features=2, out_features=1, bias=True)\n  (activation): Tanh()\n)"
    )
    nested = nn.Sequential(nn.Linear(2, 3, bias=False), nn.Sequential(nn.ReLU()))
    assert repr(nested) == (
        "Sequential(\n  (0): Linear(in_features=2, out_features=3, bias=False)\n"
        "  (1): Sequential(\n    (0): ReLU()\n  )\n)"
    )


def test_the_tree():
    model = Blocks()
    names = ["blocks.0.weight", "blocks.0.bias", "blocks.1.weight", "blocks.1.bias"]
    assert [name for name, _ in model.named_parameters()] == ["scale.0", *names, "heads.mean.weight", "heads.mean.bias"]
    assert [name for name, _ in model.named_buffers()] == ["shift"]
    assert [name for name, _ in model.named_modules()] == ["", "blocks.0", "blocks.1", "heads.mean"]
    assert list(model.children()) == [*model.blocks, model.heads["mean"]]
    assert all(isinstance(p, Parameter) for p in model.parameters())


def test_gradients_in_lists_dicts_and_by_finite_differences():
    model = Blocks()
    for parameter in model.parameters():
        parameter.data += 0.3
    x, y = np.random.default_rng(0).normal(size=(4, 3)), np.zeros((4, 1))
    loss.forward(model, x, y).backward()
    for parameter in model.parameters():
        direction = np.random.default_rng(1).normal(size=parameter.shape)
        start, step = parameter.data.copy(), 1e-3
        parameter.data = (start + step * direction).astype(parameter.dtype)
        ahead = functional.mse_loss(np.asarray(model(x)), y)
        parameter.data = (start - step * direction).astype(parameter.dtype)
        behind = functional.mse_loss(np.asarray(model(x)), y)
        parameter.data = start
        assert np.sum(parameter.grad * direction) == pytest.approx((ahead - behind) / (2 * step), rel=2e-3, abs=1e-3)


def test_a_state_dict_is_a_copy_and_goes_into_the_same_memory():
    model, other = Blocks(), Blocks()
    memory = model.blocks[0].weight.data
    other.blocks[0].weight.data += 1.0
    saved = other.state_dict()
    model.load_state_dict(saved)
    assert model.blocks[0].weight.data is memory
    np.testing.assert_array_equal(memory, other.blocks[0].weight)
    model.blocks[0].weight.data += 1.0
    np.testing.assert_array_equal(saved["blocks.0.weight"], other.blocks[0].weight)


def test_a_state_dict_that_does_not_fit_changes_nothing():
    model = Neuron()
    before = model.state_dict()
    with pytest.raises(KeyError, match=r"missing \['layer1.bias'\], unknown \['bias'\]"):
        model.load_state_dict({"layer1.weight": np.ones((1, 2)), "bias": np.ones(1)})
    with pytest.raises(ValueError, match=r"layer1.bias has shape \(1,\), but \(2,\) in the state dict"):
        model.load_state_dict({"layer1.weight": np.ones((1, 2)), "layer1.bias": np.ones(2)})
    np.testing.assert_equal(model.state_dict(), before)


def test_modes_apply_and_freezing():
    model = Blocks()
    assert model.eval() is model
    assert not any(module.training for module in model.modules())
    assert all(module.training for module in model.train().modules())
    seen = []
    model.apply(seen.append)
    assert seen == [*model.children(), model]
    model.requires_grad_(False)
    assert not any(parameter.requires_grad for parameter in model.parameters())
    assert model.to("cpu") is model


def test_a_frozen_layer_gets_no_gradient_and_costs_nothing():
    model = nn.Sequential(nn.Linear(2, 3, rng=0), nn.Tanh(), nn.Linear(3, 1, rng=1))
    model[0].requires_grad_(False)
    loss.forward(model, X, Y).backward()
    assert model[0].weight.grad is None
    assert model[2].weight.grad is not None
    assert "tanh * tanh" not in loss.backward_source
    model.zero_grad()
    assert model[2].weight.grad is None


def test_a_layer_used_twice_counts_once_and_gets_both_gradients():
    shared = nn.Linear(2, 2, rng=0)
    model = nn.Sequential(shared, nn.Tanh(), shared, nn.Linear(2, 1, rng=1))
    assert len(list(model.parameters())) == 4
    loss.forward(model, X, Y).backward()
    gradient = shared.weight.grad.copy()
    apart = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 2), nn.Linear(2, 1))
    for index in (0, 2, 3):
        apart[index].load_state_dict(model[index].state_dict())
    loss.forward(apart, X, Y).backward()
    np.testing.assert_allclose(gradient, apart[0].weight.grad + apart[2].weight.grad, rtol=1e-5)


def test_linear_begins_as_pytorchs_does():
    layer = nn.Linear(400, 300, rng=0)
    assert layer.weight.shape == (300, 400)
    assert layer.weight.dtype == np.float32
    for parameter in layer.parameters():
        assert np.max(np.abs(parameter.data)) <= 1 / 20
        assert np.std(parameter.data) == pytest.approx(1 / 20 / np.sqrt(3), rel=0.1)


@pytest.mark.parametrize("optimizer", [SGD, Adam])
def test_it_learns(optimizer):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(64, 2)).astype(np.float32)
    y = x[:, :1] * x[:, 1:]
    model = nn.Sequential(nn.Linear(2, 16, rng=rng), nn.Tanh(), nn.Linear(16, 1, rng=rng))
    moves = optimizer(model.parameters(), lr=0.1 if optimizer is SGD else 0.02)
    losses = []
    for _ in range(200):
        moves.zero_grad()
        out = loss.forward(model, x, y)
        out.backward()
        moves.step()
        losses.append(out.item())
    assert losses[-1] < 0.3 * losses[0]


def test_forward_has_to_be_written():
    with pytest.raises(NotImplementedError, match=r"Module has to say what it computes: write forward\(self, x\)"):
        nn.Module()(1.0)


@pytest.mark.parametrize("activation", ["GELU", "ReLU", "SiLU", "Sigmoid", "Tanh"])
def test_activations_are_their_functions(activation):
    x = np.linspace(-2.0, 2.0, 5)
    function = np.tanh if activation == "Tanh" else getattr(functional, activation.lower())
    np.testing.assert_array_equal(getattr(nn, activation)()(x), function(x))
    options = "approximate='none'" if activation == "GELU" else ""
    assert repr(getattr(nn, activation)()) == f"{activation}({options})"

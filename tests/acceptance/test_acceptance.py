"""What five PyTorch tutorials do, line by line, with the numbers that PyTorch prints.

The number in a test's name is that of the line; docs/tutorials.md shows what the scripts print.
"""

import contextlib
import inspect
import io
import json
import re
from collections import OrderedDict
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import srcgrad
from srcgrad import Parameter, cuda, device, grad, nn, no_grad, set_grad_enabled
from srcgrad.nn import functional
from srcgrad.optim import SGD

RECORD = json.loads((Path(__file__).parents[1] / "data" / "two_layer_net_pytorch.json").read_text())

needs_gpu = [
    pytest.mark.gpu,
    pytest.mark.skipif(not cuda.is_available(), reason="needs a CUDA device and CuPy"),
]


def gpu(test):
    """A test that only a GPU can pass."""
    for mark in needs_gpu:
        test = mark(test)
    return test


def example(name):
    """An example as a module; skipped where its libraries (the extra `examples`) are missing."""
    return pytest.importorskip(name, reason="needs the examples extra")


# 1. A two-layer net


@pytest.fixture(scope="module")
def two_layer_net():
    return example("two_layer_net")


@pytest.fixture(scope="module")
def printed_losses(two_layer_net):
    """Losses of the run, and what it printed."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        losses = two_layer_net.train()
    return losses, out.getvalue()


def test_01_device_and_sizes(two_layer_net):
    assert str(two_layer_net.DEVICE) == "cpu"
    assert (two_layer_net.N, two_layer_net.D_IN, two_layer_net.HIDDEN, two_layer_net.D_OUT) == (64, 1000, 100, 10)
    defaults = inspect.signature(two_layer_net.train).parameters
    assert defaults["dtype"].default is np.float32
    assert (defaults["steps"].default, defaults["learning_rate"].default) == (500, 1e-6)


@gpu
def test_01_device_is_one_line(two_layer_net, monkeypatch, printed_losses):
    monkeypatch.setattr(two_layer_net, "DEVICE", device("cuda:0"))
    assert two_layer_net.train(steps=10) == pytest.approx(printed_losses[0][:10], rel=1e-4)


def test_02_data_on_a_device_with_a_dtype_and_gradients_where_asked():
    rng = np.random.default_rng(0)
    x = Parameter(rng.standard_normal((4, 3), np.float32), requires_grad=False).to(device("cpu"))
    w = Parameter(rng.standard_normal((3, 2), np.float32)).to(device("cpu"))
    plain = rng.standard_normal((4, 2), np.float32)
    assert (x.device, x.dtype, x.requires_grad) == (device("cpu"), np.float32, False)

    @grad
    def loss(w, x, plain):
        return np.sum((x @ w - plain) ** 2)

    loss.forward(w, x, plain).backward()
    assert x.grad is None
    assert (w.grad.shape, w.grad.dtype) == (w.shape, np.float32)


def test_03_forward_item_and_backward_in_one_line(two_layer_net):
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((5, 4)), rng.standard_normal((5, 2))
    w1, w2 = Parameter(rng.standard_normal((4, 3))), Parameter(rng.standard_normal((3, 2)))
    out = two_layer_net.loss.forward(w1, w2, x, y)
    hidden = np.maximum(x @ w1.data, 0.0)
    error = hidden @ w2.data - y
    assert type(out.item()) is float
    assert out.item() == pytest.approx(np.sum(error**2), rel=1e-14)
    out.backward()
    np.testing.assert_allclose(w2.grad, hidden.T @ (2 * error), rtol=1e-12)
    np.testing.assert_allclose(w1.grad, x.T @ ((2 * error) @ w2.data.T * (hidden > 0)), rtol=1e-12)


def test_04_updates_by_hand_have_the_losses_of_pytorch(printed_losses):
    losses, printed = printed_losses
    assert re.findall(r"^\d+", printed, re.M) == ["99", "199", "299", "399", "499"]
    assert 233 <= losses[99] <= 949
    assert 0.5 <= losses[199] <= 11
    assert 2e-5 <= losses[499] <= 3.3e-4
    for step in range(0, 50, 10):
        assert losses[step] == pytest.approx(RECORD["loss"][str(step)], rel=1e-5)
    # later, where the loss is 1e-9 of the data's squares, rounding alone separates the two
    for step in (99, 199, 299):
        assert losses[step] == pytest.approx(RECORD["loss"][str(step)], rel=1e-2)


def test_04_a_weight_is_updated_in_place_and_not_recorded():
    @grad
    def loss(w):
        return np.sum(w**2)

    w = Parameter(np.ones(3, np.float32))
    memory = w.data
    loss.forward(w).backward()
    with no_grad():
        w -= 0.25 * w.grad
    assert w.data is memory
    assert memory.tolist() == [0.5, 0.5, 0.5]
    assert w.requires_grad
    w.zero_grad()
    loss.forward(w).backward()
    assert w.grad.tolist() == [1.0, 1.0, 1.0]  # of the step alone: neither the update nor the old gradient is in it


# 2. SGD in detail


@pytest.fixture
def walkthrough():
    return example("sgd_walkthrough")


def test_05_value_of_y(walkthrough):
    x, c, b, d = walkthrough.variables()
    assert (x.item(), c.item(), b.item(), d) == (5.0, 3.0, 2.0, 4.0)
    assert (x.requires_grad, c.requires_grad, b.requires_grad, type(d)) == (True, True, False, float)
    assert f"{walkthrough.curve.forward(x, c, b, d).item():.4f}" == "1349.7185"


def test_06_gradients(walkthrough):
    x, c, b, d = walkthrough.variables()
    walkthrough.curve.forward(x, c, b, d).backward()
    assert f"{x.grad:.4f} {c.grad:.4f} {b.grad}" == "1337.7185 445.2395 None"


def test_07_a_step_in_place(walkthrough):
    x, c, b, d = walkthrough.variables()
    memory = x.data
    optimizer = SGD([x, c], lr=1.0)
    walkthrough.curve.forward(x, c, b, d).backward()
    optimizer.step()
    assert f"{x:.4f} {c:.4f}" == "-1332.7185 -442.2395"
    assert x.data is memory
    assert optimizer.param_groups[0]["params"][0] is x


def test_08_params_is_any_iterable(walkthrough):
    x, c, _, _ = walkthrough.variables()
    assert len(SGD((p for p in (x, c)), lr=1.0).param_groups[0]["params"]) == 2
    assert SGD([x], lr=1.0).param_groups[0]["params"][0] is x
    model = nn.Linear(2, 1)
    assert len(SGD(model.parameters(), lr=1.0).param_groups[0]["params"]) == 2
    with pytest.raises(TypeError):
        SGD(x, lr=1.0)


def test_09_options_and_defaults():
    group = SGD([Parameter(1.0)], lr=0.5).param_groups[0]
    assert [group[name] for name in ("momentum", "dampening", "weight_decay")] == [0, 0, 0]
    assert [group[name] for name in ("nesterov", "maximize")] == [False, False]
    assert group["lr"] == 0.5


def test_10_an_optimizer_prints_its_groups():
    lines = str(SGD([Parameter(1.0)], lr=1.0)).splitlines()
    assert (lines[0], lines[1], lines[-1]) == ("SGD (", "Parameter Group 0", ")")
    options = lines[2:-1]
    assert options == sorted(options)
    expected = ["dampening: 0", "lr: 1.0", "momentum: 0", "nesterov: False", "weight_decay: 0"]
    assert {f"    {line}" for line in expected} <= set(options)


def test_11_options_change_in_the_groups():
    x, c = Parameter(1.0), Parameter(1.0)
    optimizer = SGD([x], lr=1.0)
    optimizer.param_groups[0]["lr"] = 0.1
    assert "    lr: 0.1\n" in str(optimizer)
    x.grad = np.array(1.0)
    optimizer.step()
    assert x.item() == 0.9
    optimizer = SGD([{"params": [x], "lr": 0.5}, {"params": [c]}], lr=0.25)
    x.grad, c.grad = np.array(1.0), np.array(1.0)
    optimizer.step()
    assert (x.item(), c.item()) == pytest.approx((0.4, 0.75))


def test_12_a_parameter_replaced_in_the_group(walkthrough):
    x, c, b, d = walkthrough.variables()
    optimizer = SGD([x, c], lr=0.1)
    optimizer.param_groups[0]["params"][0] = Parameter(10.0, dtype=np.float32)
    walkthrough.curve.forward(x, c, b, d).backward()
    optimizer.step()
    assert f"{x.item()} {x.grad:.4f}" == "5.0 1337.7185"
    assert walkthrough.values(optimizer) == "10.0000, -41.5240"


def test_13_a_name_that_is_bound_anew(walkthrough):
    old, c, b, d = walkthrough.variables()
    optimizer = SGD([old, c], lr=1.0)
    y = walkthrough.curve.forward(old, c, b, d)
    x = Parameter(10.0, dtype=np.float32)
    assert walkthrough.values(optimizer) == "5.0000, 3.0000"
    y.backward()
    optimizer.step()
    assert (x.item(), x.grad) == (10.0, None)
    assert walkthrough.values(optimizer) == "-1332.7185, -442.2395"

    old, c, b, d = walkthrough.variables()
    optimizer = SGD([old, c], lr=1.0)
    walkthrough.curve.forward(x, c, b, d).backward()
    optimizer.step()
    assert (old.item(), old.grad, x.item()) == (5.0, None, 10.0)


def test_14_a_second_backward_says_how_to_keep_the_first():
    @grad
    def f(x):
        return x**3

    x = Parameter(2.0)
    out = f.forward(x)
    out.backward(retain_graph=True)
    out.backward()
    assert x.grad == 24.0
    with pytest.raises(RuntimeError, match="retain_graph=True"):
        out.backward()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"momentum": 0.9}, (3.4, -5.18, -10.394)),
        ({"momentum": 0.9, "dampening": 0.1}, (3.4, -4.916, -10.28576)),
        ({"weight_decay": 0.1}, (3.3, 0.687, -0.33207)),
        ({"momentum": 0.9, "nesterov": True}, (-2.54, -6.1304, -4.344704)),
        ({"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}, (-2.73, -6.13293, -4.18627113)),
        ({"maximize": True}, (16.6, 27.16, 44.056)),
    ],
    ids=repr,
)
def test_15_three_steps_with_each_option(walkthrough, options, expected):
    assert walkthrough.descend(**options) == pytest.approx([10.0, *expected], rel=1e-12)


def test_15_the_first_momentum_buffer_is_the_gradient_itself(walkthrough):
    x = Parameter(10.0)
    optimizer = SGD([x], lr=0.1, momentum=0.9, dampening=0.1)
    walkthrough.parabola.forward(x).backward()
    optimizer.step()
    assert optimizer.state_dict()["state"][0]["momentum_buffer"] == x.grad == 66.0


@pytest.mark.parametrize(
    ("params", "arguments", "message"),
    [
        ([1.0], {"lr": 0.1, "nesterov": True}, "Nesterov momentum requires a momentum and zero dampening"),
        ([1.0], {"lr": -1}, "Invalid learning rate: -1"),
        ([], {"lr": 0.1}, "optimizer got an empty parameter list"),
    ],
)
def test_15_errors_as_in_pytorch(params, arguments, message):
    with pytest.raises(ValueError, match=message):
        SGD([Parameter(value) for value in params], **arguments)


# 3. Derivatives, minimisation, GPU


def test_16_derivatives():
    derivatives = example("derivatives")
    assert grad(derivatives.y)(5.0) == 10.0
    assert grad(grad(derivatives.y))(5.0) == 2.0
    x, y = Parameter(1.0), Parameter(1.0)
    out = derivatives.z.forward(x, y)
    out.backward()
    assert (out.item(), x.grad, y.grad) == (5.0, 8.0, 16.0)
    assert derivatives.z(1.0, 1.0) == (8.0, 16.0)


def test_17_minimise_with_a_picture(tmp_path):
    minimise = example("minimise")
    picture = tmp_path / "minimum.png"
    assert f"{minimise.main(picture):.8f}" == "-0.99999988"
    assert f"{minimise.f.function(minimise.minimise()[-1]):.8f}" == "-12.00000000"
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_18_a_product_timed_on_the_cpu(capsys):
    gpu_matmul = example("gpu_matmul")
    taken = gpu_matmul.main()
    assert 0.0 < taken["cpu"] < 10.0
    assert [array.shape for array in gpu_matmul.arrays(device("cpu"))] == [(512, 1024), (1024, 512)]
    assert "cpu: (512x1024) @ (1024x512) in" in capsys.readouterr().out


@gpu
def test_18_a_product_timed_on_the_gpu():
    taken = example("gpu_matmul").main()
    assert 0.0 < taken["cuda"] < taken["cpu"]


def test_19_a_device_that_runs_everywhere():
    where = device("cuda" if cuda.is_available() else "cpu")
    p = Parameter([1.0, 2.0]).to(where)
    assert p.device.type == where.type
    assert p.cpu().device == device("cpu")


@gpu
def test_19_there_and_back():
    p = Parameter([1.0, 2.0])
    assert p.cuda().device.type == "cuda"
    np.testing.assert_array_equal(p.cuda().cpu().numpy(), [1.0, 2.0])


@gpu
def test_20_mixing_devices_names_the_arguments():
    @grad
    def f(w, x):
        return np.sum(w * x)

    with pytest.raises(srcgrad.SrcgradError, match=r"(?s)`?w`?.*cpu.*`?x`?.*cuda"):
        f.forward(Parameter(np.ones(2)), Parameter(np.ones(2)).cuda())


# 4. requires_grad on and off


@pytest.fixture
def line():
    return example("requires_grad")


def test_21_gradients_of_a_line(line):
    w, x, b = line.variables()
    assert (w.grad, x.grad, b.grad) == (None, None, None)
    y = line.line.forward(w, x, b)
    y.backward()
    assert (y.item(), x.grad, w.grad, b.grad) == (7.0, 3.0, 2.0, 1.0)


def test_22_a_recorded_result_has_a_grad_fn(line):
    y = line.line.forward(*line.variables())
    assert y.grad_fn.__name__ == "line_backward"
    assert "def line_backward(" in line.line.backward_source
    with no_grad():
        assert line.line.forward(*line.variables()).grad_fn is None


def test_23_switches_as_contexts_and_decorators(line):
    def recorded():
        return line.line.forward(*line.variables()).requires_grad

    with no_grad():
        assert not recorded()
    for mode in (True, False):
        with set_grad_enabled(mode):
            assert recorded() is mode
        assert set_grad_enabled(mode)(recorded)() is mode
    assert not no_grad()(recorded)()
    assert recorded()


def test_23_a_frozen_parameter_is_left_out_of_the_backward(line):
    w, x, b = line.variables()
    w.requires_grad_(False)
    line.line.forward(w, x, b).backward()
    assert (w.grad, x.grad, b.grad) == (None, 3.0, 1.0)
    assert len(re.findall(r"np\.asarray", line.line.backward_source)) == 2


# 5. One neuron


@pytest.fixture
def neuron():
    return example("neuron")


def test_24_a_module_prints_its_structure(neuron):
    model = neuron.Neuron()
    assert isinstance(model, nn.Module)
    assert str(model).splitlines() == [
        "Neuron(",
        "  (layer1): Linear(in_features=2, out_features=1, bias=True)",
        "  (activation): Tanh()",
        ")",
    ]
    assert re.fullmatch(r"\d+\.\d+\.\d+.*", srcgrad.__version__)


def test_25_parameters_assigned_saved_and_loaded(neuron):
    model, other = neuron.neuron(), neuron.Neuron()
    state = model.state_dict()
    assert isinstance(state, OrderedDict)
    assert list(state) == ["layer1.weight", "layer1.bias"]
    assert [name for name, _ in model.named_parameters()] == list(state)
    assert [p.shape for p in model.parameters()] == [(1, 2), (1,)]
    other.load_state_dict(state)
    np.testing.assert_array_equal(other.layer1.weight.data, np.array([[0.6, -0.2]], np.float32))
    np.testing.assert_array_equal(other.layer1.bias.data, np.array([0.8], np.float32))


def test_26_prediction_loss_and_gradients(neuron):
    model = neuron.neuron()
    prediction = model(np.array([[1.0, 2.0]], np.float32))
    assert (prediction.shape, prediction.dtype, f"{prediction}") == ((1, 1), np.float32, "[[0.7615942]]")
    out = neuron.loss.forward(model, neuron.X, neuron.Y)
    out.backward()
    assert f"{out.item():.7f}" == "0.0568373"
    assert model.layer1.weight.grad.round(4).tolist() == np.float32([[-0.2002, -0.4005]]).tolist()
    assert model.layer1.bias.grad.round(4).tolist() == np.float32([-0.2002]).tolist()


def test_27_a_picture_of_the_graph(neuron):
    """Parameters by name and shape, operations, the result; forward and backward. More of it in tests/inspection."""
    text = neuron.graph().source
    for label in (r"layer1.weight\n(1, 2)", r"layer1.bias\n(1,)", "matmul", r"tanh\ntanh", r"result\n()"):
        assert f'label="{label}"' in text
    model = neuron.neuron()
    named = dict(model.named_parameters())
    both = srcgrad.make_dot(neuron.loss.forward(model, neuron.X, neuron.Y), params=named, backward=True)
    assert r'label="d_layer1_weight\n(1, 2)"' in both.source


def test_28_gradients_accumulate_until_they_are_reset(neuron):
    for at, slope in ((1.0, 2.0), (0.0, 0.0), (10.0, 20.0)):
        x = Parameter(at)
        neuron.square.forward(x).backward()
        assert x.grad == slope
    neuron.square.forward(x).backward()
    assert x.grad == 40.0
    x.zero_grad()
    neuron.square.forward(x).backward()
    assert x.grad == 20.0
    x.grad = None
    assert x.grad is None


class Chain(nn.Module):
    """A recurrence over what comes, and a branch on its sign."""

    def __init__(self):
        self.weight = Parameter(0.5)

    def forward(self, xs):
        state = 0.0
        for x in xs:
            state = np.tanh(self.weight * state + x)
        if state > 0.0:
            return state * self.weight
        return state**2 * self.weight


def test_29_branches_and_loops_over_inputs_of_varying_length():
    @grad
    def value(model, xs):
        return model(xs)

    model = Chain()
    for xs in (np.array([0.3]), np.array([0.3, -0.2, 0.4]), np.array([-0.1, -0.5]), np.ones(7)):
        model.zero_grad()
        value.forward(model, xs).backward()
        step, w = 1e-6, model.weight.item()
        model.weight.data = w + step
        ahead = model(xs)
        model.weight.data = w - step
        behind = model(xs)
        model.weight.data = w
        assert model.weight.grad == pytest.approx((ahead - behind) / (2 * step), rel=1e-8)


def test_30_data_batches_epochs_layers_initial_values_losses_and_accuracy():
    datasets = pytest.importorskip("sklearn.datasets", reason="needs the examples extra")
    from srcgrad.data import ArrayDataset, DataLoader, train_test_split
    from srcgrad.metrics import accuracy

    images, labels = datasets.load_digits(return_X_y=True)
    split = train_test_split((images / 16.0).astype(np.float32), labels, test_size=0.2, stratify=labels, generator=0)
    x_train, x_test, y_train, y_test = split
    loader = DataLoader(ArrayDataset(x_train, y_train), batch_size=32, shuffle=True, generator=0)
    rng = np.random.default_rng(0)
    sizes = (64, 64, 64, 32, 10)
    layers = [nn.Linear(m, n, rng=rng) for m, n in pairwise(sizes)]
    for layer in layers[:-1]:
        nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu", rng=rng)
    model = nn.Sequential(*[part for layer in layers[:-1] for part in (layer, nn.ReLU())], layers[-1])

    @grad
    def loss(model, x, y):
        return functional.cross_entropy(model(x), y)

    optimizer = SGD(model.parameters(), lr=0.1, momentum=0.9)
    for _ in range(6):
        for x, y in loader:
            optimizer.zero_grad()
            loss.forward(model, x, y).backward()
            optimizer.step()
    assert accuracy(np.argmax(model(x_test), axis=1), y_test) >= 0.93

"""Layers and losses: outputs, gradients, buffers and text equal PyTorch's, as recorded and, where it is, live."""

import copy
import json
import re

import module_cases as cases
import numpy as np
import pytest

from srcgrad import Parameter, grad, nn

RECORDED = json.loads(cases.RECORD.read_text())


@grad
def one(model, cotangents, *inputs):
    return np.vdot(model(*inputs), cotangents[0])


@grad
def with_state(model, cotangents, *inputs):
    out, state = model(*inputs)
    return np.sum(out * cotangents[0]) + np.sum(state * cotangents[1])


@grad
def with_two_states(model, cotangents, *inputs):
    out, (h, c) = model(*inputs)
    return np.sum(out * cotangents[0]) + np.sum(h * cotangents[1]) + np.sum(c * cotangents[2])


TOTALS = {1: one, 2: with_state, 3: with_two_states}


def made(name, dtype):
    """The module with the case's parameters and buffers."""
    kind, args, options, _, _, mode = cases.CASES[name]
    module = getattr(nn, kind)(*args, **options)
    for key, parameter in list(module.named_parameters()):
        value = Parameter(cases.drawn(name, key, parameter.shape, dtype))
        owner = module
        *way, last = key.split(".")
        for step in way:
            owner = getattr(owner, step)
        setattr(owner, last, value)
    for key, buffer in list(module.named_buffers()):
        if buffer.dtype.kind == "f":
            setattr(module, key, cases.drawn(name, key, buffer.shape, dtype))
    return module.train(mode == "train")


def ours(name, dtype):
    """What `module_cases.pytorchs` returns, here."""
    module, count = made(name, dtype), cases.CASES[name][4]
    inputs = cases.inputs_of(name, dtype)
    outputs = cases.flat(copy.deepcopy(module)(*inputs))
    assert all(o.dtype == dtype for o in outputs)
    cotangents = cases.cotangents(name, [np.shape(o) for o in outputs], dtype)
    chosen = [Parameter(array.copy()) for array in inputs[:count]]
    out = TOTALS[len(outputs)].forward(module, cotangents, *chosen, *inputs[count:])
    expected = sum(np.sum(o * w) for o, w in zip(outputs, cotangents))
    assert out.item() == pytest.approx(expected, rel=1e-4 if dtype == np.float32 else 1e-12, abs=1e-4)
    if out.requires_grad:
        out.backward()
    for parameter, array in zip(chosen, inputs):
        np.testing.assert_array_equal(parameter.data, array)
    return (
        outputs,
        [parameter.grad for parameter in chosen],
        {key: parameter.grad for key, parameter in module.named_parameters()},
        dict(module.named_buffers()),
        repr(module),
    )


def as_pytorch_prints(text):
    """PyTorch prints options that are not here, at their defaults."""
    text = re.sub(r", inplace=False|, threshold=20.0|, dilation=1, ceil_mode=False|inplace=False", "", text)
    text = re.sub(r"(?<=LayerNorm)(.*), bias=\w+", r"\1", re.sub(r"(?<=BatchNorm)(.*), bias=\w+", r"\1", text))
    return text.replace("NonDynamicallyQuantizableLinear", "Linear").replace("padding=same", "padding=(1, 1)")


@pytest.mark.parametrize("name", cases.CASES)
def test_as_recorded(name):
    results = ours(name, np.float64)
    found, expected = cases.record(results), RECORDED[name]
    assert found["parameters"].keys() == expected["parameters"].keys()
    for part in ("outputs", "inputs"):
        np.testing.assert_allclose(found[part], expected[part], rtol=1e-9, atol=1e-10)
    for key, value in expected["parameters"].items():
        np.testing.assert_allclose(found["parameters"][key], value, rtol=1e-9, atol=1e-10, err_msg=key)
    for key, value in expected["buffers"].items():
        np.testing.assert_allclose(found["buffers"][key], value, rtol=1e-12, err_msg=key)
    assert found["repr"] == as_pytorch_prints(expected["repr"])


@pytest.mark.peers
@pytest.mark.filterwarnings("ignore::UserWarning")  # PyTorch's, about its own options
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", cases.CASES)
def test_equal_to_pytorch(name, dtype):
    pytest.importorskip("torch")
    tolerance = {"rtol": 300 * np.finfo(dtype).eps, "atol": 100 * np.finfo(dtype).eps}
    mine, theirs = ours(name, dtype), cases.pytorchs(name, dtype)
    for part in (0, 1):
        for each, other in zip(mine[part], theirs[part], strict=True):
            assert (each.dtype, each.shape) == (other.dtype, other.shape)
            np.testing.assert_allclose(each, other, **tolerance)
    for part in (2, 3):
        for key, other in theirs[part].items():
            each = mine[part][key]
            assert (each.dtype, each.shape) == (other.dtype, other.shape)
            np.testing.assert_allclose(each, other, **tolerance, err_msg=key)


# Beyond PyTorch's cases


@grad
def squared(model, x):
    return np.sum(model(x) ** 2)


X = np.random.default_rng(0).normal(size=(6, 4))


def test_dropout_draws_once_in_a_call_and_not_in_evaluation():
    model = nn.Sequential(nn.Linear(4, 50, dtype=np.float64, rng=0), nn.Dropout(0.4, rng=7))
    noise = np.random.default_rng(7)
    expected = np.where(noise.random((6, 50)) >= 0.4, model[0](X), 0.0) / 0.6
    out = squared.forward(model, X)
    assert out.item() == pytest.approx(np.sum(expected**2), rel=1e-14)
    assert model[1].rng.bit_generator.state == noise.bit_generator.state
    out.backward()
    np.testing.assert_allclose(model[0].bias.grad, np.sum(2 * expected / 0.6, axis=0), rtol=1e-12)
    model.eval()
    assert squared.forward(model, X).item() == pytest.approx(np.sum(model[0](X) ** 2), rel=1e-14)
    assert model[1].rng.bit_generator.state == noise.bit_generator.state


@pytest.mark.parametrize("p", [-0.1, 1.0, 2.0])
def test_dropout_needs_a_probability(p):
    with pytest.raises(ValueError, match="dropout probability"):
        nn.Dropout(p)


def test_running_statistics_move_once_in_a_call_and_come_into_no_gradient():
    model = nn.BatchNorm1d(4, dtype=np.float64)
    before = model.running_mean.copy()
    out = squared.forward(model, X)
    np.testing.assert_allclose(model.running_mean, 0.1 * X.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(model.running_var, 0.9 + 0.1 * X.var(axis=0, ddof=1), rtol=1e-12)
    assert model.num_batches_tracked == 1
    out.backward()
    assert model.num_batches_tracked == 1
    assert not np.array_equal(before, model.running_mean)
    assert list(model.state_dict()) == ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]
    moved = model.running_mean.copy()
    model.eval()
    squared.forward(model, X).backward()
    np.testing.assert_array_equal(model.running_mean, moved)


def test_one_value_has_no_variance():
    with pytest.raises(AssertionError, match="more than one value per channel"):
        nn.BatchNorm1d(4)(X[:1])


@pytest.mark.parametrize(
    ("layer", "good", "bad", "message"),
    [
        (nn.BatchNorm1d(4), (6, 4), (6, 1), "num_features channels"),
        (nn.BatchNorm1d(4, affine=False, track_running_stats=False), (6, 4), (6, 3), "num_features channels"),
        (nn.BatchNorm2d(4), (6, 4, 3, 3), (6, 1, 3, 3), "num_features channels"),
        (nn.LayerNorm(4), (6, 4), (6, 1), "of normalized_shape"),
        (nn.LayerNorm(4, elementwise_affine=False), (6, 4), (6, 3), "of normalized_shape"),
        (nn.LayerNorm((4, 3)), (6, 4, 3), (6, 4, 1), "of normalized_shape"),
    ],
)
def test_what_would_broadcast_is_refused(layer, good, bad, message):
    for call in (layer, lambda x: squared.forward(layer, x)):
        call(np.ones(good, np.float32))
        with pytest.raises(AssertionError, match=message):
            call(np.ones(bad, np.float32))


def test_normalisation_of_other_numbers_of_axes():
    with pytest.raises(AssertionError, match=r"takes \(n, features\) or \(n, features, length\)"):
        nn.BatchNorm1d(4)(np.ones((6, 4, 2, 2), np.float32))
    with pytest.raises(AssertionError, match=r"takes \(n, features, height, width\)"):
        nn.BatchNorm2d(4)(np.ones((6, 4), np.float32))


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ([(5, 2, 8), (7, 1, 8), (7, 1, 8)], "equally many sequences"),
        ([(5, 2, 8), (7, 2, 8), (1, 2, 8)], "a key belongs to each value"),
        ([(5, 8), (7, 8), (7, 8)], "batches of sequences"),
    ],
)
def test_attention_does_not_broadcast(shapes, message):
    with pytest.raises(AssertionError, match=message):
        nn.MultiheadAttention(8, 2)(*(np.ones(shape, np.float32) for shape in shapes))


def test_lstm_from_a_given_state():
    model = nn.LSTM(4, 3, dtype=np.float64, rng=0)
    x = np.random.default_rng(1).normal(size=(6, 2, 4))
    whole, (h, c) = model(x)
    _, middle = model(x[:2])
    rest, (h_rest, c_rest) = model(x[2:], middle)
    for each, other in ((rest, whole[2:]), (h_rest, h), (c_rest, c)):
        np.testing.assert_allclose(each, other, rtol=1e-13)


def test_recurrent_layers_take_batches():
    with pytest.raises(AssertionError, match="batches of sequences"):
        nn.GRU(4, 3)(X)
    with pytest.raises(ValueError, match="Unknown nonlinearity"):
        nn.RNN(4, 3, nonlinearity="sin")


def test_attention_looks_where_it_may():
    model = nn.MultiheadAttention(6, 2, rng=0)
    x = np.random.default_rng(1).normal(size=(4, 2, 6)).astype(np.float32)
    future = np.triu(np.ones((4, 4), bool), k=1)
    out, shares = model(x, x, x, attn_mask=future)
    assert np.all(shares[:, future] == 0.0)
    added, _ = model(x, x, x, attn_mask=np.where(future, -np.inf, 0.0).astype(np.float32))
    np.testing.assert_allclose(added, out, rtol=1e-6)
    np.testing.assert_allclose(out[0], model(x[:1], x[:1], x[:1])[0][0], rtol=1e-5)
    assert model(x, x, x, need_weights=False)[1] is None
    with pytest.raises(ValueError, match="divisible"):
        nn.MultiheadAttention(6, 4)


class Residual(nn.Module):
    def __init__(self, rng):
        self.conv = nn.Conv2d(2, 2, 3, padding="same", dtype=np.float64, rng=rng)

    def forward(self, x):
        return x + np.tanh(self.conv(x))


def test_what_keeps_its_size_can_be_added():
    model = Residual(0)
    x = np.random.default_rng(1).normal(size=(2, 2, 5, 4))
    squared.forward(model, x).backward()
    step, w = 1e-6, model.conv.weight.data.copy()
    direction = np.random.default_rng(2).normal(size=w.shape)
    model.conv.weight.data = w + step * direction
    ahead = np.sum(model(x) ** 2)
    model.conv.weight.data = w - step * direction
    slope = (ahead - np.sum(model(x) ** 2)) / (2 * step)
    assert np.sum(model.conv.weight.grad * direction) == pytest.approx(slope, rel=1e-7)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"padding": "full"}, "padding is a number"),
        ({"padding": "same", "stride": 2}, "stride of 1"),
        ({"groups": 3}, "groups"),
    ],
)
def test_convolutions_that_cannot_be(options, message):
    with pytest.raises(ValueError, match=message):
        nn.Conv2d(2, 2, 3, **options)


def test_lists_and_dicts_of_modules():
    class Model(nn.Module):
        def __init__(self):
            self.blocks = nn.ModuleList(nn.Linear(4, 4, rng=k) for k in range(2))
            self.blocks.append(nn.Linear(4, 4, rng=2)).extend([nn.Tanh()])
            self.blocks.insert(1, nn.ReLU())
            self.heads = nn.ModuleDict({"mean": nn.Linear(4, 1, rng=3)})
            self.heads["spread"] = nn.Linear(4, 1, rng=4)

        def forward(self, x):
            for block in self.blocks:
                x = block(x)
            return self.heads["mean"](x) + sum(head(x) for head in self.heads.values())

    model = Model()
    assert repr(model.blocks).splitlines()[:3] == [
        "ModuleList(",
        "  (0): Linear(in_features=4, out_features=4, bias=True)",
        "  (1): ReLU()",
    ]
    assert (len(model.blocks), len(model.heads), list(model.heads), "mean" in model.heads) == (
        5,
        2,
        ["mean", "spread"],
        True,
    )
    names = [name for name, _ in model.named_parameters()]
    assert names[0] == "blocks.0.weight"
    assert names[-1] == "heads.spread.bias"
    squared.forward(model, X).backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


@pytest.mark.parametrize("layer", [nn.Conv2d(3, 8, 5, rng=0), nn.LSTM(6, 16, rng=0), nn.Embedding(100, 20, rng=0)])
def test_initial_values_are_pytorchs_in_distribution(layer):
    limit = {"Conv2d": 1 / np.sqrt(75), "LSTM": 1 / 4}.get(type(layer).__name__)
    for name, parameter in layer.named_parameters():
        if limit is None:
            assert np.std(parameter.data) == pytest.approx(1.0, rel=0.1)
        else:
            assert np.max(np.abs(parameter.data)) <= limit, name
        if parameter.size > 300 and limit is not None:
            assert np.std(parameter.data) == pytest.approx(limit / np.sqrt(3), rel=0.1)


def test_the_padding_row_is_zero():
    assert not np.any(nn.Embedding(5, 3, padding_idx=-1, rng=0).weight[4])
    with pytest.raises(ValueError, match="none of the 5 entries"):
        nn.Embedding(5, 3, padding_idx=5)


def test_losses_know_their_reductions():
    with pytest.raises(ValueError, match="not a valid value for reduction"):
        nn.MSELoss(reduction="average")
    with pytest.raises(ValueError, match="label_smoothing must be"):
        nn.CrossEntropyLoss(label_smoothing=2.0)

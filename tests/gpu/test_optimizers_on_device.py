"""Optimizers on the device: the steps of the CPU, one kernel for a group, state that stays there."""

import shutil

import cupy_simulator
import numpy as np
import pytest
from on_device import to_host

from srcgrad import Parameter, grad, nn, optim
from srcgrad.serialization import load, save

needs_compiler = pytest.mark.skipif(shutil.which("g++") is None, reason="the simulator compiles kernels with g++")
pytestmark = needs_compiler

OPTIMIZERS = {
    "sgd": (optim.SGD, {"lr": 0.1}),
    "sgd, maximize": (optim.SGD, {"lr": 0.1, "maximize": True}),
    "sgd, momentum": (optim.SGD, {"lr": 0.1, "momentum": 0.9, "dampening": 0.1}),
    "sgd, nesterov": (optim.SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    "adam": (optim.Adam, {"lr": 0.1}),
    "adam, amsgrad": (optim.Adam, {"lr": 0.1, "amsgrad": True, "weight_decay": 0.01, "maximize": True}),
    "adamw": (optim.AdamW, {"lr": 0.1}),
    "rmsprop": (optim.RMSprop, {"lr": 0.1, "weight_decay": 0.01}),
    "rmsprop, centered": (optim.RMSprop, {"lr": 0.1, "centered": True, "momentum": 0.5}),
    "adagrad": (optim.Adagrad, {"lr": 0.1, "lr_decay": 0.1, "initial_accumulator_value": 0.2, "weight_decay": 0.01}),
}
SHAPES = ((), (3,), (4, 5), (70_000,), (0, 2))


def parameters(dtype, cp=None):
    rng = np.random.default_rng(0)
    arrays = [np.asarray(rng.standard_normal(shape), dtype) for shape in SHAPES]
    return [Parameter(array if cp is None else cp.asarray(array)) for array in arrays]


def gradients(step, dtype):
    rng = np.random.default_rng(step + 1)
    return [np.asarray(rng.standard_normal(shape), dtype) for shape in SHAPES]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_five_steps_are_those_of_the_cpu(name, dtype, cp):
    kind, options = OPTIMIZERS[name]
    ours, theirs = parameters(dtype, cp), parameters(dtype)
    memory = [p.data for p in ours]
    optimizers = kind(ours, **options), kind(theirs, **options)
    for step in range(5):
        for p, q, g in zip(ours, theirs, gradients(step, dtype)):
            p.grad, q.grad = cp.asarray(g), g
        cupy_simulator.log.clear()
        for optimizer in optimizers:
            optimizer.step()
        assert cupy_simulator.log.keys() <= {"kernel", "raw kernel", "to device"}  # the addresses go to the device
    tolerance = 1e-12 if dtype is np.float64 else 2e-5
    for p, q, before in zip(ours, theirs, memory):
        assert p.data is before
        assert p.dtype == dtype
        np.testing.assert_allclose(to_host(p.data), q.data, rtol=tolerance, atol=tolerance)
    for p, q in zip(ours, theirs):
        for key, value in optimizers[1].state.get(q, {}).items():
            np.testing.assert_allclose(to_host(optimizers[0].state[p][key]), value, rtol=tolerance, atol=tolerance)


def test_a_group_is_one_kernel(log):
    import cupy as cp

    params = parameters(np.float32, cp)
    optimizer = optim.Adam([{"params": params[:2]}, {"params": params[2:], "lr": 0.1}])
    for p, g in zip(params, gradients(0, np.float32)):
        p.grad = cp.asarray(g)
    optimizer.step()
    log.clear()
    optimizer.step()
    assert log["raw kernel"] == 2
    assert log.keys() <= {"kernel", "raw kernel", "to device"}


def test_the_kernel_can_be_read(cp):
    optimizer = optim.SGD([Parameter(cp.ones(3, np.float32))], lr=0.1, momentum=0.9)
    assert optimizer.kernel_source() == (
        "typedef float real;\n\n"
        "// Block k moves elements chunks[3 k + 1] to chunks[3 k + 2] of tensor chunks[3 k].\n"
        'extern "C" __global__\n'
        "void sgd(const long long* tensors, const long long* chunks, real lr)\n"
        "{\n"
        "    const long long* chunk = chunks + 3 * blockIdx.x;\n"
        "    const long long* arrays = tensors + 3 * chunk[0];\n"
        "    real* params = (real*)arrays[0];\n"
        "    real* grads = (real*)arrays[1];\n"
        "    real* momentum_buffers = (real*)arrays[2];\n"
        "    for (long long i = chunk[1] + threadIdx.x; i < chunk[2]; i += blockDim.x) {\n"
        "        real& p = params[i];\n"
        "        const real g = grads[i];\n"
        "        real& momentum_buffer = momentum_buffers[i];\n"
        "        real d = g;\n"
        "        momentum_buffer = d;\n"
        "        d = momentum_buffer;\n"
        "        p -= lr * d;\n"
        "    }\n"
        "}\n"
    )
    assert not optimizer.state  # reading it changes nothing


def test_gradients_in_another_order_and_parameters_that_are_views(cp):
    whole = cp.asarray(np.arange(12.0).reshape(3, 4))
    parameter = Parameter(whole[:, 1:3])
    parameter.grad = cp.asarray(np.arange(6.0).reshape(2, 3)).T
    optim.SGD([parameter], lr=1.0).step()
    expected = np.arange(12.0).reshape(3, 4)
    expected[:, 1:3] -= np.arange(6.0).reshape(2, 3).T
    np.testing.assert_array_equal(to_host(whole), expected)


def test_other_dtypes_are_refused(cp):
    parameter = Parameter(cp.ones(3, np.float16))
    parameter.grad = cp.ones(3, np.float16)
    with pytest.raises(TypeError, match="moves float32 and float64 parameters, not float16"):
        optim.SGD([parameter], lr=1.0).step()


class Net(nn.Module):
    def __init__(self):
        rng = np.random.default_rng(0)
        self.first, self.second = nn.Linear(3, 4, rng=rng), nn.Linear(4, 2, rng=rng)
        self.scale = np.array([1.0, 2.0])

    def forward(self, x):
        return self.second(np.tanh(self.first(x))) * self.scale


@grad
def mse(model, x, y):
    return np.mean((model(x) - y) ** 2)


def trained(model, optimizer, x, y, steps):
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        out = mse.forward(model, x, y)
        out.backward()
        optimizer.step()
        losses.append(out.item())
    return losses


def data(cp=None):
    rng = np.random.default_rng(1)
    arrays = rng.standard_normal((5, 3)), rng.standard_normal((5, 2))
    return arrays if cp is None else tuple(map(cp.asarray, arrays))


def test_a_model_that_is_moved_trains_as_on_the_cpu(cp):
    here, there = Net(), Net()
    expected = trained(here, optim.Adam(here.parameters(), lr=0.05), *data(), 4)
    optimizer = optim.Adam(there.parameters(), lr=0.05)  # before it is moved
    assert there.to("cuda") is there
    assert {str(p.device) for p in there.parameters()} == {"cuda:0"}
    assert isinstance(there.scale, cp.ndarray)
    np.testing.assert_allclose(trained(there, optimizer, *data(cp), 4), expected, rtol=1e-6)
    there.cpu()
    np.testing.assert_allclose(there.first.weight.data, here.first.weight.data, rtol=1e-5)
    trained(there, optimizer, *data(), 1)  # its state follows


def test_a_step_of_training_copies_nothing(log):
    import cupy as cp

    model = Net().to("cuda")
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    x, y = data(cp)
    mse.forward(model, x, y).backward()
    optimizer.step()
    log.clear()
    optimizer.zero_grad()
    out = mse.forward(model, x, y)
    out.backward()
    optimizer.step()
    assert log.keys() == {"kernel", "fused", "raw kernel", "to device"}  # the optimizer's table of addresses
    assert log["to device"] == 1
    out.item()
    assert log["item"] == 1


def test_checkpoints_are_files_of_the_cpu(cp, tmp_path):
    pytest.importorskip("safetensors")
    model = Net().to("cuda")
    optimizer = optim.Adam(model.parameters(), lr=0.05)
    x, y = data(cp)
    trained(model, optimizer, x, y, 2)
    save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, tmp_path / "step.safetensors")
    expected = trained(model, optimizer, x, y, 2)

    again = Net().to("cuda")
    resumed = optim.Adam(again.parameters(), lr=0.05)
    saved = load(tmp_path / "step.safetensors")
    assert isinstance(saved["model"]["first.weight"], np.ndarray)
    again.load_state_dict(saved["model"])
    resumed.load_state_dict(saved["optimizer"])
    assert trained(again, resumed, x, y, 2) == expected


def test_a_model_and_data_on_different_devices(cp):
    from srcgrad import GradTypeError

    model = Net().to("cuda")
    with pytest.raises(GradTypeError, match=r"`model.first.weight` on cuda:0, .* `x` on cpu, `y` on cpu"):
        mse.forward(model, *data())


def test_nothing_recorded_still_runs_there(cp):
    from srcgrad import no_grad

    model = Net().to("cuda")
    with no_grad():
        out = mse.forward(model, *data(cp))
    assert out.grad_fn is None
    assert isinstance(out.value, cp.ndarray)


@pytest.mark.parametrize("norm_type", [2.0, 1.0, np.inf])
def test_clipping(norm_type, cp):
    ours, theirs = parameters(np.float32, cp), parameters(np.float32)
    for p, q, g in zip(ours, theirs, gradients(0, np.float32)):
        p.grad, q.grad = cp.asarray(g), g.copy()
    found, expected = (optim.clip_grad_norm_(each, 1.0, norm_type) for each in (ours, theirs))
    assert type(found) is float
    assert found == pytest.approx(expected, rel=1e-6)
    for each in (ours, theirs):
        optim.clip_grad_value_(each, 0.001)
    for p, q in zip(ours, theirs):
        np.testing.assert_allclose(to_host(p.grad), q.grad, rtol=1e-6)

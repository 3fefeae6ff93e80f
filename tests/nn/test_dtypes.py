"""Models in another precision: in place, with the optimizer going on."""

import copy

import numpy as np
import pytest

from srcgrad import Parameter, grad, nn, optim


class Net(nn.Module):
    def __init__(self):
        self.inner = nn.Linear(3, 4, rng=0)
        self.norm = nn.BatchNorm1d(4)
        self.table = [np.arange(4)]
        self.again = self.norm

    def forward(self, x):
        return self.norm(self.inner(x))


@grad
def loss(model, x):
    return np.mean(np.sin(model(x)) ** 2)


X = np.random.default_rng(0).standard_normal((6, 3))


@pytest.mark.parametrize(
    "to_double", [lambda m: m.double(), lambda m: m.to(np.float64), lambda m: m.to("cpu", "float64")]
)
def test_a_model_becomes_float64_in_place(to_double):
    model = Net()
    parameters, before = list(model.parameters()), model.state_dict()
    loss.forward(model, X.astype(np.float32)).backward()
    assert to_double(model) is model
    assert all(now is p for now, p in zip(model.parameters(), parameters, strict=True))
    assert all(p.dtype == p.grad.dtype == np.float64 for p in parameters)
    assert model.norm.running_mean.dtype == model.norm.running_var.dtype == np.float64
    assert model.norm.num_batches_tracked.dtype == model.table[0].dtype == np.int64  # no floats: they stay
    np.testing.assert_array_equal(model.inner.weight.data, before["inner.weight"])
    model.zero_grad()
    loss.forward(model, X).backward()
    assert model.inner.weight.grad.dtype == np.float64
    assert model.half().inner.bias.dtype == np.float16
    assert model.float().inner.bias.dtype == np.float32


def test_a_result_from_before_is_refused():
    model = Net()
    out = loss.forward(model, X.astype(np.float32))
    model.double()
    with pytest.raises(TypeError, match="grad of dtype float32 does not fit a parameter of dtype float64"):
        out.backward()


def test_values_that_would_be_spoilt_change_nothing():
    model = nn.Linear(2, 2)
    model.turn = Parameter(1j)
    with pytest.raises(TypeError, match="turn is of complex128, and would lose its imaginary parts as float64"):
        model.double()
    assert model.weight.dtype == np.float32
    with pytest.raises(TypeError, match="become floats or complex numbers, not int32"):
        model.to(np.int32)
    with pytest.raises(RuntimeError, match="not 'gpu'"):
        model.to("gpu")


KINDS = [
    (optim.SGD, {"lr": 0.1, "momentum": 0.9}),
    (optim.Adam, {"lr": 0.1, "amsgrad": True}),
    (optim.RMSprop, {"lr": 0.1, "momentum": 0.5, "centered": True}),
    (optim.Adagrad, {"lr": 0.1}),
]


@pytest.mark.parametrize(("kind", "options"), KINDS)
def test_an_optimizer_goes_on_in_the_new_precision(kind, options):
    model = Net()
    optimizer = kind(model.parameters(), **options)
    loss.forward(model, X.astype(np.float32)).backward()
    optimizer.step()
    model.double()
    # one made for the model as it is now, with the state taken over, takes the same steps
    other = copy.deepcopy(model)
    expected = kind(other.parameters(), **options)
    expected.load_state_dict(optimizer.state_dict())
    for net, mover in ((model, optimizer), (other, expected)):
        mover.zero_grad()
        loss.forward(net, X).backward()
        mover.step()
    for p, q in zip(model.parameters(), other.parameters(), strict=True):
        np.testing.assert_array_equal(p.data, q.data)
        arrays = [value for value in optimizer.state[p].values() if isinstance(value, np.ndarray)]
        assert arrays
        assert all(array.dtype == np.float64 for array in arrays)


def test_state_of_a_precision_of_its_own_keeps_it():
    class Averaging(optim.Optimizer):
        """Keeps a sum in float64 beside parameters in float32."""

        def __init__(self, params):
            super().__init__(params, {})

        @staticmethod
        def update(param, grad, state):
            total = state.setdefault("total", np.zeros(param.shape))
            total += param
            param -= grad

    p = Parameter(np.ones(2, np.float32))
    optimizer = Averaging([p])
    for _ in range(2):
        p.grad = np.full(2, 0.1, np.float32)
        optimizer.step()
    assert optimizer.state[p]["total"].dtype == np.float64

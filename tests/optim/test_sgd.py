"""SGD: PyTorch's steps, groups, texts and errors, on Parameters that share memory with their arrays."""

import copy
import gc
import math
import pickle
import weakref

import numpy as np
import pytest

from srcgrad.optim import SGD, Adam, Optimizer
from srcgrad.runtime.grad_mode import is_grad_enabled, no_grad
from srcgrad.runtime.parameter import Parameter
from srcgrad.runtime.result import Result

pytestmark = pytest.mark.quick


def descend(steps, optimizer, x):
    """x after each step down 3 x^2 + 6 x - 9."""
    path = []
    for _ in range(steps):
        optimizer.zero_grad()
        x.grad = 6 * x.data + 6
        optimizer.step()
        path.append(x.item())
    return path


def curve(x, c, b=2.0, d=4.0):
    """The recorded call of y = c * 3 * exp(x) + b * x + d, from the SGD tutorial."""
    grown = 3 * np.exp(x.data)
    slope = c.data * grown + b
    return Result(c.data * grown + b * x.data + d, lambda g: (g * slope, g * grown), (x, c), "curve_backward")


def tutorial_values(parameters):
    return pytest.approx([p.item() for p in parameters], abs=1e-4)


# the tutorial


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ({}, [3.4, 0.76, -0.296]),
        ({"momentum": 0.9}, [3.4, -5.18, -10.394]),
        ({"momentum": 0.9, "dampening": 0.1}, [3.4, -4.916, -10.28576]),
        ({"weight_decay": 0.1}, [3.3, 0.687, -0.33207]),
        ({"momentum": 0.9, "nesterov": True}, [-2.54, -6.1304, -4.344704]),
        ({"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}, [-2.73, -6.13293, -4.18627113]),
        ({"maximize": True}, [16.6, 27.16, 44.056]),
    ],
)
def test_three_steps_down_a_parabola(options, path):
    x = Parameter(10.0)
    assert descend(3, SGD([x], lr=0.1, **options), x) == pytest.approx(path, rel=1e-12)


def test_twenty_steps_reach_the_minimum():
    x = Parameter(10.0)
    assert descend(20, SGD([x], lr=0.1), x)[-1] == pytest.approx(-0.99999988, abs=1e-8)
    assert 3 * x.item() ** 2 + 6 * x.item() - 9 == pytest.approx(-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_step_moves_the_variables_themselves(dtype):
    arrays = np.array(5, dtype), np.array(3, dtype)
    x, c = map(Parameter, arrays)
    optimizer = SGD([x, c], lr=1.0)
    curve(x, c).backward()
    optimizer.step()
    assert tutorial_values((x, c)) == [-1332.7185, -442.2395]
    assert x.data is arrays[0]
    assert optimizer.param_groups[0]["params"][0] is x
    assert x.dtype == c.dtype == dtype


def test_printed_as_pytorch_does():
    optimizer = SGD([Parameter(5.0), Parameter(3.0)], lr=1.0)
    assert str(optimizer) == (
        "SGD (\n"
        "Parameter Group 0\n"
        "    dampening: 0\n"
        "    lr: 1.0\n"
        "    maximize: False\n"
        "    momentum: 0\n"
        "    nesterov: False\n"
        "    weight_decay: 0\n"
        ")"
    )
    optimizer.param_groups[0]["lr"] = 0.1
    assert "    lr: 0.1\n" in str(optimizer)


def test_two_groups_are_printed_with_a_blank_line_between():
    text = str(SGD([{"params": [Parameter(1.0)]}, {"params": [Parameter(2.0)], "lr": 0.5}]))
    assert "    weight_decay: 0\n\nParameter Group 1\n    dampening: 0\n    lr: 0.5\n" in text
    assert "    lr: 0.001\n" in text


def test_a_new_lr_takes_effect():
    x = Parameter(10.0)
    optimizer = SGD([x], lr=1.0)
    optimizer.param_groups[0]["lr"] = 0.1
    assert descend(1, optimizer, x) == pytest.approx([3.4])


def test_groups_have_options_of_their_own():
    x, c = Parameter(1.0), Parameter(1.0)
    optimizer = SGD([{"params": [x], "lr": 0.5}, {"params": c, "momentum": 0.9}], lr=0.1)
    for _ in range(2):
        x.grad, c.grad = 1.0, 1.0
        optimizer.step()
    assert x.item() == 0.0
    assert c.item() == pytest.approx(1 - 0.1 - 0.1 * 1.9)


def test_a_parameter_replaced_in_its_group():
    x, c = Parameter(5.0), Parameter(3.0)
    optimizer = SGD([x, c], lr=0.1)
    optimizer.param_groups[0]["params"][0] = Parameter(10.0)
    curve(x, c).backward()
    optimizer.step()
    assert x.item() == 5
    assert x.grad == pytest.approx(1337.7185, abs=1e-4)
    assert tutorial_values(optimizer.param_groups[0]["params"]) == [10.0, -41.5240]


def test_a_name_rebound_outside():
    x, c = Parameter(5.0), Parameter(3.0)
    optimizer = SGD([x, c], lr=1.0)
    y = curve(x, c)
    x = Parameter(10.0)
    assert tutorial_values(optimizer.param_groups[0]["params"]) == [5, 3]
    y.backward()
    optimizer.step()
    assert x.item() == 10
    assert x.grad is None
    assert tutorial_values(optimizer.param_groups[0]["params"]) == [-1332.7185, -442.2395]


# what it takes


def test_any_iterable_of_parameters():
    parameters = [Parameter(1.0), Parameter(2.0)]
    for given in (parameters, tuple(parameters), iter(parameters), (p for p in parameters)):
        assert SGD(given).param_groups[0]["params"] == parameters
    named = dict(zip("ab", parameters))
    assert SGD(named.values()).param_groups[0]["params"] == parameters


class Model:
    def parameters(self):
        return []


@pytest.mark.parametrize("params", [Parameter(1.0), Parameter([1.0]), np.ones(3), 1.0, "ab", {"params": []}])
def test_a_single_one_goes_into_a_list(params):
    with pytest.raises(TypeError, match=r"iterable of parameters or dicts, not a \w+; pass a list of one: \[x\]"):
        SGD(params)


def test_a_model_gives_its_parameters():
    with pytest.raises(TypeError, match=r"not a Model; pass model.parameters\(\)"):
        SGD(Model())


@pytest.mark.parametrize("entry", [np.ones(3), 1.0, (1.0, 2.0), {"params": []}])
def test_entries_are_parameters(entry):
    with pytest.raises(TypeError, match=r"entry 1 is a \w+: make an array a Parameter, Parameter\(array\)"):
        SGD([Parameter(1.0), entry])


def test_named_parameters_are_pairs():
    with pytest.raises(TypeError, match=r"as named_parameters\(\) gives them: pass model.parameters\(\)"):
        SGD([("x", Parameter(1.0))], lr=0.1)


def test_state_under_texts_instead_of_numbers():
    x = Parameter(1.0)
    optimizer = SGD([x], lr=0.1, momentum=0.9)
    x.grad = np.ones(())
    optimizer.step()
    saved = optimizer.state_dict()
    saved["state"] = {str(number): state for number, state in saved["state"].items()}  # as JSON would make them
    with pytest.raises(ValueError, match="state of '0', which is no number of a parameter"):
        optimizer.load_state_dict(saved)


def test_betas_are_two():
    with pytest.raises(ValueError, match="Invalid betas"):
        Adam([Parameter(1.0)], betas=(0.9,))


def test_a_set_has_no_order():
    with pytest.raises(TypeError, match="a set has not: pass a list"):
        SGD({Parameter(1.0)})


def test_groups_have_params():
    with pytest.raises(TypeError, match='a dict with the key "params"'):
        SGD([{"lr": 1.0}])
    with pytest.raises(TypeError, match='a dict with the key "params"'):
        SGD([{"params": []}, Parameter(1.0)])


@pytest.mark.parametrize("params", [[], (), iter(())])
def test_an_empty_list(params):
    with pytest.raises(ValueError, match=r"^optimizer got an empty parameter list$"):
        SGD(params)


def test_duplicates():
    x = Parameter([1.0, 2.0])
    with pytest.raises(ValueError, match="a parameter group contains duplicate parameters"):
        SGD([x, x])
    with pytest.raises(ValueError, match="some parameters appear in more than one parameter group"):
        SGD([{"params": [x]}, {"params": [Parameter([1.0, 2.0]), x]}])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lr": -1}, "Invalid learning rate: -1"),
        ({"lr": math.nan}, "Invalid learning rate: nan"),
        ({"momentum": -0.5}, "Invalid momentum value: -0.5"),
        ({"weight_decay": -0.5}, "Invalid weight_decay value: -0.5"),
        ({"nesterov": True}, "Nesterov momentum requires a momentum and zero dampening"),
        (
            {"nesterov": True, "momentum": 0.9, "dampening": 0.1},
            "Nesterov momentum requires a momentum and zero dampening",
        ),
    ],
)
def test_options_out_of_range(options, message):
    for attempt in (
        lambda: SGD([Parameter(1.0)], **options),
        lambda: SGD([{"params": [Parameter(1.0)], **options}]),
    ):
        with pytest.raises(ValueError, match=f"^{message}$"):
            attempt()


def test_the_callers_group_stays_as_it_was():
    group = {"params": [Parameter(1.0)]}
    SGD([group], lr=0.5)
    assert set(group) == {"params"}


# steps


def test_a_parameter_without_gradient_stays():
    x, frozen = Parameter(1.0), Parameter(1, requires_grad=False)
    x.grad = 1.0
    SGD([x, frozen], lr=0.5, weight_decay=0.1).step()
    assert frozen.item() == 1
    assert x.item() == pytest.approx(0.45)


def test_zero_grad():
    x, c = Parameter([1.0]), Parameter(1.0)
    optimizer = SGD([{"params": [x]}, {"params": [c]}])
    x.grad = [1.0]
    optimizer.zero_grad(set_to_none=False)
    assert x.grad.tolist() == [0]
    assert c.grad is None
    optimizer.zero_grad()
    assert x.grad is None


@pytest.mark.parametrize("lr", [0.1, np.float64(0.1), np.array(0.1)])
@pytest.mark.parametrize("momentum", [0, np.float64(0.9)])
def test_float32_stays_float32(lr, momentum):
    x = Parameter(np.ones(3, np.float32))
    x.grad = np.ones(3, np.float32)
    optimizer = SGD([x], lr=lr, momentum=momentum, weight_decay=np.float64(0.1))
    for _ in range(2):
        optimizer.step()
    assert x.dtype == np.float32
    if momentum:
        assert optimizer.state[x]["momentum_buffer"].dtype == np.float32


def test_a_strided_view_is_moved_where_it_lies():
    whole = np.zeros((4, 4))
    x = Parameter(whole[::2, 1::2].T)
    x.grad = np.ones((2, 2))
    SGD([x], lr=1.0, momentum=0.9, weight_decay=0.1).step()
    assert whole.sum() == -4
    assert (whole[::2, 1::2] == -1).all()


@pytest.mark.parametrize("options", [{}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}, {"maximize": True}])
def test_a_step_leaves_the_gradient_alone(options):
    x = Parameter([1.0, 2.0])
    x.grad = np.array([1.0, 1.0])
    optimizer = SGD([x], lr=0.5, **options)
    for _ in range(3):
        optimizer.step()
    assert x.grad.tolist() == [1, 1]


def test_a_step_counts_as_a_write():
    x = Parameter(1.0)
    out = Result(2.0, lambda d: (d * x.data,), (x,), "loss_backward")
    x.grad = 1.0
    SGD([x]).step()
    with pytest.raises(RuntimeError, match="modified in place"):
        out.backward()


def test_a_closure_is_recorded_and_its_loss_returned():
    x = Parameter(10.0)
    optimizer = SGD([x], lr=0.1)

    def closure():
        assert is_grad_enabled()
        x.grad = 6 * x.data + 6
        return "loss"

    with no_grad():
        assert optimizer.step(closure) == "loss"
        assert not is_grad_enabled()
    assert x.item() == pytest.approx(3.4)
    assert optimizer.step() is None


def test_an_optimizer_of_ones_own_writes_update():
    class SignDescent(Optimizer):
        @staticmethod
        def update(param, grad, state, *, lr):
            state["step"] = state.get("step", 0) + 1
            param -= lr * np.sign(grad)

    x = Parameter([1.0, 2.0])
    optimizer = SignDescent([x], {"lr": 0.5})
    for _ in range(2):
        x.grad = np.array([3.0, -4.0])
        optimizer.step()
    assert x.data.tolist() == [0.0, 3.0]
    assert optimizer.state[x] == {"step": 2}


# state


def test_the_first_buffer_is_the_raw_gradient():
    x = Parameter([1.0])
    x.grad = np.array([3.0])
    optimizer = SGD([x], momentum=0.9, dampening=0.5)
    optimizer.step()
    buffer = optimizer.state[x]["momentum_buffer"]
    assert buffer.tolist() == [3]
    assert not np.shares_memory(buffer, x.grad)


def test_a_replaced_parameter_starts_without_momentum_and_the_old_one_is_let_go():
    x, old = Parameter([1.0, 2.0]), Parameter([1.0, 2.0])
    optimizer = SGD([x, old], lr=0.1, momentum=0.9)
    x.grad, old.grad = np.ones(2), np.ones(2)
    optimizer.step()
    optimizer.param_groups[0]["params"][1] = new = Parameter([1.0, 2.0])
    assert new not in optimizer.state
    assert len(optimizer.state) == 2
    alive = weakref.ref(old)
    del old
    gc.collect()
    assert alive() is None
    assert list(map(id, optimizer.state)) == [id(x)]
    with pytest.raises(KeyError):
        optimizer.state[new]


def test_state_is_a_mapping():
    x = Parameter([1.0, 2.0])
    optimizer = SGD([x])
    optimizer.state[x] = {"momentum_buffer": np.ones(2)}
    assert x in optimizer.state
    del optimizer.state[x]
    assert x not in optimizer.state


def trained(x, **options):
    x.grad = np.ones_like(x.data)
    optimizer = SGD([{"params": [x], "lr": 0.2}, {"params": [Parameter(1.0)]}], **options)
    optimizer.step()
    return optimizer


def test_state_dict_is_a_snapshot():
    x = Parameter([1.0, 2.0])
    optimizer = trained(x, momentum=0.9)
    saved = optimizer.state_dict()
    optimizer.step()
    assert saved["state"].keys() == {0}
    assert saved["state"][0]["momentum_buffer"].tolist() == [1, 1]
    assert [group["params"] for group in saved["param_groups"]] == [[0], [1]]
    assert saved["param_groups"][0]["lr"] == 0.2


def test_training_goes_on_from_a_state_dict():
    x = Parameter([1.0, 2.0])
    optimizer = trained(x, momentum=0.9)
    saved = pickle.loads(pickle.dumps(optimizer.state_dict()))
    other = Parameter(x.data.copy())
    resumed = SGD([{"params": [other]}, {"params": [Parameter(1.0)]}], lr=7.0)
    resumed.load_state_dict(saved)
    for again, p in ((optimizer, x), (resumed, other)):
        p.grad = np.ones(2)
        again.step()
        again.step()
    assert (other == x).all()
    assert saved["state"][0]["momentum_buffer"].tolist() == [1, 1]
    assert str(resumed) == str(optimizer)


def test_a_state_dict_of_another_optimizer_is_refused():
    optimizer = trained(Parameter([1.0, 2.0]), momentum=0.9)
    with pytest.raises(ValueError, match="different number of parameter groups"):
        optimizer.load_state_dict(SGD([Parameter(1.0)]).state_dict())
    pair = SGD([{"params": [Parameter(1.0), Parameter(1.0)]}, {"params": [Parameter(1.0)]}])
    with pytest.raises(ValueError, match="doesn't match the size of optimizer's group"):
        optimizer.load_state_dict(pair.state_dict())
    with pytest.raises(ValueError, match=r"momentum_buffer of shape \(3,\) for a parameter of shape \(2,\)"):
        optimizer.load_state_dict(trained(Parameter([1.0, 2.0, 3.0]), momentum=0.5).state_dict())
    assert optimizer.param_groups[0]["momentum"] == 0.9


@pytest.mark.parametrize("again", [copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))])
def test_pickles_and_deep_copies_with_its_parameters(again):
    x = Parameter([1.0, 2.0])
    optimizer = trained(x, momentum=0.9)
    other = again(optimizer)
    optimizer.step()
    copied = other.param_groups[0]["params"][0]
    assert copied.data.tolist() == [0.8, 1.8]
    assert other.state[copied]["momentum_buffer"].tolist() == [1, 1]
    other.step()
    assert (copied == x).all()

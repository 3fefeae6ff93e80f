"""Optimizers as pure functions: nested containers in, new containers of the same structure out."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest

from srcgrad import grad
from srcgrad.optim import ShapeMismatch
from srcgrad.optim.functional import adam, rmsprop, sgd

pytestmark = pytest.mark.quick


class Layer(NamedTuple):
    weight: Any
    bias: Any


@dataclass
class Model:
    layers: list[Layer]
    scale: float


def model():
    return Model([Layer(np.ones((2, 3)), np.zeros(3)), Layer(np.ones((3, 1), np.float32), np.zeros(1))], 2.0)


def test_structure_types_and_dtypes_stay():
    params = {"model": model(), "more": (np.float32(1.0), [0.5]), "table": OrderedDict(b=np.ones(2))}
    moved, state = sgd(params, params, lr=0.5)
    assert state == {}
    assert type(moved["table"]) is OrderedDict
    assert type(moved["model"]) is Model
    first, second = moved["model"].layers
    assert type(first) is Layer
    assert second.weight.dtype == np.float32
    assert type(moved["model"].scale) is float
    assert type(moved["more"][0]) is np.float32
    assert moved["more"] == (0.5, [0.25])
    np.testing.assert_array_equal(first.weight, np.full((2, 3), 0.5))
    assert params["model"].layers[0].weight[0, 0] == 1.0


def test_state_has_the_structure_of_the_parameters():
    params = {"w": np.ones(2), "b": [1.0]}
    _, state = adam(params, params)
    assert state.keys() == {"step", "exp_avg", "exp_avg_sq"}
    assert state["step"] == 1
    assert state["exp_avg"].keys() == {"w", "b"}
    kept = state["exp_avg"]["w"].copy()
    adam(params, params, state)
    assert state["step"] == 1
    np.testing.assert_array_equal(state["exp_avg"]["w"], kept)


def test_a_loop_with_a_compiled_gradient():
    @grad
    def loss(params, x, y):
        return np.mean((x @ params["w"] + params["b"] - y) ** 2)

    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, 2))
    y = x @ [1.0, -2.0] + 0.5
    params, state = {"w": np.zeros(2), "b": 0.0}, None
    for _ in range(300):
        params, state = adam(params, loss(params, x, y), state, lr=0.05)
    np.testing.assert_allclose(params["w"], [1.0, -2.0], atol=1e-3)
    assert params["b"] == pytest.approx(0.5, abs=1e-3)


def test_none_keeps_a_branch_where_it_is():
    params = {"frozen": [np.ones(2), 3.0], "w": np.ones(2)}
    moved, state = sgd(params, {"frozen": None, "w": np.ones(2)}, lr=0.5, momentum=0.9)
    assert moved["frozen"][1] == 3.0
    assert state["momentum_buffer"]["frozen"] == [None, None]
    moved, state = sgd(moved, {"frozen": [np.ones(2), None], "w": np.ones(2)}, state, lr=0.5, momentum=0.9)
    np.testing.assert_array_equal(moved["frozen"][0], [0.5, 0.5])
    np.testing.assert_array_equal(moved["w"], 1 - 0.5 - 0.5 * 1.9)


def test_a_single_array_is_a_tree():
    moved, state = rmsprop(np.ones(2), np.ones(2), lr=0.1)
    assert moved.shape == state["square_avg"].shape == (2,)


def test_other_structures_and_shapes_are_named():
    params = {"w": [np.ones((3, 4))]}
    with pytest.raises(ShapeMismatch, match=r"^params\['w'\]\[0\] has shape \(3, 4\), but its gradient has \(4, 3\)$"):
        sgd(params, {"w": [np.ones((4, 3))]})
    with pytest.raises(ValueError, match=r"^params has \['w'\], but grads has \['v'\]$"):
        sgd(params, {"v": [np.ones((3, 4))]})
    with pytest.raises(ValueError, match=r"^params\['w'\] has \[0\], but grads\['w'\] has one value$"):
        sgd(params, {"w": np.ones((3, 4))})
    with pytest.raises(ValueError, match=r"^params\['w'\]\[0\] is one value, but grads\['w'\]\[0\] is a list$"):
        sgd(params, {"w": [[np.ones((3, 4))]]})


@pytest.mark.parametrize("value", [1, np.arange(3), "w"])
def test_only_floats_move(value):
    with pytest.raises(TypeError, match=r"params\['n'\] is a \w+ of \S+, which no step can move: floats are needed"):
        sgd({"n": value}, {"n": value})


def test_a_rate_that_is_an_array():
    moved, _ = sgd({"a": np.ones(2)}, {"a": np.ones(2)}, None, lr=np.array(0.1))
    np.testing.assert_array_equal(moved["a"], [0.9, 0.9])

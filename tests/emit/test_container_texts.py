"""Generated text for lists, dicts and objects, as reviewed: read the diff before you refresh it.

SRCGRAD_UPDATE_GOLDEN=1 pytest tests/emit/test_container_texts.py
"""

import dataclasses
import os
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
from agreement import check

from srcgrad import Parameter, grad

GOLDEN = Path(__file__).parents[1] / "golden" / "containers"
RNG = np.random.default_rng(31)


def normal(*shape):
    return RNG.standard_normal(shape) * 0.3


def char_rnn(Wxh, Whh, Why, bh, by, hprev, inputs, targets):
    xs, hs, ys, ps = {}, {}, {}, {}
    hs[-1] = np.copy(hprev)
    loss = 0
    for t in range(len(inputs)):
        xs[t] = np.zeros((Wxh.shape[1], 1))
        xs[t][inputs[t]] = 1  # one-hot
        hs[t] = np.tanh(np.dot(Wxh, xs[t]) + np.dot(Whh, hs[t - 1]) + bh)
        ys[t] = np.dot(Why, hs[t]) + by
        ps[t] = np.exp(ys[t]) / np.sum(np.exp(ys[t]))
        loss += -np.log(ps[t][targets[t], 0])
    return loss


def stacked_rows(w, xs):
    h, hs = np.zeros(len(w)), []
    for x in xs:
        h = np.tanh(w @ x + h)
        hs.append(h)
    return np.mean(np.stack(hs) ** 2)


def cache_of_tuples(w, xs):
    h, cache = np.zeros(len(w)), []
    for x in xs:
        a = w @ x + h
        h = np.tanh(a)
        cache.append((a, h))
    total = 0.0
    for a, h in reversed(cache):
        total = 0.9 * total + a @ h
    return total


def comprehension_sums(ws, x, decay):
    outputs = [np.tanh(w @ x) for w in ws]
    penalty = sum(np.sum(w**2) for w in ws)
    return sum(np.sum(y) for y in outputs) + decay * penalty


Weights = namedtuple("Weights", "w b")


def named_tuple(params, x, y):
    error = x @ params.w + params.b - y
    return np.mean(error**2)


@dataclasses.dataclass(frozen=True)
class Params:
    w: np.ndarray
    b: float
    activation: str = "tanh"


def dataclass_params(params, x):
    z = x @ params.w + params.b
    return np.sum(np.tanh(z) if params.activation == "tanh" else z)


class Linear:
    def __init__(self, w, b):
        self.w, self.b = w, b

    def __call__(self, x):
        return x @ self.w + self.b


class Network:
    def __init__(self, layers, wrap=np.asarray):
        self.layers = [Linear(wrap(w), wrap(b)) for w, b in layers]
        self.training = True

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = np.maximum(layer(x), 0.0)
        return self.layers[-1](x)


def list_of_layers(model, x, y):
    error = model.forward(x) - y
    return np.mean(error**2)


LAYERS = [(normal(3, 4), normal(4)), (normal(4, 2), normal(2))]
SHAPES = (4, 5), (4, 4), (5, 4), (4, 1), (5, 1), (4, 1)
CASES = {
    char_rnn: (
        [*(normal(*shape) for shape in SHAPES), RNG.integers(0, 5, 70), RNG.integers(0, 5, 70)],
        tuple(range(6)),
    ),
    stacked_rows: ([normal(3, 2), normal(70, 2)], (0,)),
    cache_of_tuples: ([normal(3, 2), normal(70, 2)], (0,)),
    comprehension_sums: ([[normal(3, 2), normal(4, 2)], normal(2), 0.1], (0,)),
    named_tuple: ([Weights(normal(3, 2), normal(2)), normal(5, 3), normal(5, 2)], (0,)),
    dataclass_params: ([Params(normal(3), 0.5), normal(4, 3)], (0,)),
    list_of_layers: ([Network(LAYERS), normal(5, 3), normal(5, 2)], (0,)),
}


def compare(name, text):
    file = GOLDEN / f"{name}.py"
    if os.environ.get("SRCGRAD_UPDATE_GOLDEN"):
        file.write_text(text)
    assert text == file.read_text()


@pytest.mark.quick
@pytest.mark.parametrize("function", CASES, ids=lambda function: function.__name__)
def test_the_text_is_the_one_that_was_reviewed(function):
    args, wrt = CASES[function]
    gradient = check(function, *args, wrt=wrt)
    gradient(*args)
    compare(function.__name__, gradient.source)


@pytest.mark.quick
def test_the_pair_of_a_model_with_parameters():
    gradient, model = grad(list_of_layers), Network(LAYERS, Parameter)
    gradient.forward(model, normal(5, 3), normal(5, 2)).backward()
    compare("model_pair", gradient.source)

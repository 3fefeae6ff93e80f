"""Generated text for models of modules, as reviewed: read the diff before you refresh it.

SRCGRAD_UPDATE_GOLDEN=1 pytest tests/emit/test_module_texts.py
"""

import os
from pathlib import Path

import numpy as np
import pytest

from srcgrad import grad, nn

GOLDEN = Path(__file__).parents[1] / "golden" / "modules"
DTYPE = {"dtype": np.float64}


class Perceptron(nn.Module):
    """Names follow the way to a leaf: a_weight, ln_bias."""

    def __init__(self):
        self.a = nn.Linear(4, 8, **DTYPE)
        self.drop = nn.Dropout(0.5)
        self.ln = nn.LayerNorm(8, **DTYPE)
        self.b = nn.Linear(8, 2, **DTYPE)

    def forward(self, x):
        return self.b(self.ln(self.drop(np.tanh(self.a(x)))))


class Block(nn.Module):
    def __init__(self):
        self.norm, self.inner = nn.LayerNorm(4, **DTYPE), nn.Linear(4, 4, **DTYPE)

    def forward(self, x):
        return x + np.tanh(self.inner(self.norm(x)))


class Blocks(nn.Module):
    """What the blocks save is numbered from the first one on."""

    def __init__(self):
        self.blocks = [Block() for _ in range(3)]

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return x


class Images(nn.Module):
    """Steps of 1 and sizes that a helper takes apart leave no line; batch norm is differentiated through."""

    def __init__(self):
        self.first = nn.Conv2d(1, 2, 3, **DTYPE)
        self.bn = nn.BatchNorm2d(2, **DTYPE)
        self.second = nn.Conv2d(2, 3, 3, stride=2, **DTYPE)
        self.pool = nn.MaxPool2d(2)

    def forward(self, x):
        return self.pool(self.second(np.tanh(self.bn(self.first(x)))))


class Sequence(nn.Module):
    """A gradient that is another one's copy is named after its own parameter."""

    def __init__(self):
        self.rnn = nn.RNN(3, 4, **DTYPE)

    def forward(self, x):
        return self.rnn(x)[0]


def loss(model, x):
    return np.mean(model(x) ** 2)


MODELS = {Perceptron: (5, 4), Blocks: (5, 4), Images: (2, 1, 12, 12), Sequence: (6, 2, 3)}


@pytest.mark.quick
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_the_halves_are_those_that_were_reviewed(model):
    gradient = grad(loss)
    gradient.forward(model(), np.ones(MODELS[model])).backward()
    file = GOLDEN / f"{model.__name__.lower()}.py"
    if os.environ.get("SRCGRAD_UPDATE_GOLDEN"):
        file.write_text(gradient.source)
    assert gradient.source == file.read_text()

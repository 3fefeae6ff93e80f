"""Generated text for rules, checkpoints and hooks, as reviewed: read the diff before you refresh it.

SRCGRAD_UPDATE_GOLDEN=1 pytest tests/emit/test_custom_texts.py
"""

import os
from pathlib import Path

import numpy as np
import pytest
from agreement import check

from srcgrad import checkpoint, grad, hook, rule

GOLDEN = Path(__file__).parents[1] / "golden" / "custom"
RNG = np.random.default_rng(11)


@rule
def softplus(x):
    return np.log1p(np.exp(x))


@softplus.forward
def softplus_forward(x):
    e = np.exp(-np.abs(x))
    return np.maximum(x, 0) + np.log1p(e), (x, e)


@softplus.backward
def softplus_backward(saved, d):
    x, e = saved
    return d * np.where(x > 0, 1 / (1 + e), e / (1 + e))


def layers(x, ws):
    for w in ws:
        x = softplus(w @ x)  # positive
    return np.sum(x**2)


@checkpoint
def cell(h, x, w, u):
    a = np.tanh(w @ h + u @ x)
    gate = 1 / (1 + np.exp(-a))
    return gate * a + (1 - gate) * h


def recurrent(h, xs, w, u):
    for x in xs:
        h = cell(h, x, w, u)
    return np.sum(h**2)


def interpolate(table, x):
    return np.asarray([table[int(v)] * (1 - v % 1) + table[int(v) + 1] * (v % 1) for v in x.tolist()])


looked_up = rule(interpolate, like="x", read=False)


@looked_up.forward
def interpolate_forward(table, x):
    return interpolate(table, x), (table, x)


@looked_up.backward
def interpolate_backward(saved, d):
    table, x = saved
    whole, part = x.astype(int), x % 1
    d_table = np.zeros_like(table)
    np.add.at(d_table, whole, d * (1 - part))
    np.add.at(d_table, whole + 1, d * part)
    return d_table, d * (table[whole + 1] - table[whole])


def show(d):
    assert d.shape == (4,)


def calibrated(table, x, target):
    fit = hook(looked_up(table, x), show)
    return np.mean((fit - target) ** 2)


CASES = {
    "layers": (layers, (RNG.normal(size=3), RNG.normal(size=(4, 3, 3)))),
    "recurrent": (recurrent, tuple(RNG.normal(size=shape) for shape in ((3,), (5, 2), (3, 3), (3, 2)))),
    "calibrated": (calibrated, (RNG.normal(size=6), RNG.uniform(0.1, 4.9, 4), RNG.normal(size=4))),
}


@pytest.mark.parametrize("name", CASES)
def test_the_generated_text_is_the_reviewed_one(name):
    function, args = CASES[name]
    check(function, *args)
    gradient = grad(function, argnums=tuple(range(len(args))))
    gradient(*args)
    path = GOLDEN / f"{name}.py"
    if os.environ.get("SRCGRAD_UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(gradient.source)
    assert gradient.source == path.read_text()

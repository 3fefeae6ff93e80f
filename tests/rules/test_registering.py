"""Rules that users register: inference by probes, broadcasting and second order come with them."""

import numpy as np
import pytest
from symbolic_gradients import gradients

from srcgrad.ir.dims import Facts, Symbol, as_dim
from srcgrad.ir.primitive import find
from srcgrad.ir.symbolic import apply
from srcgrad.ir.types import Array
from srcgrad.rules import elementwise, general

pytestmark = pytest.mark.quick


def swish(x):
    return x / (1 + np.exp(-x))


def windows(x, width=2):
    """Every stretch of `width` neighbours."""
    return np.lib.stride_tricks.sliding_window_view(x, width)


elementwise(swish, lambda d, y, x: d * (y + (1 - y) / (1 + np.exp(-x))), name="swish")
general(windows, None, keywords=("width",), name="windows")


def test_elementwise_rule_of_a_user():
    x = np.linspace(-2.0, 2.0, 5)
    (gradient,) = gradients(lambda x: np.sum(apply(x.builder, swish, (x,), {})), x)
    np.testing.assert_allclose(gradient, (swish(x + 1e-6) - swish(x - 1e-6)) / 2e-6, rtol=1e-8)


@pytest.mark.parametrize(("taken", "width"), [(0, 2), (0, 4), (40, 3), (400, 3)])
def test_lengths_are_found_by_probing(taken, width):
    """Also those that a small probe would have used up, as `n - 400`."""
    facts, n = Facts(), as_dim(Symbol("n"))
    type = find(windows).infer(facts, [Array(np.dtype(float), (n - taken,))], {"width": width}, "function")
    assert type.axes == (n - taken - width + 1, as_dim(width))

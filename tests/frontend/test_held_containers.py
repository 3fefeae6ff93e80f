"""A container that control flow chose may not be changed while its origin can be reached, whatever holds it."""

import functools

import numpy as np
import pytest

from srcgrad import CompileError, grad

pytestmark = pytest.mark.quick


def read(state):
    return state["a"]


class Holder:
    def __init__(self, state):
        self.state = state

    def get(self):
        return self.state["a"]


@pytest.mark.parametrize("hold", [lambda state: functools.partial(read, state), lambda state: Holder(state).get])
def test_a_partial_and_a_bound_method_hold_what_they_were_made_with(hold):
    def loss(x):
        state, other = {"a": x[0]}, {"a": x[1]}
        get = hold(state)
        chosen = state if x[0] > 0 else other
        del state, other
        chosen["a"] = x[2] ** 2
        return get() * 2 + chosen["a"]

    with pytest.raises(CompileError, match="which one that is depends on a branch or loop"):
        grad(loss)(np.array([0.5, 1.5, 0.3]))

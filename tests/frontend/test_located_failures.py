"""Whatever goes wrong in a later stage is located at the user's line, with a way out."""

import numpy as np
import pytest

from srcgrad import grad
from srcgrad.emit.statements import Scheduler
from srcgrad.errors import CompileError, InternalError, Unsupported
from srcgrad.optimize.simplify import Simplifier

pytestmark = pytest.mark.quick


def loss(x):
    y = np.tanh(x)
    return np.sum(y * y)


def failing(original, error):
    def method(self, op, *rest):
        if op.prim.name == "np.tanh" and op.role == "primal":
            raise error
        return original(self, op, *rest)

    return method


@pytest.mark.parametrize(
    "error", [InternalError("no value in scope reveals the length n"), KeyError("n"), AssertionError()]
)
@pytest.mark.parametrize(
    ("owner", "name", "stage"), [(Scheduler, "op_reads", "emit"), (Simplifier, "visit", "simplify")]
)
def test_a_bug_of_a_stage_names_the_line(monkeypatch, owner, name, stage, error):
    monkeypatch.setattr(owner, name, failing(getattr(owner, name), error))
    with pytest.raises(InternalError) as caught:
        grad(loss, wrt="x").value_and_grad(np.ones(3))
    text = str(caught.value)
    assert f"test_located_failures.py:{loss.__code__.co_firstlineno + 1}:" in text
    assert "y = np.tanh(x)" in text
    assert f"in its stage `{stage}`" in text
    assert "report it" in text


def test_what_a_late_stage_does_not_support_is_a_fault_at_the_line(monkeypatch):
    refusal = Unsupported("this cannot be emitted", "Write it otherwise.")
    monkeypatch.setattr(Scheduler, "op_reads", failing(Scheduler.op_reads, refusal))
    with pytest.raises(CompileError) as caught:
        grad(loss, wrt="x").value_and_grad(np.ones(3))
    (fault,) = caught.value.faults
    assert fault.origin.line == loss.__code__.co_firstlineno + 1
    assert fault.way_out == "Write it otherwise."

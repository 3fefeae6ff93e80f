"""check_grads: silent where derivatives are right; names the statement where a rule is wrong."""

import importlib

import numpy as np
import pytest

from srcgrad import GradientMismatch, check_grads, rules
from srcgrad.ir import infer, primitive
from srcgrad.rules.registry import CASES

RNG = np.random.default_rng(2)
X = RNG.uniform(0.5, 1.5, 4)


@pytest.fixture
def wrong():
    """Registers a rule for np.ldexp, x * 2**n, that is right by default; gone after the test."""
    tables = primitive._BY_FUNCTION, primitive._BY_NAME, CASES
    before = [dict(table) for table in tables]

    def register(reverse=2.0, forward=2.0):
        rules.general(
            np.ldexp,
            lambda d, y, x, n: d * reverse,
            None,
            tangent=lambda ts, y, x, n: ts[0] * forward,
            operands=("x", "n"),
            infer=infer.elementwise(np.ldexp),
            cases=[rules.Case((3,), 1)],
        )

    yield register
    for table, old in zip(tables, before, strict=True):
        table.clear()
        table.update(old)


@pytest.mark.parametrize("name", ["two_layer_net", "rnn", "leaky_integrator", "newton_sqrt", "gaussian_cholesky"])
def test_specimens_are_right(name):
    module = importlib.import_module(f"specimens.{name}")
    check_grads(module.loss, *module.arguments(np.random.default_rng(0)), wrt=module.WRT)


@pytest.mark.parametrize("modes", [("fwd",), ("rev",), ("fwd", "rev")])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_right_derivatives_pass(modes, order):
    def f(x, params, n):
        for _ in range(n):
            x = np.sin(x) * params["w"] + params["b"][0]
        return {"all": x, "sum": np.sum(x**2)}

    assert check_grads(f, X, {"w": X, "b": [0.5]}, 2, order=order, modes=modes) is None
    check_grads(lambda x: np.sum(np.tanh(x) ** 3), X, order=order, modes=modes)


def test_single_precision():
    check_grads(lambda x: np.sum(np.exp(x) * x), X.astype(np.float32))


@pytest.mark.parametrize(("reverse", "forward", "mode"), [(3.0, 2.0, "reverse"), (2.0, 3.0, "forward")])
def test_a_wrong_rule_is_named_with_its_line(wrong, reverse, forward, mode):
    wrong(reverse, forward)

    def loss(x):
        y = np.sin(x)
        z = np.ldexp(y, 1)  # the culprit
        return np.sum(z * np.exp(z))

    with pytest.raises(GradientMismatch) as caught:
        check_grads(loss, X)
    mismatch = caught.value
    assert isinstance(mismatch, AssertionError)
    assert mismatch.mode == mode
    assert "z = np.ldexp(y, 1)" in mismatch.origin.text
    assert mismatch.origin.file.endswith("test_check_grads.py")
    text = str(mismatch)
    assert f"derivative number 1 of `test_a_wrong_rule_is_named_with_its_line.<locals>.loss` in {mode} mode" in text
    assert "the first statement whose derivative disagrees" in text
    assert "`np.ldexp` has" in text
    assert "^^^^^^^^" in text


def test_only_the_modes_asked_for_are_compared(wrong):
    wrong(reverse=3.0, forward=2.0)
    check_grads(lambda x: np.sum(np.ldexp(x, 1)), X, modes=("fwd",), order=1)
    with pytest.raises(GradientMismatch):
        check_grads(lambda x: np.sum(np.ldexp(x, 1)), X, modes=("rev",), order=1)


def test_inside_loops_branches_and_helpers(wrong):
    wrong(reverse=-2.0)

    def helper(v):
        return np.ldexp(v, 1) + 1.0

    def loss(x, n):
        total = 0.0
        for i in range(n):
            if i > 0:
                total = total + np.sum(helper(x * i))
        return total

    with pytest.raises(GradientMismatch, match=r"test_check_grads.py:\d+:\d+: the first statement(.*\n)*.*np.ldexp"):
        check_grads(loss, X, 3)


def test_the_first_of_several(wrong):
    wrong(reverse=5.0)

    def loss(x):
        a = np.ldexp(x, 1)
        b = np.ldexp(a, 1)
        return np.sum(b)

    with pytest.raises(GradientMismatch) as caught:
        check_grads(loss, X)
    assert "a = np.ldexp(x, 1)" in caught.value.origin.text


def test_a_kink_is_no_statements_fault():
    with pytest.raises(GradientMismatch) as caught:
        check_grads(lambda x: np.sum(x * np.round(x * 1e7)), X, order=1)
    assert "is there a kink" in str(caught.value) or caught.value.origin is not None


def test_tolerances():
    check_grads(lambda x: np.sum(x**2), X, atol=1e-3, rtol=1e-3)
    with pytest.raises(GradientMismatch):
        check_grads(lambda x: np.sum(np.exp(x)), X, atol=0.0, rtol=0.0)


def test_arguments():
    with pytest.raises(ValueError, match="modes are 'fwd' and 'rev', not 'forward'"):
        check_grads(lambda x: x, X, modes=("forward",))
    with pytest.raises(ValueError, match="order must be at least 1"):
        check_grads(lambda x: x, X, order=0)
    with pytest.raises(TypeError, match="no argument holds floats"):
        check_grads(lambda x: x, 3)
    with pytest.raises(ValueError, match="no parameter `z`"):
        check_grads(lambda x: x, X, wrt="z")
    before = X.copy()
    check_grads(lambda x, n: np.sum(x) * n, X, 3)
    np.testing.assert_array_equal(X, before)

"""Forward mode on the IR: what becomes of loops and branches, and where tangents come from."""

import numpy as np
import pytest

from srcgrad import CompileError, grad, jvp, rules
from srcgrad.ir import primitive
from srcgrad.ir.nodes import walk
from srcgrad.ir.verify import verify
from srcgrad.pipeline import compile_function
from srcgrad.request import Request
from srcgrad.rules.registry import CASES
from srcgrad.runtime.signature import describe

RNG = np.random.default_rng(11)


def stages(function, args, wrt):
    """The IR of every stage of value and tangent."""
    values = {**args, **{f"t_{name}": args[name] for name in wrt}}
    specs = {name: describe(value) for name, value in values.items()}
    signature = tuple((name, "plain", None) for name in values)
    places, tangents = tuple((name, None) for name in wrt), tuple(f"t_{name}" for name in wrt)
    request = Request(function, specs, places, "jvp", False, signature, tangents=tangents)
    compiled = compile_function(request, values)
    for name, stage in compiled.stages.items():
        verify(stage, compiled.facts, name)
    return compiled.stages


def ops(function, name):
    return [op for op in walk(function.body.ops) if op.prim.name == name]


def test_a_loop_stays_one_loop_that_records_nothing():
    def f(x, n):
        for _ in range(n):
            x = np.sin(x) * x
        return np.sum(x)

    made = stages(f, {"x": np.ones(3), "n": 4}, ["x"])["forward"]
    (loop,) = ops(made, "for")
    assert loop.attrs["carried"] == 2
    assert len(loop.outputs) == 2


def test_what_does_not_depend_on_the_direction_gets_no_tangent():
    def f(x, c):
        scaled = np.exp(c) * c
        return np.sum(x * scaled)

    made = stages(f, {"x": np.ones(3), "c": np.ones(3)}, ["x"])["forward"]
    assert len(ops(made, "np.exp")) == 1
    assert not any(v.hint == "t_scaled" for op in walk(made.body.ops) for v in op.outputs)


@pytest.mark.parametrize("n", [0, 1, 5])
def test_control_flow(n):
    def f(x, n):
        out = np.zeros((3, 2))
        total = 0.0
        for i in range(n):
            if total > 0.5:
                total = np.exp(-total) * x[1]
            else:
                out[i % 3] = x[:2] * total
            total += np.sum(np.tanh(x * i)) + x[0]
        k = 0
        while total < 3.0 and k < 4:
            total = total**2 + 1.0 + x[2] * total
            k += 1
        return total + np.sum(out**2)

    for _ in range(5):
        x, v = RNG.uniform(0.1, 1.0, 3), RNG.standard_normal(3)
        value, tangent = jvp(f, (x, n), (v, None))
        assert value == f(x, n)
        assert tangent == pytest.approx((f(x + 1e-6 * v, n) - f(x - 1e-6 * v, n)) / 2e-6, rel=1e-6, abs=1e-7)
        assert tangent == pytest.approx(np.sum(grad(f)(x, n) * v), rel=1e-10)


def test_lengths_that_only_running_reveals():
    def f(x):
        kept = x[x > 0.0]
        centred = kept - np.mean(kept)
        return np.sum(np.outer(centred**2, np.ones(len(kept))) * kept**2) / len(kept)

    x, v = RNG.standard_normal(6), RNG.standard_normal(6)
    _, tangent = jvp(f, (x,), (v,))
    assert tangent == pytest.approx((f(x + 1e-6 * v) - f(x - 1e-6 * v)) / 2e-6, rel=1e-7)


@pytest.fixture
def own_rules():
    """Rules that a test registers are gone after it."""
    tables = primitive._BY_FUNCTION, primitive._BY_NAME, CASES
    before = [dict(table) for table in tables]
    yield
    for table, old in zip(tables, before, strict=True):
        table.clear()
        table.update(old)


def twice(x):
    return 2.0 * x


def test_a_rule_without_a_tangent_is_transposed_twice(own_rules):
    rules.general(twice, lambda d, y, x: d * 2.0, name="twice", cases=[rules.Case((3,))])
    made = stages(lambda x: np.sum(twice(x)), {"x": np.ones(3)}, ["x"])
    assert len(ops(made["forward"], "twice")) == 1


def test_a_rule_that_is_not_linear_in_its_cotangent_is_refused(own_rules):
    """Whatever J^T d is, d must not be read in J t."""
    rules.general(twice, lambda d, y, x: np.where(d > 0, d * 2.0, 0.0), name="twice", cases=[rules.Case((3,))])
    with pytest.raises(CompileError, match=r"twice has no derivative rule for forward mode\n.*\n.*\n.*`tangent=`"):
        stages(lambda x: np.sum(twice(x)), {"x": np.ones(3)}, ["x"])


def test_a_tangent_of_its_own(own_rules):
    rules.general(
        twice,
        lambda d, y, x: d * 2.0,
        tangent=lambda ts, y, x: ts[0] + ts[0],
        name="twice",
        cases=[rules.Case((3,))],
    )
    made = stages(lambda x: np.sum(twice(x)), {"x": np.ones(3)}, ["x"])["forward"]
    assert len(ops(made, "np.add")) == 1


def test_repeated_writes_keep_the_last():
    """Reverse mode refuses this; forward mode is the write itself."""

    def f(x):
        out = np.zeros(3)
        out[np.array([0, 0, 1])] = x
        return out

    value, tangent = jvp(f, (np.array([1.0, 2.0, 3.0]),), (np.array([10.0, 20.0, 30.0]),))
    np.testing.assert_array_equal(value, [2, 3, 0])
    np.testing.assert_array_equal(tangent, [20, 30, 0])


def test_complex_numbers_inside():
    def f(x):
        z = np.exp(1j * x) * x
        return np.abs(z) + np.real(z * z) + np.imag(np.conj(z))

    x, v = RNG.uniform(0.5, 1.5, 4), RNG.standard_normal(4)
    _, tangent = jvp(f, (x,), (v,))
    np.testing.assert_allclose(tangent, (f(x + 1e-6 * v) - f(x - 1e-6 * v)) / 2e-6, rtol=1e-8)
    assert tangent.dtype == np.float64

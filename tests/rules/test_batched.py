"""Every derivative in the table, for several directions at once: as one by one, or refused."""

import numpy as np
import pytest
from test_table import Specimen, each_case

from srcgrad.errors import Unsupported
from srcgrad.ir.evaluate import evaluate
from srcgrad.ir.nodes import Function, Param, Region, Slot, Value
from srcgrad.ir.verify import verify
from srcgrad.optimize.dead import eliminate_dead
from srcgrad.optimize.simplify import simplify
from srcgrad.transform.batch import batch
from srcgrad.transform.forward import push_forward
from srcgrad.transform.reverse import differentiate

COUNT = 3


def drawn(rng, like, lead=()):
    value = rng.uniform(-1.0, 1.0, (*lead, *np.shape(like)))
    if np.result_type(like).kind == "c":
        value = value + 1j * rng.uniform(-1.0, 1.0, value.shape)
    return value.astype(np.result_type(like))[()]


def derivative(specimen, mode):
    """The derivative's function, its directions (values, and something like each) and which results it gives."""
    ops, outputs = tuple(specimen.builder.ops), [y.atom for y in specimen.floats]
    params = [Param(value, value.hint) for value in specimen.params]
    values = evaluate(specimen.finished(ops, tuple(outputs)), specimen.facts, specimen.args)
    likes = list(values) if mode == "reverse" else [specimen.value(v) for v in specimen.active]
    sources = outputs if mode == "reverse" else specimen.active
    directions = [Value(v.type, f"d{k}") for k, v in enumerate(sources)]
    params += [Param(v, v.hint) for v in directions]
    function = Function("specimen", tuple(params), Region((), ops, tuple(outputs)), None)
    if mode == "reverse":
        made = differentiate(function, range(len(outputs)), specimen.active, specimen.facts, directions)
    else:
        made = push_forward(function, range(len(outputs)), specimen.active, directions, specimen.facts)
    if made.faults:
        pytest.skip("has no derivative")
    joint = made.function
    found = joint.body.results[len(outputs) :]
    joint = Function("specimen", tuple(params), Region((), joint.body.ops, found), tuple(map(Slot, range(len(found)))))
    return eliminate_dead(simplify(eliminate_dead(joint), specimen.facts)), directions, likes


@pytest.mark.parametrize("mode", ["reverse", "forward"])
@each_case
def test_several_directions_are_as_one_by_one(prim, case, mode):
    specimen = Specimen(prim, case)
    if not specimen.active or any(v.type.weak for v in [*specimen.active, *(y.atom for y in specimen.floats)]):
        pytest.skip("Python numbers")
    function, directions, likes = derivative(specimen, mode)
    guards = list(specimen.facts.guards)
    try:
        several = batch(function, directions, range(len(function.body.results)), specimen.facts)
    except Unsupported:
        assert specimen.facts.guards == guards
        pytest.skip("comes one by one")
    assert specimen.facts.guards == guards
    verify(several, specimen.facts, "batch")
    rng = np.random.default_rng(1)
    given = [drawn(rng, like, (COUNT,)) for like in likes]
    found = evaluate(several, specimen.facts, [*specimen.args, *given])
    for k in range(COUNT):
        one = evaluate(function, specimen.facts, [*specimen.args, *(np.asarray(d)[k][()] for d in given)])
        for ours, expected in zip(found, one):
            assert np.shape(ours)[1:] == np.shape(expected)
            assert np.result_type(ours) == np.result_type(expected)
            np.testing.assert_allclose(np.asarray(ours)[k], expected, rtol=1e-12, atol=1e-14)

"""Gradients of a few NumPy calls by way of IR alone: no source is read, and no text is emitted."""

import numpy as np

import srcgrad.rules  # noqa: F401
from srcgrad.ir.builder import Builder
from srcgrad.ir.dims import ONE, Facts, Symbol, as_dim
from srcgrad.ir.evaluate import evaluate
from srcgrad.ir.nodes import Function, Param, Region, Slot, Value
from srcgrad.ir.symbolic import Sym
from srcgrad.ir.types import Array
from srcgrad.optimize.dead import eliminate_dead
from srcgrad.optimize.simplify import simplify
from srcgrad.transform.reverse import differentiate


def gradients(loss, *args):
    """Gradients of a function of NumPy calls in all its arguments, equal with and without optimisation."""
    facts = Facts()
    args = [np.asarray(arg) for arg in args]
    params = []
    for arg in args:
        symbols = [Symbol(f"n{len(facts.sizes) + i}") for i in range(arg.ndim)]
        facts.sizes.update(zip(symbols, arg.shape))
        axes = tuple(ONE if n == 1 else as_dim(symbol) for symbol, n in zip(symbols, arg.shape))
        params.append(Value(Array(arg.dtype, axes)))
    builder = Builder(facts)
    result = loss(*(Sym(builder, value) for value in params))
    body = Region((), tuple(builder.ops), (result.atom,))
    function = Function("loss", tuple(Param(p, f"x{i}") for i, p in enumerate(params)), body, None)
    made = differentiate(function, [0], params, facts)
    assert not made.faults, made.faults
    plain = Function("plain", function.params, made.function.body, tuple(Slot(1 + i) for i in range(len(params))))
    found = evaluate(plain, facts, args)
    optimised = evaluate(eliminate_dead(simplify(plain, facts)), facts, args)
    for a, b in zip(found, optimised, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-14, equal_nan=False)
    return found

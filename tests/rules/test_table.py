"""Every rule, every case of it: types, values, both modes and second derivatives against finite differences."""

import copy
import math
import sys
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from referee import numerical_gradient

import srcgrad.rules  # noqa: F401
from srcgrad.errors import Unsupported
from srcgrad.ir.builder import Builder
from srcgrad.ir.dims import ONE, Facts, Symbol, as_dim
from srcgrad.ir.evaluate import evaluate
from srcgrad.ir.nodes import Const, Function, Param, Region, Slot, Value
from srcgrad.ir.primitive import all_primitives, arguments, load_installed
from srcgrad.ir.symbolic import Sym, apply
from srcgrad.ir.types import Array
from srcgrad.ir.verify import verify
from srcgrad.optimize.dead import eliminate_dead
from srcgrad.optimize.simplify import simplify
from srcgrad.rules.registry import CASES
from srcgrad.rules.scipy_factors import FACTOR_RULES
from srcgrad.rules.scipy_objects import OBJECT_RULES
from srcgrad.transform.forward import push_forward
from srcgrad.transform.reverse import differentiate

load_installed()
NAMES = {"np": np, "math": math, "scipy": sys.modules.get("scipy")}
SINGLE = {np.dtype(float): np.float32, np.dtype(complex): np.complex64}
OBJECTS = {*OBJECT_RULES, *FACTOR_RULES}  # of sparse matrices and splines, which are no arrays: tests/solvers
DIFFERENTIABLE = [prim for prim in all_primitives() if any(prim.partials) and prim not in OBJECTS]
TABLE = [pytest.param(prim, case, id=f"{prim.name}{case!r}") for prim in DIFFERENTIABLE for case in CASES.get(prim, [])]
each_case = pytest.mark.parametrize(("prim", "case"), TABLE)


class Refused(AssertionError):
    """A call that the rule does not differentiate."""


class Specimen:
    """One op as a whole function: `sum(weights * op(*operands))`, with a symbol for every axis but those of size 1."""

    def __init__(self, prim, case, dtype=np.float64, only=None):
        self.prim, self.case, only = prim, case, only or case.only
        self.rng = np.random.default_rng(0)
        self.facts = Facts()
        self.params, self.args, self.active = [], [], []
        self.builder = Builder(self.facts)
        operands = [self._operand(each, dtype, k in case.passive) for k, each in enumerate(case.operands)]
        attrs = {k: self._operand(v, dtype) if k in prim.named else v for k, v in case.attrs.items()}
        self.outputs = self._call(operands, attrs)
        self.floats = [y for y in self.outputs if y.dtype.kind in "fc"][:only]
        loss, self.weights = 0.0, []
        for y in self.floats:
            weights = self.param(y.type, self.weight(y))
            loss = loss + real_sum(weights * (y * np.conj(y) if self.is_turned(y) else y))
            self.weights.append(self.params[-1])
        self.function = self.finished(self.builder.ops, (loss.atom,))
        verify(self.function, self.facts, "lower")

    def is_turned(self, y):
        """Whether factors of modulus one make no difference to this result."""
        return self.case.phases == "signs" or (self.case.phases and y.dtype.kind == "c")

    def _operand(self, spec, dtype, passive=False):
        if isinstance(spec, (int, float)):
            return spec
        value = spec(self.rng) if callable(spec) else self.rng.uniform(-2.0, 2.0, spec)
        value = np.asarray(value)
        weak = self.prim.name.startswith("math.")
        if value.dtype.kind == "f":
            value = value.astype(dtype)
            if value.dtype.kind == "c":
                value = value + 1j * self.imaginary(value.shape)
        elif value.dtype.kind == "c" and dtype == np.float32:
            value = value.astype(np.complex64)
        axes = tuple(self._axis(n) for n in value.shape)
        operand = self.param(Array(value.dtype, axes, weak=weak), value.item() if weak else value[()])
        if value.dtype.kind in "fc" and not passive:
            self.active.append(operand.atom)
        return operand

    def _axis(self, n):
        if n == 1:
            return ONE
        symbol = Symbol(f"n{len(self.facts.sizes)}")
        self.facts.sizes[symbol] = n
        return as_dim(symbol)

    def imaginary(self, shape):
        """Small imaginary parts; those of a Hermitian matrix where the case is about symmetric ones."""
        part = self.rng.uniform(-0.3, 0.3, shape)
        square = len(shape) > 1 and shape[-1] == shape[-2]
        return part - np.swapaxes(part, -1, -2) if self.case.symmetric and square else part

    def param(self, type, value):
        """A further parameter of the function, and its argument."""
        self.params.append(Value(type, f"p{len(self.params)}"))
        self.args.append(value)
        return Sym(self.builder, self.params[-1])

    def position(self, param):
        return self.params.index(param)

    def value(self, param):
        return self.args[self.position(param)]

    def _call(self, operands, attrs):
        """The op, its arguments sorted by `bind` as in a user's call."""
        names = [name for name in self.prim.operands if name.lstrip("*") not in attrs or name[0] == "*"]
        given, rest = {}, list(operands)
        sequences = sum(name.startswith("*") for name in names)
        for name in names:
            if name.startswith("*"):
                given[name[1:]], rest = rest[: len(rest) // sequences], rest[len(rest) // sequences :]
                sequences -= 1
            elif rest:
                given[name] = rest.pop(0)
        result = apply(self.builder, self.prim, (), {**given, **attrs})
        return result if isinstance(result, tuple) else (result,)

    def weight(self, y):
        number = next(k for k, output in enumerate(self.outputs) if output is y)
        return self.drawn(y, np.shape(self.expected()[number]))

    def drawn(self, like, shape, low=0.5):
        """Random numbers, with an imaginary part for complex ones."""
        value = self.rng.uniform(low, 1.5, shape)
        return (value + 1j * self.rng.uniform(low, 1.5, shape) if like.dtype.kind == "c" else value).astype(like.dtype)[
            ()
        ]

    def called(self):
        """The op's inputs and attributes, on arrays."""
        op = next(op for op in self.builder.ops if op.prim is self.prim)
        return [atom.value if isinstance(atom, Const) else self.value(atom) for atom in op.inputs], op.attrs

    def expected(self):
        inputs, attrs = self.called()
        return as_tuple(self.prim.fn(*inputs, **attrs))

    def finished(self, ops, results):
        params = tuple(Param(value, value.hint) for value in self.params)
        return Function("specimen", params, Region((), tuple(ops), results), tuple(map(Slot, range(len(results)))))

    def run(self, function, args=None):
        return evaluate(function, self.facts, self.args if args is None else args)

    def loss(self, *args):
        return self.run(self.function, self.symmetric(args))[0]

    def symmetric(self, args):
        """Nudged arguments, still symmetric where the case demands it."""
        if not self.case.symmetric:
            return args
        return [*map(hermitian, args[: len(self.active)]), *args[len(self.active) :]]

    def gradient(self, function, wrt):
        """(before, after) optimisation: functions that give the results of `function`, and its gradients."""
        made = differentiate(function, [len(function.body.results) - 1], wrt, self.facts)
        if made.faults:
            raise Refused(made.faults)
        return self.optimised(made.function, self.params, "reverse")

    def tangent(self):
        """The same for (value, tangent), whose further parameters are the tangents of the active operands."""
        tangents = [Value(x.type, f"t_{x.hint}") for x in self.active]
        made = push_forward(self.function, [0], self.active, tangents, self.facts)
        if made.faults:
            raise Refused(made.faults)
        return self.optimised(made.function, [*self.params, *tangents], "forward")

    def optimised(self, function, params, stage):
        """The function before and after simplification, both verified."""
        named = tuple(Param(value, value.hint) for value in params)
        raw = replace(function, params=named, result=tuple(map(Slot, range(len(function.body.results)))))
        verify(raw, self.facts, stage)
        simple = eliminate_dead(simplify(raw, self.facts))
        verify(simple, self.facts, "simplify")
        return raw, simple

    def direction(self):
        """A random tangent for each active operand."""
        drawn = [self.drawn(x.type, np.shape(self.value(x)), low=-1.0) for x in self.active]
        if self.case.symmetric:
            drawn = [*map(hermitian, drawn)]
        weak = self.prim.name.startswith("math.")
        return [v.item() if weak else v.astype(x.dtype)[()] for v, x in zip(drawn, map(np.asarray, self.operands()))]

    def operands(self):
        return [self.value(x) for x in self.active]

    def moved(self, direction, step):
        """The arguments, a step along a direction."""
        args = list(self.args)
        for x, v in zip(self.active, direction, strict=True):
            args[self.position(x)] = self.value(x) + step * v
        return args


def hermitian(x):
    """The Hermitian part of a square matrix; other arrays as they are."""
    if np.ndim(x) < 2 or x.shape[-1] != x.shape[-2]:
        return x
    return (x + np.conj(np.swapaxes(x, -1, -2))) / 2


def real_sum(x):
    return np.real(np.sum(x)) if x.dtype.kind == "c" else np.sum(x)


def as_tuple(result):
    return tuple(result) if isinstance(result, (tuple, list)) else (result,)


def assert_close(actual, expected, tolerance, what):
    """Relative to the largest entry: a small entry of a large gradient has its rounding error."""
    scale = max(1.0, np.max(np.abs(expected), initial=0.0))
    assert np.all(np.isfinite(actual)), f"{what}: {actual}"
    error = np.max(np.abs(actual - expected), initial=0.0)
    assert error <= tolerance * scale, f"{what}: {actual} against {expected}"


def numerical(f, args, index):
    """Finite differences; in a complex argument, dL/dx - i dL/dy."""
    if np.asarray(args[index]).dtype.kind != "c":
        return numerical_gradient(f, args, index)
    x, y = np.real(args[index]), np.imag(args[index])
    across = numerical_gradient(lambda *parts: f(*replaced(args, index, parts[index] + 1j * y)), [x] * len(args), index)
    up = numerical_gradient(lambda *parts: f(*replaced(args, index, x + 1j * parts[index])), [y] * len(args), index)
    return across - 1j * up


def replaced(args, index, value):
    return [*args[:index], value, *args[index + 1 :]]


@cache
def _differentiated(prim, case, dtype):
    specimen = Specimen(prim, case, dtype)
    return specimen, specimen.gradient(specimen.function, specimen.active)


def differentiated(prim, case, dtype=np.float64):
    """The case, and its gradient before and after optimisation; the tests of one case share them."""
    specimen, gradients = _differentiated(prim, case, dtype)
    own = copy.copy(specimen)
    own.params, own.args, own.rng = [*specimen.params], [*specimen.args], np.random.default_rng(1)
    return own, gradients


def of_one_result(prim, case):
    """The same for the first result alone."""
    specimen = Specimen(prim, case, only=1)
    return specimen, specimen.gradient(specimen.function, specimen.active)


@each_case
def test_types(prim, case):
    specimen = Specimen(prim, case)
    for y, expected in zip(specimen.outputs, specimen.expected(), strict=True):
        axes = tuple(specimen.facts.canon(dim).evaluate(specimen.facts.sizes) for dim in y.type.axes)
        assert len(axes) == np.ndim(expected)
        assert all(n in (m, None) for n, m in zip(axes, np.shape(expected)))
        assert None not in axes or case.unknown, f"unknown length in {y.type}"
        assert y.dtype == np.asarray(expected).dtype


@each_case
def test_value_is_that_of_the_function_by_its_name(prim, case):
    """`bind` and `arguments` are inverses, and what runs in the IR is what generated code calls."""
    specimen = Specimen(prim, case)
    if "." not in prim.name:
        return
    positional, keywords = arguments(prim, *specimen.called())
    values = eval(prim.name, NAMES)(*positional, **keywords)
    for value, expected in zip(as_tuple(values), specimen.expected(), strict=True):
        np.testing.assert_array_equal(value, expected, strict=True)


@each_case
def test_gradient(prim, case):
    for only in (None, 1):
        specimen, gradients_of = differentiated(prim, case) if only is None else of_one_result(prim, case)
        before = [np.copy(arg) for arg in specimen.args]
        value = specimen.run(specimen.function)[0]
        slopes = [numerical(specimen.loss, specimen.args, specimen.position(x)) for x in specimen.active]
        for function in gradients_of:
            loss, *gradients = specimen.run(function)
            assert loss == value
            for x, gradient, slope in zip(specimen.active, gradients, slopes, strict=True):
                assert np.shape(gradient) == np.shape(specimen.value(x))
                assert np.asarray(gradient).dtype == np.asarray(specimen.value(x)).dtype
                assert_close(gradient, slope, 1e-7, x.hint)
        for arg, original in zip(specimen.args, before, strict=True):
            np.testing.assert_array_equal(arg, original)
        if len(specimen.outputs) == 1:
            break


@each_case
def test_tangent(prim, case):
    check_tangent(prim, case, np.float64)


def check_tangent(prim, case, dtype):
    """Forward mode: against finite differences, and <u, J v> = <J^T u, v> against reverse mode."""
    specimen, (_, reverse) = differentiated(prim, case, dtype)
    direction = specimen.direction()
    value, *gradients = specimen.run(reverse)
    transposed = sum(np.real(np.sum(g * v)) for g, v in zip(gradients, direction, strict=True))
    ahead, behind = (specimen.loss(*specimen.moved(direction, step)) for step in (1e-5, -1e-5))
    for function in specimen.tangent():
        found, tangent = specimen.run(function, [*specimen.args, *direction])
        assert found == value
        assert np.shape(tangent) == ()
        assert np.asarray(tangent).dtype == np.float64
        assert_close(tangent, transposed, 1e-10, "<J^T u, v>")
        assert_close(tangent, (ahead - behind) / 2e-5, 1e-7, "finite differences")


@each_case
def test_second_derivative(prim, case):
    """The gradient of sum(r * gradient), in the operands and in the cotangent, along a random direction."""
    specimen, (_, first) = differentiated(prim, case)
    specimen.builder = Builder(specimen.facts)
    specimen.builder.ops = list(first.body.ops)
    total = Sym(specimen.builder, Const(0.0))
    for x, atom in zip(specimen.active, first.body.results[1:], strict=True):
        r = specimen.param(x.type, specimen.drawn(x.type, np.shape(specimen.value(x))))
        total = total + real_sum(r * Sym(specimen.builder, atom))
    function = specimen.finished(specimen.builder.ops, (total.atom,))
    wrt = [*specimen.active, *specimen.weights]
    direction = [specimen.drawn(x.type, np.shape(specimen.value(x)), low=-1.0) for x in wrt]
    direction[: len(specimen.active)] = specimen.symmetric(direction[: len(specimen.active)])

    def along(step):
        args = list(specimen.args)
        for x, v in zip(wrt, direction, strict=True):
            args[specimen.position(x)] = specimen.value(x) + step * v
        return specimen.run(function, specimen.symmetric(args))[0]

    expected = (along(1e-5) - along(-1e-5)) / 2e-5
    for second in specimen.gradient(function, wrt):
        _, *gradients = specimen.run(second)
        found = sum(np.real(np.sum(g * v)) for g, v in zip(gradients, direction, strict=True))
        assert_close(found, expected, 1e-6, "second derivative")


@each_case
def test_complex_operands(prim, case):
    """The rule holds for complex operands too, or refuses them: the gradient g of a real L has dL = Re sum(g dz)."""
    if prim.elementwise and case not in CASES[prim][:3]:
        return  # a formula for single elements knows no shapes
    if case.attrs.get("dtype") is not None:
        return  # a cast that drops the imaginary part, of which NumPy warns
    try:
        specimen, gradients = differentiated(prim, case, np.complex128)
    except (Unsupported, Refused):
        return
    check_tangent(prim, case, np.complex128)
    slopes = [numerical(specimen.loss, specimen.args, specimen.position(x)) for x in specimen.active]
    for function in gradients:
        _, *found = specimen.run(function)
        for x, gradient, slope in zip(specimen.active, found, slopes, strict=True):
            assert np.asarray(gradient).dtype == np.complex128
            assert_close(gradient, slope, 1e-7, x.hint)


@each_case
@pytest.mark.filterwarnings("ignore:logm result may be inaccurate")  # as SciPy says of float32
def test_single_precision(prim, case):
    if prim.name.startswith("math.") or case.attrs.get("dtype") is not None:
        return
    (single, ours), (double, theirs) = differentiated(prim, case, np.float32), differentiated(prim, case)
    for precise, function in zip(theirs, ours):
        expected = double.run(precise)[1:]
        for gradient, wanted in zip(single.run(function)[1:], expected, strict=True):
            assert np.asarray(gradient).dtype == SINGLE[np.asarray(wanted).dtype]
            assert_close(gradient, wanted, 1e-4, "float32")
    direction = single.direction()
    for precise, function in zip(double.tangent(), single.tangent()):
        wanted = double.run(precise, [*double.args, *direction])[1]
        value, tangent = single.run(function, [*single.args, *direction])
        assert np.asarray(tangent).dtype == np.asarray(value).dtype
        assert_close(tangent, wanted, 1e-4, "float32")


@pytest.mark.parametrize("prim", DIFFERENTIABLE, ids=lambda prim: prim.name)
def test_table_is_complete(prim):
    """Every rule has a case, every keyword occurs in one, and every rule looks at all its keywords."""
    assert CASES.get(prim), "a rule without a test"
    tried = {key for case in CASES[prim] for key in case.attrs}
    assert {*prim.keywords, *prim.named} <= tried, "a keyword that no case exercises"
    assert set(prim.keywords) <= prim.looked_at, "a keyword that the rule does not look at"


def test_names_are_importable():
    """Generated code spells a function by its primitive's name."""
    for prim in all_primitives():
        if "." in prim.name:
            assert callable(eval(prim.name, NAMES)), prim.name

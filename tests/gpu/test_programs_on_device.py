"""Whole programs on the device: the same gradients as on the CPU, nothing copied, nothing waited for."""

import copy
import importlib
import inspect
import pkgutil

import cupy_simulator
import numpy as np
import pytest
import specimens
from agreement import _floats, leaves
from cases import Battery
from on_device import to_device, to_host

from srcgrad import CompileError, grad

SPECIMENS = sorted(module.name for module in pkgutil.iter_modules(specimens.__path__))
# A condition on a value of the device waits for it.
WITH_CONDITIONS = {
    "converged_state", "first_crossing", "last_reading", "leaky_integrator", "line_search", "nested_triangle",
    "skips_outliers", "until_negative",
}  # fmt: skip
ALLOWED = {"kernel", "literal", "fused"}


def battery():
    for area in ("calls", "classes", "containers", "control", "mutation", "types"):
        module = importlib.import_module(f"battery_{area}")
        for cases in (each for each in vars(module).values() if isinstance(each, Battery)):
            yield from (case for case in cases if not case.refused and any(map(is_array, leaves(list(case.args)))))


def is_array(value):
    return isinstance(value, np.ndarray)


# They read arrays of the CPU from around them, or draw what CuPy's generators cannot.
READ_HOST_ARRAYS = {
    "method_of_a_global_instance", "callable_instance", "property_of_an_instance", "inheritance_and_super",
    "bound_method_as_a_value", "net_of_constants", "getattr_and_hasattr", "isinstance_of_a_class",
    "random_numbers_from_a_seeded_generator",
}  # fmt: skip
# They write several values to places that may be the same, where a GPU knows no last one.
WRITE_TWICE = {
    "write_fancy_indices_with_repeats", "write_an_outer_index", "augmented_fancy_index_with_repeats", "put_and_putmask",
}  # fmt: skip
BATTERY = [case for case in battery() if case.name not in READ_HOST_ARRAYS | WRITE_TWICE]
TWICE = [case for case in battery() if case.name in WRITE_TWICE]


def agree(loss, positions, args, cp):
    """The gradient on the device is that on the CPU: value, shape, dtype, and the arguments as they were."""
    gradient = grad(loss, positions)
    expected = gradient(*copy.deepcopy(args))
    given = to_device(list(copy.deepcopy(args)), cp)
    cupy_simulator.log.clear()
    found = gradient(*given)
    counted = dict(cupy_simulator.log)
    for k, ours, theirs in zip(positions, found, expected, strict=True):
        for argument, one, other in zip(leaves(given[k]), leaves(ours), leaves(theirs), strict=True):
            if isinstance(argument, cp.ndarray):
                assert isinstance(one, cp.ndarray)
                assert not cp.may_share_memory(one, argument)
            assert np.asarray(to_host(one)).dtype == np.asarray(other).dtype
            np.testing.assert_allclose(to_host(one), other, rtol=1e-9, atol=1e-11)
    for one, other in zip(leaves(to_host(given)), leaves(list(args)), strict=True):
        np.testing.assert_array_equal(one, other)
    return gradient, counted


@pytest.mark.parametrize("name", SPECIMENS)
def test_specimens(name, cp):
    module = importlib.import_module(f"specimens.{name}")
    args = module.arguments(np.random.default_rng(0))
    positions = tuple(k for k, arg in enumerate(args) if np.asarray(arg).dtype.kind == "f")
    _, counted = agree(module.loss, positions, args, cp)
    assert counted.keys() <= ALLOWED | ({"bool"} if name in WITH_CONDITIONS else set())


@pytest.mark.parametrize("name", SPECIMENS)
def test_halves_of_specimens(name, cp):
    module = importlib.import_module(f"specimens.{name}")
    args = module.arguments(np.random.default_rng(0))
    names = list(inspect.signature(module.loss).parameters)
    wrt = tuple(n for n, arg in zip(names, args) if np.asarray(arg).dtype.kind == "f")
    gradient = grad(module.loss, wrt=wrt)
    expected = gradient(*args)
    result = gradient.forward(*to_device(list(args), cp))
    np.testing.assert_allclose(to_host(result.value), module.loss(*args), rtol=1e-12)
    for ours, theirs in zip(result.backward(), expected, strict=True):
        np.testing.assert_allclose(to_host(ours), theirs, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("case", BATTERY, ids=lambda case: case.name)
def test_battery(case, cp):
    agree(case.function, _positions(case), case.args, cp)


@pytest.mark.parametrize("case", TWICE, ids=lambda case: case.name)
def test_what_is_written_twice_is_refused(case, cp):
    with pytest.raises(CompileError, match="on a GPU no value is the last one"):
        grad(case.function, _positions(case))(*to_device(list(copy.deepcopy(case.args)), cp))


def _positions(case):
    return case.wrt if case.wrt is not None else tuple(k for k, arg in enumerate(case.args) if _floats(arg))

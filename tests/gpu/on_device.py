"""What the tests on a device share: structures there and back, and compiled ops of the rule table."""

from dataclasses import replace

import cupy_simulator
import numpy as np
from test_table import Specimen

from srcgrad.emit import emit
from srcgrad.ir.nodes import Value
from srcgrad.ir.verify import verify
from srcgrad.optimize.dead import eliminate_dead
from srcgrad.optimize.fresh import own_results
from srcgrad.place import place
from srcgrad.runtime.device import is_array


def to_device(value, cp):
    """A structure of NumPy arrays with copies of them on the device."""
    if cp is cupy_simulator.cupy:
        return cupy_simulator.to_device(value)
    if isinstance(value, np.ndarray):
        return cp.asarray(value)
    if type(value) in (list, tuple):
        return type(value)(to_device(item, cp) for item in value)
    if type(value) is dict:
        return {key: to_device(item, cp) for key, item in value.items()}
    return value


def to_host(value):
    """The way back; a number on the device becomes a NumPy scalar."""
    if is_array(value) and not isinstance(value, np.ndarray):
        return value.get()[()]
    if isinstance(value, (list, tuple)):
        made = [to_host(item) for item in value]
        return type(value)(*made) if hasattr(value, "_fields") else type(value)(made)
    if isinstance(value, dict):
        return {key: to_host(item) for key, item in value.items()}
    return value


def rule_in_cupy(prim, case):
    """(specimen, its gradient in IR, the same as CuPy text): all operands on the device, numbers as 0-d arrays."""
    specimen = Specimen(prim, case)
    _, function = specimen.gradient(specimen.function, specimen.active)
    made = renewed(function)
    numbers = [p.value for p in made.params if not (p.value.type.ndim or p.value.type.weak)]
    (placed,) = place([made], [], numbers, specimen.facts)
    verify(placed, specimen.facts, "place")
    gradients = range(1, len(placed.body.results))
    zero_d = [k for k, x in zip(gradients, specimen.active) if specimen.position(x) in _places(made, numbers)]
    owned = own_results(eliminate_dead(placed), specimen.facts, gradients, zero_d)
    verify(owned, specimen.facts, "own")
    return specimen, function, emit(owned, specimen.facts)


def arguments_on_device(specimen, cp):
    """The specimen's operands; Python's numbers stay what they are."""
    pairs = zip(specimen.params, specimen.args)
    return [arg if value.type.weak else cp.asarray(arg) for value, arg in pairs]


def _places(function, values):
    return {place for place, param in enumerate(function.params) if param.value in values}


def renewed(function):
    """The same function of new values: `place` settles the types of those that it gets."""
    known = {}

    def value(atom):
        return known.setdefault(atom, Value(atom.type, atom.hint)) if isinstance(atom, Value) else atom

    def values(atoms):
        return tuple(map(value, atoms))

    def region(each):
        return replace(each, params=values(each.params), ops=tuple(map(op, each.ops)), results=values(each.results))

    def op(each):
        regions = tuple(map(region, each.regions))
        return replace(each, inputs=values(each.inputs), outputs=values(each.outputs), regions=regions)

    params = tuple(replace(p, value=value(p.value)) for p in function.params)
    return replace(function, params=params, body=region(function.body))

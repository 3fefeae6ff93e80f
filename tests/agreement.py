"""One question for a function and its arguments: is the compiled gradient right, and does it keep its promises?"""

import copy
import types
from dataclasses import replace

import numpy as np
from referee import numerical_gradient

from srcgrad import grad
from srcgrad.api import Gradient
from srcgrad.dispatch import Dispatcher


def check(function, *args, wrt=None, tolerance=1e-6):
    """Compare with finite differences, optimised and not; the Gradient, for further questions.

    wrt : positions to differentiate; by default every argument that holds floats alone
    """
    positions = tuple(k for k, arg in enumerate(args) if _floats(arg)) if wrt is None else wrt
    for gradient in (grad(function, positions), _unoptimised(function, positions)):
        given = copy.deepcopy(args)
        got = gradient(*given)
        _same(given, args)
        seen = [leaf for leaf in leaves(list(given)) if isinstance(leaf, np.ndarray)]
        for k, d in zip(positions, got, strict=True):
            for leaf, dleaf, expected in zip(leaves(args[k]), leaves(d), _numerical(function, args, k), strict=True):
                _contract(leaf, dleaf, seen)
                scale = max(1.0, np.max(np.abs(expected), initial=0.0))
                np.testing.assert_allclose(dleaf, expected, rtol=tolerance, atol=tolerance * scale)
    return grad(function, positions)


def leaves(value):
    if isinstance(value, (list, tuple)):
        return [leaf for item in value for leaf in leaves(item)]
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in leaves(item)]
    if _is_object(value):
        return [leaf for item in vars(value).values() for leaf in leaves(item) if _floats(leaf)]
    return [value]


def _is_object(value):
    return hasattr(value, "__dict__") and not isinstance(value, (types.FunctionType, type, np.ndarray))


def _floats(value):
    found = leaves(value)
    return bool(found) and all(
        isinstance(v, (float, np.floating)) or getattr(v, "dtype", None) == np.float64 for v in found
    )


def _unoptimised(function, positions):
    gradient = Gradient(function, argnums=positions)
    gradient._grad = Dispatcher(replace(gradient._grad.request, optimize=False))
    return gradient


def _numerical(function, args, k):
    """Central differences for every leaf of one argument."""
    flat = leaves(args[k])

    def value(*values):
        changed = list(copy.deepcopy(args))
        values = [float(v) if isinstance(old, float) else v for v, old in zip(values, flat)]
        changed[k] = _filled(args[k], iter(values))
        return float(function(*changed))

    return [numerical_gradient(value, flat, i) for i in range(len(flat))]


def _filled(structure, values):
    if hasattr(structure, "_make"):
        return structure._make(_filled(item, values) for item in structure)
    if _is_object(structure):
        made = copy.copy(structure)
        vars(made).update({name: _filled(v, values) for name, v in vars(structure).items() if _floats(v)})
        return made
    if isinstance(structure, (list, tuple)):
        return type(structure)(_filled(item, values) for item in structure)
    if isinstance(structure, dict):
        return {key: _filled(item, values) for key, item in structure.items()}
    return next(values)


def _contract(leaf, dleaf, seen):
    """The parameter's type, shape and dtype; fresh, writable, shared with nobody."""
    if not isinstance(leaf, np.ndarray):
        assert isinstance(dleaf, (float, np.floating))
        return
    assert type(dleaf) is np.ndarray
    assert (dleaf.shape, dleaf.dtype) == (leaf.shape, leaf.dtype)
    assert dleaf.flags.writeable
    assert not any(np.shares_memory(dleaf, other) for other in seen)
    seen.append(dleaf)


def _same(given, args):
    for one, other in zip(leaves(list(given)), leaves(list(args)), strict=True):
        if isinstance(other, np.ndarray):
            np.testing.assert_array_equal(one, other)

"""autograd and JAX on the user's own function, as it is: its `np` is theirs for the time of a benchmark.

PyTorch has no NumPy of its own that could be put there, so that it is not compared.
"""

from __future__ import annotations

import textwrap
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from ..api import Gradient
from ..runtime.trees import tree_leaves

Contender = Callable[[], Any]


def contenders(gradient: Gradient[..., Any], values: list[Any]) -> tuple[dict[str, Contender], dict[str, str]]:
    """A call for each peer that is installed and gives the same gradient, and why the others are left out."""
    found: dict[str, Contender] = {}
    reasons: dict[str, str] = {}
    if any(path for _, path in gradient.wrt):
        return found, {"peers": "not compared, as an item of `*args` is differentiated"}
    expected = gradient(*values)
    for name, make in (("autograd", _autograd), ("JAX, jit", _jax)):
        try:
            call = make(gradient, values)
            answer = call()
        except ModuleNotFoundError:
            reasons[name] = "not installed"
        except Exception as error:
            reasons[name] = f"cannot run the function as it is: {type(error).__name__}: {_first_line(error)}"
        else:
            if _agrees(answer, expected):
                found[name] = call
            else:
                reasons[name] = "gives another gradient, and is not timed"
    return found, reasons


def _positions(gradient: Gradient[..., Any]) -> Any:
    positions = tuple(gradient._parameters.index(name) for name, _ in gradient.wrt)
    return positions[0] if gradient.single else positions


def _autograd(gradient: Gradient[..., Any], values: list[Any]) -> Contender:
    import autograd
    import autograd.numpy

    call = autograd.grad(_with_numpy(gradient._python, autograd.numpy, {}), _positions(gradient))
    return lambda: call(*values)


def _jax(gradient: Gradient[..., Any], values: list[Any]) -> Contender:
    import jax

    jax.config.update("jax_enable_x64", True)
    static = [k for k, value in enumerate(values) if not _is_data(value)]
    function = _with_numpy(gradient._python, jax.numpy, {})
    call = jax.jit(jax.grad(function, _positions(gradient)), static_argnums=static)
    on_device = [jax.numpy.asarray(each) if isinstance(each, np.ndarray) else each for each in values]
    return lambda: jax.block_until_ready(call(*on_device))


def _is_data(value: Any) -> bool:
    return all(isinstance(leaf, (np.ndarray, np.generic, float)) for leaf in tree_leaves(value))


def _with_numpy(function: types.FunctionType, numpy: Any, made: dict[Any, Any]) -> types.FunctionType:
    """A copy of the function, and of its module's functions that it may call, with another NumPy in its globals."""
    if function in made:
        return made[function]  # type: ignore[no-any-return]
    names: dict[str, Any] = {}
    copy = types.FunctionType(function.__code__, names, function.__name__, function.__defaults__, function.__closure__)
    copy.__kwdefaults__ = function.__kwdefaults__
    made[function] = copy
    for name, value in function.__globals__.items():
        if value is np:
            value = numpy
        elif isinstance(value, types.FunctionType) and value.__module__ == function.__module__:
            value = _with_numpy(value, numpy, made)
        names[name] = value
    return copy


def _agrees(answer: Any, expected: Any) -> bool:
    got, wanted = tree_leaves(answer), tree_leaves(expected)
    return len(got) == len(wanted) and all(
        np.shape(a) == np.shape(b) and np.allclose(a, b, rtol=1e-4, atol=1e-6) for a, b in zip(got, wanted)
    )


def _first_line(error: Exception) -> str:
    return textwrap.shorten((str(error).splitlines() or [""])[0], 90, placeholder=" ...")

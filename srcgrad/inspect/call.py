"""One call, compiled for a look at its IR: what the pages, graphs and explanations start from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..dispatch import Dispatcher
from ..ir.evaluate import Machine
from ..ir.nodes import Function, Value
from ..ir.types import Array
from ..pipeline import Compiled, compile_function
from ..runtime.captures import MISSING, follow
from ..runtime.signature import path_text


@dataclass(frozen=True)
class Call:
    """A compilation, and what its parameters stand for in the call."""

    dispatcher: Dispatcher
    compiled: Compiled
    example: Mapping[str, Any]
    captured: Mapping[str, Any]

    @property
    def lowered(self) -> Function:
        return self.compiled.lowered.function

    def leaves(self, function: Function) -> list[Any]:
        """What the parameters of a stage's function are in this call; MISSING for a half's cotangent."""
        return leaf_values(function, self.example, self.captured)

    def seeds(self) -> list[Value]:
        """The parameters of a half that hold cotangents of the results: no argument of the call."""
        last = self.compiled.stages["own"]
        return [p.value for p, leaf in zip(last.params, self.leaves(last)) if leaf is MISSING]

    def machine(self, function: Function) -> Machine:
        """What knows the lengths and values of the parameters, to evaluate more."""
        machine = Machine(self.compiled.facts)
        for param, leaf in zip(function.params, self.leaves(function)):
            if leaf is not MISSING:
                machine.set(param.value, leaf)
        return machine

    def wrt(self) -> list[tuple[str, tuple[Any, ...], Value]]:
        """The differentiated leaves of the lowered function: their argument, the path in it, their value."""
        places = self.dispatcher.request.wrt
        return [
            (p.name, p.path, p.value)
            for p in self.lowered.params
            if not p.capture and any(p.name == name and path in (None, p.path) for name, path in places)
        ]


def compiled_call(dispatcher: Dispatcher, values: Sequence[Any]) -> Call:
    """Compile once more, because a specialisation keeps its text and not its IR."""
    request = replace(dispatcher.request, specs=dispatcher.describe(values))
    example = dict(zip(dispatcher.names, values))
    compiled = compile_function(request, example)
    captures = compiled.lowered.captures
    captured = {unique: follow(request.function, route, example) for route, (unique, _) in captures.items()}
    return Call(dispatcher, compiled, example, captured)


def leaf_values(function: Function, example: Mapping[str, Any], captured: Mapping[str, Any]) -> list[Any]:
    """What a function's parameters stand for, with arguments and captures by name; MISSING where that is unknown."""
    found: list[Any] = []
    for param in function.params:
        value = (captured if param.capture else example).get(param.name, MISSING)
        for step in param.path if value is not MISSING else ():
            value = getattr(value, step[1:]) if isinstance(step, str) and step.startswith(".") else value[step]
        if isinstance(param.value.type, Array) and param.value.type.weak and isinstance(value, np.generic):
            value = value.item()
        found.append(value)
    return found


def leaf_text(name: str, path: tuple[Any, ...]) -> str:
    """A leaf as the user writes it: the Parameter, not the array in it."""
    return path_text(name, path[:-1] if path and path[-1] == ".data" else path)

"""Run IR directly on arrays, so that every stage can be executed and compared, not only the emitted text."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from operator import getitem
from typing import Any

import numpy as np

from .calls import CALL, Procedure, items, procedure_of
from .custom import CUSTOM, custom_of
from .dims import Dim, Facts, Symbol
from .nodes import Atom, Const, Function, Kept, Op, Rebuilt, Region, Slot, Undefined, Value, counts_passes, records_of
from .solving import SOLVER, functions_of, run_solver
from .types import Array

_MISSING = object()


def evaluate(function: Function, facts: Facts, leaves: Sequence[Any]) -> Any:
    """The function's result for its parameters' leaves, with every op computed by its primitive's `fn`."""
    machine = Machine(facts)
    for param, leaf in zip(function.params, leaves):
        machine.set(param.value, leaf)
    results = machine.region(function.body, ())
    return fill(function.result, results)


def fill(template: Any, results: Sequence[Any]) -> Any:
    """Put results into the nested structure that `Function.result` describes."""
    if isinstance(template, Slot):
        return results[template.number]
    if isinstance(template, Kept):
        return _at(results[template.source.number], template.path)
    if isinstance(template, Rebuilt):
        return _rebuilt(template, results)
    if isinstance(template, Mapping):
        return {key: fill(item, results) for key, item in template.items()}
    if isinstance(template, (tuple, list)):
        return type(template)(fill(item, results) for item in template)
    return template


def _at(thing: Any, path: Sequence[str | int]) -> Any:
    for step in path:
        attribute = isinstance(step, str) and step.startswith(".")
        thing = getattr(thing, str(step)[1:]) if attribute else thing[step]
    return thing


def _rebuilt(template: Rebuilt, results: Sequence[Any]) -> Any:
    source = _at(results[template.source.number], template.path)
    items = {name: fill(item, results) for name, item in template.items}
    if template.kind == "named":
        return source._replace(**items)
    made = copy.copy(source)
    for name, item in items.items():
        object.__setattr__(made, name, item)
    return made


class Machine:
    """Runs regions; `values` holds what each value was last."""

    def __init__(self, facts: Facts):
        self.facts = facts
        self.values: dict[Value, Any] = {}
        self.sizes: dict[Symbol, int] = {}

    def set(self, value: Value, result: Any) -> None:
        """Bind a value, and every length that its shape reveals."""
        self.values[value] = result
        if isinstance(value.type, Array) and result is not _MISSING:
            for dim, size in zip(value.type.axes, np.shape(result)):
                self._learn(dim, size)
            if value.type.dim is not None:
                self._learn(value.type.dim, int(result))

    def _learn(self, dim: Dim, size: int) -> None:
        symbol = dim.symbol
        if symbol is not None:
            self.sizes[symbol] = size

    def get(self, atom: Atom) -> Any:
        if isinstance(atom, Const):
            return atom.value
        return _MISSING if isinstance(atom, Undefined) else self.values[atom]

    def static(self, attr: Any) -> Any:
        """A static attribute with its symbolic lengths evaluated."""
        if isinstance(attr, Dim):
            size = attr.evaluate(self.sizes)
            if size is None:
                size = self.facts.canon(attr).evaluate(self.sizes)
            return size
        if isinstance(attr, tuple):
            return tuple(self.static(item) for item in attr)
        return attr

    def region(self, region: Region, arguments: Sequence[Any]) -> list[Any]:
        for param, argument in zip(region.params, arguments):
            self.set(param, argument)
        for op in region.ops:
            results = self.op(op)
            for value, result in zip(op.outputs, results):
                self.set(value, result)
        return [self.get(atom) for atom in region.results]

    def op(self, op: Op) -> Sequence[Any]:
        inputs = [self.get(atom) for atom in op.inputs]
        if op.prim.kind == "impure":
            inputs = [None if value is _MISSING else value for value in inputs]
        if op.prim.name == "if":
            return self.region(op.regions[0 if inputs[0] else 1], ())
        if op.prim.name == "for":
            return self._for(op, inputs)
        if op.prim.name == "while":
            return self._while(op, inputs)
        if op.prim is CALL:
            return self._call(op, inputs)
        if op.prim is CUSTOM:
            return self.region(getattr(custom_of(op), op.attrs["part"]), inputs)
        assert op.prim.fn is not None
        if op.prim is SOLVER:
            callables = [self._callable(procedure) for procedure in functions_of(op)]
            given = {key: op.attrs[key] for key in ("template", "module")}
            found = run_solver(*inputs, callables=callables, **given)
            return list(found) if len(op.outputs) > 1 else [found]
        attrs = {key: self.static(value) for key, value in op.attrs.items()}
        result = op.prim.fn(*inputs[: op.prim.arity(op.attrs)], **attrs)
        results = list(result) if isinstance(result, (tuple, list)) else [result]
        return [_as_typed(r, value) for r, value in zip(results, op.outputs)]

    def inside(self, op: Op) -> Machine:
        """What runs the procedure that is called."""
        return Machine(procedure_of(op).facts)

    def _call(self, op: Op, inputs: list[Any]) -> Sequence[Any]:
        procedure = procedure_of(op)
        function, machine = procedure.function, self.inside(op)
        given = dict(zip(dict.fromkeys(param.name for param in function.params), inputs))
        for param in function.params:
            if param.name in given:  # what else there is stands for nothing at run time
                machine.set(param.value, reduce(getitem, param.path, given[param.name]))
        results = machine.region(function.body, ())
        return [fill(item, results) for item in items(function)]

    def _callable(self, procedure: Procedure) -> Callable[..., Any]:
        """A function that a library may call."""

        def run(*given: Any) -> Any:
            return evaluate(procedure.function, procedure.facts, given)

        return run

    def _for(self, op: Op, inputs: list[Any]) -> Sequence[Any]:
        count, (body,) = op.attrs["carried"], op.regions
        carried, tapes = inputs[3 : 3 + count], inputs[3 + count :]
        indices = range(len(tapes[0])) if op.attrs.get("driven") else range(*(int(i) for i in inputs[:3]))
        records: list[list[Any]] = [[] for _ in records_of(op)]
        passes, stopped = 0, False
        for done, index in enumerate(reversed(indices) if op.attrs.get("reverse") else indices):
            results = self.region(body, [index, *carried, *(tape[-1 - done] for tape in tapes)])
            carried = results[:count]
            stopped = "stops" in op.attrs and bool(results[-1])
            passes += self._record(op, stopped, records, results)
            if stopped:
                break
        return [*carried, *records, *([passes] if counts_passes(op) else [])]

    def _record(self, op: Op, stopped: bool, records: list[list[Any]], results: list[Any]) -> int:
        """Append what a pass records; how many passes it counts for."""
        if stopped and op.attrs["stops"] == "early":
            return 0
        for record, item in zip(records, results[op.attrs["carried"] :]):
            record.append(item)
        return 1

    def _while(self, op: Op, carried: list[Any]) -> Sequence[Any]:
        count, (test, body) = op.attrs["carried"], op.regions
        records: list[list[Any]] = [[] for _ in op.outputs[count:-1]]
        passes, stopped = 0, False
        while not stopped and self.region(test, carried)[0]:
            results = self.region(body, carried)
            carried = results[:count]
            stopped = "stops" in op.attrs and bool(results[-1])
            passes += self._record(op, stopped, records, results)
        return [*carried, *records, passes]


def _as_typed(result: Any, value: Value) -> Any:
    """NumPy's scalar for a Python number, as generated code would have it."""
    weak = isinstance(value.type, Array) and value.type.weak
    return result.item() if weak and isinstance(result, (np.generic, np.ndarray)) else result

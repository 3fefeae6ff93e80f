"""Lowering: a Python function and a call signature to IR."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import CompileError, Fault
from ..ir.dims import Facts
from ..ir.nodes import Const, Function, Region, Slot, Value
from ..ir.types import Array
from ..runtime.signature import Spec
from .captures import Route
from .interpreter import Interpreter
from .source import Source, find_source
from .state import Frame, NeedStatic, Silent

from .values import Closure, DictValue, ListValue, Poison


@dataclass(frozen=True)
class Lowered:
    """A function as IR, with all that the dispatcher must compare and fetch at each call."""

    function: Function
    facts: Facts
    source: Source
    captures: Mapping[Route, tuple[str, Spec]]  # data read at each call: where from, its name, its signature
    statics: Mapping[Route, Any]  # code and constants that must still be what they were


def lower(
    function: types.FunctionType, specs: Mapping[str, Spec], example: Mapping[str, Any], static: frozenset[Any] = frozenset()
) -> Lowered:
    """Execute the function's syntax tree on abstract arguments.

    Assumes nothing of the source. Guarantees verified IR whose every value has an exact dtype and symbolic axes, or a
    CompileError that lists every fault found, each with its place.
    """
    source = find_source(function)
    facts = Facts()
    interpreter = Interpreter(facts)
    interpreter.capture_specs = {}
    interpreter.static_inputs = static
    frame = Frame(function, (), source)
    interpreter.frames.append(frame)
    for name, spec in specs.items():
        facts.sizes.update(interpreter.sizes_of(name, example.get(name)))
        frame.env[name] = interpreter.leaf(spec, name, (), False)
    try:
        result = _run(interpreter, frame, source)
    except NeedStatic as error:
        raise _needed(interpreter, error) from None
    if interpreter.faults:
        raise CompileError(sorted(interpreter.faults, key=lambda fault: (fault.origin.file, fault.origin.line)))
    leaves: list[Any] = []
    template = _template(result, leaves)
    body = Region(tuple(p.value for p in interpreter.params), tuple(interpreter.builder.ops), tuple(leaves))
    lowered = Function(function.__name__, tuple(interpreter.params), Region((), body.ops, body.results), template)
    return Lowered(lowered, facts, source, interpreter.capture_specs, interpreter.statics)


class StaticNeeded(Exception):
    """Compile again with these integers (argument names and capture routes) known: their value joins the signature."""

    def __init__(self, which: set[Any]):
        self.which = which


def _needed(interpreter: Interpreter, error: NeedStatic) -> Exception:
    """Which inputs decide the number that must be known, or the fault if none does."""
    dim = error.value.type.dim if isinstance(error.value.type, Array) else None
    symbols = {s.name for s in interpreter.facts.canon(dim).symbols()} if dim is not None else set()
    routes = {unique: route for route, (unique, _) in interpreter.capture_specs.items()}
    names = {p.name for p in interpreter.params if not p.path}
    if symbols and symbols <= names:
        return StaticNeeded({routes.get(name, name) for name in symbols})
    origin = getattr(error, "origin", interpreter.builder.origin)
    return CompileError([Fault(origin, error.message, error.way_out)])


def _run(interpreter: Interpreter, frame: Frame, source: Source) -> Any:
    import ast

    from ..errors import Unsupported

    node = source.node
    try:
        if isinstance(node, ast.Lambda):
            return interpreter.ev(node.body)
        return interpreter.run_body(node, frame)
    except NeedStatic:
        raise
    except Unsupported as error:
        if not isinstance(error, Silent):
            origin = getattr(error, "origin", source.origin(node))
            interpreter.faults.append(Fault(origin, error.message, error.way_out))
        return Poison("")


def _template(result: Any, leaves: list[Any]) -> Any:
    """The result's structure, with slots for what is computed."""
    if isinstance(result, (Value, Const)):
        leaves.append(result)
        return Slot(len(leaves) - 1)
    if isinstance(result, tuple):
        return tuple(_template(item, leaves) for item in result)
    if isinstance(result, ListValue):
        return [_template(item, leaves) for item in result.items]
    if isinstance(result, DictValue):
        return {key: _template(item, leaves) for key, item in result.items.items()}
    if isinstance(result, Closure):
        return None
    return result


__all__ = ["Lowered", "StaticNeeded", "lower"]

"""Lowering: a Python function and a call signature to IR."""

from __future__ import annotations

import ast
import inspect
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import CompileError, Fault, InternalError
from ..ir.calls import reachable
from ..ir.dims import Facts
from ..ir.nodes import Const, Function, Region, Slot, Value, walk
from ..ir.types import Array
from ..runtime.captures import Route
from ..runtime.leaves import places
from ..runtime.signature import Spec
from ..runtime.source import Source, find_source
from .outline import Outliner
from .state import Frame, Leaf, Plan, Restart
from .values import DictValue, ListValue, Poison
from .within import Derive


@dataclass(frozen=True)
class Lowered:
    """A function as IR, with all that the dispatcher must compare and fetch at each call."""

    function: Function
    facts: Facts
    source: Source
    captures: Mapping[Route, tuple[str, Spec]]  # data read at each call: where from, its name, its signature
    statics: Mapping[Route, Any]  # code and constants that must still be what they were
    written: frozenset[Leaf] = frozenset()  # arguments that the function writes into, and that are copied first
    relations: Sequence[str] = ()  # what must hold of objects besides, as Python conditions on the arguments


def lower(
    function: types.FunctionType,
    specs: Mapping[str, Spec],
    example: Mapping[str, Any],
    procedures: bool = False,
    order: int = 1,
    derive: Derive | None = None,
) -> Lowered:
    """Execute the function's syntax tree on abstract arguments.

    Assumes nothing of the source. Guarantees verified IR whose every value has an exact dtype and symbolic axes, or a
    CompileError that lists every fault found, each with its place. What calls itself becomes a procedure; so does, with
    `procedures`, a long helper that is called again. All else is read in place. A call with a derivative of its own
    stays one op; `order` tells how often it may be differentiated. `derive` differentiates what the function itself
    takes a derivative of, as in `grad(f)(x)`; without it, that is refused.
    """
    source = find_source(function)
    plan = Plan(procedures, order)
    while True:  # each time round writes one more loop out, makes a call a procedure, or copies an argument
        try:
            return _lower(function, source, specs, example, plan, derive)
        except Restart as needed:
            before, plan = plan, needed.learn(plan)
            if plan == before:
                raise InternalError(f"`{function.__qualname__}` is read in the same way again: {needed!r}") from None


def _lower(
    function: types.FunctionType,
    source: Source,
    specs: Mapping[str, Spec],
    example: Mapping[str, Any],
    plan: Plan,
    derive: Derive | None,
) -> Lowered:
    code = function.__code__
    interpreter = Outliner(Facts(), plan, frozenset((*code.co_varnames, *code.co_cellvars)))
    frame = Frame(function, (), source, node=source.node)
    interpreter.derive = derive
    interpreter.frames.append(frame)
    interpreter.places = places(example)
    for name, spec in specs.items():
        frame.env[name] = interpreter.argument(name, spec, example.get(name))
    if not set(specs) <= {arg.arg for arg in ast.walk(source.node.args) if isinstance(arg, ast.arg)}:
        frame.env = _as_called(interpreter, function, source, frame.env)
    result = interpreter.run(source.node, frame)
    interpreter.faults += _promotions(interpreter)
    if interpreter.faults:
        raise CompileError(sorted(interpreter.faults, key=lambda fault: (fault.origin.file, fault.origin.line)))
    if isinstance(result, Poison):
        raise InternalError(f"`{function.__qualname__}` could not be read, and no fault was noted")
    if interpreter.pending:
        raise InternalError(f"`{function.__qualname__}` changes an array in a region that nobody has seen to")
    leaves: list[Any] = []
    template = _template(result, leaves)
    leaves = [interpreter.latest(leaf) for leaf in leaves]
    body = Region((), (*interpreter.entry.ops, *interpreter.builder.ops), tuple(leaves))
    notes = {"modules": interpreter.modules}
    lowered = Function(function.__name__, tuple(interpreter.params), body, template, notes)
    return Lowered(
        lowered, interpreter.facts, source, interpreter.capture_specs, interpreter.statics, plan.copies,
        tuple(interpreter.relations),
    )  # fmt: skip


def _as_called(
    interpreter: Outliner, function: types.FunctionType, source: Source, values: Mapping[str, Any]
) -> dict[str, Any]:
    """A wrapper has parameters of its own, beside the signature of what it wraps: they get what Python would pass."""
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        match parameter.kind:
            case inspect.Parameter.VAR_POSITIONAL:
                args += values[name]
            case inspect.Parameter.KEYWORD_ONLY:
                kwargs[name] = values[name]
            case _:
                args.append(values[name])
    return interpreter.bind_arguments(source.node.args, {}, args, kwargs, function.__name__)


def _promotions(interpreter: Outliner) -> list[Fault]:
    """A Python float leaves float32 as it is, a NumPy float64 does not: which of them a variable is must not depend."""
    types = [p.value.type for p in interpreter.params]
    bodies = [interpreter.builder.ops, *(p.function.body.ops for p in reachable(interpreter.builder.ops))]
    types += [value.type for ops in bodies for op in walk(ops) for value in op.outputs]
    single = any(isinstance(t, Array) and t.dtype.kind == "f" and t.dtype.itemsize < 8 for t in types)
    message = "a variable is a Python number on one path and float64 on another, which decides what float32 becomes"
    way_out = "Start with np.float64(...), or make it a Python number again: float(...)."
    return [Fault(origin, message, way_out) for origin in interpreter.promotions[:1] if single]


def _template(result: Any, leaves: list[Any]) -> Any:
    """The result's structure, with slots for what is computed."""
    if isinstance(result, bool):
        result = Const(result)
    if isinstance(result, (Value, Const)):
        leaves.append(result)
        return Slot(len(leaves) - 1)
    if isinstance(result, tuple):
        return tuple(_template(item, leaves) for item in result)
    if isinstance(result, ListValue):
        return [_template(item, leaves) for item in result.items]
    if isinstance(result, DictValue):
        return {key: _template(item, leaves) for key, item in result.items.items()}
    return result


__all__ = ["Lowered", "lower"]

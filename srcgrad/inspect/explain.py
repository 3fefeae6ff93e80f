"""Explain one compiled gradient from its IR: what lives from the forward into the backward sweep, and why.

The last stage's IR is run on the call's own arguments, to count and to measure.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..dispatch import Dispatcher, Specialisation
from ..errors import NOWHERE, Origin
from ..ir.nodes import Atom, Function, Op, Region, Slot, Value, free_values, walk
from ..ir.types import Tape, Type
from ..pipeline import OPTIMIZE, Compiled
from ..runtime.device import is_array, namespace_of
from ..runtime.source import find_source, short_name
from ..transform.activity import active_values
from ..transform.invariance import cancelling
from .call import Call, compiled_call, leaf_text
from .explanation import Explanation, Recomputed, Stored, Zero


def explain(dispatcher: Dispatcher, values: Sequence[Any], derivative: str = "gradient") -> Explanation:
    """How a derivative of one call is computed; `values` has one value for each parameter of the function."""
    return explained(compiled_call(dispatcher, values), dispatcher.find(values), derivative)


def explained(call: Call, made: Specialisation, derivative: str = "gradient") -> Explanation:
    """The same, of a call that has been compiled for a look, and the specialisation that serves it."""
    wanted = [(leaf_text(name, path), value) for name, path, value in call.wrt()]
    facts, result = call.compiled.facts, call.lowered.result
    return Explanation(
        derivative=derivative,
        function=call.dispatcher.request.function.__qualname__,
        file=short_name(find_source(call.dispatcher.request.function).file.name),
        signature=made.signature,
        stored=stored(call),
        recomputed=recomputed(_joint(call.compiled), call.seeds()) if not _is_forward(call.compiled) else (),
        zeros=zeros(call.compiled, wanted, result.number) if isinstance(result, Slot) else (),
        guards=tuple(f"{a} {relation} {b}" for relation, a, b in facts.guards if (relation, str(b)) != (">=", "0")),
        entry=_entry(made),
    )


def _entry(made: Specialisation) -> str:
    milliseconds = 1e3 * sum(made.seconds.values())
    how = f"Compiled in {milliseconds:.0f} ms" if made.origin == "compiled" else "Read from disk"
    kept = [file for file in made.files if os.path.exists(file)]
    return f"{how}; the text is in {' and '.join(kept)}" if kept else f"{how}; not kept on disk"


def stored(call: Call) -> tuple[Stored, ...]:
    """The forward values that the backward sweep reads, measured by running the IR on the call's own arguments."""
    function = _joint(call.compiled)
    machine, leaves = call.machine(function), call.leaves(function)
    late = _backward(call.compiled)
    machine.region(replace(function.body, ops=tuple(op for op in function.body.ops if not late(op)), results=()), ())
    taken = [leaf for leaf in leaves if is_array(leaf)]
    found = []
    for value, (name, op) in kept(call.compiled).items():
        held = machine.values[value]
        count = _count(value.type, held)
        where = _recorder(op, value) if isinstance(value.type, Tape) else op.origin
        item = value.type
        while isinstance(item, Tape):
            item = item.item
        memory = sum(_own_bytes(each, taken) for each in _flat(value.type, held))
        why = tuple(dict.fromkeys(_readers(function.body, value, late)))
        found.append(Stored(name, str(item), isinstance(value.type, Tape), count, memory, where, why))
    return tuple(found)


def kept(compiled: Compiled) -> dict[Value, tuple[str, Op]]:
    """The forward values that the backward sweep reads, each with its name in the text and the op that makes it."""
    function, late = _joint(compiled), _backward(compiled)
    names = {value: name for each in reversed(compiled.emitted) for value, name in each.names.items()}
    makers = {v: op for op in function.body.ops if not late(op) for v in op.outputs}
    needed = {v for op in function.body.ops if late(op) for v in free_values(op) if v in makers}
    whole = {tape: group[0] for group in function.notes.get("groups", ()) for tape in group[1:]}
    named = {v: (names.get(whole.get(v, v)), op) for v, op in makers.items() if v in needed}
    return {v: (name, op) for v, (name, op) in named.items() if name and any(_readers(function.body, v, late))}


def saved_values(compiled: Compiled) -> set[Value]:
    """The same without their names, and with the values that loops record one by one."""
    found = set()
    for value, (_, op) in kept(compiled).items():
        found.add(value)
        maker: Op | None = op
        while maker is not None and maker.prim.name in ("for", "while") and isinstance(value.type, Tape):
            body = maker.regions[-1]
            source = body.results[maker.outputs.index(value)]
            if not isinstance(source, Value):
                break
            found.add(value := source)
            maker = next((inner for inner in body.ops if value in inner.outputs), None)
    return found


def _joint(compiled: Compiled) -> Function:
    """Both sweeps as one function."""
    return compiled.stages["own" if len(compiled.emitted) == 1 else OPTIMIZE[-1][0]]


def _is_forward(compiled: Compiled) -> bool:
    return "forward" in compiled.stages


def _backward(compiled: Compiled) -> Callable[[Op], bool]:
    """Whether an op belongs to the backward sweep.

    In forward mode each op of the function is followed by its tangents: there, it is all that follows the first op of
    a gradient that is differentiated, if it is one.
    """
    if not _is_forward(compiled):
        return lambda op: op.role == "adjoint"
    ops = _joint(compiled).body.ops
    first = next((k for k, op in enumerate(ops) if op.role == "derivative"), len(ops))
    late = set(walk(ops[first:]))
    return lambda op: op in late


def recomputed(function: Function, seeds: Iterable[Value]) -> tuple[Recomputed, ...]:
    """User's operations that stand in the backward sweep as well, on nothing but forward values.

    seeds : parameters that hold the cotangents of the results
    """
    forward = {_identity(op) for op in walk(function.body.ops) if op.role == "primal" and not op.regions}
    cotangents: set[Atom] = set(seeds)
    again = []
    for op in walk(function.body.ops):
        if op.regions:
            cotangents.update(p for region in op.regions for p in region.params if (p.hint or "").startswith("d_"))
        elif op.role == "adjoint":
            if _identity(op) not in forward or cotangents & set(op.inputs):
                cotangents.update(op.outputs)
            elif _is_work(op):
                again.append(op)
    found = {(_spelling(op), op.origin): None for op in again}
    return tuple(Recomputed(text, origin) for text, origin in found)


def zeros(compiled: Compiled, wrt: Sequence[tuple[str, Value]], result: int) -> tuple[Zero, ...]:
    """Those of the parameters whose gradient is zero whatever the numbers are.

    wrt : each a parameter's text and its value in the lowered function; result : the number of its result
    """
    body = compiled.lowered.function.body
    constant = cancelling(compiled.lowered.function, compiled.facts)
    found = []
    for text, value in wrt:
        active = active_values(body, [value], constant)
        if body.results[result] not in active:
            found.append(Zero(text, *_reason(body, value, active, set(constant))))
    return tuple(found)


def _reason(body: Region, value: Value, active: set[Value], constant: set[Value]) -> tuple[str, tuple[Origin, ...]]:
    readers = [op for op in walk(body.ops) if value in op.inputs]
    if not readers:
        return "the function does not read it", ()
    flat = [op for op in walk(body.ops) if not op.regions and active & set(op.inputs) and not active & set(op.outputs)]
    places = tuple(dict.fromkeys(op.origin for op in flat if op.origin.line))
    if constant & {v for op in flat for v in op.outputs}:
        return "what is added to all terms alike cancels", places
    if flat:
        return "it goes only into what has no derivative: comparisons, integers, shapes, flat functions", places
    made = tuple(dict.fromkeys(op.origin for op in readers if op.origin.line))
    return "what is computed from it does not reach the result", made


def _spelling(op: Op) -> str:
    """What the user wrote for it."""
    hint = op.outputs[0].hint
    return hint or op.origin.text[op.origin.column : op.origin.end_column] or op.prim.name


def _readers(region: Region, value: Value, late: Callable[[Op], bool]) -> Iterator[Origin]:
    """The user's places whose derivative reads the value, through the loops and branches that hand it on."""
    for op in region.ops:
        if op.prim.name in ("for", "while") and value in op.inputs:
            for param in _received(op, value):
                yield from _readers(op.regions[-1], param, late)
        elif value in op.inputs and late(op) and op.origin.line:
            yield op.origin
        for inner in op.regions:
            yield from _readers(inner, value, late)


def _received(op: Op, value: Value) -> list[Value]:
    """The parameters of a loop's body that stand for the value or for its items."""
    first = 3 if op.prim.name == "for" else 0
    params = op.regions[-1].params[1:] if op.prim.name == "for" else op.regions[-1].params
    return [param for given, param in zip(op.inputs[first:], params) if given is value]


def _recorder(op: Op, tape: Value) -> Origin:
    """The user's place of the value that a loop records, or of the loop."""
    if op.prim.name not in ("for", "while"):
        return op.origin
    source: Atom = op.regions[-1].results[op.outputs.index(tape)]
    made = next((inner for inner in op.regions[-1].ops if source in inner.outputs), None)
    if made is None or isinstance(source.type, Tape):
        return op.origin
    return made.origin if made.origin.line else op.origin


def _count(type: Type, held: Any) -> int:
    return sum(_count(type.item, each) for each in held) if isinstance(type, Tape) else 1


def _flat(type: Type, held: Any) -> Iterator[Any]:
    if isinstance(type, Tape):
        for each in held:
            yield from _flat(type.item, each)
    elif isinstance(held, (tuple, list)):  # what the forward half of a function has saved
        for each in held:
            yield from _flat(type, each)
    else:
        yield held


def _own_bytes(held: Any, taken: list[np.ndarray[Any, Any]]) -> int:
    """Memory that nothing in `taken` has; an array is added to it."""
    if not is_array(held):
        return sys.getsizeof(held)
    if any(namespace_of(held).may_share_memory(held, other) for other in taken):
        return 0
    taken.append(held)
    return int(held.nbytes)


def _identity(op: Op) -> tuple[Any, ...]:
    return op.prim.name, op.origin, op.outputs[0].hint if op.outputs else None


def _is_work(op: Op) -> bool:
    return op.origin is not NOWHERE and op.prim.name not in ("shape_of", "dim", "constant", "getitem")

"""Splitting the joint function into a forward and a backward half at the values that the latter needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..ir.dims import Dim, Facts, Symbol
from ..ir.nodes import Atom, Const, Function, Op, Param, Region, Slot, Value, free_values, walk
from ..ir.partial import partial_values
from ..ir.types import Array, Tape
from ..ir.words import word_for

_AGAIN = {
    "np.transpose", "np.expand_dims", "np.reshape", "np.less", "np.less_equal", "np.greater", "np.greater_equal",
    "np.equal", "np.not_equal", "shape_of", "dim", "constant", "not",
}  # fmt: skip


def split(function: Function, seed: Value, facts: Facts, name: str) -> tuple[Function, Function]:
    """(forward, backward) of a joint function whose results are (value, *gradients).

    forward(arguments) -> value, (saved values); backward(*saved, cotangent of value) -> gradients.
    """
    forward = [op for op in function.body.ops if op.role != "adjoint"]
    backward = [op for op in function.body.ops if op.role == "adjoint"]
    value, *gradients = function.body.results
    made = {v: op for op in walk(forward) for v in op.outputs}
    saved, again = _saved(forward, backward, gradients, seed)
    backward = [*again, *backward]
    saved += _lengths(function, backward, saved, facts)
    _agree_on_names(saved, backward, made)
    first = _forward(function, forward, value, saved, seed, f"{name}_forward")
    return first, _backward(function, backward, gradients, saved, seed, f"{name}_backward")


def _agree_on_names(saved: Sequence[Value], backward: Sequence[Op], made: Mapping[Value, Op]) -> None:
    """What one half calls a value, the other calls it too: named after what it is, or what it records."""
    for each in saved:
        if each in made:
            source = _source(each, made)
            if source.hint is None and source in made:
                source.hint = word_for(made[source])
            each.hint = each.hint or source.hint
    for op in walk(backward):
        if op.prim.name == "for":
            tapes = op.inputs[3 + op.attrs["carried"] :]
            for tape, item in zip(tapes, op.regions[0].params[1 + op.attrs["carried"] :]):
                item.hint = item.hint or getattr(tape, "hint", None)


def _source(value: Value, made: Mapping[Value, Op]) -> Value:
    """What a branch hands out, or a tape records."""
    op = made.get(value)
    if op is None or not op.regions:
        return value
    position = op.outputs.index(value)
    for region in op.regions:
        inner = region.results[position] if position < len(region.results) else None
        if isinstance(inner, Value) and (op.prim.name == "if" or isinstance(value.type, Tape)):
            return _source(inner, made)
    return value


def _saved(
    forward: Sequence[Op], backward: Sequence[Op], gradients: Sequence[Atom], seed: Value
) -> tuple[list[Value], list[Op]]:
    """Forward values that the backward half reads; views and comparisons of such are computed again."""
    made = {v: op for op in forward for v in op.outputs}
    own = {seed, *(v for op in backward for v in op.outputs)}
    needed: dict[Value, None] = {}
    for op in backward:
        needed.update((v, None) for v in free_values(op) if v not in own)
    needed.update((g, None) for g in gradients if isinstance(g, Value) and g not in own)
    again: list[Op] = []
    for v in reversed(list(needed)):
        source = made.get(v)
        if source is None or source.prim.name not in _AGAIN:
            continue
        if all(isinstance(a, Const) or a in needed for a in source.inputs):
            del needed[v]
            again.insert(0, replace(source, role="adjoint"))
    again.sort(key=lambda op: list(made).index(op.outputs[0]))
    return list(needed), again


def _lengths(function: Function, backward: Sequence[Op], saved: Sequence[Value], facts: Facts) -> list[Value]:
    """Arguments to save only because the backward half spells their lengths."""
    needed: set[Symbol] = set()
    for op in walk(backward):
        for attr in op.attrs.values():
            for part in attr if isinstance(attr, tuple) else (attr,):
                if isinstance(part, Dim):
                    needed |= facts.canon(part).symbols()
    extra: list[Value] = []
    partial = partial_values(function.body.ops)
    for symbol in sorted(needed):
        if not any(_reveals(v, symbol, facts) for v in (*saved, *extra) if v not in partial):
            extra += [p.value for p in function.params if _reveals(p.value, symbol, facts)][:1]
    return extra


def _reveals(value: Value, symbol: Symbol, facts: Facts) -> bool:
    type = value.type
    if not isinstance(type, Array):
        return False
    dims = [*type.axes, *([type.dim] if type.dim is not None else [])]
    return any(facts.canon(dim).symbol == symbol for dim in dims)


def _forward(
    function: Function, ops: Sequence[Op], value: Atom, saved: Sequence[Value], seed: Value, name: str
) -> Function:
    params = tuple(p for p in function.params if p.value is not seed)
    results = (value, *saved)
    hidden = _hidden(function)
    template: Any = (Slot(0), tuple(Slot(1 + k) for k, v in enumerate(saved) if v not in hidden))
    return replace(
        function, name=name, params=params, body=Region((), tuple(ops), results), result=template,
        notes={**function.notes, "gradients": []},
    )  # fmt: skip


def _backward(
    function: Function, ops: Sequence[Op], gradients: Sequence[Atom], saved: Sequence[Value], seed: Value, name: str
) -> Function:
    names: set[str] = set()
    params = []
    for value in (*saved, seed):
        stem = value.hint or "value"
        if value in {group[0] for group in function.notes.get("groups", ())}:
            stem = "history"
        elif isinstance(value.type, Tape):
            stem = f"{stem}_steps"
        unique, number = stem, 0
        while unique in names:
            number += 1
            unique = f"{stem}_{number}"
        names.add(unique)
        params.append(Param(value, unique))
    hidden = _hidden(function)
    signature = tuple((p.name, "plain", None) for p in params if p.value not in hidden)
    template = _shift(function.result[1], 1)
    notes = {**function.notes, "signature": signature, "gradients": list(range(len(gradients)))}
    notes["partial"] = partial_values(function.body.ops)
    return replace(
        function, name=name, params=tuple(params), body=Region((), tuple(ops), tuple(gradients)), result=template,
        notes=notes,
    )  # fmt: skip


def _hidden(function: Function) -> set[Value]:
    """Tapes that another one stands for."""
    return {tape for group in function.notes.get("groups", ()) for tape in group[1:]}


def _shift(template: Any, by: int) -> Any:
    if isinstance(template, Slot):
        return Slot(template.number - by)
    if isinstance(template, dict):
        return {key: _shift(item, by) for key, item in template.items()}
    if isinstance(template, (tuple, list)):
        return type(template)(_shift(item, by) for item in template)
    return template

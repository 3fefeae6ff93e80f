"""Splitting the joint function into a forward and a backward half at the values that the latter needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Any

from ..ir.calls import header, items, packages, packed, parameters, whole
from ..ir.dims import Dim, Facts, Symbol
from ..ir.nodes import Atom, Const, Function, Kept, Op, Param, Rebuilt, Region, Slot, Value, free_values, walk
from ..ir.partial import partial_values
from ..ir.types import Array, Tape
from ..ir.words import word_for
from .calls import Pair

_AGAIN = {
    "np.transpose", "np.expand_dims", "np.reshape", "np.less", "np.less_equal", "np.greater", "np.greater_equal",
    "np.equal", "np.not_equal", "shape_of", "dim", "constant", "not",
}  # fmt: skip


def split(function: Function, seeds: Sequence[Value], facts: Facts, name: str) -> tuple[Function, Function]:
    """(forward, backward) of a joint function whose result is (value, gradients), `notes["values"]` of them values.

    forward(arguments) -> value, (saved values); backward(*saved, *cotangents of the value) -> gradients.
    """
    count = function.notes["values"]
    values, gradients = function.body.results[:count], function.body.results[count:]
    forward, backward, saved = _halves(function, gradients, seeds, facts)
    hidden = _hidden(function)
    template = (function.result[0], tuple(Slot(count + k) for k, v in enumerate(saved) if v not in hidden))
    first = _forward(function, forward, values, saved, seeds, template, f"{name}_forward")
    order = _order(function, forward)
    names = _parameter_names(function, [*sorted(saved, key=order.index), *seeds])
    params = [Param(v, names[v]) for v in (*saved, *seeds)]
    signature = [(names[v], "plain", None) for v in (*saved, *seeds) if v not in hidden]
    result = _shift(function.result[1], count)
    return first, _backward(function, backward, gradients, params, signature, result, f"{name}_backward")


def split_pair(pair: Pair, facts: Facts) -> None:
    """Give the halves of a procedure their bodies.

    forward(arguments) -> (*results, saved); backward(saved, *cotangents of results) -> cotangents. What is saved is one
    value for the callers: a tuple, unless it is a single value.
    """
    function, seeds = pair.joint, pair.seeds
    assert function is not None
    count = len(function.body.results) - sum(pair.gradients)
    numbers = range(count, len(function.body.results))
    function = replace(function, notes={**function.notes, "values": count, "gradients": numbers})
    values, gradients = function.body.results[:count], function.body.results[count:]
    forward, backward, saved = _halves(function, gradients, seeds, facts)
    saved.sort(key=_order(function, forward).index)
    hidden = _hidden(function)
    kept = [v for v in saved if v not in hidden]
    template = (*items(function), packed([count + k for k, v in enumerate(saved) if v not in hidden]))
    pair.forward.body = _forward(function, forward, values, saved, seeds, template, pair.forward.name)
    names = _parameter_names(function, [*saved, *seeds])
    params = parameters(names[kept[0]] if len(kept) == 1 else "saved", kept)
    given = _seed_params(function, seeds, names, {param.name for param in params})
    stand_ins = [Param(v, names[v]) for v in saved if v in hidden]
    ends = list(accumulate(pair.gradients))
    parts = [packed(range(end - length, end)) for length, end in zip(pair.gradients, ends)]
    result, single = whole(parts)
    function = replace(function, notes={**function.notes, "packages": packages([*params, *given]), "single": single})
    pair.backward.body = _backward(
        function, backward, gradients, [*params, *stand_ins, *given], header([*params, *given]), result,
        pair.backward.name,
    )  # fmt: skip
    pair.saves = bool(kept)


def _order(function: Function, forward: Sequence[Op]) -> list[Value]:
    """Values of the forward half in the order in which they are made: the first of one name needs no number."""
    return [*(p.value for p in function.params), *(v for op in forward for v in op.outputs)]


def _seed_params(
    function: Function, seeds: Sequence[Value], names: Mapping[Value, str], taken: set[str]
) -> list[Param]:
    """The parameters for cotangents: called anew, but for those that are handed over together."""
    found, renamed = [], dict[str, str]()
    for seed in seeds:
        param = next(p for p in function.params if p.value is seed)
        if param.path and param.name not in renamed:
            name = param.name
            while name in taken:
                name += "_"
            renamed[param.name] = name
            taken.add(name)
        found.append(replace(param, name=renamed[param.name] if param.path else names[seed]))
    return found


def _halves(
    function: Function, gradients: Sequence[Atom], seeds: Sequence[Value], facts: Facts
) -> tuple[list[Op], list[Op], list[Value]]:
    """The ops of either half, and what the backward one reads of the forward one."""
    forward = [op for op in function.body.ops if op.role != "adjoint"]
    backward = [op for op in function.body.ops if op.role == "adjoint"]
    made = {v: op for op in walk(forward) for v in op.outputs}
    saved, again = _saved(forward, backward, gradients, seeds)
    backward = [*again, *backward]
    saved += _lengths(function, backward, [*saved, *seeds], facts)
    _agree_on_names(saved, backward, made)
    return forward, backward, saved


def _agree_on_names(saved: Sequence[Value], backward: Sequence[Op], made: Mapping[Value, Op]) -> None:
    """What one half calls a value, the other calls it too: named after what it is, or what it records."""
    for each in saved:
        if each in made:
            source = _source(each, made)
            if source.hint is None and source in made:
                source.hint = word_for(made[source], made)
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
    forward: Sequence[Op], backward: Sequence[Op], gradients: Sequence[Atom], seeds: Sequence[Value]
) -> tuple[list[Value], list[Op]]:
    """Forward values that the backward half reads; views and comparisons of such are computed again."""
    made = {v: op for op in forward for v in op.outputs}
    own = {*seeds, *(v for op in backward for v in op.outputs)}
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


def _lengths(function: Function, backward: Sequence[Op], known: Sequence[Value], facts: Facts) -> list[Value]:
    """Arguments to save only because the backward half spells their lengths; `known` is what it has anyway."""
    needed: set[Symbol] = set()
    for op in walk(backward):
        for attr in op.attrs.values():
            for part in attr if isinstance(attr, tuple) else (attr,):
                if isinstance(part, Dim):
                    needed |= facts.canon(part).symbols()
    extra: list[Value] = []
    partial = partial_values(function.body.ops)
    for symbol in sorted(needed):
        if not any(_reveals(v, symbol, facts) for v in (*known, *extra) if v not in partial):
            extra += [p.value for p in function.params if _reveals(p.value, symbol, facts)][:1]
    return extra


def _reveals(value: Value, symbol: Symbol, facts: Facts) -> bool:
    type = value.type
    if not isinstance(type, Array):
        return False
    dims = [*type.axes, *([type.dim] if type.dim is not None else [])]
    return any(facts.canon(dim).symbol == symbol for dim in dims)


def _forward(
    function: Function,
    ops: Sequence[Op],
    values: Sequence[Atom],
    saved: Sequence[Value],
    seeds: Sequence[Value],
    template: Any,
    name: str,
) -> Function:
    params = tuple(p for p in function.params if p.value not in seeds)
    return replace(
        function, name=name, params=params, body=Region((), tuple(ops), (*values, *saved)), result=template,
        notes={**_notes(function, range(len(values))), "single": False},
    )  # fmt: skip


def _parameter_names(function: Function, values: Sequence[Value]) -> dict[Value, str]:
    """What the backward half calls its parameters."""
    names: dict[Value, str] = {}
    for value in values:
        stem = value.hint or "value"
        if value in {group[0] for group in function.notes.get("groups", ())}:
            stem = "history"
        elif isinstance(value.type, Tape):
            stem = f"{stem}_steps"
        unique, number = stem, 0
        while unique in names.values():
            number += 1
            unique = f"{stem}_{number}"
        names[value] = unique
    return names


def _backward(
    function: Function,
    ops: Sequence[Op],
    gradients: Sequence[Atom],
    params: Sequence[Param],
    signature: Sequence[tuple[str, str, str | None]],
    result: Any,
    name: str,
) -> Function:
    first = function.notes["values"]
    own = _notes(function, range(first, first + len(gradients)))
    notes = {**own, "signature": tuple(signature), "values": 0}
    notes["partial"] = partial_values(function.body.ops)
    return replace(
        function, name=name, params=tuple(params), body=Region((), tuple(ops), tuple(gradients)), result=result,
        notes=notes,
    )  # fmt: skip


def _notes(function: Function, part: range) -> dict[str, Any]:
    """Which results are gradients, in one half's own numbers."""
    own = {
        name: [k - part.start for k in function.notes.get(name, ()) if k in part] for name in ("gradients", "zero_d")
    }
    called = {k - part.start: text for k, text in function.notes.get("called", {}).items() if k in part}
    return {**function.notes, **own, "called": called}


def _hidden(function: Function) -> set[Value]:
    """Tapes that another one stands for."""
    return {tape for group in function.notes.get("groups", ()) for tape in group[1:]}


def _shift(template: Any, by: int) -> Any:
    if isinstance(template, Slot):
        return Slot(template.number - by)
    if isinstance(template, (Kept, Rebuilt)):
        template = replace(template, source=Slot(template.source.number - by))
        if isinstance(template, Rebuilt):
            template = replace(template, items=tuple((name, _shift(item, by)) for name, item in template.items))
        return template
    if isinstance(template, dict):
        return {key: _shift(item, by) for key, item in template.items()}
    if isinstance(template, (tuple, list)):
        return type(template)(_shift(item, by) for item in template)
    return template

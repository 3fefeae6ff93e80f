"""The last word on results: every gradient is a fresh, writable array shared with nobody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from ..ir.builder import Builder
from ..ir.dims import Facts
from ..ir.memory import may_share
from ..ir.nodes import Atom, Function, Op, Region, Value, walk
from ..ir.primitive import named
from ..ir.types import Array, Type


def own_results(function: Function, facts: Facts, which: Collection[int], zero_d: Collection[int] = ()) -> Function:
    """Copy those results (by number) that are, or may be, an argument's memory or each other's.

    The gradients of 0-d arrays, numbers until here, become 0-d arrays. On a GPU numbers are 0-d arrays anyway, and
    those that are no gradients are copied too.
    """
    made = {value: op for op in function.body.ops for value in op.outputs}
    uses = Counter(a for op in walk(function.body.ops) for a in op.inputs)
    uses.update(a for op in walk(function.body.ops) for region in op.regions for a in region.results)
    uses.update(function.body.results)
    everything = _sources(function.body)
    builder = Builder(facts, role="adjoint")
    results: list[Atom] = []
    values = function.notes.get("values", len(function.body.results))  # what follows is gradients, or saved for them
    called = function.notes.get("called", {})
    seen: set[Value] = set()
    for number, atom in enumerate(function.body.results):
        if isinstance(atom, Value) and _is_checked(atom.type, number in which, number < values):
            memory = _allocations(atom, everything)
            if memory & seen or not _fresh(atom, made, uses):
                hint = called.get(number, atom.hint)
                (copy,) = builder.apply(named("np.copy"), [atom], style="method", hint=hint)
                atom = copy
            seen |= memory
        elif number in zero_d:
            atom = _array_of(atom, builder, function.notes.get("namespace", "numpy"))
        results.append(atom)
    body = replace(function.body, ops=(*function.body.ops, *builder.ops), results=tuple(results))
    return function.with_body(body)


def _array_of(number: Atom, builder: Builder, namespace: str) -> Value:
    (array,) = builder.apply(named("as_array"), [number])
    assert isinstance(array.type, Array)
    array.type = replace(array.type, namespace=namespace)
    return array


def _is_checked(type: Type, is_gradient: bool, is_value: bool) -> bool:
    """Whether a result has memory that must be its own: gradients, and numbers of a GPU."""
    return isinstance(type, Array) and type.has_memory and (is_gradient or (is_value and not type.ndim))


def _sources(region: Region) -> dict[Value, list[Atom]]:
    """For every value that control flow or a view hands on, at any depth, what it may be."""
    found: dict[Value, list[Atom]] = {}
    for op in walk(region.ops):
        first = {"for": 3, "while": 0}.get(op.prim.name)
        if op.regions:
            body = op.regions[-1]
            params = body.params[1:] if first else body.params
            starts = [] if first is None else op.inputs[first : first + op.attrs["carried"]]
            for start, param, result in zip(starts, params, body.results):
                found[param] = [start, result]
            for number, output in enumerate(op.outputs):
                ends = [each.results[number] for each in op.regions if number < len(each.results)]
                found[output] = [*ends, *starts[number : number + 1]]
        elif may_share(op):
            found[op.outputs[0]] = [op.inputs[0]]
    return found


def _allocations(atom: Atom, sources: Mapping[Value, Sequence[Atom]]) -> set[Value]:
    """The values whose memory the atom may be."""
    found: set[Value] = set()
    left: list[Atom] = [atom]
    while left:
        each = left.pop()
        if isinstance(each, Value) and each not in found:
            found.add(each)
            left += sources.get(each, ())
    return found


def _fresh(atom: Atom, made: dict[Value, Op], uses: Mapping[Atom, int], known: frozenset[Value] = frozenset()) -> bool:
    """Whether the value is memory that this call allocated, and that nothing else holds; `known` are such values."""
    if not isinstance(atom, Value) or atom in known:
        return True
    op = made.get(atom)
    if op is None:
        return False
    if op.prim.name == "broadcast":
        source = op.inputs[0].type
        return isinstance(source, Array) and source.ndim == 0  # spelled as np.full
    if op.prim.name in ("if", "for", "while"):
        return all(_fresh_in(region, op, atom, made, uses, known) for region in op.regions)
    if op.prim.name in ("index_add", "index_set"):
        return True  # written into owned memory, or into a copy
    if may_share(op):  # a view of memory that nobody else holds
        whole = op.inputs[0]
        return isinstance(whole, Value) and whole in made and uses[whole] == 1 and _fresh(whole, made, uses, known)
    return op.prim.kind != "impure" and op.prim.name != "invoke"


def _fresh_in(
    region: Region, op: Op, atom: Value, made: dict[Value, Op], uses: Mapping[Atom, int], known: frozenset[Value]
) -> bool:
    position = op.outputs.index(atom)
    if position >= len(region.results):
        return True
    inner = made | {v: o for o in region.ops for v in o.outputs}
    first = {"for": 3, "while": 0}.get(op.prim.name)
    if first is not None:
        if not _fresh(op.inputs[first + position], made, uses, known):
            return False
        params = region.params[1:] if first else region.params
        known |= {params[position]}  # what every pass starts from, if every pass ends with memory of its own
    return _fresh(region.results[position], inner, uses, known)

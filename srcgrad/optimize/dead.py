"""Dead code: ops without effect whose results nobody reads, and carried values and tapes nobody needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..ir.calls import called
from ..ir.nodes import Atom, Function, Op, Region, Value, region_free_values, walk


def eliminate_dead(function: Function, results: Sequence[int] | None = None) -> Function:
    """Keep what the results (all, or those numbered) and the impure ops need."""
    body = function.body
    kept = body.results if results is None else tuple(body.results[k] for k in results)
    live = _values(kept)
    ops = _sweep(body.ops, live)
    return function.with_body(Region(body.params, ops, kept))


def has_effect(op: Op) -> bool:
    return (
        any(inner.prim.kind == "impure" for inner in walk([op]))
        or any(p.impure for p in called([op]))
        or bool(op.attrs.get("effects"))
    )


def _values(atoms: Sequence[Atom]) -> set[Value]:
    return {a for a in atoms if isinstance(a, Value)}


def _sweep(ops: Sequence[Op], live: set[Value]) -> tuple[Op, ...]:
    """The ops that are needed, last to first; `live` grows by what they read."""
    kept: list[Op] = []
    for op in reversed(ops):
        if not (has_effect(op) or any(v in live for v in op.outputs)):
            continue
        if op.prim.name == "if":
            op = _if(op, live)
        elif op.prim.name == "for":
            op = _for(op, live)
        elif op.prim.name == "while":
            op = _while(op, live)
        live.update(_values(op.inputs))
        for region in op.regions:
            live.update(region_free_values(region))
        kept.append(op)
    return tuple(kept[::-1])


def _region(region: Region, keep: Sequence[int]) -> tuple[Region, set[Value]]:
    """The region with only the results numbered, and everything live inside it."""
    results = tuple(region.results[k] for k in keep)
    live = _values(results)
    ops = _sweep(region.ops, live)
    return Region(region.params, ops, results), live


def _if(op: Op, live: set[Value]) -> Op:
    keep = [k for k, v in enumerate(op.outputs) if v in live]
    regions = tuple(_region(region, keep)[0] for region in op.regions)
    return replace(op, regions=regions, outputs=tuple(op.outputs[k] for k in keep))


def _needed(op: Op, body: Region, params: Sequence[Value], live: set[Value], always: set[Value]) -> list[int]:
    """Numbers of the results needed: read afterwards, or by something needed inside, to a fixed point."""
    carried = op.attrs["carried"]
    keep = {k for k, v in enumerate(op.outputs[: len(body.results)]) if v in live}
    keep |= {len(body.results) - 1} if "stops" in op.attrs else set()
    keep |= {k for k in range(carried) if params[k] in always}
    while True:
        _, inside = _region(body, sorted(keep))
        more = keep | {k for k in range(carried) if params[k] in inside}
        if more == keep:
            return sorted(keep)
        keep = more


def _for(op: Op, live: set[Value]) -> Op:
    (body,) = op.regions
    carried = op.attrs["carried"]
    keep = _needed(op, body, body.params[1 : 1 + carried], live, set())
    region, inside = _region(body, keep)
    kept_carried = [k for k in keep if k < carried]
    items = [k for k in range(1 + carried, len(body.params)) if body.params[k] in inside]
    if op.attrs.get("driven") and not items:  # its recording is all that counts the passes
        items = [1 + carried]
    params = (body.params[0], *(body.params[1 + k] for k in kept_carried), *(body.params[k] for k in items))
    inputs = (*op.inputs[:3], *(op.inputs[3 + k] for k in kept_carried), *(op.inputs[2 + k] for k in items))
    return replace(
        op,
        inputs=inputs,
        outputs=tuple(op.outputs[k] for k in keep),
        attrs={**op.attrs, "carried": len(kept_carried)},
        regions=(Region(params, region.ops, region.results),),
    )


def _while(op: Op, live: set[Value]) -> Op:
    test, body = op.regions
    carried = op.attrs["carried"]
    condition = region_free_values(Region((), test.ops, test.results))
    always = {body.params[k] for k in range(carried) if test.params[k] in condition}
    keep = _needed(op, body, body.params, live, always)
    region, _ = _region(body, keep)
    kept = [k for k in keep if k < carried]
    return replace(
        op,
        inputs=tuple(op.inputs[k] for k in kept),
        outputs=(*(op.outputs[k] for k in keep if k < len(op.outputs) - 1), op.outputs[-1]),
        attrs={**op.attrs, "carried": len(kept)},
        regions=(
            Region(tuple(test.params[k] for k in kept), test.ops, test.results),
            Region(tuple(body.params[k] for k in kept), region.ops, region.results),
        ),
    )

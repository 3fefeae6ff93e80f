"""What to record and what to recompute in the backward sweep.

The reverse transform records whatever a formula reads. Here a recording goes where the value can be had for less:

- a view, an index, or arithmetic on numbers is computed again from what is at hand anyway;
- the value that a pass hands on is the one that the next pass starts from, so that the backward loop carries it
  instead of reading a second tape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ..ir.builder import Builder
from ..ir.dims import Facts
from ..ir.indexing import is_basic
from ..ir.memory import may_share
from ..ir.nodes import (
    Atom,
    Const,
    Function,
    Op,
    Region,
    Undefined,
    Value,
    along,
    atoms_used,
    counts_passes,
    records_of,
    renamed,
    stopping_paths,
    substitute,
    walk,
    whole_pass,
)
from ..ir.partial import partial_values
from ..ir.primitive import named
from ..ir.types import Array, Tape

_ARITHMETIC = {"np.add", "np.subtract", "np.multiply", "np.divide", "np.negative"}
_COMPARISONS = {"np.less", "np.less_equal", "np.greater", "np.greater_equal", "np.equal", "np.not_equal", "not"}
_DEPTH = 4  # how many ops a recomputed value may take


def economise(function: Function, facts: Facts) -> Function:
    """Assumes that every loop reading tapes is derived from the loop that records them."""
    economy = _Economy(function)
    return function.with_body(economy.region(function.body, {}))


def _atoms(region: Region) -> Iterator[Atom]:
    for op in region.ops:
        yield from atoms_used(op)
    yield from region.results


def _sink(body: Region, sunk: Mapping[tuple[Value, int], Sequence[Op]]) -> Region:
    """The region with ops put at the start of halves of its branches, which their first output names."""
    ops = []
    for op in body.ops:
        if op.prim.name == "if" and op.outputs:
            halves = tuple(
                replace(region, ops=(*sunk.get((op.outputs[0], k), ()), *region.ops))
                for k, region in enumerate(op.regions)
            )
            op = replace(op, regions=halves)
        ops.append(op)
    return replace(body, ops=tuple(ops))


def _hoist(ops: Sequence[Op], inside: set[Value]) -> tuple[list[Op], list[Op]]:
    """Ops that read nothing from inside the loop, and the rest."""
    before: list[Op] = []
    after: list[Op] = []
    moved: set[Value] = set()
    for op in ops:
        free = all(not isinstance(a, Value) or a in moved or a not in inside for a in op.inputs)
        own = {v for each in after for v in each.outputs}
        if free and not _may_raise(op) and not any(a in own for a in op.inputs):
            before.append(op)
            moved.update(op.outputs)
        else:
            after.append(op)
    return before, after


def _renamed(region: Region, known: Mapping[Value, Atom]) -> Region:
    ops = tuple(substitute(op, known) for op in region.ops)
    return replace(region, ops=ops, results=tuple(renamed(atom, known) for atom in region.results))


def _may_raise(op: Op) -> bool:
    """Division of Python numbers by zero, a power that overflows, an element that is not there."""
    if op.prim.name == "getitem":
        index = op.attrs["index"]
        return not all(isinstance(part, slice) for part in (index if isinstance(index, tuple) else (index,)))
    return op.prim.name in ("np.divide", "np.power")


def copy_recorded_views(function: Function, facts: Facts) -> Function:
    """A recorded view of an array that is written to becomes a copy, so that the array may be written in place."""
    parent: dict[Value, Value] = {}
    written: set[Value] = set()

    def root(value: Value) -> Value:
        while value in parent:
            value = parent[value]
        return value

    def same(a: Atom, b: Atom) -> None:
        if isinstance(a, Value) and isinstance(b, Value) and root(a) is not root(b):
            parent[root(b)] = root(a)

    for op in walk(function.body.ops):
        if op.prim.name in ("index_set", "index_add") and op.role == "primal":
            same(op.inputs[0], op.outputs[0])
            written.add(op.outputs[0])
        elif op.inputs and may_share(op):
            same(op.inputs[0], op.outputs[0])
        elif op.prim.name in ("for", "while"):
            params = op.regions[-1].params[1:] if op.prim.name == "for" else op.regions[-1].params
            for group in zip(op.inputs[3 if op.prim.name == "for" else 0 :], params, op.regions[-1].results):
                same(group[0], group[1])
                same(group[1], group[2])
    roots = {root(value) for value in written}
    return function.with_body(_copied(function.body, lambda v: root(v) in roots, facts))


def _copied(region: Region, is_written: Callable[[Value], bool], facts: Facts) -> Region:
    ops: list[Op] = []
    for op in region.ops:
        regions = tuple(_copied(r, is_written, facts) for r in op.regions)
        if op.prim.name in ("for", "while"):
            body = _record_copies(regions[-1], op.attrs["carried"], is_written, facts)
            regions = (*regions[:-1], body)
        ops.append(replace(op, regions=regions) if regions else op)
    return replace(region, ops=tuple(ops))


def _record_copies(body: Region, carried: int, is_written: Callable[[Value], bool], facts: Facts) -> Region:
    """The body with its recorded views copied where they are taken; the forward sweep goes on with the views.

    (A copy may be summed in another order than a view: the value computed is the user's to the last bit.)
    """
    views = {v for v in body.results[carried:] if isinstance(v, Value) and _has_axes(v) and is_written(v)}
    builder = Builder(facts)
    recorded: dict[Value, Atom] = {}
    for op in body.ops:
        builder.ops.append(op)
        for v in op.outputs:
            if v in views and may_share(op):
                with builder.at(op.origin):
                    (recorded[v],) = builder.apply(named("np.copy"), [v], style="method")
    carries, records = body.results[:carried], body.results[carried:]
    results = (*carries, *(recorded.get(a, a) if isinstance(a, Value) else a for a in records))
    return Region(body.params, tuple(builder.ops), results)


def _has_axes(value: Value) -> bool:
    return isinstance(value.type, Array) and value.type.ndim > 0


def drive_by_tapes(function: Function, facts: Facts) -> Function:
    """A loop that reads a recording in every pass needs no count beside it: its bounds are dropped."""
    return function.with_body(_driven(function.body))


def _driven(region: Region) -> Region:
    ops = []
    for op in region.ops:
        op = replace(op, regions=tuple(_driven(r) for r in op.regions)) if op.regions else op
        if op.prim.name == "for" and len(op.inputs) > 3 + op.attrs["carried"]:
            index = op.regions[0].params[0]
            if index not in {a for inner in op.regions[0].ops for a in atoms_used(inner)} | {*op.regions[0].results}:
                inputs = (Const(0), Const(0), Const(1), *op.inputs[3:])
                op = replace(op, inputs=inputs, attrs={**op.attrs, "driven": True})
        ops.append(op)
    return replace(region, ops=tuple(ops))


def group_recordings(function: Function, facts: Facts) -> Function:
    """Several recordings of one loop that one other loop reads may share a list of tuples: `notes["groups"]`.

    Not where a recorded variable gets its next value before the last of them is known: it would need a second name.
    """
    readers: dict[Value, list[Op | None]] = {}
    loops: list[Op] = []
    _readers(function.body, readers, loops)
    groups = [group for op in loops if (group := _group(op, readers))]
    return replace(function, notes={**function.notes, "groups": tuple(groups)})


def _readers(region: Region, readers: dict[Value, list[Op | None]], loops: list[Op]) -> None:
    for op in region.ops:
        if op.prim.name in ("for", "while"):
            loops.append(op)
        for atom in op.inputs:
            if isinstance(atom, Value):
                readers.setdefault(atom, []).append(op)
        for inner in op.regions:
            _readers(inner, readers, loops)
    for atom in region.results:
        if isinstance(atom, Value):
            readers.setdefault(atom, []).append(None)


def _group(op: Op, readers: Mapping[Value, list[Op | None]]) -> tuple[Value, ...]:
    """The loop's tapes in the order in which their values become known, or nothing if they stay apart."""
    body, carried = op.regions[-1], op.attrs["carried"]
    tapes = op.outputs[carried : len(op.outputs) - counts_passes(op)]
    users = [readers.get(tape, []) for tape in tapes]
    if len(tapes) < 2 or any(len(u) != 1 or u[0] is None for u in users) or len({id(u[0]) for u in users}) > 1:
        return ()
    path = whole_pass(op)
    ops = walk(body.ops) if path else body.ops
    place: dict[Atom, int] = {v: n for n, each in enumerate(ops) for v in each.outputs}
    sources = [along(source, path) for source in records_of(op)]
    last = max(place.get(v, -1) for v in sources)
    params = body.params[1:] if op.prim.name == "for" else body.params
    for param, result in zip(params, body.results[:carried]):
        if param in sources and place.get(along(result, path), last + 1) <= last:
            return ()
    order = sorted(range(len(tapes)), key=lambda k: place.get(sources[k], -1))
    return tuple(tapes[k] for k in order)


@dataclass
class _Plan:
    """What becomes of one derived loop's items."""

    recomputed: list[Op]
    dropped: set[Value]
    handed_on: list[tuple[Value, Value, Atom]]  # (item of the result, item of the parameter, value after the loop)
    renamed: dict[Value, Atom]  # items that are values at hand
    sunk: dict[tuple[Value, int], list[Op]]  # (first output of a branch, half) -> what is computed again in there


class _Economy:
    def __init__(self, function: Function):
        self.made: dict[Value, Op] = {}
        self.position: dict[Value, int] = {}
        self.partial = partial_values(function.body.ops)
        self.recorded: dict[Value, Value] = {}  # a backward item -> the forward value it is
        self.root = {p.value for p in function.params} | {v for op in function.body.ops for v in op.outputs}
        for number, op in enumerate(walk(function.body.ops)):
            for value in op.outputs:
                self.made[value], self.position[value] = op, number

    def region(self, region: Region, known: Mapping[Value, Atom]) -> Region:
        """`known` maps forward values to what they are called in this backward region."""
        return replace(region, ops=tuple(each for op in region.ops for each in self.op(op, known)))

    def op(self, op: Op, known: Mapping[Value, Atom]) -> Sequence[Op]:
        if op.prim.name == "for" and op.attrs.get("derived"):
            return self._derived(op, known)
        if op.regions:
            return [replace(op, regions=tuple(self.region(region, known) for region in op.regions))]
        return [op]

    def _derived(self, op: Op, known: Mapping[Value, Atom]) -> Sequence[Op]:
        """The loop with what is left of its tapes; before it, what it needs but does not change."""
        (body,) = op.regions
        carried = op.attrs["carried"]
        items, forward = self._sources(op)
        if not items:
            return [replace(op, regions=(self.region(body, known),))]
        inner = dict(known)
        if forward is not None and forward.prim.name == "for":
            inner[forward.regions[0].params[0]] = body.params[0]
        plan = self._plan(items, inner, forward, body)
        for item, source in items.items():
            inner.setdefault(source, plan.renamed.get(item, item))
        region = self.region(_sink(_renamed(body, plan.renamed), plan.sunk), inner)
        kept = [k for k, p in enumerate(body.params[1 + carried :]) if p not in plan.dropped]
        tapes = [op.inputs[3 + carried + k] for k in kept]
        tape_params = [body.params[1 + carried + k] for k in kept]
        extra = plan.handed_on
        for result_item, param_item, after in extra:
            result_item.hint = getattr(after, "hint", None) or result_item.hint
            param_item.hint = f"{result_item.hint}_before" if result_item.hint else param_item.hint
        params = (*body.params[: 1 + carried], *(r for r, _, _ in extra), *tape_params)
        results = (*region.results[:carried], *(p for _, p, _ in extra), *region.results[carried:])
        outputs = (*op.outputs[:carried], *(Value(r.type, r.hint) for r, _, _ in extra), *op.outputs[carried:])
        inputs = (*op.inputs[: 3 + carried], *(after for _, _, after in extra), *tapes)
        recomputed = [replace(each, role=op.role) for each in plan.recomputed]  # of the loop's own sweep
        before, inside = _hoist(recomputed, {*params, *plan.dropped})
        loop = replace(
            op,
            inputs=inputs,
            outputs=outputs,
            attrs={**op.attrs, "carried": carried + len(extra)},
            regions=(Region(params, (*inside, *region.ops), results),),
        )
        return [*before, loop]

    def _sources(self, op: Op) -> tuple[dict[Value, Value], Op | None]:
        """Each item of a derived loop, and the forward value that was recorded; the loop that recorded them."""
        (body,) = op.regions
        carried = op.attrs["carried"]
        sources: dict[Value, Value] = {}
        forward = None
        for tape, item in zip(op.inputs[3 + carried :], body.params[1 + carried :]):
            origin = self._recording(self.recorded.get(tape, tape))  # type: ignore[arg-type]
            made = self.made.get(origin) if origin is not None else None
            if made is None or made.prim.name not in ("for", "while") or origin is None:
                continue
            source = along(made.regions[-1].results[made.outputs.index(origin)], whole_pass(made))
            if isinstance(source, Value):
                sources[item] = source
                self.recorded[item] = source
                forward = made
        return sources, forward

    def _recording(self, tape: Value) -> Value | None:
        """The tape where its loop makes it, if a branch hands it out."""
        made = self.made.get(tape)
        while made is not None and made.prim.name == "if":
            results = [region.results[made.outputs.index(tape)] for region in made.regions]
            defined = [a for a in results if isinstance(a, Value)]
            if len(defined) != 1:
                return None
            tape = defined[0]
            made = self.made.get(tape)
        return tape

    def _plan(self, items: Mapping[Value, Value], known: dict[Value, Atom], forward: Op | None, body: Region) -> _Plan:
        plan = _Plan([], set(), [], {}, {})
        by_source = {source: item for item, source in reversed([*items.items()])}  # of two alike the first is kept
        if forward is not None:
            self._hand_on(plan, by_source, known, forward)
        at_hand = dict(known)
        # beside recordings that must be, one more of a named number costs no line and less time than its arithmetic
        kept = [s for i, s in items.items() if i not in plan.dropped]
        stored = any(s not in self.made or not self._cheap(self.made[s]) for s in kept)
        for item, source in sorted(items.items(), key=lambda pair: self.position.get(pair[1], -1)):
            if item in plan.dropped:
                at_hand[source] = item
                continue
            ops: list[Op] = []
            if source.hint is not None and stored and self._computed_number(source):
                at_hand[source] = item
                continue
            if self._into_branch(item, source, at_hand, body, plan):
                continue
            tried = dict(at_hand)
            found = self._again(source, tried, ops, _DEPTH, item)
            if found is not None:
                at_hand = tried
                plan.recomputed += ops
                plan.dropped.add(item)
                if found is not item:  # nothing to compute: it is at hand under another name
                    plan.renamed[item] = found
            at_hand[source] = plan.renamed.get(item, item)
        return plan

    def _into_branch(self, item: Value, source: Value, known: Mapping[Value, Atom], body: Region, plan: _Plan) -> bool:
        """What one half of a branch computed, and only that half of its derivative reads, is computed there again."""
        made = self.made.get(source)
        if made is None or made.prim.name != "if":
            return False
        results = [region.results[made.outputs.index(source)] for region in made.regions]
        halves = [k for k, atom in enumerate(results) if isinstance(atom, Value)]
        readers = [op for op in body.ops if item in set(atoms_used(op))]
        if len(halves) != 1 or len(readers) != 1 or readers[0].prim.name != "if" or item in body.results:
            return False
        half, reader = halves[0], readers[0]
        inner = results[half]
        elsewhere = {a for k, region in enumerate(reader.regions) if k != half for a in _atoms(region)}
        if item in {*reader.inputs, *elsewhere} or not isinstance(inner, Value):
            return False
        ops: list[Op] = []
        if self._again(inner, dict(known), ops, _DEPTH, item) is not item:
            return False
        plan.sunk.setdefault((reader.outputs[0], half), []).extend(ops)
        plan.dropped.add(item)
        return True

    def _hand_on(self, plan: _Plan, items: Mapping[Value, Value], known: Mapping[Value, Atom], forward: Op) -> None:
        """Where both a carried variable's old and new value are read, the new one is carried backwards."""
        body = forward.regions[-1]
        params = body.params[1:] if forward.prim.name == "for" else body.params
        path = whole_pass(forward)
        for k in range(forward.attrs["carried"]):
            old, new = items.get(params[k]), items.get(along(body.results[k], path))  # type: ignore[arg-type]
            after = forward.outputs[k]
            if old is None or new is None or old is new or after not in self.root:
                continue
            halts = stopping_paths(forward) or [] if forward.attrs.get("stops") == "early" else []
            if any(along(body.results[k], halt) is not params[k] for halt in halts):
                continue  # the pass that stops changes it once more
            plan.handed_on.append((new, old, after))
            plan.dropped.add(new)

    def _again(
        self,
        source: Value,
        known: dict[Value, Atom],
        ops: list[Op],
        depth: int,
        into: Value | None = None,
        guarded: bool = False,
    ) -> Atom | None:
        """Compute a forward value again; what it is then called, or None if that costs too much.

        `guarded` values stem from a branch: to compute them whichever way it went must not raise. Where the result is
        None, what was added to `known` and `ops` is of no use.
        """
        if source in known:
            return known[source]
        if source in self.root:
            return source
        op = self.made.get(source)
        if op is not None and op.prim.name == "if":  # handed out of the branch that defines it
            results = [region.results[op.outputs.index(source)] for region in op.regions]
            defined = [a for a in results if isinstance(a, Value)]
            if len(defined) == 1 and any(isinstance(a, Undefined) for a in results):
                value = self._again(defined[0], known, ops, depth, into, guarded=True)
                if isinstance(value, Value):
                    known[source] = value
                return value
            return None
        if depth == 0 or op is None or not self._cheap(op) or (guarded and self._may_fail(op)):
            return None
        inputs: list[Atom] = []
        for atom in op.inputs:
            found = atom if isinstance(atom, Const) else self._again(atom, known, ops, depth - 1, None, guarded)  # type: ignore
            if found is None:
                return None
            inputs.append(found)
        value = into or Value(source.type, source.hint)
        ops.append(replace(op, inputs=tuple(inputs), outputs=(value,), role="adjoint"))
        known[source] = value
        return value

    def _may_fail(self, op: Op) -> bool:
        """Whether the op, done where its branch was not taken, may raise: None, for one, knows no arithmetic."""
        return _may_raise(op) or any(atom in self.partial for atom in op.inputs)

    def _computed_number(self, value: Value) -> bool:
        op = self.made.get(value)
        return isinstance(value.type, Array) and not value.type.ndim and op is not None and op.prim.name != "getitem"

    def _cheap(self, op: Op) -> bool:
        """Views and indices; arithmetic and comparison of numbers."""
        if len(op.outputs) != 1 or not op.prim.pure or isinstance(op.outputs[0].type, Tape):
            return False
        if op.prim.name == "getitem":
            return is_basic(op.attrs["index"], [a.type for a in op.inputs[1:]])
        if op.prim.name in ("np.transpose", "np.expand_dims", "shape_of", "dim", "constant"):
            return True
        scalar = isinstance(op.outputs[0].type, Array) and op.outputs[0].type.ndim == 0
        if not scalar or any(isinstance(a.type, Array) and a.type.ndim for a in op.inputs):
            return False
        small_power = op.prim.name == "np.power" and isinstance(op.inputs[1], Const) and op.inputs[1].value in (2, 3)
        return op.prim.name in _ARITHMETIC or op.prim.name in _COMPARISONS or small_power

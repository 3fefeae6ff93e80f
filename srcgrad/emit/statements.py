"""The function as a tree of statements: what each one reads and writes, before anything has a name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ..errors import InternalError
from ..ir.dims import Dim, Facts
from ..ir.memory import may_share
from ..ir.nodes import Atom, Function, Op, Region, Value, along, counts_passes, records_of, walk, whole_pass
from ..ir.partial import partial_values
from ..ir.types import Array, Tape
from .fold import Folding, operands
from .leaving import stop_flags
from .shapes import Lengths, Spelled
from .versions import carried, overtaken

Block = list["Statement"]


@dataclass(eq=False)
class Statement:
    """kind: leaf | unpack | op | if | for | while | tape (an empty list) | record (append) | count | return.

    `reads` and `writes` are values; `head` are the values that a loop header binds; `ends` holds, for each block, the
    atoms that its end hands over.
    """

    kind: str
    op: Op | None = None
    reads: dict[Value, None] = field(default_factory=dict)
    writes: tuple[Value, ...] = ()
    blocks: list[Block] = field(default_factory=list)
    head: tuple[Value, ...] = ()
    ends: list[tuple[Atom, ...]] = field(default_factory=list)
    item: Value | None = None  # of a leaf
    items: tuple[Value, ...] = ()  # of a record: what is appended together
    live_out: frozenset[Value] = frozenset()
    head_live: frozenset[Value] = frozenset()
    # for loops: what the header walks over
    sequences: list[tuple[Value, tuple[Value, ...]]] = field(default_factory=list)  # (array or tape, items)
    index_used: bool = True
    flags: frozenset[Value] = frozenset()  # of a loop that may stop: what `break` takes the place of


class Scheduler:
    """Turns a folded function into statements."""

    def __init__(self, function: Function, folding: Folding, facts: Facts):
        self.function, self.folding = function, folding
        self.lengths = Lengths(facts, (p.value for p in function.params))
        self.partial = partial_values(function.body.ops, function.notes.get("partial", ()))
        self.overtaken: set[Value] = set()  # arrays that have a newer version
        self.params = [p.value for p in function.params]
        self.shapes: dict[Op, Spelled] = {}  # ops that spell a length or a shape
        self.source: dict[Value, Value] = {}  # a tape, or the item read from it -> the value recorded
        self.items: set[Value] = set()  # what derived loops read from tapes
        groups: Sequence[tuple[Value, ...]] = function.notes.get("groups", ())
        self.groups = {members[0]: members for members in groups}  # the first stands for all
        self.group_of = {tape: members[0] for members in groups for tape in members}
        self.recorded: dict[Value, tuple[Value, ...]] = {}  # a tape, and what is appended to it together
        self.late: dict[Region, dict[Value, list[Value]]] = {}  # what is recorded in one half of a branch
        self.at_end: set[Region] = set()  # at whose end alone it is known whether the pass counts
        self.skipped: set[Value] = set()  # indices and items that the loop header binds itself

    def run(self) -> Block:
        block = [
            Statement("leaf", writes=(p.value,), item=p.value) for p in self.function.params if p.path or p.capture
        ]
        block = self._unpacked([s for s in block if self._is_path(s) and s.item not in self.folding.in_place])
        scope = list(self.params)
        block += self.block(self.function.body.ops, scope)
        end = Statement("return")
        end.reads = self.reads(self.function.body.results, scope)
        return [*block, end]

    def _unpacked(self, leaves: Block) -> Block:
        """What a forward half has saved is unpacked at once."""
        unpacked: Block = []
        for package in self.function.notes.get("packages", ()):
            parts = [s for s in leaves if any(p.value is s.item and p.name == package for p in self.function.params)]
            unpacked.append(Statement("unpack", writes=tuple(v for s in parts for v in s.writes)))
            leaves = [s for s in leaves if s not in parts]
        return [*unpacked, *leaves]

    def _is_path(self, statement: Statement) -> bool:
        return any(p.value is statement.item and p.path for p in self.function.params)

    def block(self, ops: Sequence[Op], scope: list[Value], records: dict[Value, list[Value]] | None = None) -> Block:
        """`records`: value -> tapes that it is appended to as soon as it is defined."""
        statements: Block = []
        for op in ops:
            if op.outputs and op.outputs[0] in self.folding.inline:
                continue
            if op.outputs and op.outputs[0] in self.skipped:
                statements += self._records(op.outputs, records)
                continue
            self.overtaken.update(start for start, _ in carried(op) if start not in self.params)
            statements += self._statement(op, scope)
            pair = overtaken(op)
            if pair is not None:
                self.overtaken.update(self._shown(pair[0]))
            elif op.prim.name == "np.copy" and op.role == "primal":  # `x = x.copy()`
                self.overtaken.update(p for p in self.params if p is op.inputs[0] and p.hint == op.outputs[0].hint)
            scope.extend(v for v in op.outputs if not isinstance(v.type, Tape))
            statements += self._records(op.outputs, records)
        return statements

    def _shown(self, value: Value) -> list[Value]:
        """The value, and what it is a view of."""
        made = self.folding.made.get(value)
        whole = made.inputs[0] if made is not None and made.inputs and may_share(made) else None
        return [value, *(self._shown(whole) if isinstance(whole, Value) else [])]

    def _records(self, values: Iterable[Value], records: dict[Value, list[Value]] | None) -> Block:
        found: Block = []
        for v in values:
            for tape in (records or {}).get(v, ()):
                items = self.recorded[tape]
                found.append(Statement("record", reads=dict.fromkeys((*items, tape)), items=items, head=(tape,)))
        return found

    def _statement(self, op: Op, scope: list[Value]) -> Block:
        match op.prim.name:
            case "if":
                return [self._if(op, scope)]
            case "for":
                return self._for(op, scope)
            case "while":
                return self._while(op, scope)
        return [Statement("op", op, self.op_reads(op, scope), op.outputs)]

    def _if(self, op: Op, scope: list[Value]) -> Statement:
        statement = Statement("if", op, self.reads(op.inputs, scope), op.outputs)
        for region in op.regions:
            inner = list(scope)
            statement.blocks.append(self._recorded_block(region, inner, self.late.get(region, {})))
            statement.ends.append(region.results)
            self.reads(region.results, inner)
        return statement

    def _tapes(self, op: Op, body: Region) -> tuple[Block, dict[Value, list[Value]]]:
        """Empty lists before the loop, and which values go into them; grouped recordings share one list of tuples."""
        carried, path = op.attrs["carried"], whole_pass(op)
        tapes = op.outputs[carried : len(op.outputs) - counts_passes(op)]
        ops = walk(body.ops) if path else body.ops
        place = {v: n for n, each in enumerate(ops) for v in each.outputs}
        records: dict[Value, list[Value]] = {}
        sources: dict[Value, Value] = {}
        for tape, source in zip(tapes, records_of(op)):
            source = along(source, path)
            assert isinstance(source, Value)
            sources[tape] = self.source[tape] = source
        kept = [tape for tape in tapes if self.group_of.get(tape, tape) is tape]
        for tape in kept:
            items = [sources[member] for member in self.groups.get(tape, (tape,))]
            self.recorded[tape] = tuple(items)
            records.setdefault(max(items, key=lambda v: place.get(v, -1)), []).append(tape)
        empty = [Statement("tape", op, {}, (tape,)) for tape in kept]
        if op.attrs.get("stops") == "early":  # a pass that stops records nothing
            inner = path[-1][0].regions[path[-1][1]] if path else body
            if isinstance(along(body.results[-1], path), Value):
                self.at_end.add(inner)
            if path:
                self.late[inner], records = records, {}
        return empty, records

    def _recorded_block(self, region: Region, scope: list[Value], records: dict[Value, list[Value]]) -> Block:
        """A region's statements; what is recorded is appended as soon as it is known that it counts."""
        if region in self.at_end:
            return self.block(region.ops, scope) + self._records(records, records)
        inside = {v for op in region.ops for v in op.outputs}
        before = self._records([v for v in records if v not in inside], records)
        return before + self.block(region.ops, scope, records)

    def _for(self, op: Op, scope: list[Value]) -> Block:
        (body,) = op.regions
        carried = op.attrs["carried"]
        before, records = self._tapes(op, body)
        statement = Statement("for", op)
        self._sequences(op, statement)
        index = body.params[0]
        inner = [*scope, *body.params[1:]] if not statement.index_used else [*scope, *body.params]
        items = [item for _, group in statement.sequences for item in group]
        inner += [i for i in items if i not in inner]
        params = body.params[1 : 1 + carried]
        block = self._recorded_block(body, inner, records)
        statement.blocks = [block]
        statement.ends = [(*body.results[:carried], *self._stops(statement, op))]
        before += self._passes(op, block)
        self.reads(body.results, inner)
        statement.reads = self.reads(op.inputs[3 : 3 + carried], scope)
        statement.reads.update((s, None) for s, _ in statement.sequences)
        if statement.index_used or not statement.sequences:
            statement.reads.update(self.reads(op.inputs[:3], scope))
        statement.head = (*((index,) if statement.index_used else ()), *params, *items)
        statement.writes = op.outputs[:carried]
        return [*before, statement]

    def _sequences(self, op: Op, statement: Statement) -> None:
        """Walk over arrays and tapes themselves where the index serves for nothing else."""
        (body,) = op.regions
        index, carried = body.params[0], op.attrs["carried"]
        tapes = list(zip(op.inputs[3 + carried :], body.params[1 + carried :]))
        walked = [o for o in body.ops if self._walks(o, op)]
        uses = self.folding.uses.get(index, [])
        statement.index_used = len(uses) != len(walked)
        if not statement.index_used:
            for each in walked:
                source = each.inputs[0]
                assert isinstance(source, Value)
                statement.sequences.append((source, each.outputs))
                self.folding.inline.discard(each.outputs[0])
                self.skipped.add(each.outputs[0])
        together: dict[Value, tuple[Value, ...]] = {}
        for tape, item in tapes:
            assert isinstance(tape, Value)
            group = self.group_of.get(tape, tape)
            together[group] = (*together.get(group, ()), item)
        for group, items in together.items():
            if group in self.groups:
                item_of = dict(tapes)
                items = tuple(item_of[member] for member in self.groups[group])
            statement.sequences.append((group, items))
        self.items.update(i for _, i in tapes)
        self.source.update((i, self._recorded_by(t)) for t, i in tapes if t in self.source)

    def _recorded_by(self, tape: Value) -> Value:
        """What a tape records, also of one that was recorded itself."""
        source = self.source[tape]
        return self.source.get(source, source) if tape in self.items else source

    def _walks(self, op: Op, loop: Op) -> bool:
        """`xs[i]` that came from `for x in xs`."""
        body = loop.regions[0]
        inside = set(body.params) | {v for o in body.ops for v in o.outputs}
        return (
            op.prim.name == "getitem"
            and op.style == "iteration"
            and op.inputs[0] not in inside
            and op.inputs[1] is body.params[0]
            and not loop.attrs.get("partial")
        )

    def _stops(self, statement: Statement, op: Op) -> tuple[Atom, ...]:
        """Whether the loop stops, for one that may."""
        if "stops" not in op.attrs:
            return ()
        statement.flags = stop_flags(op)
        return op.regions[-1].results[-1:]

    def _passes(self, op: Op, body: Block) -> Block:
        """Counting the passes where the number is read: a pass that stops counts only if it is a whole one."""
        if not counts_passes(op) or not self._counts(op.outputs[-1]):
            return []
        passes = op.outputs[-1]
        count = Statement("count", None, {passes: None}, (), head=(passes,))
        body.insert(0 if op.attrs.get("stops") == "last" else len(body), count)
        return [Statement("count", op, {}, (passes,))]

    def _while(self, op: Op, scope: list[Value]) -> Block:
        test, body = op.regions
        carried = op.attrs["carried"]
        before, records = self._tapes(op, body)
        statement = Statement("while", op, self.reads(op.inputs, scope), op.outputs[:carried])
        test_scope, inner = [*scope, *test.params], [*scope, *body.params]
        test_block = self.block(test.ops, test_scope)
        self.reads(test.results, test_scope)
        statement.blocks = [test_block, self._recorded_block(body, inner, records)]
        statement.ends = [test.results, (*body.results[:carried], *self._stops(statement, op))]
        self.reads(body.results, inner)
        statement.head = tuple(body.params)
        before += self._passes(op, statement.blocks[1])
        return [*before, statement]

    def _counts(self, passes: Value) -> bool:
        """Whether the number of passes is read: a loop over recordings needs none."""
        for consumer, _ in self.folding.uses.get(passes, ()):
            if consumer is None or consumer.prim.name != "for":
                return True
            index, tapes = consumer.regions[0].params[0], consumer.inputs[3 + consumer.attrs["carried"] :]
            if not tapes or index in self.folding.uses:
                return True
        return False

    # Reads, through folded values

    def reads(self, atoms: Iterable[Atom], scope: Sequence[Value]) -> dict[Value, None]:
        found: dict[Value, None] = {}
        for atom in atoms:
            if not isinstance(atom, Value):
                continue
            op = self.folding.op(atom)
            if op is None:
                found[atom] = None
            else:
                found.update(self.op_reads(op, scope))
        return found

    def op_reads(self, op: Op, scope: Sequence[Value]) -> dict[Value, None]:
        found = self.reads(operands(op), scope)
        at_hand = [*scope, *found]
        known = self.shapes.get(op)  # an op spelled in several places is spelled as in the first
        if known is not None and all(v in at_hand for v in known.reads):
            found.update(dict.fromkeys(known.reads))
            return found
        try:
            certain = [v for v in at_hand if v not in self.partial]
            try:
                spelled = self._shape(op, [v for v in certain if v not in self.overtaken])
            except InternalError:  # a length that only an array has which is written over
                spelled = self._shape(op, certain)
        except InternalError:  # a length that only the one half of a branch knows, inside that half
            spelled = self._shape(op, at_hand)
        if spelled is not None:
            self.shapes[op] = spelled
            found.update(dict.fromkeys(spelled.reads))
        return found

    def _shape(self, op: Op, scope: Sequence[Value]) -> Spelled | None:
        if op.prim.name == "dim":
            return self.lengths.length(op.attrs["dim"], [*(a for a in op.inputs if isinstance(a, Value)), *scope])
        if "shape" not in op.attrs or not isinstance(op.attrs["shape"], tuple):
            return None
        extra = [a for a in op.inputs[op.prim.arity(op.attrs) :] if isinstance(a, Value)]
        if extra and op.role == "primal":  # the user's own lengths are inputs
            return self.lengths.given(op.attrs["shape"], extra)
        scope = [*extra, *scope]
        if op.role == "primal" and all(_number(entry) for entry in op.attrs["shape"]):
            return self.lengths.given(op.attrs["shape"], ())
        (value,) = op.outputs
        assert isinstance(value.type, Array)
        hint = value.hint
        prefer = hint.removeprefix("d_") if hint and hint.startswith("d_") else None
        axes = value.type.axes
        if not axes or all(d.constant is not None for d in axes):
            return self.lengths.dims(axes, scope)
        ordered = [v for v in scope if v is not value]
        if op.prim.name != "np.reshape" and op.prim.arity(op.attrs) and op.inputs:
            ordered = [v for v in ordered if v is not op.inputs[0]]
        return self.lengths.shape(axes, ordered, prefer)


def _number(entry: object) -> bool:
    return isinstance(entry, int) or (isinstance(entry, Dim) and entry.constant is not None)


def free_reads(block: Block) -> set[Value]:
    """What a block reads of the values around it."""
    defined: set[Value] = set()
    needed: set[Value] = set()
    for statement in block:
        needed |= set(statement.reads) - defined
        for inner in statement.blocks:
            needed |= free_reads(inner) - defined - set(statement.head)
        for end in statement.ends:
            needed |= {a for a in end if isinstance(a, Value)} - defined - set(statement.head) - _inner(statement)
        defined |= set(statement.writes)
    return needed


def _inner(statement: Statement) -> set[Value]:
    """Values defined inside a compound statement's blocks."""
    return {v for block in statement.blocks for s in block for v in (*s.writes, *s.head, *_inner(s))}

"""Liveness on statements, interference of values, and who owns which memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from ..ir.calls import procedure_of
from ..ir.memory import may_share
from ..ir.nodes import Atom, Function, Op, Value
from ..ir.types import Array, Saved, Tape
from .statements import Block, Statement, free_reads
from .versions import carried

NOTHING: Mapping[Value, Value] = MappingProxyType({})
Reads = Callable[[Iterable[Atom]], Iterable[Value]]


class Liveness:
    """Annotates statements with what is live after them, and collects which values exist at the same time."""

    def __init__(self, reads: Reads):
        self.reads = reads  # values that atoms read, through folded ones
        self.conflicts: dict[Value, set[Value]] = {}

    def block(self, block: Block, live: frozenset[Value]) -> frozenset[Value]:
        """Walk backwards from what is live at the end; what is live at the start."""
        for statement in reversed(block):
            statement.live_out = live
            self._defines(statement.writes, live | _read_after_copy(statement))
            if statement.kind in ("for", "while"):
                live = self._loop(statement, live)
            elif statement.kind == "if":
                live = self._if(statement, live)
            else:
                live = (live - set(statement.writes)) | set(statement.reads)
        return live

    def _if(self, statement: Statement, live: frozenset[Value]) -> frozenset[Value]:
        after = live - set(statement.writes)
        before = after | set(statement.reads)
        for block, end in zip(statement.blocks, statement.ends):
            before |= self.block(block, after | set(self.reads(end)))
        return before

    def _loop(self, statement: Statement, live: frozenset[Value]) -> frozenset[Value]:
        inside: set[Value] = set()
        for block, end in zip(statement.blocks, statement.ends):
            inside |= free_reads(block) | set(self.reads(end))
        own = self._own(statement)
        around = (live - set(statement.writes)) | frozenset(inside - own)
        at_head = around
        for block, end in zip(statement.blocks[::-1], statement.ends[::-1]):
            at_head |= self.block(block, around | set(self.reads(end)))
        assert statement.op is not None
        test_params = statement.op.regions[0].params if statement.kind == "while" else ()
        same = self._last_items(statement, at_head)
        at_head |= set(statement.head)
        statement.head_live = frozenset(at_head)
        bounds = {source for source, _ in statement.sequences}  # the header is read after the loop's variables are set
        self._defines((*statement.head, *test_params), frozenset(at_head | bounds) - set(test_params), same)
        if statement.kind == "for" and (statement.index_used or not statement.sequences):
            self._header(statement, set(self.reads(statement.op.inputs[:3])))
        return around | set(statement.reads)

    def _header(self, statement: Statement, bounds: set[Value]) -> None:
        """The bounds are read when the loop's variables have their first values: each is still what it starts from."""
        starts = dict(carried(statement.op)) if statement.op is not None else {}
        for param in statement.head:
            for value in bounds - {param}:
                if starts.get(value) is not param:
                    self.conflicts.setdefault(param, set()).add(value)
                    self.conflicts.setdefault(value, set()).add(param)

    def _own(self, statement: Statement) -> set[Value]:
        assert statement.op is not None
        own = {p for region in statement.op.regions for p in region.params} | set(statement.head)
        stack = [s for block in statement.blocks for s in block]
        while stack:
            each = stack.pop()
            own |= {*each.writes, *(each.head if each.kind in ("for", "while") else ())}
            if each.op is not None and each.kind in ("for", "while"):
                own |= {p for region in each.op.regions for p in region.params}
            stack += [s for block in each.blocks for s in block]
        return own

    def _last_items(self, statement: Statement, live: frozenset[Value]) -> dict[Value, Value]:
        """Variables that hold a loop's last item or index behind it: they may have its name, in both directions."""
        op = statement.op
        if op is None or statement.kind != "for":
            return {}
        pairs = zip(op.regions[0].params[1:], statement.ends[0][: op.attrs["carried"]])
        same = {p: r for p, r in pairs if p not in live and isinstance(r, Value) and r in statement.head}
        return same | {r: p for p, r in same.items()}

    def _defines(self, values: Iterable[Value], live: frozenset[Value], same: Mapping[Value, Value] = NOTHING) -> None:
        """Defining a value while others live: they need different names, but for those that are the same."""
        values = tuple(values)
        for value in values:
            others = (live | set(values)) - {value, same.get(value, value)}
            self.conflicts.setdefault(value, set()).update(others)
            for other in others:
                self.conflicts.setdefault(other, set()).add(value)


def _read_after_copy(statement: Statement) -> frozenset[Value]:
    """What a write in place reads besides the array: that may be copied to its new name before."""
    op = statement.op
    if statement.kind != "op" or op is None or op.prim.name not in ("index_add", "index_set"):
        return frozenset()
    return frozenset(v for v in statement.reads if v is not op.inputs[0])


class Memory:
    """Which values may share memory, so that writing in place is known to be safe."""

    def __init__(self, function: Function):
        self.parent: dict[Value, Value] = {}
        self.foreign: set[Value] = set()
        groups: Iterable[tuple[Value, ...]] = function.notes.get("groups", ())
        self.groups = {members[0]: members for members in groups}  # the first stands for all
        for param in function.params:
            self.foreign.add(param.value)
        self._region(function.body.ops)

    def root(self, value: Value) -> Value:
        while value in self.parent:
            value = self.parent[value]
        return value

    def union(self, a: Atom, b: Atom) -> None:
        if not isinstance(a, Value) or not isinstance(b, Value):
            return
        x, y = self.root(a), self.root(b)
        if x is not y:
            self.parent[y] = x
            if y in self.foreign:
                self.foreign.add(x)

    def _region(self, ops: tuple[Op, ...]) -> None:
        for op in ops:
            for region in op.regions:
                self._region(region.ops)
            self._op(op)

    def _op(self, op: Op) -> None:
        match op.prim.name:
            case "if":
                for region in op.regions:
                    self._zip(region.results, op.outputs)
            case "for":
                (body,) = op.regions
                self._zip(op.inputs[3:], body.params[1:])
                self._zip(body.results, body.params[1 : 1 + op.attrs["carried"]])
                self._zip(body.results, op.outputs)
            case "while":
                body = op.regions[1]
                self._zip(op.inputs, body.params)
                self._zip(body.params, op.regions[0].params)
                self._zip(body.results, body.params)
                self._zip(body.results, op.outputs)
            case "call":
                self._call(op)
            case "effect" if op.attrs.get("keeps"):  # an object of the caller holds it from now on
                self.foreign.update(self.root(a) for a in op.inputs if isinstance(a, Value))
            case "invoke":  # nobody knows what the function keeps, nor whose memory it gives
                self.foreign.update(self.root(a) for a in (*op.inputs, *op.outputs) if isinstance(a, Value))
            case _ if may_share(op) or op.prim.kind == "impure":
                for value in op.outputs:
                    if op.inputs and _has_memory(value):  # a single element is a number of its own
                        self.union(op.inputs[0], value)
                if op.prim.name in ("broadcast", "np.broadcast_to") and _has_memory(op.inputs[0]):
                    self.foreign.add(self.root(op.outputs[0]))  # np.broadcast_to gives what must not be written

    def _call(self, op: Op) -> None:
        """What a forward half saves may be any of its arguments and results."""
        together = [a for a in (*op.inputs, *op.outputs) if _has_memory(a)]
        if procedure_of(op).shares:
            for one in together[1:]:
                self.union(together[0], one)
            if any(p.path for p in procedure_of(op).function.params):  # or of what an object holds
                self.foreign.update(self.root(a) for a in op.outputs if _has_memory(a))

    def _zip(self, left: Iterable[Atom], right: Iterable[Value]) -> None:
        for a, b in zip(left, right):
            self.union(a, b)

    def owned(self, value: Value, live: Iterable[Value]) -> bool:
        """Whether nobody else sees the value's memory: it is not the caller's, and no live value shares it."""
        if not isinstance(value.type, Array) or self.root(value) in self.foreign:
            return False
        root = self.root(value)
        others = (member for other in live for member in self.groups.get(other, (other,)))
        return not any(other is not value and self.root(other) is root for other in others if _has_memory(other))


def _has_memory(value: Atom) -> bool:
    type = value.type
    while isinstance(type, Tape):
        type = type.item
    return isinstance(type, Saved) or (isinstance(type, Array) and type.has_memory)

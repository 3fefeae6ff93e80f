"""What the interpreter keeps while it reads a function: frames, knowledge about values, captures, faults."""

from __future__ import annotations

import ast
import types
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from ..errors import Fault, Origin, Unsupported
from ..ir.builder import Builder
from ..ir.dims import Dim, Facts, as_dim
from ..ir.nodes import Atom, Const, Param, Value
from ..ir.primitive import Primitive
from ..ir.types import Array
from ..runtime.captures import Route
from ..runtime.source import Source
from .values import Instance, Poison, describe

NOBODY = object()


class Absent:
    """Stands for an entry that a dict or object does not have."""


ABSENT = Absent()

Leaf = tuple[str, tuple[str | int, ...]]  # an argument, and the path to an array inside of it
Place = tuple[str, int, int]  # a syntax node that stays itself when its function is read again
Entry = tuple[Any, Any]  # a list, dict or object, and an index, key or attribute of it
Key = tuple[Any, ...]  # a call: the function, what is known of its arguments, and the types of the rest


class NeedStatic(Unsupported):
    """A number must be known when compiling (an `axis=`, an index into a list)."""

    def __init__(self, value: Value):
        name = f"`{value.hint}`" if value.hint else f"this value of type {value.type}"
        super().__init__(
            f"{name} must be known when compiling",
            "Write it as a constant, or pass it as an integer argument of its own.",
        )


class Silent(Unsupported):
    """A consequence of a fault that is reported already."""

    def __init__(self) -> None:
        super().__init__("")


class Ops(list[Any]):
    """The ops of a region, and what it changed around it: new versions of arrays, new values of entries."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: dict[Value, Value] = {}
        self.stores: dict[Entry, Any] = {}
        self.current: dict[Value, Value] = {}  # every array's version at the end
        self.read_from: dict[Value, tuple[Value, Value]] = {}
        self.depth: tuple[int, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What earlier readings of a function have taught the next one."""

    procedures: bool = False  # whether long helpers called again become functions of their own
    order: int = 1  # how often the function is differentiated
    unroll: frozenset[Place] = frozenset()  # loops to write out
    copies: frozenset[Leaf] = frozenset()  # arguments that are written into
    grows: Mapping[tuple[Place, Place], Any] = field(default_factory=dict)  # (loop, list): what it adds in a pass
    outlined: frozenset[Key] = frozenset()  # calls that become procedures
    recounted: frozenset[Key] = frozenset()  # calls that did once, until one around them did
    recursive: frozenset[Key] = frozenset()  # those of functions that call themselves
    inlined: frozenset[Key] = frozenset()  # calls that cannot, or need not
    loose: frozenset[tuple[Place, str]] = frozenset()  # arguments whose value is left open though it is known


class Signal(Exception):
    """Not a fault: reading goes on elsewhere."""


class Restart(Signal):
    """Read the function again, by another plan."""

    def learn(self, plan: Plan) -> Plan:
        raise NotImplementedError


class CopyOnEntry(Restart):
    """A copy of this argument, which the function writes into, is to take the argument's place."""

    def __init__(self, leaf: Leaf):
        self.leaf = leaf

    def learn(self, plan: Plan) -> Plan:
        return replace(plan, copies=plan.copies | {self.leaf})


class InPlace(Restart):
    """Every helper that does not call itself is to be read in place: a derivative is taken of what is read."""

    def learn(self, plan: Plan) -> Plan:
        return replace(plan, procedures=False, outlined=frozenset())


def in_place(c: Any, what: str) -> None:
    """What is no array belongs to the function that makes it: helpers are read in place of their calls."""
    if c.plan.procedures:
        raise InPlace
    if c.callee is not None:
        raise Unsupported(f"{what} is used inside a function that calls itself", "Write that one as a loop.")


class Unroll(Restart):
    """This loop is to be written out: its body needs to know the pass."""

    def __init__(self, loop: Place):
        self.loop = loop

    def learn(self, plan: Plan) -> Plan:
        return replace(plan, unroll=plan.unroll | {self.loop})


@dataclass(eq=False)
class Frame:
    """One function being read: its names, its source, and the function object for globals and cells."""

    function: types.FunctionType
    route: Route
    source: Source
    env: dict[str, Any] = field(default_factory=dict)
    parent: Frame | None = None  # the frame around a nested function
    statement: ast.stmt | None = None
    local: set[str] = field(default_factory=set)
    level: int = 0  # 0 for the decorated function itself
    node: ast.AST | None = None  # the definition being read
    comprehending: bool = False
    late: list[set[str]] = field(default_factory=list)  # for each loop being read, what it may read before assigning
    loops: list[Any] = field(default_factory=list)  # the loops being read, as the names of their flags
    region: tuple[int, ...] = ()  # the region whose variables `env` holds
    nonlocals: set[str] = field(default_factory=set)  # variables of the function around that it changes
    key: Any = None  # what the call being read is recognised by, should it call itself
    owner: Any = NOBODY  # the procedure whose text it becomes part of; None is the function itself


class State:
    """Shared by the parts of the interpreter."""

    def __init__(self, facts: Facts, plan: Plan):
        self.facts = facts
        self.plan = plan
        self.builder = Builder(facts)
        self.builder.newest = self.latest
        self.derive: Any = None  # what a derivative that the function takes itself is made by
        self.callee: Any = None  # the procedure being read; None for the function itself
        self.frames: list[Frame] = []
        self.faults: list[Fault] = []
        self.known: dict[Value, Any] = {}  # values of named constants
        self.views: dict[Value, tuple[Value, ...]] = {}  # an array and those whose memory it shows, or may show
        self.exact: dict[Value, Any] = {}  # a view that certainly is one, and how it is read from its base
        self.fresh: set[Value] = set()  # arrays that the function itself has allocated
        self.contiguous: set[Value] = set()  # arrays certainly in one piece, in C order
        self.zero_d: set[Value] = set()  # arrays without axes, which unlike numbers have memory
        self.current: dict[Value, Value] = {}  # an array that was written to, and its newest version
        self.read_from: dict[Value, tuple[Value, Value]] = {}  # a view: its base's version, and what it showed of it
        self.born: dict[Value, tuple[int, ...]] = {}  # the regions that a value was made in
        self.linked_at: dict[Value, Origin] = {}  # where a value came to share memory
        self.arguments: dict[Value, Leaf] = {}  # arrays of the caller
        self.outside: set[Value] = set()  # arrays that the function reads from around it
        self.alike: dict[Value, Value] = {}  # a condition, and the first one like it
        self.conditions: dict[Any, Value] = {}  # what is compared with what -> the first such condition
        self.counts: dict[Value, Dim] = {}  # how many elements a condition selects
        self.pending: list[Ops] = []  # regions whose writes nobody has seen to yet
        self.named_at: dict[Value, int] = {}  # the level of the frame whose variable gave a value its hint
        self.params: list[Param] = []
        self.captured: dict[Route, Any] = {}
        self.statics: dict[Route, Any] = {}
        self.depth: tuple[int, ...] = ()
        self.floor: tuple[int, ...] = ()  # the depth that the function being read started at
        self.changed: dict[Entry, Any] = {}  # entries that the region being read has changed, and what they were
        self.kin: dict[Any, list[Any]] = {}  # containers of which control flow decides whether they are one
        self.carried_anew: set[Any] = set()  # those that a loop assigns anew, as its body sees them
        self.places: dict[int, tuple[str, tuple[str | int, ...]]] = {}  # where each object is found first, by its id
        self.instances: dict[tuple[int, bool], Instance] = {}  # by id, and whether an argument leads there
        self.relations: dict[str, None] = {}  # what else must hold of the objects, as conditions of the dispatcher
        self.named_whole: dict[str, Value] = {}  # arguments that the text names as a whole
        self.unroll = plan.unroll
        self.loops: list[Any] = []  # those being read, as what fills lists
        self.entered: Counter[Any] = Counter()  # how often each loop was read in a region
        self.listed: dict[Value, str] = {}  # arrays that are items of a filled list, and its name
        self.open_loops: list[Place | None] = []  # loops being read as loops; None for those that cannot be unrolled
        self.budget = 5_000  # statements, passes and calls: an output beyond this serves nobody
        self.promotions: list[Origin] = []  # where a Python number on one path is a NumPy float64 on the other
        self.modules: dict[str, str] = {}  # modules of other libraries, as the user spells them
        self.discarded: ast.AST | None = None  # an expression whose value nobody uses
        self._regions = 0
        self.merging: list[ast.stmt] = []  # the branches whose variables meet
        self.sparse: dict[Value, tuple[Any, ...]] = {}  # sparse matrices -> what they are made of, where that is known
        self.stepped: dict[Value, Any] = {}  # states at times that a solver chose -> its solution
        self.customs: list[int] = []  # the parts of calls with derivatives of their own that are being read
        self.functions: dict[Route, Value] = {}  # functions that are called as they stand

    @property
    def frame(self) -> Frame:
        return self.frames[-1]

    # Faults

    def place(self, node: ast.AST) -> Place:
        return self.frame.source.file.name, getattr(node, "lineno", 0), getattr(node, "col_offset", 0)

    def here(self) -> Place:
        """The place being read."""
        origin = self.builder.origin
        return origin.file, origin.line, origin.column

    def origin(self, node: ast.AST) -> Origin:
        return self.frame.source.origin(node, self.frame.statement)

    def refusal(self, node: ast.AST, message: str, way_out: str = "") -> Unsupported:
        """A fault at one node, rather than at the expression or statement around it."""
        return Unsupported(message, way_out, self.origin(node))

    def note(self, error: Unsupported, node: ast.AST) -> None:
        """Keep a fault for the report at the end; reading goes on."""
        if isinstance(error, Silent):
            return
        fault = Fault(error.origin or self.origin(node), error.message, error.way_out)
        if fault not in self.faults:
            self.faults.append(fault)

    def spend(self) -> None:
        self.budget -= 1
        if self.budget < -1:
            raise Silent
        if self.budget < 0:
            raise Unsupported(
                "the function becomes too large when its loops and calls are written out",
                "Make its loops run over arrays or range(n).",
            )

    def poisoned(self, poison: Poison) -> Unsupported:
        if poison.loop is not None and poison.loop not in self.unroll:
            raise Unroll(poison.loop)
        return Unsupported(poison.why, poison.way_out) if poison.why else Silent()

    # Ops

    def apply(
        self,
        prim: Primitive,
        inputs: Sequence[Any],
        attrs: dict[str, Any] | None = None,
        style: str = "function",
    ) -> Any:
        """Append an op; one abstract value, or a tuple of them."""
        atoms: list[Atom] = [self.atom(value) for value in inputs]
        attrs = attrs or {}
        values = self.builder.apply(prim, atoms, attrs, style=style)
        for number, value in enumerate(values):
            self.track(prim, atoms, value, attrs, style, number)
        return values[0] if len(values) == 1 and not prim.several else tuple(values)

    def track(
        self,
        prim: Primitive,
        atoms: Sequence[Atom],
        value: Value,
        attrs: Mapping[str, Any],
        style: str,
        number: int = 0,
    ) -> None:
        raise NotImplementedError

    def latest(self, atom: Any) -> Any:
        raise NotImplementedError

    def atom(self, value: Any) -> Atom:
        if isinstance(value, (Value, Const)):
            return value
        if isinstance(value, bool):
            return Const(value)
        if isinstance(value, Poison):
            raise self.poisoned(value)
        raise Unsupported(f"{describe(value)} where an array or a number is needed")

    @contextmanager
    def region(self) -> Iterator[Ops]:
        """Ops of a loop body or branch.

        What it writes to arrays from outside stays inside, and stands in `ops.writes`, what it assigns to entries of
        containers from outside in `ops.stores`: whoever reads a region hands both on.
        """
        self._regions += 1
        outer = self.depth
        current, read_from = dict(self.current), dict(self.read_from)
        changed, self.changed = self.changed, {}
        self.depth = (*outer, self._regions)
        ops, around = Ops(), self.builder.ops
        self.builder.ops = ops
        try:
            yield ops
            ops.current, ops.read_from, ops.depth = self.current, self.read_from, self.depth
            ops.writes = {
                array: new
                for array, new in self.current.items()
                if new is not current.get(array) and self.born.get(array, ())[: len(self.depth)] != self.depth
            }
            ops.stores = self.stores()
            if ops.writes or ops.stores:
                self.pending.append(ops)
        finally:
            for entry, old in self.changed.items():
                self.put(entry, old)
            self.changed = changed
            self.builder.ops = around
            self.depth = outer
            self.current, self.read_from = current, read_from

    def held(self, container: Any) -> Any:
        raise NotImplementedError

    def stores(self) -> dict[Entry, Any]:
        """What the region being read has assigned to entries of containers from around it."""
        now = {(container, key): self.held(container)[key] for container, key in self.changed}
        return {entry: new for entry, new in now.items() if new is not self.changed[entry]}

    def put(self, entry: Entry, value: Any) -> None:
        """Change an entry, without a note of what it was."""
        container, key = entry
        if value is ABSENT:
            self.held(container).pop(key, None)
        else:
            self.held(container)[key] = value

    # Knowledge

    def number(self, value: Any) -> Any:
        """The number a value is; an integer that the arguments determine becomes an assumption of this compilation.

        Raises NeedStatic, or Unroll where a loop of known length gives the number in each pass.
        """
        known = self.maybe_number(value)
        if known is not None or not isinstance(value, Value):
            return known
        dim = self.facts.canon(value.type.dim) if isinstance(value.type, Array) and value.type.dim is not None else None
        size = dim.evaluate(self.facts.sizes) if dim is not None and dim.entry else None
        if dim is not None and size is not None and self.facts.require("==", dim, as_dim(size)):
            return size
        self.needs_unrolling()
        raise NeedStatic(value)

    def needs_unrolling(self) -> None:
        """Start again with the innermost loop of known length written out, if there is one."""
        for loop in reversed(self.open_loops):
            if loop is not None and loop not in self.unroll:
                raise Unroll(loop)

    def maybe_number(self, value: Any) -> Any:
        """The number a value is known to be, or None."""
        if isinstance(value, Const):
            return value.value
        if not isinstance(value, Value):
            return value if isinstance(value, (bool, int, float)) else None
        if value in self.known:
            return self.known[value]
        if isinstance(value.type, Array) and value.type.dim is not None:
            return self.facts.canon(value.type.dim).constant
        return None

    def dim(self, value: Any) -> Dim:
        """An integer as a symbolic length."""
        if isinstance(value, Dim):
            return value
        if isinstance(value, Value):
            if not isinstance(value.type, Array) or value.type.dtype.kind not in "iu" or value.type.ndim:
                raise Unsupported(f"a length must be an integer, not {value.type}")
            if value.type.dim is None:
                value.type = replace(value.type, dim=self.facts.fresh("int"))
            return self.facts.canon(value.type.dim)  # type: ignore[arg-type]
        number = self.number(value)
        if isinstance(number, bool) or not hasattr(number, "__index__"):
            raise Unsupported(f"a length must be an integer, not {describe(value)}")
        return as_dim(int(number))


__all__ = [
    "ABSENT",
    "NOBODY",
    "CopyOnEntry",
    "Entry",
    "Fault",
    "Frame",
    "Key",
    "Leaf",
    "NeedStatic",
    "Ops",
    "Place",
    "Plan",
    "Restart",
    "Signal",
    "Silent",
    "State",
    "Unroll",
    "in_place",
]

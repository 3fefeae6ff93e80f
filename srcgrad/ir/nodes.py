"""The IR: structured SSA. A value is defined once; loops and branches are ops that hold regions.

Everything is immutable and compared by identity; a transformation builds new ops. A region sees the values of the
regions around it, so loop-invariant values need no plumbing.

Control flow, with `r` the results of a region and `p` its parameters:

    if     (condition)                      then: () -> r      else: () -> r        outputs: r of the taken branch
    for    (start, stop, step, *carried, *tapes)
                                            body: (index, *p, *items) -> (*r, *records)
                                            outputs: (*carried after the last pass, *tapes of records)
    while  (*carried)                       test: (*p) -> condition   body: (*p) -> (*r, *records)
                                            outputs: (*carried, *tapes of records, number of passes)

A loop that may be left before its end has `attrs["stops"]`: its body gives one more result, last of all, that says
whether this was the last pass, and a `for` has the number of passes as its last output, like a `while`. With "last"
the pass that stops is a pass like any other. With "early" it hands on its carried values, but is not counted and
records nothing: it ends before the work of a pass.

Values that meet have one type, but for the lengths of axes: where these differ between the halves of an `if`, or
between the passes of a loop, the output (of a loop, also the parameter) has a length of its own (`Facts.meeting`).

`attrs["carried"]` counts the carried values. `attrs["reverse"]` of a `for` walks the same indices from the last to the
first. Tapes are always read from the last record to the first, because only the derivative of a loop reads them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ..errors import NOWHERE, Origin
from .types import Array, Type, type_of_number

if TYPE_CHECKING:
    from .primitive import Primitive

NO_ATTRS: Mapping[str, Any] = MappingProxyType({})


class Value:
    """One SSA value. `hint` is the user's name for it, or None for an unnamed subexpression.

    `word` is what to call it where it has no hint and needs a name: a cotangent after the subexpression it belongs to.
    """

    __slots__ = ("hint", "type", "word")

    def __init__(self, type: Type, hint: str | None = None):
        self.type, self.hint = type, hint
        self.word: str | None = None

    def __repr__(self) -> str:
        return f"<{self.hint or '_'}: {self.type}>"


@dataclass(frozen=True, eq=False)
class Const:
    """A scalar constant; `text` is how the user spelled it (`np.pi / 2`), where that says more than the number."""

    value: Any
    text: str | None = None

    @property
    def type(self) -> Array:
        return type_of_number(self.value)

    def __repr__(self) -> str:
        return self.text or repr(self.value)


@dataclass(frozen=True, eq=False)
class Undefined:
    """What a branch gives for a value that only the other branch records."""

    type: Type

    def __repr__(self) -> str:
        return "undefined"


Atom = Value | Const | Undefined


@dataclass(frozen=True)
class Slot:
    """Stands inside a static attribute for a run-time input: `x[i, 1:]` is index (Slot(1), slice(1, None))."""

    number: int


@dataclass(frozen=True)
class Kept:
    """In a result: a part of the argument in a slot, as it is."""

    source: Slot
    path: tuple[str | int, ...]


@dataclass(frozen=True)
class Rebuilt:
    """In a result: a copy of an object or named tuple in an argument, with some attributes replaced.

    kind : "named" for a named tuple, "record" for a data class that is made anew, "object" for a shallow copy whose
        attributes are set, "slotted" for one that keeps them in slots
    """

    source: Slot
    path: tuple[str | int, ...]
    kind: str
    items: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, eq=False)
class Region:
    params: tuple[Value, ...]
    ops: tuple[Op, ...]
    results: tuple[Atom, ...]


@dataclass(frozen=True, eq=False)
class Op:
    """One operation. `style` is the user's spelling (operator, function, method).

    `role` is the sweep it belongs to: "primal" is the user's own line, "adjoint" or "tangent" the derivative, and
    "derivative" an earlier one that is being differentiated itself.
    """

    prim: Primitive
    inputs: tuple[Atom, ...]
    outputs: tuple[Value, ...]
    attrs: Mapping[str, Any] = field(default_factory=dict)
    regions: tuple[Region, ...] = ()
    origin: Origin = NOWHERE
    style: str = "function"
    role: str = "primal"

    @property
    def output(self) -> Value:
        (value,) = self.outputs
        return value


Path = tuple[tuple[Op, int], ...]  # branches, each with the half of it that is taken


@dataclass(frozen=True)
class Param:
    """One leaf of the function's inputs.

    `name` is the argument or captured name; `path` leads from it to this leaf inside containers; `capture` tells a
    global or closure variable, read when called, from an argument.
    """

    value: Value
    name: str
    path: tuple[str | int, ...] = ()
    capture: bool = False


@dataclass(frozen=True, eq=False)
class Function:
    """A whole function: its parameters' leaves, its body, and how the results are put together again.

    `result` is a nested tuple/list/dict whose leaves are `Slot`s into the body's results.
    """

    name: str
    params: tuple[Param, ...]
    body: Region
    result: Any
    notes: Mapping[str, Any] = field(default_factory=dict)

    def with_body(self, body: Region) -> Function:
        return replace(self, body=body)


def records_of(op: Op) -> tuple[Atom, ...]:
    """What each pass of a loop records."""
    results = op.regions[-1].results
    return results[op.attrs["carried"] : len(results) - ("stops" in op.attrs)]


def counts_passes(op: Op) -> bool:
    """Whether a loop's last output is the number of its passes."""
    return op.prim.name == "while" or "stops" in op.attrs


def stopping_paths(op: Op) -> list[Path] | None:
    """The ways through a loop's body on which it stops, if each ends in a branch after which nothing is done."""
    body = op.regions[-1]
    return _stopping_paths(body, body.results[-1], ())


def _stopping_paths(region: Region, flag: Atom, path: Path) -> list[Path] | None:
    if isinstance(flag, Const):
        return [path] if flag.value else []
    last = region.ops[-1] if region.ops else None
    if last is None or last.prim.name != "if" or flag not in last.outputs:
        return None
    found: list[Path] = []
    for half, (inner, end) in enumerate(zip(last.regions, _ends(last, flag))):
        more = _stopping_paths(inner, end, (*path, (last, half)))
        if more is None:
            return None
        found += more
    return found


def _ends(op: Op, output: Atom) -> list[Atom]:
    number = op.outputs.index(output)
    return [region.results[number] for region in op.regions]


def whole_pass(op: Op) -> Path:
    """Branches that a pass goes through in one way alone if it does not stop; nothing where a pass always counts."""
    return tuple(going_on(op)) if op.attrs.get("stops") == "early" else ()


def going_on(op: Op) -> list[tuple[Op, int]]:
    """Branches whose one half is nothing but the loop's end, each with its other half."""
    region, flag = op.regions[-1], op.regions[-1].results[-1]
    found: list[tuple[Op, int]] = []
    while isinstance(flag, Value):
        last = region.ops[-1]
        ends = _ends(last, flag)
        stops = [isinstance(end, Const) and bool(end.value) for end in ends]
        if sum(stops) != 1:
            return found
        half = stops.index(False)
        found.append((last, half))
        region, flag = last.regions[half], ends[half]
    return found


def along(atom: Atom, path: Path) -> Atom:
    """What an atom is where each of these branches takes the half numbered."""
    while (step := next((each for each in path if atom in each[0].outputs), None)) is not None:
        op, half = step
        atom = op.regions[half].results[op.outputs.index(atom)]
    return atom


def walk(ops: Sequence[Op]) -> Iterator[Op]:
    """Every op, those in regions after the op that holds them."""
    for op in ops:
        yield op
        for region in op.regions:
            yield from walk(region.ops)


def atoms_used(op: Op) -> Iterator[Atom]:
    """What the op reads, in its regions too (which includes what they define themselves)."""
    yield from op.inputs
    for region in op.regions:
        for inner in region.ops:
            yield from atoms_used(inner)
        yield from region.results


def free_values(op: Op) -> dict[Value, None]:
    """Values from outside that the op needs, in order of first use."""
    needed: dict[Value, None] = {a: None for a in op.inputs if isinstance(a, Value)}
    for region in op.regions:
        needed.update(region_free_values(region))
    return needed


def renamed(atom: Atom, known: Mapping[Value, Atom]) -> Atom:
    return known.get(atom, atom) if isinstance(atom, Value) else atom


def substitute(op: Op, known: Mapping[Value, Atom]) -> Op:
    """The op, and what is inside it, reading other atoms in place of some values."""
    if not known:
        return op
    regions = tuple(
        replace(
            r,
            ops=tuple(substitute(inner, known) for inner in r.ops),
            results=tuple(renamed(a, known) for a in r.results),
        )
        for r in op.regions
    )
    return replace(op, inputs=tuple(renamed(a, known) for a in op.inputs), regions=regions)


def region_free_values(region: Region) -> dict[Value, None]:
    defined: set[Value] = set(region.params)
    needed: dict[Value, None] = {}
    for op in region.ops:
        needed.update((v, None) for v in free_values(op) if v not in defined)
        defined.update(op.outputs)
    needed.update((a, None) for a in region.results if isinstance(a, Value) and a not in defined)
    return needed

"""Which values become statements and which are folded into the expression that uses them.

A value the user named stays a statement. A value used once is folded where it is used, as long as the line stays
readable. Views that cost nothing to spell again (`w.T`) are folded everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ..ir.calls import CALL
from ..ir.indexing import is_basic
from ..ir.nodes import Atom, Const, Function, Op, Param, Region, Value, walk
from ..ir.solving import FIELD, SOLVER
from ..ir.types import Array

LINE = 72  # a folded backward line stays within this many characters
ATTRIBUTE = 24  # so long a way to an attribute is spelled where it is read
RETURNED = 6  # so short an expression (a name, `-d_x`) may stand in a returned tuple


# Operands that are spelled, of ops that have others for their derivative
SHOWN = {
    "field": 1, "sparse_product": 2, "sparse_dense": 1, "sparse_solve": 2, "sparse_iterate": 2, "lu_solve": 2,
    "spline_value": 2, "factor_solve": 2, "factor_matrix": 1,
}  # fmt: skip


@dataclass
class Folding:
    """The decision: `made` finds a value's op, `inline` holds the values without a statement of their own."""

    made: dict[Value, Op] = field(default_factory=dict)
    inline: set[Value] = field(default_factory=set)
    uses: dict[Value, list[tuple[Op | None, int]]] = field(default_factory=dict)  # (consumer, region number)
    region: dict[Value, int] = field(default_factory=dict)
    width: dict[Value, int] = field(default_factory=dict)
    branches: dict[int, int] = field(default_factory=dict)  # a branch's region -> the region around it
    in_place: dict[Value, Param] = field(default_factory=dict)  # spelled where they are read: `layers[0]["w"]`
    choices: set[int] = field(default_factory=set)  # regions spelled as one expression: `a if c else b`, `while a`

    def same_path(self, outer: int, inner: int) -> bool:
        """Whether one region is the other, or reached from it through branches alone: nothing is run more often."""
        while inner != outer:
            if inner not in self.branches:
                return False
            inner = self.branches[inner]
        return True

    def op(self, atom: Atom) -> Op | None:
        """The op to spell in place of the atom, if it is folded."""
        return self.made.get(atom) if isinstance(atom, Value) and atom in self.inline else None


def fold(function: Function, tuple_result: bool) -> Folding:
    """Decide for the whole function; `tuple_result` says that the results are returned as a tuple."""
    folding = Folding()
    _collect(function.body, folding, 0, [0])
    _visit(function.body, folding, tuple_result)
    steady = not any(op.prim.kind == "impure" for op in walk(function.body.ops))  # and objects stay as they are
    folding.in_place = {p.value: p for p in function.params if p.path and _in_place(p, function, folding, steady)}
    return folding


def _in_place(param: Param, function: Function, folding: Folding, steady: bool) -> bool:
    """Whether an item of an argument serves for nothing but one call; an object's attribute, for one line, if short."""
    uses = folding.uses.get(param.value, [])
    if param.name in function.notes.get("packages", ()):
        return False
    if not uses:  # it was known when compiling, or goes along in an object, and is read for its lengths at most
        return True
    consumer, region = uses[0] if len(uses) == 1 else (None, 0)
    if consumer is None:
        return False
    attribute = isinstance(param.path[0], str) and param.path[0].startswith(".")
    short = len(param.name) + sum(len(str(step)) for step in param.path) <= ATTRIBUTE
    once = region == 0 and consumer.prim.name not in ("if", "for", "while", "index_add", "index_set")
    return consumer.prim is CALL or (steady and attribute and short and once)


def _collect(region: Region, folding: Folding, number: int, counter: list[int]) -> None:
    for value in region.params:
        folding.region[value] = number
    for op in region.ops:
        for value in op.outputs:
            folding.made[value] = op
            folding.region[value] = number
        for atom in op.inputs[: SHOWN.get(op.prim.name)]:
            if isinstance(atom, Value):
                folding.uses.setdefault(atom, []).append((op, number))
        for inner in op.regions:
            counter[0] += 1
            if op.prim.name == "if":
                folding.branches[counter[0]] = number
            test = op.prim.name == "while" and inner is op.regions[0]
            if test or (op.prim.name == "if" and op.style == "expression" and len(op.outputs) == 1):
                folding.choices.add(counter[0])
            _collect(inner, folding, counter[0], counter)
    for atom in region.results:
        if isinstance(atom, Value):
            folding.uses.setdefault(atom, []).append((None, number))


def _visit(region: Region, folding: Folding, tuple_result: bool) -> None:
    for op in region.ops:
        for inner in op.regions:
            _visit(inner, folding, False)
        for value in op.outputs:
            folding.width[value] = _width(op, folding)
        if _may_fold(op, folding) and not _renames_what_it_reads(op, region, folding):
            folding.inline.add(op.outputs[0])
        _keep_short(op, folding)
    if tuple_result:
        for atom in region.results:
            if isinstance(atom, Value) and atom in folding.inline and folding.width[atom] > RETURNED:
                folding.inline.discard(atom)


def operands(op: Op) -> tuple[Atom, ...]:
    """What spelling the op reads; of a choice, `a if c else b`, the results of both arms too."""
    if op.prim.name in SHOWN:  # what else it has is there for its derivative
        return op.inputs[: SHOWN[op.prim.name]]
    return (*op.inputs, *(atom for region in op.regions for atom in region.results))


def _is_choice(op: Op, folding: Folding) -> bool:
    """A conditional expression, or `a and b`, whose arms need no statement."""
    inner = [v for region in op.regions for o in region.ops for v in o.outputs]
    single = op.prim.name == "if" and op.style == "expression" and len(op.outputs) == 1
    return single and all(v in folding.inline for v in inner)


def _may_fold(op: Op, folding: Folding) -> bool:
    if _is_choice(op, folding):
        value = op.outputs[0]
        uses = folding.uses.get(value, [])
        if value.hint is not None or len(uses) != 1 or uses[0][0] is None:
            return False
        return uses[0][0].prim.name == "if" or _may_fold_pure(op, folding)
    return _may_fold_pure(op, folding) if op.prim.pure else False


def _may_fold_pure(op: Op, folding: Folding) -> bool:
    if len(op.outputs) != 1 or op.prim.name in ("index_add", "index_set"):
        return False
    if op.style == "before" and not _copied(op, folding):  # read before the next statement overwrites it
        return False
    value = op.outputs[0]
    if any(_writes_into(consumer, value) for consumer, _ in folding.uses.get(value, [])):
        return False
    ends = [number for consumer, number in folding.uses.get(value, []) if consumer is None]
    if any(number != 0 and number not in folding.choices for number in ends):
        return False  # carried on or recorded by a loop, or handed out of a branch: that happens at one place
    if trivial(op, folding):
        return True
    if op.role == "primal" and value.hint is not None:
        return False
    uses = folding.uses.get(value, [])
    if len(uses) != 1 or not folding.same_path(folding.region[value], uses[0][1]):
        return False
    consumer = uses[0][0]
    if consumer is None:  # a result of the function, or an arm of a choice
        return True
    if consumer.prim.name in ("for", "while"):
        return _is_bound(value, consumer)
    return not (op.prim.name == "zeros" and consumer.prim.name in ("index_add", "index_set", "for", "while"))


def _writes_into(consumer: Op | None, value: Value) -> bool:
    """Whether an op changes the value in place, which needs a name."""
    return consumer is not None and consumer.prim.name in ("index_add", "index_set") and consumer.inputs[0] is value


def _renames_what_it_reads(op: Op, region: Region, folding: Folding) -> bool:
    """Whether one of the user's lines between a tangent and its reader gives a variable that it reads its next value.

    Folded, the tangent would read the old value beside the new one, which would cost it its name.
    """
    consumers = [consumer for consumer, _ in folding.uses.get(op.outputs[0], []) if consumer is not None]
    if op.role == "primal" or len(consumers) != 1 or trivial(op, folding):
        return False
    after = region.ops[region.ops.index(op) + 1 :]
    between = after[: after.index(consumers[0])] if consumers[0] in after else ()
    redefined = {v.hint for each in between if each.role == "primal" for v in each.outputs if v.hint is not None}
    return bool(redefined) and any(v.hint in redefined for v in _names_read(op, folding))


def _names_read(op: Op, folding: Folding) -> Iterator[Value]:
    for atom in operands(op):
        inner = folding.op(atom)
        if inner is not None:
            yield from _names_read(inner, folding)
        elif isinstance(atom, Value):
            yield atom


def _copied(op: Op, folding: Folding) -> bool:
    """Whether the part read is copied at once: `d[1:].copy()` is one expression."""
    uses = folding.uses.get(op.outputs[0], [])
    return op.prim.name == "getitem" and len(uses) == 1 and uses[0][0] is not None and uses[0][0].style == "before"


def _is_bound(value: Value, consumer: Op) -> bool:
    """Loop bounds read well in the header; carried values need a name before it."""
    return consumer.prim.name == "for" and value in consumer.inputs[:3] and value not in consumer.inputs[3:]


def trivial(op: Op, folding: Folding) -> bool:
    """Spelled again wherever it is read: a transpose of a name, a length, `n - 1`, a new axis."""
    if op.prim.name == "dim":
        return True
    if op.prim.name == "shape_of":
        return op.outputs[0].hint is None and folding.op(op.inputs[0]) is None
    if op.prim.name == "constant":
        return op.outputs[0].hint is None
    if op.prim.name == "getitem" and op.style == "operator":
        static = is_basic(op.attrs["index"], [a.type for a in op.inputs[1:]])
        named = all(folding.op(a) is None for a in op.inputs)
        return static and named and op.outputs[0].hint is None
    if _is_count(op):
        return op.outputs[0].hint is None and all(folding.op(a) is None for a in op.inputs)
    cheap = op.prim.name == "np.transpose" and not op.attrs.get("axes")
    cheap = cheap or (op.prim.name == "np.expand_dims" and op.role != "primal")
    return cheap and op.outputs[0].hint is None and folding.op(op.inputs[0]) is None


def _is_count(op: Op) -> bool:
    """`n - 1` or `j + k` of integers."""
    if op.prim.name not in ("np.add", "np.subtract") or op.style != "operator":
        return False
    return all(isinstance(a.type, Array) and not a.type.ndim and a.type.dtype.kind == "i" for a in op.inputs)


def _keep_short(op: Op, folding: Folding) -> None:
    """Give the widest folded operand a line of its own while the expression is too long."""
    if op.prim.name in ("if", "for", "while") or op.role == "primal" or not op.outputs:
        return
    while folding.width[op.outputs[0]] > LINE:
        candidates = [
            a
            for a in op.inputs
            if isinstance(a, Value) and a in folding.inline and not trivial(folding.made[a], folding)
        ]
        if not candidates:
            return
        widest = max(candidates, key=lambda a: folding.width[a])
        folding.inline.discard(widest)
        for value in op.outputs:
            folding.width[value] = _width(op, folding)


def _width(op: Op, folding: Folding) -> int:
    """About how many characters the op takes when spelled out."""
    widths = [_atom_width(atom, folding) for atom in operands(op)]
    if op.style in ("operator", "attribute") or op.prim.name in ("np.transpose", "np.expand_dims"):
        return sum(widths) + 3 * max(len(widths) - 1, 1)
    if op.prim.name in ("broadcast", "zeros"):
        return 16 + sum(widths)
    if op.prim.name in ("getitem", "index_add", "index_set", "np.reshape"):
        return sum(widths) + 10
    if op.prim in (SOLVER, FIELD):
        functions = sum(len(procedure.name) for procedure in op.attrs.get("functions", ()))
        return len(op.attrs.get("name", op.attrs.get("module", ""))) + 12 + functions + sum(widths) + 2 * len(widths)
    attrs = sum(len(key) + len(str(value)) + 3 for key, value in op.attrs.items())
    return len(op.prim.name) + 2 + sum(widths) + 2 * len(widths) + attrs


def _atom_width(atom: Atom, folding: Folding) -> int:
    if isinstance(atom, Const):
        return len(repr(atom))
    if isinstance(atom, Value):
        if atom in folding.inline:
            return folding.width[atom] + 2
        return len(atom.hint or "product")
    return 0


def consumers(value: Value, folding: Folding) -> Sequence[Op | None]:
    return [op for op, _ in folding.uses.get(value, [])]

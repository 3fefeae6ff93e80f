"""Which arrays share memory, and what a change in place means for everybody who sees it.

Inside the IR nothing changes: `y[0] = v` makes a new version of `y`. A variable, an item of a list or a default holds
an array's *first* version, which stands for its memory; `current` knows the newest version of each array that was
written to, and `latest` finds it where an op reads the array. A view is kept with the op that made it, and read anew
from its base where that has changed. So all names of one memory agree, whichever of them was written through.

What cannot be followed is refused: where control flow decides whether two names share memory, and one of them is
written to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import Unsupported
from ..ir.indexing import is_basic
from ..ir.nodes import Atom, Const, Op, Value
from ..ir.primitive import Primitive
from ..ir.types import Array
from .state import CopyOnEntry, Frame, Ops
from .stores import Stores
from .values import DictValue, ListValue, parts_of
from .views import ALWAYS_VIEWS, READ_ONLY, RESHAPING, keeps_layout, put_back

# Functions that may hand back their operand's own memory, whatever their rule says
_MAY_SHARE = {"np.real", "np.imag", "np.conjugate", "np.diag", "as_array", "np.ascontiguousarray"}


@dataclass(frozen=True)
class View:
    """How a view is read from its base: output number `number` of an op."""

    base: Value
    prim: Primitive
    rest: tuple[Atom, ...]
    attrs: Mapping[str, Any]
    number: int
    style: str


class Memory(Stores):
    def track(
        self,
        prim: Primitive,
        atoms: Sequence[Atom],
        value: Value,
        attrs: Mapping[str, Any],
        style: str,
        number: int = 0,
    ) -> None:
        """A view belongs to its base, everything else is the function's own."""
        self.born[value] = self.depth
        if (
            isinstance(value.type, Array)
            and value.type.ndim
            and value.type.dtype.kind == "b"
            and prim.pure
            and not attrs
        ):
            inputs = [self.latest(atom) for atom in atoms]
            key = prim.name, *(atom.value if isinstance(atom, Const) else self.alike.get(atom, atom) for atom in inputs)
            self.alike[value] = self.conditions.setdefault(key, value)
        if not isinstance(value.type, Array) or not self._has_memory(prim, atoms, value, style):
            return
        base = atoms[0] if atoms else None
        if not isinstance(base, Value) or not (prim.view or prim.name in _MAY_SHARE) or _selects(prim, atoms, attrs):
            self.fresh.add(value)
            if keeps_layout(prim, value, style):
                self.contiguous.add(value)
            return
        self.views[value] = (base,)
        self.linked_at[value] = self.builder.origin
        in_order = prim.name in RESHAPING and attrs.get("order", "C") == "C"
        if prim.name in ALWAYS_VIEWS or (in_order and self._in_one_piece(base)):
            self.exact[value] = View(
                base, prim, tuple(atoms[1:]), attrs, number, "operator" if style in ("iteration", "0-d") else style
            )
            self.read_from[value] = (self.latest(base), value)
            if prim.name in RESHAPING or prim.name == "np.expand_dims":
                self.contiguous |= {value} if self._in_one_piece(base) else set()

    def _has_memory(self, prim: Primitive, atoms: Sequence[Atom], value: Value, style: str) -> bool:
        """Whether a value is an array that may be written to: a number is not, an array without axes is."""
        assert isinstance(value.type, Array)
        if value.type.ndim:
            return True
        if value.type.weak:
            return False
        made = prim.view and (prim.name != "getitem" or style == "0-d") and bool(atoms)
        if made or prim.name in ("np.zeros", "np.ones", "np.full", "np.empty", "np.zeros_like", "np.ones_like"):
            self.zero_d.add(value)
            return True
        return False

    def is_array(self, value: Any) -> bool:
        """Whether a change in place is one of memory, rather than a new number for a name."""
        array = isinstance(value, Value) and isinstance(value.type, Array)
        return array and (value.type.ndim > 0 or value in self.zero_d)

    def _in_one_piece(self, value: Value) -> bool:
        """Whether a reshaped array is certainly a view of this one."""
        return value in self.contiguous

    # Reading and writing

    def latest(self, atom: Any) -> Any:
        """An array as it is now."""
        if not isinstance(atom, Value):
            return atom
        if atom in self.current:
            return self.current[atom]
        view = self.exact.get(atom)
        if view is None:
            return atom
        base = self.latest(view.base)
        before, value = self.read_from.get(atom, (None, atom))
        if before is not base:
            value = self.builder.apply(view.prim, [base, *view.rest], view.attrs, style=view.style)[view.number]
            self.read_from[atom] = (base, value)
        return value

    def write(self, array: Value, new: Value) -> None:
        """What an array holds becomes `new`: in its own memory, or in that which it is a view of."""
        view = self.exact.get(array)
        if view is None:
            new.hint = new.hint or array.hint
            self.current[array] = new
            return
        if view.prim.name == "getitem":
            array.hint = None  # spelled by its base and index: what it showed before is no more
        siblings = [v for v, other in self.exact.items() if _together(view, other)]
        parts = {self.exact[v].number: self.latest(v) for v in siblings}
        self.write(view.base, put_back(self.builder, view, self.latest(view.base), new, parts))

    def written_whole(self, array: Value) -> bool:
        """Whether a new value may simply take the place of the old one, rather than be put where a view shows."""
        return array not in self.exact

    def check_writable(self, array: Value, name: str) -> None:
        """Raises Unsupported where a change could be seen, or not be seen, through another name."""
        base = array
        while base in self.exact:
            view = self.exact[base]
            if view.prim.name in READ_ONLY:
                raise Unsupported(
                    f"`{name}` is changed in place, and {view.prim.name} gives a view that cannot be written to",
                    "Write into the array itself, by its indices.",
                )
            base = view.base
        if (base in self.listed or array in self.listed) and not self.may_change_item(array):
            held = self.listed.get(base) or self.listed[array]
            raise Unsupported(
                f"`{name}` is changed in place, and the list `{held}`, which a loop fills, holds it",
                "Append a copy (`.append(x.copy())`), or change a copy.",
            )
        copy = f"Make a new array: `{name} = {name}.copy()` before the change, or write `{name} = {name} + ...`."
        if base in self.views:
            sources = sorted({each.hint for each in self.views[base] if each.hint} - {name})
            where = self.linked_at.get(base)
            which = f"it may share its memory with {' or '.join(f'`{each}`' for each in sources) or 'another array'}"
            line = f" ({where.file}:{where.line})" if where is not None else ""
            raise Unsupported(f"`{name}` is changed in place, and {which}{line}", copy)
        if base not in self.fresh:
            if base in self.arguments:
                raise CopyOnEntry(self.arguments[base])
            outside = "it belongs to the module or function around, where the change would be lost"
            why = outside if base in self.outside else self.whose(base) or "it may share memory with another array"
            raise Unsupported(f"`{name}` is changed in place, and {why}", copy)
        for other, value in self.uncertain({base}):
            where = self.linked_at.get(value)
            line = f" ({where.file}:{where.line})" if where is not None else ""
            raise Unsupported(f"`{name}` is changed in place, and `{other}` may share its memory{line}", copy)

    def whose(self, base: Value) -> str:
        """Why memory that nobody here has made may not be changed, where that is known."""
        return ""

    def may_change_item(self, array: Value) -> bool:
        """Whether an item of a filled list may still be changed."""
        return False

    # Who holds what

    def bases(self, value: Value) -> set[Value]:
        """The arrays whose memory a value is, or may be."""
        if value not in self.views:
            return {value}
        return {base for each in self.views[value] for base in self.bases(each)}

    def holders(self, bases: set[Value]) -> Iterator[tuple[Frame, str, Value]]:
        """Every variable through which this memory can be reached."""
        frames = {id(f): f for f in self.all_frames()}
        for frame in frames.values():
            for name, content in frame.env.items():
                for value in reachable(content, set(frames)):
                    if self.bases(value) & bases:
                        yield frame, name, value

    def uncertain(self, bases: set[Value]) -> Iterator[tuple[str, Value]]:
        """Variables that may be this memory or another, as control flow decides."""
        for _, name, value in self.holders(bases):
            base = value
            while base in self.exact:
                base = self.exact[base].base
            if base in self.views:
                yield name, base

    def owned(self, value: Any, name: str) -> bool:
        """Whether one variable is the only way to an array that the function made."""
        if not isinstance(value, Value):
            return False
        bases = self.bases(value)
        if bases != {value} or not bases <= self.fresh:
            return False
        return all(frame is self.frame and other == name for frame, other, _ in self.holders(bases))

    def all_frames(self) -> Iterator[Frame]:
        for frame in self.frames:
            current: Frame | None = frame
            while current is not None:
                yield current
                current = current.parent

    def own_result(self, source: Any, ops: Sequence[Op], params: Sequence[Value] = ()) -> bool:
        """Whether what a branch or loop body hands out is memory that it made itself, or was given to own."""
        if not isinstance(source, Value) or source in self.views or source not in self.fresh:
            return False
        return source in params or any(source in op.outputs for op in ops)

    def twice(self, row: Sequence[Any], k: int) -> bool:
        """Whether two results of a region are, or may be, one memory."""
        if not isinstance(row[k], Value):
            return False
        bases = self.bases(row[k])
        return any(bases & self.bases(v) for j, v in enumerate(row) if j != k and isinstance(v, Value))

    def link(self, output: Value, sources: Sequence[Any], owned: bool) -> None:
        """Memory of what a branch or loop hands out: its own, or possibly that of its sources."""
        self.born[output] = self.depth
        arrays = tuple(source for source in sources if isinstance(source, Value))
        if any(source in self.zero_d for source in arrays):
            self.zero_d.add(output)
        if not self.is_array(output):
            return
        for source in arrays:
            for base in self.bases(source) & self.listed.keys():
                self.listed[output] = self.listed[base]
        if owned:
            self.fresh.add(output)
            if all(source in self.contiguous for source in arrays):
                self.contiguous.add(output)
        elif arrays:
            self.views[output] = arrays
            self.linked_at[output] = self.builder.origin

    # Regions

    def writes(self, ops: Any) -> dict[Value, Value]:
        """What a region has written to arrays that were there before it; the caller sees to it."""
        self.pending = [each for each in self.pending if each is not ops]
        return ops.writes if isinstance(ops, Ops) else {}

    # Containers

    def may_change(self, container: ListValue | DictValue) -> None:
        """How long a list or dict is, is known when compiling: that changes in straight-line code alone."""
        kind = "list" if isinstance(container, ListValue) else "dict"
        self.may_store(container, self.variable_of(container))
        if container.depth != self.depth:
            self.needs_unrolling()
            raise Unsupported(
                f"a {kind} made outside a loop or branch changes inside it",
                "Loops and branches that depend on run-time values cannot change containers: "
                "use an array, `out = np.zeros(n)` and then `out[i] = ...`.",
            )


def reachable(value: Any, seen: set[int]) -> Iterator[Value]:
    """Every IR value that an abstract value leads to, through containers, functions and methods too.

    `seen` holds the ids of what is looked at already: at first the frames being read, whose variables are current.
    """
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, Value):
        yield value
        return
    for part in parts_of(value, seen):
        yield from reachable(part, seen)


def _selects(prim: Primitive, atoms: Sequence[Atom], attrs: Mapping[str, Any]) -> bool:
    """Whether an index gives a copy: one that holds masks or integer arrays."""
    return prim.name == "getitem" and not is_basic(attrs["index"], [a.type for a in atoms[1:]])


def _together(one: View, other: View) -> bool:
    """Whether two views are outputs of one op, such as the pieces of np.split."""
    return one.base is other.base and one.attrs is other.attrs and one.prim is other.prim and one.rest == other.rest

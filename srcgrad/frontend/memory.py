"""Which arrays share memory: what may be changed in place, and what must be refused because somebody else would see it.

Inside the IR nothing changes: `y[0] = v` makes a new version of `y`. That is right as long as `y` is the only way to
the old one. Here is the proof, or the refusal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..errors import Unsupported
from ..ir.nodes import Atom, Op, Value
from ..ir.primitive import Primitive
from ..ir.types import Array
from .state import Frame, State
from .values import BoundMethod, Closure, DictValue, Iteration, ListValue

# Functions that may hand back their operand's own memory, whatever their rule says
_MAY_SHARE = {"np.real", "np.imag", "np.conjugate", "np.diag", "as_array", "np.ascontiguousarray"}


class Memory(State):
    def track(self, prim: Primitive, atoms: Sequence[Atom], value: Value) -> None:
        """A view belongs to its base, everything else is the function's own."""
        if not isinstance(value.type, Array) or not value.type.ndim:
            return
        if (prim.view or prim.name in _MAY_SHARE) and atoms and isinstance(atoms[0], Value):
            self.views[value] = (atoms[0],)
        else:
            self.fresh.add(value)

    def bases(self, value: Value) -> set[Value]:
        """The arrays whose memory a value is, or may be."""
        if value not in self.views:
            return {value}
        return {base for each in self.views[value] for base in self.bases(each)}

    def roots(self, value: Value) -> set[Value]:
        """The arrays that a value may have been before it was changed in place or carried into a loop."""
        earlier = (*self.views.get(value, ()), *self.versions.get(value, ()))
        return {value}.union(*(self.roots(each) for each in earlier if each is not value))

    def holders(self, bases: set[Value]) -> Iterator[tuple[Frame, str]]:
        """Every variable through which this memory can be reached."""
        frames = {id(f): f for f in self._all_frames()}
        for frame in frames.values():
            for name, content in frame.env.items():
                if any(self.bases(v) & bases for v in reachable(content, set(frames))):
                    yield frame, name

    def owned(self, value: Any, name: str) -> bool:
        """Whether the function may change an array in place through one variable."""
        return isinstance(value, Value) and self.shared_with(value, name) is None

    def shared_with(self, value: Value, name: str) -> str | None:
        """Why writing into `value` could be seen elsewhere, or None: another name, a container, or the caller."""
        bases = self.bases(value)
        if not bases <= self.fresh:
            return "it belongs to the caller, or may share memory with another array"
        if bases != {value}:
            return "it is, or may be, a view of another array"
        for frame, other in self.holders(bases):
            if frame is not self.frame or other != name:
                return f"`{other}` shares its memory"
        return None

    def check_owned(self, array: Value, name: str) -> None:
        why = self.shared_with(array, name)
        if why is None and any(self.roots(array) & walked for walked in self.walked):
            why = "the loop around walks over it"
        if why is not None:
            raise Unsupported(
                f"`{name}` is changed in place, and {why}",
                f"Make a new array: `{name} = {name}.copy()` before the change, or write `{name} = {name} + ...`.",
            )

    def _all_frames(self) -> Iterator[Frame]:
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
        arrays = tuple(source for source in sources if isinstance(source, Value))
        self.versions[output] = arrays
        if not isinstance(output.type, Array) or not output.type.ndim:
            return
        if owned:
            self.fresh.add(output)
        elif arrays:
            self.views[output] = arrays

    # Containers

    def may_change(self, container: ListValue | DictValue) -> None:
        """Lists and dicts are known when compiling: only the function's own change, and in straight-line code."""
        kind = "list" if isinstance(container, ListValue) else "dict"
        if container.foreign:
            raise Unsupported(
                f"the {kind} `{container.foreign}` belongs to the caller, and is changed here",
                f"Make a new one: `{container.foreign} = {kind}({container.foreign})` before the change.",
            )
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
    for part in _parts(value, seen):
        yield from reachable(part, seen)


def _parts(value: Any, seen: set[int]) -> list[Any]:
    match value:
        case tuple():
            return list(value)
        case ListValue():
            return value.items
        case DictValue():
            return list(value.items.values())
        case BoundMethod():
            return [value.receiver]
        case Iteration():
            return list(value.parts)
        case Closure():
            parts = list(value.defaults.values())
            frame = value.frame
            while frame is not None and id(frame) not in seen:
                parts += frame.env.values()
                frame = frame.parent
            return parts
    return []

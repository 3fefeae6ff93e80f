"""What the interpreter keeps while it reads a function: frames, knowledge about values, captures, faults."""

from __future__ import annotations

import ast
import types
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from ..errors import Fault, Unsupported
from ..ir.builder import Builder
from ..ir.dims import Dim, Facts, as_dim
from ..ir.nodes import Atom, Const, Param, Value
from ..ir.primitive import Primitive
from ..ir.types import Array
from .captures import Route
from .source import Source
from .values import DictValue, ListValue, Poison, walk_values


class NeedStatic(Unsupported):
    """A number must be known when compiling (an `axis=`, an index into a list)."""

    def __init__(self, value: Value):
        self.value = value
        super().__init__(
            f"this number ({value.hint or value.type}) must be known when compiling",
            "Write it as a constant, or pass it as an argument of its own.",
        )


class Silent(Unsupported):
    """A consequence of a fault that is reported already."""

    def __init__(self) -> None:
        super().__init__("")


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


class State:
    """Shared by the parts of the interpreter."""

    def __init__(self, facts: Facts):
        self.facts = facts
        self.builder = Builder(facts)
        self.frames: list[Frame] = []
        self.faults: list[Fault] = []
        self.known: dict[Value, Any] = {}  # values of named constants
        self.views: dict[Value, Value] = {}  # a view and the array whose memory it shows
        self.fresh: set[Value] = set()  # arrays that the function itself has allocated
        self.named_at: dict[Value, int] = {}  # the level of the frame whose variable gave a value its hint
        self.params: list[Param] = []
        self.captured: dict[Route, Any] = {}
        self.statics: dict[Route, Any] = {}
        self.depth: tuple[int, ...] = ()
        self._regions = 0

    @property
    def frame(self) -> Frame:
        return self.frames[-1]

    # Ops

    def apply(
        self, prim: Primitive, inputs: Sequence[Any], attrs: dict[str, Any] | None = None, style: str = "function"
    ) -> Any:
        """Append an op; one abstract value, or a tuple of them."""
        atoms: list[Atom] = [self.atom(value) for value in inputs]
        values = self.builder.apply(prim, atoms, attrs or {}, style=style)
        for value in values:
            self._track(prim, atoms, value)
        return values[0] if len(values) == 1 else tuple(values)

    def _track(self, prim: Primitive, atoms: Sequence[Atom], value: Value) -> None:
        """Memory: a view belongs to its base, everything else is the function's own."""
        if not isinstance(value.type, Array) or not value.type.ndim:
            return
        if prim.view and atoms and isinstance(atoms[0], Value):
            self.views[value] = atoms[0]
        else:
            self.fresh.add(value)

    def atom(self, value: Any) -> Atom:
        if isinstance(value, (Value, Const)):
            return value
        if isinstance(value, bool):
            return Const(value)
        if isinstance(value, Poison):
            raise self.poisoned(value)
        from .values import describe

        raise Unsupported(f"{describe(value)} where an array or a number is needed")

    def poisoned(self, poison: Poison) -> Unsupported:
        return Unsupported(poison.why, poison.way_out) if poison.why else Silent()

    @contextmanager
    def region(self) -> Iterator[list[Any]]:
        """Ops of a loop body or branch; lists made outside may not grow inside."""
        self._regions += 1
        outer = self.depth
        self.depth = (*outer, self._regions)
        try:
            with self.builder.region() as ops:
                yield ops
        finally:
            self.depth = outer

    # Knowledge

    def number(self, value: Any) -> Any:
        """The number a value is known to be. Raises NeedStatic."""
        if isinstance(value, Const):
            return value.value
        if isinstance(value, Value):
            if value in self.known:
                return self.known[value]
            if isinstance(value.type, Array) and value.type.dim is not None:
                constant = self.facts.canon(value.type.dim).constant
                if constant is not None:
                    return constant
            raise NeedStatic(value)
        return value

    def maybe_number(self, value: Any) -> Any:
        """The number, or None where it is not known."""
        try:
            return self.number(value) if isinstance(value, (Value, Const)) else None
        except NeedStatic:
            return None

    def dim(self, value: Any) -> Dim:
        """An integer as a symbolic length."""
        if isinstance(value, Dim):
            return value
        if isinstance(value, Value):
            assert isinstance(value.type, Array)
            if value.type.dtype.kind not in "iu" or value.type.ndim:
                raise Unsupported(f"a length must be an integer, not {value.type}")
            if value.type.dim is None:
                value.type = replace(value.type, dim=self.facts.fresh("int"))
            return self.facts.canon(value.type.dim)  # type: ignore[arg-type]
        return as_dim(int(self.number(value)))

    # Memory

    def base(self, value: Value) -> Value:
        while value in self.views:
            value = self.views[value]
        return value

    def shared_with(self, value: Value, name: str) -> str | None:
        """Why writing into `value` could be seen elsewhere, or None: another name, a container, or the caller."""
        base = self.base(value)
        if base not in self.fresh:
            return "it belongs to the caller, or may share memory with another array"
        if base is not value:
            return "it is a view of another array"
        for frame in {id(f): f for f in self._all_frames()}.values():
            for other, content in frame.env.items():
                if frame is self.frame and other == name:
                    continue
                if any(self.base(v) is base for v in walk_values(content)):
                    return f"`{other}` shares its memory"
        return None

    def _all_frames(self) -> Iterator[Frame]:
        for frame in self.frames:
            current: Frame | None = frame
            while current is not None:
                yield current
                current = current.parent

    def may_grow(self, container: ListValue | DictValue) -> None:
        if container.depth != self.depth[: len(container.depth)] or len(container.depth) != len(self.depth):
            raise Unsupported(
                "a list or dict made outside a loop or branch changes inside it",
                "Loops and branches that depend on run-time values cannot change containers; use an array.",
            )


__all__ = ["Fault", "Frame", "NeedStatic", "Silent", "State"]

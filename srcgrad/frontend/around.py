"""What a procedure sees of its arguments, and of the variables, globals and attributes around it: parameters."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from ..errors import Unsupported
from ..ir.dims import Dim, Facts, Symbol, as_dim
from ..ir.nodes import Const, Value
from ..ir.types import Array, Type
from ..runtime.signature import attribute_name
from .callee import Callee
from .keys import spread
from .recursion import Recursion
from .state import NOBODY, Frame
from .values import Instance, flatten


class Around(Recursion):
    def __init__(self, *given: Any):
        super().__init__(*given)
        self.root_facts = self.facts
        self.callee: Callee | None = None  # what is being read; None for the function itself

    # Parameters

    def parameters(self, callee: Callee, value: Any, name: str, outer: Facts, loose: bool = False) -> Any:
        """The value as the procedure sees it: a parameter for each array and number that only running reveals."""
        leaves, rebuild = spread(value, name)
        with self.assuming(outer):  # which tells what is known of the value
            known = [None if self.varies(leaf, loose) else self.maybe_number(leaf) for _, leaf in leaves]
        parts = [
            self._parameter(callee, leaf, stem, outer) if number is None else Const(number)
            for (stem, leaf), number in zip(leaves, known)
        ]
        return rebuild(parts)

    @contextmanager
    def assuming(self, facts: Facts) -> Iterator[None]:
        inner, self.facts = self.facts, facts
        try:
            yield
        finally:
            self.facts = inner

    def _parameter(self, callee: Callee, leaf: Any, stem: str, outer: Facts) -> Value:
        taken = {param.hint for param in callee.params}
        name, number = stem, 1
        while name in taken:
            number += 1
            name = f"{stem}_{number}"
        value = Value(self._opened(callee, leaf.type, name, outer), name)
        callee.params.append(value)
        self.named_at[value] = -1
        return value

    def _opened(self, callee: Callee, type: Type, name: str, outer: Facts) -> Type:
        """The type with lengths of the procedure's own; the example's sizes go along, but not into a recursion."""
        if not isinstance(type, Array):
            return type

        def own(symbol: Symbol, dim: Dim | None) -> Dim:
            size = outer.canon(dim).evaluate(outer.sizes) if dim is not None else None
            if size is not None and not callee.recursive:
                callee.facts.sizes[symbol] = size
            return as_dim(symbol)

        axes = [
            as_dim(1) if outer.is_one(axis) else own(Symbol(f"{name}.shape[{i}]"), axis)
            for i, axis in enumerate(type.axes)
        ]
        integer = type.dtype.kind in "iu" and not type.axes
        return replace(type, axes=tuple(axes), dim=own(Symbol(name), type.dim) if integer else None)

    # What is read from around

    def variable(self, frame: Frame, name: str) -> Any:
        if frame.owner is NOBODY:
            frame.owner = self.callee
        if self.callee is None or frame.owner is self.callee:
            return frame.env[name]
        return self.from_around(self.callee, (frame, name))

    def from_around(self, callee: Callee, source: Any) -> Any:
        """What the procedure sees in place of something around it."""
        if source not in callee.outside:
            frame, name = source if isinstance(source, tuple) else (None, self._name_inside(callee, source))
            value = frame.env[name] if frame is not None else source
            owner = frame.owner if frame is not None else None
            facts = owner.facts if isinstance(owner, Callee) else self.root_facts
            with self.assuming(facts):
                mark = self.marked(value) if frame is not None else None
            callee.outside[source] = (mark, self.parameters(callee, value, name, facts))
        return callee.outside[source][1]

    def _name_inside(self, callee: Callee, source: Value) -> str:
        """What a procedure calls data from outside; that of an object which is its argument by the way from there."""
        for param in (p for p in self.params if p.value is source):
            for argument, root in callee.roots.items():
                way = param.path[len(root.path) :]
                if way and root.route[0] == ("arg", param.name) and (*root.path, *way) == param.path:
                    callee.attributes.setdefault(attribute_name(way), (argument, way))
                    return attribute_name(way)
        return source.hint or "value"

    def marked(self, value: Any) -> Any:
        try:
            return self.mark(value)
        except Unsupported:
            return ("unknown",)

    def adopt(self, found: Any, name: str) -> Any:
        return self.captured_here(super().adopt(found, name))

    def caller_data(self, thing: Instance, name: str, value: Any) -> Any:
        if thing.assigned and self.callee is not None:
            raise Unsupported("an object that the function has changed is read inside a function of its own")
        return self.captured_here(super().caller_data(thing, name, value))

    def change_caller(self, thing: Instance, name: str, value: Any) -> None:
        if self.callee is not None:
            raise Unsupported("the caller's object is changed inside a function of its own")
        super().change_caller(thing, name, value)

    def captured_here(self, value: Any) -> Any:
        """Data captured from outside, as a parameter of the procedure being read."""
        if self.callee is None:
            return value
        callee, outside = self.callee, {param.value for param in self.params}
        outside |= {value for op in self.entry.ops for value in op.outputs}
        leaves, rebuild = flatten(value)
        return rebuild([self.from_around(callee, leaf) if leaf in outside else leaf for leaf in leaves])

    def reader(self) -> Any:
        return self.callee

    def capture(self, value: Any, name: str, route: Any) -> Any:
        with self.assuming(self.root_facts):
            return super().capture(value, name, route)

    def argument_part(self, value: Any, name: str, path: Any, route: Any) -> Any:
        with self.assuming(self.root_facts):
            return super().argument_part(value, name, path, route)

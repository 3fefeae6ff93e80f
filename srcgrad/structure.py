"""The gradients as they are returned: each with its parameter's own structure.

Lists, tuples, dicts and named tuples come back as such. An object comes back as a copy with gradients in place of its
floats; what is no float stays as it is.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from .ir.nodes import Kept, Rebuilt, Slot
from .request import Step
from .runtime.parameter import Parameter
from .runtime.signature import (
    ArraySpec,
    DictSpec,
    InstanceSpec,
    Path,
    SequenceSpec,
    Spec,
    StaticSpec,
    differentiated,
)


@dataclasses.dataclass
class Structure:
    """How gradients are put together: `template` has a slot for each, then one for each argument in `sources`."""

    template: Any
    zero_d: list[int]
    sources: list[str]


def gradient_structure(step: Step, specs: Mapping[str, Spec], first: int) -> Structure:
    """The gradients, the first of them in slot number `first`."""
    count = sum(len(differentiated(specs[name], path)) for name, path in step.wrt)
    builder = _Builder(first, first + count)
    gradients = tuple(builder.at(specs[name], name, path) for name, path in step.wrt)
    return Structure(gradients[0] if step.single else gradients, builder.zero_d, builder.sources)


class _Builder:
    def __init__(self, first: int, sources: int):
        self.next, self.first_source = first, sources
        self.zero_d: list[int] = []
        self.sources: list[str] = []

    def at(self, spec: Spec, name: str, path: Path | None) -> Any:
        found = dict(differentiated(spec, path))
        if path is not None:
            return self._leaf(found[path])
        return self.of(spec, name, (), found.__contains__)

    def of(self, spec: Spec, name: str, path: Path, active: Callable[[Path], bool]) -> Any:
        if active(path):
            return self._leaf(spec)
        match spec:
            case SequenceSpec(kind, items):
                parts = [self.of(item, name, (*path, i), active) for i, item in enumerate(items)]
                if kind not in (list, tuple):
                    return Rebuilt(self._source(name), path, "named", tuple(zip(kind._fields, parts)))  # type: ignore
                return tuple(parts) if kind is tuple else parts
            case DictSpec(keys, items):
                return {key: self.of(item, name, (*path, key), active) for key, item in zip(keys, items)}
            case InstanceSpec(kind, attrs) if issubclass(kind, Parameter):
                return self.of(attrs[0][1], name, (*path, ".data"), active)
            case InstanceSpec(kind, attrs) if attrs:
                changed = tuple((attr, self.of(item, name, (*path, f".{attr}"), active)) for attr, item in attrs)
                return Rebuilt(self._source(name), path, _how(kind, [attr for attr, _ in attrs]), changed)
            case StaticSpec(value) if value is None or type(value) in (str, bool):
                return value
        return Kept(self._source(name), path)

    def _leaf(self, spec: Spec) -> Slot:
        if isinstance(spec, ArraySpec) and not spec.ones:
            self.zero_d.append(self.next)
        self.next += 1
        return Slot(self.next - 1)

    def _source(self, name: str) -> Slot:
        if name not in self.sources:
            self.sources.append(name)
        return Slot(self.first_source + self.sources.index(name))


def _how(kind: type, changed: list[str]) -> str:
    """Data classes are made anew from their fields, unless that would run code of the user's."""
    if dataclasses.is_dataclass(kind) and not hasattr(kind, "__post_init__"):
        fields = {each.name: each.init for each in dataclasses.fields(kind)}
        if all(fields.get(name) for name in changed) and "__init__" in vars(kind):
            return "record"
    return "object" if not _slotted(kind, changed) else "slotted"


def _slotted(kind: type, changed: list[str]) -> bool:
    return any(name in vars(each) for each in kind.__mro__ for name in changed if "__slots__" in vars(each))

"""Modules that hold modules: in a row, as a list, as a dict."""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import Any, Self

from numpy.typing import NDArray

from srcgrad.nn.module import Module

Array = NDArray[Any]


class ModuleList(Module):
    """A list of modules. A plain list does as well, as an attribute; this one prints its numbers."""

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        self.layers = list(modules)

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules by their numbers."""
        return ((str(index), module) for index, module in enumerate(self.layers))

    def append(self, module: Module) -> Self:
        """Put a module at the end."""
        self.layers.append(module)
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Put modules at the end."""
        self.layers.extend(modules)
        return self

    def insert(self, index: int, module: Module) -> None:
        """Put a module before the one with this number."""
        self.layers.insert(index, module)

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, index: int) -> Module:
        return self.layers[index]

    def __setitem__(self, index: int, module: Module) -> None:
        self.layers[index] = module

    def __iter__(self) -> Iterator[Module]:
        return iter(self.layers)


class Sequential(ModuleList):
    """Modules one after the other, each given what the one before computed."""

    def __init__(self, *modules: Module) -> None:
        super().__init__(modules)

    def forward(self, x: Array) -> Array:
        for module in self.layers:
            x = module(x)
        return x


class ModuleDict(Module):
    """A dict of modules. A plain dict does as well, as an attribute; this one prints its keys."""

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] = ()) -> None:
        self.layers = dict(modules)

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules by their keys."""
        return iter(self.layers.items())

    def keys(self) -> KeysView[str]:
        """The names."""
        return self.layers.keys()

    def values(self) -> ValuesView[Module]:
        """The modules."""
        return self.layers.values()

    def items(self) -> ItemsView[str, Module]:
        """Names and modules."""
        return self.layers.items()

    def __len__(self) -> int:
        return len(self.layers)

    def __contains__(self, name: str) -> bool:
        return name in self.layers

    def __getitem__(self, name: str) -> Module:
        return self.layers[name]

    def __setitem__(self, name: str, module: Module) -> None:
        self.layers[name] = module

    def __iter__(self) -> Iterator[str]:
        return iter(self.layers)

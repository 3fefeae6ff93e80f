"""Types of IR values: what is known of an array, a number or a recording without running anything."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .dims import Dim, as_dim


@dataclass(frozen=True)
class Array:
    """An array or number. `weak` marks a Python number, which adapts to its partner's dtype (NEP 50).

    `dim` is the symbolic value of an integer, where known: `n` in `for i in range(n)`. It is knowledge about the
    value, not part of the type, so it does not take part in comparison. `count`, of a mask, is how many elements it
    selects. `namespace` is "cupy" for what is on a GPU, once `place` has settled that; a number there is a 0-d array.
    """

    dtype: np.dtype[Any]
    axes: tuple[Dim, ...] = ()
    weak: bool = False
    namespace: str = "numpy"
    dim: Dim | None = field(default=None, compare=False)
    count: Dim | None = field(default=None, compare=False)

    @property
    def ndim(self) -> int:
        return len(self.axes)

    @property
    def differentiable(self) -> bool:
        return self.dtype.kind in "fc"

    @property
    def has_memory(self) -> bool:
        """Whether this is memory that others may see: an array, or a number on the GPU; NumPy's never change."""
        return self.ndim > 0 or self.namespace == "cupy"

    def with_axes(self, axes: tuple[Dim, ...]) -> Array:
        return replace(self, axes=axes, weak=False, dim=None, count=None)

    def __str__(self) -> str:
        name = {"f": "float", "i": "int", "b": "bool", "c": "complex"}.get(self.dtype.kind, "?")
        if self.weak:
            return name
        return f"{self.dtype.str[1:]}[{', '.join(map(str, self.axes))}]"


@dataclass(frozen=True)
class Tape:
    """One recorded value for each pass of a loop."""

    item: Type

    def __str__(self) -> str:
        return f"tape<{self.item}>"


@dataclass(frozen=True)
class Opaque:
    """An inactive Python object that only passes through, such as a random generator."""

    name: str = "object"

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Sparse:
    """A matrix of scipy.sparse. It has no cotangent of its own: what it is made of has."""

    dtype: np.dtype[Any]
    axes: tuple[Dim, ...]

    def __str__(self) -> str:
        return f"sparse {self.dtype.str[1:]}[{', '.join(map(str, self.axes))}]"


@dataclass(frozen=True)
class Saved:
    """What a function's forward half hands to its backward half: one value, whatever it is made of."""

    def __str__(self) -> str:
        return "saved"


Type = Array | Tape | Opaque | Sparse | Saved

FLOAT = Array(np.dtype(float), weak=True)
INT = Array(np.dtype(int), weak=True)
BOOL = Array(np.dtype(bool))


def type_of_number(value: Any) -> Array:
    """The type of a scalar constant."""
    if isinstance(value, (np.generic, np.ndarray)):
        if value.ndim:
            raise TypeError(f"{value!r} is not a scalar")
        return Array(value.dtype, dim=as_dim(int(value)) if value.dtype.kind in "iu" else None)
    weak = not isinstance(value, bool)
    return Array(np.dtype(type(value)), weak=weak, dim=as_dim(value) if type(value) is int else None)

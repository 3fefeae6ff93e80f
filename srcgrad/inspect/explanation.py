"""What `Gradient.explain` returns: plain data, and its text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import Origin


@dataclass(frozen=True)
class Stored:
    """A forward value that lives on until the backward sweep has read it.

    name : its name in the generated text
    what : its type, as in `f8[n, 3]`
    recorded : whether a loop records one item in every pass; else it is a variable that is kept
    count : the items recorded, 1 for a variable
    bytes : memory that is its own; 0 for a view of an argument or of another stored value
    where : the user's line that makes it; why : the user's lines whose derivative reads it
    """

    name: str
    what: str
    recorded: bool
    count: int
    bytes: int
    where: Origin
    why: tuple[Origin, ...]

    @property
    def summary(self) -> str:
        """One line: its name, type and memory."""
        times = f"{self.count} x " if self.recorded else ""
        memory = _amount(self.bytes) if self.bytes else "a view, no memory of its own"
        return f"{self.name}: {times}{self.what}, {memory}"


@dataclass(frozen=True)
class Recomputed:
    """A forward value that the backward sweep computes again rather than keep."""

    text: str
    where: Origin


@dataclass(frozen=True)
class Zero:
    """A gradient that is zero whatever the numbers are; `places` are the user's lines that make it so."""

    parameter: str
    reason: str
    places: tuple[Origin, ...] = ()


@dataclass(frozen=True)
class Explanation:
    """How a derivative of one call is computed; `print` it.

    derivative : "gradient", "Hessian-vector product", ...; file : where the function stands
    """

    derivative: str
    function: str
    file: str
    signature: str
    stored: tuple[Stored, ...]
    recomputed: tuple[Recomputed, ...]
    zeros: tuple[Zero, ...]
    guards: tuple[str, ...]
    entry: str

    @property
    def bytes(self) -> int:
        """Memory that the forward sweep keeps for the backward sweep, beyond the arguments."""
        return sum(each.bytes for each in self.stored)

    def __str__(self) -> str:
        return "\n".join(self._lines()) + "\n"

    __repr__ = __str__

    def _lines(self) -> Sequence[str]:
        lines = [f"The {self.derivative} of {self.function}({self.signature})"]
        lines += ["", f"Stored for the backward sweep: {_amount(self.bytes)}" if self.stored else "Nothing is stored."]
        for each in self.stored:
            lines.append(f"  {each.summary}")
            lines.append(f"    {'recorded by' if each.recorded else 'made by'} {self._place(each.where)}")
            lines += dict.fromkeys(f"    needed for {self._place(origin)}" for origin in each.why)
        if self.recomputed:
            lines += ["", "Computed again in the backward sweep"]
            lines += [f"  {each.text}: {self._place(each.where)}" for each in self.recomputed]
        if self.zeros:
            lines += ["", "Zero gradients"]
            for zero in self.zeros:
                lines.append(f"  {zero.parameter}: {zero.reason}")
                lines += dict.fromkeys(f"    {self._place(origin)}" for origin in zero.places)
        if self.guards:
            lines += ["", "Serves calls with " + ", ".join(self.guards)]
        return [*lines, "", self.entry]

    def _place(self, origin: Origin) -> str:
        """The user's line; its file too, where that is not the function's own."""
        if not origin.line:
            return "the function's arguments"
        place = f"line {origin.line}" if origin.file == self.file else f"{origin.file}:{origin.line}"
        return f"{place}: {origin.text.strip()}"


def _amount(count: int) -> str:
    return f"{count:,} bytes"

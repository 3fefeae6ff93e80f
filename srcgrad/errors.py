"""Errors that show the user's own line, with a caret, and a way out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Origin:
    """A place in the user's source; `comment` is what stands behind the statement, `text` the line."""

    file: str = ""
    line: int = 0
    column: int = 0
    end_column: int = 0
    text: str = ""
    comment: str = ""
    leading: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column + 1}" if self.file else "<generated>"


NOWHERE = Origin()


@dataclass(frozen=True)
class Fault:
    """One thing that cannot be compiled: where, what, and what to do instead."""

    origin: Origin
    message: str
    way_out: str = ""

    def __str__(self) -> str:
        lines = [f"{self.origin}: {self.message}"]
        if self.origin.text:
            indent = len(self.origin.text) - len(self.origin.text.lstrip())
            width = max(1, min(self.origin.end_column, len(self.origin.text)) - self.origin.column)
            lines.append("    " + self.origin.text.strip())
            lines.append("    " + " " * max(0, self.origin.column - indent) + "^" * width)
        if self.way_out:
            lines.append("    " + self.way_out)
        return "\n".join(lines)


class SrcgradError(Exception):
    """Base of every error that srcgrad raises on purpose."""


class CompileError(SrcgradError):
    """A function that cannot be differentiated soundly; `faults` lists every reason found."""

    def __init__(self, faults: Sequence[Fault]):
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class GradTypeError(SrcgradError, TypeError):
    """An argument or a result of the wrong type for differentiation."""


class SourceNotFound(SrcgradError, OSError):
    """The function has no readable source."""


class InternalError(SrcgradError, AssertionError):
    """A stage broke its promise: a bug in srcgrad, never the user's fault."""


class GradientMismatch(SrcgradError, AssertionError):
    """A derivative that disagrees with finite differences, found by `check_grads`.

    mode, order : "forward" or "reverse", and which derivative
    found, expected : the first entries that disagree
    origin : the first statement of the function whose own derivative disagrees, if one does
    """

    def __init__(self, mode: str, order: int, found: float, expected: float, name: str = "", blame: Any = None):
        self.mode, self.order, self.found, self.expected = mode, order, found, expected
        self.origin: Origin | None = None if blame is None else blame.origin
        text = (
            f"derivative number {order} of `{name}` in {mode} mode is {found:.10g}, and {expected:.10g} by finite "
            "differences"
        )
        if blame is None:
            text += (
                ". Each operation by itself agrees: is there a kink near the arguments, or a result that changes from "
                "call to call?"
            )
        else:
            message = (
                f"the first statement whose derivative disagrees: along a random direction `{blame.operation}` has "
                f"{blame.found:.10g} in {'forward' if blame.mode == 'fwd' else 'reverse'} mode, and "
                f"{blame.expected:.10g} by finite differences"
            )
            text += f"\n{Fault(blame.origin, message)}"
        super().__init__(text)

    def at(self, name: str, blame: Any) -> GradientMismatch:
        """The same, with the function's name and the operation to blame."""
        return GradientMismatch(self.mode, self.order, self.found, self.expected, name, blame)


class Unsupported(SrcgradError):
    """Raised inside a stage at one construct; the stage turns it into a located `Fault`."""

    def __init__(self, message: str, way_out: str = "", origin: Origin | None = None):
        self.message, self.way_out, self.origin = message, way_out, origin
        super().__init__(f"{message}. {way_out}" if way_out else message)

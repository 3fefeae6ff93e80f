"""Functions that mean something to the compiler, and next to nothing when they are called."""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T")


def stop_gradient(x: T) -> T:
    """`x` itself, through which no gradient flows: its derivative counts as zero."""
    return x

"""What to record and what to recompute in the backward sweep."""

from __future__ import annotations

from ..ir.dims import Facts
from ..ir.nodes import Function


def economise(function: Function, facts: Facts) -> Function:
    return function

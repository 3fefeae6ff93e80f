"""The compiler's IR between two stages, as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..dispatch import Dispatcher
from ..ir.printing import to_text
from .call import Call, compiled_call


def stage_text(dispatcher: Dispatcher, values: Sequence[Any], stage: str) -> str:
    """The IR of one call's gradient after a stage. Raises KeyError, with the stages' names, for an unknown one."""
    return text_after(compiled_call(dispatcher, values), stage)


def text_after(call: Call, stage: str) -> str:
    """The same, of a call that has been compiled for a look."""
    stages = call.compiled.stages
    if stage not in stages:
        raise KeyError(f"there is no stage {stage!r}: {', '.join(stages)}")
    return to_text(stages[stage])

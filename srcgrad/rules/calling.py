"""Functions that the generated code calls as they are: captured from around the user's function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..ir.dims import Facts
from ..ir.primitive import Primitive, register
from ..ir.types import Type
from .effects import run
from .registry import CASES, Case


def _infer(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type | tuple[Type, ...]:
    result: Type | tuple[Type, ...] = attrs["types"]
    return result


def _same(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    return types[0]


# a call without effects, and without a derivative of its own
INVOKE = register(
    Primitive(
        "invoke",
        fn=run,
        infer=_infer,
        operands=("*inputs",),
        undefined=(
            "`{name}` is called as it stands, and cannot be differentiated again",
            "For a second derivative, give its rule functions whose source can be read.",
        ),
    )
)

# the same number or array, which is not recognised as the same: what is computed from it is computed anew
AGAIN = register(
    Primitive(
        "again", fn=lambda x: x, infer=_same, operands=("x",), kind="linear", partials=(lambda d, y, x: d,), view=True
    )
)
CASES[AGAIN] = [Case(()), Case((3,)), Case((2, 3))]

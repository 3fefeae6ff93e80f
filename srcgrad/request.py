"""What the compiler is asked for: a function, a call signature, what to differentiate, in which form."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import dataclass

from .runtime.signature import Path, Spec


@dataclass(frozen=True)
class Request:
    """What to compile.

    mode : "grad", "value_and_grad", or "split" for a forward and a backward half
    wrt : the arguments to differentiate, each a name and the path to one leaf inside it, or None for all of it
    single : whether the gradient is returned by itself, not in a tuple
    holomorphic : whether the result is complex, an analytic function of complex arguments
    """

    function: types.FunctionType
    specs: Mapping[str, Spec]
    wrt: tuple[tuple[str, Path | None], ...]
    mode: str = "grad"
    single: bool = True
    signature: tuple[tuple[str, str, str | None], ...] = ()
    optimize: bool = True
    holomorphic: bool = False

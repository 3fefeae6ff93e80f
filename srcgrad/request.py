"""What the compiler is asked for: a function, a call signature, what to differentiate, in which form."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import dataclass

from .runtime.signature import Path, Spec

Places = tuple[tuple[str, Path | None], ...]


@dataclass(frozen=True)
class Step:
    """One derivative: of the user's function, or of the function that the step before makes.

    mode : "value" for the function itself; "grad", "value_and_grad"; "split" or "vjp" for a forward and a backward
           half, of a function that returns one array or any structure of them; "jvp" for the value and its tangent,
           "tangent" for the tangent alone
    wrt : the arguments to differentiate, each a name and the path to one leaf inside it, or None for all of it
    single : whether the gradient is returned by itself, not in a tuple
    aux : whether the function returns (value, something that is not differentiated)
    tangents : in forward mode, the parameters that hold the tangents, one for each of `wrt`
    holomorphic : whether the result is complex, an analytic function of complex arguments
    repeated : whether one call of the user's runs it several times, so that the function may have no effects
    batched : whether it takes several directions at once, with a leading axis, if that can be
    """

    mode: str
    wrt: Places
    single: bool = True
    aux: bool = False
    tangents: tuple[str, ...] = ()
    repeated: bool = False
    holomorphic: bool = False
    batched: bool = False

    @property
    def forward_mode(self) -> bool:
        return self.mode in ("jvp", "tangent")


@dataclass(frozen=True)
class Request:
    """What to compile: the last step, described as in `Step`, of the function that the `inner` steps make.

    signature : name, kind and default of every parameter, those that hold tangents included
    """

    function: types.FunctionType
    specs: Mapping[str, Spec]
    wrt: Places
    mode: str = "grad"
    single: bool = True
    signature: tuple[tuple[str, str, str | None], ...] = ()
    optimize: bool = True
    holomorphic: bool = False
    aux: bool = False
    tangents: tuple[str, ...] = ()
    inner: tuple[Step, ...] = ()
    repeated: bool = False
    batched: bool = False

    @property
    def step(self) -> Step:
        return Step(
            self.mode, self.wrt, self.single, self.aux, self.tangents, self.repeated, self.holomorphic, self.batched
        )

    @property
    def own(self) -> tuple[str, ...]:
        """The parameters of the user's function, without those that hold tangents."""
        held = {name for step in (*self.inner, self.step) for name in step.tangents}
        return tuple(name for name in self.specs if name not in held)

"""A function together with its compiled gradient, in every form in which it can be asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

import numpy as np

from ..dispatch import Dispatcher, Specialisation
from ..request import Places, Step
from ..runtime.device import namespace_of
from ..runtime.grad_mode import is_grad_enabled
from ..runtime.leaves import Step as LeafStep
from ..runtime.leaves import parameters, unwrap
from ..runtime.result import Result
from ..runtime.trees import tree_leaves
from .choosing import Names, Positions, choose
from .derivative import Derivative
from .pullback import Pullback

if TYPE_CHECKING:
    from ..inspect.explanation import Explanation

P = ParamSpec("P")
R = TypeVar("R")


class Gradient(Derivative, Generic[P, R]):
    """A function's gradient, compiled when it is called; made by `grad`.

    f(*args) is the gradient, f.value_and_grad(*args) the value beside it, f.forward(*args) the training style.
    """

    def __init__(
        self,
        function: Callable[P, R],
        wrt: Names | None = None,
        argnums: Positions | None = None,
        has_aux: bool = False,
        holomorphic: bool = False,
    ):
        super().__init__(function)
        self.function: Callable[P, R] = function
        self._wrt, self._single = choose(self._python, self._signature, wrt, argnums)
        self._aux, self._holomorphic = has_aux, holomorphic
        self._pairs: dict[tuple[LeafStep, ...], Dispatcher] = {}
        self._last_pair: Dispatcher | None = None
        self._grad = self._dispatcher(self._step(self._mode, self._single))

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Any:
        """The gradient: one array (or number, or structure) for each differentiated argument.

        With has_aux, (gradient, aux).
        """
        self._last = self._grad
        return self._run(self._grad, self._bind(args, kwargs))

    def value_and_grad(self, *args: P.args, **kwargs: P.kwargs) -> tuple[R, Any]:
        """(value, gradient), from one function that computes both; with has_aux, ((value, aux), gradient)."""
        self._last = self._dispatcher(self._step("value_and_grad", self._single))
        result: tuple[R, Any] = self._run(self._last, self._bind(args, kwargs))
        return result

    def forward(self, *args: P.args, **kwargs: P.kwargs) -> Any:
        """Run the compiled forward half; `.backward()` of the result runs the other.

        Differentiates with respect to every Parameter with requires_grad found among the arguments; where no argument
        is a Parameter, with respect to `wrt`, and `backward()` returns the gradients. With has_aux, (result, aux).
        """
        values = self._bind(args, kwargs)
        found = parameters(dict(zip(self._parameters, values)))
        plain = [unwrap(value) for value in values]
        active = [entry for entry in found if entry[0].requires_grad]
        if not is_grad_enabled() or (found and not active):
            arrays = [*(parameter.data for parameter, _ in found), *tree_leaves(plain)]
            if namespace_of(*arrays) is not np:  # called as it is, the function would make arrays on the CPU
                (value, _), _ = self._pair_of(tuple(step for _, step in found))(plain)
                value, *aux = value if self._aux else (value,)
                return _with(Result(value, None, None, None), aux)
            value, *aux = self._call_plain(plain) if self._aux else (self._call_plain(plain),)
            return _with(Result(value, None, None, None), aux)
        dispatcher = self._last = self._last_pair = self._pair_of(tuple(step for _, step in active))
        (value, saved), backward = dispatcher(plain)
        value, *aux = value if self._aux else (value,)
        pullback = Pullback(backward, saved, dispatcher, value, plain)
        return _with(Result(value, pullback, [p for p, _ in active] if found else None, backward), aux)

    @property
    def forward_source(self) -> str:
        """The forward half of the pair last run, or looked at, as text; before any, as of `source`."""
        return self._pair().texts[0]

    @property
    def backward_source(self) -> str:
        """The backward half of that pair."""
        return self._pair().texts[1]

    def forward_source_for(self, *args: P.args, **kwargs: P.kwargs) -> str:
        """The forward half for a call with these arguments, without running it."""
        return self._look_at_pair(self._bind(args, kwargs)).texts[0]

    def backward_source_for(self, *args: P.args, **kwargs: P.kwargs) -> str:
        """The backward half for such a call."""
        return self._look_at_pair(self._bind(args, kwargs)).texts[1]

    def explain(self, *args: P.args, **kwargs: P.kwargs) -> Explanation:
        """What the gradient of this call stores for its backward sweep, computes again, and finds zero, and why.

        Runs the compiled function once on these arguments, to count and to measure. Print it or read its fields.
        Where Parameters with requires_grad are among the arguments, of the gradient in these, as `forward` takes it.
        """
        from ..inspect.explain import explain  # the compiler is imported when it is asked for

        values = self._bind(args, kwargs)
        return explain(self.dispatcher_for(values), [unwrap(value) for value in values], self.title)

    def compiled(self, mode: str, values: Sequence[Any]) -> Specialisation:
        """What serves arguments like these; mode is "value", "grad", "value_and_grad" or "split"."""
        return self.dispatcher_of(mode).find([unwrap(v) for v in values])

    def dispatcher_of(self, mode: str) -> Dispatcher:
        """All that has been compiled in one mode, in what was asked for."""
        return self._dispatcher(self._step(mode, self._single and mode != "split"))

    def export(self, path: str | os.PathLike[str], *args: Any, **kwargs: Any) -> None:
        """Write a module with the gradient for arguments like these, which needs NumPy alone.

        It holds the value, the gradient, both, and the forward and backward halves, and refuses arguments of another
        form with a ValueError. The same function and types of arguments give the same text.
        """
        from ..inspect.export import export_text

        text = export_text(self, list(self._bind(args, kwargs)))
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def dispatcher_for(self, values: Sequence[Any]) -> Dispatcher:
        """Of the gradient in the Parameters among the arguments; where there are none, in what was asked for."""
        active = [
            step for parameter, step in parameters(dict(zip(self._parameters, values))) if parameter.requires_grad
        ]
        if not active:
            return self._grad
        return self._dispatcher(replace(self._step(self._mode, False), wrt=tuple(step.place for step in active)))

    def pair_for(self, values: Sequence[Any]) -> Dispatcher:
        """Of the forward and backward halves that `forward` runs for such arguments."""
        found = parameters(dict(zip(self._parameters, values)))
        return self._pair_of(tuple(step for parameter, step in found if parameter.requires_grad))

    @property
    def wrt(self) -> Places:
        """What is differentiated: names, and for items of `*args` the place in it."""
        return self._wrt

    @property
    def single(self) -> bool:
        """Whether the gradient comes by itself, not in a tuple."""
        return self._single

    def as_step(self, called: str) -> Step | None:
        """This derivative as something to differentiate, by the method that is called."""
        mode = {"__call__": self._mode, "value_and_grad": "value_and_grad"}.get(called)
        return None if mode is None else self._step(mode, self._single)

    def _rebuild(self) -> Any:
        return type(self), (self.function, self._names(self._wrt, self._single), None, self._aux, self._holomorphic)

    # Inside

    _mode = "grad"
    title = "gradient"

    def _step(self, mode: str, single: bool) -> Step:
        return Step(mode, self._wrt, single, self._aux, holomorphic=self._holomorphic)

    def _pair_of(self, steps: tuple[LeafStep, ...]) -> Dispatcher:
        """The dispatcher of the forward and backward halves for the Parameters at these places."""
        if steps not in self._pairs:
            wrt: Places = tuple(step.place for step in steps) or self._wrt
            self._pairs[steps] = self._dispatcher(replace(self._step("split", False), wrt=wrt))
        return self._pairs[steps]

    def _served(self, args: Any, kwargs: Any) -> tuple[Dispatcher, list[Any]]:
        return self._grad, [unwrap(value) for value in self._bind(args, kwargs)]

    def _shown(self, args: Any, kwargs: Any) -> tuple[list[Dispatcher], list[Any]]:
        values = self._bind(args, kwargs)
        return [self.dispatcher_for(values), self.pair_for(values)], [unwrap(value) for value in values]

    def like(self, values: list[Any]) -> tuple[Dispatcher, list[Any]]:
        return self._grad, values

    def _pair(self) -> Specialisation:
        if self._last_pair is not None and self._last_pair.latest is not None:
            return self._last_pair.latest
        return self._look_at_pair(self._example("forward_source_for"))

    def _look_at_pair(self, values: Sequence[Any]) -> Specialisation:
        self._last_pair = self.pair_for(values)
        return self._look(self._last_pair, [unwrap(value) for value in values])


def _with(result: Result, aux: list[Any]) -> Any:
    return (result, *aux) if aux else result


class ValueAndGrad(Gradient[P, R]):
    """A function's value beside its gradient; made by `value_and_grad`."""

    _mode = "value_and_grad"
    title = "value and gradient"

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> tuple[R, Any]:
        """(value, gradient), from one function that computes both; with has_aux, ((value, aux), gradient)."""
        result: tuple[R, Any] = super().__call__(*args, **kwargs)
        return result


__all__ = ["Gradient", "ValueAndGrad"]

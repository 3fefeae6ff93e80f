"""Derivatives given by the user: rules for functions, what is computed again instead of stored, hooks on cotangents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


class Rule(Generic[P, R]):
    """A function whose derivative is given: calling it calls the function. Made by `rule`.

    `forward`, `backward` and `jvp` are decorators for the functions that give the derivative.
    """

    def __init__(self, function: Callable[P, R], like: Any = None, read: bool = True):
        self.function, self.like, self.read = function, like, read
        self.formulas: tuple[Callable[..., Any] | None, ...] | None = None
        self.transpose: Callable[..., Any] | None = None
        self.forward_function: Callable[..., Any] | None = None
        self.backward_function: Callable[..., Any] | None = None
        self.jvp_function: Callable[..., Any] | None = None
        self.__name__ = getattr(function, "__name__", "function")
        self.__doc__ = getattr(function, "__doc__", None)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.function(*args, **kwargs)

    def forward(self, function: F) -> F:
        """`function(*args)` returns (value, saved): what the function returns, and what `backward` needs."""
        self.forward_function = function
        return function

    def backward(self, function: F) -> F:
        """`function(saved, d)` returns a cotangent for each argument: None for one that has no derivative."""
        self.backward_function = function
        return function

    def jvp(self, function: F) -> F:
        """`function(args, tangents)` returns (value, tangent), for forward mode."""
        self.jvp_function = function
        return function

    def __repr__(self) -> str:
        return f"<rule of {self.__name__}>"


class Checkpoint(Generic[P, R]):
    """A function that the backward sweep computes again. Made by `checkpoint`."""

    def __init__(self, function: Callable[P, R]):
        self.function = function
        self.__name__ = getattr(function, "__name__", "function")
        self.__doc__ = getattr(function, "__doc__", None)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<checkpoint of {self.__name__}>"


def rule(
    function: Callable[P, R],
    *,
    forward: Callable[..., Any] | None = None,
    backward: Callable[..., Any] | None = None,
    jvp: Callable[..., Any] | None = None,
    like: Any = None,
    read: bool = True,
) -> Rule[P, R]:
    """The function with a derivative of the user's own, given here or by the decorators of what is returned.

    forward : `(*args) -> (value, saved)`: what the function returns, and what `backward` needs of it
    backward : `(saved, d) -> cotangents`, one for each argument, with its shape; None for one that has no derivative.
        `d` is the derivative of the loss with respect to the value, with the value's shape
    jvp : `(args, tangents) -> (value, tangent)`, for forward mode
    like : what the function returns, where it is not read: the name of an argument with the result's shape and dtype,
        or a NumPy function of the same arguments; by default the function itself is tried on small arrays
    read : whether Python source is read, and so can be differentiated again; else the functions are called as they are
    """
    made = Rule(function, like, read)
    made.forward_function, made.backward_function, made.jvp_function = forward, backward, jvp
    return made


def _elementwise(
    function: Callable[P, R], *formulas: Callable[..., Any] | None, like: Any = None, read: bool = True
) -> Rule[P, R]:
    """A rule for a function of single elements.

    formulas : one `(d, y, *args) -> contribution` for each argument, None for one that has no derivative; they serve
        both modes. Arguments that were broadcast are seen to.
    """
    made = Rule(function, like, read)
    made.formulas = formulas
    return made


def _linear(
    function: Callable[P, R], *, transpose: Callable[..., Any], like: Any = None, read: bool = True
) -> Rule[P, R]:
    """A rule for a function that is linear in its first argument; `transpose(d, y, *args)` is its cotangent."""
    made = Rule(function, like, read)
    made.transpose = transpose
    return made


rule.elementwise = _elementwise  # type: ignore[attr-defined]
rule.linear = _linear  # type: ignore[attr-defined]


def checkpoint(function: Callable[P, R]) -> Checkpoint[P, R]:
    """The function, computed again in the backward sweep: of its inside nothing is stored but its arguments.

    It may not print or draw random numbers. In a loop, the backward sweep stores what the pass starts from and computes
    the pass again. Griewank & Walther, Evaluating Derivatives (2008), chapter 12.
    """
    return Checkpoint(function)


def checkpointed(steps: range, slots: int | None = None, levels: int = 1, schedule: str = "segments") -> range:
    """The range itself, for a loop with a memory budget: `for i in checkpointed(range(n), slots=8)`.

    The loop goes by segments, and of its passes only the variables at the beginning of each segment are stored; the
    backward sweep computes one segment after the other again, from the last to the first.
    slots : how many segments; by default about as many as a segment has passes, the square root of their number
    levels : how often a segment is divided again. With n passes, about `levels * slots` states are stored and
        `n / slots ** levels` passes recorded at any time, and each pass is computed `levels` times more
    schedule : "segments", or "binomial": the backward sweep keeps `slots` states, at least one, and goes from them to
        each pass in turn, from the last to the first, keeping states on the way again where this saves most. To reach
        n passes it computes `r * n - comb(slots + r, r - 1)` again, where r is the smallest number with
        `comb(slots + r, r) >= n`; no schedule from the first state does with fewer. It takes no `levels`
    The value is that of the plain loop, bit for bit; so is the gradient, but that with the binomial schedule the terms
    of a sum may be grouped in another way. Griewank & Walther, Evaluating Derivatives (2008), chapter 12; for the
    binomial schedule, Algorithm 799: Revolve, ACM Transactions on Mathematical Software 26 (2000).
    """
    if not isinstance(steps, range):
        raise TypeError(f"checkpointed takes a range, not {type(steps).__name__}")
    if schedule not in ("segments", "binomial"):
        raise ValueError(f'schedule is "segments" or "binomial", not {schedule!r}')
    if schedule == "binomial" and (slots is None or levels != 1):
        raise ValueError("the binomial schedule takes slots, and no levels")
    if (slots is not None and slots < 1) or levels < 1:
        raise ValueError("slots and levels must be positive")
    return steps


def hook(x: T, function: Callable[[Any], Any]) -> T:
    """`x` itself; in the backward sweep `function` is called with its cotangent.

    A function that returns something replaces the cotangent by it, of the same shape; one without `return` only looks.
    """
    return x

"""`grad` and its relatives: functions in, compiled gradient functions out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, overload

from ..request import Step
from ..runtime.leaves import unwrap
from .choosing import Names, Positions, choose
from .derivative import remembered, with_keywords
from .gradient import Gradient, ValueAndGrad
from .pullback import Pullback

P = ParamSpec("P")
R = TypeVar("R")


@overload
def grad(
    function: Callable[P, R],
    argnums: Positions | None = None,
    *,
    wrt: Names | None = None,
    holomorphic: bool = False,
    has_aux: bool = False,
) -> Gradient[P, R]: ...
@overload
def grad(
    function: None = None,
    argnums: Positions | None = None,
    *,
    wrt: Names | None = None,
    holomorphic: bool = False,
    has_aux: bool = False,
) -> Callable[[Callable[P, R]], Gradient[P, R]]: ...
def grad(
    function: Callable[P, R] | None = None,
    argnums: Positions | None = None,
    *,
    wrt: Names | None = None,
    holomorphic: bool = False,
    has_aux: bool = False,
) -> Any:
    """The gradient of a function that returns one real number, as a function; a decorator with or without arguments.

    function : a Python function of numbers, NumPy arrays, and lists, tuples and dicts of them; or a gradient again
    argnums : positions of the arguments to differentiate; the first by default
    wrt : their names instead of positions; one name, or several
    holomorphic : the result is complex, an analytic function of complex arguments: give its complex derivative
    has_aux : whether the function returns (loss, aux); then so does the gradient function, as (gradient, aux)
    The gradient has each argument's structure, shape and dtype, and is a fresh array; several come as a tuple. In a
    complex z = x + iy it is dL/dx - i dL/dy, as JAX has it: step against its conjugate.
    Raises GradTypeError (a TypeError) for integer arguments and for results that are no real number, CompileError where
    the function cannot be differentiated soundly, SourceNotFound where its source cannot be read.
    """
    if function is None:
        return lambda each: Gradient(each, wrt, argnums, has_aux, holomorphic)
    return Gradient(function, wrt, argnums, has_aux, holomorphic)


@with_keywords
def value_and_grad(
    function: Callable[P, R],
    argnums: Positions | None = None,
    *,
    wrt: Names | None = None,
    holomorphic: bool = False,
    has_aux: bool = False,
) -> ValueAndGrad[P, R]:
    """A function that returns (value, gradient), with has_aux ((value, aux), gradient); arguments as of `grad`."""
    return ValueAndGrad(function, wrt, argnums, has_aux, holomorphic)


def vjp(
    function: Callable[..., Any],
    *primals: Any,
    argnums: Positions | None = None,
    wrt: Names | None = None,
    has_aux: bool = False,
) -> Any:
    """The value at `primals`, and the function that takes a cotangent of the value to those of the primals.

    The function returns a real array, or lists, tuples and dicts of them; the cotangent has the same structure and
    shapes. The pullback returns a tuple, one gradient for each primal (or for each of `argnums` or `wrt`), and may be
    called any number of times. With has_aux, the function returns (value, aux), and `vjp` (value, pullback, aux).
    """
    gradient: Gradient[..., Any] = remembered(function, "vjp", lambda: Gradient(function))
    values = [unwrap(value) for value in gradient._bind(primals, {})]
    positions = list(range(len(primals))) if argnums is None and wrt is None else argnums
    places, _ = choose(gradient._python, gradient._signature, wrt, positions)
    step = Step("vjp", places, False, has_aux)
    dispatcher = gradient._last = gradient._last_pair = gradient._dispatcher(step)
    (value, saved), backward = dispatcher(values)
    value, *aux = value if has_aux else (value,)
    return value, Pullback(backward, saved, dispatcher, value), *aux

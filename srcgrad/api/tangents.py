"""Forward mode: `jvp`, the derivative along a direction, and `hvp`, that of the gradient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..dispatch import Dispatcher
from ..request import Places, Step
from ..runtime.leaves import unwrap
from ..runtime.signature import Path, differentiated, is_instance, path_text
from ..runtime.trees import fitted, tree_leaves
from .choosing import Names, Positions, choose
from .derivative import Derivative, remembered, with_keywords
from .gradient import Gradient


class Directional(Derivative):
    """A derivative along directions: its compiled functions take a tangent for each differentiated argument."""

    def _held(self, wrt: Places) -> tuple[str, ...]:
        """Names for the tangents: `t_x` is that of `x`."""
        taken, names = set(self._parameters), []
        for name, path in wrt:
            held = "_".join(["t", name, *map(str, path or ())])
            while held in taken:
                held += "_"
            taken.add(held)
            names.append(held)
        return tuple(names)

    def _along(self, step: Step, values: Sequence[Any], directions: Sequence[Any]) -> Any:
        """The compiled function at `values`, along one direction for each of `step.wrt`."""
        self._last, given = self._given(step, values, directions)
        return self._last(given)

    def _given(self, step: Step, values: Sequence[Any], directions: Sequence[Any]) -> tuple[Dispatcher, list[Any]]:
        """What serves such a call, and one value for each of its parameters."""
        plain = [unwrap(value) for value in values]
        by_name = dict(zip(self._parameters, plain))
        given = []
        for (name, path), direction in zip(step.wrt, directions, strict=True):
            value = by_name[name]
            if path is None and any(map(is_instance, tree_leaves(value))):
                given.append(self._in_object(step, plain, name, value, direction))
                continue
            for each in path or ():
                value = value[each]
            given.append(fitted(unwrap(direction), value, f"the tangent of `{name}`"))
        return self._dispatcher(step), [*plain, *given]

    def _in_object(self, step: Step, plain: Sequence[Any], name: str, value: Any, direction: Any) -> tuple[Any, ...]:
        """The parts of a direction that is an object of the argument's kind, or holds such."""
        spec = self._dispatcher(step).describe(plain)[name]
        what = f"the tangent of `{name}`"
        return tuple(
            fitted(unwrap(_part(direction, path, what)), unwrap(_part(value, path, what)), path_text(what, path))
            for path, _ in differentiated(spec, None)
        )

    def _own_directions(self, values: Sequence[Any], wrt: Places) -> list[Any]:
        """The differentiated arguments themselves, of which each has its own direction's form."""
        return [value for value, name in zip(values, self._parameters) for place, _ in wrt if place == name]


class Jvp(Directional):
    """A function and its derivative along a direction; made by `jvp(f)`, called with (primals, tangents)."""

    def __init__(
        self, function: Any, argnums: Positions | None = None, wrt: Names | None = None, has_aux: bool = False
    ):
        super().__init__(function)
        every = argnums is None and wrt is None
        self._wrt = None if every else choose(self._python, self._signature, wrt, argnums)
        self._aux = has_aux

    def __call__(self, primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
        """(value, tangent), of one structure; with has_aux, (value, tangent, aux).

        tangents : one for each primal, or for each of `argnums` or `wrt`; None for an argument that is held constant
        """
        return self._along(*self._step_along(primals, tangents))

    def _step_along(self, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Step, Sequence[Any], Sequence[Any]]:
        """The derivative that is wanted, the arguments, and their tangents without those that are held constant."""
        if not isinstance(primals, (tuple, list)) or not isinstance(tangents, (tuple, list)):
            raise TypeError("jvp takes the arguments and their tangents as two tuples: jvp(f, (x,), (t,))")
        values = self._bind(primals, {})
        places = self._places(len(primals))
        if len(tangents) != len(places):
            raise ValueError(f"{len(tangents)} tangents for {len(places)} arguments")
        pairs = [(place, t) for place, t in zip(places, tangents) if t is not None]
        if not pairs:
            raise ValueError("every argument is held constant: at least one tangent must not be None")
        wrt = tuple(place for place, _ in pairs)
        step = Step("jvp", wrt, False, self._aux, self._held(wrt))
        return step, values, [t for _, t in pairs]

    title = "value and directional derivative"

    def _named(self) -> Places:
        return () if self._wrt is None else self._wrt[0]

    def _served(self, args: Any, kwargs: Any) -> tuple[Dispatcher, list[Any]]:
        return self._given(*self._step_along(*args, **kwargs))

    def like(self, values: list[Any]) -> tuple[Dispatcher, list[Any]]:
        wrt = self._places(len(values))
        every = self._own_directions(values, wrt)
        return self._served((values, [each if self._wrt or _floating(each) else None for each in every]), {})

    def _places(self, count: int) -> Places:
        if self._wrt is not None:
            return self._wrt[0]
        return choose(self._python, self._signature, None, range(count))[0] if count else ()

    def _rebuild(self) -> Any:
        names = None if self._wrt is None else self._names(*self._wrt)
        return Jvp, (self.function, None, names, self._aux)


class Hvp(Directional):
    """The product of a function's Hessian with a vector; made by `hvp(f)`, called with the arguments and the vector."""

    def __init__(
        self, function: Any, argnums: Positions | None = None, wrt: Names | None = None, has_aux: bool = False
    ):
        gradient: Gradient[..., Any] = Gradient(function, wrt, argnums, has_aux)
        super().__init__(gradient)
        self.function = function
        self._wrt, self._single, self._aux = gradient._wrt, gradient._single, has_aux
        self._step = Step("tangent", self._wrt, False, has_aux, self._held(self._wrt))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The gradient's derivative along the last argument, in the gradient's structure; with has_aux, (it, aux).

        The vector has the differentiated argument's structure; of several arguments, it is a tuple.
        """
        return self._along(self._step, *self._split(args, kwargs))

    def _split(self, args: Any, kwargs: Any) -> tuple[Sequence[Any], Sequence[Any]]:
        """The function's own arguments, and a direction for each that is differentiated."""
        if not args:
            raise TypeError(f"`{self.__name__}`'s Hessian-vector product takes the arguments, and then the vector")
        *args_, vector = args
        directions = (vector,) if self._single else vector
        if not isinstance(directions, (tuple, list)) or len(directions) != len(self._wrt):
            raise ValueError(f"the vector must be a tuple of {len(self._wrt)}, one for each differentiated argument")
        return self._bind(args_, kwargs), directions

    title = "Hessian-vector product"

    def _served(self, args: Any, kwargs: Any) -> tuple[Dispatcher, list[Any]]:
        return self._given(self._step, *self._split(args, kwargs))

    def like(self, values: list[Any]) -> tuple[Dispatcher, list[Any]]:
        return self._given(self._step, values, self._own_directions(values, self._wrt))

    def _rebuild(self) -> Any:
        return Hvp, (self.function, None, self._names(self._wrt, self._single), self._aux)


def _part(value: Any, path: Path, what: str) -> Any:
    for number, step in enumerate(path):
        attribute = isinstance(step, str) and step.startswith(".")
        if attribute and step == ".data" and isinstance(value, np.ndarray):
            continue  # an array where the argument has a Parameter
        try:
            value = getattr(value, str(step)[1:]) if attribute else value[step]
        except (AttributeError, LookupError, TypeError):
            raise ValueError(f"{what} has no {path_text('', path[: number + 1])}") from None
    return value


def jvp(
    function: Callable[..., Any],
    primals: Sequence[Any] | None = None,
    tangents: Sequence[Any] | None = None,
    argnums: Positions | None = None,
    *,
    wrt: Names | None = None,
    has_aux: bool = False,
) -> Any:
    """The value at `primals` and its derivative along `tangents`, by forward mode.

    function : returns a real array or number, or lists, tuples and dicts of them; or a derivative of such
    primals, tangents : tuples of equal length; each tangent has its argument's structure and shape, or is None for an
        argument that is held constant. With `argnums` or `wrt`, there is one tangent for each of these.
    has_aux : whether the function returns (value, aux); the result is then (value, tangent, aux)
    Returns (value, tangent), the tangent in the value's structure, shapes and dtypes. Without primals, a function of
    (primals, tangents), which has a `.source`.
    Griewank & Walther (2008), chapter 3.
    """
    key = "jvp", _key(argnums), _key(wrt), has_aux
    made = remembered(function, key, lambda: Jvp(function, argnums, wrt, has_aux))
    if primals is None and tangents is None:
        return made
    if primals is None or tangents is None:
        raise TypeError("jvp takes primals and tangents, or neither")
    return made(primals, tangents)


@with_keywords
def hvp(
    function: Callable[..., Any],
    argnums: Positions | None = None,
    *,
    wrt: Names | None = None,
    has_aux: bool = False,
) -> Hvp:
    """The product of the Hessian of a function that returns one real number with a vector: hvp(f)(x, v).

    The vector has the shape of the differentiated argument (the first by default), and so has the product. No Hessian
    is made: it is the derivative of the gradient along `v`, forward over reverse, and costs a few gradients.
    Pearlmutter (1994), "Fast exact multiplication by the Hessian".
    """
    return Hvp(function, argnums, wrt, has_aux)


def _floating(value: Any) -> bool:
    return all(np.result_type(leaf).kind in "fc" for leaf in tree_leaves(value))


def _key(chosen: Any) -> Any:
    return tuple(chosen) if isinstance(chosen, (list, range)) else chosen

"""`check_grads`: derivatives against finite differences, and the statement to blame where they disagree."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import GradientMismatch
from ..request import Step
from ..runtime.device import namespace_of
from ..runtime.leaves import unwrap
from ..runtime.trees import tree_leaves, tree_map
from .choosing import Names, Positions, choose
from .derivative import origin
from .functions import vjp
from .gradient import Gradient
from .tangents import Directional, jvp

_STEPS = {"d": 1e-6, "f": 2e-3}
_TOLERANCES = {"d": 1e-6, "f": 3e-2}
_SMALL = 24  # elements of the arguments up to which every direction is tried, not random ones alone


def check_grads(
    function: Callable[..., Any],
    *args: Any,
    order: int = 2,
    modes: Collection[str] = ("fwd", "rev"),
    atol: float | None = None,
    rtol: float | None = None,
    argnums: Positions | None = None,
    wrt: Names | None = None,
) -> None:
    """Compare a function's derivatives at `args` with central differences; nothing is returned where they agree.

    function : returns real arrays or numbers, or lists, tuples and dicts of them; it is called many times, and must
        give the same result each time
    args : where to compare; floats and arrays of floats are differentiated unless `argnums` or `wrt` choose
    order : up to which derivative; the second is compared with differences of the compiled first, and so on
    modes : "fwd" for forward mode (`jvp`), "rev" for reverse mode (`vjp`)
    atol, rtol : tolerances, absolute and relative to the largest entry; 1e-6 for float64, 3e-2 where float32 occurs,
        ten times as much for each further order
    Tries random directions, and for small arguments every single one. Raises GradientMismatch, an AssertionError, which
    names the first statement of the function whose derivative disagrees, with the numbers expected and found.
    """
    unknown = set(modes) - {"fwd", "rev"}
    if unknown or not modes:
        raise ValueError(f"modes are 'fwd' and 'rev', not {', '.join(map(repr, sorted(unknown))) or 'none'}")
    if order < 1:
        raise ValueError(f"order must be at least 1, not {order}")
    values = [unwrap(arg) for arg in _with_defaults(function, args)]
    if namespace_of(*tree_leaves(values)) is not np:
        raise TypeError("derivatives are checked on the CPU: pass NumPy arrays, array.get()")
    check = _Check(modes, atol, rtol, _chosen(function, values, argnums, wrt))
    try:
        check.up_to(function, values, 1, order)
    except GradientMismatch as mismatch:
        raise _blamed(mismatch, function, values, check.active, modes) from None


def _with_defaults(function: Any, args: Sequence[Any]) -> Sequence[Any]:
    bound = origin(function)[2].bind(*args)
    bound.apply_defaults()
    if bound.kwargs:
        raise TypeError("check_grads takes functions without keyword-only parameters; wrap it in one without")
    return bound.args


@dataclass(frozen=True)
class _Check:
    modes: Collection[str]
    atol: float | None
    rtol: float | None
    active: tuple[int, ...]

    def up_to(self, function: Any, values: list[Any], order: int, last: int) -> None:
        """Compare one derivative of `function`, then those of its derivatives."""
        self.once(function, values, order)
        if order == last:
            return
        rng = np.random.default_rng(order)
        if "fwd" in self.modes:
            directions = [_direction(values[k], rng) for k in self.active]
            self.up_to(_Along(function, self.active), [*values, *directions], order + 1, last)
        if "rev" in self.modes and _is_number(function(*copy.deepcopy(values))):
            self.up_to(Gradient(function, argnums=self.active), values, order + 1, last)

    def once(self, function: Any, values: list[Any], order: int) -> None:
        rng = np.random.default_rng(0)
        given = [values[k] for k in self.active]
        directions = [[_direction(each, rng) for each in given] for _ in range(2)]
        if sum(np.size(leaf) for leaf in tree_leaves(given)) <= _SMALL and order == 1:
            directions += _single(given)
        for direction in directions:
            slopes = self._slopes(function, values, direction)
            if "fwd" in self.modes:
                _, tangent = jvp(function, values, direction, argnums=self.active)
                for found, expected in zip(tree_leaves(tangent), slopes, strict=True):
                    self._compare("forward", order, np.asarray(found), expected, values)
            if "rev" in self.modes:
                self._reverse(function, values, direction, slopes, order, rng)

    def _reverse(
        self, function: Any, values: list[Any], direction: list[Any], slopes: list[Any], order: int, rng: Any
    ) -> None:
        """<J^T u, v> = <u, J v>"""
        value, pullback = vjp(function, *values, argnums=self.active)
        cotangent = _direction(value, rng)
        gradients = tree_leaves(pullback(cotangent))
        found = sum(np.sum(np.asarray(g) * v) for g, v in zip(gradients, tree_leaves(direction), strict=True))
        terms = [np.asarray(u) * s for u, s in zip(tree_leaves(cotangent), slopes, strict=True)]
        scale = sum(np.sum(np.abs(term)) for term in terms)
        self._compare("reverse", order, np.asarray(found), np.asarray(sum(map(np.sum, terms))), values, scale)

    def _slopes(self, function: Any, values: list[Any], direction: list[Any]) -> list[Any]:
        """The derivative of each of the result's arrays along a direction, by central differences."""
        given = [values[k] for k in self.active]
        size = max(1.0, *(float(np.max(np.abs(leaf), initial=0.0)) for leaf in tree_leaves(given)))
        step = _STEPS[_kind(values)] * size
        ends = []
        for sign in (1.0, -1.0):
            moved = list(copy.deepcopy(values))
            for k, v in zip(self.active, direction):
                moved[k] = _moved(values[k], v, sign * step)
            ends.append([np.asarray(leaf, np.float64) for leaf in tree_leaves(function(*moved))])
        return [(ahead - behind) / (2 * step) for ahead, behind in zip(*ends, strict=True)]

    def _compare(
        self, mode: str, order: int, found: Any, expected: Any, values: list[Any], scale: float | None = None
    ) -> None:
        default = _TOLERANCES[_kind(values)] * 10.0 ** (order - 1)
        atol = default if self.atol is None else self.atol
        rtol = default if self.rtol is None else self.rtol
        size = float(np.max(np.abs(expected), initial=0.0)) if scale is None else float(scale)
        wrong = ~(np.abs(found - expected) <= atol + rtol * size)
        if np.any(wrong):
            place = tuple(int(k) for k in np.argwhere(wrong)[0])
            raise GradientMismatch(mode, order, float(found[place]), float(expected[place]))


class _Along(Directional):
    """The derivative of a function along directions, as a function of the arguments and the directions."""

    def __init__(self, function: Any, active: tuple[int, ...]):
        super().__init__(function)
        wrt, _ = choose(self._python, self._signature, None, active)
        self._step = Step("tangent", wrt, False, tangents=self._held(wrt))

    def as_step(self, called: str) -> Step:
        return self._step

    def __call__(self, *args: Any) -> Any:
        count = len(self._step.tangents)
        return self._along(self._step, self._bind(args[:-count], {}), args[-count:])


def _chosen(function: Any, values: list[Any], argnums: Positions | None, wrt: Names | None) -> tuple[int, ...]:
    """The positions that are differentiated: those asked for, or all that hold floats alone."""
    if argnums is None and wrt is None:
        active = tuple(k for k, value in enumerate(values) if is_floating(value))
        if not active:
            raise TypeError("no argument holds floats, so there is nothing to differentiate")
        return active
    python, _, signature = origin(function)
    places, _ = choose(python, signature, wrt, argnums)
    names = list(signature.parameters)
    return tuple(names.index(name) + (path[0] if path else 0) for name, path in places)  # type: ignore[operator]


def is_floating(value: Any) -> bool:
    """Whether this is a float, an array of floats, or a structure of them alone."""
    found = tree_leaves(value)
    return bool(found) and all(
        isinstance(leaf, (float, np.floating)) or (isinstance(leaf, np.ndarray) and leaf.dtype.kind == "f")
        for leaf in found
    )


def _kind(values: Sequence[Any]) -> str:
    single = any(getattr(leaf, "dtype", None) == np.float32 for leaf in tree_leaves(list(values)))
    return "f" if single else "d"


def _is_number(value: Any) -> bool:
    return isinstance(value, (float, np.floating)) or (isinstance(value, np.ndarray) and value.ndim == 0)


def _direction(value: Any, rng: np.random.Generator) -> Any:
    """A random direction of a value's structure, shapes and dtypes."""

    def leaf(each: Any) -> Any:
        drawn = rng.uniform(0.5, 1.5, np.shape(each)) * rng.choice([-1.0, 1.0], np.shape(each))
        return drawn.astype(each.dtype) if isinstance(each, (np.ndarray, np.generic)) else float(drawn)

    return tree_map(leaf, value)


def _single(given: list[Any]) -> list[list[Any]]:
    """The directions of one element each."""
    found = []
    for k, leaf in enumerate(tree_leaves(given)):
        for place in np.ndindex(np.shape(leaf)):
            parts = [np.zeros(np.shape(each), np.result_type(each)) for each in tree_leaves(given)]
            parts[k][place] = 1.0
            found.append(_filled(given, parts))
    return found


def _filled(structure: Any, arrays: Sequence[Any]) -> Any:
    parts = iter(arrays)
    return tree_map(lambda _: next(parts), structure)


def _moved(value: Any, direction: Any, step: float) -> Any:
    parts = iter(tree_leaves(direction))

    def leaf(each: Any) -> Any:
        moved = each + np.asarray(step * np.asarray(next(parts), np.float64), np.result_type(each))
        return moved if isinstance(each, np.ndarray) else type(each)(moved)

    return tree_map(leaf, value)


def _blamed(
    mismatch: GradientMismatch, function: Any, values: list[Any], active: tuple[int, ...], modes: Collection[str]
) -> GradientMismatch:
    """The mismatch with the statement that causes it, where one disagrees by itself."""
    from ..inspect.blame import first_disagreement  # the compiler is imported when it is asked for

    python, _, signature = origin(function)
    bound = signature.bind(*values)
    names = list(signature.parameters)
    wrt = {names[min(k, len(names) - 1)] for k in active}
    blame = first_disagreement(python, dict(bound.arguments), wrt, modes)
    return mismatch.at(python.__qualname__, blame)


__all__ = ["check_grads"]

"""Whole derivatives: `jacobian`, `jacfwd`, `jacrev`, `hessian`, in rows or in columns, several at once."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..dispatch import Dispatcher
from ..errors import GradTypeError
from ..request import Step
from ..runtime.device import namespace_of
from ..runtime.leaves import unwrap
from ..runtime.trees import tree_leaves, tree_map
from .choosing import Names, Positions, choose
from .derivative import with_keywords
from .gradient import Gradient
from .pullback import Pullback
from .tangents import Directional


class Jacobian(Directional):
    """A function's matrix of derivatives; made by `jacobian`, `jacfwd`, `jacrev` and `hessian`.

    mode : "forward" (by columns), "reverse" (by rows), or "" for the one with fewer of them

    Several rows or columns are computed at once, with a leading axis, where every operation of the derivative has a
    form for that; else they come one by one.
    """

    def __init__(
        self,
        function: Any,
        mode: str = "",
        argnums: Positions | None = None,
        wrt: Names | None = None,
        has_aux: bool = False,
        title: str = "Jacobian",
    ):
        super().__init__(function)
        self._wrt, self._single = choose(self._python, self._signature, wrt, argnums)
        self._mode, self._aux, self.title = mode, has_aux, title
        self._rows = Step("vjp", self._wrt, False, has_aux, batched=True)
        self._columns = Step("jvp", self._wrt, False, has_aux, self._held(self._wrt), repeated=True)
        self._tall: dict[Any, bool] = {}  # for the arguments' shapes, whether the result has more elements than they

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """For each leaf of the result and each of the arguments an array of shape result.shape + argument.shape."""
        values = [unwrap(value) for value in self._bind(args, kwargs)]
        active = [self._at(values, place) for place in self._wrt]
        if namespace_of(*tree_leaves(values)) is not np:
            raise GradTypeError(
                f"the {self.title} of `{self._python.__qualname__}` is computed on the CPU alone. Use `vjp` or `jvp` "
                "with arrays on a GPU, or pass NumPy arrays: array.get()."
            )
        _check_real(active, self._python.__qualname__)
        size = sum(np.size(leaf) for leaf in tree_leaves(active))
        shapes = tuple(np.shape(leaf) for leaf in tree_leaves(values))
        if self._mode == "forward" or (not self._mode and (size <= 1 or self._tall.get(shapes))):
            return self._forward(values, active)
        self._last = self._dispatcher(self._rows)
        (value, saved), backward = self._last(values)
        value, *aux = value if self._aux else (value,)
        if not self._mode and size < sum(np.size(leaf) for leaf in tree_leaves(value)):
            self._tall[shapes] = True
            return self._forward(values, active)
        return self._reverse(value, Pullback(backward, saved, self._last, value), active, aux)

    def _served(self, args: Any, kwargs: Any) -> tuple[Dispatcher, list[Any]]:
        """What runs for each row or column: a forward and a backward half, or the value beside its tangent.

        Where the number of results decides, and no such call has been made, the function runs once to tell it.
        """
        return self.like([unwrap(value) for value in self._bind(args, kwargs)])

    def like(self, values: list[Any]) -> tuple[Dispatcher, list[Any]]:
        if self._by_columns(values):
            active = [self._at(values, place) for place in self._wrt]
            together, several = self._together(values, active)
            if together is not None:
                return together, [*values, *_units(tuple(active), 0, several)]
            return self._given(self._columns, values, active)
        return self._dispatcher(self._rows), values

    def _by_columns(self, values: list[Any]) -> bool:
        if self._mode:
            return self._mode == "forward"
        size = sum(np.size(leaf) for place in self._wrt for leaf in tree_leaves(self._at(values, place)))
        shapes = tuple(np.shape(leaf) for leaf in tree_leaves(values))
        if size > 1 and shapes not in self._tall:
            result = self._call_plain(copy.deepcopy(values))
            value = result[0] if self._aux else result
            self._tall[shapes] = size < sum(np.size(leaf) for leaf in tree_leaves(value))
        return size <= 1 or self._tall[shapes]

    def _at(self, values: Sequence[Any], place: tuple[str, Any]) -> Any:
        value = values[self._parameters.index(place[0])]
        for step in place[1] or ():
            value = value[step]
        return value

    def _forward(self, values: Sequence[Any], active: Sequence[Any]) -> Any:
        """A column for each element of the arguments: the derivative along the direction of that element alone."""
        dispatcher, several = self._together(values, active)
        if dispatcher is None:
            return self._one_by_one(values, active)
        size = sum(np.size(leaf) for leaf in tree_leaves(active))
        self._last, blocks = dispatcher, list[list[Any]]()
        for start, stop in _stretches(size, several):
            value, tangent, *aux = dispatcher([*values, *_units(tuple(active), start, stop)])
            _check_real(value, self._python.__qualname__)
            blocks = blocks or _empty(value, active)
            for row, part in zip(blocks, tree_leaves(tangent)):
                for block, count, ours, theirs in _shares(row, active, start, stop):
                    block.reshape(*np.shape(part)[1:], count)[..., ours] = np.moveaxis(part[theirs], 0, -1)
        return self._arranged(value, active, blocks, aux)

    def _together(self, values: Sequence[Any], active: Sequence[Any]) -> tuple[Dispatcher | None, int]:
        """What computes several columns in one run, and how many; None where they are computed one by one."""
        size = sum(np.size(leaf) for leaf in tree_leaves(active))
        several = _rows_at_once(size, values) if size > 1 else 1
        dispatcher = self._dispatcher(replace(self._columns, batched=True))
        if several < 2 or not _takes_several(dispatcher, [*values, *_units(tuple(active), 0, several)]):
            return None, 1
        return dispatcher, several

    def _one_by_one(self, values: Sequence[Any], active: Sequence[Any]) -> Any:
        blocks: list[list[Any]] = []
        for k, place, direction in _single_units(tuple(active)):
            value, tangent, *aux = self._along(self._columns, values, direction)
            _check_real(value, self._python.__qualname__)
            blocks = blocks or _empty(value, active)
            if k is not None:
                for row, part in zip(blocks, tree_leaves(tangent)):
                    row[k][(..., *place)] = part
        return self._arranged(value, active, blocks, aux)

    def _reverse(self, value: Any, pullback: Pullback, active: Sequence[Any], aux: list[Any]) -> Any:
        """A row for each element of the result: the gradient of that element alone."""
        _check_real(value, self._python.__qualname__)
        blocks = _empty(value, active)
        size = sum(np.size(leaf) for leaf in tree_leaves(value))
        if not pullback.several:
            for k, place, cotangent in _single_units(value):
                if k is not None:
                    for block, part in zip(blocks[k], tree_leaves(pullback(cotangent))):
                        block[place] = part
            return self._arranged(value, active, blocks, aux)
        columns = list(zip(*blocks))
        for start, stop in _stretches(size, _rows_at_once(size, [active, *pullback.saved])):
            parts = tree_leaves(pullback.rows(tree_leaves(_units(value, start, stop))))
            for column, part in zip(columns, parts):
                for block, count, ours, theirs in _shares(column, value, start, stop):
                    block.reshape(count, *np.shape(part)[1:])[ours] = part[theirs]
        return self._arranged(value, active, blocks, aux)

    def _arranged(self, value: Any, active: Sequence[Any], blocks: Sequence[Sequence[Any]], aux: list[Any]) -> Any:
        """The blocks in the structure of the result, and within it in that of the arguments."""
        rows = iter(blocks)

        def row(_: Any) -> Any:
            block = iter(next(rows))
            whole = tuple(tree_map(lambda leaf: _finished(next(block), leaf), each) for each in active)
            return whole[0] if self._single else whole

        matrix = tree_map(row, value)
        return (matrix, *aux) if aux else matrix

    def _rebuild(self) -> Any:
        names = self._names(self._wrt, self._single)
        return Jacobian, (self.function, self._mode, None, names, self._aux, self.title)


_TOGETHER = 2**17  # numbers in the largest array of several rows: what stays in a processor's cache


def _rows_at_once(size: int, arrays: Any) -> int:
    """How many rows or columns to compute together, where one takes about as much memory as these arrays."""
    largest = max((np.size(leaf) for leaf in tree_leaves(list(arrays))), default=1)
    return max(2, min(size, _TOGETHER // max(largest, 1)))


def _stretches(size: int, several: int) -> Iterator[tuple[int, int]]:
    """Parts of `size`, of about that length each, and none of length one, which would be compiled anew."""
    start = 0
    while start < size:
        stop = size if size - start <= several + 1 else start + several
        yield start, stop
        start = stop


def _units(structure: Any, start: int, stop: int) -> Any:
    """Directions of one element each, those numbered, one below the other in a leading axis."""
    leaves = list(tree_leaves(structure))
    first, made = 0, []
    for leaf in leaves:
        ours = np.zeros((stop - start, np.size(leaf)), np.result_type(leaf))
        rows = np.arange(max(start, first), min(stop, first + np.size(leaf)))
        ours[rows - start, rows - first] = 1
        made.append(ours.reshape(stop - start, *np.shape(leaf)))
        first += np.size(leaf)
    return _filled(structure, made)


def _shares(blocks: Sequence[Any], structure: Any, start: int, stop: int) -> Iterator[tuple[Any, int, slice, slice]]:
    """Each block that has some of the elements numbered: of how many in all, where in it, and where among these."""
    first = 0
    for block, leaf in zip(blocks, tree_leaves(structure)):
        low, high = max(start, first), min(stop, first + np.size(leaf))
        if low < high:
            yield block, np.size(leaf), slice(low - first, high - first), slice(low - start, high - start)
        first += np.size(leaf)


def _takes_several(dispatcher: Dispatcher, values: Sequence[Any]) -> bool:
    """Whether the function compiled for these arguments takes several directions at once: its name says so."""
    return dispatcher.find(values).functions[0].__name__.endswith("_columns")


def _single_units(structure: Any) -> Iterator[tuple[int | None, tuple[int, ...], Any]]:
    """(leaf, place, direction) for every element: the structure with 1 there and 0 elsewhere; None if there is none.

    The directions share their arrays, so that a long vector is not allocated for each of its elements.
    """
    zeros = [np.zeros(np.shape(leaf), np.result_type(leaf)) for leaf in tree_leaves(structure)]
    empty = True
    for k, leaf in enumerate(zeros):
        for place in np.ndindex(leaf.shape):
            leaf[place], empty = 1, False
            yield k, place, _filled(structure, zeros)
            leaf[place] = 0
    if empty:
        yield None, (), _filled(structure, zeros)


def _filled(structure: Any, arrays: Sequence[Any]) -> Any:
    parts = iter(arrays)
    return tree_map(lambda _: next(parts), structure)


def _empty(value: Any, active: Sequence[Any]) -> list[list[Any]]:
    """A block for each leaf of the result and each leaf of the arguments."""
    return [
        [np.empty((*np.shape(y), *np.shape(x)), np.result_type(y, x)) for x in tree_leaves(active)]
        for y in tree_leaves(value)
    ]


def _check_real(structure: Any, name: str) -> None:
    """A complex function has no one matrix of derivatives."""
    if any(np.iscomplexobj(leaf) for leaf in tree_leaves(structure)):
        raise GradTypeError(
            f"`{name}` has complex arguments or results. Take its real and imaginary parts, or use `vjp` or `jvp`."
        )


def _finished(block: Any, leaf: Any) -> Any:
    """A derivative of a number in a number is a number."""
    return block[()] if block.ndim == 0 and not isinstance(leaf, np.ndarray) else block


@with_keywords
def jacobian(
    function: Callable[..., Any],
    argnums: Positions | None = None,
    *,
    wrt: Names | None = None,
    has_aux: bool = False,
) -> Jacobian:
    """The matrix of derivatives of a function that returns a real array (or lists, tuples and dicts of them).

    For each array of the result and each differentiated argument (the first by default) an array of shape
    result.shape + argument.shape, in the structure of the result, and within it that of the argument; several arguments
    come as a tuple. By columns (forward mode) where the result has more elements than the arguments, else by rows.
    With has_aux, the function returns (value, aux), and this (jacobian, aux).
    """
    return Jacobian(function, "", argnums, wrt, has_aux)


@with_keywords
def jacfwd(
    function: Callable[..., Any],
    argnums: Positions | None = None,
    *,
    wrt: Names | None = None,
    has_aux: bool = False,
) -> Jacobian:
    """`jacobian` by columns: one directional derivative for each element of the arguments, with nothing stored.

    The function runs once for each column, so that it may have no effects: CompileError where it prints or draws.
    """
    return Jacobian(function, "forward", argnums, wrt, has_aux)


@with_keywords
def jacrev(
    function: Callable[..., Any],
    argnums: Positions | None = None,
    *,
    wrt: Names | None = None,
    has_aux: bool = False,
) -> Jacobian:
    """`jacobian` by rows: the function runs once, and its backward half once for each element of the result."""
    return Jacobian(function, "reverse", argnums, wrt, has_aux)


@with_keywords
def hessian(
    function: Callable[..., Any],
    argnums: Positions | None = None,
    *,
    wrt: Names | None = None,
    has_aux: bool = False,
) -> Jacobian:
    """The second derivatives of a function that returns one real number: shape argument.shape + argument.shape.

    It is the Jacobian of the gradient; for several arguments (or one with a structure), blocks within blocks. Where a
    product with a vector is all that is needed, `hvp` costs a few gradients instead of one for each row.
    """
    gradient: Gradient[..., Any] = Gradient(function, wrt, argnums, has_aux)
    made = Jacobian(gradient, "reverse", argnums, wrt, has_aux, "Hessian")
    return made

"""Result types: dtypes and ranks come from asking NumPy on tiny probes, axis lengths from comparing probe sizes."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ..errors import Unsupported
from .dims import ONE, Dim, Facts, Symbol, as_dim, product
from .types import Array, Type

# Sizes for three independent probes; primes keep sums and products apart.
_PRIMES = (
    (5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43),
    (3, 13, 5, 23, 7, 31, 11, 19, 43, 29, 17, 37),
    (11, 3, 17, 7, 29, 5, 37, 13, 19, 23, 47, 53),
)


def broadcast_axes(facts: Facts, shapes: Sequence[tuple[Dim, ...]]) -> tuple[Dim, ...]:
    """NumPy's broadcasting on symbolic axes; adds the assumption that makes it certain."""
    ndim = max(map(len, shapes), default=0)
    padded = [(ONE,) * (ndim - len(shape)) + tuple(shape) for shape in shapes]
    return tuple(_broadcast_axis(facts, column) for column in zip(*padded))


def _broadcast_axis(facts: Facts, dims: Sequence[Dim]) -> Dim:
    result = ONE
    for dim in dims:
        if facts.is_one(dim) or facts.same(dim, result):
            continue
        result = dim if facts.is_one(result) else _join(facts, result, dim)
    return result


def _join(facts: Facts, a: Dim, b: Dim) -> Dim:
    """The common length of two axes not known to be equal: assume what the example shows."""
    sizes = facts.canon(a).evaluate(facts.sizes), facts.canon(b).evaluate(facts.sizes)
    if sizes[0] != sizes[1] and None not in sizes:
        for dim, size, other in ((a, sizes[0], b), (b, sizes[1], a)):
            if size == 1 and facts.require("==", dim, ONE):
                return other
    if facts.require("==", a, b):
        return facts.canon(a)
    if None not in sizes:
        raise Unsupported(f"operands cannot be broadcast together: lengths {a} = {sizes[0]} and {b} = {sizes[1]}")
    raise Unsupported(
        f"cannot tell whether lengths {a} and {b} are equal",
        "One of them is known only while running (a mask, or a slice with computed bounds); "
        "broadcasting between them cannot be decided when compiling.",
    )


def check_equal(facts: Facts, a: Dim, b: Dim, what: str) -> None:
    """Two lengths that NumPy itself requires to be equal; a contradiction is the user's error."""
    if facts.same(a, b) or facts.require("==", a, b):
        return
    sizes = facts.canon(a).evaluate(facts.sizes), facts.canon(b).evaluate(facts.sizes)
    if None in sizes:  # known only inside: NumPy checks it when the line runs
        return
    told = [str(dim) if dim.constant is not None else f"{dim} = {size}" for dim, size in zip((a, b), sizes)]
    raise Unsupported(f"{what}: lengths {told[0]} and {told[1]} differ")


def is_weak(types: Sequence[Type], style: str) -> bool:
    """Python operators on Python numbers give Python numbers; NumPy functions give NumPy scalars."""
    return style in ("operator", "python") and all(isinstance(t, Array) and t.weak for t in types)


def elementwise(function: Callable[..., Any]) -> Callable[..., Type]:
    """Inference for a function that maps elements: broadcast axes, dtype as NumPy promotes."""

    def infer(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
        arrays = [_array(t) for t in types]
        key = tuple((t.dtype, t.weak) for t in arrays)
        dtype = _elementwise_dtype(function, key, tuple(sorted(attrs.items(), key=lambda kv: kv[0])))
        axes = broadcast_axes(facts, [t.axes for t in arrays])
        weak = is_weak(arrays, style) and dtype.kind != "b"
        return Array(dtype, axes, weak=weak, dim=_integer_value(function, arrays) if weak else None)

    return infer


@lru_cache(maxsize=4096)
def _elementwise_dtype(
    function: Callable[..., Any], key: tuple[tuple[np.dtype[Any], bool], ...], attrs: tuple[tuple[str, Any], ...]
) -> np.dtype[Any]:
    probes = [dtype.type(1).item() if weak else np.ones(1, dtype) for dtype, weak in key]
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            result = function(*probes, **dict(attrs))
        except Exception as error:
            names = ", ".join(str(dtype) for dtype, _ in key)
            raise Unsupported(f"{function.__name__} does not take ({names}): {error}") from None
    dtype: np.dtype[Any] = np.asarray(result).dtype
    return dtype


_INTEGER: dict[Any, Callable[[Dim, Dim], Dim]] = {
    np.add: lambda a, b: a + b,
    np.subtract: lambda a, b: a - b,
    np.multiply: lambda a, b: a * b,
}


def _integer_value(function: Any, types: Sequence[Array]) -> Dim | None:
    """The symbolic value of integer arithmetic, where the operands' values are known."""
    dims = [t.dim for t in types]
    if any(dim is None for dim in dims):
        return None
    known: list[Dim] = [dim for dim in dims if dim is not None]
    if function in _INTEGER and len(known) == 2:
        return _INTEGER[function](*known)
    if function is np.floor_divide and (known[1].constant or 0) > 0:
        return known[0] // int(known[1].constant or 1)
    if function is np.negative:
        return -known[0]
    return None


def probe(
    function: Callable[..., Any], require: Callable[..., None] | None = None
) -> Callable[..., Type | tuple[Type, ...]]:
    """Inference by running the function three times on arrays of small, distinct sizes.

    `require(facts, types, attrs)` states the equalities that the function itself demands (square, contraction).
    """

    def infer(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type | tuple[Type, ...]:
        arrays = [_array(t) for t in types]
        if require is not None:
            require(facts, arrays, attrs)
        dims = [facts.canon(dim) for t in arrays for dim in t.axes]
        sizes, results = _probed(function, facts, arrays, attrs, dims)
        if isinstance(results[0], (tuple, list)):
            columns = list(zip(*results))
            return tuple(_match(facts, arrays, dims, column, sizes) for column in columns)
        return _match(facts, arrays, dims, results, sizes)

    return infer


def _probed(
    function: Callable[..., Any], facts: Facts, types: Sequence[Array], attrs: Mapping[str, Any], dims: Sequence[Dim]
) -> tuple[list[dict[Symbol, int]], list[Any]]:
    """Three probes, small unless the function needs more, or a length such as `n - 10` would be used up."""
    atoms = sorted({s for dim in dims for s in dim.symbols()}, key=lambda s: s.name)
    for offset in (0, 60, 600):
        sizes = [{a: p + offset for a, p in zip(atoms, itertools.cycle(primes))} for primes in _PRIMES]
        if any((dim.evaluate(size) or 0) < 2 for size in sizes for dim in dims if dim.constant is None):
            continue
        try:
            return sizes, [_run(function, facts, types, attrs, size) for size in sizes]
        except Unsupported:
            if offset == 600 or not atoms:
                raise
    return sizes, [_run(function, facts, types, attrs, size) for size in sizes]


def _run(
    function: Callable[..., Any],
    facts: Facts,
    types: Sequence[Array],
    attrs: Mapping[str, Any],
    sizes: dict[Symbol, int],
) -> Any:
    probes = [_probe_array(t, [facts.canon(dim).evaluate(sizes) or 0 for dim in t.axes]) for t in types]
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return function(*probes, **attrs)
        except Exception as error:
            shapes = ", ".join(str(t) for t in types)
            raise Unsupported(f"{getattr(function, '__name__', function)} fails on ({shapes}): {error}") from None


def _probe_array(type: Array, shape: Sequence[int]) -> Any:
    """A well-behaved array: positive definite where square, so that factorisations succeed."""
    if type.weak:
        return type.dtype.type(1).item()
    if type.dtype.kind in "iu":
        return np.zeros(tuple(shape), type.dtype)
    array = np.ones(tuple(shape), type.dtype)
    if type.dtype.kind in "fc" and len(shape) >= 2 and shape[-1] == shape[-2]:
        array = array + np.eye(shape[-1], dtype=type.dtype)
    return array


def _match(
    facts: Facts,
    types: Sequence[Array],
    dims: Sequence[Dim],
    results: Sequence[Any],
    sizes: Sequence[dict[Symbol, int]],
) -> Array:
    arrays = [np.asarray(result) for result in results]
    columns = list(zip(*(a.shape for a in arrays)))
    return Array(arrays[0].dtype, tuple(_find_dim(facts, types, dims, column, sizes) for column in columns))


def _find_dim(
    facts: Facts, types: Sequence[Array], dims: Sequence[Dim], seen: Sequence[int], sizes: Sequence[dict[Symbol, int]]
) -> Dim:
    """The expression that gives the lengths seen in all three probes."""
    if len(set(seen)) == 1:
        return as_dim(seen[0])
    for candidate in _candidates(facts, types, dims, seen, sizes):
        if all(candidate.evaluate(size) == length for size, length in zip(sizes, seen)):
            return candidate  # type: ignore[no-any-return]
    return facts.fresh()


def _candidates(
    facts: Facts, types: Sequence[Array], dims: Sequence[Dim], seen: Sequence[int], sizes: Sequence[dict[Symbol, int]]
) -> Any:
    unique = list(dict.fromkeys(dims))
    yield from unique
    for dim in unique:  # a * n + b, as in padding, differences, repeats
        first, second = dim.evaluate(sizes[0]), dim.evaluate(sizes[1])
        if first is not None and second is not None and first != second:
            slope = (seen[0] - seen[1]) // (first - second)
            yield dim * slope + (seen[0] - slope * first)
    for t in types:  # ravel
        yield product(facts.canon(dim) for dim in t.axes)
    for a, b in itertools.combinations(dims, 2):
        yield a + b
        yield a * b
        yield a + b - 1
    for position in range(max((t.ndim for t in types), default=0)):  # concatenation along one axis
        lengths = [facts.canon(t.axes[position]) for t in types if t.ndim > position]
        yield sum(lengths, as_dim(0))
    yield sum((product(facts.canon(dim) for dim in t.axes) for t in types), as_dim(0))


def _array(type: Type) -> Array:
    if not isinstance(type, Array):
        raise Unsupported(f"{type} where an array is needed")
    return type

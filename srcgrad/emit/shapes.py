"""Spelling lengths: where generated code reads a symbolic axis from (`x.shape[0]`, `n`, `x.shape`)."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from ..errors import InternalError
from ..ir.dims import Dim, Facts, Quotient, Symbol, as_dim, product
from ..ir.nodes import Value
from ..ir.types import Array, Sparse

_FEW = 4  # axes: of arrays with more, no products are looked for


@dataclass(frozen=True)
class Source:
    """A length's home: an axis of an array, or an integer (`axis` is None)."""

    value: Value
    axis: int | None


@dataclass(frozen=True)
class Spelled:
    """A shape or a length as generated code writes it: a template over values, and the values it reads."""

    kind: str  # "like" (value.shape) | "size" (value.size) | "dims" | "given"
    reads: tuple[Value, ...]
    dims: tuple[Dim, ...] = ()
    sources: tuple[tuple[Symbol, Source], ...] = ()
    entries: tuple[Value | Dim, ...] = ()  # of kind "given": the user's own lengths, and constants


class Lengths:
    """Finds, among the values in scope, those that reveal a length."""

    def __init__(self, facts: Facts, params: Iterable[Value] = ()):
        self.facts, self.params = facts, frozenset(params)

    def shape(self, axes: Sequence[Dim], scope: Sequence[Value], prefer: str | None = None) -> Spelled:
        """A whole shape: that of a value with the same axes, else put together axis by axis."""
        same = [v for v in scope if isinstance(v.type, Array) and self.facts.same_axes(v.type.axes, tuple(axes))]
        if same and axes:
            # of a variable its last version: to read an earlier one would keep that from being written over
            best = next((v for v in reversed(same) if v.hint is not None and v.hint == prefer), same[0])
            return Spelled("like", (best,))
        return self.dims(axes, scope)

    def length(self, dim: Dim, scope: Sequence[Value]) -> Spelled:
        """One length, possibly a product (`x.size`)."""
        dim = self.facts.canon(dim)
        if any(len(symbols) > 1 for symbols, _ in dim.terms):
            for v in scope:
                if isinstance(v.type, Array) and v.type.ndim > 1 and self._size(v.type) == dim:
                    return Spelled("size", (v,))
        return self.dims((dim,), scope)

    def given(self, dims: Sequence[object], inputs: Sequence[Value]) -> Spelled:
        """A shape whose lengths are the op's own inputs, spelled as the user wrote them."""
        left = list(inputs)
        entries: list[Value | Dim] = []
        for dim in dims:
            length = dim if isinstance(dim, Dim) else as_dim(int(dim))  # type: ignore[call-overload]
            match = next((v for v in left if self._is_length(v, length)), None)
            if match is not None:
                left.remove(match)
            entries.append(match if match is not None else length)
        return Spelled("given", (), entries=tuple(entries))

    def _is_length(self, value: Value, dim: Dim) -> bool:
        known = value.type.dim if isinstance(value.type, Array) else None
        return known is not None and self.facts.same(known, dim)

    def _size(self, type: Array) -> Dim:
        return product(self.facts.canon(d) for d in type.axes)

    def dims(self, dims: Sequence[Dim], scope: Sequence[Value]) -> Spelled:
        plain = tuple(self.facts.canon(dim) for dim in dims)
        found = [self._at_hand(dim, scope) for dim in plain]
        known = {_axis_symbol(source, scope): source for sources in found for source in sources}
        canonical = tuple(
            product(as_dim(_axis_symbol(source, scope)) for source in sources) if sources else dim
            for dim, sources in zip(plain, found)
        )
        symbols = sorted({s for dim in canonical for s in dim.symbols()}, key=lambda s: s.name)
        sources = tuple((symbol, known.get(symbol) or self._source(symbol, scope)) for symbol in symbols)
        reads = tuple(dict.fromkeys(source.value for _, source in sources))
        return Spelled("dims", reads, canonical, sources)

    def _at_hand(self, dim: Dim, scope: Sequence[Value]) -> tuple[Source, ...]:
        """Of a long sum, axes of one array whose lengths multiply to it: `out.shape[2]` for `n - rows + 1`."""
        if len(dim.terms) < 3 and not any(isinstance(a, Quotient) and len(a.top.terms) > 1 for a in _atoms(dim)):
            return ()
        for value in scope:
            if isinstance(value.type, Array) and value.type.dim is not None and self.facts.same(value.type.dim, dim):
                return (Source(value, None),)
        arrays = [v for v in scope if isinstance(v.type, Array) and 0 < v.type.ndim <= _FEW]
        for count in range(1, _FEW):
            for value in arrays:
                lengths = [self.facts.canon(axis) for axis in value.type.axes]  # type: ignore[union-attr]
                for axes in combinations(range(len(lengths)), count):
                    if product(lengths[axis] for axis in axes) == dim:
                        return tuple(Source(value, axis) for axis in axes)
        return ()

    def _source(self, symbol: Symbol, scope: Iterable[Value]) -> Source:
        found = None
        for value in scope:
            if not isinstance(value.type, (Array, Sparse)):
                continue
            if (
                isinstance(value.type, Array)
                and value.type.dim is not None
                and self.facts.canon(value.type.dim).symbol == symbol
            ):
                return Source(value, None)
            axes = (axis for axis, dim in enumerate(value.type.axes) if self.facts.canon(dim).symbol == symbol)
            axis = next(axes, None)
            # an argument if one has it, else of all versions of a variable the last
            if axis is not None and (found is None or found.value not in self.params):
                found = Source(value, axis)
        if found is None:
            raise InternalError(f"no value in scope reveals the length {symbol}")
        return found


def _atoms(dim: Dim) -> Iterable[Symbol | Quotient]:
    return (atom for monomial, _ in dim.terms for atom in monomial)


def _axis_symbol(source: Source, scope: Sequence[Value]) -> Symbol:
    """What stands for a length that is read off an array although its symbols are known."""
    return Symbol(f"{scope.index(source.value)}.shape[{source.axis}]", entry=False)


def dim_expr(dim: Dim, names: dict[Symbol, ast.expr]) -> ast.expr:
    """A polynomial as an expression, in the order in which a person writes it."""
    total: ast.expr | None = None
    for monomial, c in dim.terms:
        factors = [_atom_expr(atom, names) for atom in monomial]
        if abs(c) != 1 or not factors:
            factors.insert(0, ast.Constant(abs(c)))
        term = factors[0]
        for factor in factors[1:]:
            term = ast.BinOp(term, ast.Mult(), factor)
        if total is None:
            total = ast.UnaryOp(ast.USub(), term) if c < 0 else term
        else:
            total = ast.BinOp(total, ast.Sub() if c < 0 else ast.Add(), term)
    return total if total is not None else ast.Constant(0)


def _atom_expr(atom: Symbol | Quotient, names: dict[Symbol, ast.expr]) -> ast.expr:
    if isinstance(atom, Symbol):
        return names[atom]
    return ast.BinOp(dim_expr(atom.top, names), ast.FloorDiv(), ast.Constant(atom.bottom))

"""Axis lengths as integer polynomials over symbols, so that broadcasting is decided when compiling."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce


@dataclass(frozen=True, order=True)
class Symbol:
    """An unknown length. An entry symbol can be read off the arguments; others are known only inside."""

    name: str
    entry: bool = True

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, order=True)
class Quotient:
    """`top // bottom`, kept whole: floor division has no polynomial."""

    name: str  # the printed form comes first, so that ordering is deterministic
    top: Dim
    bottom: int

    @property
    def entry(self) -> bool:
        return self.top.entry


Atom = Symbol | Quotient
Monomial = tuple[Atom, ...]


@dataclass(frozen=True)
class Dim:
    """A sum of `coefficient * atom * atom * ...`, in one canonical order, so equal means identical."""

    terms: tuple[tuple[Monomial, int], ...]

    @property
    def constant(self) -> int | None:
        """The number this is, if it holds no symbol."""
        if not self.terms:
            return 0
        if len(self.terms) == 1 and self.terms[0][0] == ():
            return self.terms[0][1]
        return None

    @property
    def symbol(self) -> Symbol | None:
        """The symbol this is, if it is nothing else."""
        if len(self.terms) == 1 and self.terms[0][1] == 1 and len(self.terms[0][0]) == 1:
            atom = self.terms[0][0][0]
            return atom if isinstance(atom, Symbol) else None
        return None

    def atoms(self) -> set[Atom]:
        return {atom for monomial, _ in self.terms for atom in monomial}

    def symbols(self) -> set[Symbol]:
        """Every symbol inside, also below a floor division."""
        found: set[Symbol] = set()
        for atom in self.atoms():
            found |= {atom} if isinstance(atom, Symbol) else atom.top.symbols()
        return found

    @property
    def entry(self) -> bool:
        return all(atom.entry for atom in self.atoms())

    def __add__(self, other: Dim | int) -> Dim:
        if not isinstance(other, (Dim, int)):
            return NotImplemented  # a symbolic array takes over
        return _collect([*self.terms, *as_dim(other).terms])

    def __neg__(self) -> Dim:
        return Dim(tuple((monomial, -c) for monomial, c in self.terms))

    def __sub__(self, other: Dim | int) -> Dim:
        if not isinstance(other, (Dim, int)):
            return NotImplemented
        return self + -as_dim(other)

    def __mul__(self, other: Dim | int) -> Dim:
        if not isinstance(other, (Dim, int)):
            return NotImplemented
        return _collect(
            [(tuple(sorted((*m, *n), key=_key)), c * k) for m, c in self.terms for n, k in as_dim(other).terms]
        )

    __radd__ = __add__
    __rmul__ = __mul__

    def __rsub__(self, other: int) -> Dim:
        return as_dim(other) - self

    def __floordiv__(self, divisor: int) -> Dim:
        if divisor == 1:
            return self
        if self.constant is not None:
            return as_dim(self.constant // divisor)
        if all(c % divisor == 0 for _, c in self.terms):
            return Dim(tuple((m, c // divisor) for m, c in self.terms))
        return Dim((((Quotient(f"({self}) // {divisor}", self, divisor),), 1),))

    def substitute(self, known: Mapping[Symbol, Dim]) -> Dim:
        """This with symbols replaced, to any depth."""
        if not known or not (self.symbols() & known.keys()):
            return self
        total = as_dim(0)
        for monomial, c in self.terms:
            factors = [_substitute(atom, known) for atom in monomial]
            total = total + reduce(Dim.__mul__, factors, as_dim(c))
        return total.substitute(known)

    def evaluate(self, sizes: Mapping[Symbol, int]) -> int | None:
        """The length for given sizes, or None where one is missing."""
        total = 0
        for monomial, c in self.terms:
            for atom in monomial:
                size = sizes.get(atom) if isinstance(atom, Symbol) else _quotient(atom, sizes)
                if size is None:
                    return None
                c *= size
            total += c
        return total

    def __str__(self) -> str:
        text = ""
        for monomial, c in self.terms:
            alone = c == 1 and len(monomial) == 1  # else `2 * n // 2` would be read as `(2 * n) // 2`
            factors = [a.name if isinstance(a, Symbol) or alone else f"({a.name})" for a in monomial]
            if abs(c) != 1 or not factors:
                factors.insert(0, str(abs(c)))
            sign = (" - " if c < 0 else " + ") if text else ("-" if c < 0 else "")
            text += sign + " * ".join(factors)
        return text or "0"

    __repr__ = __str__


def as_dim(value: Dim | Symbol | int) -> Dim:
    if isinstance(value, Dim):
        return value
    if isinstance(value, Symbol):
        return Dim((((value,), 1),))
    return Dim((((), int(value)),) if value else ())


ONE = as_dim(1)


def product(dims: Iterable[Dim]) -> Dim:
    return reduce(Dim.__mul__, dims, ONE)


def _key(atom: Atom) -> tuple[str, str]:
    return (type(atom).__name__, atom.name)


def _collect(terms: Iterable[tuple[Monomial, int]]) -> Dim:
    """Add equal monomials; symbols before the constant, so that it prints as `n - 1`."""
    total: dict[Monomial, int] = {}
    for monomial, c in terms:
        total[monomial] = total.get(monomial, 0) + c
    order = sorted(total, key=lambda m: (not m, -len(m), [_key(a) for a in m]))
    return Dim(tuple((m, total[m]) for m in order if total[m]))


def _substitute(atom: Atom, known: Mapping[Symbol, Dim]) -> Dim:
    if isinstance(atom, Symbol):
        return known.get(atom, as_dim(atom))
    return atom.top.substitute(known) // atom.bottom


def _quotient(atom: Quotient, sizes: Mapping[Symbol, int]) -> int | None:
    top = atom.top.evaluate(sizes)
    return None if top is None else top // atom.bottom


class Facts:
    """What one specialisation assumes of its axis lengths.

    `guards` are relations between entry lengths, checked when the function is called: a call that breaks one
    gets another specialisation. `checks` need lengths known only inside and are emitted as run-time checks.
    `sizes` are the example's lengths, which decide between `n - 1 == m` and `n - 1 == 1`.
    """

    def __init__(self, sizes: Mapping[Symbol, int] | None = None):
        self.sizes = dict(sizes or {})
        self.known: dict[Symbol, Dim] = {}
        self.bounds: dict[Symbol, tuple[Dim, Dim | None]] = {}  # a loop's index, or a length: its least and greatest
        self.clipped: dict[Dim, Dim] = {}  # a difference that may be negative -> a length that is zero then
        self.guards: list[tuple[str, Dim, Dim]] = []
        self.orders = (
            True  # whether `a >= b` may be assumed: not where a function calls itself with ever smaller lengths
        )
        self.again = True  # whether a derivative made now may be differentiated again
        self.met: set[Symbol] = set()  # axes whose length depends on the branch taken, or on the pass
        self.unsolved: list[tuple[Dim, Dim]] = []  # equal, but in no symbol alone: (n + 1) // 2 and (m + 1) // 2
        self._fresh = 0

    def fresh(self, stem: str = "k") -> Dim:
        """A length that nobody can know before running."""
        self._fresh += 1
        return as_dim(Symbol(f"{stem}{self._fresh}", entry=False))

    def length(self, stem: str, least: Dim | int = 0) -> Dim:
        """A length that nobody can know before running; no length is negative."""
        length = self.fresh(stem)
        for symbol in length.symbols():
            self.bounds[symbol] = (as_dim(least), None)
        return length

    def meeting(self, least: Dim | int = 0) -> Dim:
        """The length of an axis that differs between the paths that meet here."""
        length = self.length("met", least)
        self.met |= length.symbols()
        return length

    def clip(self, dim: Dim) -> Dim:
        """The length `max(dim, 0)`."""
        dim = self.canon(dim)
        return self.clipped.setdefault(dim, dim if self.require(">=", dim, as_dim(0)) else self.length("k"))

    def may_be_empty(self, symbol: Symbol) -> None:
        """Give up that this length is at least something, and what was concluded from it."""
        self.bounds[symbol] = (as_dim(0), None)
        self.clipped = {dim: length for dim, length in self.clipped.items() if symbol not in dim.symbols()}

    def meets(self, dim: Dim) -> bool:
        """Whether this is the length of an axis that differs between paths."""
        return self.canon(dim).symbol in self.met

    def canon(self, dim: Dim) -> Dim:
        return dim.substitute(self.known)

    def same(self, a: Dim, b: Dim) -> bool:
        if a == b:
            return True
        a, b = self.canon(a), self.canon(b)
        return a == b or any({self.canon(p), self.canon(q)} == {a, b} for p, q in self.unsolved)

    def same_axes(self, a: tuple[Dim, ...], b: tuple[Dim, ...]) -> bool:
        return len(a) == len(b) and all(map(self.same, a, b))

    def is_one(self, dim: Dim) -> bool:
        return self.canon(dim).constant == 1

    def require(self, relation: str, a: Dim, b: Dim) -> bool:
        """Assume `a relation b`; False if the example or arithmetic contradicts it."""
        a, b = self.canon(a), self.canon(b)
        difference = (a - b).constant
        if difference is not None:
            return difference == 0 if relation == "==" else difference >= 0
        if relation == ">=" and not self.orders:
            return False
        left, right = a.evaluate(self.sizes), b.evaluate(self.sizes)
        if left is not None and right is not None and not (left == right if relation == "==" else left >= right):
            return False
        if not (a.entry and b.entry):
            least = self._least(a - b) if relation == ">=" else None
            return least is not None and self.require(">=", least, as_dim(0))
        if (relation, a, b) not in self.guards:
            self.guards.append((relation, a, b))
        if relation == "==" and not self._solve(a - b):
            self.unsolved.append((a, b))
        return True

    def _least(self, dim: Dim) -> Dim | None:
        """What `dim` is at least, over all passes of the loops whose indices it holds; None if that is not known."""
        for _ in range(8):
            inner = sorted(s for s in dim.symbols() if not s.entry)
            if not inner:
                return dim
            index = inner[0]
            c = dict(dim.terms).get((index,), 0)
            rest = dim - as_dim(index) * c
            if index not in self.bounds or not c or index in rest.symbols():
                return None
            bound = self.bounds[index][0 if c > 0 else 1]
            if bound is None:
                return None
            dim = rest + bound * c
        return None

    def _solve(self, zero: Dim) -> bool:
        """Turn `zero == 0` into a substitution for one symbol, if one stands alone with coefficient +-1."""
        for monomial, c in sorted(zero.terms, key=lambda term: [_key(a) for a in term[0]], reverse=True):
            if len(monomial) == 1 and abs(c) == 1 and isinstance(monomial[0], Symbol):
                symbol = monomial[0]
                rest = zero - as_dim(symbol) * c
                if symbol not in rest.symbols():
                    self.known[symbol] = rest * -c
                    return True
        return False

"""What random programs are made of: expressions with a shape and a bound, variables, helpers, scopes."""

from __future__ import annotations

from dataclasses import dataclass, field

from fuzz_choice import Chooser

Shape = tuple[str, ...]  # of symbolic lengths: "n", "m", "n-1", "h" (every second of n), "1"
SCALAR: Shape = ()
CONSTANTS = ["0.5", "2.0", "1.5", "-0.3", "0.1", "3", "-1", "0.25"]
SMALLER = {"n-1": ["{}[1:]", "{}[:-1]"], "h": ["{}[::2]"]}  # lengths cut from n


@dataclass(frozen=True)
class Expr:
    text: str
    shape: Shape
    bound: float  # an estimate of the largest absolute value


@dataclass(frozen=True)
class Variable:
    shape: Shape
    bound: float
    own: bool = False  # made by the function: may be written into


@dataclass(frozen=True)
class Helper:
    """A module-level function of elementwise arguments."""

    name: str
    arity: int
    bound: float
    scalar: bool = False  # takes and gives scalars only


@dataclass
class Scope:
    variables: dict[str, Variable]
    indices: dict[str, str] = field(default_factory=dict)  # loop counters: name -> the length they stay below
    helpers: list[Helper] = field(default_factory=list)

    def of(self, shape: Shape) -> list[str]:
        return [name for name, variable in self.variables.items() if variable.shape == shape]

    def copy(self) -> Scope:
        return Scope(dict(self.variables), dict(self.indices), self.helpers)


def tame(e: Expr, limit: float, c: Chooser) -> Expr:
    """The expression, squashed where it may be larger than the limit."""
    if e.bound <= limit:
        return e
    return Expr(f"np.{c.pick(['tanh', 'sin', 'cos', 'arctan'])}({e.text})", e.shape, 1.6)

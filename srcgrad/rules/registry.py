"""Registering derivatives: one line per function where mathematics has one line.

A partial derivative is written as `(d, y, *inputs, **attributes) -> contribution`, in ordinary NumPy: `d` is the
cotangent of the result `y`. Called on arrays it computes; called on symbols it builds IR. Broadcasting is no rule's
business: contributions of elementwise functions are summed back to the operand's axes by the reverse transform.

Keyword-only parameters of a partial are the keywords that it accounts for. A keyword that no partial names is
refused where the result is active. `cases` are the entry's tests: the table test runs every one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..ir import infer as infer_types
from ..ir.dims import Facts
from ..ir.primitive import Infer, Partial, Primitive, register
from ..ir.types import FLOAT, Array, Type


class Case:
    """One test of a rule: operands (a shape, a number, or `rng -> array`) and keyword arguments.

    `unknown` marks a result with a length that cannot be told from the operands'; `symmetric` a function of symmetric
    matrices, whose gradient is symmetric; `phases` results whose complex phases are arbitrary.
    """

    def __init__(self, *operands: Any, unknown: Any = False, symmetric: Any = False, phases: Any = False, **attrs: Any):
        self.operands, self.attrs = operands, attrs
        self.unknown, self.symmetric, self.phases = unknown, symmetric, phases

    def __repr__(self) -> str:
        operands = ", ".join("array" if callable(o) else str(o) for o in self.operands)
        attrs = "".join(f", {key}={value!r}" for key, value in self.attrs.items())
        return f"({operands}{attrs})"


CASES: dict[Primitive, list[Case]] = {}
PYTHON_TWINS: dict[Primitive, Primitive] = {}  # np.cos -> math.cos, for derivatives of math functions


def elementwise(
    function: Any,
    *partials: Partial | None,
    domain: Sequence[tuple[float, float]] = ((-2.0, 2.0),),
    python: Any = None,
    singular: bool = False,
    cheap: bool = False,
    name: str = "",
    aliases: Sequence[Any] = (),
    convention: str = "",
    cases: Sequence[Case] = (),
    keywords: Sequence[str] = (),
    operands: Sequence[str] = (),
    infer: Infer | None = None,
    fn: Any = None,
    synonyms: Mapping[str, str] | None = None,
    optional: Sequence[str] = (),
    tangent: Partial | None = None,
    module: str = "",
) -> Primitive:
    """A function of single elements; `domain` gives an open interval per operand where it is smooth.

    One formula serves both modes: the tangent is the sum of the products with a tangent for `d`, unless `tangent=`
    has a shorter formula.
    """
    count = max(len(partials), 1)
    prim = Primitive(
        name=name or spelling(function),
        fn=fn or function,
        infer=infer or infer_types.elementwise(function),
        operands=tuple(operands) or (tuple("abcdefgh"[:count]) if count > 1 else ("x",)),
        keywords=tuple(keywords),
        kind="elementwise",
        partials=partials,
        tangent=tangent,
        looked_at=_looked_at(partials),
        singular=singular,
        cheap=cheap,
        convention=convention,
        synonyms=synonyms or {},
        optional=tuple(optional),
        module=module,
    )
    register(prim, function, *aliases)
    CASES[prim] = [*cases] or _elementwise_cases(list(domain) * (count if len(domain) == 1 else 1))
    if python is not None:
        twin = Primitive(
            **{**vars(prim), "name": spelling(python), "module": "math", "fn": python, "infer": _infer_python}
        )
        PYTHON_TWINS[prim] = register(twin, python)
        CASES[twin] = [Case(*(uniform((), *interval) for interval in list(domain) * (count // len(domain) or 1)))]
    return prim


def linear(function: Any, *transposes: Partial | None, **options: Any) -> Primitive:
    """A function linear in its active operand: its tangent is itself, its cotangent `transpose(d, y, x, ...)`."""
    return _general(function, transposes, "linear", **options)


def bilinear(function: Any, *partials: Partial, **options: Any) -> Primitive:
    """A function linear in each of its operands."""
    return _general(function, partials, "bilinear", **options)


def general(function: Any, *partials: Partial | None, **options: Any) -> Primitive:
    """Any other function: one cotangent formula per operand, and `tangent=` for forward mode."""
    return _general(function, partials, "general", **options)


def constant(function: Any, **options: Any) -> Primitive:
    """A function whose derivative is zero, or that has integer or boolean results."""
    return _general(function, (), "constant", **options)


def impure(function: Any, **options: Any) -> Primitive:
    """An inactive call with an effect: it runs once, in order, in the forward sweep."""
    return _general(function, (), "impure", **options)


def _general(
    function: Any,
    partials: tuple[Partial | None, ...],
    kind: str,
    *,
    operands: Sequence[str] = ("x",),
    keywords: Sequence[str] = (),
    signature: Sequence[str] = (),
    infer: Infer | None = None,
    fn: Any = None,
    require: Callable[..., None] | None = None,
    tangent: Partial | None = None,
    cases: Sequence[Case] = (),
    name: str = "",
    aliases: Sequence[Any] = (),
    view: bool = False,
    cheap: bool = False,
    singular: bool = False,
    convention: str = "",
    module: str = "",
) -> Primitive:
    prim = Primitive(
        name=name or spelling(function),
        fn=fn or function,
        infer=infer or infer_types.probe(fn or function, require),
        operands=tuple(operands),
        keywords=tuple(keywords),
        signature=tuple(signature),
        kind=kind,
        partials=partials,
        tangent=tangent,
        looked_at=_looked_at(partials),
        view=view,
        cheap=cheap,
        singular=singular,
        convention=convention,
        module=module,
    )
    register(prim, function, *aliases)
    CASES[prim] = list(cases)
    return prim


def spelling(function: Any) -> str:
    """How generated code names a library function."""
    module = getattr(function, "__module__", None) or "numpy"
    for known, prefix in (("numpy.linalg", "np.linalg"), ("numpy.fft", "np.fft"), ("math", "math")):
        if module.startswith(known):
            return f"{prefix}.{function.__name__}"
    return f"np.{function.__name__}"


def uniform(shape: tuple[int, ...], low: float, high: float) -> Callable[[np.random.Generator], Any]:
    """An operand drawn uniformly, away from the interval's ends."""
    margin = 0.02 * (high - low)
    return lambda rng: rng.uniform(low + margin, high - margin, shape)


def _elementwise_cases(domain: Sequence[tuple[float, float]]) -> list[Case]:
    """Full shapes, numbers, and every way in which two operands can broadcast."""
    if len(domain) == 1:
        return [Case(uniform(shape, *domain[0])) for shape in ((), (3,), (2, 3), (1,), (0,))]
    pairs: list[tuple[tuple[int, ...], tuple[int, ...]]] = [((), ()), ((3,), (3,)), ((2, 3), (3,)), ((3,), (2, 1))]
    pairs += [((2, 1), (1, 3)), ((), (3,)), ((1,), (3,)), ((3,), ()), ((0,), (1,))]
    return [Case(*(uniform(s, *interval) for s, interval in zip(pair, domain))) for pair in pairs]


def _looked_at(partials: Sequence[Partial | None]) -> frozenset[str]:
    names: set[str] = set()
    for partial in partials:
        if partial is not None:
            code = partial.__code__
            names |= set(code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount])
    return frozenset(names - {"which"})


def _infer_python(facts: Facts, types: Sequence[Type], attrs: Any, style: str) -> Type:
    if any(not isinstance(t, Array) or t.ndim for t in types):
        from ..errors import Unsupported

        raise Unsupported("a math function takes numbers, not arrays", "Use the NumPy function of that name.")
    if any(isinstance(t, Array) and t.dtype.kind == "c" for t in types):
        from ..errors import Unsupported

        raise Unsupported("a math function takes real numbers", "Use the NumPy function of that name.")
    return FLOAT


def is_python_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)

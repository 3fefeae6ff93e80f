"""Registering derivatives: one line per function where mathematics has one line.

A partial derivative is written as `(d, y, *inputs, **attributes) -> contribution`, in ordinary NumPy: `d` is the
cotangent of the result `y`. Called on arrays it computes; called on symbols it builds IR. Broadcasting is no rule's
business: contributions of elementwise functions are summed back to the operand's axes by the reverse transform.

Keyword-only parameters of a partial are the keywords that it accounts for. A keyword that no partial names is
refused where the result is active. `cases` are the entry's tests: the table test runs every one.
"""

from __future__ import annotations

import inspect
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
    matrices, whose gradient is symmetric; `phases` results whose complex phases are arbitrary, "signs" those whose
    signs are, too; `passive` operands (by number) in which there is no derivative; `only` how many of the results
    have one.
    """

    def __init__(
        self,
        *operands: Any,
        unknown: Any = False,
        symmetric: Any = False,
        phases: Any = False,
        passive: Any = (),
        only: Any = None,
        **attrs: Any,
    ):
        self.operands, self.attrs = operands, attrs
        self.unknown, self.symmetric, self.phases, self.passive = unknown, symmetric, phases, passive
        self.only = only

    def __repr__(self) -> str:
        operands = ", ".join("array" if callable(o) else str(o) for o in self.operands)
        attrs = "".join(
            f", {key}={'array' if callable(v) and not isinstance(v, type) else repr(v)}"
            for key, v in self.attrs.items()
        )
        return f"({operands}{attrs})"


CASES: dict[Primitive, list[Case]] = {}
_OF_UFUNCS = ("dtype", "casting", "order", "subok")
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
    defaults: Mapping[str, Any] | None = None,
) -> Primitive:
    """A function of single elements; `domain` gives an open interval per operand where it is smooth.

    One formula serves both modes: the tangent is the sum of the products with a tangent for `d`, unless `tangent=`
    has a shorter formula.
    """
    count = max(len(partials), 1)
    looked_at = _looked_at(partials)
    if _of_numpy(function):  # its own keywords choose the dtype and the layout of the result, no more
        keywords, looked_at = (*keywords, *_OF_UFUNCS), looked_at | {*_OF_UFUNCS}
        partials = tuple(None if each is None else _without(each, _OF_UFUNCS) for each in partials)
    prim = Primitive(
        name=name or spelling(function),
        fn=fn or function,
        infer=infer or infer_types.elementwise(function),
        operands=tuple(operands) or (tuple("abcdefgh"[:count]) if count > 1 else ("x",)),
        keywords=tuple(keywords),
        kind="elementwise",
        partials=partials,
        tangent=tangent,
        looked_at=looked_at,
        singular=singular,
        cheap=cheap,
        convention=convention,
        synonyms=synonyms or {},
        optional=tuple(optional),
        module=module,
        defaults=defaults or {},
    )
    register(prim, function, *aliases)
    CASES[prim] = [*cases] or _elementwise_cases(list(domain) * (count if len(domain) == 1 else 1))
    if _of_numpy(function):
        options = {"dtype": np.dtype(float), "casting": "same_kind", "order": "C", "subok": True}
        CASES[prim] = [*CASES[prim], Case(*CASES[prim][:2][-1].operands, **options)]
    if python is not None:
        own = {"name": spelling(python), "module": "math", "fn": python, "infer": infer_python, "keywords": ()}
        twin = Primitive(**{**vars(prim), **own})
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
    """Any other function: one cotangent formula per operand, and `tangent=` for forward mode.

    `named=` are operands that calls give by keyword (`where=`), each with its formula or None. Formulas get them by
    keyword as well.
    """
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
    named: Mapping[str, Partial | None] | None = None,
    undefined: tuple[str, str] | None = None,
    several: bool = False,
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
        required=_required(function) & frozenset(keywords),
        undefined=undefined,
        several=several,
    )
    if named:
        _with_named(prim, named)
    register(prim, function, *aliases)
    CASES[prim] = list(cases)
    return prim


def _required(function: Any) -> frozenset[str]:
    """Parameters without a default; an axis is told by name nevertheless."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return frozenset()
    return frozenset(p.name for p in parameters if p.default is p.empty and p.kind == p.POSITIONAL_OR_KEYWORD) - {
        "axis"
    }


def _with_named(prim: Primitive, named: Mapping[str, Partial | None]) -> None:
    """Operands that are given by keyword reach `fn`, `infer` and the partials by keyword as well."""

    def by_name(function: Callable[..., Any], *before: int) -> Callable[..., Any]:
        def called(*args: Any, **attrs: Any) -> Any:
            first = len(before)
            operands, given = prim.sort(args[first:], attrs)
            return function(*args[:first], *operands, **given)

        return called

    def types(infer: Infer) -> Infer:
        def inferred(facts: Facts, types: Sequence[Type], attrs: Any, style: str) -> Type | tuple[Type, ...]:
            operands, given = prim.sort(types, attrs)
            return infer(facts, operands, given, style)

        return inferred

    prim.named = {name: None if each is None else by_name(each, 0, 1) for name, each in named.items()}
    prim.looked_at |= _looked_at([*named.values()]) | set(named)
    assert prim.fn is not None
    prim.fn, prim.infer = by_name(prim.fn), types(prim.infer)
    prim.partials = [None if each is None else by_name(each, 0, 1) for each in prim.partials]
    prim.tangent = None if prim.tangent is None else by_name(prim.tangent, 0, 1)


def _of_numpy(function: Any) -> bool:
    return isinstance(function, np.ufunc) and getattr(np, function.__name__, None) is function


def _without(partial: Partial, names: Sequence[str]) -> Partial:
    """A formula that has no use for these keywords."""

    def formula(d: Any, y: Any, *inputs: Any, **attrs: Any) -> Any:
        return partial(d, y, *inputs, **{key: value for key, value in attrs.items() if key not in names})

    return formula


_MODULES = (
    ("numpy.linalg", "np.linalg"),
    ("numpy.fft", "np.fft"),
    ("numpy.polynomial.polynomial", "np.polynomial.polynomial"),
    ("math", "math"),
)


def spelling(function: Any) -> str:
    """How generated code names a library function."""
    module = getattr(function, "__module__", None) or "numpy"
    for known, prefix in _MODULES:
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


def infer_python(facts: Facts, types: Sequence[Type], attrs: Any, style: str) -> Type:
    if any(not isinstance(t, Array) or t.ndim for t in types):
        from ..errors import Unsupported

        raise Unsupported("a math function takes numbers, not arrays", "Use the NumPy function of that name.")
    if any(isinstance(t, Array) and t.dtype.kind == "c" for t in types):
        from ..errors import Unsupported

        raise Unsupported("a math function takes real numbers", "Use the NumPy function of that name.")
    return FLOAT


def is_python_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)

"""Primitives: the operations of the IR, each a NumPy function with what the compiler must know of it."""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import marshal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import Unsupported
from .dims import Facts
from .nodes import Slot
from .types import Type

Infer = Callable[[Facts, Sequence[Type], Mapping[str, Any], str], Type | tuple[Type, ...]]
Partial = Callable[..., Any]


@dataclass(eq=False)
class Primitive:
    """One operation.

    name      : how generated code spells it (`np.tanh`); internal ones have a bare name
    fn        : computes it from its inputs and attributes; None for control flow
    infer     : (facts, input types, attributes, style) -> output type or types
    operands  : names of the array inputs, in order; a name with `*` takes a sequence of arrays
    keywords  : names of the static arguments, in the order in which they may also be given by position
    signature : the order of positional arguments, where it is not the operands and then the keywords; a name that is
                neither is refused, and one with `*` takes all positional arguments that are left
    synonyms  : other names of arguments, and the names used here
    optional  : operands that count as None where they are missing
    module    : where the function lives, if that is not its name up to the last dot (`scipy.stats.norm.pdf`)
    defaults  : what stands for an operand that is left out before one that is given
    of_complex: what stands for it where an operand is complex: sign and angle are steps on the real line alone
    named     : operands that a call gives by keyword, if at all (`where=`); the attribute of that name is `Slot(k)`,
                and the k-th input behind the operands is the value. Each has its partial, or None
    required  : keywords without which there is no call, written by position (`np.pad(x, 1)`)
    kind      : elementwise | linear | bilinear | general | constant | impure | control
    partials  : one per operand, (d, y, *inputs, **attributes) -> cotangent contribution, or None;
                for a sequence operand one function that also takes `which`
    tangent   : (tangents, y, *inputs, **attributes) -> tangent, for general primitives; NotImplemented for calls
                of which the partials say enough
    looked_at : the keywords the derivative accounts for; any other is refused where the result is active
    view      : the result may share its operand's memory
    cheap     : recomputing costs less than recording
    undefined : (why there is no derivative, a way out), where calls are refused if one is needed
    several   : the result is a tuple, be it of one array
    singular  : the derivative may be infinite where the function itself is finite or nan
    """

    name: str
    fn: Callable[..., Any] | None
    infer: Infer
    operands: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    kind: str = "general"
    partials: Sequence[Partial | None] = ()
    tangent: Partial | None = None
    looked_at: frozenset[str] = frozenset()
    view: bool = False
    cheap: bool = False
    singular: bool = False
    convention: str = ""
    signature: tuple[str, ...] = ()
    synonyms: Mapping[str, str] = field(default_factory=dict)
    optional: tuple[str, ...] = ()
    module: str = ""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    of_complex: Primitive | None = None
    named: Mapping[str, Partial | None] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    undefined: tuple[str, str] | None = None
    several: bool = False

    def __post_init__(self) -> None:
        self.module = self.module or self.name.rpartition(".")[0]

    @property
    def variadic(self) -> bool:
        return bool(self.operands) and self.operands[-1].startswith("*")

    @property
    def pure(self) -> bool:
        return self.kind not in ("impure", "control")

    @property
    def elementwise(self) -> bool:
        return self.kind == "elementwise"

    def arity(self, attrs: Mapping[str, Any]) -> int | None:
        """How many inputs are arguments; those beyond are lengths that the op spells. None is all of them."""
        return None if self.variadic else len(self.operands) + len(self.filled(attrs))

    def filled(self, attrs: Mapping[str, Any]) -> tuple[str, ...]:
        """The operands that this op has by keyword, in the order of its inputs."""
        return tuple(name for name in self.named if isinstance(attrs.get(name), Slot))

    def _named_from(self, count: int, filled: Sequence[str]) -> int:
        """Where those begin: operands at the end may be left out."""
        return count - len(filled) if self.variadic else min(len(self.operands), count - len(filled))

    def sort(self, inputs: Sequence[Any], attrs: Mapping[str, Any]) -> tuple[Sequence[Any], dict[str, Any]]:
        """The operands, and everything else by name."""
        filled = self.filled(attrs)
        first = self._named_from(len(inputs), filled)
        if not filled:
            return inputs, dict(attrs)
        return inputs[:first], {**attrs, **dict(zip(filled, inputs[first:]))}

    def partial(self, which: int, attrs: Mapping[str, Any], count: int) -> Partial | None:
        """The derivative with respect to input number `which` of `count`."""
        filled = self.filled(attrs)
        first = self._named_from(count, filled)
        if filled and which >= first:
            return self.named[filled[which - first]] if which < first + len(filled) else None
        if self.variadic and which >= len(self.operands) - 1:
            last = self.partials[-1] if self.partials else None
            if last is None:
                return None
            return lambda d, y, *xs, **attrs: last(d, y, *xs, which=which, **attrs)
        return self.partials[which] if which < len(self.partials) else None

    def __repr__(self) -> str:
        return self.name


_BY_FUNCTION: dict[Any, Primitive] = {}
_BY_NAME: dict[str, Primitive] = {}
_WAITING: dict[str, Callable[[], Any]] = {}  # library modules, and what registers the rules of their functions


def register(primitive: Primitive, *functions: Any) -> Primitive:
    """Make the primitive known under these function objects and its name."""
    for function in functions:
        _BY_FUNCTION[function] = primitive
    _BY_NAME[primitive.name] = primitive
    return primitive


def when_used(module: str, load: Callable[[], Any]) -> None:
    """Have `load` register the rules of an optional library's module once a function of that module is looked for."""
    _WAITING[module] = load


def find(function: Any) -> Primitive | None:
    """The primitive of a function object, or None."""
    try:
        found = _BY_FUNCTION.get(function)
    except TypeError:  # unhashable callables are nobody's primitive
        return None
    if found is None and _load_rules_of(function):
        return _BY_FUNCTION.get(function)
    return found


def load_installed() -> None:
    """Register the rules of every optional library that is installed; programs that use one need not ask."""
    for module in [*_WAITING]:
        if importlib.util.find_spec(module.partition(".")[0]) is not None:
            importlib.import_module(module)
            _WAITING.pop(module)()


def _load_rules_of(function: Any) -> bool:
    """Whether rules were registered now: those of the imported modules that this function may belong to."""
    owner = getattr(function, "__self__", function)
    home = getattr(owner, "__module__", None) or type(owner).__module__
    name = getattr(function, "__name__", None)
    wanted = [
        module
        for module in _WAITING
        if module in sys.modules and (home.startswith(module) or hasattr(sys.modules[module], str(name)))
    ]
    for module in wanted:
        _WAITING.pop(module)()
    return bool(wanted)


def foreign_rules() -> str:
    """A digest of the formulas that are not srcgrad's own, if there are any: text made with others is not theirs."""
    found = [
        f"{prim.name} {_code_of(formula)}"
        for prim in all_primitives()
        for formula in (*prim.partials, prim.tangent)
        if formula is not None and not (getattr(formula, "__module__", None) or "srcgrad.").startswith("srcgrad.")
    ]
    return hashlib.sha256("\n".join(found).encode()).hexdigest() if found else ""


def _code_of(formula: Any) -> str:
    code = getattr(formula, "__code__", None)
    if code is None:
        return repr(formula)
    cells = [cell.cell_contents for cell in formula.__closure__ or ()]
    held = [_code_of(each) if callable(each) else repr(each) for each in cells]
    text = hashlib.sha256(marshal.dumps(code)).hexdigest()
    return f"{text} {formula.__defaults__!r} {formula.__kwdefaults__!r} {held!r}"


def named(name: str) -> Primitive:
    return _BY_NAME[name]


def all_primitives() -> list[Primitive]:
    return sorted(set(_BY_NAME.values()), key=lambda p: p.name)


def bind(primitive: Primitive, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """Sort a call's arguments into operands and static attributes, as the NumPy function would.

    None or a tuple in an operand's place (`np.clip(x, None, 1.0)`) is static, and becomes an attribute.
    """
    given = _given(primitive, args, kwargs)
    names = [name.lstrip("*") for name in primitive.operands]
    operands: list[Any] = []
    for position, name in enumerate(names):
        if name not in given:
            later = any(later in given for later in names[position + 1 :])
            if later and name in primitive.defaults:
                operands.append(primitive.defaults[name])
                continue
            if later or position == 0:
                raise Unsupported(f"{primitive.name} needs its argument `{name}`")
            break
        if primitive.operands[position].startswith("*"):
            operands.extend(given.pop(name))
        elif not (given[name] is None or isinstance(given[name], tuple)):
            operands.append(given.pop(name))
    filled = [name for name in primitive.named if given.get(name) is not None]
    for number, name in enumerate(filled, 1):
        operands.append(given[name])
        given[name] = Slot(number)
    for name in given.keys() - {*names, *primitive.keywords, *filled}:
        value = given.pop(name)
        if value is not None and not _without_effect(primitive, name, getattr(value, "value", value)):
            raise Unsupported(f"{primitive.name} is not differentiated with `{name}=`", _known(primitive))
    return operands, given


def arguments(
    primitive: Primitive, inputs: Sequence[Any], attrs: Mapping[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    """The inverse of `bind`: an op's inputs and attributes as positional arguments and keywords of a call.

    Positional are the inputs, in the function's own order, the attributes that stand between them, and those without
    which there is no call; the rest are keywords. `np.clip(x, None, 1.0)` has inputs (x, 1.0) and the attribute
    `a_min`.
    """
    inputs, attrs = primitive.sort(inputs, attrs)
    names = [name.lstrip("*") for name in primitive.operands if name.lstrip("*") not in attrs]
    spread = sum(name.startswith("*") for name in primitive.operands)
    whole = list(inputs[: len(names) - spread])
    rest = inputs[len(whole) :]
    whole += [rest[k * len(rest) // spread : (k + 1) * len(rest) // spread] for k in range(spread)]  # of equal length
    given = {**dict(zip(names, whole)), **attrs}
    order = primitive.signature or (*primitive.operands, *primitive.keywords)
    positional: list[Any] = []
    wanted = set(names[: len(whole)])
    for place in order:
        name = place.lstrip("*")
        if name not in given or not (wanted or name in primitive.required):
            break
        value = given.pop(name)
        positional.extend(value if place.startswith("*") and primitive.signature else [value])
        wanted.discard(name)
    return positional, given


def _given(primitive: Primitive, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """All arguments by name."""
    order = primitive.signature or (*(name.lstrip("*") for name in primitive.operands), *primitive.keywords)
    if order[-1].startswith("*") and len(args) >= len(order):
        args = [*args[: len(order) - 1], args[len(order) - 1 :]]
    order = tuple(name.lstrip("*") for name in order)
    if len(args) > len(order):
        raise Unsupported(f"{primitive.name} takes at most {len(order)} positional arguments, {len(args)} were given")
    given = dict(zip(order, args))
    for key, value in kwargs.items():
        key = primitive.synonyms.get(key, key)
        if key in given:
            raise Unsupported(f"{primitive.name} got two values for `{key}`")
        if key not in order and key not in primitive.keywords and key not in primitive.named:
            if _without_effect(primitive, key, getattr(value, "value", value)):
                continue
            if key == "where" and primitive.elementwise:
                what = f"{primitive.name} with `where=` and no `out=` leaves the other elements to chance"
                raise Unsupported(what, f"Use np.where(mask, {primitive.name}(...), other).")
            raise Unsupported(f"{primitive.name} is not differentiated with `{key}=`", _known(primitive))
        given[key] = value
    return given | {name: None for name in primitive.optional if name not in given}


def _without_effect(primitive: Primitive, key: str, value: Any) -> bool:
    """Whether a keyword has its default, names the one device there is, or is about subclasses of arrays."""
    module, *path = primitive.name.split(".")
    function: Any = sys.modules.get("numpy" if module == "np" else module)
    for part in path:
        function = getattr(function, part, None)
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return False
    if key not in parameters:
        return False
    default = parameters[key].default
    plain = isinstance(value, (str, bool, int, float)) and type(value) is type(default)
    return key == "subok" or (key, value) == ("device", "cpu") or value is default or (plain and bool(value == default))


def _known(primitive: Primitive) -> str:
    names = [*(name.lstrip("*") for name in primitive.operands), *primitive.keywords, *primitive.named]
    return f"Known: {', '.join(names)}."

"""Call signatures: what of the arguments a compiled gradient depends on.

An array counts with its dtype and with which of its axes have length one, not with its lengths: a new batch size
compiles nothing. A Python number counts with its type; strings, bools and None with their value; containers with
their structure.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class ArraySpec:
    dtype: str
    ones: tuple[bool, ...]

    def __str__(self) -> str:
        return f"{self.dtype.lstrip('<=|')}[{','.join('1' if one else ':' for one in self.ones)}]"


@dataclass(frozen=True)
class NumberSpec:
    """A Python number (`python` is True) or a NumPy scalar."""

    dtype: str
    python: bool

    def __str__(self) -> str:
        return np.dtype(self.dtype).name.rstrip("0123456789") if self.python else self.dtype.lstrip("<=|")


@dataclass(frozen=True)
class StaticSpec:
    """Anything that is compared by value: a string, a bool, None."""

    value: Any

    def __str__(self) -> str:
        return repr(self.value)


@dataclass(frozen=True)
class IdentitySpec:
    """A function, class or module, compared by identity."""

    name: str
    object: Any = dataclasses.field(compare=False)
    identity: int = 0

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class OpaqueSpec:
    """An object that only passes through, such as a random generator; its type counts."""

    type: type

    def __str__(self) -> str:
        return self.type.__name__


@dataclass(frozen=True)
class InstanceSpec:
    """An object of a user's class; its class counts here, and each attribute that the function reads later."""

    type: type

    def __str__(self) -> str:
        return f"{self.type.__module__}.{self.type.__qualname__}"


@dataclass(frozen=True)
class SequenceSpec:
    type: type
    items: tuple[Spec, ...]

    def __str__(self) -> str:
        return f"{self.type.__name__}({', '.join(map(str, self.items))})"


@dataclass(frozen=True)
class DictSpec:
    keys: tuple[Any, ...]
    items: tuple[Spec, ...]

    def __str__(self) -> str:
        return "{" + ", ".join(f"{k!r}: {v}" for k, v in zip(self.keys, self.items)) + "}"


Spec = ArraySpec | NumberSpec | StaticSpec | IdentitySpec | OpaqueSpec | InstanceSpec | SequenceSpec | DictSpec

_IDENTITY = (
    types.FunctionType,
    types.BuiltinFunctionType,
    types.ModuleType,
    types.MethodType,
    type,
    np.ufunc,
)


_BUILT_IN = (
    list,
    tuple,
    dict,
    set,
    frozenset,
    str,
    bytes,
    bytearray,
    int,
    float,
    complex,
    np.ndarray,
    np.generic,
)
_NOT_CLASSES = ("builtins", "numpy", "collections", "functools", "itertools", "io", "types", "_io", "abc")


class UnknownArgument(TypeError):
    """An object that is neither data nor code that a compiled function could depend on; `way_out` says what to do."""

    def __init__(self, what: str, way_out: str = "Pass its arrays (as NumPy arrays, or in lists, tuples and dicts)."):
        super().__init__(what)
        self.way_out = way_out


def describe(value: Any) -> Spec:
    """The signature of one argument. Raises UnknownArgument."""
    kind = type(value)
    if kind is np.ndarray:
        _check_dtype(value.dtype)
        return ArraySpec(value.dtype.str, tuple(n == 1 for n in value.shape))
    if kind is float or kind is int or kind is complex:
        return NumberSpec(np.dtype(kind).str, python=True)
    if value is None or kind in (bool, str, bytes, slice) or value is Ellipsis:
        return StaticSpec(value)
    if isinstance(value, np.generic):
        _check_dtype(value.dtype)
        return NumberSpec(value.dtype.str, python=False)
    if kind in (list, tuple):
        return SequenceSpec(kind, tuple(describe(item) for item in value))
    if kind is dict:
        for key in value:
            _check_key(key)
        return DictSpec(tuple(value), tuple(describe(item) for item in value.values()))
    if isinstance(value, (np.random.Generator, np.random.RandomState)):
        return OpaqueSpec(kind)
    if isinstance(value, np.dtype):
        return StaticSpec(value)
    if isinstance(value, _IDENTITY):
        return IdentitySpec(getattr(value, "__qualname__", kind.__name__), value, id(value))
    if isinstance(value, np.ndarray):
        raise UnknownArgument(_name(kind), "Convert it with np.asarray.")
    if _is_instance(value):
        return InstanceSpec(kind)
    if callable(value):
        return IdentitySpec(getattr(value, "__qualname__", kind.__name__), value, id(value))
    raise UnknownArgument(_name(kind))


def _name(kind: type) -> str:
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _check_dtype(dtype: np.dtype[Any]) -> None:
    """The dtypes whose numbers a generated function can spell, in the machine's own byte order."""
    if dtype.kind not in "fciub":
        raise UnknownArgument(f"an array of dtype {dtype}", "Convert it with .astype(float).")
    if not dtype.isnative:
        raise UnknownArgument(
            f"an array in foreign byte order ({dtype.str})",
            'Convert it: x.astype(x.dtype.newbyteorder("=")).',
        )
    if dtype.kind in "fc" and dtype.itemsize > (8 if dtype.kind == "f" else 16):
        raise UnknownArgument(f"an array of extended precision ({dtype})", "Convert it with .astype(np.float64).")


def _check_key(key: Any) -> None:
    """Keys are written into generated code."""
    if type(key) not in (str, int) or (isinstance(key, str) and key.startswith(".")):
        raise UnknownArgument(
            f"a dict with the key {key!r}",
            "Keys are integers, or strings that start with no dot.",
        )


def _is_instance(value: Any) -> bool:
    """Whether this is an object of a user's class, which holds data in attributes."""
    kind = type(value)
    if (
        isinstance(value, _BUILT_IN)
        or kind.__module__.split(".")[0] in _NOT_CLASSES
        or hasattr(value, "value_and_grad")
    ):
        return False
    return hasattr(value, "__dict__") or any("__slots__" in vars(each) for each in kind.__mro__)


def leaves(spec: Spec, path: Path = ()) -> Iterator[tuple[Path, Spec]]:
    """Every spec that is not a container, with the way to it."""
    if isinstance(spec, SequenceSpec):
        for i, item in enumerate(spec.items):
            yield from leaves(item, (*path, i))
    elif isinstance(spec, DictSpec):
        for key, item in zip(spec.keys, spec.items):
            yield from leaves(item, (*path, key))
    else:
        yield path, spec


def path_text(name: str, path: Path) -> str:
    """`params['w'][0]`: the expression that reads a leaf; a step that starts with a dot is an attribute."""
    steps = (step if isinstance(step, str) and step.startswith(".") else f"[{step!r}]" for step in path)
    return name + "".join(steps)


def predicate(name: str, spec: Spec, constants: dict[str, Any]) -> list[str]:
    """Conditions, as Python text over the argument's name, under which a value has this signature.

    Objects that have no literal are put into `constants`, under names that the text uses.
    """

    def const(value: Any) -> str:
        key = f"_c{len(constants)}"
        constants[key] = value
        return key

    match spec:
        case ArraySpec(dtype, ones):
            tests = [
                f"_type({name}) is _ndarray",
                f"{name}.dtype == {const(np.dtype(dtype))}",
                f"{name}.ndim == {len(ones)}",
            ]
            tests += [f"{name}.shape[{i}] {'==' if one else '!='} 1" for i, one in enumerate(ones)]
        case NumberSpec(dtype, python):
            kind = const({"f": float, "i": int, "c": complex}[np.dtype(dtype).kind] if python else np.dtype(dtype).type)
            tests = [f"_type({name}) is {kind}"]
        case StaticSpec(value):
            exact = value is None or isinstance(value, bool) or value is Ellipsis
            same = f"_type({name}) is {const(type(value))}"
            tests = [f"{name} is {const(value)}"] if exact else [same, f"{name} == {const(value)}"]
        case IdentitySpec(_, thing):
            tests = [f"{name} is {const(thing)}"]
        case OpaqueSpec(kind_) | InstanceSpec(kind_):
            tests = [f"_type({name}) is {const(kind_)}"]
        case SequenceSpec(kind_, items):
            tests = [f"_type({name}) is {const(kind_)}", f"_len({name}) == {len(items)}"]
            for i, item in enumerate(items):
                tests += predicate(f"{name}[{i}]", item, constants)
        case DictSpec(keys, items):
            tests = [f"_type({name}) is {const(dict)}", f"_tuple({name}) == {const(keys)}"]
            for key, item in zip(keys, items):
                tests += predicate(f"{name}[{key!r}]", item, constants)
    return tests

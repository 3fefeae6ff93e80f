"""Call signatures: what of the arguments a compiled gradient depends on.

An array counts with its dtype, with whether it is NumPy's or CuPy's, and with which of its axes have length one, not
with its lengths: a new batch size compiles nothing. A Python number counts with its type; strings, bools and None with
their value; containers with their structure.
"""

from __future__ import annotations

import dataclasses
import re
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .device import cupy_ndarray, device_of
from .parameter import Parameter

Path = tuple[str | int, ...]
Wanted = bool | frozenset[Path] | None
AtHome = Callable[[Any, Path], bool]


@dataclass(frozen=True)
class ArraySpec:
    """`namespace` is "numpy", or "cupy" for an array on a GPU; `device` is for errors, and no part of the signature."""

    dtype: str
    ones: tuple[bool, ...]
    namespace: str = "numpy"
    device: str = dataclasses.field(default="cpu", compare=False)

    def __str__(self) -> str:
        axes = ",".join("1" if one else ":" for one in self.ones)
        return f"{'' if self.namespace == 'numpy' else 'cuda '}{self.dtype.lstrip('<=|')}[{axes}]"


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
class FunctionSpec(OpaqueSpec):
    """A function that the generated code calls as it stands; such code is not kept on disk."""


@dataclass(frozen=True)
class SparseSpec(OpaqueSpec):
    """A matrix of scipy.sparse: its format, its dtype, and which axes have length one."""

    dtype: str
    ones: tuple[bool, ...]

    def __str__(self) -> str:
        axes = ",".join("1" if one else ":" for one in self.ones)
        return f"{self.type.__name__} {self.dtype.lstrip('<=|')}[{axes}]"


@dataclass(frozen=True)
class SplineSpec(OpaqueSpec):
    """A spline of scipy.interpolate; `axes` counts those of one of its values."""

    axes: int


@dataclass(frozen=True)
class InstanceSpec:
    """An object of a user's class: its class, and each attribute that the function reads later.

    `attrs` are the attributes that hold what is differentiated; empty where the object is only read.
    """

    type: type
    attrs: tuple[tuple[str, Spec], ...] = ()

    def __str__(self) -> str:
        inside = ", ".join(f"{name}={spec}" for name, spec in self.attrs)
        return f"{self.type.__module__}.{self.type.__qualname__}" + (f"({inside})" if inside else "")


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
_NOT_CLASSES = (
    "builtins",
    "numpy",
    "cupy",
    "cupyx",
    "collections",
    "functools",
    "itertools",
    "io",
    "types",
    "_io",
    "abc",
)
_GENERATORS = ("Generator", "RandomState")


class UnknownArgument(TypeError):
    """An object that is neither data nor code that a compiled function could depend on; `way_out` says what to do."""

    def __init__(self, what: str, way_out: str = "Pass its arrays (as NumPy arrays, or in lists, tuples and dicts)."):
        super().__init__(what)
        self.way_out = way_out


def describe(value: Any, wanted: Wanted = None, path: Path = (), at_home: AtHome | None = None) -> Spec:
    """The signature of one argument. Raises UnknownArgument.

    wanted : which leaves are differentiated, for the attributes of objects: True for all of them, or their paths
    at_home : whether an object belongs to this path; one that is reached in several ways is described once
    """
    kind = type(value)
    if kind is np.ndarray:
        _check_dtype(value.dtype)
        return ArraySpec(value.dtype.str, tuple(n == 1 for n in value.shape))
    if kind is cupy_ndarray():
        _check_dtype(value.dtype)
        return ArraySpec(value.dtype.str, tuple(n == 1 for n in value.shape), "cupy", str(device_of(value)))
    if kind is float or kind is int or kind is complex:
        return NumberSpec(np.dtype(kind).str, python=True)
    if value is None or kind in (bool, str, bytes, slice) or value is Ellipsis:
        return StaticSpec(value)
    if isinstance(value, np.generic):
        _check_dtype(value.dtype)
        return NumberSpec(value.dtype.str, python=False)
    if kind in (list, tuple) or is_named_tuple(value):
        return SequenceSpec(kind, tuple(describe(item, wanted, (*path, i), at_home) for i, item in enumerate(value)))
    if kind is dict:
        for key in value:
            _check_key(key)
        return DictSpec(tuple(value), tuple(describe(v, wanted, (*path, k), at_home) for k, v in value.items()))
    if isinstance(value, (np.random.Generator, np.random.RandomState)) or kind.__module__ == "logging":
        return OpaqueSpec(kind)
    if kind.__module__.startswith("cupy.random") and kind.__name__ in _GENERATORS:
        return OpaqueSpec(kind)
    if kind.__module__.startswith("scipy.") or kind.__name__ == "SuperLU":
        library = _of_scipy(value, kind)
        if library is not None:
            return library
    if isinstance(value, np.dtype):
        return StaticSpec(value)
    if isinstance(value, _IDENTITY):
        return IdentitySpec(getattr(value, "__qualname__", kind.__name__), value, id(value))
    if isinstance(value, np.ndarray):
        raise UnknownArgument(_name(kind), "Convert it with np.asarray.")
    if is_instance(value):
        return InstanceSpec(kind, () if wanted is None else _attributes(value, wanted, path, at_home))
    if callable(value):
        return IdentitySpec(getattr(value, "__qualname__", kind.__name__), value, id(value))
    raise UnknownArgument(_name(kind))


SPLINES = ("CubicSpline", "PchipInterpolator", "Akima1DInterpolator", "PPoly", "CubicHermiteSpline", "BSpline")


def _of_scipy(value: Any, kind: type) -> Spec | None:
    """Sparse matrices, factorised ones, and splines."""
    if kind.__name__ == "SuperLU" and hasattr(value, "perm_c"):
        return OpaqueSpec(kind)
    if kind.__module__.startswith("scipy.sparse.") and hasattr(value, "nnz"):
        if len(value.shape) != 2 or value.dtype.kind not in "fiub":
            raise UnknownArgument(f"a sparse array of shape {value.shape} and dtype {value.dtype}")
        return SparseSpec(kind, value.dtype.str, tuple(n == 1 for n in value.shape))
    if kind.__module__.startswith("scipy.interpolate.") and kind.__name__ in SPLINES:
        return SplineSpec(kind, value.c.ndim - (1 if kind.__name__ == "BSpline" else 2))
    return None


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


def is_named_tuple(value: Any) -> bool:
    return isinstance(value, tuple) and hasattr(value, "_fields") and hasattr(value, "_make")


def members(thing: Any) -> dict[str, Any]:
    """The data that an object holds itself, in its `__dict__` and its slots."""
    found = dict(getattr(thing, "__dict__", ()))
    found |= {name: getattr(thing, name) for name in slots_of(type(thing)) if hasattr(thing, name)}
    return {name: value for name, value in found.items() if name.isidentifier()}


_SLOTS: dict[type, tuple[str, ...]] = {}


def slots_of(kind: type) -> tuple[str, ...]:
    """The names that a class and those it inherits from keep in slots."""
    if kind not in _SLOTS:
        _SLOTS[kind] = tuple(_slots(kind))
    return _SLOTS[kind]


def _slots(kind: type) -> Iterator[str]:
    for each in kind.__mro__:
        slots = vars(each).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name not in ("__dict__", "__weakref__"):
                yield name


def _attributes(thing: Any, wanted: Wanted, path: Path, at_home: AtHome | None) -> tuple[tuple[str, Spec], ...]:
    """The attributes with something to differentiate in them; of the rest nothing is asked."""
    if at_home is not None and not at_home(thing, path):
        return ()
    found = []
    for name, value in members(thing).items():
        spec = _part(value, wanted, (*path, f".{name}"), at_home)
        if spec is not None:
            found.append((name, spec))
    return tuple(found)


def _part(value: Any, wanted: Wanted, path: Path, at_home: AtHome | None) -> Spec | None:
    """What is inside an object, if there is anything to differentiate in it."""
    if wanted is not True and not any(each[: len(path)] == path for each in wanted or ()):
        return None
    kind = type(value)
    if isinstance(value, Parameter):
        if at_home is not None and not at_home(value, path):
            return None
        return InstanceSpec(kind, (("data", describe(value.data)),))
    if kind in (list, tuple) or is_named_tuple(value):
        inside = [_part(item, wanted, (*path, i), at_home) for i, item in enumerate(value)]
        whole = tuple(spec or OpaqueSpec(type(item)) for spec, item in zip(inside, value))
        return SequenceSpec(kind, whole) if any(inside) else None
    if kind is dict and all(type(key) in (str, int) for key in value):
        inside = [_part(item, wanted, (*path, key), at_home) for key, item in value.items()]
        whole = tuple(spec or OpaqueSpec(type(item)) for spec, item in zip(inside, value.values()))
        return DictSpec(tuple(value), whole) if any(inside) else None
    try:
        spec = describe(value, wanted, path, at_home)
    except UnknownArgument:
        return None
    if isinstance(spec, InstanceSpec):
        return spec if spec.attrs else None
    return spec if isinstance(spec, (ArraySpec, NumberSpec)) and np.dtype(spec.dtype).kind in "fc" else None


def is_instance(value: Any) -> bool:
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
    elif isinstance(spec, InstanceSpec) and spec.attrs:
        for attr, item in spec.attrs:
            yield from leaves(item, (*path, f".{attr}"))
    else:
        yield path, spec


def _end_of(spec: Spec, path: Path) -> Spec | None:
    """What is at the end of a path, if there is something."""
    for step in path:
        parts: dict[str | int, Spec] = {}
        if isinstance(spec, SequenceSpec):
            parts = dict(enumerate(spec.items))
        elif isinstance(spec, DictSpec):
            parts = dict(zip(spec.keys, spec.items))
        elif isinstance(spec, InstanceSpec):
            parts = {f".{attr}": item for attr, item in spec.attrs}
        if step not in parts:
            return None
        spec = parts[step]
    return spec


def differentiated(spec: Spec, wanted: Path | None) -> list[tuple[Path, Spec]]:
    """The leaves that are differentiated: the one wanted, or all but those that are carried along as they are.

    Strings, None and functions in containers are carried along, and whatever is no float inside an object.
    """
    if wanted is not None:
        found = _end_of(spec, wanted)
        return [(wanted, each) for path, each in (leaves(found) if found is not None else ()) if not path]
    return [(path, each) for path, each in leaves(spec) if not _carried(path, each)]


def _carried(path: Path, spec: Spec) -> bool:
    if not path:
        return False
    if isinstance(spec, StaticSpec):
        return not isinstance(spec.value, bool) or inside(path)
    if isinstance(spec, (ArraySpec, NumberSpec)):
        return inside(path) and np.dtype(spec.dtype).kind not in "fc"
    return True


def inside(path: Path) -> bool:
    """Whether a path leads into an object."""
    return any(isinstance(step, str) and step.startswith(".") for step in path)


def path_text(name: str, path: Path) -> str:
    """`params['w'][0]`: the expression that reads a leaf; a step that starts with a dot is an attribute."""
    steps = (step if isinstance(step, str) and step.startswith(".") else f"[{step!r}]" for step in path)
    return name + "".join(steps)


def leaf_name(name: str, path: Path) -> str:
    """`params["w1"]` as w1, `layers[0]["w"]` as w_0, `self.conv.w.data` of a Parameter as conv_w."""
    if not path:
        return name
    words: list[str] = []  # the way from the last item of a list, or to it
    numbers: list[str] = []
    after = False
    for step in path[:-1] if path[-1] == ".data" and len(path) > 1 else path:
        if isinstance(step, int):
            words, numbers, after = words[-1:], [*numbers, str(step)], True
        else:
            words, after = [*([] if after else words), re.sub(r"\W+", "_", step).strip("_")], False
    word = "_".join(filter(None, words))
    word = word if word.isidentifier() and word != name else name
    parts = [word, *numbers]
    return "_".join(parts) if word != name or numbers else f"{name}_part"


def attribute_name(path: Path) -> str:
    """`.norm.weight.data`, of an object's Parameter, as norm_weight; `.layers[0].w` as layers_0_w."""
    steps = path[:-1] if path[-1:] == (".data",) and len(path) > 1 else path
    words = [re.sub(r"\W+", "_", str(step)).strip("_") for step in steps]
    name = "_".join(word for word in words if word)
    return name if name.isidentifier() else f"part_{name}".strip("_")


def predicate(name: str, spec: Spec, constants: dict[str, Any]) -> list[str]:
    """Conditions, as Python text over the argument's name, under which a value has this signature.

    Objects that have no literal are put into `constants`, under names that the text uses.
    """

    def const(value: Any) -> str:
        known = next((key for key, each in constants.items() if each is value and key.startswith("_c")), None)
        key = known or f"_c{len(constants)}"
        constants[key] = value
        return key

    def bound(text: str) -> tuple[str, str]:
        """An expression to read a value once, and the name that it has from then on."""
        if text.isidentifier():
            return text, text
        short = f"_v_{re.sub(r'[^0-9a-zA-Z]+', '_', text)}_{len(constants)}"
        return f"({short} := {text})", short

    match spec:
        case ArraySpec(dtype, ones, namespace):
            first, name = bound(name)
            tests = [
                f"_type({first}) is {'_ndarray' if namespace == 'numpy' else const(cupy_ndarray())}",
                f"{name}.dtype == {const(np.dtype(dtype))}",
                f"{name}.ndim == {len(ones)}",
            ]
            if any(ones):
                tests += [f"{name}.shape[{i}] {'==' if one else '!='} 1" for i, one in enumerate(ones)]
            elif ones:
                tests.append(f"1 not in {name}.shape")
        case NumberSpec(dtype, python):
            kind = const({"f": float, "i": int, "c": complex}[np.dtype(dtype).kind] if python else np.dtype(dtype).type)
            tests = [f"_type({name}) is {kind}"]
        case StaticSpec(value):
            exact = value is None or isinstance(value, bool) or value is Ellipsis
            same = f"_type({name}) is {const(type(value))}"
            tests = [f"{name} is {const(value)}"] if exact else [same, f"{name} == {const(value)}"]
        case IdentitySpec(_, thing):
            tests = [f"{name} is {const(thing)}"]
        case SparseSpec(kind_, dtype, ones):
            first, name = bound(name)
            tests = [f"_type({first}) is {const(kind_)}", f"{name}.dtype == {const(np.dtype(dtype))}"]
            tests += [f"{name}.shape[{i}] {'==' if one else '!='} 1" for i, one in enumerate(ones)]
        case SplineSpec(kind_, axes):
            first, name = bound(name)
            extra = 1 if kind_.__name__ == "BSpline" else 2
            tests = [f"_type({first}) is {const(kind_)}", f"{name}.c.ndim == {axes + extra}"]
        case OpaqueSpec(kind_):
            tests = [f"_type({name}) is {const(kind_)}"]
        case InstanceSpec(kind_, attrs):
            first, name = bound(name) if attrs else (name, name)
            tests = [f"_type({first}) is {const(kind_)}"]
            for attr, item in attrs:
                tests += predicate(f"{name}.{attr}", item, constants)
        case SequenceSpec(kind_, items):
            tests = [f"_type({name}) is {const(kind_)}", f"_len({name}) == {len(items)}"]
            for i, item in enumerate(items):
                tests += predicate(f"{name}[{i}]", item, constants)
        case DictSpec(keys, items):
            tests = [f"_type({name}) is {const(dict)}", f"_tuple({name}) == {const(keys)}"]
            for key, item in zip(keys, items):
                tests += predicate(f"{name}[{key!r}]", item, constants)
    return tests

"""Abstract values: what the interpreter computes with while it reads a function.

An array or number that only running reveals is an IR `Value`; a number written in the source is a `Const`; containers
are Python's own, holding abstract values; everything else that is known now (strings, functions, modules) stands for
itself.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from ..errors import Unsupported
from ..ir.nodes import Const, Undefined, Value
from ..ir.types import Array


@dataclass(frozen=True)
class Poison:
    """A name whose value is not certain here; reading it is an error that says why."""

    why: str
    way_out: str = ""
    loop: tuple[str, int, int] | None = None  # the loop that would have to be written out for it to be certain


@dataclass(eq=False)
class Maybe:
    """A variable that some path to here has not assigned: reading it checks, unless `sure()` proves that it is."""

    value: Any
    sure: Callable[[], bool] = lambda: False


def assigned_part(value: Any) -> Any:
    """A variable's value, where it has one."""
    return value.value if isinstance(value, Maybe) else value


@dataclass(eq=False)
class Closure:
    """A function defined inside the function being read."""

    node: ast.FunctionDef | ast.Lambda
    frame: Any
    defaults: dict[str, Any]
    name: str


@dataclass(eq=False)
class BoundMethod:
    """`x.sum`, before it is called."""

    receiver: Any
    name: str


@dataclass(eq=False)
class Partial:
    """`functools.partial(...)`, made by the function being read."""

    function: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Taken:
    """`grad(f)` inside the function being read; `which` names or numbers the arguments to differentiate."""

    mode: str  # "grad", "value_and_grad", "jvp", "hvp"
    function: Any
    which: tuple[int | str, ...]
    single: bool = True
    aux: bool = False


@dataclass(eq=False)
class Instance:
    """An object of a user's class; `route` leads to it, and `path` too where it is an argument or inside of one."""

    object: Any
    route: tuple[tuple[str, Any], ...]
    path: tuple[str | int, ...] = ()
    depth: tuple[int, ...] = ()
    assigned: dict[str, Any] = field(default_factory=dict)  # attributes that the function has set


@dataclass(eq=False)
class Record:
    """An object that the function itself has made; `depth` is the control flow it was made in."""

    kind: type
    attrs: dict[str, Any]
    depth: tuple[int, ...] = ()


@dataclass(eq=False)
class Super:
    """`super()`: an object seen from behind one of its classes."""

    thing: Any
    after: type


@dataclass(eq=False)
class ListValue:
    """A list; `depth` is the control flow it was made in, which tells whether it may change.

    `foreign` is the caller's name for a list that is an argument or a global. `place` is where it was made; where a
    loop fills it, `rows` are the arrays that hold its items.
    """

    items: list[Any]
    depth: tuple[int, ...] = ()
    foreign: str = ""
    place: tuple[str, int, int] = ("", 0, 0)
    rows: Any = None


@dataclass(eq=False)
class DictValue:
    items: dict[Any, Any] = field(default_factory=dict)
    depth: tuple[int, ...] = ()
    foreign: str = ""
    place: tuple[str, int, int] = ("", 0, 0)
    rows: Any = None


@dataclass(eq=False)
class Flat:
    """`a.flat`."""

    array: Value


class Outputs(tuple[Any, ...]):
    """The results of a function whose parts have names: `np.linalg.svd(x).S`."""

    fields: tuple[str, ...]

    def __new__(cls, items: tuple[Any, ...], fields: tuple[str, ...]) -> Outputs:
        made = super().__new__(cls, items)
        made.fields = fields
        return made


FIELDS = {
    "np.linalg.slogdet": ("sign", "logabsdet"),
    "np.linalg.svd": ("U", "S", "Vh"),
    "np.linalg.qr": ("Q", "R"),
    "np.linalg.eigh": ("eigenvalues", "eigenvectors"),
    "np.linalg.eig": ("eigenvalues", "eigenvectors"),
}


@dataclass(frozen=True)
class Segments:
    """How a loop is checkpointed: in how many segments, each in segments again; None for as many as passes in one.

    With a binomial schedule, `slots` is how many states are kept at any time.
    """

    slots: int | None
    levels: int = 1
    binomial: bool = False


@dataclass(eq=False)
class RangeValue:
    """`range(...)` with bounds that may be known only while running."""

    start: Any
    stop: Any
    step: Any
    segments: Segments | None = None


@dataclass(eq=False)
class Iteration:
    """enumerate, zip, reversed: how a loop walks over its parts."""

    kind: str
    parts: tuple[Any, ...]
    start: Any = None


def is_number(value: Any) -> bool:
    return isinstance(value, (Value, Const)) and isinstance(value.type, Array)


def flatten(value: Any) -> tuple[list[Any], Callable[[list[Any]], Any]]:
    """The IR leaves of an abstract value, and the function that puts new leaves into its structure."""
    if isinstance(value, (Value, Const, Undefined)):
        return [value], lambda leaves: leaves[0]
    if isinstance(value, Maybe):
        leaves, rebuild = flatten(value.value)
        return leaves, lambda new: Maybe(rebuild(new), value.sure)
    if isinstance(value, tuple):
        return _flatten_items(list(value), lambda items: like_tuple(value, items))
    if isinstance(value, Record):
        names = list(value.attrs)
        return _flatten_items(
            list(value.attrs.values()), lambda new: Record(value.kind, dict(zip(names, new)), value.depth)
        )
    if isinstance(value, (ListValue, DictValue)) and value.rows is not None:
        return [], lambda leaves: value
    if isinstance(value, ListValue):
        return _flatten_items(value.items, lambda items: replace(value, items=items))
    if isinstance(value, DictValue):
        keys = list(value.items)
        items = list(value.items.values())
        return _flatten_items(items, lambda new: replace(value, items=dict(zip(keys, new))))
    return [], lambda leaves: value


def like_tuple(value: Any, items: list[Any]) -> Any:
    """Items as a tuple, or as a named tuple of the same class."""
    return type(value)._make(items) if hasattr(value, "_make") else tuple(items)


def _flatten_items(
    items: list[Any], rebuild: Callable[[list[Any]], Any]
) -> tuple[list[Any], Callable[[list[Any]], Any]]:
    parts = [flatten(item) for item in items]
    counts = [len(leaves) for leaves, _ in parts]

    def build(leaves: list[Any]) -> Any:
        built, at = [], 0
        for count, (_, make) in zip(counts, parts):
            built.append(make(leaves[at : at + count]))
            at += count
        return rebuild(built)

    return [leaf for leaves, _ in parts for leaf in leaves], build


def copied(value: Any, depth: tuple[int, ...]) -> Any:
    """What a call has returned, in containers of its own, which may change in the control flow at `depth`."""
    match value:
        case tuple():
            return like_tuple(value, [copied(item, depth) for item in value])
        case ListValue():
            return ListValue([copied(item, depth) for item in value.items], depth)
        case DictValue():
            return DictValue({key: copied(item, depth) for key, item in value.items.items()}, depth)
        case Record():
            return Record(value.kind, {name: copied(item, depth) for name, item in value.attrs.items()}, depth)
    return value


def same_structure(a: Any, b: Any) -> bool:
    """Whether two abstract values differ in IR leaves alone."""
    a, b = assigned_part(a), assigned_part(b)
    if isinstance(a, (Value, Const, Undefined)) and isinstance(b, (Value, Const, Undefined)):
        return True
    if type(a) is not type(b):
        return False
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(same_structure, a, b))
    if isinstance(a, Record):
        alike = a.kind is b.kind and list(a.attrs) == list(b.attrs)
        return alike and all(map(same_structure, a.attrs.values(), b.attrs.values()))
    if isinstance(a, (ListValue, DictValue)) and (a.rows is not None or b.rows is not None):
        return a.rows is b.rows
    if isinstance(a, ListValue):
        return len(a.items) == len(b.items) and all(map(same_structure, a.items, b.items))
    if isinstance(a, DictValue):
        return list(a.items) == list(b.items) and all(map(same_structure, a.items.values(), b.items.values()))
    try:
        return a is b or bool(a == b)
    except Exception:
        return False


def lift(value: Any) -> Any:
    """An abstract value with its Python bools as IR constants, where another path may give another truth value."""
    if isinstance(value, bool):
        return Const(value)
    if isinstance(value, Maybe):
        return Maybe(lift(value.value), value.sure)
    if isinstance(value, tuple):
        return like_tuple(value, [lift(item) for item in value])
    if isinstance(value, Record):
        return Record(value.kind, {name: lift(item) for name, item in value.attrs.items()}, value.depth)
    if isinstance(value, (ListValue, DictValue)) and value.rows is not None:
        return value
    if isinstance(value, ListValue):
        return replace(value, items=[lift(item) for item in value.items])
    if isinstance(value, DictValue):
        return replace(value, items={key: lift(item) for key, item in value.items.items()})
    return value


def unassigned(value: Any) -> Any:
    """What a variable is on the paths that do not assign it, where others make it like this value."""
    leaves, rebuild = flatten(lift(assigned_part(value)))
    return rebuild([Undefined(_undetermined(leaf.type)) for leaf in leaves])


def _undetermined(type: Any) -> Any:
    return replace(type, dim=None) if isinstance(type, Array) else type


def sequence(value: Any) -> list[Any]:
    """The items of a container known now."""
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, (ListValue, DictValue)):
        return list(value.items)
    if isinstance(value, (list, dict, str, set, frozenset)):
        return list(value)
    raise Unsupported(f"{describe(value)} where a sequence is needed")


def describe(value: Any) -> str:
    """An abstract value in an error message."""
    if isinstance(value, Value):
        return f"a value of type {value.type}"
    if isinstance(value, Const):
        return f"the number {value!r}"
    if isinstance(value, Partial):
        return "a function with some of its arguments given"
    if isinstance(value, Closure):
        return f"the function `{value.name}`"
    if isinstance(value, Instance):
        return f"an object of type {type(value.object).__qualname__}"
    if isinstance(value, Record):
        return f"an object of type {value.kind.__qualname__}"
    words = {
        "ListValue": "a list",
        "DictValue": "a dict",
        "tuple": "a tuple",
        "str": "a string",
        "NoneType": "None",
    }
    words |= {
        "RangeValue": "a range",
        "Flat": "a flat iterator",
        "BoundMethod": "a method",
        "bool": f"{value}",
        "function": "a function",
        "Taken": "a derivative",
    }
    return words.get(type(value).__name__, f"an object of type {type(value).__name__}")


def parts_of(value: Any, seen: set[int]) -> list[Any]:
    """What an abstract value holds, one level down; the frames of functions only if their ids are not in `seen`."""
    match value:
        case tuple():
            return list(value)
        case ListValue() | DictValue() if value.rows is not None:
            return list(value.rows.arrays)
        case ListValue():
            return value.items
        case DictValue():
            return list(value.items.values())
        case Record():
            return list(value.attrs.values())
        case Instance():
            return list(value.assigned.values())
        case BoundMethod():
            return [value.receiver]
        case Partial():
            return [value.function, *value.args, *value.kwargs.values()]
        case Iteration():
            return list(value.parts)
        case Maybe():
            return [value.value]
        case Closure():
            parts = list(value.defaults.values())
            frame = value.frame
            while frame is not None and id(frame) not in seen:
                parts += frame.env.values()
                frame = frame.parent
            return parts
    return []

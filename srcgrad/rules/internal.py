"""Operations that have no NumPy function of their own: indexing, casts, lengths, and control flow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.dims import Dim, Facts, as_dim
from ..ir.indexing import fill_slots, getitem_type, is_basic, rearranges
from ..ir.nodes import Slot
from ..ir.primitive import Primitive, named, register
from ..ir.symbolic import Sym, apply, split_index
from ..ir.symbolic import _atom as as_atom
from ..ir.types import INT, Array, Type
from .registry import CASES, Case


def _no_infer(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    raise AssertionError("control flow is appended with its types")


IF, FOR, WHILE = (
    register(Primitive(name=name, fn=None, infer=_no_infer, kind="control")) for name in ("if", "for", "while")
)


# A number that the user gave a name, and a length that shapes determine
def _constant_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    (type,) = types
    assert isinstance(type, Array)
    dim = as_dim(attrs["integer"]) if "integer" in attrs else None
    return replace(type, dim=dim)


CONSTANT = register(
    Primitive("constant", fn=lambda x, **_: x, infer=_constant_type, operands=("x",), kind="constant", cheap=True)
)


def _dim_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    return replace(INT, dim=attrs["dim"])


DIM = register(Primitive("dim", fn=lambda dim: dim, infer=_dim_type, kind="constant", cheap=True))


# Casts and broadcasts
def _astype_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    assert isinstance(types[0], Array)
    return Array(np.dtype(attrs["dtype"]), types[0].axes)


ASTYPE = register(
    Primitive(
        "astype",
        fn=lambda x, dtype: np.asarray(x, dtype)[()] if np.ndim(x) == 0 else np.asarray(x).astype(dtype),
        infer=_astype_type,
        operands=("x",),
        keywords=("dtype",),
        kind="linear",
        partials=(lambda d, y, x, *, dtype: d,),  # the reverse transform casts back to the operand's dtype
        looked_at=frozenset({"dtype"}),
    )
)


def _to_shape(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    assert isinstance(types[0], Array)
    return Array(types[0].dtype, tuple(as_dim(n) for n in attrs["shape"]))


BROADCAST = register(
    Primitive(
        "broadcast",
        fn=lambda x, shape: np.broadcast_to(x, shape),
        infer=_to_shape,
        operands=("x",),
        keywords=("shape",),
        kind="linear",
        partials=(lambda d, y, x, *, shape: unbroadcast(d, x),),
        looked_at=frozenset({"shape"}),
        view=True,
    )
)


def _same_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    assert isinstance(types[0], Array)
    return replace(types[0], axes=attrs["type"].axes, dim=None, count=None)


# A value on one of the paths that meet: there its lengths are known better. Nothing is computed.
SAME = register(
    Primitive(
        "same",
        fn=lambda x, type: x,
        infer=_same_type,
        operands=("x",),
        keywords=("type",),
        kind="linear",
        partials=(lambda d, y, x, *, type: same(d, x.type),),
        looked_at=frozenset({"type"}),
        view=True,
        cheap=True,
    )
)


def same(d: Any, type: Array) -> Any:
    """`d` as a value with the axes of `type`, which it is known to have here."""
    if not isinstance(d, Sym) or d.builder.facts.same_axes(d.type.axes, type.axes):
        return d
    (value,) = d.builder.apply(SAME, [d.atom], {"type": replace(d.type, axes=type.axes, dim=None, count=None)})
    return Sym(d.builder, value)


def _zeros_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    return Array(np.dtype(attrs["dtype"]), tuple(as_dim(n) for n in attrs["shape"]))


ZEROS = register(
    Primitive(
        "zeros",
        fn=lambda shape, dtype: np.zeros(shape, dtype),
        infer=_zeros_type,
        keywords=("shape", "dtype"),
        kind="constant",
        cheap=True,
    )
)


def broadcast(x: Any, shape: Sequence[Any]) -> Any:
    """`x` repeated to `shape`."""
    if not isinstance(x, Sym):
        return np.broadcast_to(x, tuple(shape))
    facts = x.builder.facts
    target = tuple(as_dim(dim) for dim in shape)
    if facts.same_axes(x.type.axes, target):
        return x
    extra = len(target) - x.ndim
    if x.ndim and extra and facts.same_axes(x.type.axes, target[extra:]) and all(map(facts.is_one, target[:extra])):
        return np.expand_dims(x, tuple(range(extra)) if extra > 1 else 0)
    (value,) = x.builder.apply(BROADCAST, [x.atom], {"shape": target})
    return Sym(x.builder, value)


def unbroadcast(d: Any, like: Any) -> Any:
    """Sum `d` back to the axes of `like`: the transpose of broadcasting."""
    if not isinstance(d, Sym):
        extra = tuple(range(np.ndim(d) - np.ndim(like)))
        d = np.sum(d, axis=extra)
        ones = tuple(i for i, n in enumerate(np.shape(like)) if n == 1 and d.shape[i] != 1)
        return np.sum(d, axis=ones, keepdims=True) if ones else d
    facts, axes = d.builder.facts, like.type.axes
    surplus = d.ndim - len(axes)
    if surplus and not axes:
        return np.sum(d)
    if surplus:
        d = np.sum(d, axis=tuple(range(surplus)) if surplus > 1 else 0)
    stretched = [i for i, dim in enumerate(axes) if facts.is_one(dim) and not facts.is_one(d.type.axes[i])]
    if stretched:
        d = np.sum(d, axis=tuple(stretched) if len(stretched) > 1 else stretched[0], keepdims=True)
    return d


def eye(like: Any, rows: Any, dtype: Any, columns: Any = None, k: int = 0) -> Any:
    """`np.eye` beside `like`: ones on a diagonal; the dtype is written only where it is not NumPy's own choice."""
    square = columns is None or columns == rows
    sizes = (rows,) if square else (rows, columns)
    options: dict[str, Any] = {"k": k} if k else {}
    if dtype != np.float64:
        options["dtype"] = dtype
    return apply(like.builder, np.eye, sizes, options) if isinstance(like, Sym) else np.eye(*sizes, **options)


def arange(like: Any, length: Any) -> Any:
    return apply(like.builder, np.arange, (length,), {}) if isinstance(like, Sym) else np.arange(length)


def conj(x: Any) -> Any:
    """The complex conjugate; real numbers as they are."""
    return np.conj(x) if x.dtype.kind == "c" else x


def called(function: Any, *args: Any, **attrs: Any) -> Any:
    """`function(*args)` inside a formula, for functions that do not hand themselves over to symbols."""
    builder = next((arg.builder for arg in args if isinstance(arg, Sym)), None)
    return function(*args, **attrs) if builder is None else apply(builder, function, args, attrs)


# Indexing
def _getitem_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    if not isinstance(types[0], Array) or types[0].weak:
        raise Unsupported(f"{types[0]} cannot be indexed")
    return getitem_type(facts, types[0], attrs["index"], types[1:])


def _index_add(base: Any, d: Any, *dynamic: Any, index: Any) -> Any:
    result = np.array(base)
    np.add.at(result, fill_slots(index, dynamic), d)
    return result


def _index_set(base: Any, value: Any, *dynamic: Any, index: Any) -> Any:
    result = np.array(base)
    result[fill_slots(index, dynamic)] = value
    return result


def _base_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    assert isinstance(types[0], Array)
    return replace(types[0], count=None)


def _take(d: Sym, dynamic: Sequence[Any], index: Any, like: Any) -> Any:
    """`d[index]`, summed back where `like` was broadcast into the selection."""
    atoms = [d.atom, *(item.atom for item in dynamic)]
    (value,) = d.builder.apply(named("getitem"), atoms, {"index": index}, style="operator")
    return unbroadcast(Sym(d.builder, value), like)


def _cleared(d: Sym, dynamic: Sequence[Any], index: Any) -> Sym:
    atoms = [d.atom, as_zero(d), *(item.atom for item in dynamic)]
    (value,) = d.builder.apply(INDEX_SET, atoms, {"index": index})
    return Sym(d.builder, value)


def as_zero(d: Sym) -> Any:
    from ..ir.nodes import Const

    return Const(0j if d.dtype.kind == "c" else 0.0)


def rearranged(d: Any, index: Any) -> Any:
    """The transpose of an index of full slices, reversed ones and new axes."""
    entries = list(index) if isinstance(index, tuple) else [index]
    if Ellipsis not in entries:
        entries.append(Ellipsis)
    at, after = entries.index(Ellipsis), len(entries) - 1 - entries.index(Ellipsis)
    full = [*entries[:at], *[slice(None)] * (d.ndim - at - after), *entries[at + 1 :]]
    new = [i for i, entry in enumerate(full) if entry is None]
    if new:
        d = np.squeeze(d, axis=tuple(new) if len(new) > 1 else new[0])
    kept = [entry for entry in full if entry is not None]
    while kept and kept[-1].step != -1:
        kept.pop()
    return d if not kept else d[tuple(kept) if len(kept) > 1 else kept[0]]


def _scatter(d: Sym, y: Any, x: Sym, *dynamic: Sym, index: Any) -> Any:
    """Used where no accumulator exists; the reverse transform adds into an existing one by itself."""
    if rearranges(index):
        return rearranged(d, index)
    return scatter_add(zeros(d.builder, x.type), d, [item.atom for item in dynamic], index)


def like(x: Any, shape: Sequence[Any]) -> Any:
    """Zeros beside `x`, of its dtype and another shape."""
    return (
        zeros(x.builder, Array(x.dtype, tuple(as_dim(n) for n in shape)))
        if isinstance(x, Sym)
        else np.zeros(shape, x.dtype)
    )


def zeros(builder: Any, type: Array) -> Sym:
    (value,) = builder.apply(ZEROS, [], {"shape": type.axes, "dtype": type.dtype})
    return Sym(builder, value)


def set_at(base: Any, value: Any, index: Any) -> Any:
    """A new version of `base` with `base[index] = value`."""
    if not isinstance(base, Sym):
        return _index_set(base, value, index=index)
    template, dynamic = split_index(index)
    atoms = [as_atom(base.builder, item) for item in (base, value, *dynamic)]
    (result,) = base.builder.apply(INDEX_SET, atoms, {"index": template})
    return Sym(base.builder, result)


def placed(x: Any, d: Any, index: Any) -> Any:
    """Zeros like `x` with `d` set at the index: the transpose of `x[index]` where no element is selected twice."""
    return set_at(zeros(x.builder, x.type) if isinstance(x, Sym) else np.zeros_like(x), d, index)


def scatter(x: Any, d: Any, index: Any) -> Any:
    """Zeros like `x` with `d` added at the index: the transpose of `x[index]`."""
    return add_at(zeros(x.builder, x.type) if isinstance(x, Sym) else np.zeros_like(x), d, index)


def add_at(base: Any, d: Any, index: Any) -> Any:
    """A new version of `base` with `d` added at the index; elements selected twice receive both."""
    if not isinstance(base, Sym):
        return _index_add(base, d, index=index)
    template, dynamic = split_index(index)
    return scatter_add(base, d, [as_atom(base.builder, item) for item in dynamic], template)


def scatter_add(base: Sym, d: Sym, dynamic: Sequence[Any], index: Any) -> Sym:
    """A new version of `base` with `d` added at the index; elements selected twice receive both."""
    (value,) = base.builder.apply(INDEX_ADD, [base.atom, d.atom, *dynamic], {"index": index})
    return Sym(base.builder, value)


GETITEM = register(
    Primitive(
        "getitem",
        fn=lambda x, *dynamic, index: x[fill_slots(index, dynamic)],
        infer=_getitem_type,
        operands=("x", "*dynamic"),
        keywords=("index",),
        kind="linear",
        partials=(_scatter, None),
        looked_at=frozenset({"index"}),
        view=True,
        cheap=True,
    )
)
INDEX_ADD = register(
    Primitive(
        "index_add",
        fn=_index_add,
        infer=_base_type,
        operands=("base", "d", "*dynamic"),
        keywords=("index",),
        kind="linear",
        partials=(
            lambda d, y, base, v, *dynamic, index: d,
            lambda d, y, base, v, *dynamic, index: _take(d, dynamic, index, v),
            None,
        ),
        looked_at=frozenset({"index"}),
    )
)
INDEX_SET = register(
    Primitive(
        "index_set",
        fn=_index_set,
        infer=_base_type,
        operands=("base", "value", "*dynamic"),
        keywords=("index",),
        kind="linear",
        partials=(
            lambda d, y, base, v, *dynamic, index: _cleared(d, dynamic, index),
            lambda d, y, base, v, *dynamic, index: _take(d, dynamic, index, v),
            None,
        ),
        looked_at=frozenset({"index"}),
    )
)

for _prim in (CONSTANT, DIM, ASTYPE, BROADCAST, SAME, ZEROS, GETITEM, INDEX_ADD, INDEX_SET):
    CASES.setdefault(_prim, [])
_INDICES: list[tuple[tuple[int, ...], Any, list[Any]]] = [
    ((4, 3), 1, []),
    ((4, 3), (slice(1, None), -1), []),
    ((4, 3), (Ellipsis, None, slice(None, None, -1)), []),
    ((4, 3), slice(None, None, -1), []),
    ((4, 3), (slice(None), None), []),
    ((4,), (None, slice(None, None, -1), None), []),
    ((4, 3), Ellipsis, []),
    ((5,), slice(None, -2), []),
    ((5,), slice(1, 4, 2), []),
    ((4, 3), Slot(1), [lambda rng: np.array([0, 2, 2])]),
    ((4, 3), (slice(None), Slot(1)), [lambda rng: np.array([[0, 2], [1, 2]])]),
    ((4, 3), (Slot(1), Slot(2)), [lambda rng: np.arange(4), lambda rng: rng.integers(0, 3, 4)]),
    ((4,), Slot(1), [2]),
]
CASES[GETITEM] = [Case(shape, *dynamic, index=index) for shape, index, dynamic in _INDICES] + [
    Case((4, 3), lambda rng: rng.random((4, 3)) < 0.5, index=Slot(1), unknown=True),
    Case((4, 3), lambda rng: rng.random(4) < 0.5, index=Slot(1), unknown=True),
]
_WRITES = [
    Case((4, 3), (3,), index=1),
    Case((4, 3), (3, 3), index=slice(1, None)),
    Case((4, 3), (3,), index=slice(1, None)),
    Case((4, 3), (), index=(slice(None), 0)),
    Case((4, 3), (3,), lambda rng: rng.random(4) < 0.5, index=Slot(1)),
    Case((4, 3), (), lambda rng: rng.random((4, 3)) < 0.5, index=Slot(1)),
]
CASES[INDEX_SET] = _WRITES
CASES[INDEX_ADD] = [
    *_WRITES,
    Case((4, 3), (3, 3), lambda rng: np.array([0, 2, 2]), index=Slot(1)),
    Case((4, 3), (3,), lambda rng: np.array([0, 2, 2]), index=Slot(1)),
]
CASES[BROADCAST] = [Case((3,), shape=(2, 3)), Case((2, 1), shape=(2, 3))]
CASES[SAME] = [Case((3,), type=Array(np.dtype(float), (as_dim(3),)))]
CASES[ASTYPE] = [Case((3,), dtype=np.dtype("f8"))]

__all__ = ["Dim", "broadcast", "is_basic", "scatter_add", "unbroadcast", "zeros"]

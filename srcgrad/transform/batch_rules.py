"""Operations on operands with a leading axis for several directions, each in the terms of the operation itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import Unsupported
from ..ir.nodes import Atom, Op, Value
from ..ir.primitive import named
from ..ir.types import Array

if TYPE_CHECKING:
    from .batch import Batch

_ALL = slice(None)

Rule = Callable[["Batch", Op], Sequence[Value]]


def rank_of(atom: Atom) -> int:
    assert isinstance(atom.type, Array)
    return atom.type.ndim


def rule_of(op: Op) -> Rule | None:
    if op.prim.elementwise:
        return _elementwise if not op.prim.named else None
    return _RULES.get(op.prim.name)


def _elementwise(b: Batch, op: Op) -> Sequence[Value]:
    """Broadcasting aligns the last axes, so that an operand with fewer than the result needs more behind the first."""
    arity = op.prim.arity(op.attrs)
    ndim = rank_of(op.output)
    return b.apply(op, [b.widened(atom, ndim) for atom in op.inputs[:arity]])


def _as_it_is(b: Batch, op: Op) -> Sequence[Value]:
    return b.apply(op, [b.read(atom) for atom in op.inputs])


def _only(op: Op, *known: str) -> None:
    if set(op.attrs) - set(known):
        raise Unsupported(f"{op.prim.name} with other keywords for several directions at once")


def _moved(axis: Any, ndim: int, every: Any) -> Any:
    """Axes counted from the front, one further back; `every` stands for None."""
    if axis is None:
        return every
    if isinstance(axis, tuple):
        return tuple(a % ndim + 1 for a in axis)
    return axis % ndim + 1


def _over_all(b: Batch, op: Op) -> Sequence[Value]:
    """A reduction: over all axes but the leading one."""
    _only(op, "axis", "keepdims")
    ndim = rank_of(op.inputs[0])
    if ndim == 0:
        return [b.call(np.copy, b.read(op.inputs[0]))]
    axis = _moved(op.attrs.get("axis"), ndim, tuple(range(1, ndim + 1)) if ndim > 1 else 1)
    return b.apply(op, [b.read(op.inputs[0])], {**op.attrs, "axis": axis})


def _along(b: Batch, op: Op) -> Sequence[Value]:
    """Something done along one axis, or along the only one."""
    _only(op, "axis", "shift", "n")
    ndim = rank_of(op.inputs[0])
    if op.attrs.get("axis") is None and ndim != 1:
        raise Unsupported(f"{op.prim.name} of a flattened array for several directions at once")
    axis = _moved(op.attrs.get("axis", -1 if op.prim.name == "np.diff" else None), ndim, 1)
    return b.apply(op, [b.read(atom) for atom in op.inputs], {**op.attrs, "axis": axis})


def _transpose(b: Batch, op: Op) -> Sequence[Value]:
    _only(op, "axes")
    ndim = rank_of(op.inputs[0])
    axes = op.attrs.get("axes") or tuple(range(ndim))[::-1]
    if ndim == 2 and tuple(a % 2 for a in axes) == (1, 0):
        return [b.call(np.swapaxes, b.read(op.inputs[0]), axis1=1, axis2=2)]
    return b.apply(op, [b.read(op.inputs[0])], {"axes": (0, *_moved(tuple(axes), ndim, ()))})


def _two_axes(b: Batch, op: Op) -> Sequence[Value]:
    """np.swapaxes and np.moveaxis."""
    ndim = rank_of(op.inputs[0])
    return b.apply(op, [b.read(op.inputs[0])], {name: _moved(axis, ndim, None) for name, axis in op.attrs.items()})


def _reshape(b: Batch, op: Op) -> Sequence[Value]:
    _only(op, "shape")
    assert isinstance(op.output.type, Array)
    return b.apply(op, [b.read(op.inputs[0])], {"shape": (b.rows, *op.output.type.axes)})


def _ravel(b: Batch, op: Op) -> Sequence[Value]:
    _only(op)
    assert isinstance(op.output.type, Array)
    return [b.call(np.reshape, b.read(op.inputs[0]), shape=(b.rows, *op.output.type.axes))]


def _expand_dims(b: Batch, op: Op) -> Sequence[Value]:
    axis = _moved(op.attrs["axis"], rank_of(op.output), None)
    return b.apply(op, [b.read(op.inputs[0])], {"axis": axis})


def _squeeze(b: Batch, op: Op) -> Sequence[Value]:
    if op.attrs.get("axis") is None:
        return _ravel(b, replace(op, attrs={}))
    return b.apply(op, [b.read(op.inputs[0])], {"axis": _moved(op.attrs["axis"], rank_of(op.inputs[0]), None)})


def _broadcast(b: Batch, op: Op) -> Sequence[Value]:
    assert isinstance(op.output.type, Array)
    return b.apply(op, [b.widened(op.inputs[0], op.output.type.ndim)], {"shape": (b.rows, *op.output.type.axes)})


def _index(op: Op) -> Any:
    index = op.attrs["index"]
    return (_ALL, *index) if isinstance(index, tuple) else (_ALL, index)


def _getitem(b: Batch, op: Op) -> Sequence[Value]:
    if any(b.has(atom) for atom in op.inputs[1:]):
        raise Unsupported("an index that depends on the direction")
    return b.apply(op, [b.read(atom) for atom in op.inputs], {"index": _index(op)})


def _write(b: Batch, op: Op) -> Sequence[Value]:
    """index_set and index_add: the array that is written to has the axis, the value may."""
    base, value, *dynamic = op.inputs
    if any(b.has(atom) for atom in dynamic):
        raise Unsupported("an index that depends on the direction")
    whole = b.result(base, True)
    if b.has(value):
        part = named("getitem").infer(b.facts, [a.type for a in (base, *dynamic)], {"index": op.attrs["index"]}, "")
        assert isinstance(part, Array)
        value = b.widened(value, part.ndim)
    return b.apply(op, [whole, value, *dynamic], {**op.attrs, "index": _index(op)})


def _matmul(b: Batch, op: Op) -> Sequence[Value]:
    _only(op)
    left, right = op.inputs
    p, q = rank_of(left), rank_of(right)
    if p == 0 or q == 0:
        return [b.call(np.multiply, b.widened(left, max(p, q)), b.widened(right, max(p, q)))]
    if p > 2 or q > 2:
        if op.prim.name == "np.dot" or min(p, q) == 1:
            raise Unsupported("a product of arrays with many axes")
        return [b.call(np.matmul, b.widened(left, q), b.widened(right, p))]
    if b.has(left) and b.has(right) and min(p, q) == 1:
        raise Unsupported("a product of two vectors that both depend on the direction")
    if b.has(right) and q == 1:  # x @ d is d @ x.T for many d
        flipped = left if p == 1 else b.call(np.transpose, left)
        return [b.call(np.matmul, b.read(right), flipped)]
    if b.has(left) and p == 1 and q == 2:
        return [b.call(np.matmul, b.read(left), right)]
    return [b.call(np.matmul, b.read(left), b.read(right))]


def _outer(b: Batch, op: Op) -> Sequence[Value]:
    _only(op)
    left, right = op.inputs
    if rank_of(left) != 1 or rank_of(right) != 1:
        raise Unsupported("np.outer of arrays with several axes")
    column = b.call(np.expand_dims, b.read(left), axis=2 if b.has(left) else 1)
    row = b.call(np.expand_dims, b.read(right), axis=1) if b.has(right) else right
    return [b.call(np.multiply, column, row)]


def _joined(b: Batch, op: Op) -> Sequence[Value]:
    """np.concatenate and np.stack: every part needs the axis."""
    ndim = rank_of(op.output)
    parts = [b.result(atom, True) for atom in op.inputs]
    return b.apply(op, parts, {**op.attrs, "axis": _moved(op.attrs.get("axis", 0), ndim, None)})


def _solve(b: Batch, op: Op) -> Sequence[Value]:
    """Many right-hand sides are the columns of one."""
    matrix, right = op.inputs
    if b.has(matrix) or rank_of(matrix) != 2:
        raise Unsupported("an equation whose matrix depends on the direction")
    if rank_of(right) == 1:
        columns = b.call(np.transpose, b.read(right))
        return [b.call(np.transpose, b.apply(op, [matrix, columns])[0])]
    return b.apply(op, [matrix, b.read(right)])


def _einsum(b: Batch, op: Op) -> Sequence[Value]:
    _only(op, "subscripts", "optimize")
    text = op.attrs["subscripts"].replace(" ", "")
    if "." in text or "->" not in text:
        raise Unsupported("this np.einsum for several directions at once")
    letter = next(c for c in "bnrsuvwxyzBN" if c not in text)
    given, result = text.split("->")
    parts = given.split(",")
    named_parts = [letter + part if b.has(atom) else part for part, atom in zip(parts, op.inputs)]
    subscripts = f"{','.join(named_parts)}->{letter}{result}"
    return b.apply(op, [b.read(atom) for atom in op.inputs], {**op.attrs, "subscripts": subscripts})


_RULES: dict[str, Rule] = {
    **dict.fromkeys(("np.sum", "np.mean"), _over_all),
    **dict.fromkeys(("np.cumsum", "np.flip", "np.roll", "np.diff"), _along),
    **dict.fromkeys(("np.copy", "again", "astype", "np.real", "np.imag", "np.conjugate"), _as_it_is),
    **dict.fromkeys(("np.swapaxes", "np.moveaxis"), _two_axes),
    **dict.fromkeys(("index_set", "index_add"), _write),
    **dict.fromkeys(("np.matmul", "np.dot"), _matmul),
    **dict.fromkeys(("np.concatenate", "np.stack"), _joined),
    "np.transpose": _transpose,
    "np.reshape": _reshape,
    "np.ravel": _ravel,
    "np.expand_dims": _expand_dims,
    "np.squeeze": _squeeze,
    "broadcast": _broadcast,
    "getitem": _getitem,
    "np.outer": _outer,
    "np.linalg.solve": _solve,
    "np.einsum": _einsum,
}

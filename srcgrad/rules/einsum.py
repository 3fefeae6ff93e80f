"""The derivative of einsum, for any subscripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.dims import ONE, Dim, Facts
from ..ir.infer import check_equal
from ..ir.types import Array, Type
from .axes import array, dtype_of
from .internal import broadcast, eye
from .products import reordered
from .registry import Case, bilinear


# einsum: each operand's cotangent is the einsum of d with the other operands, back to the operand's own labels
def _labels(subscripts: str, ndims: Sequence[int]) -> tuple[list[str], str]:
    """Labels of every operand and of the result, ellipses written out, the implicit result made explicit."""
    left, arrow, result = subscripts.replace(" ", "").partition("->")
    operands = left.split(",")
    if len(operands) != len(ndims):
        raise Unsupported(f"einsum {subscripts!r} names {len(operands)} operands, {len(ndims)} were given")
    free = [c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" if c not in subscripts]
    widths = [n - len(labels) + 3 for labels, n in zip(operands, ndims) if "..." in labels]
    batch = "".join(free[: max(widths, default=0)])
    full = [_written_out(labels, batch, n, subscripts) for labels, n in zip(operands, ndims)]
    if not arrow:
        letters = left.replace(",", "").replace(".", "")
        result = ("..." if batch else "") + "".join(c for c in sorted(set(letters)) if letters.count(c) == 1)
    return full, result.replace("...", batch)


def _written_out(labels: str, batch: str, ndim: int, subscripts: str) -> str:
    width = ndim - len(labels) + 3
    full = labels.replace("...", batch[len(batch) - width :]) if "..." in labels else labels
    if len(full) != ndim:
        raise Unsupported(f"einsum {subscripts!r}: {labels!r} does not fit an operand with {ndim} axes")
    return full


def _lengths(facts: Facts, operands: Sequence[str], axes: Sequence[Sequence[Dim]]) -> dict[str, Dim]:
    lengths: dict[str, Dim] = {}
    for labels, dims in zip(operands, axes):
        for label, dim in zip(labels, dims):
            known = lengths.get(label, ONE)
            if facts.is_one(known):
                lengths[label] = dim
            elif not facts.is_one(dim):
                check_equal(facts, known, dim, f"einsum axis {label!r}")
    return lengths


def _einsum_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    arrays = [array(t) for t in types]
    if not isinstance(attrs.get("subscripts"), str):
        raise Unsupported("einsum needs its subscripts as a string")
    operands, result = _labels(attrs["subscripts"], [a.ndim for a in arrays])
    lengths = _lengths(facts, operands, [a.axes for a in arrays])
    if unknown := set(result) - lengths.keys():
        raise Unsupported(f"einsum: {''.join(sorted(unknown))!r} is in the result only")
    known = {"dtype": attrs["dtype"]} if attrs.get("dtype") is not None else {}
    return Array(dtype_of(_multiplied, arrays, **known), tuple(lengths[label] for label in result))


def _multiplied(*operands: Any, **options: Any) -> Any:
    return np.einsum(",".join(["i"] * len(operands)) + "->i", *operands, **options)


def _einsum(
    d: Any, y: Any, *operands: Any, which: int, subscripts: str, optimize: Any = False, order: Any = None,
    casting: Any = None, dtype: Any = None,
) -> Any:  # fmt: skip
    labels, result = _labels(subscripts, [x.ndim for x in operands])
    x, own = operands[which], labels[which]
    others = [(labels[k], operands[k]) for k in range(len(operands)) if k != which]
    factors = [(result, d), *others]
    target = ""
    for axis, label in enumerate(own):  # a repeated label reads a diagonal: its cotangent lies on that diagonal
        if label in target:
            fresh = next(c for c in "abcdefghijklmnopqrstuvwxyz" if c not in "".join([*labels, result, target]))
            factors.append((label + fresh, eye(d, x.shape[axis], x.dtype)))
            label = fresh
        target += label
    given = {c for text, _ in factors for c in text}
    kept = "".join(c for c in target if c in given)  # labels that are summed over `x` alone are broadcast back
    if not result and len(factors) > 1:  # a number multiplies from outside
        contribution = d * _contract(factors[1:], kept, optimize)
    else:
        contribution = _contract(factors, kept, optimize)
    missing = tuple(i for i, c in enumerate(target) if c not in given)
    if missing:
        contribution = np.expand_dims(contribution, missing if len(missing) > 1 else missing[0])
    stretched = [i for i in range(x.ndim) if _is_one(x.shape[i]) and not _is_one(contribution.shape[i])]
    if stretched:
        contribution = np.sum(contribution, axis=tuple(stretched), keepdims=True)
    return broadcast(contribution, x.shape)


def _contract(factors: Sequence[tuple[str, Any]], result: str, optimize: Any) -> Any:
    text = ",".join(labels for labels, _ in factors) + "->" + result
    if len(factors) == 1:
        return reordered(factors[0][1], [result.index(label) for label in factors[0][0]])
    options = {"optimize": optimize} if optimize else {}
    return np.einsum(text, *(value for _, value in factors), **options)


def _is_one(length: Any) -> bool:
    return isinstance(length, int) and length == 1


bilinear(
    np.einsum,
    _einsum,
    fn=lambda *operands, subscripts, **options: np.einsum(subscripts, *operands, **options),
    operands=("*operands",),
    keywords=("subscripts", "optimize", "order", "casting", "dtype"),
    signature=("subscripts", "*operands"),
    infer=_einsum_type,
    cases=[
        Case((2, 3), (3, 4), subscripts="ij,jk->ik"),
        Case((2, 3), (3, 4), subscripts="ij,jk"),
        Case((2, 3), (4, 3), subscripts="ij , kj -> ki"),
        Case((3, 2), subscripts="ij->ji"),
        Case((3, 2), subscripts="ba"),
        Case((3, 2), subscripts="ij->"),
        Case((3, 2), subscripts="ij->j"),
        Case((3, 3), subscripts="ii"),
        Case((3, 3), subscripts="ii->i"),
        Case((3, 3, 3), subscripts="iii->i"),
        Case((3, 2, 3), (3,), subscripts="iji,i->j"),
        Case((3,), (3,), subscripts="i,i"),
        Case((3,), (2,), subscripts="i,j->ij"),
        Case((3,), (), (2,), subscripts="i,,j->ji"),
        Case((2, 3), (3, 4), (4,), subscripts="ij,jk,k->i", optimize=True),
        Case((5, 2, 3), (5, 3, 4), subscripts="bij,bjk->bik"),
        Case((5, 2, 3), (3, 4), subscripts="...ij,jk->...ik"),
        Case((5, 2, 3), (5, 3, 4), subscripts="...ij,...jk"),
        Case((5, 2, 3), (3,), subscripts="...i,i"),
        Case((1, 2, 3), (5, 3, 4), subscripts="...ij,...jk->...ik"),
        Case((1, 3), (2, 3), subscripts="ij,ij->ij"),
        Case((3, 4), (3,), subscripts="ij,i->i"),
        Case((3, 4), (3,), subscripts="ij,i->j", order="C", casting="safe", dtype=np.float64),
    ],
)

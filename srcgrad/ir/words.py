"""Names for values that the user gave none."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping, Sequence
from typing import Any

from .nodes import Atom, Op, Slot, Value

_LONG = 20  # characters: a name that would be longer is none

# What an unnamed subexpression is called, by the operation that makes it.
_WORDS = {
    "np.add": "total", "np.subtract": "diff", "np.multiply": "product", "np.divide": "ratio", "np.power": "power",
    "np.matmul": "product", "np.dot": "product", "np.sum": "total", "np.mean": "mean", "np.exp": "exp",
    "np.log": "log", "np.sqrt": "root", "np.tanh": "tanh", "np.sin": "sine", "np.cos": "cosine",
    "np.maximum": "upper", "np.minimum": "lower", "getitem": "part", "np.where": "chosen", "np.square": "square",
    "np.negative": "negative", "np.absolute": "size", "np.greater": "above", "np.less": "below", "np.equal": "same",
    "np.reciprocal": "inverse", "np.linalg.inv": "inverse", "np.linalg.solve": "solution", "np.max": "top",
    "np.concatenate": "joined", "np.stack": "stacked", "zeros": "zeros", "broadcast": "full",
    "np.expand_dims": "column", "np.arange": "rows", "np.einsum": "contracted", "np.squeeze": "flat",
    "np.var": "variance", "np.std": "deviation", "np.linalg.norm": "norm", "np.linalg.cholesky": "chol",
    "call": "value", "index_set": "changed", "np.delete": "kept", "np.argsort": "order", "np.sort": "ordered",
    "np.vander": "powers", "effect": "draw", "np.moveaxis": "moved", "array_literal": "array", "solver": "solution",
    "custom": "value", "sparse_product": "product", "sparse_dense": "dense", "sparse_solve": "solution",
    "sparse_iterate": "solution", "lu_solve": "solution", "spline_value": "height",
    "factor_solve": "solution", "cho_solve": "solution", "factor_matrix": "factor",
}  # fmt: skip


_OBJECTS = {"SuperLU": "lu", "factors": "factors", "spline": "spline"}

# What a value is still called after these.
_SAME = ("np.copy", "astype", "np.ascontiguousarray")


def word_for(op: Op, made: Mapping[Value, Op] | None = None) -> str:
    """A word for the op's result: where it is a part of a variable, or a copy, after that; `made` tells what is."""
    if op.prim.name == "field":
        return str(op.attrs["name"])
    if op.prim.name == "solver" and str(op.outputs[0].type) in _OBJECTS:
        return _OBJECTS[str(op.outputs[0].type)]
    if op.prim.name in (*_SAME, "getitem", "np.transpose"):
        word = _part_name(op, made or {})
        if word is not None:
            return word
    word = _WORDS.get(op.prim.name, op.prim.name.rpartition(".")[2])
    if keyword.iskeyword(word):
        word = "chosen" if op.prim.name == "if" else "value"
    if op.role == "tangent":
        return f"t_{word}"
    return f"d_{word}" if op.role != "primal" and op.prim.name in ("zeros", "call") else word


def _part_name(op: Op, made: Mapping[Value, Op]) -> str | None:
    base = op.inputs[0]
    if not isinstance(base, Value):
        return None
    name = base.hint or base.word or (word_for(made[base], made) if base in made and op.prim.name in _SAME else None)
    if name is None or op.prim.name in _SAME:
        return name
    if op.prim.name == "np.transpose":
        turned = name.removesuffix("_T") if name.endswith("_T") else f"{name}_T"
        return None if op.attrs.get("axes") or len(name) > _LONG else turned
    return place_name(name, op.attrs["index"], op.inputs[1:])


def place_name(array: str, index: Any, dynamic: Sequence[Atom]) -> str | None:
    """`A[i, j]` as A_ij, `u[1:-1, 0]` as u_0, `y[:k]` as y_part; None where that would be long."""
    words: list[str] = []
    for entry in index if isinstance(index, tuple) else (index,):
        if isinstance(entry, Slot):
            words.append(getattr(dynamic[entry.number - 1], "hint", None) or "")
        elif isinstance(entry, int) and not isinstance(entry, bool):
            words.append(str(entry) if entry >= 0 else "last" if entry == -1 else "")
    known = bool(words) and all(len(word) == 1 or word in ("", "last") or word.isdigit() for word in words)
    name = f"{array}_{(''.join(words) if known else '') or 'part'}"
    return name if len(name) <= _LONG and re.fullmatch(r"\w+", name) else None

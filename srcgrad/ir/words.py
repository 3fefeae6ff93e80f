"""Names for values that the user gave none."""

from __future__ import annotations

import keyword

from .nodes import Op

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
}  # fmt: skip


def word_for(op: Op) -> str:
    """A word for the op's result."""
    if op.prim.name == "field":
        return str(op.attrs["name"])
    word = _WORDS.get(op.prim.name, op.prim.name.rpartition(".")[2])
    if keyword.iskeyword(word):
        word = "chosen" if op.prim.name == "if" else "value"
    if op.role == "tangent":
        return f"t_{word}"
    return f"d_{word}" if op.role != "primal" and op.prim.name in ("zeros", "call") else word

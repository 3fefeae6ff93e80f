"""Which ops may give their first input's own memory."""

from __future__ import annotations

from .indexing import is_basic
from .nodes import Op
from .types import Array


def may_share(op: Op) -> bool:
    """Whether the op's result may be its first input's memory, so that writing into one shows in the other."""
    if op.prim.name == "np.einsum":
        return len(op.inputs) == 1
    if op.prim.name == "np.diag":  # of a vector it is a new matrix
        return isinstance(op.inputs[0].type, Array) and op.inputs[0].type.ndim == 2
    if op.prim.name == "getitem":
        return is_basic(op.attrs["index"], [atom.type for atom in op.inputs[1:]])
    return op.prim.view

"""Functions that give views, and how what is written to a view comes back to its base."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import Unsupported
from ..ir.builder import Builder
from ..ir.nodes import Value
from ..ir.primitive import Primitive, named
from ..ir.symbolic import Sym
from ..ir.types import Array

if TYPE_CHECKING:
    from .memory import View

# Views whatever the memory's layout; an index that selects (a mask, integer arrays) gives a copy
ALWAYS_VIEWS = {
    "getitem", "np.transpose", "np.swapaxes", "np.moveaxis", "np.rollaxis", "np.squeeze", "np.expand_dims", "np.flip",
    "np.fliplr", "np.flipud", "np.diagonal", "np.broadcast_to", "broadcast", "np.split", "np.array_split", "np.hsplit",
    "np.vsplit", "np.dsplit",
}  # fmt: skip
READ_ONLY = {"np.diagonal", "np.broadcast_to", "broadcast"}
RESHAPING = {"np.reshape", "np.ravel"}  # views where the memory is in one piece, in C order
_IN_C_ORDER = {
    "np.zeros", "np.ones", "np.empty", "np.full", "np.arange", "np.linspace", "np.eye", "np.identity", "np.stack",
    "np.array", "array_literal", "np.matmul", "np.outer", "np.tri", "zeros",
}  # fmt: skip


def keeps_layout(prim: Primitive, value: Value, style: str) -> bool:
    """Whether a new array certainly lies in one piece, in C order: then its reshaped forms are views."""
    one_axis = isinstance(value.type, Array) and value.type.ndim < 2
    return one_axis or prim.name in _IN_C_ORDER or (prim.name == "np.copy" and style == "method")


def put_back(builder: Builder, view: View, base: Value, new: Value, parts: Mapping[int, Value]) -> Value:
    """The base after `new` was written to one of its views; `parts` are the other outputs of the same op."""
    prim, attrs = view.prim.name, view.attrs
    if prim == "getitem":
        (value,) = builder.apply(named("index_set"), [base, new, *view.rest], attrs)
        return value
    result = _inverse(
        prim, attrs, Sym(builder, base), Sym(builder, new), [Sym(builder, parts.get(k, new)) for k in parts]
    )
    assert isinstance(result.atom, Value)
    return result.atom


def _inverse(prim: str, attrs: Mapping[str, Any], base: Sym, new: Sym, parts: list[Sym]) -> Any:
    match prim:
        case "np.transpose":
            axes = attrs.get("axes")
            return np.transpose(new) if axes is None else np.transpose(new, tuple(np.argsort(_positive(axes)).tolist()))
        case "np.swapaxes":
            return np.swapaxes(new, attrs["axis1"], attrs["axis2"])
        case "np.moveaxis":
            return np.moveaxis(new, attrs["destination"], attrs["source"])  # type: ignore[type-var]
        case "np.flip" | "np.fliplr" | "np.flipud":
            return getattr(np, prim.removeprefix("np."))(new, **attrs)
        case "np.squeeze" | "np.expand_dims" | "np.reshape" | "np.ravel":
            return np.reshape(new, base.shape)
    raise Unsupported(
        f"writing into what {prim} gives cannot be followed", "Write into the array itself, by its indices."
    )


def _positive(axes: Any) -> list[int]:
    return [axis % len(axes) for axis in axes]

"""Python's own operations on numbers: float(), int(), lengths, `not`, `and`, `or`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.dims import Facts, as_dim
from ..ir.primitive import Primitive, register
from ..ir.types import BOOL, FLOAT, INT, Array, Type
from ..markers import stop_gradient
from .registry import CASES, Case


def _fixed(type: Type) -> Any:
    def infer(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
        return type

    return infer


def _float(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    if isinstance(types[0], Array) and types[0].dtype.kind == "c":
        raise Unsupported("float() of a complex number", "Take its real part: x.real.")
    return FLOAT


def _int(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    return replace(INT, dim=facts.fresh("int"))


def _shape_of(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    (type,) = types
    assert isinstance(type, Array)
    if attrs["axis"] is not None:
        return replace(INT, dim=facts.canon(type.axes[attrs["axis"]]))
    from ..ir.dims import product

    return replace(INT, dim=product(facts.canon(dim) for dim in type.axes))


FLOAT_OF = register(
    Primitive(
        "float",
        fn=float,
        infer=_float,
        operands=("x",),
        kind="linear",
        partials=(lambda d, y, x: d,),
        cheap=True,
    ),
    float,
)
CASES[FLOAT_OF] = [Case(())]
INT_OF = register(Primitive("int", fn=int, infer=_int, operands=("x",), kind="constant", cheap=True), int)
MIN_OF = register(Primitive("min", fn=min, infer=_int, operands=("a", "b"), kind="constant", cheap=True))  # of ints
SHAPE_OF = register(
    Primitive(
        "shape_of",
        fn=lambda x, axis: np.size(x) if axis is None else np.shape(x)[axis],
        infer=_shape_of,
        operands=("x",),
        keywords=("axis",),
        kind="constant",
        cheap=True,
    )
)


def _same(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    (type,) = types
    return replace(type, weak=False) if isinstance(type, Array) else type


AS_ARRAY = register(
    Primitive(
        "as_array",
        fn=np.asarray,
        infer=_same,
        operands=("x",),
        kind="linear",
        partials=(lambda d, y, x: d,),
        cheap=True,
    )
)
CASES[AS_ARRAY] = [Case(()), Case((3,))]


STOP = register(
    Primitive(
        "stop_gradient", fn=stop_gradient, infer=lambda f, t, a, s: t[0], operands=("x",), kind="constant", view=True
    ),
    stop_gradient,
)
NOT = register(Primitive("not", fn=lambda x: not x, infer=_fixed(BOOL), operands=("x",), kind="constant", cheap=True))
AND = register(
    Primitive("and", fn=lambda a, b: a and b, infer=_fixed(BOOL), operands=("a", "b"), kind="constant", cheap=True)
)
OR = register(
    Primitive("or", fn=lambda a, b: a or b, infer=_fixed(BOOL), operands=("a", "b"), kind="constant", cheap=True)
)


def _literal_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    array = np.array(attrs["object"])
    return Array(array.dtype, tuple(as_dim(n) for n in array.shape))


# np.array([1.0, 2.0]) with the numbers written in the source
ARRAY_LITERAL = register(
    Primitive("array_literal", fn=lambda object: np.array(object), infer=_literal_type, kind="constant")
)

"""numpy.linalg's functions of the array API standard, which are NumPy's own under other names or with fixed axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.dims import Facts
from ..ir.infer import probe
from ..ir.primitive import Primitive, find, register
from ..ir.types import Type
from . import diagonals, outer_products, products  # noqa: F401  (register what is named here)
from .axes import array
from .products import transposed
from .registry import CASES, Case, constant, linear

function: Any  # the tables below loop over functions of different types
original: Any


def _original(function: Any) -> Primitive:
    prim = find(function)
    assert prim is not None
    return prim


for function, original in (
    (np.linalg.matmul, np.matmul),
    (np.linalg.tensordot, np.tensordot),
    (np.linalg.vecdot, np.vecdot),
    (np.linalg.cross, np.cross),
):
    prim = _original(original)
    renamed = replace(prim, name=f"np.linalg.{function.__name__}", module="np.linalg", fn=function, synonyms={})
    if function is np.linalg.cross:
        renamed = replace(renamed, keywords=("axis",), signature=("a", "b"))
    known = {*renamed.keywords, *renamed.named}
    CASES[register(renamed, function)] = [case for case in CASES[prim] if known >= {*case.attrs}]


# outer takes vectors alone
_OUTER = replace(_original(np.outer), name="np.linalg.outer", module="np.linalg", fn=np.linalg.outer, signature=())
CASES[register(_OUTER, np.linalg.outer)] = [Case((2,), (3,)), Case((1,), (2,))]


# The last two axes
def _matrices(original: Any) -> Any:
    def infer(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type | tuple[Type, ...]:
        if array(types[0]).ndim < 2:
            raise Unsupported(f"np.linalg.{original.__name__} needs a matrix")
        return _original(original).infer(facts, types, {**attrs, "axis1": -2, "axis2": -1}, style)

    return infer


def _transpose(original: Any) -> Any:
    def transpose(d: Any, y: Any, x: Any, *, offset: int = 0, dtype: Any = None) -> Any:
        partial = _original(original).partials[0]
        assert partial is not None
        return partial(d, y, x, offset=offset, axis1=-2, axis2=-1)

    return transpose


for function, original in ((np.linalg.trace, np.trace), (np.linalg.diagonal, np.diagonal)):
    linear(
        function,
        _transpose(original),
        keywords=("offset", "dtype") if function is np.linalg.trace else ("offset",),
        signature=("x",),
        infer=_matrices(original),
        cases=[
            Case((3, 3)),
            Case((2, 3)),
            Case((2, 3, 4)),
            *(Case((3, 4), offset=k) for k in (-1, 1)),
            Case((2, 3, 3), offset=1),
            *([Case((3, 3), dtype=np.float64)] if function is np.linalg.trace else []),
        ],
    )
linear(
    np.linalg.matrix_transpose,
    lambda d, y, x: transposed(d),
    infer=probe(np.linalg.matrix_transpose),
    view=True,
    cases=[Case((2, 3)), Case((2, 3, 4))],
)
constant(
    np.linalg.matrix_rank, operands=("A",), keywords=("tol", "hermitian", "rtol"), infer=probe(np.linalg.matrix_rank)
)

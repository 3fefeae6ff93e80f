"""Sparse matrices, factorised ones and splines: objects of SciPy, and the arrays that they give.

The object has no cotangent. What it is made of stands beside it as further operands, which only the derivative reads:
`data, rows, columns` of a sparse matrix, `knots, values` of a spline.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.dims import Facts
from ..ir.infer import check_equal
from ..ir.primitive import Primitive, register
from ..ir.solving import SLOT, SOLVER
from ..ir.symbolic import Sym
from ..ir.types import Array, Opaque, Sparse, Type
from .axes import array
from .effects import EFFECT
from .internal import eye

Attrs = Mapping[str, Any]
_MATRIX = ("matrix", "x", "data", "rows", "columns")


def _sparse(type: Type) -> Sparse:
    assert isinstance(type, Sparse)
    return type


def _dtype(a: Sparse, x: Array) -> np.dtype[Any]:
    return np.result_type(a.dtype, x.dtype)


def op(prim: Primitive, like: Sym, *operands: Any, **attrs: Any) -> Any:
    """One op of these symbols; its results."""
    made = like.builder.apply(prim, [each.atom for each in operands], attrs, style="operator")
    symbols = tuple(Sym(like.builder, value) for value in made)
    return symbols if len(symbols) > 1 else symbols[0]


# A.T
def _flipped(facts: Facts, types: Sequence[Type], attrs: Attrs, style: str) -> Type:
    a = _sparse(types[0])
    return Sparse(a.dtype, a.axes[::-1])


FLIPPED = register(Primitive("sparse_T", fn=lambda a: a.T, infer=_flipped, operands=("matrix",), kind="constant"))


def flipped(parts: Sequence[Any]) -> tuple[Any, ...]:
    """(data, rows, columns) of the transposed matrix, if there are any."""
    return (parts[0], parts[2], parts[1]) if parts else ()


# A @ x and x @ A
def _product_type(facts: Facts, types: Sequence[Type], attrs: Attrs, style: str) -> Type:
    a, x = _sparse(types[0]), array(types[1])
    if x.ndim not in (1, 2) or x.dtype.kind not in "fiub":
        raise Unsupported(f"the product of a sparse matrix and {x}", "Multiply it by a real vector or matrix.")
    if attrs.get("left"):
        check_equal(facts, x.axes[-1], a.axes[0], "@: lengths")
        return Array(_dtype(a, x), (*x.axes[:-1], a.axes[1]))
    check_equal(facts, a.axes[1], x.axes[0], "@: lengths")
    return Array(_dtype(a, x), (a.axes[0], *x.axes[1:]))


def _product(a: Any, x: Any, *parts: Any, left: bool = False) -> Any:
    return x @ a if left else a @ x


def _product_pull(d: Any, y: Any, a: Any, x: Any, *parts: Any, left: bool = False) -> Any:
    return op(PRODUCT, d, op(FLIPPED, d, a), d, *flipped(parts), **({"left": True} if left else {}))


def _product_data(d: Any, y: Any, a: Any, x: Any, data: Any, rows: Any, columns: Any, *, left: bool = False) -> Any:
    """y_i = sum of data_k x_j over the entries k at (i, j)."""
    return _entries(x, d, rows, columns) if left else _entries(d, x, rows, columns)


def _entries(d: Any, x: Any, rows: Any, columns: Any) -> Any:
    """(d x^T)_ij at the entries of a sparse matrix."""
    if d.ndim == 1:
        return d[rows] * x[columns]
    return np.sum(d[rows] * x[columns], axis=1)


def _no_places(*_: Any, **__: Any) -> Any:
    raise Unsupported("where the entries of a sparse matrix are has no derivative")


PRODUCT = register(
    Primitive(
        "sparse_product", fn=_product, infer=_product_type, operands=_MATRIX, keywords=("left",),
        partials=(None, _product_pull, _product_data, None, None), looked_at=frozenset({"left"}),
    )
)  # fmt: skip


# A.toarray()
def _dense_type(facts: Facts, types: Sequence[Type], attrs: Attrs, style: str) -> Type:
    a = _sparse(types[0])
    return Array(a.dtype, a.axes)


DENSE = register(
    Primitive(
        "sparse_dense", fn=lambda a, *parts: a.toarray(), infer=_dense_type, operands=("matrix", *_MATRIX[2:]),
        partials=(None, lambda d, y, a, data, rows, columns: d[rows, columns], None, None),
    )
)  # fmt: skip


# spsolve(A, b), cg(A, b), gmres(A, b): attrs say which, and the keywords
def _solution_type(facts: Facts, types: Sequence[Type], attrs: Attrs, style: str) -> Type | tuple[Type, ...]:
    a, b = types[0], array(types[1])
    if b.ndim != 1 and (attrs["solver"] != "spsolve" or b.ndim != 2):
        raise Unsupported(f"`{attrs['solver']}` with a right-hand side that is {b}", "Pass a vector.")
    if isinstance(a, Sparse):
        check_equal(facts, a.axes[0], a.axes[1], f"{attrs['solver']}: the axes of the matrix")
        check_equal(facts, a.axes[0], b.axes[0], f"{attrs['solver']}: lengths")
    x = Array(np.dtype(float), b.axes)
    return x if attrs["solver"] == "spsolve" else (x, Array(np.dtype(int), weak=True))


def _solve(a: Any, b: Any, *parts: Any, solver: str, keywords: tuple[tuple[str, Any], ...]) -> Any:
    from scipy.sparse import linalg

    return getattr(linalg, solver)(a, b, **dict(keywords))


def _adjoint(d: Any, y: Any, a: Any, parts: Sequence[Any], solver: str, keywords: Any) -> Any:
    """The solution with the transposed matrix; an iteration that has not converged gives no gradient."""
    if solver == "spsolve":
        return op(SPSOLVE, d, op(FLIPPED, d, a), d, *flipped(parts), solver=solver, keywords=keywords)
    if d[1] is not None or d[0] is None:
        raise Unsupported(f"what `{solver}` says of its success has no derivative")
    _converged(y[1])
    symmetric = solver in ("cg", "minres")
    matrix = a if symmetric else op(FLIPPED, d[0], a)
    parts = parts if symmetric else flipped(parts)
    found, info = op(ITERATE, d[0], matrix, d[0], *parts, solver=solver, keywords=keywords)
    info.atom.hint = "info"
    _converged(info)
    return found


def _converged(info: Sym) -> None:
    template = ast.parse(f'if {SLOT}0: raise RuntimeError("the iteration has not converged")').body[0]
    info.builder.append(EFFECT, [info.atom], [], {"template": template, "types": ()})


def _solve_pull(d: Any, y: Any, a: Any, b: Any, *parts: Any, solver: str, keywords: Any) -> Any:
    return _adjoint(d, y, a, parts, solver, keywords)


def _solve_data(
    d: Any, y: Any, a: Any, b: Any, data: Any, rows: Any, columns: Any, *, solver: str, keywords: Any
) -> Any:
    x = y if solver == "spsolve" else y[0]
    return -_entries(_adjoint(d, y, a, (data, rows, columns), solver, keywords), x, rows, columns)


def _solver(name: str) -> Primitive:
    return register(
        Primitive(
            name, fn=_solve, infer=_solution_type, operands=("matrix", "b", *_MATRIX[2:]),
            keywords=("solver", "keywords"), partials=(None, _solve_pull, _solve_data, None, None),
            looked_at=frozenset({"solver", "keywords"}),
        )
    )  # fmt: skip


SPSOLVE, ITERATE = _solver("sparse_solve"), _solver("sparse_iterate")


# splu(A).solve(b)
def _lu_type(facts: Facts, types: Sequence[Type], attrs: Attrs, style: str) -> Type:
    b = array(types[1])
    if b.ndim not in (1, 2):
        raise Unsupported(f"a factorised matrix solves for {b}", "Pass a vector, or a matrix of several.")
    return Array(np.dtype(float), b.axes)


def _lu_pull(d: Any, y: Any, lu: Any, b: Any, *parts: Any, trans: str = "N") -> Any:
    return op(LU_SOLVE, d, lu, d, *parts, trans="T" if trans == "N" else "N")


def _lu_data(d: Any, y: Any, lu: Any, b: Any, data: Any, rows: Any, columns: Any, *, trans: str = "N") -> Any:
    adjoint = _lu_pull(d, y, lu, b, data, rows, columns, trans=trans)
    return -(_entries(adjoint, y, rows, columns) if trans == "N" else _entries(y, adjoint, rows, columns))


LU_SOLVE = register(
    Primitive(
        "lu_solve", fn=lambda lu, b, *parts, trans="N": lu.solve(b, trans), infer=_lu_type,
        operands=("lu", "b", *_MATRIX[2:]), keywords=("trans",), partials=(None, _lu_pull, _lu_data, None, None),
        looked_at=frozenset({"trans"}),
    )
)  # fmt: skip


# spline(x): `made` says how, for one that the function makes; `nu` is the order of the derivative, of which
# `before` orders were taken by .derivative()
def _value_type(facts: Facts, types: Sequence[Type], attrs: Attrs, style: str) -> Type:
    x = array(types[1])
    if x.dtype.kind not in "fiub":
        raise Unsupported(f"a spline at {x}", "Evaluate it at real numbers.")
    return Array(np.dtype(float), (*x.axes, *attrs["axes"]))


def _value(spline: Any, x: Any, *parts: Any, nu: int = 0, before: int = 0, **_: Any) -> Any:
    return (spline.derivative(before) if before else spline)(x, *([nu] if nu else []))


def _value_slope(
    d: Any, y: Any, spline: Any, x: Any, *parts: Any, nu: int = 0, before: int = 0, axes: Any = (), made: Any = None
) -> Any:
    if made is not None and made.function == "interp1d":
        raise Unsupported("`interp1d` has no derivative in its place", "Use make_interp_spline(x, y, k=1).")
    slope = op(SPLINE, d, spline, x, *parts, nu=nu + before + 1, axes=axes, made=made)
    terms = d * slope
    return np.sum(terms, axis=tuple(range(x.ndim, terms.ndim))) if axes else terms


def _value_values(
    d: Any, y: Any, spline: Any, x: Any, knots: Any, values: Any, *, nu: int = 0, before: int = 0, axes: Any = (),
    made: Any = None,
) -> Any:  # fmt: skip
    """A spline is linear in its values: those of the splines through unit vectors are its derivative."""
    if not made.linear:
        raise Unsupported(f"`{made.function}` is not linear in its values, and is differentiated in its place alone",
                          "Use CubicSpline or make_interp_spline.")  # fmt: skip
    basis = op(SPLINE, d, made.through(knots, eye(d, values.shape[0], np.float64)), x, nu=nu + before,
               axes=values.type.axes[:1])  # fmt: skip
    if x.ndim == 0:
        return np.outer(basis, d) if axes else d * basis
    if x.ndim == 1:
        return basis.T @ d
    along = tuple(range(x.ndim))
    return np.tensordot(basis, d, axes=(along, along))


def _no_knots(*_: Any, **__: Any) -> Any:
    raise Unsupported("a spline is differentiated in its values and in its place, not in its knots")


SPLINE = register(
    Primitive(
        "spline_value", fn=_value, infer=_value_type, operands=("spline", "x", "knots", "values"),
        keywords=("nu", "before", "axes", "made"), partials=(None, _value_slope, _no_knots, _value_values),
        looked_at=frozenset({"nu", "before", "axes", "made"}),
    )
)  # fmt: skip


OBJECT_RULES = (PRODUCT, DENSE, SPSOLVE, ITERATE, LU_SOLVE, SPLINE)


class Made:
    """How a spline was made: its function and options, so that others can be made alike."""

    def __init__(self, function: str, linear: bool, keywords: Sequence[ast.keyword]):
        self.function, self.linear, self.keywords = function, linear, list(keywords)

    def through(self, knots: Sym, values: Sym) -> Sym:
        """The spline with these values."""
        builder = values.builder
        inputs = [knots.atom, values.atom]
        attrs = self.call(inputs)
        if self.function == "interp1d":  # which takes the last axis otherwise
            attrs["template"].keywords = [*self.keywords, ast.keyword("axis", ast.Constant(0))]
        (value,) = builder.append(SOLVER, inputs, [Opaque("spline")], attrs)
        value.hint = "basis"
        return Sym(builder, value)

    def call(self, inputs: Sequence[Any]) -> dict[str, Any]:
        slots: list[ast.expr] = [ast.Name(f"{SLOT}{k}", ast.Load()) for k in range(len(inputs) + 1)]
        target = ast.Attribute(slots[-1], self.function, ast.Load())
        return {
            "template": ast.Call(target, slots[:-1], self.keywords), "functions": (), "module": "scipy.interpolate",
            "types": (Opaque("spline"),),
        }  # fmt: skip

"""Reading sparse matrices of SciPy: made here or outside, multiplied, solved with, factorised."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import Unsupported
from ..ir.nodes import Const, Value
from ..ir.primitive import named
from ..ir.solving import SLOT, SOLVER
from ..ir.types import Array, Opaque, Sparse
from ..rules.scipy_objects import DENSE, FLIPPED, ITERATE, LU_SOLVE, PRODUCT, SPSOLVE
from .state import in_place
from .values import BoundMethod, ListValue, describe, is_number, sequence

if TYPE_CHECKING:
    from .calls import Calls

_MAKERS = {f"{kind}_{what}" for kind in ("csr", "csc", "coo") for what in ("array", "matrix")}
_ITERATIONS = ("cg", "gmres", "bicgstab", "minres")
_OPTIONS = {"rtol", "atol", "maxiter", "restart", "use_umfpack", "permc_spec", "tol"}
_METHODS = ("dot", "transpose", "toarray", "todense")


def is_sparse(value: Any) -> bool:
    return isinstance(value, Value) and isinstance(value.type, Sparse)


def is_factorised(value: Any) -> bool:
    return isinstance(value, Value) and isinstance(value.type, Opaque) and value.type.name == "SuperLU"


def parts_of(c: Calls, matrix: Value) -> tuple[Any, ...]:
    """(data, rows, columns) of a matrix whose data may be differentiated; nothing of a constant one."""
    in_place(c, "a sparse matrix")
    if matrix not in c.sparse:
        raise Unsupported("control flow decides which sparse matrix this is", "Make it outside of the branch or loop.")
    return c.sparse[matrix]


def product(c: Calls, left: Any, right: Any) -> Any:
    """`A @ x`, `x @ A`."""
    if is_sparse(left) and is_sparse(right):
        raise Unsupported("the product of two sparse matrices", "Multiply by a vector first: A @ (B @ x).")
    matrix, other = (left, right) if is_sparse(left) else (right, left)
    other = c.array_of(other)
    parts = parts_of(c, matrix)
    attrs = {"left": True} if matrix is right else {}
    return c.apply(PRODUCT, [matrix, c.latest(other), *parts], attrs, "operator")


def attribute(c: Calls, matrix: Value, name: str) -> Any:
    type = matrix.type
    assert isinstance(type, Sparse)
    match name:
        case "T":
            flipped = c.apply(FLIPPED, [matrix], {}, "attribute")
            parts = parts_of(c, matrix)
            c.sparse[flipped] = (parts[0], parts[2], parts[1]) if parts else ()
            return flipped
        case "shape":
            return tuple(c.apply(named("dim"), [], {"dim": c.facts.canon(axis)}) for axis in type.axes)
        case "ndim":
            return Const(2)
        case "dtype":
            return type.dtype
    if name in _METHODS:
        return BoundMethod(matrix, name)
    raise Unsupported(f"a sparse matrix's attribute `{name}`", "Its products and solutions are differentiated.")


def method(c: Calls, matrix: Value, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
    if name == "dot" and len(args) == 1 and not kwargs:
        return product(c, matrix, args[0])
    if name == "transpose" and not args and not kwargs:
        return attribute(c, matrix, "T")
    if name in ("toarray", "todense") and not args and not kwargs:
        if name == "todense":
            raise Unsupported("`todense` gives a matrix", "Use `toarray`.")
        return c.apply(DENSE, [matrix, *parts_of(c, matrix)], {}, "method")
    raise Unsupported(f"`{name}` of a sparse matrix with these arguments", "Write A @ x, or A.toarray().")


def solve_factorised(c: Calls, lu: Value, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """`splu(A).solve(b)`."""
    given = {**dict(zip(("rhs", "trans"), args)), **kwargs}
    trans = given.get("trans", "N")
    if name != "solve" or not {"rhs"} <= given.keys() <= {"rhs", "trans"} or trans not in ("N", "T"):
        raise Unsupported(f"`{name}` of a factorised matrix with these arguments", "Say lu.solve(b), or with 'T'.")
    attrs = {"trans": trans} if trans != "N" else {}
    return c.apply(LU_SOLVE, [lu, c.latest(c.array_of(given["rhs"])), *parts_of(c, lu)], attrs, "method")


# Functions


def is_known(function: Any) -> bool:
    module = getattr(function, "__module__", None) or ""
    if not isinstance(module, str) or not module.startswith("scipy.sparse."):
        return False
    return getattr(function, "__name__", "") in {*_MAKERS, *_ITERATIONS, "spsolve", "splu"}


def call(c: Calls, function: Any, args: list[Any], kwargs: dict[str, Any], text: str) -> Any:
    name = function.__name__
    module = "scipy.sparse" if name in _MAKERS else "scipy.sparse.linalg"
    spelling = text.removesuffix(f".{name}")
    if spelling == module or (spelling != text and spelling.isidentifier()):
        c.modules.setdefault(module, spelling)
    if name in _MAKERS:
        return _made(c, name, args, kwargs, text)
    matrix, *rest = args
    if not is_sparse(matrix):
        raise Unsupported(f"`{text}` with {describe(matrix)}", "Pass a matrix of scipy.sparse.")
    parts = parts_of(c, matrix)
    if name == "splu":
        if rest or kwargs:
            raise Unsupported(f"`{text}` with options", "Say splu(A) alone.")
        lu = c.apply(SOLVER, [matrix], _template("splu", module, 1, Opaque("SuperLU")))
        c.sparse[lu] = parts
        return lu
    if len(rest) + ("b" in kwargs) != 1:
        raise Unsupported(
            f"`{text}` with these arguments", "Give the matrix, the right-hand side, and options by name."
        )
    right = c.latest(c.array_of(rest[0] if rest else kwargs.pop("b")))
    if not is_number(right) or right.type.dtype != np.float64:
        raise Unsupported(f"`{text}` of {describe(right)}", "SciPy solves in float64: convert it.")
    for key in kwargs:
        if key not in _OPTIONS:
            raise Unsupported(f"`{text}` is not differentiated with `{key}=`", "Leave it out.")
    keywords = tuple((key, c.key(value)) for key, value in kwargs.items())
    prim = SPSOLVE if name == "spsolve" else ITERATE
    result = c.apply(prim, [matrix, right, *parts], {"solver": name, "keywords": keywords})
    return result


def _template(name: str, module: str, count: int, type: Any, keywords: Any = ()) -> dict[str, Any]:
    slots: list[ast.expr] = [ast.Name(f"{SLOT}{k}", ast.Load()) for k in range(count + 1)]
    target = ast.Attribute(slots[-1], name, ast.Load())
    template = ast.Call(target, slots[:-1], list(keywords))
    return {"template": template, "functions": (), "module": module, "types": (type,)}


def _made(c: Calls, name: str, args: list[Any], kwargs: dict[str, Any], text: str) -> Any:
    """`csr_array((data, (rows, columns)), shape=(m, n))`."""
    way_out = "Say csr_array((data, (rows, columns)), shape=(m, n)), or make the matrix outside of the function."
    source, *rest = args
    shape = rest[0] if len(rest) == 1 else kwargs.get("shape")
    pair = list(sequence(source)) if isinstance(source, (tuple, ListValue)) else []
    places = list(sequence(pair[1])) if len(pair) == 2 and isinstance(pair[1], (tuple, ListValue)) else []
    if len(places) != 2 or shape is None or set(kwargs) - {"shape"} or len(rest) > 1:
        raise Unsupported(f"`{text}` of these arguments is not read inside a function", way_out)
    data, rows, columns = (c.latest(c.array_of(each)) for each in (pair[0], *places))
    if not all(isinstance(v, Value) and isinstance(v.type, Array) and v.type.ndim == 1 for v in (data, rows, columns)):
        raise Unsupported(f"`{text}` of these arguments is not read inside a function", way_out)
    if data.type.dtype != np.float64 or any(v.type.dtype.kind not in "iu" for v in (rows, columns)):
        raise Unsupported(f"`{text}` of {describe(data)}", "Pass data of float64 and integer indices.")
    if not all(c.agree(data.type.axes, place.type.axes) for place in (rows, columns)):
        raise Unsupported(f"`{text}` of {data.type}, {rows.type} and {columns.type}", "Give them one length.")
    sizes = list(sequence(shape)) if isinstance(shape, (tuple, ListValue)) else []
    if len(sizes) != 2:
        raise Unsupported(f"`{text}` of these arguments is not read inside a function", way_out)
    axes = tuple(c.dim(size) for size in sizes)
    slots: list[ast.expr] = [ast.Name(f"{SLOT}{k}", ast.Load()) for k in range(6)]
    entries = ast.Tuple([slots[0], ast.Tuple(slots[1:3], ast.Load())], ast.Load())
    lengths = ast.Tuple(slots[3:5], ast.Load())
    template = ast.Call(ast.Attribute(slots[5], name, ast.Load()), [entries], [ast.keyword("shape", lengths)])
    type = Sparse(data.type.dtype, axes)
    attrs = {"template": template, "functions": (), "module": "scipy.sparse", "types": (type,)}
    matrix = c.apply(SOLVER, [data, rows, columns, *sizes], attrs)
    c.sparse[matrix] = (data, rows, columns)
    return matrix

"""Spelling one op as a Python expression."""

from __future__ import annotations

import ast
import copy
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import InternalError
from ..ir.calls import procedure_of
from ..ir.dims import Dim, Facts, Symbol
from ..ir.nodes import Atom, Const, Op, Slot, Undefined, Value
from ..ir.primitive import arguments, find
from ..ir.solving import functions_of
from ..ir.symbolic import METHODS
from ..ir.types import Array
from ..rules.effects import SLOT, fill_template
from .fold import Folding
from .fusing import Fuser
from .shapes import Spelled, dim_expr

_BINARY: dict[str, type[ast.operator]] = {
    "np.add": ast.Add, "np.subtract": ast.Sub, "np.multiply": ast.Mult, "np.divide": ast.Div,
    "np.floor_divide": ast.FloorDiv, "np.remainder": ast.Mod, "np.power": ast.Pow, "np.matmul": ast.MatMult,
    "np.bitwise_and": ast.BitAnd, "np.bitwise_or": ast.BitOr, "np.bitwise_xor": ast.BitXor,
    "np.left_shift": ast.LShift, "np.right_shift": ast.RShift,
}  # fmt: skip
_COMPARE: dict[str, type[ast.cmpop]] = {
    "np.less": ast.Lt, "np.less_equal": ast.LtE, "np.greater": ast.Gt, "np.greater_equal": ast.GtE,
    "np.equal": ast.Eq, "np.not_equal": ast.NotEq,
}  # fmt: skip
_UNARY: dict[str, type[ast.unaryop]] = {
    "np.negative": ast.USub, "np.positive": ast.UAdd, "np.invert": ast.Invert, "np.logical_not": ast.Not,
}  # fmt: skip


# In a text that speaks CuPy, the module of what is computed from Python's numbers alone; all other `np` is CuPy
HOST = "_host_np"


def _on_device(op: Op) -> bool:
    return any(isinstance(a.type, Array) and a.type.namespace == "cupy" for a in (*op.inputs, *op.outputs))


def name(text: str) -> ast.Name:
    return ast.Name(text, ast.Load())


def dotted(text: str) -> ast.expr:
    """`np.linalg.solve` as attribute accesses."""
    first, *rest = text.split(".")
    node: ast.expr = name(first)
    for part in rest:
        node = ast.Attribute(node, part, ast.Load())
    return node


def call(function: str | ast.expr, args: list[ast.expr], keywords: Mapping[str, ast.expr] | None = None) -> ast.Call:
    target = dotted(function) if isinstance(function, str) else function
    return ast.Call(target, args, [ast.keyword(key, value) for key, value in (keywords or {}).items()])


def at_path(node: ast.expr, path: Sequence[str | int]) -> ast.expr:
    """`node.layers[0].w`: a step that starts with a dot is an attribute."""
    for step in path:
        if isinstance(step, str) and step.startswith("."):
            node = ast.Attribute(node, step[1:], ast.Load())
        else:
            node = ast.Subscript(node, constant(step), ast.Load())
    return node


def constant(value: Any, text: str | None = None) -> ast.expr:
    """A number or other literal; negative numbers as a unary minus, so that `(-2) ** 2` keeps its brackets."""
    if text is not None:
        return ast.parse(text, mode="eval").body
    if isinstance(value, np.generic):
        plain = constant(value.item())
        return plain if value.dtype in (np.float64, np.bool_) else call(f"np.{value.dtype.name}", [plain])
    if isinstance(value, float) and not math.isfinite(value):
        infinite = dotted("np.nan") if math.isnan(value) else dotted("np.inf")
        return ast.UnaryOp(ast.USub(), infinite) if value < 0 else infinite
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.copysign(1.0, value) < 0:
        return ast.UnaryOp(ast.USub(), ast.Constant(-value))
    if isinstance(value, complex) and value.real == 0 and math.isfinite(value.imag):
        unit = ast.Constant(complex(0.0, abs(value.imag)))
        return ast.UnaryOp(ast.USub(), unit) if value.imag < 0 else unit
    if isinstance(value, complex):
        return call("complex", [constant(value.real), constant(value.imag)])
    return ast.Constant(value)


def literal(value: Any) -> ast.expr:
    """A static attribute: numbers, strings, tuples, dtypes."""
    if isinstance(value, np.dtype) or (isinstance(value, type) and issubclass(value, np.generic)):
        return dtype(np.dtype(value))
    if isinstance(value, type) and value in (float, int, bool, complex):
        return name(value.__name__)
    if isinstance(value, tuple):
        return ast.Tuple([literal(item) for item in value], ast.Load())
    if isinstance(value, list):
        return ast.List([literal(item) for item in value], ast.Load())
    if isinstance(value, Dim):
        if value.constant is None:
            raise InternalError(f"length {value} in a static attribute")
        return ast.Constant(value.constant)
    return constant(value)


def dtype(value: np.dtype[Any]) -> ast.expr:
    return name("bool") if value.kind == "b" else dotted(f"np.{value.name}")


class Expressions:
    """Spells atoms and ops, with names given to values and folded values spelled in place."""

    def __init__(
        self,
        folding: Folding,
        names: Mapping[Value, str],
        shapes: Mapping[Op, Spelled],
        facts: Facts,
        modules: Mapping[str, str],
        fuser: Fuser | None = None,
    ):
        self.folding, self.names, self.shapes, self.facts, self.modules = folding, names, shapes, facts, modules
        self.fuser, self.on_device = fuser, fuser is not None
        self.inside: Mapping[Value, str] = {}  # of a fused function: what it calls the values that it is given

    def atom(self, atom: Atom) -> ast.expr:
        if isinstance(atom, Const):
            return constant(atom.value, atom.text)
        if isinstance(atom, Undefined):
            return ast.Constant(None)
        if atom in self.inside:
            return name(self.inside[atom])
        op = self.folding.op(atom)
        if op is not None:
            return self.op(op)
        if atom in self.folding.in_place:
            param = self.folding.in_place[atom]
            return at_path(name(param.name), param.path)
        if atom not in self.names:
            raise InternalError(f"{atom!r} has no name")
        return name(self.names[atom])

    def op(self, op: Op) -> ast.expr:
        return self._fused(op) or self._single(op)

    def _fused(self, op: Op) -> ast.expr | None:
        """A call of one kernel for a chain of elementwise operations that ends here."""
        parameters = self.fuser.leaves(op) if self.fuser is not None and not self.inside else None
        if parameters is None or self.fuser is None:
            return None
        given = [self.atom(value) for value in parameters]
        self.inside = parameters
        body = self._single(op)
        self.inside = {}
        return self.fuser.call(op, parameters, body, given)

    def _single(self, op: Op) -> ast.expr:
        spelled = self._spelled(op)
        if op.prim.several and len(op.outputs) == 1:
            return ast.Subscript(spelled, ast.Constant(0), ast.Load())
        return spelled

    def _spelled(self, op: Op) -> ast.expr:
        special = _SPECIAL.get(op.prim.name)
        if special is not None:
            spelled = special(self, op)
            if spelled is not None:
                return spelled
        if op.style in ("operator", "augmented"):
            spelled = self._operator(op)
            if spelled is not None:
                return spelled
        positional, named = arguments(op.prim, op.inputs, op.attrs)
        args = [self._argument(a) for a in positional]
        keywords = {key: self._argument(value) for key, value in named.items()}
        method = self._method(op)
        if op.style == "method" and method is not None:
            return call(ast.Attribute(args[0], method, ast.Load()), args[1:], keywords)
        if op.style == "attribute" and method is not None:
            return ast.Attribute(args[0], method, ast.Load())
        return call(self._function(op), args, keywords)

    def _function(self, op: Op) -> str:
        """The function's name, below its module as this text imports it."""
        module = op.prim.module
        own = HOST if module == "np" and self.on_device and not _on_device(op) else module
        return self.modules.get(module, own) + op.prim.name[len(module) :]

    def _argument(self, value: Any) -> ast.expr:
        """An input, a list of inputs, or a static attribute."""
        if isinstance(value, (Value, Const, Undefined)):
            return self.atom(value)
        if isinstance(value, (list, tuple)) and any(isinstance(v, (Value, Const, Undefined)) for v in value):
            return ast.List([self._argument(item) for item in value], ast.Load())
        return literal(value)

    def _method(self, op: Op) -> str | None:
        """The array method that the op was written as."""
        for name, function in METHODS.items():
            prim = find(function)
            if prim is op.prim and name != "flatten":
                return "conjugate" if name == "conj" and _is_pythons(op.inputs[0]) else name
        return None

    def _operator(self, op: Op) -> ast.expr | None:
        args = [self.atom(a) for a in op.inputs]
        if op.prim.name in _BINARY and len(args) == 2:
            return ast.BinOp(args[0], _BINARY[op.prim.name](), args[1])
        if op.prim.name in _COMPARE:
            return ast.Compare(args[0], [_COMPARE[op.prim.name]()], [args[1]])
        if op.prim.name in _UNARY and not (op.prim.name == "np.logical_not" and _on_device(op)):
            return ast.UnaryOp(_UNARY[op.prim.name](), args[0])
        if op.prim.name == "np.absolute":
            return call("abs", args)
        return None

    # Lengths and shapes

    def shape(self, op: Op) -> ast.expr:
        """The shape an op spells: `x.shape`, or a tuple of lengths."""
        spelled = self.shapes[op]
        if spelled.kind == "like":
            return ast.Attribute(self.atom(spelled.reads[0]), "shape", ast.Load())
        if spelled.kind == "given":
            whole = self.whole_shape(spelled.entries)
            if whole is not None:
                return whole
            return ast.Tuple([self._entry(entry) for entry in spelled.entries], ast.Load())
        return ast.Tuple([self._dim(dim, spelled) for dim in spelled.dims], ast.Load())

    def whole_shape(self, lengths: Sequence[object]) -> ast.expr | None:
        """`x.shape`, where these are all the lengths of one array, in order."""
        ops = [self.folding.op(each) if isinstance(each, Value) else None for each in lengths]
        arrays = {op.inputs[0] for op in ops if op is not None and op.prim.name == "shape_of" and op.style != "len"}
        array = arrays.pop() if len(arrays) == 1 else None
        if array is None or not isinstance(array.type, Array) or array.type.ndim != len(ops):
            return None
        ordered = all(op is not None and op.attrs.get("axis") == i for i, op in enumerate(ops))
        return ast.Attribute(self.atom(array), "shape", ast.Load()) if ordered else None

    def _entry(self, entry: Value | Dim) -> ast.expr:
        return constant(entry.constant) if isinstance(entry, Dim) else self.atom(entry)

    def like(self, op: Op) -> ast.expr | None:
        """An array with the op's shape and dtype, if one is at hand."""
        spelled = self.shapes[op]
        out = op.outputs[0].type
        if spelled.kind != "like" or not isinstance(out, Array):
            return None
        source = spelled.reads[0].type
        return self.atom(spelled.reads[0]) if isinstance(source, Array) and source.dtype == out.dtype else None

    def length(self, op: Op) -> ast.expr:
        spelled = self.shapes[op]
        if spelled.kind == "size":
            return ast.Attribute(self.atom(spelled.reads[0]), "size", ast.Load())
        return self._dim(spelled.dims[0], spelled)

    def _dim(self, dim: Dim, spelled: Spelled) -> ast.expr:
        names: dict[Symbol, ast.expr] = {}
        for symbol, source in spelled.sources:
            node = self.atom(source.value)
            if source.axis is not None:
                node = ast.Subscript(ast.Attribute(node, "shape", ast.Load()), ast.Constant(source.axis), ast.Load())
                if isinstance(source.value.type, Array) and source.value.type.ndim == 1:
                    node = ast.Attribute(self.atom(source.value), "size", ast.Load())
            names[symbol] = node
        return dim_expr(dim, names)

    def index(self, op: Op, first: int) -> ast.expr:
        """The index of a getitem or item assignment; dynamic parts are inputs from number `first` on."""
        return self._index_part(op.attrs["index"], op.inputs[first:], top=True)

    def _index_part(self, part: Any, dynamic: tuple[Atom, ...], top: bool = False) -> ast.expr:
        match part:
            case Slot(number):
                return self.atom(dynamic[number - 1])
            case slice():
                bounds = [
                    None if b is None else self._index_part(b, dynamic) for b in (part.start, part.stop, part.step)
                ]
                return ast.Slice(*bounds)
            case tuple():
                return ast.Tuple([self._index_part(item, dynamic) for item in part], ast.Load())
            case list():
                return literal(part)
            case _:
                return constant(part)


# Ops whose spelling is not a call of their own name


def _transpose(e: Expressions, op: Op) -> ast.expr | None:
    if op.attrs.get("axes") is None and (op.role != "primal" or op.style == "attribute"):
        return ast.Attribute(e.atom(op.inputs[0]), "T", ast.Load())
    if op.style == "method":
        axes = op.attrs.get("axes") or ()
        return call(ast.Attribute(e.atom(op.inputs[0]), "transpose", ast.Load()), [literal(axis) for axis in axes])
    return None


def _part(name: str) -> Callable[[Expressions, Op], ast.expr | None]:
    """`z.real` in the backward sweep."""

    def spelled(e: Expressions, op: Op) -> ast.expr | None:
        return ast.Attribute(e.atom(op.inputs[0]), name, ast.Load()) if op.role == "adjoint" else None

    return spelled


def _is_pythons(atom: Atom) -> bool:
    """A number of Python's, which has fewer methods than NumPy's."""
    return isinstance(atom.type, Array) and atom.type.weak


def _conjugate(e: Expressions, op: Op) -> ast.expr | None:
    return call("np.conj", [e.atom(op.inputs[0])]) if op.role == "adjoint" else None


def _expand_dims(e: Expressions, op: Op) -> ast.expr | None:
    """`x[:, None]` in the backward sweep."""
    out = op.outputs[0].type
    if op.role == "primal" or not isinstance(out, Array) or not isinstance(op.inputs[0].type, Array):
        return None
    if op.inputs[0].type.weak and not op.inputs[0].type.ndim:  # Python's numbers take no index
        ones: list[ast.expr] = [ast.Constant(1)] * out.ndim
        return call("np.full", [_bare(ast.Tuple(ones, ast.Load())), e.atom(op.inputs[0])])
    axis = op.attrs["axis"]
    new = {a % out.ndim for a in (axis if isinstance(axis, tuple) else (axis,))}
    entries: list[ast.expr] = [constant(None) if i in new else ast.Slice(None, None, None) for i in range(out.ndim)]
    while len(entries) > 1 and isinstance(entries[-1], ast.Slice):
        entries.pop()
    index = entries[0] if len(entries) == 1 else ast.Tuple(entries, ast.Load())
    if all(isinstance(entry, ast.Slice) for entry in entries):
        return e.atom(op.inputs[0])
    return ast.Subscript(e.atom(op.inputs[0]), index, ast.Load())


def _broadcast(e: Expressions, op: Op) -> ast.expr:
    source, out = op.inputs[0], op.outputs[0].type
    assert isinstance(out, Array)
    assert isinstance(source.type, Array)
    if source.type.ndim:
        return call("np.broadcast_to", [e.atom(source), e.shape(op)])
    like = e.like(op)
    value = source.value if isinstance(source, Const) else None
    plain = constant(value.item() if isinstance(value, np.generic) else value) if value is not None else e.atom(source)
    if like is not None:
        return call("np.ones_like", [like]) if value == 1 else call("np.full_like", [like, plain])
    typed = {} if out.dtype == np.float64 else {"dtype": dtype(out.dtype)}
    return (
        call("np.ones", [_bare(e.shape(op))], typed)
        if value == 1
        else call("np.full", [_bare(e.shape(op)), plain], typed)
    )


def _bare(shape: ast.expr) -> ast.expr:
    """`n` rather than `(n,)`."""
    return shape.elts[0] if isinstance(shape, ast.Tuple) and len(shape.elts) == 1 else shape


def _zeros(e: Expressions, op: Op) -> ast.expr:
    like = e.like(op)
    if like is not None:
        return call("np.zeros_like", [like])
    wanted = op.attrs["dtype"]
    return call("np.zeros", [_bare(e.shape(op))], {} if wanted == np.float64 else {"dtype": dtype(wanted)})


def _astype(e: Expressions, op: Op) -> ast.expr:
    (source,), wanted = op.inputs, np.dtype(op.attrs["dtype"])
    assert isinstance(source.type, Array)
    if source.type.has_memory:
        return call(ast.Attribute(e.atom(source), "astype", ast.Load()), [dtype(wanted)])
    plain = {"f8": "float", "c16": "complex"}.get(wanted.str[1:])
    return call(plain or f"np.{wanted.name}", [e.atom(source)])


def _swapaxes(e: Expressions, op: Op) -> ast.expr | None:
    """`x.mT` for the transposes of a stack of matrices."""
    axes = {op.attrs.get("axis1"), op.attrs.get("axis2")}
    if op.role != "primal" and axes == {-1, -2}:
        return ast.Attribute(e.atom(op.inputs[0]), "mT", ast.Load())
    return None


def _copy(e: Expressions, op: Op) -> ast.expr | None:
    derived = op.role != "primal" and not op.attrs
    return call(ast.Attribute(e.atom(op.inputs[0]), "copy", ast.Load()), []) if derived else None


def _reshape(e: Expressions, op: Op) -> ast.expr | None:
    if op.style == "user":
        return None
    shape = e.shape(op)
    if op.attrs.get("order", "C") != "C":
        order = {"order": literal(op.attrs["order"])}
        return call(ast.Attribute(e.atom(op.inputs[0]), "reshape", ast.Load()), [shape], order)
    number = isinstance(op.inputs[0].type, Array) and op.inputs[0].type.weak  # a float has no methods
    if number or (op.style == "function" and op.role == "primal"):
        return call("np.reshape", [e.atom(op.inputs[0]), shape])
    if isinstance(shape, ast.Tuple) and shape.elts:
        return call(ast.Attribute(e.atom(op.inputs[0]), "reshape", ast.Load()), shape.elts)
    return call(ast.Attribute(e.atom(op.inputs[0]), "reshape", ast.Load()), [shape])


def _einsum(e: Expressions, op: Op) -> ast.expr:
    keywords = {k: literal(v) for k, v in op.attrs.items() if k != "subscripts"}
    return call("np.einsum", [literal(op.attrs["subscripts"]), *(e.atom(a) for a in op.inputs)], keywords)


def _array_maker(e: Expressions, op: Op) -> ast.expr | None:
    """np.zeros, np.ones, np.full with a computed shape."""
    if not isinstance(op.attrs.get("shape"), tuple) or op not in e.shapes:
        return None
    shape = _bare(e.shape(op))
    keywords = {k: literal(v) for k, v in op.attrs.items() if k != "shape"}
    return call(op.prim.name, [shape, *(e.atom(a) for a in op.inputs[: op.prim.arity(op.attrs)])], keywords)


def _broadcast_to(e: Expressions, op: Op) -> ast.expr:
    return call("np.broadcast_to", [e.atom(op.inputs[0]), e.shape(op)])


def _negative(e: Expressions, op: Op) -> ast.expr | None:
    """`-2 * x` rather than `-(2 * x)`."""
    inner = e.folding.op(op.inputs[0])
    if op.role == "primal" or inner is None or inner.prim.name != "np.multiply" or inner.role == "primal":
        return None
    first = inner.inputs[0]
    if not isinstance(first, Const) or first.text is not None or type(first.value) not in (int, float):
        return None
    return ast.BinOp(constant(-first.value), ast.Mult(), e.atom(inner.inputs[1]))


def _choice(e: Expressions, op: Op) -> ast.expr:
    """`a if c else b`; `c and b`, `c or b` as they were written."""
    test = e.atom(op.inputs[0])
    then, other = (e.atom(region.results[0]) for region in op.regions)
    match op.attrs.get("spelled"):
        case "and":
            return ast.BoolOp(ast.And(), [test, then])
        case "or":
            return ast.BoolOp(ast.Or(), [test, other])
    return ast.IfExp(test, then, other)


def _where(e: Expressions, op: Op) -> ast.expr | None:
    """`a if c else b` between numbers in the backward sweep, where np.where would give a 0-d array.

    In a text for the GPU everywhere: an array of NumPy's does not go with CuPy's.
    """
    out = op.outputs[0].type
    if (op.role == "primal" and not e.on_device) or len(op.inputs) != 3 or not isinstance(out, Array) or out.has_memory:
        return None
    test, then, other = (e.atom(atom) for atom in op.inputs)
    return ast.IfExp(test, then, other)


def _python_number(e: Expressions, op: Op) -> ast.expr | None:
    """`float(x)` of a number on the GPU, which waits for it, says so."""
    if not _on_device(op):
        return None
    (source,) = op.inputs
    number: ast.expr = call(ast.Attribute(e.atom(source), "item", ast.Load()), [])
    is_float = isinstance(source.type, Array) and source.type.dtype.kind == "f"
    return number if op.prim.name == "float" and is_float else call(op.prim.name, [number])


def _as_array(e: Expressions, op: Op) -> ast.expr:
    """A number as an array; one that is filled on the GPU, rather than sent there."""
    (source,), out = op.inputs, op.outputs[0].type
    assert isinstance(out, Array)
    if out.namespace != "cupy" or _holds_device(source):
        return call("np.asarray", [e.atom(source)])
    is_float = isinstance(source, Const) and type(source.value) is float
    typed = {} if out.dtype == np.float64 and (is_float or isinstance(source, Value)) else {"dtype": dtype(out.dtype)}
    shape: list[ast.expr] = [ast.Tuple([], ast.Load())]
    if isinstance(source, Const) and source.value == 0:
        return call("np.zeros", shape, {} if out.dtype == np.float64 else typed)
    return call("np.full", [*shape, e.atom(source)], typed)


def _holds_device(atom: Atom) -> bool:
    return isinstance(atom.type, Array) and atom.type.namespace == "cupy"


def _effect(e: Expressions, op: Op) -> ast.expr:
    node: ast.expr = _Shapes(e, op).visit(copy.deepcopy(op.attrs["template"]))
    return fill_template(node, [e.atom(a) for a in op.inputs])  # type: ignore[no-any-return]


class _Shapes(ast.NodeTransformer):
    """Lengths that are one array's whole shape: `rng.random(x.shape)`."""

    def __init__(self, e: Expressions, op: Op):
        self.e, self.slots = e, {f"{SLOT}{i}": atom for i, atom in enumerate(op.inputs)}

    def visit_Tuple(self, node: ast.Tuple) -> ast.expr:
        shape = self.e.whole_shape([self.slots.get(getattr(item, "id", "")) for item in node.elts])
        return node if shape is None else shape


def _foreign(e: Expressions, op: Op) -> ast.expr:
    module = op.attrs["module"]
    parts = [*(e.atom(a) for a in op.inputs), dotted(e.modules.get(module, module))]
    node: ast.expr = fill_template(op.attrs["template"], parts)
    return node


def _solver(e: Expressions, op: Op) -> ast.expr:
    module = op.attrs["module"]
    functions: list[ast.expr] = [name(procedure.name) for procedure in functions_of(op)]
    parts = [*(e.atom(a) for a in op.inputs), *functions, dotted(e.modules.get(module, module))]
    node: ast.expr = fill_template(op.attrs["template"], parts)
    return node


def _field(e: Expressions, op: Op) -> ast.expr:
    """`sol.x`; `sol.y[:, -1]`"""
    node: ast.expr = ast.Attribute(e.atom(op.inputs[0]), op.attrs["name"], ast.Load())
    if op.attrs.get("last"):
        whole = ast.Slice(None, None, None)
        node = ast.Subscript(node, ast.Tuple([whole, constant(-1)], ast.Load()), ast.Load())
    return node


def _sparse_product(e: Expressions, op: Op) -> ast.expr:
    a, x = e.atom(op.inputs[0]), e.atom(op.inputs[1])
    return ast.BinOp(x, ast.MatMult(), a) if op.attrs.get("left") else ast.BinOp(a, ast.MatMult(), x)


def _sparse_solve(e: Expressions, op: Op) -> ast.expr:
    module = "scipy.sparse.linalg"
    target = ast.Attribute(dotted(e.modules.get(module, module)), op.attrs["solver"], ast.Load())
    keywords = {key: literal(value) for key, value in op.attrs["keywords"]}
    return call(target, [e.atom(a) for a in op.inputs[:2]], keywords)


def _lu_solve(e: Expressions, op: Op) -> ast.expr:
    lu, b = (e.atom(a) for a in op.inputs[:2])
    trans = [constant(op.attrs["trans"])] if op.attrs.get("trans", "N") != "N" else []
    return call(ast.Attribute(lu, "solve", ast.Load()), [b, *trans])


def _spline(e: Expressions, op: Op) -> ast.expr:
    """`spline(x, 1)`; `spline.derivative(1)(x)`"""
    spline, x = (e.atom(a) for a in op.inputs[:2])
    before, nu = op.attrs.get("before", 0), op.attrs.get("nu", 0)
    if before:
        spline = call(ast.Attribute(spline, "derivative", ast.Load()), [constant(before)] if before > 1 else [])
    return call(spline, [x, *([constant(nu)] if nu else [])])


def _linalg(e: Expressions, function: str, args: list[ast.expr], keywords: Mapping[str, ast.expr]) -> ast.expr:
    target = ast.Attribute(dotted(e.modules.get("scipy.linalg", "scipy.linalg")), function, ast.Load())
    return call(target, args, keywords)


def _factor_solve(e: Expressions, op: Op) -> ast.expr:
    trans = {"trans": constant(op.attrs["trans"])} if op.attrs.get("trans") else {}
    return _linalg(e, op.attrs["function"], [e.atom(a) for a in op.inputs[:2]], trans)


def _cho_solve(e: Expressions, op: Op) -> ast.expr:
    c, b = (e.atom(a) for a in op.inputs)
    return _linalg(e, "cho_solve", [ast.Tuple([c, constant(op.attrs["lower"])], ast.Load()), b], {})


def _stack(e: Expressions, op: Op) -> ast.expr | None:
    """`np.array([a, b])`, as the user wrote it."""
    return call("np.array", [ast.List([e.atom(a) for a in op.inputs], ast.Load())]) if op.style == "array" else None


def _as_lists(value: Any) -> ast.expr:
    """Nested tuples of numbers as the nested lists they were written as."""
    if isinstance(value, tuple):
        return ast.List([_as_lists(item) for item in value], ast.Load())
    return constant(value)


def _shape_of(e: Expressions, op: Op) -> ast.expr:
    array = e.atom(op.inputs[0])
    if op.style == "len":
        return call("len", [array])
    if op.attrs["axis"] is None:
        return ast.Attribute(array, "size", ast.Load())
    return ast.Subscript(ast.Attribute(array, "shape", ast.Load()), constant(op.attrs["axis"]), ast.Load())


_SPECIAL: dict[str, Callable[[Expressions, Op], ast.expr | None]] = {
    "np.transpose": _transpose,
    "np.expand_dims": _expand_dims,
    "broadcast": _broadcast,
    "zeros": _zeros,
    "astype": _astype,
    "np.reshape": _reshape,
    "np.swapaxes": _swapaxes,
    "np.copy": _copy,
    "np.real": _part("real"),
    "np.imag": _part("imag"),
    "np.conjugate": _conjugate,
    "np.einsum": _einsum,
    "np.negative": _negative,
    "np.where": _where,
    "np.zeros": _array_maker,
    "np.ones": _array_maker,
    "np.empty": _array_maker,
    "np.full": _array_maker,
    "np.broadcast_to": _broadcast_to,
    "dim": lambda e, op: e.length(op),
    "shape_of": _shape_of,
    "constant": lambda e, op: e.atom(op.inputs[0]),
    "getitem": lambda e, op: ast.Subscript(e.atom(op.inputs[0]), e.index(op, 1), ast.Load()),
    "stop_gradient": lambda e, op: e.atom(op.inputs[0]),
    "as_array": _as_array,
    "float": _python_number,
    "int": _python_number,
    "and": lambda e, op: ast.BoolOp(ast.And(), [e.atom(a) for a in op.inputs]),
    "or": lambda e, op: ast.BoolOp(ast.Or(), [e.atom(a) for a in op.inputs]),
    "np.stack": _stack,
    "effect": _effect,
    "foreign": _foreign,
    "solver": _solver,
    "sparse_T": lambda e, op: ast.Attribute(e.atom(op.inputs[0]), "T", ast.Load()),
    "sparse_product": _sparse_product,
    "sparse_dense": lambda e, op: call(ast.Attribute(e.atom(op.inputs[0]), "toarray", ast.Load()), []),
    "sparse_solve": _sparse_solve,
    "sparse_iterate": _sparse_solve,
    "lu_solve": _lu_solve,
    "spline_value": _spline,
    "factor_solve": _factor_solve,
    "factor_matrix": lambda e, op: ast.Subscript(e.atom(op.inputs[0]), constant(0), ast.Load()),
    "cho_solve": _cho_solve,
    "field": _field,
    "invoke": _effect,
    "again": lambda e, op: e.atom(op.inputs[0]),
    "if": _choice,
    "call": lambda e, op: call(procedure_of(op).name, [e.atom(a) for a in op.inputs]),
    "array_literal": lambda e, op: call("np.array", [_as_lists(op.attrs["object"])]),
    "not": lambda e, op: ast.UnaryOp(ast.Not(), e.atom(op.inputs[0])),
}

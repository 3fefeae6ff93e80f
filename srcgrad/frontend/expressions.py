"""Reading expressions: literals, names, operators, indexing, attributes."""

from __future__ import annotations

import ast
import operator
import types
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.nodes import Const, Region, Slot, Value
from ..ir.primitive import find, named
from ..ir.symbolic import METHODS
from ..ir.types import Array
from .captures import Found, look_up
from .state import Silent, State
from .values import (
    BoundMethod,
    Closure,
    DictValue,
    Iteration,
    ListValue,
    Poison,
    RangeValue,
    describe,
    flatten,
    is_number,
    same_structure,
    sequence,
)

_BINARY: dict[type[ast.operator], tuple[Any, Any]] = {
    ast.Add: (np.add, operator.add), ast.Sub: (np.subtract, operator.sub), ast.Mult: (np.multiply, operator.mul),
    ast.Div: (np.divide, operator.truediv), ast.FloorDiv: (np.floor_divide, operator.floordiv),
    ast.Mod: (np.remainder, operator.mod), ast.Pow: (np.power, operator.pow), ast.MatMult: (np.matmul, operator.matmul),
    ast.BitAnd: (np.bitwise_and, operator.and_), ast.BitOr: (np.bitwise_or, operator.or_),
    ast.BitXor: (np.bitwise_xor, operator.xor), ast.LShift: (np.left_shift, operator.lshift),
    ast.RShift: (np.right_shift, operator.rshift),
}  # fmt: skip
_UNARY: dict[type[ast.unaryop], tuple[Any, Any]] = {
    ast.USub: (np.negative, operator.neg), ast.UAdd: (np.positive, operator.pos), ast.Invert: (np.invert, operator.inv),
}  # fmt: skip
_COMPARE: dict[type[ast.cmpop], tuple[Any, Any]] = {
    ast.Lt: (np.less, operator.lt), ast.LtE: (np.less_equal, operator.le), ast.Gt: (np.greater, operator.gt),
    ast.GtE: (np.greater_equal, operator.ge), ast.Eq: (np.equal, operator.eq), ast.NotEq: (np.not_equal, operator.ne),
}  # fmt: skip
_LIBRARIES = ("numpy", "math", "scipy", "operator", "functools", "itertools", "builtins")


def is_library(thing: Any) -> bool:
    """Whether an object belongs to a library that nobody rebinds while a program runs."""
    module = thing.__name__ if isinstance(thing, types.ModuleType) else getattr(thing, "__module__", None)
    return isinstance(module, str) and module.split(".")[0] in _LIBRARIES


class Expressions(State):
    """`ev` gives the abstract value of an expression."""

    def ev(self, node: ast.expr) -> Any:
        """Raises Unsupported; the innermost expression that failed is where the error points."""
        outer = self.builder.origin
        self.builder.origin = self.frame.source.origin(node, self.frame.statement)
        try:
            method = getattr(self, f"_ev_{type(node).__name__}", None)
            if method is None:
                raise Unsupported(f"{_name_of(node)} cannot be differentiated")
            return method(node)
        except Unsupported as error:
            if not hasattr(error, "origin"):
                error.origin = self.builder.origin  # type: ignore[attr-defined]
            raise
        finally:
            self.builder.origin = outer

    # Literals and names

    def _ev_Constant(self, node: ast.Constant) -> Any:
        value = node.value
        if isinstance(value, (int, float, complex)) and not isinstance(value, bool):
            return Const(value, ast.unparse(node))
        return value

    def _ev_JoinedStr(self, node: ast.JoinedStr) -> Any:
        raise Unsupported("an f-string is only supported inside print, assert and raise")

    def _ev_Name(self, node: ast.Name) -> Any:
        return self.name(node.id)

    def name(self, name: str) -> Any:
        frame: Any = self.frame
        while frame is not None:
            if name in frame.env:
                value = frame.env[name]
                if isinstance(value, Poison):
                    raise self.poisoned(value)
                return value
            if name in frame.local:
                raise Unsupported(f"`{name}` is used before it is assigned")
            if frame.parent is None:
                break
            frame = frame.parent
        found = look_up(frame.function, name, frame.route)
        if found is None:
            raise Unsupported(f"name `{name}` is not defined")
        return self.adopt(found, name)

    def adopt(self, found: Found, name: str) -> Any:
        """A captured object as an abstract value: numbers and arrays are read at each call, code is compared."""
        value, route = found.value, found.route
        if route is None or (isinstance(value, types.ModuleType) and is_library(value)) or is_library(value):
            return self._library(value, name)
        if route in self.captured:
            return self.captured[route]
        self.captured[route] = result = self.capture(value, name, route)
        return result

    def capture(self, value: Any, name: str, route: Any) -> Any:
        raise NotImplementedError  # given by the interpreter

    def _library(self, value: Any, text: str) -> Any:
        if isinstance(value, (int, float, complex)) and not isinstance(value, bool):
            return Const(value, text)
        return value

    # Containers

    def _ev_Tuple(self, node: ast.Tuple) -> Any:
        return tuple(self._elements(node.elts))

    def _ev_List(self, node: ast.List) -> Any:
        return ListValue(self._elements(node.elts), self.depth)

    def _elements(self, nodes: list[ast.expr]) -> list[Any]:
        items: list[Any] = []
        for node in nodes:
            if isinstance(node, ast.Starred):
                items += sequence(self.ev(node.value))
            else:
                items.append(self.ev(node))
        return items

    def _ev_Dict(self, node: ast.Dict) -> Any:
        result = DictValue({}, self.depth)
        for key, value in zip(node.keys, node.values):
            if key is None:
                inner = self.ev(value)
                if not isinstance(inner, DictValue):
                    raise Unsupported("`**` needs a dict that is known when compiling")
                result.items.update(inner.items)
            else:
                result.items[self.key(self.ev(key))] = self.ev(value)
        return result

    def key(self, value: Any) -> Any:
        """A dict key or list index, known now."""
        if isinstance(value, tuple):
            return tuple(self.key(item) for item in value)
        return self.number(value) if is_number(value) else value

    def _ev_ListComp(self, node: ast.ListComp) -> Any:
        return ListValue(self._comprehension(node, node.elt), self.depth)

    def _ev_GeneratorExp(self, node: ast.GeneratorExp) -> Any:
        return ListValue(self._comprehension(node, node.elt), self.depth)

    def _comprehension(self, node: ast.ListComp | ast.GeneratorExp, elt: ast.expr) -> list[Any]:
        if len(node.generators) != 1:
            raise Unsupported("a comprehension with several `for` cannot be differentiated", "Nest the lists instead.")
        (generator,) = node.generators
        items: list[Any] = []
        env = self.frame.env
        for item in self.iterate(self.ev(generator.iter)):
            self.frame.env = dict(env)
            self.bind_target(generator.target, item)
            if all(self.truth(self.ev(test)) for test in generator.ifs):
                items.append(self.ev(elt))
        self.frame.env = env
        return items

    def iterate(self, value: Any) -> list[Any]:
        """The items of something whose length is known now."""
        if isinstance(value, RangeValue):
            return [Const(i) for i in range(*(int(self.number(b)) for b in (value.start, value.stop, value.step)))]
        if isinstance(value, Iteration):
            return self._iterate(value)
        if isinstance(value, Value):
            return self.unpack(value, None)
        return sequence(value)

    def _iterate(self, value: Iteration) -> list[Any]:
        parts = [self.iterate(part) for part in value.parts]
        match value.kind:
            case "enumerate":
                start = self.number(value.start) if value.start is not None else 0
                return [(Const(start + i), item) for i, item in enumerate(parts[0])]
            case "zip":
                return [tuple(items) for items in zip(*parts)]
            case "reversed":
                return parts[0][::-1]
        raise Unsupported(f"{value.kind} cannot be walked here")

    def unpack(self, value: Any, count: int | None) -> list[Any]:
        """The items of an array whose first length is known, or that must have `count` items."""
        if not isinstance(value, Value) or not isinstance(value.type, Array) or not value.type.ndim:
            items = sequence(value)
        else:
            length = self.facts.canon(value.type.axes[0])
            if length.constant is None and count is not None:
                self.facts.require("==", length, _dim(count))
            size = length.constant if length.constant is not None else count
            if size is None:
                raise Unsupported("the number of items is not known when compiling", "Loop over the array instead.")
            items = [self.apply(named("getitem"), [value], {"index": i}, "operator") for i in range(size)]
        if count is not None and len(items) != count:
            raise Unsupported(f"{len(items)} values are unpacked into {count} names")
        return items

    # Operators

    def _ev_BinOp(self, node: ast.BinOp) -> Any:
        return self.binary(type(node.op), self.ev(node.left), self.ev(node.right), node)

    def binary(self, kind: type[ast.operator], left: Any, right: Any, node: ast.AST, style: str = "operator") -> Any:
        function, python = _BINARY[kind]
        if isinstance(left, Const) and isinstance(right, Const):
            spelled = left.text is not None and right.text is not None and isinstance(node, ast.expr)
            return Const(self._static(python, left.value, right.value), ast.unparse(node) if spelled else None)
        if is_number(left) or is_number(right):
            if isinstance(left, (bool, Value, Const)) and isinstance(right, (bool, Value, Const)):
                prim = find(function)
                assert prim is not None
                return self.remember(self.apply(prim, [left, right], style=style), python, left, right)
        if isinstance(left, ListValue) and isinstance(right, ListValue) and kind is ast.Add:
            return ListValue(left.items + right.items, self.depth)
        if isinstance(left, tuple) and isinstance(right, tuple) and kind is ast.Add:
            return left + right
        if isinstance(left, (ListValue, tuple)) and is_number(right) and kind is ast.Mult:
            count = int(self.number(right))
            return ListValue(left.items * count, self.depth) if isinstance(left, ListValue) else left * count
        if isinstance(left, str) and isinstance(right, str):
            return self._static(python, left, right)
        raise Unsupported(f"operator `{_symbol(kind)}` between {describe(left)} and {describe(right)}")

    def remember(self, result: Any, python: Any, *operands: Any) -> Any:
        """Numbers computed from known numbers are known, which decides branches and lengths."""
        if isinstance(result, Value) and isinstance(result.type, Array) and not result.type.ndim:
            numbers = [self.maybe_number(operand) if is_number(operand) else operand for operand in operands]
            if all(type(n) in (int, float, bool) for n in numbers):
                self.known[result] = self._static(python, *numbers)
        return result

    def _static(self, python: Any, *operands: Any) -> Any:
        try:
            return python(*operands)
        except Exception as error:
            raise Unsupported(f"{type(error).__name__}: {error}") from None

    def _ev_UnaryOp(self, node: ast.UnaryOp) -> Any:
        operand = self.ev(node.operand)
        if isinstance(node.op, ast.Not):
            known = self.maybe_truth(operand)
            return (not known) if known is not None else self.apply(named("not"), [self.condition(operand)])
        function, python = _UNARY[type(node.op)]
        if isinstance(operand, Const):
            text = ast.unparse(node) if operand.text is not None else None
            return Const(self._static(python, operand.value), text)
        prim = find(function)
        assert prim is not None
        return self.remember(self.apply(prim, [operand], style="operator"), python, operand)

    def _ev_Compare(self, node: ast.Compare) -> Any:
        values = [self.ev(part) for part in (node.left, *node.comparators)]
        result: Any = True
        for kind, left, right in zip(node.ops, values, values[1:]):
            each = self.compare(kind, left, right)
            if result is True:
                result = each
            elif each is not True:
                result = self._both(result, each)
            if result is False:
                return False
        return result

    def _both(self, left: Any, right: Any) -> Any:
        return self.apply(named("and"), [self.condition(left), self.condition(right)])

    def compare(self, kind: ast.cmpop, left: Any, right: Any) -> Any:
        if isinstance(kind, (ast.Is, ast.IsNot)):
            if is_number(left) and right is None:
                return isinstance(kind, ast.IsNot)
            return (left is right) == isinstance(kind, ast.Is)
        if isinstance(kind, (ast.In, ast.NotIn)):
            inside = self.key(left) in [self.key(item) for item in sequence(right)]
            return inside == isinstance(kind, ast.In)
        function, python = _COMPARE[type(kind)]
        if is_number(left) or is_number(right):
            numbers = [self.maybe_number(v) if is_number(v) else v for v in (left, right)]
            if None not in numbers and all(type(n) in (int, float, bool) for n in numbers):
                return bool(python(*numbers))
            prim = find(function)
            assert prim is not None
            return self.apply(prim, [left, right], style="operator")
        return bool(self._static(python, left, right))

    def _ev_BoolOp(self, node: ast.BoolOp) -> Any:
        is_and = isinstance(node.op, ast.And)
        result: Any = None
        for part in node.values:
            value = self.ev(part)
            known = self.maybe_truth(value)
            if known is not None and result is None:
                if known != is_and:
                    return value
                if part is node.values[-1]:
                    return value
                continue
            condition = self.condition(value)
            result = condition if result is None else self.apply(named("and" if is_and else "or"), [result, condition])
        return result

    def condition(self, value: Any) -> Any:
        """A run-time truth value: a scalar."""
        if isinstance(value, Value) and isinstance(value.type, Array) and value.type.ndim:
            raise Unsupported(
                "the truth value of an array is ambiguous",
                "Use np.where for a choice by element, or .any() or .all().",
            )
        if isinstance(value, (Value, Const, bool)):
            return value
        raise Unsupported(f"{describe(value)} as a condition")

    def maybe_truth(self, value: Any) -> bool | None:
        """Whether a condition holds, if that is known now."""
        if isinstance(value, Value):
            number = self.maybe_number(value)
            return None if number is None else bool(number)
        if isinstance(value, Const):
            return bool(value.value)
        if isinstance(value, ListValue):
            return bool(value.items)
        if isinstance(value, DictValue):
            return bool(value.items)
        if isinstance(value, (RangeValue, Iteration, BoundMethod)):
            return None
        return bool(value)

    def truth(self, value: Any) -> bool:
        known = self.maybe_truth(value)
        if known is None:
            raise Unsupported("this condition must be known when compiling")
        return known

    def _ev_IfExp(self, node: ast.IfExp) -> Any:
        test = self.ev(node.test)
        known = self.maybe_truth(test)
        if known is not None:
            return self.ev(node.body if known else node.orelse)
        halves = []
        for part in (node.body, node.orelse):
            with self.region() as ops:
                value = self.ev(part)
            halves.append((ops, value))
        return self.join(self.condition(test), halves, style="expression")

    def join(self, test: Any, halves: list[tuple[list[Any], Any]], style: str = "function") -> Any:
        """One value out of two branches that each computed one."""
        (_, then), (_, other) = halves
        if not same_structure(then, other):
            raise Unsupported(f"the branches give {describe(then)} and {describe(other)}")
        leaves = [flatten(value)[0] for _, value in halves]
        rebuild = flatten(then)[1]
        types = []
        for k, pair in enumerate(zip(*leaves)):
            type = self.common_type([a.type for a in pair])
            for (ops, _), row in zip(halves, leaves):
                row[k] = self.convert(row[k], type, ops)
            types.append(type)
        regions = tuple(Region((), tuple(ops), tuple(row)) for (ops, _), row in zip(halves, leaves))
        outputs = self.builder.append(named("if"), [self.atom(test)], types, regions=regions, style=style)
        self.fresh.update(v for v in outputs if isinstance(v.type, Array) and v.type.ndim)
        for k, output in enumerate(outputs):
            self._share(output, [row[k] for row in leaves])
        return rebuild(list(outputs))

    def _share(self, output: Value, sources: list[Any]) -> None:
        """A joined value may be either branch's memory."""
        if any(isinstance(s, Value) and (s not in self.fresh or self.base(s) is not s) for s in sources):
            self.fresh.discard(output)

    def common_type(self, types: list[Any]) -> Array:
        raise NotImplementedError

    def convert(self, atom: Any, type: Array, ops: list[Any]) -> Any:
        raise NotImplementedError

    # Indexing and attributes

    def _ev_Subscript(self, node: ast.Subscript) -> Any:
        receiver = self.ev(node.value)
        if isinstance(receiver, Value):
            return self.getitem(receiver, node.slice)
        if isinstance(node.slice, ast.Slice):
            bounds = [None if b is None else self.number(self.ev(b)) for b in _bounds(node.slice)]
            items = sequence(receiver)[slice(*bounds)]
            return tuple(items) if isinstance(receiver, tuple) else ListValue(items, self.depth)
        key = self.key(self.ev(node.slice))
        container = receiver.items if isinstance(receiver, (ListValue, DictValue)) else receiver
        try:
            return self._library(container[key], ast.unparse(node))
        except (KeyError, IndexError, TypeError) as error:
            raise Unsupported(f"{type(error).__name__}: {error}") from None

    def getitem(self, array: Value, node: ast.expr) -> Value:
        template, dynamic = self.index(node)
        result: Value = self.apply(named("getitem"), [array, *dynamic], {"index": template}, "operator")
        from ..ir.indexing import is_basic

        if not is_basic(template, [d.type for d in dynamic]):
            self.views.pop(result, None)
            self.fresh.add(result)
        return result

    def index(self, node: ast.expr) -> tuple[Any, list[Value]]:
        """An index as a static template, and the run-time parts that fill its slots."""
        dynamic: list[Value] = []

        def part(each: ast.expr) -> Any:
            if isinstance(each, ast.Slice):
                return slice(*(None if b is None else entry(self.ev(b)) for b in _bounds(each)))
            if isinstance(each, ast.Tuple):
                return tuple(part(item) for item in each.elts)
            return entry(self.ev(each))

        def entry(value: Any) -> Any:
            if isinstance(value, Const):
                return operator.index(value.value)
            if isinstance(value, Value):
                dynamic.append(value)
                return Slot(len(dynamic))
            if isinstance(value, tuple):
                return tuple(entry(item) for item in value)
            if isinstance(value, ListValue):
                return [self.number(item) for item in value.items]
            if value is None or value is Ellipsis:
                return value
            if isinstance(value, slice):
                return value
            raise Unsupported(f"{describe(value)} as an index")

        return part(node), dynamic

    def _ev_Attribute(self, node: ast.Attribute) -> Any:
        receiver = self.ev(node.value)
        return self.attribute(receiver, node.attr, node)

    def attribute(self, receiver: Any, name: str, node: ast.AST) -> Any:
        if isinstance(receiver, Value):
            return self._array_attribute(receiver, name)
        if isinstance(receiver, (ListValue, DictValue, Const, Closure, str)) or isinstance(receiver, tuple):
            return BoundMethod(receiver, name)
        if isinstance(receiver, (types.ModuleType, type, np.dtype)) or is_library(receiver):
            try:
                value = getattr(receiver, name)
            except AttributeError as error:
                raise Unsupported(str(error)) from None
            if is_library(receiver) or isinstance(receiver, np.dtype):
                return self._library(value, ast.unparse(node))  # type: ignore[arg-type]
            route = next((r for r, v in self.statics.items() if v is receiver), None)
            return self.adopt(Found(value, None if route is None else (*route, ("attr", name))), name)
        raise Unsupported(f"attribute `{name}` of {describe(receiver)} cannot be read here")

    def _array_attribute(self, array: Value, name: str) -> Any:
        type = array.type
        if not isinstance(type, Array):
            return BoundMethod(array, name)
        match name:
            case "T":
                transpose = find(np.transpose)
                assert transpose is not None
                return self.apply(transpose, [array], style="attribute")
            case "shape":
                return tuple(self.length(array, axis) for axis in range(type.ndim))
            case "ndim":
                return Const(type.ndim)
            case "size":
                return self.apply(named("shape_of"), [array], {"axis": None}, "attribute")
            case "dtype":
                return type.dtype
            case "real" | "imag":
                prim = find(getattr(np, name))
                assert prim is not None
                return self.apply(prim, [array], style="attribute")
        if name in METHODS or name in ("reshape", "transpose", "astype", "item", "fill", "sort", "tolist"):
            return BoundMethod(array, name)
        raise Unsupported(f"an array's attribute `{name}` cannot be differentiated")

    def length(self, array: Value, axis: int, style: str = "attribute") -> Any:
        return self.apply(named("shape_of"), [array], {"axis": axis}, style)

    def _ev_Lambda(self, node: ast.Lambda) -> Any:
        return Closure(node, self.frame, self.default_values(node.args), "<lambda>")

    def default_values(self, args: ast.arguments) -> dict[str, Any]:
        positional = [*args.posonlyargs, *args.args]
        pairs = list(zip(positional[len(positional) - len(args.defaults) :], args.defaults))
        pairs += [(a, d) for a, d in zip(args.kwonlyargs, args.kw_defaults) if d is not None]
        return {arg.arg: self.ev(default) for arg, default in pairs}

    def _ev_Call(self, node: ast.Call) -> Any:
        return self.call(node)

    def call(self, node: ast.Call) -> Any:
        raise NotImplementedError

    def bind_target(self, target: ast.expr, value: Any) -> None:
        raise NotImplementedError


def _bounds(node: ast.Slice) -> tuple[ast.expr | None, ...]:
    return node.lower, node.upper, node.step


def _dim(number: int) -> Any:
    from ..ir.dims import as_dim

    return as_dim(number)


def _symbol(kind: type[ast.operator]) -> str:
    return ast.unparse(ast.BinOp(ast.Name("a"), kind(), ast.Name("b")))[2:-2]


def _name_of(node: ast.AST) -> str:
    """A construct in plain words."""
    words = {
        "Await": "await", "Yield": "a generator", "YieldFrom": "a generator", "NamedExpr": "an assignment expression",
        "SetComp": "a set comprehension", "DictComp": "a dict comprehension", "Set": "a set", "Starred": "a starred expression",
        "JoinedStr": "an f-string",
    }  # fmt: skip
    return words.get(type(node).__name__, f"`{type(node).__name__}`")


__all__ = ["Expressions", "Silent", "is_library"]

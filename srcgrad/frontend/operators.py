"""Reading operators: arithmetic, comparisons, and the lazy ones that read their right side only where it counts."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.dims import Dim
from ..ir.nodes import Const, Op, Value
from ..ir.primitive import find, named
from ..ir.types import Array
from . import sparse
from .joins import Half, Joins
from .state import Ops
from .values import DictValue, ListValue, Poison, describe, is_number, sequence

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
# What may be computed although the left side of `and` or `or` has decided already: it cannot fail
_HARMLESS = {
    "np.less", "np.less_equal", "np.greater", "np.greater_equal", "np.equal", "np.not_equal", "and", "or", "not",
    "constant", "dim", "shape_of", "np.isnan", "np.isfinite", "np.isinf", "np.logical_and", "np.logical_or",
    "np.logical_not", "np.bitwise_and", "np.bitwise_or",
}  # fmt: skip


class Operators(Joins):
    def ev(self, node: ast.expr) -> Any:
        raise NotImplementedError

    # Arithmetic

    def _ev_BinOp(self, node: ast.BinOp) -> Any:
        return self.binary(type(node.op), self.ev(node.left), self.ev(node.right), node)

    def binary(self, kind: type[ast.operator], left: Any, right: Any, node: ast.AST, style: str = "operator") -> Any:
        function, python = _BINARY[kind]
        left, right = self._beside_array(left, right), self._beside_array(right, left)
        if isinstance(left, Const) and isinstance(right, Const):
            return Const(self.compute(python, left.value, right.value), _spelled(kind, left, right))
        if sparse.is_sparse(left) or sparse.is_sparse(right):
            if kind is not ast.MatMult:
                raise Unsupported("arithmetic with a sparse matrix", "Its products are differentiated: A @ x.")
            return sparse.product(self, left, right)  # type: ignore[arg-type]
        if is_number(left) or is_number(right):
            if isinstance(left, (bool, Value, Const)) and isinstance(right, (bool, Value, Const)):
                if self.frame.level and _leaves_count(kind, left, right):
                    return right if isinstance(left, Const) else left
                prim = find(function)
                assert prim is not None
                return self.remember(self.apply(prim, [left, right], style=style), python, left, right)
            if kind is ast.Mult and isinstance(left, (ListValue, tuple)):
                return self._repeat(left, right)
            if kind is ast.Mult and isinstance(right, (ListValue, tuple)):
                return self._repeat(right, left)
        return self._static_binary(kind, python, left, right)

    def _beside_array(self, value: Any, other: Any) -> Any:
        """A list beside an array is an array."""
        array = isinstance(other, Value) and isinstance(other.type, Array) and other.type.ndim > 0
        return self.array_of(value) if array and isinstance(value, (ListValue, tuple)) else value

    def array_of(self, value: Any) -> Any:
        raise NotImplementedError

    def _repeat(self, items: Any, count: Any) -> Any:
        times = operator.index(self.number(count))
        return items * times if isinstance(items, tuple) else ListValue(items.items * times, self.depth)

    def _static_binary(self, kind: type[ast.operator], python: Any, left: Any, right: Any) -> Any:
        if isinstance(left, ListValue) and isinstance(right, ListValue) and kind is ast.Add:
            return ListValue(left.items + right.items, self.depth)
        if isinstance(left, DictValue) and isinstance(right, DictValue) and kind is ast.BitOr:
            return DictValue({**left.items, **right.items}, self.depth)
        if isinstance(left, tuple) and isinstance(right, tuple) and kind is ast.Add:
            return left + right
        if isinstance(left, (str, bool)) and isinstance(right, (str, bool)):
            result = self.compute(python, left, right)
            return Const(result) if isinstance(result, (int, float)) and not isinstance(result, bool) else result
        for operand in (left, right):
            if isinstance(operand, Poison):
                raise self.poisoned(operand)
        raise Unsupported(f"operator `{_symbol(kind)}` between {describe(left)} and {describe(right)}")

    def remember(self, result: Any, python: Any, *operands: Any) -> Any:
        """Numbers computed from known numbers are known, which decides branches and lengths."""
        if isinstance(result, Value) and isinstance(result.type, Array) and not result.type.ndim:
            numbers = [self.maybe_number(operand) if is_number(operand) else operand for operand in operands]
            if all(type(n) in (int, float, bool) for n in numbers):
                self.known[result] = self.compute(python, *numbers)
        return result

    def compute(self, python: Callable[..., Any], *operands: Any) -> Any:
        """Python's own arithmetic on what is known now; its exceptions become faults at this place."""
        try:
            return python(*operands)
        except Exception as error:
            raise Unsupported(f"{type(error).__name__}: {error}") from None

    def _ev_UnaryOp(self, node: ast.UnaryOp) -> Any:
        operand = self.ev(node.operand)
        if isinstance(node.op, ast.Not):
            known = self.maybe_truth(operand)
            return (not known) if known is not None else self.apply(named("not"), [self.condition(operand)])
        return self.unary(node, operand)

    def unary(self, node: ast.UnaryOp, operand: Any) -> Any:
        function, python = _UNARY[type(node.op)]
        if isinstance(operand, Const):
            spelled = None if operand.text is None else ast.parse(operand.text, mode="eval").body
            text = None if spelled is None else ast.unparse(ast.UnaryOp(node.op, spelled))
            return Const(self.compute(python, operand.value), text)
        if isinstance(operand, bool):
            return Const(self.compute(python, operand))
        if not isinstance(operand, Value):
            raise Unsupported(f"operator `{ast.unparse(node)[:1]}` of {describe(operand)}")
        prim = find(function)
        assert prim is not None
        return self.remember(self.apply(prim, [operand], style="operator"), python, operand)

    # Comparisons

    def _ev_Compare(self, node: ast.Compare) -> Any:
        """`a < b < c` reads `c` only where `a < b` holds."""
        left = self.ev(node.left)
        return self._chain(left, list(zip(node.ops, node.comparators)))

    def _chain(self, left: Any, rest: list[tuple[ast.cmpop, ast.expr]]) -> Any:
        (kind, node), *later = rest
        right = self.ev(node)
        result = self.compare(kind, left, right)
        if not later:
            return result
        return self._lazy(result, lambda: self._chain(right, later), is_and=True)

    def compare(self, kind: ast.cmpop, left: Any, right: Any) -> Any:
        if isinstance(kind, (ast.Is, ast.IsNot)):
            return self._identical(left, right) == isinstance(kind, ast.Is)
        if isinstance(kind, (ast.In, ast.NotIn)):
            inside = self.key(left) in [self.key(item) for item in sequence(right)]
            return inside == isinstance(kind, ast.In)
        function, python = _COMPARE[type(kind)]
        if (
            (isinstance(left, bool) and is_number(right))
            or (isinstance(right, bool) and is_number(left))
            or (is_number(left) and is_number(right))
        ):
            return self._compare_numbers(kind, function, python, left, right)
        if isinstance(kind, (ast.Eq, ast.NotEq)):
            equal = self._equal(left, right)
            return equal if isinstance(kind, ast.Eq) else self._negated(equal)
        if is_number(left) or is_number(right):
            raise Unsupported(f"comparison of {describe(left)} with {describe(right)}")
        return bool(self.compute(python, self.key(left), self.key(right)))

    def _identical(self, left: Any, right: Any) -> bool:
        if is_number(left) != is_number(right):
            return False
        if is_number(left) and left is not right:
            raise Unsupported("`is` between numbers or arrays cannot be decided here", "Compare with `==`.")
        return left is right

    def _compare_numbers(self, kind: ast.cmpop, function: Any, python: Any, left: Any, right: Any) -> Any:
        numbers = [self.maybe_number(v) for v in (left, right)]
        if all(type(n) in (int, float, bool) for n in numbers):
            return bool(python(*numbers))
        if isinstance(kind, (ast.Eq, ast.NotEq)):
            same = self._same_length(left, right)
            if same is not None:
                return same == isinstance(kind, ast.Eq)
        prim = find(function)
        assert prim is not None
        return self.apply(prim, [left, right], style="operator")

    def _same_length(self, left: Any, right: Any) -> bool | None:
        """Whether two array lengths are equal: decided now, and assumed in every call of this compilation."""
        dims = [self._length(value) for value in (left, right)]
        if dims[0] is None or dims[1] is None or not any("[" in s.name for d in dims if d for s in d.symbols()):
            return None
        a, b = (self.facts.canon(dim) for dim in dims if dim is not None)
        if self.facts.same(a, b):
            return True
        if not self.facts.orders and (a - b).constant is None:
            return None  # another call of the function that is read may decide otherwise
        if self.facts.require("==", a, b):
            return True
        if self.facts.require(">=", a, b + 1) or self.facts.require(">=", b, a + 1):
            return False
        return None

    def _length(self, value: Any) -> Dim | None:
        if isinstance(value, Const) and type(value.value) is int:
            return self.dim(value)
        if isinstance(value, Value) and isinstance(value.type, Array) and not value.type.ndim:
            return value.type.dim
        return None

    def _equal(self, left: Any, right: Any) -> Any:
        """`==` of containers, item by item, and of strings and the like."""
        if isinstance(left, (tuple, ListValue)) and type(left) is type(right):
            pairs = list(zip(sequence(left), sequence(right)))
            if len(sequence(left)) != len(sequence(right)):
                return False
            result: Any = True
            for a, b in pairs:
                result = self._lazy(result, partial(self.compare, ast.Eq(), a, b), is_and=True)
            return result
        containers = (tuple, ListValue, DictValue)
        if is_number(left) or is_number(right):
            return False  # a number and something else
        if isinstance(left, containers) and isinstance(right, containers) and type(left) is not type(right):
            return False
        if isinstance(left, containers) or isinstance(right, containers):
            if isinstance(left, DictValue) and isinstance(right, DictValue):
                raise Unsupported("comparison of dicts", "Compare their items.")
            return False
        return bool(self.compute(operator.eq, left, right))

    def _negated(self, value: Any) -> Any:
        return (not value) if isinstance(value, bool) else self.apply(named("not"), [self.condition(value)])

    def key(self, value: Any) -> Any:
        """A dict key or list index, known now."""
        if isinstance(value, tuple):
            return tuple(self.key(item) for item in value)
        return self.number(value) if is_number(value) else value

    # and, or, if-else

    def _ev_BoolOp(self, node: ast.BoolOp) -> Any:
        is_and = isinstance(node.op, ast.And)
        return self._operands(node.values, is_and)

    def _operands(self, parts: list[ast.expr], is_and: bool) -> Any:
        first = self.ev(parts[0])
        if len(parts) == 1:
            return first
        return self._lazy(first, lambda: self._operands(parts[1:], is_and), is_and)

    def _lazy(self, left: Any, rest: Callable[[], Any], is_and: bool) -> Any:
        """`left and rest()`, as Python computes it: one of the two values, and the right one only where needed."""
        known = self.maybe_truth(left)
        if known is not None:
            return rest() if known == is_and else left
        condition = self.condition(left)
        with self._aside() as ops:
            right = rest()
        if _is_truth(left) and isinstance(right, Value) and isinstance(right.type, Array) and right.type.ndim:
            raise Unsupported(
                f"the truth value of an array is ambiguous, and `{'and' if is_and else 'or'}` asks for one",
                "Use .any() or .all(); & and | choose by element.",
            )
        if _is_truth(left) and _is_truth(right) and _harmless(ops) and not ops.stores:
            self.builder.ops.extend(ops)
            return self.apply(named("and" if is_and else "or"), [condition, right])
        decided: Any = left
        if _is_truth(left):
            decided = not is_and
        lazy: Half = (ops, right)
        done: Half = ([], decided)
        spelled = "and" if is_and else "or"
        return self.join(condition, (lazy, done) if is_and else (done, lazy), style="expression", spelled=spelled)

    def _ev_IfExp(self, node: ast.IfExp) -> Any:
        test = self.ev(node.test)
        known = self.maybe_truth(test)
        if known is not None:
            return self.ev(node.body if known else node.orelse)
        condition = self.condition(test)
        halves = []
        for part in (node.body, node.orelse):
            with self._aside() as ops:
                value = self.ev(part)
            halves.append((ops, value))
        return self.join(condition, halves, style="expression")

    @contextmanager
    def _aside(self) -> Iterator[Ops]:
        """Ops of an expression that may not be read; what it assigns (`:=`) is not certain behind it."""
        before = dict(self.frame.env)
        with self.region() as ops:
            yield ops
        for name, value in self.frame.env.items():
            if before.get(name) is not value:
                way_out = "Assign it in a statement before."
                self.frame.env[name] = Poison(f"`{name}` is assigned only where this part is read", way_out)


def _leaves_count(kind: type[ast.operator], left: Any, right: Any) -> bool:
    """`step * i`, `i * step` or `i // step` of Python's ints, where a helper's step is 1."""
    values = [each for each in (left, right) if isinstance(each, Value)]
    factor = right if isinstance(right, Const) else left
    if len(values) != 1 or not isinstance(factor, Const) or type(factor.value) is not int or factor.value != 1:
        return False
    kinds = (ast.Mult, ast.FloorDiv) if factor is right else (ast.Mult,)
    count = values[0].type
    return kind in kinds and isinstance(count, Array) and not count.ndim and count.weak and count.dtype.kind == "i"


def _is_truth(value: Any) -> bool:
    """A bool, so that `and` of two is a bool as well."""
    return isinstance(value, bool) or (is_number(value) and bool(value.type.dtype.kind == "b" and not value.type.ndim))


def _harmless(ops: list[Op]) -> bool:
    return all(op.prim.name in _HARMLESS for op in ops)


def _symbol(kind: type[ast.operator]) -> str:
    return ast.unparse(ast.BinOp(ast.Name("a"), kind(), ast.Name("b")))[2:-2]


def _spelled(kind: type[ast.operator], left: Const, right: Const) -> str | None:
    """`2.0 / np.pi` for constants that were spelled; a name that holds one is no part of the spelling."""
    if left.text is None or right.text is None:
        return None
    sides = [ast.parse(text, mode="eval").body for text in (left.text, right.text)]
    return ast.unparse(ast.BinOp(sides[0], kind(), sides[1]))

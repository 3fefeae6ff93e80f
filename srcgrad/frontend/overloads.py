"""Operators, indexing and truth of objects whose class defines them."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np

from ..errors import Unsupported
from .making import grid_by_index
from .objects import Objects, class_of, raw_member
from .structural import joined_by_index
from .values import Instance, Record, describe

_BINARY: dict[type[ast.operator], str] = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "truediv", ast.FloorDiv: "floordiv", ast.Mod: "mod",
    ast.Pow: "pow", ast.MatMult: "matmul", ast.BitAnd: "and", ast.BitOr: "or", ast.BitXor: "xor",
    ast.LShift: "lshift", ast.RShift: "rshift",
}  # fmt: skip
_COMPARE: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: ("lt", "gt"), ast.LtE: ("le", "ge"), ast.Gt: ("gt", "lt"), ast.GtE: ("ge", "le"),
    ast.Eq: ("eq", "eq"), ast.NotEq: ("ne", "ne"),
}  # fmt: skip
_UNARY: dict[type[ast.unaryop], str] = {ast.USub: "neg", ast.UAdd: "pos", ast.Invert: "invert"}


class Overloads(Objects):
    def special(self, value: Any, name: str) -> bool:
        """Whether a value is an object whose class defines a method for an operator."""
        if not isinstance(value, (Instance, Record)):
            return False
        raw = raw_member(class_of(value), name)
        return raw is not None and raw is not vars(object).get(name)

    def _either(self, left: Any, right: Any, names: tuple[str, str]) -> Any:
        """The left side's method, then the right side's; NotImplemented if neither answers."""
        for one, other, name in ((left, right, names[0]), (right, left, names[1])):
            if self.special(one, name):
                result = self.object_method(one, name, [other], {})
                if result is not NotImplemented:
                    return result
        return NotImplemented

    def binary(self, kind: type[ast.operator], left: Any, right: Any, node: ast.AST, style: str = "operator") -> Any:
        word = _BINARY[kind]
        result = self._either(left, right, (f"__{word}__", f"__r{word}__"))
        return super().binary(kind, left, right, node, style) if result is NotImplemented else result

    def in_place(self, kind: type[ast.operator], left: Any, right: Any) -> Any:
        """`a += b` where the class of `a` says what that does; NotImplemented elsewhere."""
        name = f"__i{_BINARY[kind]}__"
        return self.object_method(left, name, [right], {}) if self.special(left, name) else NotImplemented

    def compare(self, kind: ast.cmpop, left: Any, right: Any) -> Any:
        if type(kind) in _COMPARE:
            one, other = _COMPARE[type(kind)]
            result = self._either(left, right, (f"__{one}__", f"__{other}__"))
            if result is not NotImplemented:
                return result
        if isinstance(kind, (ast.In, ast.NotIn)) and self.special(right, "__contains__"):
            inside = self.object_method(right, "__contains__", [left], {})
            return inside if isinstance(kind, ast.In) else self._negated(inside)
        return super().compare(kind, left, right)

    def _ev_UnaryOp(self, node: ast.UnaryOp) -> Any:
        if not isinstance(node.op, ast.Not):
            name = f"__{_UNARY[type(node.op)]}__"
            operand = self.ev(node.operand)
            if self.special(operand, name):
                return self.object_method(operand, name, [], {})
            return self.unary(node, operand)
        return super()._ev_UnaryOp(node)

    def maybe_truth(self, value: Any) -> bool | None:
        for name in ("__bool__", "__len__"):
            if self.special(value, name):
                return super().maybe_truth(self.object_method(value, name, [], {}))
        return super().maybe_truth(value)

    def _ev_Subscript(self, node: ast.Subscript) -> Any:
        receiver = self.ev(node.value)
        if receiver is np.r_ or receiver is np.c_:
            return joined_by_index(self, receiver, node)  # type: ignore[arg-type]
        if receiver is np.mgrid or receiver is np.ogrid:
            return grid_by_index(self, receiver, node)  # type: ignore[arg-type]
        if not isinstance(receiver, (Instance, Record)):
            return self.subscript(receiver, node)
        if not self.special(receiver, "__getitem__") or isinstance(node.slice, ast.Slice):
            raise Unsupported(f"{describe(receiver)} has no items that can be read here")
        return self.object_method(receiver, "__getitem__", [self.ev(node.slice)], {})

    def iterate(self, value: Any) -> list[Any]:
        if self.special(value, "__iter__"):
            return self.iterate(self.object_method(value, "__iter__", [], {}))
        return super().iterate(value)

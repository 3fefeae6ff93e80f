"""Reading `x[...]` and `x.name`: of arrays, containers, modules, classes and instances."""

from __future__ import annotations

import ast
import operator
import types
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.indexing import without_dots
from ..ir.nodes import Const, Slot, Value
from ..ir.primitive import find, named
from ..ir.symbolic import METHODS
from ..ir.types import Array
from ..runtime.captures import Found, Route
from . import factors, inplace, solving, sparse, splines
from .expressions import Expressions, is_library
from .factors import Factors
from .solving import Solution
from .splines import Spline
from .values import (
    BoundMethod,
    Closure,
    DictValue,
    Flat,
    Instance,
    ListValue,
    Outputs,
    Record,
    Super,
    describe,
    sequence,
)
from .within import derivative_attribute, is_derivative

_OWN_METHODS = {
    "reshape", "transpose", "astype", "item", "fill", "sort", "partition", "put", "tolist", "compress", "to_device",
}  # fmt: skip


class Access(Expressions):
    def subscript(self, receiver: Any, node: ast.Subscript) -> Any:
        if isinstance(receiver, Flat):
            receiver = inplace.read_flat(self, receiver)  # type: ignore[arg-type]
        if isinstance(receiver, Solution) and not isinstance(node.slice, ast.Slice):
            return solving.attribute(self, receiver, str(self.key(self.ev(node.slice))))  # type: ignore[arg-type]
        if isinstance(receiver, Factors):
            receiver = factors.items(self, receiver)  # type: ignore[arg-type]
        if isinstance(receiver, Value):
            return self.getitem(receiver, node.slice)
        if isinstance(node.slice, ast.Slice):
            bounds = [None if b is None else self.number(self.ev(b)) for b in slice_bounds(node.slice)]
            if isinstance(receiver, str):
                return self.compute(operator.getitem, receiver, slice(*bounds))
            items = self.compute(operator.getitem, sequence(receiver), slice(*bounds))
            return tuple(items) if isinstance(receiver, tuple) else ListValue(items, self.depth)
        return self.item(receiver, self.ev(node.slice), ast.unparse(node))

    def item(self, receiver: Any, index: Any, text: str = "") -> Any:
        """An item of a container, by an index or key that is known now."""
        if isinstance(receiver, (ListValue, DictValue)) and receiver.rows is not None:
            return self.read_row(receiver, index)
        if isinstance(receiver, (ListValue, DictValue)):
            self.guess_growth(receiver, index)
        container = receiver.items if isinstance(receiver, (ListValue, DictValue)) else receiver
        if isinstance(container, (list, tuple, str)) and isinstance(index, Value):
            self._check_integer(index)
        if not isinstance(container, (list, tuple, dict, str)):
            raise Unsupported(f"{describe(receiver)} has no items that can be read here")
        return self.wrap(self.compute(operator.getitem, container, self.key(index)))

    def _check_integer(self, index: Value) -> None:
        if not isinstance(index.type, Array) or index.type.ndim or index.type.dtype.kind not in "iu":
            raise Unsupported(f"{describe(index)} as the index of a list or tuple", "It takes an integer.")

    def getitem(self, array: Value, node: ast.expr) -> Value:
        template, dynamic = self.index(node)
        assert isinstance(array.type, Array)
        if array in self.stepped:
            last: Value | None = solving.state_at_end(self, array, template, dynamic)  # type: ignore[arg-type]
            if last is not None:
                return last
        plain = without_dots(array.type, template)
        style = "operator" if plain is template else "0-d"  # `x[0, ...]` is an array, `x[0]` a number
        result: Value = self.apply(named("getitem"), [array, *dynamic], {"index": plain}, style)
        return result

    def index(self, node: ast.expr) -> tuple[Any, list[Value]]:
        """An index as a static template, and the run-time parts that fill its slots."""

        def part(each: ast.expr) -> Any:
            if isinstance(each, ast.Slice):
                return slice(*(None if b is None else bound(self.ev(b)) for b in slice_bounds(each)))
            if isinstance(each, ast.Tuple):
                return tuple(part(item) for item in self._starless(each))
            return self.ev(each)

        def bound(value: Any) -> Any:
            if isinstance(value, Value) and (not isinstance(value.type, Array) or value.type.ndim):
                raise Unsupported(f"{describe(value)} as the bound of a slice", "It takes an integer.")
            return value

        return self.index_of(part(node))

    def index_of(self, index: Any) -> tuple[Any, list[Value]]:
        """An abstract value as an index: its static template, and its run-time parts."""
        dynamic: list[Value] = []

        def entry(value: Any) -> Any:
            if isinstance(value, Const):
                return self.compute(operator.index, value.value)
            if isinstance(value, Value):
                if isinstance(value.type, Array) and value.type.dtype.kind not in "iub":
                    raise Unsupported(f"{describe(value)} as an index", "Indices are integers or boolean masks.")
                dynamic.append(self.as_mask(value))
                return Slot(len(dynamic))
            if isinstance(value, tuple):
                return tuple(entry(item) for item in value)
            if isinstance(value, ListValue):
                known = self.known_items(value)
                return entry(self.array_of(value)) if known is None else known
            if isinstance(value, slice):
                return slice(*(entry(bound) for bound in (value.start, value.stop, value.step)))
            if value is None or value is Ellipsis or isinstance(value, bool):
                return value
            raise Unsupported(f"{describe(value)} as an index")

        return entry(index), dynamic

    def as_mask(self, value: Value) -> Value:
        """A mask as it is now; the same condition on the same values selects as many elements."""
        if not isinstance(value.type, Array) or value.type.dtype.kind != "b":
            return value
        mask: Value = self.latest(value)
        assert isinstance(mask.type, Array)
        if mask.type.ndim and mask.type.count is None:
            first = self.alike.get(mask, mask)
            count = self.counts.setdefault(first, self.facts.fresh("count"))
            mask.type = replace(mask.type, count=count)
        return mask

    def _starless(self, node: ast.Tuple) -> list[ast.expr]:
        for each in node.elts:
            if isinstance(each, ast.Starred):
                raise self.refusal(each, "a starred index cannot be differentiated", "Write its parts out.")
        return node.elts

    def known_items(self, value: Any) -> Any:
        """A list of numbers that are written in the source, nested alike; None if any is not."""
        if isinstance(value, Const):
            return value.value
        if isinstance(value, (ListValue, tuple)):
            items = [self.known_items(item) for item in sequence(value)]
            return None if any(item is None for item in items) else items
        return None

    # Attributes

    def _ev_Attribute(self, node: ast.Attribute) -> Any:
        receiver = self.ev(node.value)
        return self.attribute(receiver, node.attr, node)

    def attribute(self, receiver: Any, name: str, node: ast.AST) -> Any:
        if sparse.is_sparse(receiver):
            return sparse.attribute(self, receiver, name)  # type: ignore[arg-type]
        if isinstance(receiver, Spline):
            return splines.attribute(self, receiver, name)  # type: ignore[arg-type]
        if isinstance(receiver, Value):
            return self._array_attribute(receiver, name)
        if isinstance(receiver, (Instance, Record)):
            return self.object_attribute(receiver, name, node)
        if isinstance(receiver, tuple) and name in getattr(receiver, "_fields", ()):
            return getattr(receiver, name)
        if isinstance(receiver, Outputs) and name in receiver.fields:
            return receiver[receiver.fields.index(name)]
        if isinstance(receiver, type) and not is_library(receiver) and callable(getattr(receiver, name, None)):
            return BoundMethod(receiver, name)
        if isinstance(receiver, Super):
            return BoundMethod(receiver, name)
        if isinstance(receiver, (ListValue, DictValue, Const, Closure, str, tuple)):
            return BoundMethod(receiver, name)
        if isinstance(receiver, (types.ModuleType, type, np.dtype)) or is_library(receiver):
            try:
                value = getattr(receiver, name)
            except AttributeError as error:
                raise Unsupported(str(error)) from None
            if is_library(receiver) or isinstance(receiver, np.dtype):
                return self.library(value, ast.unparse(node))
            route = self.route_of(receiver)
            return self.adopt(Found(value, None if route is None else (*route, ("attr", name))), name)
        if isinstance(receiver, Solution):
            return solving.attribute(self, receiver, name)  # type: ignore[arg-type]
        if is_derivative(receiver):
            return derivative_attribute(self, receiver, name, node)
        raise Unsupported(f"attribute `{name}` of {describe(receiver)} cannot be read here")

    def route_of(self, thing: Any) -> Route | None:
        """How the dispatcher reaches an object that is compared at each call."""
        return next((route for route, value in self.statics.items() if value is thing), None)

    def guess_growth(self, container: Any, key: Any) -> None:
        raise NotImplementedError

    def read_row(self, container: Any, key: Any) -> Any:
        raise NotImplementedError

    def object_attribute(self, thing: Any, name: str, node: ast.AST) -> Any:
        raise NotImplementedError

    def _array_attribute(self, array: Value, name: str) -> Any:
        type = array.type
        if not isinstance(type, Array):
            return BoundMethod(array, name)
        match name:
            case "T" | "mT":
                if name == "mT" and type.ndim < 2:
                    raise Unsupported("`mT` of an array that is not a matrix")
                if name == "mT" and type.ndim > 2:
                    swapaxes = find(np.swapaxes)
                    assert swapaxes is not None
                    return self.apply(swapaxes, [array], {"axis1": -1, "axis2": -2}, "function")
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
            case "itemsize":
                return Const(type.dtype.itemsize)
            case "nbytes":
                size = self._array_attribute(array, "size")
                return self.binary(ast.Mult, size, Const(type.dtype.itemsize), ast.Mult())
            case "flat":
                return Flat(array)
            case "real" | "imag":
                prim = find(getattr(np, name))
                assert prim is not None
                return self.apply(prim, [array], style="attribute")
        if name in METHODS or name in _OWN_METHODS:
            return BoundMethod(array, name)
        raise Unsupported(f"an array's attribute `{name}` cannot be differentiated")

    def length(self, array: Value, axis: int, style: str = "attribute") -> Any:
        return self.apply(named("shape_of"), [array], {"axis": axis}, style)


def slice_bounds(node: ast.Slice) -> tuple[ast.expr | None, ...]:
    return node.lower, node.upper, node.step

"""Reading expressions: literals, names, containers, comprehensions."""

from __future__ import annotations

import ast
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ..errors import InternalError, SrcgradError, Unsupported
from ..ir.dims import as_dim
from ..ir.nodes import Const, Value
from ..ir.primitive import named
from ..ir.types import Array
from ..rules.effects import unbound
from ..runtime.captures import Found, look_up
from . import factors, inplace
from .factors import Factors
from .operators import Operators
from .state import Frame, Signal, Silent
from .values import DictValue, Flat, Iteration, ListValue, Maybe, Poison, RangeValue, describe, flatten, sequence

_SEQUENCES = (tuple, list, str, dict, ListValue, DictValue, Iteration, RangeValue)
UNROLL = 64  # passes that are written out where a loop cannot stay a loop
_LIBRARIES = ("numpy", "math", "scipy", "operator", "functools", "itertools", "builtins")


def is_library(thing: Any) -> bool:
    """Whether an object belongs to a library that nobody rebinds while a program runs."""
    module = thing.__name__ if isinstance(thing, types.ModuleType) else getattr(thing, "__module__", None)
    return isinstance(module, str) and module.split(".")[0] in _LIBRARIES


class Expressions(Operators):
    """`ev` gives the abstract value of an expression."""

    def ev(self, node: ast.expr) -> Any:
        """Raises Unsupported; the innermost expression that failed is where the error points."""
        with self.at(node):
            method = getattr(self, f"_ev_{type(node).__name__}", None)
            if method is None:
                raise Unsupported(f"{_name_of(node)} cannot be differentiated", _WAYS_OUT.get(type(node).__name__, ""))
            return method(node)

    @contextmanager
    def at(self, node: ast.AST) -> Iterator[None]:
        """Ops and faults belong to this node; what goes wrong inside srcgrad says so, and where."""
        outer = self.builder.origin
        self.builder.origin = self.origin(node)
        try:
            yield
        except Unsupported as error:
            error.origin = error.origin or self.builder.origin
            raise
        except (SrcgradError, Signal):
            raise
        except RecursionError:
            raise Unsupported("this is nested too deeply to be read", "Split it into several statements.") from None
        except Exception as error:
            origin = self.builder.origin
            text = f"{origin}: srcgrad failed to read this: {type(error).__name__}: {error}\n    {origin.text.strip()}"
            raise InternalError(f"{text}\n    This is a bug in srcgrad; please report it.") from error
        finally:
            self.builder.origin = outer

    # Literals and names

    def _ev_Constant(self, node: ast.Constant) -> Any:
        value = node.value
        if isinstance(value, (int, float, complex)) and not isinstance(value, bool):
            return Const(value, ast.unparse(node))
        return value

    def _ev_JoinedStr(self, node: ast.JoinedStr) -> Any:
        """Of what is known now; print, assert and raise take others."""
        return "".join(self._formatted(part) for part in node.values)

    def _formatted(self, part: ast.expr) -> str:
        if isinstance(part, ast.FormattedValue):
            value = self.key(self.ev(part.value))
            if not isinstance(value, (str, int, float, complex, type(None), tuple)):
                raise Unsupported(f"{describe(value)} in an f-string that is a value")
            convert: dict[int, Callable[[Any], Any]] = {115: str, 114: repr, 97: ascii}
            shown = convert[part.conversion](value) if part.conversion in convert else value
            spec = "" if part.format_spec is None else self.ev(part.format_spec)
            return str(self.compute(format, shown, spec))
        assert isinstance(part, ast.Constant)
        return str(part.value)

    def _ev_Set(self, node: ast.Set) -> Any:
        return {self.key(item) for item in self.elements(node.elts)}

    def _ev_Name(self, node: ast.Name) -> Any:
        return self.name(node.id)

    def name(self, name: str) -> Any:
        frame: Any = self.frame
        while True:
            if name in frame.env:
                value = self.variable(frame, name)
                if isinstance(value, Poison):
                    raise self.poisoned(value)
                return self._assigned(frame, name, value) if isinstance(value, Maybe) else value
            if name in frame.local:
                raise Unsupported(f"`{name}` is used before it is assigned")
            if frame.parent is None:
                break
            frame = frame.parent
        found = look_up(frame.function, name, frame.route)
        if found is None:
            raise Unsupported(f"name `{name}` is not defined")
        return self.adopt(found, name)

    def variable(self, frame: Frame, name: str) -> Any:
        return frame.env[name]

    def _assigned(self, frame: Frame, name: str, maybe: Maybe) -> Any:
        """A variable that may have no value: the generated code looks, and fails as the function would."""
        if not maybe.sure():
            leaf = next(leaf for leaf in flatten(maybe.value)[0] if isinstance(leaf, Value))
            self.apply(named("effect"), [leaf], {"template": unbound(name), "types": ()})
        if frame is self.frame:
            frame.env[name] = maybe.value
        return maybe.value

    def adopt(self, found: Found, name: str) -> Any:
        """A captured object as an abstract value: numbers and arrays are read at each call, code is compared."""
        value, route = found.value, found.route
        if route is None or (isinstance(value, types.ModuleType) and is_library(value)):
            return self.library(value, name)
        if route in self.captured:
            return self.captured[route]
        self.captured[route] = result = self.capture(value, name, route)
        return result

    def capture(self, value: Any, name: str, route: Any) -> Any:
        raise NotImplementedError

    def library(self, value: Any, text: str) -> Any:
        if isinstance(value, (int, float, complex)) and not isinstance(value, bool):
            return Const(value, text)
        return value

    def _ev_NamedExpr(self, node: ast.NamedExpr) -> Any:
        frame: Any = self.frame
        while isinstance(frame.node, ast.comprehension):  # which has variables of its own, but not this one
            frame = frame.parent
        if frame.comprehending:
            raise Unsupported("an assignment expression in a generator that becomes a loop", "Write a loop.")
        if frame is not self.frame and frame.region != self.depth:
            raise Unsupported("an assignment expression in what may not be evaluated", "Assign it before.")
        value = self.ev(node.value)
        self.bind_target(node.target, value)
        bound = self.frame.env[node.target.id]
        if frame is not self.frame:
            frame.env[node.target.id] = self.frame.env.pop(node.target.id)
        return bound

    # Containers

    def _ev_Tuple(self, node: ast.Tuple) -> Any:
        return tuple(self.elements(node.elts))

    def _ev_List(self, node: ast.List) -> Any:
        return ListValue(self.elements(node.elts), self.depth, place=self.place(node))

    def elements(self, nodes: list[ast.expr]) -> list[Any]:
        items: list[Any] = []
        for node in nodes:
            if isinstance(node, ast.Starred):
                items += self.iterate(self.ev(node.value))
            else:
                items.append(self.ev(node))
        return items

    def _ev_Dict(self, node: ast.Dict) -> Any:
        result = DictValue({}, self.depth, place=self.place(node))
        for key, value in zip(node.keys, node.values):
            if key is None:
                inner = self.ev(value)
                if not isinstance(inner, DictValue):
                    raise Unsupported("`**` needs a dict that is known when compiling")
                result.items.update(inner.items)
            else:
                result.items[self.key(self.ev(key))] = self.ev(value)
        return result

    # Comprehensions

    def _ev_ListComp(self, node: ast.ListComp) -> Any:
        items = self._comprehension(node.generators, lambda: self.ev(node.elt))
        return ListValue(items, self.depth, place=self.place(node))

    def _ev_GeneratorExp(self, node: ast.GeneratorExp) -> Any:
        return tuple(self._comprehension(node.generators, lambda: self.ev(node.elt)))

    def _ev_DictComp(self, node: ast.DictComp) -> Any:
        pairs = self._comprehension(node.generators, lambda: (self.key(self.ev(node.key)), self.ev(node.value)))
        return DictValue(dict(pairs), self.depth)

    def _comprehension(self, generators: list[ast.comprehension], element: Any) -> list[Any]:
        """Every item, written out; the variables of a comprehension are its own."""
        if any(generator.is_async for generator in generators):
            raise Unsupported("an asynchronous comprehension cannot be differentiated")
        outer = self.frame
        walked = self.iterate(self.ev(generators[0].iter))
        inner = Frame(outer.function, outer.route, outer.source, parent=outer, level=outer.level, node=generators[0])
        inner.statement, inner.comprehending = outer.statement, True
        self.frames.append(inner)
        try:
            return self._filtered(generators, walked, element)
        finally:
            self.frames.pop()

    def _filtered(self, generators: list[ast.comprehension], walked: list[Any], element: Any) -> list[Any]:
        first, *rest = generators
        items: list[Any] = []
        for item in walked:
            self.spend()
            self.bind_item(first.target, item)
            if all(self.truth(self.ev(test)) for test in first.ifs):
                items += self._filtered(rest, self.iterate(self.ev(rest[0].iter)), element) if rest else [element()]
        return items

    # Walking over what is known now

    def iterate(self, value: Any) -> list[Any]:
        """The items of something whose length is known now; a short array's length becomes an assumption."""
        if isinstance(value, RangeValue):
            return [Const(i) for i in self.indices(value)]
        if isinstance(value, Iteration):
            return self._iterate(value)
        if isinstance(value, Flat):
            value = inplace.read_flat(self, value)  # type: ignore[arg-type]
        if isinstance(value, Value):
            return self.unpack(value, None)
        if isinstance(value, DictValue):
            return [self.wrap(key) for key in value.items]
        if isinstance(value, (set, frozenset)):
            raise Unsupported("the items of a set have no order", "Use sorted(...).")
        return [self.wrap(item) for item in sequence(value)]

    def indices(self, value: RangeValue) -> range:
        bounds = [self.number(b) for b in (value.start, value.stop, value.step)]
        indices: range = self.compute(range, *bounds)
        if len(indices) > self.budget:
            self.budget = 0
            self.spend()
        return indices

    def _iterate(self, value: Iteration) -> list[Any]:
        match value.kind:
            case "enumerate":
                start = self.number(value.start) if value.start is not None else 0
                return [(Const(start + i), item) for i, item in enumerate(self.iterate(value.parts[0]))]
            case "zip":
                return [tuple(items) for items in zip(*(self.iterate(part) for part in value.parts))]
            case "reversed":
                return self.iterate(value.parts[0])[::-1]
        raise Unsupported(f"{value.kind} cannot be walked here")

    def wrap(self, value: Any) -> Any:
        """A static Python object as an abstract value."""
        return Const(value) if isinstance(value, (int, float, complex)) and not isinstance(value, bool) else value

    def unpack(self, value: Any, count: int | None) -> list[Any]:
        """The items of a sequence or array, `count` of them where that is given."""
        if isinstance(value, Factors):
            value = factors.items(self, value)  # type: ignore[arg-type]
        if isinstance(value, Value):
            items = self._unpack_array(value, count)
        elif not isinstance(value, _SEQUENCES):
            raise Unsupported(f"{describe(value)} cannot be unpacked")
        else:
            items = self.iterate(value)
        if count is not None and len(items) != count:
            raise Unsupported(f"{len(items)} values are unpacked into {count} names")
        return items

    def _unpack_array(self, value: Value, count: int | None) -> list[Any]:
        if not isinstance(value.type, Array) or not value.type.ndim:
            raise Unsupported(f"{describe(value)} has no items")
        length = self.facts.canon(value.type.axes[0])
        size = length.constant if length.constant is not None else length.evaluate(self.facts.sizes)
        if size is None or (count is None and size > UNROLL):
            self.needs_unrolling()
            raise Unsupported(
                "the number of items is not known when compiling"
                if size is None
                else f"{size} items are too many here",
                "Use array operations, `sum(... for v in x)`, or a `for` loop over the array.",
            )
        if length.constant is None and not self.facts.require("==", length, as_dim(size)):
            raise Unsupported("the number of items is not known when compiling", "Loop over the array instead.")
        return [self.apply(named("getitem"), [value], {"index": i}, "operator") for i in range(size)]

    # Given by the classes on top

    def bind_target(self, target: ast.expr, value: Any) -> None:
        raise NotImplementedError

    def bind_item(self, target: ast.expr, item: Any) -> None:
        raise NotImplementedError


_WAYS_OUT = {
    "Yield": "Build a list, or compute in a loop.",
    "YieldFrom": "Build a list, or compute in a loop.",
    "SetComp": "Use a list comprehension.",
    "Await": "Await the data before the call, and pass it as an argument.",
}


def _name_of(node: ast.AST) -> str:
    """A construct in plain words."""
    words = {
        "Await": "`await`", "Yield": "a generator", "YieldFrom": "a generator", "SetComp": "a set comprehension",
        "Starred": "a starred expression", "Slice": "a slice outside an index",
    }  # fmt: skip
    return words.get(type(node).__name__, f"`{type(node).__name__}`")


__all__ = ["UNROLL", "Expressions", "Silent", "is_library"]

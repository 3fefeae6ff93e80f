"""Reading statements: assignments, branches, loops, returns. Straight-line code becomes ops, the rest regions."""

from __future__ import annotations

import ast
import types
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import Fault, Unsupported
from ..ir.dims import as_dim
from ..ir.nodes import Const, Param, Region, Value
from ..ir.primitive import find, named
from ..ir.types import INT, Array, Opaque, Type
from ..rules.effects import EFFECT
from ..runtime.signature import (
    ArraySpec,
    DictSpec,
    IdentitySpec,
    NumberSpec,
    OpaqueSpec,
    SequenceSpec,
    Spec,
    StaticSpec,
    UnknownArgument,
    describe,
    path_text,
)
from .calls import Calls
from .captures import Route
from .expressions import is_library
from .state import Frame, NeedStatic, Silent
from .values import Closure, DictValue, Iteration, ListValue, Poison, RangeValue, flatten, same_structure, sequence

_UNROLL = 64
_RETURNED = "<returned>"


class Interpreter(Calls):
    """Executes a function's syntax tree on abstract values; `run` gives its result."""

    # Inputs

    def leaf(self, spec: Spec, name: str, path: tuple[str | int, ...], capture: bool) -> Any:
        """The abstract value of one argument or captured variable."""
        match spec:
            case ArraySpec(dtype, ones):
                text = path_text(name, path)
                axes = tuple(
                    as_dim(1) if one else self.entry_length(f"{text}.shape[{i}]") for i, one in enumerate(ones)
                )
                return self.param(Array(np.dtype(dtype), axes), name, path, capture)
            case NumberSpec(dtype, python, value):
                if value is not None:
                    return Const(value)
                number = Array(np.dtype(dtype), weak=python)
                if number.dtype.kind in "iu":
                    number = replace(number, dim=self.entry_length(path_text(name, path)))
                return self.param(number, name, path, capture)
            case OpaqueSpec(kind):
                return self.param(Opaque(kind.__name__), name, path, capture)
            case StaticSpec(value):
                return value
            case IdentitySpec(_, thing):
                return thing
            case SequenceSpec(kind, items):
                values = [self.leaf(item, name, (*path, i), capture) for i, item in enumerate(items)]
                return tuple(values) if kind is tuple else ListValue(values, self.depth)
            case DictSpec(keys, items):
                pairs = {k: self.leaf(item, name, (*path, k), capture) for k, item in zip(keys, items)}
                return DictValue(pairs, self.depth)
        raise AssertionError(spec)

    def entry_length(self, text: str) -> Any:
        from ..ir.dims import Symbol

        return as_dim(Symbol(text))

    def param(self, type: Type, name: str, path: tuple[str | int, ...], capture: bool) -> Value:
        hint = name if not path else _leaf_name(name, path)
        value = Value(type, hint)
        self.params.append(Param(value, name, path, capture))
        self.named_at[value] = -1
        return value

    def capture(self, value: Any, name: str, route: Route) -> Any:
        """A global or closure variable: data becomes an input read at each call, code is compared by identity."""
        try:
            spec = describe(value)
        except UnknownArgument as error:
            raise Unsupported(
                f"`{name}` is {error.args[0]}; a differentiated function cannot read it",
                "Pass the arrays that it holds as arguments.",
            ) from None
        if isinstance(spec, (StaticSpec, IdentitySpec)):
            self.statics[route] = value
            return value
        if route in self.static_inputs and isinstance(spec, NumberSpec):
            self.statics[route] = value
            return Const(value)
        taken = {p.name for p in self.params} | self.frames[0].local
        unique, number = name, 1
        while unique in taken:
            number += 1
            unique = f"{name}_{number}"
        self.capture_specs[route] = (unique, spec)
        sizes = self.sizes_of(unique, value)
        self.facts.sizes.update(sizes)
        return self.leaf(spec, unique, (), True)

    capture_specs: dict[Route, tuple[str, Spec]]
    static_inputs: frozenset[Any]  # names and routes of integers that are compiled in

    def sizes_of(self, name: str, value: Any) -> dict[Any, int]:
        """The example's lengths, by the symbols that stand for them."""
        from ..ir.dims import Symbol

        if isinstance(value, np.ndarray):
            return {Symbol(f"{name}.shape[{i}]"): n for i, n in enumerate(value.shape) if n != 1}
        if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
            return {Symbol(name): int(value)}
        if isinstance(value, (list, tuple)):
            return {k: n for i, item in enumerate(value) for k, n in self.sizes_of(f"{name}[{i!r}]", item).items()}
        if isinstance(value, dict):
            return {
                k: n for key, item in value.items() for k, n in self.sizes_of(f"{name}[{key!r}]", item).items()
            }
        return {}

    # Function bodies

    def run_body(self, node: ast.FunctionDef, frame: Frame) -> Any:
        """Execute a function's statements; its return value."""
        frame.local = _assigned(node.body) | {a.arg for a in ast.walk(node.args) if isinstance(a, ast.arg)}
        if any(isinstance(n, (ast.Yield, ast.YieldFrom)) for n in _own_nodes(node)):
            raise Unsupported("a generator cannot be differentiated", "Build a list first.")
        returned = self.block(node.body)
        return None if returned is None else returned[0]

    def block(self, statements: Sequence[ast.stmt]) -> tuple[Any] | None:
        """Execute statements; the return value in a tuple, or None if the end is reached."""
        for position, statement in enumerate(statements):
            if isinstance(statement, ast.If) and _returns(statement):
                return self._returning_if(statement, statements[position + 1 :])
            returned = self._guarded(statement)
            if returned is not None:
                return returned
        return None

    def _guarded(self, statement: ast.stmt) -> tuple[Any] | None:
        """One statement; a fault is noted, what it would have assigned becomes unusable, reading goes on."""
        self.frame.statement = statement
        self.builder.origin = self.frame.source.origin(statement, statement)
        try:
            return self.statement(statement)
        except NeedStatic:
            raise
        except Unsupported as error:
            if self.depth and not isinstance(error, Silent):
                self._note(error, statement)
            elif not isinstance(error, Silent):
                self._note(error, statement)
            for name in _assigned([statement]):
                self.frame.env[name] = Poison("")
            return (Poison(""),) if isinstance(statement, ast.Return) else None

    def _note(self, error: Unsupported, statement: ast.stmt) -> None:
        origin = getattr(error, "origin", self.frame.source.origin(statement, statement))
        fault = Fault(origin, error.message, error.way_out)
        if fault not in self.faults:
            self.faults.append(fault)

    def statement(self, node: ast.stmt) -> tuple[Any] | None:
        match node:
            case ast.Return():
                return (self.ev(node.value) if node.value is not None else None,)
            case ast.Assign():
                self._assign(node)
            case ast.AnnAssign() if node.value is not None:
                self.bind_target(node.target, self.ev(node.value))
            case ast.AugAssign():
                self._augmented(node)
            case ast.If():
                return self._if(node)
            case ast.For():
                return self._for(node)
            case ast.While():
                self._while(node)
            case ast.Expr():
                if not isinstance(node.value, ast.Constant):
                    self.ev(node.value)
            case ast.Assert():
                self._assert(node)
            case ast.FunctionDef():
                if node.decorator_list:
                    raise Unsupported("a decorated nested function cannot be differentiated")
                self.frame.env[node.name] = Closure(node, self.frame, self.default_values(node.args), node.name)
            case ast.Pass() | ast.AnnAssign() | ast.Global() | ast.Nonlocal():
                pass
            case ast.Import() | ast.ImportFrom():
                self._import(node)
            case ast.Raise():
                raise Unsupported("`raise` that may be reached cannot be differentiated", "Check arguments before the call.")
            case _:
                raise Unsupported(f"`{_keyword(node)}` cannot be differentiated yet")
        return None

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        import importlib

        if isinstance(node, ast.Import):
            for alias in node.names:
                module = importlib.import_module(alias.name)
                top = module if alias.asname else importlib.import_module(alias.name.split(".")[0])
                if not is_library(top):
                    raise Unsupported("import of a module of your own inside the function", "Import it at the top.")
                self.frame.env[alias.asname or alias.name.split(".")[0]] = top
            return
        module = importlib.import_module(node.module or "")
        if node.level or not is_library(module):
            raise Unsupported("import from a module of your own inside the function", "Import it at the top.")
        for alias in node.names:
            self.frame.env[alias.asname or alias.name] = getattr(module, alias.name)

    def _assert(self, node: ast.Assert) -> None:
        test = self.ev(node.test)
        if self.maybe_truth(test) is True:
            return
        message, inputs = (None, []) if node.msg is None else self.template(_wrap(node.msg))
        from ..rules.effects import SLOT

        condition = Const(False) if self.maybe_truth(test) is False else self.condition(test)
        text = message.args[0] if isinstance(message, ast.Call) else None
        template = ast.Assert(ast.Name(f"{SLOT}{len(inputs)}", ast.Load()), text)
        self.apply(EFFECT, [*inputs, condition], {"template": template, "types": ()})

    # Assignment

    def _assign(self, node: ast.Assign) -> None:
        value = self.ev(node.value)
        self.frame.statement = node
        self.builder.origin = self.frame.source.origin(node, node)
        for target in node.targets:
            self.bind_target(target, value)

    def bind_target(self, target: ast.expr, value: Any) -> None:
        match target:
            case ast.Name():
                self.frame.env[target.id] = self.named(value, target.id)
            case ast.Tuple() | ast.List():
                self._unpack_target(target, value)
            case ast.Subscript():
                self._set_item(target, value)
            case _:
                raise Unsupported("assignment to an attribute cannot be differentiated yet", "Return the new value.")

    def named(self, value: Any, name: str) -> Any:
        """A value under the user's name; a number written in the source becomes a named constant."""
        if isinstance(value, Const):
            attrs = {"integer": value.value} if isinstance(value.value, int) else {}
            constant = self.apply(named("constant"), [value], attrs)
            self.known[constant] = value.value
            value = constant
        if isinstance(value, Value):
            level = self.frame.level
            if value.hint is None or self.named_at.get(value, -1) > level:
                value.hint = name
                self.named_at[value] = level
        return value

    def _unpack_target(self, target: ast.Tuple | ast.List, value: Any) -> None:
        starred = [i for i, t in enumerate(target.elts) if isinstance(t, ast.Starred)]
        items = self.unpack(value, None if starred else len(target.elts))
        if starred:
            (at,) = starred
            after = len(target.elts) - at - 1
            if len(items) < len(target.elts) - 1:
                raise Unsupported(f"not enough values to unpack: {len(items)}")
            items = [*items[:at], ListValue(items[at : len(items) - after], self.depth), *items[len(items) - after :]]
        for each, item in zip(target.elts, items):
            self.bind_target(each.value if isinstance(each, ast.Starred) else each, item)

    def _set_item(self, target: ast.Subscript, value: Any) -> None:
        receiver = self.ev(target.value)
        if isinstance(receiver, (ListValue, DictValue)):
            self.may_grow(receiver)
            receiver.items[self.key(self.ev(target.slice))] = value
            return
        array, name = self._written_array(target, receiver)
        template, dynamic = self.index(target.slice)
        new = self.apply(named("index_set"), [array, self._stored(array, value), *dynamic], {"index": template})
        self.frame.env[name] = self.named(new, name)

    def _stored(self, array: Value, value: Any) -> Any:
        """What an item assignment stores has the array's dtype."""
        value = self.operand(value)
        assert isinstance(array.type, Array)
        if isinstance(value, Value) and isinstance(value.type, Array) and value.type.dtype != array.type.dtype:
            if np.can_cast(value.type.dtype, array.type.dtype, "same_kind"):
                return self.apply(named("astype"), [value], {"dtype": array.type.dtype}, "method")
            if value.type.dtype.kind in "iub":
                return self.apply(named("astype"), [value], {"dtype": array.type.dtype}, "method")
            raise Unsupported(f"storing {value.type} into an array of {array.type.dtype} loses its derivative")
        return value

    def _written_array(self, target: ast.Subscript, receiver: Any) -> tuple[Value, str]:
        """The array that an item assignment writes into, and the variable that holds it."""
        if not isinstance(receiver, Value) or not isinstance(target.value, ast.Name):
            raise Unsupported(
                "item assignment is supported into an array held by a variable", "Give the array a name of its own."
            )
        self._check_owned(receiver, target.value.id)
        return receiver, target.value.id

    def _check_owned(self, array: Value, name: str) -> None:
        why = self.shared_with(array, name)
        if why is not None:
            raise Unsupported(
                f"`{name}` is changed in place, and {why}",
                f"Make a new array: `{name} = {name}.copy()` before the change, or write `{name} = {name} + ...`.",
            )

    def _augmented(self, node: ast.AugAssign) -> None:
        right = self.ev(node.value)
        target = node.target
        if isinstance(target, ast.Name):
            left = self.name(target.id)
            if isinstance(left, ListValue) and isinstance(node.op, ast.Add):
                self.may_grow(left)
                left.items.extend(sequence(right))
                return
            in_place = isinstance(left, Value) and isinstance(left.type, Array) and left.type.ndim > 0
            if in_place:
                self._check_owned(left, target.id)
            result = self.binary(type(node.op), left, right, node, style="augmented" if in_place else "operator")
            if in_place and result.type != left.type:
                raise Unsupported(f"`{target.id}` of type {left.type} cannot hold {result.type}", "Use a new name.")
            if isinstance(result, Value) and isinstance(left, Value) and isinstance(result.type, Array) and not in_place:
                result = self._restyle(result, "augmented")
            self.frame.env[target.id] = self.named(result, target.id)
            return
        if not isinstance(target, ast.Subscript):
            raise Unsupported("an attribute changed in place cannot be differentiated yet")
        receiver = self.ev(target.value)
        if isinstance(receiver, (ListValue, DictValue)):
            self.may_grow(receiver)
            key = self.key(self.ev(target.slice))
            receiver.items[key] = self.binary(type(node.op), receiver.items[key], right, node)
            return
        array, name = self._written_array(target, receiver)
        template, dynamic = self.index(target.slice)
        old = self.apply(named("getitem"), [array, *dynamic], {"index": template}, "operator")
        new = self._stored(array, self.binary(type(node.op), old, self.operand(right), node))
        result = self.apply(named("index_set"), [array, new, *dynamic], {"index": template})
        self.frame.env[name] = self.named(result, name)

    def _restyle(self, value: Value, style: str) -> Value:
        """Mark the op just made as the user's `+=`."""
        if self.builder.ops and value in self.builder.ops[-1].outputs and self.builder.ops[-1].style == "operator":
            self.builder.ops[-1] = replace(self.builder.ops[-1], style=style)
        return value

    # Branches

    def _if(self, node: ast.If) -> tuple[Any] | None:
        test = self.ev(node.test)
        known = self.maybe_truth(test)
        if known is not None:
            return self.block(node.body if known else node.orelse)
        condition = self.atom(self.condition(test))
        origin, statement = self.builder.origin, self.frame.statement
        before = dict(self.frame.env)
        halves = []
        for body in (node.body, node.orelse):
            self.frame.env = dict(before)
            with self.region() as ops:
                self.block(body)
            halves.append((ops, self.frame.env))
        self.builder.origin, self.frame.statement = origin, statement
        self.frame.env = self._merge(condition, before, halves)
        return None

    def _merge(self, condition: Any, before: dict[str, Any], halves: list[tuple[list[Any], dict[str, Any]]]) -> dict[str, Any]:
        """The variables after a branch: one value for each that both halves define alike."""
        (then_ops, then), (else_ops, other) = halves
        merged = dict(before)
        changed: list[str] = []
        for name in dict.fromkeys([*then, *other]):
            if name in then and name in other:
                if then[name] is other[name]:
                    merged[name] = then[name]
                elif isinstance(then[name], Poison) or isinstance(other[name], Poison):
                    merged[name] = then[name] if isinstance(then[name], Poison) else other[name]
                elif same_structure(then[name], other[name]):
                    changed.append(name)
                else:
                    merged[name] = Poison(f"`{name}` has a different kind of value in each branch")
            else:
                merged[name] = Poison(f"`{name}` is assigned in one branch only", "Assign it before the branch.")
        if not changed and not any(op.prim.kind == "impure" or op.regions for op in (*then_ops, *else_ops)):
            return merged
        values = tuple(tuple(env[name] for name in changed) for env in (then, other))
        try:
            joined = self.join(condition, [(then_ops, values[0]), (else_ops, values[1])])
        except Unsupported as error:
            if not hasattr(error, "origin"):
                error.origin = self.builder.origin  # type: ignore[attr-defined]
            raise
        for name, value in zip(changed, joined):
            merged[name] = value
            self._hint(value, name)
        return merged

    def _hint(self, value: Any, name: str) -> None:
        leaves, _ = flatten(value)
        if len(leaves) == 1 and isinstance(leaves[0], Value):
            leaves[0].hint = name
            self.named_at[leaves[0]] = self.frame.level

    def _returning_if(self, node: ast.If, rest: Sequence[ast.stmt]) -> tuple[Any] | None:
        """`if` with a return inside: what follows belongs to whichever branch goes on."""
        self.frame.statement = node
        self.builder.origin = self.frame.source.origin(node, node)
        try:
            test = self.ev(node.test)
            known = self.maybe_truth(test)
            if known is not None:
                return self.block([*(node.body if known else node.orelse), *rest])
            condition = self.atom(self.condition(test))
        except NeedStatic:
            raise
        except Unsupported as error:
            if not isinstance(error, Silent):
                self._note(error, node)
            return (Poison(""),)
        origin = self.builder.origin
        before, halves = dict(self.frame.env), []
        for body in (node.body, node.orelse):
            self.frame.env = dict(before)
            with self.region() as ops:
                returned = self.block([*body, *rest])
            halves.append((ops, returned[0] if returned is not None else None))
        self.builder.origin, self.frame.statement = origin, node
        if any(isinstance(value, Poison) for _, value in halves):
            return (Poison(""),)
        try:
            return (self.join(condition, halves),)
        except Unsupported as error:
            self._note(error, node)
            return (Poison(""),)

    def common_type(self, types: list[Type]) -> Array:
        """The type that holds either branch's value; ints and floats meet as floats, as in arithmetic."""
        first = types[0]
        assert isinstance(first, Array)
        result = first
        for type in types[1:]:
            if not isinstance(type, Array):
                raise Unsupported(f"{first} and {type} cannot be the same variable")
            if not self.facts.same_axes(result.axes, type.axes):
                if len(result.axes) != len(type.axes):
                    raise Unsupported(f"the variable is {result} on one path and {type} on another")
                for a, b in zip(result.axes, type.axes):
                    if not self.facts.require("==", a, b):
                        raise Unsupported(f"the variable is {result} on one path and {type} on another")
            result = self._common_number(result, type)
        return replace(result, dim=None)

    def _common_number(self, a: Array, b: Array) -> Array:
        if a.weak != b.weak:
            weak, strong = (a, b) if a.weak else (b, a)
            order = "biufc"
            if order.index(weak.dtype.kind) <= order.index(strong.dtype.kind) or strong.dtype.kind == "f":
                return strong
            return replace(strong, dtype=np.result_type(weak.dtype, strong.dtype))
        return a if a.dtype == b.dtype else replace(a, dtype=np.result_type(a.dtype, b.dtype))

    def convert(self, atom: Any, type: Array, ops: list[Any]) -> Any:
        """An atom with the joined type, converted at the end of its branch where it differs."""
        if not isinstance(atom.type, Array) or atom.type.dtype == type.dtype:
            return atom
        if isinstance(atom, Const):
            value = type.dtype.type(atom.value)
            return Const(value.item() if type.weak or type.dtype == float else value)
        outer, self.builder.ops = self.builder.ops, ops
        try:
            cast = named("float") if type.weak and type.dtype == float else named("astype")
            attrs = {} if cast.name == "float" else {"dtype": type.dtype}
            return self.apply(cast, [atom], attrs, "method")
        finally:
            self.builder.ops = outer

    # Loops

    def _for(self, node: ast.For) -> tuple[Any] | None:
        if node.orelse:
            raise Unsupported("`for ... else` cannot be differentiated yet")
        walked = self.ev(node.iter)
        if not self._is_dynamic(walked) and not self._is_static_range(walked):
            return self._unrolled(node, walked)
        for inner in _loop_nodes(node.body):
            if isinstance(inner, (ast.Break, ast.Continue, ast.Return)):
                self.builder.origin = self.frame.source.origin(inner, self.frame.statement)
                raise Unsupported(
                    f"`{_keyword(inner)}` inside a loop cannot be differentiated yet",
                    "Give the loop a bound, and use `if` or a `while` condition.",
                )
        marks = (len(self.builder.ops), len(self.params), dict(self.frame.env))
        try:
            self._loop(node, walked)
        except NeedStatic:
            if not self._is_static_range(walked) or len(self.iterate(walked)) > _UNROLL:
                raise
            del self.builder.ops[marks[0] :]
            self.frame.env = marks[2]
            return self._unrolled(node, walked)
        return None

    def _is_static_range(self, walked: Any) -> bool:
        if isinstance(walked, RangeValue):
            return all(self.maybe_number(b) is not None for b in (walked.start, walked.stop, walked.step))
        return isinstance(walked, Iteration) and all(self._is_static_range(p) for p in walked.parts)

    def _is_dynamic(self, walked: Any) -> bool:
        """Whether the loop walks over arrays or run-time ranges."""
        if isinstance(walked, Iteration):
            return any(self._is_dynamic(part) for part in walked.parts)
        if isinstance(walked, RangeValue):
            return not self._is_static_range(walked)
        return isinstance(walked, Value)

    def _unrolled(self, node: ast.For, walked: Any) -> tuple[Any] | None:
        for inner in _loop_nodes(node.body):
            if isinstance(inner, (ast.Break, ast.Continue)):
                raise Unsupported(f"`{_keyword(inner)}` inside a loop cannot be differentiated yet")
        for item in self.iterate(walked):
            self._bind_item(node.target, item)
            returned = self.block(node.body)
            if returned is not None:
                return returned
        return None

    def _bind_item(self, target: ast.expr, item: Any) -> None:
        """A loop variable: numbers of an unrolled loop stay numbers, without a line of their own."""
        if isinstance(target, ast.Name) and isinstance(item, Const):
            self.frame.env[target.id] = item
        elif isinstance(target, (ast.Tuple, ast.List)) and not isinstance(item, Value):
            for each, part in zip(target.elts, self.unpack(item, len(target.elts))):
                self._bind_item(each, part)
        else:
            self.bind_target(target, item)

    def _loop(self, node: ast.For, walked: Any) -> None:
        """A loop of the output: range bounds, carried variables, body."""
        origin = self.builder.origin
        start, stop, step, backwards = self._bounds(walked)
        assigned = _assigned(node.body)
        targets = _assigned([ast.For(node.target, node.iter, [], [])])
        carried = [name for name in self.frame.env if name in assigned - targets]

        def body(index: Value) -> None:
            self._bind_loop_item(node.target, self._item(walked, index, node))
            self.block(node.body)

        self._carry(carried, origin, [start, stop, step], body, backwards, _index_name(node.target, walked), assigned | targets)

    def _bounds(self, walked: Any) -> tuple[Any, Any, Any, bool]:
        if isinstance(walked, Iteration):
            if walked.kind == "reversed":
                start, stop, step, backwards = self._bounds(walked.parts[0])
                return start, stop, step, not backwards
            if walked.kind == "enumerate":
                return self._bounds(walked.parts[0])
            return self._zip_bounds(walked)
        if isinstance(walked, RangeValue):
            return walked.start, walked.stop, walked.step, False
        return Const(0), self.length(walked, 0, "len"), Const(1), False

    def _zip_bounds(self, walked: Iteration) -> tuple[Any, Any, Any, bool]:
        """zip stops at the shortest: the lengths must be provably equal."""
        bounds = [self._bounds(part) for part in walked.parts]
        if any(b[3] for b in bounds) or any(self.maybe_number(b[0]) != 0 or self.maybe_number(b[2]) != 1 for b in bounds):
            raise Unsupported("zip over reversed or stepped sequences cannot be differentiated yet", "Loop over indices.")
        first = self.dim(bounds[0][1])
        for bound in bounds[1:]:
            other = self.dim(bound[1])
            if not (self.facts.same(first, other) or self.facts.require("==", first, other)):
                raise Unsupported("zip over sequences of different lengths cannot be differentiated", "Slice them to one length.")
        return bounds[0]

    def _item(self, walked: Any, index: Value, node: ast.For) -> Any:
        """What the loop variable stands for in one pass."""
        if isinstance(walked, Iteration):
            if walked.kind == "zip":
                return tuple(self._item(part, index, node) for part in walked.parts)
            if walked.kind == "enumerate":
                if walked.start is not None and self.maybe_number(walked.start) != 0:
                    raise Unsupported("enumerate(..., start=) cannot be differentiated yet", "Add the start inside the loop.")
                return (index, self._item(walked.parts[0], index, node))
            return self._item(walked.parts[0], index, node)
        if isinstance(walked, RangeValue):
            return index
        from ..ir.nodes import Slot

        return self.apply(named("getitem"), [walked, index], {"index": Slot(1)}, "iteration")

    def _bind_loop_item(self, target: ast.expr, item: Any) -> None:
        if isinstance(target, (ast.Tuple, ast.List)) and isinstance(item, tuple):
            for each, part in zip(target.elts, item):
                self._bind_loop_item(each, part)
        else:
            self.bind_target(target, item)

    def _carry(
        self,
        names: list[str],
        origin: Any,
        bounds: list[Any],
        body: Any,
        backwards: bool,
        index_name: str | None,
        assigned: set[str],
    ) -> None:
        """Run the body on fresh values until the carried types are stable, then append the loop."""
        before = dict(self.frame.env)
        statement = self.frame.statement
        inits, rebuild = self._carried_leaves(names, before)
        hints = self._leaf_hints(names, before)
        types = [a.type for a in inits]
        faults = len(self.faults)
        for _ in range(8):
            params = [Value(self._widened(t), h) for t, h in zip(types, hints)]
            index = Value(replace(INT, dim=self.facts.fresh("i")), index_name)
            self._enter_params(params, [index], inits)
            self.frame.env = {**before, **dict(zip(names, rebuild(params)))}
            del self.faults[faults:]
            with self.region() as ops:
                body(index)
            results = self._carried_results(names, before)
            new = [self.common_type([t, a.type]) for t, a in zip(types, results)]
            if all(t.dtype == n.dtype and t.weak == n.weak for t, n in zip(types, new)):  # type: ignore[union-attr]
                break
            types = list(new)
        results = [self.convert(a, t, ops) for a, t in zip(results, types)]
        inits = [self.convert(a, t, self.builder.ops) for a, t in zip(inits, types)]
        self.builder.origin, self.frame.statement = origin, statement
        region = Region((index, *params), tuple(ops), tuple(results))
        outputs = self.builder.append(
            named("for"),
            [*(self.atom(b) for b in bounds), *inits],
            [p.type for p in params],
            {"carried": len(params), "reverse": backwards},
            regions=(region,),
        )
        self._leave(names, before, outputs, rebuild, assigned)

    def _widened(self, type: Type) -> Type:
        return replace(type, dim=None) if isinstance(type, Array) else type

    def _carried_leaves(self, names: list[str], env: dict[str, Any]) -> tuple[list[Any], Any]:
        values = tuple(env[name] for name in names)
        for name, value in zip(names, values):
            if isinstance(value, Poison):
                env[name] = value
        leaves, rebuild = flatten(values)
        return leaves, rebuild

    def _leaf_hints(self, names: list[str], env: dict[str, Any]) -> list[str | None]:
        hints: list[str | None] = []
        for name in names:
            leaves, _ = flatten(env[name])
            hints += [name if len(leaves) == 1 else (leaf.hint if isinstance(leaf, Value) else None) for leaf in leaves]
        return hints

    def _carried_results(self, names: list[str], before: dict[str, Any]) -> list[Any]:
        """What the carried variables are after one pass."""
        results: list[Any] = []
        for name in names:
            value = self.frame.env[name]
            if isinstance(value, Poison):
                raise self.poisoned(value)
            if not same_structure(before[name], value):
                raise Unsupported(
                    f"`{name}` changes its kind or length inside the loop",
                    "A loop over run-time values keeps the structure of its variables.",
                )
            results += flatten(value)[0]
        return results

    def _enter_params(self, params: list[Value], indices: list[Value], inits: list[Any]) -> None:
        """Loop variables are the function's own memory if what they start as is."""
        for param, init in zip(params, inits):
            self.named_at[param] = self.frame.level
            if isinstance(init, Value) and init in self.fresh and self.base(init) is init:
                self.fresh.add(param)
        for index in indices:
            self.named_at[index] = self.frame.level

    def _leave(
        self, names: list[str], before: dict[str, Any], outputs: Sequence[Value], rebuild: Any, assigned: set[str]
    ) -> None:
        """The variables after a loop."""
        env = dict(before)
        for name in assigned:
            if name not in before:
                env[name] = Poison(
                    f"`{name}` is assigned inside the loop only", "Give it a value before the loop, which may not run."
                )
            elif name not in names:
                env[name] = Poison(f"`{name}` after the loop is its last item, or what it was before")
        values = rebuild(list(outputs))
        for name, value in zip(names, values):
            env[name] = value
            self._hint(value, name)
            for leaf in flatten(value)[0]:
                if isinstance(leaf, Value) and isinstance(leaf.type, Array) and leaf.type.ndim:
                    self.fresh.add(leaf)
        self.frame.env = env

    def _while(self, node: ast.While) -> None:
        if node.orelse:
            raise Unsupported("`while ... else` cannot be differentiated yet")
        for inner in _loop_nodes(node.body):
            if isinstance(inner, (ast.Break, ast.Continue, ast.Return)):
                self.builder.origin = self.frame.source.origin(inner, self.frame.statement)
                raise Unsupported(f"`{_keyword(inner)}` inside a loop cannot be differentiated yet", "Put the condition into `while`.")
        origin, statement = self.builder.origin, self.frame.statement
        before = dict(self.frame.env)
        assigned = _assigned(node.body)
        names = [name for name in before if name in assigned]
        inits, rebuild = self._carried_leaves(names, before)
        hints = self._leaf_hints(names, before)
        types = [a.type for a in inits]
        faults = len(self.faults)
        for _ in range(8):
            heads, params = ([Value(self._widened(t), h) for t, h in zip(types, hints)] for _ in range(2))
            self._enter_params(heads, [], inits)
            self._enter_params(params, [], inits)
            del self.faults[faults:]
            self.frame.env = {**before, **dict(zip(names, rebuild(heads)))}
            with self.region() as test_ops:
                test = self.atom(self.condition(self.ev(node.test)))
            self.frame.env = {**before, **dict(zip(names, rebuild(params)))}
            with self.region() as ops:
                self.block(node.body)
            results = self._carried_results(names, before)
            new = [self.common_type([t, a.type]) for t, a in zip(types, results)]
            if all(t.dtype == n.dtype and t.weak == n.weak for t, n in zip(types, new)):  # type: ignore[union-attr]
                break
            types = list(new)
        results = [self.convert(a, t, ops) for a, t in zip(results, types)]
        inits = [self.convert(a, t, self.builder.ops) for a, t in zip(inits, types)]
        self.builder.origin, self.frame.statement = origin, statement
        regions = (
            Region(tuple(heads), tuple(test_ops), (test,)),
            Region(tuple(params), tuple(ops), tuple(results)),
        )
        passes = replace(INT, dim=self.facts.fresh("passes"))
        outputs = self.builder.append(
            named("while"), inits, [*(p.type for p in params), passes], {"carried": len(params)}, regions=regions
        )
        outputs[-1].hint = "passes"
        self._leave(names, before, outputs[:-1], rebuild, assigned)


def _leaf_name(name: str, path: tuple[str | int, ...]) -> str:
    """`params["w1"]` as w1, `layers[0]["w"]` as w_0."""
    words = [step for step in path if isinstance(step, str) and step.isidentifier()]
    numbers = [str(step) for step in path if isinstance(step, int)]
    return "_".join([words[-1] if words else name, *numbers])


def _assigned(statements: Sequence[ast.stmt]) -> set[str]:
    """Names that statements may assign, not looking into nested functions."""
    names: set[str] = set()
    for statement in statements:
        for node in _own_nodes(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names.add(node.id)
            elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name):
                names.add(node.value.id)
            elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                names.add(node.name)
            elif isinstance(node, ast.alias):
                names.add((node.asname or node.name).split(".")[0])
    return names


def _own_nodes(node: ast.AST) -> list[ast.AST]:
    """A node and what is inside it, nested functions and comprehensions left out."""
    found: list[ast.AST] = [node]
    skipped = (ast.FunctionDef, ast.Lambda, ast.ClassDef, ast.ListComp, ast.GeneratorExp, ast.DictComp, ast.SetComp)
    for child in ast.iter_child_nodes(node):
        found += [child] if isinstance(child, skipped) else _own_nodes(child)
    return found


def _loop_nodes(body: Sequence[ast.stmt]) -> list[ast.AST]:
    """Statements that belong to this loop: not those of loops inside, except returns."""
    found: list[ast.AST] = []
    for statement in body:
        for node in _own_nodes(statement):
            found.append(node)
    inner = {n for s in found if isinstance(s, (ast.For, ast.While)) for n in _own_nodes(s) if n is not s}
    return [n for n in found if n not in inner or isinstance(n, ast.Return)]


def _returns(node: ast.stmt) -> bool:
    return any(isinstance(n, ast.Return) for n in _own_nodes(node))


def _index_name(target: ast.expr, walked: Any) -> str | None:
    """The loop's counter, where the user named it."""
    if isinstance(walked, RangeValue) and isinstance(target, ast.Name):
        return target.id
    if isinstance(walked, Iteration) and isinstance(target, ast.Tuple) and walked.kind == "enumerate":
        first = target.elts[0]
        return first.id if isinstance(first, ast.Name) else None
    if isinstance(walked, Iteration) and walked.kind == "reversed":
        return _index_name(target, walked.parts[0])
    return None


def _keyword(node: ast.AST) -> str:
    words = {"AsyncFor": "async for", "ClassDef": "class", "Delete": "del", "TryStar": "try", "AsyncWith": "async with"}
    name = type(node).__name__
    return words.get(name, name.lower())


def _wrap(message: ast.expr) -> ast.Call:
    return ast.Call(ast.Name("message", ast.Load()), [message], [])


__all__ = ["Interpreter", "find", "types"]

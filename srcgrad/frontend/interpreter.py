"""Reading statements: straight-line code becomes ops, the rest regions; a fault is noted and reading goes on."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.indexing import composed, getitem_type, without_dots
from ..ir.nodes import Const, Value
from ..ir.primitive import named
from ..ir.types import Array
from . import effects, foreign, inplace
from .branches import Returned
from .desugar import needs_desugaring
from .expressions import is_library
from .factors import Factors
from .jumps import raising_half
from .loops import Bind, Loops
from .matching import match_as_if
from .scopes import assigned, keyword, local_names, may_jump, nonlocal_names, own_nodes, returns
from .solving import Solution
from .splines import Spline
from .state import Frame
from .values import Closure, DictValue, Flat, ListValue, Poison, describe, is_number

_WAYS_OUT = {
    "Try": "Check the values with `if` instead; an exception ends the gradient as it ends the call.",
    "TryStar": "Check the values with `if` instead.",
    "With": "Only `with np.errstate(...)` is read; open anything else around the call.",
    "AsyncWith": "Do it outside the function.",
    "AsyncFor": "Do it outside the function.",
    "ClassDef": "Define the class outside the function.",
    "AsyncFunctionDef": "Do it outside the function.",
    "Global": "Return the value instead.",
}


class Interpreter(Loops):
    """Executes a function's syntax tree on abstract values; `run` gives its result."""

    def run(self, node: ast.FunctionDef | ast.Lambda, frame: Frame) -> Any:
        """The decorated function's result; faults are noted."""
        try:
            if isinstance(node, ast.Lambda):
                return self.ev(node.body)
            return self.run_body(node, frame)
        except Unsupported as error:
            self.note(error, node)
            return Poison("")

    def run_body(self, node: ast.FunctionDef, frame: Frame) -> Any:
        """Execute a function's statements; its return value."""
        frame.local, frame.region = set(local_names(node)), self.depth
        for inner in own_nodes(ast.Module(node.body, [])):
            if isinstance(inner, (ast.Yield, ast.YieldFrom)):
                raise self.refusal(inner, "a generator cannot be differentiated", "Build a list, and return a number.")
        with self._names_around(node, frame):
            returned = self.block(node.body)
        return None if returned is None else returned[0]

    @contextmanager
    def _names_around(self, node: ast.FunctionDef, frame: Frame) -> Iterator[None]:
        """`nonlocal` variables: taken over from the function around before the body, handed back after it."""
        declared = nonlocal_names(node)
        owner = frame.parent
        for name, place in declared.items():
            caller = self.frames[-2] if len(self.frames) > 1 else None
            if owner is None or caller is not owner or owner.region != self.depth or owner.comprehending:
                raise self.refusal(
                    place, f"`{name}` is changed by a function that is not called by the one around it, in a statement",
                    "Return the value instead.",
                )  # fmt: skip
            if name not in owner.env:
                raise self.refusal(place, f"`{name}` has no value yet", "Assign it before the call.")
            frame.env[name] = owner.env[name]
        frame.nonlocals = set(declared)
        yield
        for name, place in declared.items():
            if name not in frame.env:
                raise self.refusal(place, f"`{name}` is deleted", "Assign None instead.")
            assert owner is not None
            owner.env[name] = frame.env[name]

    def block(self, statements: Sequence[ast.stmt]) -> Returned:
        """Execute statements; the return value in a tuple, or None if the end is reached."""
        for position, statement in enumerate(statements):
            if isinstance(statement, (ast.With, ast.Match)) or raising_half(statement, statements[position + 1 :]):
                return self._rewritten(statement, statements[position + 1 :])
            if isinstance(statement, ast.If) and returns(statement):
                return self.returning_if(statement, statements[position + 1 :])
            rest = statements[position + 1 :]
            if needs_desugaring(statement):
                return self.simpler_loop(statement, rest)  # type: ignore[arg-type]
            if isinstance(statement, (ast.Break, ast.Continue)):
                self.jump(statement)
                return None
            if may_jump(statement):
                return self._jumping(statement, rest)
            returned = self._guarded(statement)
            if returned is not None:
                return returned
        return None

    def _rewritten(self, statement: ast.stmt, rest: Sequence[ast.stmt]) -> Returned:
        """`with`, `match`, and branches that raise, in simpler words."""
        self.frame.statement = statement
        try:
            with self.at(statement):
                self.spend()
                if isinstance(statement, ast.With):
                    return self.block([*self._with(statement), *rest])
                if isinstance(statement, ast.Match):
                    return self.block([*match_as_if(statement, self.ev(statement.subject)), *rest])
                assert isinstance(statement, ast.If)
                return self.raising_if(statement, rest)
        except Unsupported as error:
            self.note(error, statement)
            for name in assigned([statement]):
                self.frame.env[name] = Poison("")
            return (Poison(""),) if returns(statement) else self.block(rest)

    def _with(self, node: ast.With) -> list[ast.stmt]:
        """`with np.errstate(...)` says which warnings are shown, which changes no value."""
        for item in node.items:
            call = item.context_expr
            function = self.ev(call.func) if isinstance(call, ast.Call) else None
            if function is not np.errstate or not isinstance(call, ast.Call) or item.optional_vars is not None:
                raise self.refusal(call, "`with` cannot be differentiated yet", _WAYS_OUT["With"])
            if call.args or any(self.ev(k.value) not in ("ignore", "warn") for k in call.keywords):
                way_out = "Check the values with `if` and `raise`, or open it around the call."
                raise self.refusal(call, "`np.errstate` that raises or calls", way_out)
        return node.body

    def _jumping(self, statement: ast.stmt, rest: Sequence[ast.stmt]) -> Returned:
        """A statement with `break` or `continue` inside, and what follows it."""
        try:
            if isinstance(statement, ast.If):
                return self.jumping_if(statement, rest)
        except Unsupported as error:
            self.note(error, statement)
            for name in assigned([statement, *rest]):
                self.frame.env[name] = Poison("")
            return None
        self._guarded(statement)
        return self.after_jumps(statement, rest)

    def _guarded(self, statement: ast.stmt) -> Returned:
        """One statement; a fault is noted, what it would have assigned becomes unusable, reading goes on."""
        self.frame.statement = statement
        try:
            self.spend()
            with self.at(statement):
                self.builder.origin = self.frame.source.origin(statement, statement)
                return self.statement(statement)
        except Unsupported as error:
            self.note(error, statement)
            for name in assigned([statement]) | _receiver(statement):
                self.frame.env[name] = Poison("")
            return (Poison(""),) if isinstance(statement, ast.Return) else None

    def statement(self, node: ast.stmt) -> Returned:
        match node:
            case ast.Return():
                return (self.ev(node.value) if node.value is not None else None,)
            case ast.Assign():
                self._assign(node)
            case ast.AnnAssign() if node.value is not None:
                self.bind_target(node.target, self._annotated(node, node.value))
            case ast.AugAssign():
                self._augmented(node)
            case ast.If():
                return self.read_if(node)
            case ast.For():
                return self.read_for(node)
            case ast.While():
                self.read_while(node)
            case ast.Expr():
                if not isinstance(node.value, ast.Constant):
                    self.discarded = node.value
                    self.ev(node.value)
            case ast.Assert():
                effects.assertion(self, node)
            case ast.FunctionDef():
                self._define(node)
            case Bind():
                self.bind_item(node.loop.target, node.item)
            case ast.Pass() | ast.AnnAssign() | ast.Nonlocal():
                pass
            case ast.Import() | ast.ImportFrom():
                self._import(node)
            case ast.Raise():
                effects.raising(self, node)
            case ast.Delete():
                self._delete(node)
            case _:
                way_out = _WAYS_OUT.get(type(node).__name__, "")
                raise Unsupported(f"`{keyword(node)}` cannot be differentiated yet", way_out)
        return None

    def _annotated(self, node: ast.AnnAssign, value: ast.expr) -> Any:
        """`k: float = f(...)` tells what a function of another library gives."""
        function = foreign.foreign_call(self, value)
        cast = foreign.cast_of(self, node.annotation) if function is not None else None
        return self.ev(value) if cast is None else foreign.call(self, value, function, cast)  # type: ignore[arg-type]

    def _delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if not isinstance(target, ast.Name):
                raise self.refusal(target, "`del` of an item cannot be differentiated", "Build a new list or dict.")
            self.name(target.id)  # which must have a value
            if target.id not in self.frame.env:
                raise self.refusal(target, "a variable of the function around is deleted", "Leave it out.")
            del self.frame.env[target.id]

    def _define(self, node: ast.FunctionDef) -> None:
        if node.decorator_list:
            raise self.refusal(
                node.decorator_list[0], "a decorated nested function cannot be differentiated",
                "Define it at the top of the module, or leave the decorator out.",
            )  # fmt: skip
        self.frame.env[node.name] = Closure(node, self.frame, self._default_values(node.args), node.name)

    def _ev_Lambda(self, node: ast.Lambda) -> Any:
        return Closure(node, self.frame, self._default_values(node.args), "<lambda>")

    def _default_values(self, args: ast.arguments) -> dict[str, Any]:
        positional = [*args.posonlyargs, *args.args]
        pairs = list(zip(positional[len(positional) - len(args.defaults) :], args.defaults))
        pairs += [(a, d) for a, d in zip(args.kwonlyargs, args.kw_defaults) if d is not None]
        return {arg.arg: self.ev(default) for arg, default in pairs}

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                module = self._library_module(alias.name)
                top = module if alias.asname else importlib.import_module(alias.name.split(".")[0])
                self.frame.env[alias.asname or alias.name.split(".")[0]] = top
            return
        module = self._library_module("." * node.level + (node.module or ""))
        for alias in node.names:
            thing = self.compute(getattr, module, alias.name)
            self.frame.env[alias.asname or alias.name] = self.library(thing, f"{module.__name__}.{alias.name}")

    def _library_module(self, name: str) -> Any:
        module = None if name.startswith(".") else self.compute(importlib.import_module, name)
        if not is_library(module):
            raise Unsupported(
                "import of a module of your own inside the function", "Import it at the top of the module."
            )
        return module

    # Assignment

    def _assign(self, node: ast.Assign) -> None:
        value = self.ev(node.value)
        for target in node.targets:
            self.bind_target(target, value)

    def bind_target(self, target: ast.expr, value: Any) -> None:
        match target:
            case ast.Name():
                self.frame.env[target.id] = self._named(value, target.id)
            case ast.Tuple() | ast.List():
                self._unpack_target(target, value)
            case ast.Subscript():
                self._set_item(target, value)
            case ast.Attribute():
                self.set_attribute(target, value)
            case _:
                raise self.refusal(target, "this assignment cannot be differentiated", "Use a variable.")

    def _named(self, value: Any, name: str) -> Any:
        """A value under the user's name; a number written in the source becomes a named constant."""
        if isinstance(value, Const):
            attrs = {"integer": value.value} if type(value.value) is int else {}
            constant = self.apply(named("constant"), [value], attrs)
            self.known[constant] = value.value
            value = constant
        if isinstance(value, (Factors, Solution, Spline)):
            self._named(value.value, name)
        if isinstance(value, Value):
            level = self.frame.level
            if value.hint is None or self.named_at.get(value, -1) > level:
                value.hint = name.strip()
                self.named_at[value] = level
        return value

    def _unpack_target(self, target: ast.Tuple | ast.List, value: Any) -> None:
        starred = [i for i, t in enumerate(target.elts) if isinstance(t, ast.Starred)]
        items = self.unpack(value, None if starred else len(target.elts))
        if starred:
            (at,) = starred
            after = len(target.elts) - at - 1
            if len(items) < len(target.elts) - 1:
                raise Unsupported(f"{len(items)} values are too few for {len(target.elts) - 1} names and a starred one")
            items = [
                *items[:at],
                ListValue(items[at : len(items) - after], self.depth),
                *items[len(items) - after :],
            ]
        for each, item in zip(target.elts, items):
            if isinstance(each, ast.Name) and isinstance(item, Const) and self.frame.level:
                self.frame.env[each.id] = item  # what a helper takes apart, (rows, columns) = size, is spelled as it is
            else:
                self.bind_target(each.value if isinstance(each, ast.Starred) else each, item)

    def _set_item(self, target: ast.Subscript, value: Any) -> None:
        receiver = self.ev(target.value)
        if isinstance(receiver, (ListValue, DictValue)):
            self._store(receiver, self._container_key(target, receiver), value, ast.unparse(target))
            return
        if isinstance(receiver, Flat):
            inplace.write_flat(self, receiver, *self.index(target.slice), value)
            return
        array, name = self._written_array(target, receiver)
        template, dynamic = self.index(target.slice)
        self.set_item(array, template, dynamic, value, name)

    def set_item(
        self, array: Value, template: Any, dynamic: list[Value], value: Any, name: str, style: str = "function"
    ) -> None:
        """`array[index] = value`."""
        self.check_writable(array, name)
        value = self.cast_to(array, value)
        template = without_dots(array.type, template)  # type: ignore[arg-type]
        array, template, dynamic = self._through_rows(array, template, dynamic)
        self._fit(array, value, template, dynamic)
        if array in self.zero_d:
            self.write(array, self._same_array(value))
            return
        new = self.apply(named("index_set"), [array, value, *dynamic], {"index": template}, style)
        self.write(array, new)

    def _same_array(self, value: Any) -> Value:
        """A number as the new version of an array without axes."""
        return value if isinstance(value, Value) else self.apply(named("constant"), [value])

    def run_text(self, text: str, env: dict[str, Any]) -> dict[str, Any]:
        """Read statements of our own in place of a call; they have the place of the user's line. Their variables."""
        outer = self.frame
        statements = ast.parse(text).body
        place = outer.statement or outer.node  # a lambda has no statements
        assert place is not None
        for node in (each for statement in statements for each in ast.walk(statement)):
            ast.copy_location(node, place)
        self.frames.append(Frame(outer.function, outer.route, outer.source, dict(env), level=outer.level + 1))
        try:
            self.block(statements)
        finally:
            made = self.frames.pop()
        return made.env

    def _fit(self, array: Value, value: Any, template: Any, dynamic: list[Value]) -> None:
        """What is stored is as long as its place (or NumPy will raise): an assumption of this compilation."""
        assert isinstance(array.type, Array)
        place = getitem_type(self.facts, array.type, template, [each.type for each in dynamic])
        axes = value.type.axes if isinstance(value, Value) and isinstance(value.type, Array) else ()
        for there, here in zip(place.axes[::-1], axes[::-1]):
            if not self.facts.is_one(here):
                self.facts.require("==", there, here)

    def _through_rows(self, array: Value, template: Any, dynamic: list[Value]) -> tuple[Value, Any, list[Value]]:
        """`a[i][j]` as `a[i, j]`."""
        while (view := self.exact.get(array)) is not None and view.prim.name == "getitem":
            types = [[each.type for each in parts] for parts in (view.rest, dynamic)]
            joined = composed(view.attrs["index"], template, view.base.type, *types)
            if joined is None:
                break
            array, template, dynamic = view.base, joined, [*view.rest, *dynamic]
        return array, template, dynamic

    def _container_key(self, target: ast.Subscript, receiver: Any) -> Any:
        if isinstance(target.slice, ast.Slice):
            raise self.refusal(target, "assignment to a slice of a list", "Build a new list.")
        key = self.ev(target.slice)
        if isinstance(receiver, ListValue) and isinstance(key, Value):
            self._check_integer(key)
        return key

    def _store(self, receiver: ListValue | DictValue, key: Any, value: Any, text: str) -> None:
        """`receiver[key] = value`; under a key that is known only while running, it is a row of an array."""
        running = is_number(key) and self.maybe_number(key) is None
        if self.fills(receiver) and (running or receiver.rows is not None):
            self.store_row(receiver, key, value)
            return
        self.may_store(receiver, text)
        key = self.key(key)
        if isinstance(receiver, ListValue):
            self.compute(receiver.items.__getitem__, key)
        self.store(receiver, key, value)

    def cast_to(self, array: Value, value: Any) -> Any:
        """What an item assignment stores has the array's dtype."""
        value = self.operand(value)
        if not isinstance(value, (Value, Const, bool)):
            raise Unsupported(f"{describe(value)} cannot be stored into an array")
        assert isinstance(array.type, Array)
        if not isinstance(value, Value) or not isinstance(value.type, Array) or value.type.dtype == array.type.dtype:
            return value
        if np.can_cast(value.type.dtype, array.type.dtype, "same_kind") or value.type.dtype.kind in "iub":
            return self.apply(named("astype"), [value], {"dtype": array.type.dtype}, "method")
        raise Unsupported(
            f"storing {value.type} into an array of {array.type.dtype} loses its derivative",
            "Make the array with a float dtype: np.zeros(n), np.zeros_like(x, dtype=float).",
        )

    def _written_array(self, target: ast.Subscript, receiver: Any) -> tuple[Value, str]:
        """The array that an item assignment writes into, and what the user calls it."""
        if isinstance(receiver, tuple):
            raise Unsupported("a tuple cannot be changed", "Use a list.")
        if not isinstance(receiver, Value) or not self.is_array(receiver):
            raise Unsupported(f"item assignment into {describe(receiver)}", "Use an array with at least one axis.")
        return receiver, ast.unparse(target.value)

    def _augmented(self, node: ast.AugAssign) -> None:
        target = node.target
        if isinstance(target, ast.Name):
            self._augmented_name(node, target)
        elif isinstance(target, ast.Subscript):
            self._augmented_item(node, target)
        else:
            self._augmented_attribute(node, target)

    def _augmented_name(self, node: ast.AugAssign, target: ast.Name) -> None:
        left = self.name(target.id)
        right = self.ev(node.value)
        if isinstance(left, ListValue) and isinstance(node.op, ast.Add):
            self.may_change(left)
            left.items.extend(self.iterate(right))
            return
        changed = self.in_place(type(node.op), left, right)
        if changed is not NotImplemented:
            self.frame.env[target.id] = self._named(changed, target.id)
            return
        if self.is_array(left):
            self.frame.env[target.id] = left  # Python binds the name anew, to the same array
            self._augment_array(node, left, self.operand(right), target.id)
            return
        result = self.binary(type(node.op), left, right, node)
        if isinstance(result, Value) and isinstance(left, Value) and isinstance(result.type, Array):
            self._restyle(result, "augmented")
        self.frame.env[target.id] = self._named(result, target.id)

    def _augment_array(self, node: ast.AugAssign, left: Value, right: Any, name: str) -> None:
        """`a += b` where `a` is an array: its memory changes, for all who see it."""
        self.check_writable(left, name)
        result = self.binary(type(node.op), left, right, node, "augmented")
        assert isinstance(left.type, Array)
        if not self.agree(result.type.axes, left.type.axes):
            raise Unsupported(f"`{name}` of type {left.type} cannot hold {result.type}", "Use a new name.")
        self.write(left, self.cast_to(left, result))

    def _augmented_attribute(self, node: ast.AugAssign, target: ast.Attribute) -> None:
        thing = self.ev(target.value)
        old = self.attribute(thing, target.attr, target)
        if self.is_array(old):
            self.check_settable(thing, target)
            self._augment_array(node, old, self.operand(self.ev(node.value)), ast.unparse(target))
            return
        self.set_attribute(target, self.binary(type(node.op), old, self.ev(node.value), node))

    def _augmented_item(self, node: ast.AugAssign, target: ast.Subscript) -> None:
        receiver = self.ev(target.value)
        if isinstance(receiver, (ListValue, DictValue)):
            key = self._container_key(target, receiver)
            old = self.item(receiver, key)
            if self.is_array(old):
                self._augment_array(node, old, self.operand(self.ev(node.value)), ast.unparse(target))
                return
            new = self.binary(type(node.op), old, self.ev(node.value), node)
            self._store(receiver, key, new, ast.unparse(target))
            return
        flat = receiver if isinstance(receiver, Flat) else None
        array, name = self._written_array(target, receiver if flat is None else inplace.read_flat(self, flat))
        template, dynamic = self.index(target.slice)
        template = without_dots(array.type, template)  # type: ignore[arg-type]
        old = self.apply(named("getitem"), [array, *dynamic], {"index": template}, "operator")
        new = self.binary(type(node.op), old, self.operand(self.ev(node.value)), node, "augmented")
        if flat is not None:
            inplace.write_flat(self, flat, template, dynamic, new)
        else:
            self.set_item(array, template, dynamic, new, name)

    def _restyle(self, value: Value, style: str) -> None:
        """Mark the op just made as the user's `+=`."""
        if self.builder.ops and value in self.builder.ops[-1].outputs and self.builder.ops[-1].style == "operator":
            self.builder.ops[-1] = replace(self.builder.ops[-1], style=style)


def _receiver(statement: ast.stmt) -> set[str]:
    """`xs` in `xs.append(v)`: what a call on its own may have changed."""
    call = statement.value if isinstance(statement, ast.Expr) else None
    function = call.func if isinstance(call, ast.Call) else None
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
        return {function.value.id}
    return set()

"""Reading calls: NumPy functions and array methods, methods of containers, the user's own helpers."""

from __future__ import annotations

import ast
import types
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..errors import SourceNotFound, Unsupported
from ..ir.nodes import Const, Value
from ..ir.primitive import Primitive, bind, find, named
from ..ir.symbolic import METHODS
from ..ir.types import Array
from ..runtime.captures import Found, Route, follow
from ..runtime.source import Node, Source, find_source
from . import custom, effects, factors, foreign, inplace, solvers, sparse, splines, within
from .builtins import BUILTINS
from .callables import CALLABLES, call_wrapped, wraps
from .expressions import is_library
from .growing import Growing
from .making import astype
from .state import Frame
from .structural import STRUCTURAL, ufunc_method
from .values import (
    FIELDS,
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
    is_number,
    sequence,
)

_MAX_LEVEL = 40
_SCALARS = (np.float16, np.float32, np.float64, np.int8, np.int16, np.int32, np.int64, np.uint8, np.bool_)


class Calls(Growing):
    def _ev_Call(self, node: ast.Call) -> Any:
        function = self.ev(node.func)
        if function is print:
            return effects.print_call(self, node)
        if effects.makes_generator(function):
            return effects.generator(self, node, function)
        if effects.is_draw(function):
            return effects.draw(self, node, function)
        if self.passes_through(function):
            return foreign.call(self, node, function)
        if function in (float, int, bool) and len(node.args) == 1 and not node.keywords:
            inner = foreign.foreign_call(self, node.args[0])
            if inner is not None:
                return foreign.call(self, node.args[0], inner, function)  # type: ignore[arg-type]
        if function is sum and node.args and isinstance(node.args[0], (ast.GeneratorExp, ast.ListComp)):
            return self.sum_of(node, node.args[0])
        args = self.elements(node.args)
        kwargs: dict[str, Any] = {}
        for keyword in node.keywords:
            if keyword.arg is not None:
                kwargs[keyword.arg] = self.ev(keyword.value)
                continue
            inner = self.ev(keyword.value)
            if not isinstance(inner, DictValue):
                raise Unsupported("`**` needs a dict that is known when compiling")
            kwargs.update(inner.items)
        return self.invoke(function, args, kwargs, ast.unparse(node.func))

    def passes_through(self, function: Any) -> bool:
        """Whether nothing here knows the function, so that its call can only be made as it stands."""
        if not foreign.is_foreign(function) or not _hashable(function) or find(function) is not None:
            return False
        return not any(function in known for known in (STRUCTURAL, BUILTINS, CALLABLES, inplace.FUNCTIONS))

    def sum_of(self, node: ast.Call, items: ast.GeneratorExp | ast.ListComp) -> Any:
        raise NotImplementedError

    def invoke(self, function: Any, args: list[Any], kwargs: dict[str, Any], text: str) -> Any:
        self.spend()
        if isinstance(function, BoundMethod):
            return self._method(function, args, kwargs)
        if isinstance(function, Closure):
            return self._inline_closure(function, args, kwargs)
        if isinstance(function, (Instance, Record)):
            return self.object_method(function, "__call__", args, kwargs)
        if within.is_derivative(function):
            return within.call(self, function, args, kwargs, text)
        stacked = self.stacked(function, args, kwargs)
        if stacked is not NotImplemented:
            return stacked
        if custom.is_custom(function):
            return custom.call(self, function, args, kwargs, text)
        if wraps(function):
            return call_wrapped(self, function, args, kwargs, text)
        builtin = (
            STRUCTURAL.get(function) or BUILTINS.get(function) or CALLABLES.get(function)
            if _hashable(function)
            else None
        )
        if builtin is not None:
            return builtin(self, args, kwargs)  # type: ignore[arg-type]
        if isinstance(function, type) and function in _SCALARS:
            return self._scalar(function, args)
        if _hashable(function) and function in inplace.FUNCTIONS:
            return inplace.FUNCTIONS[function](self, args, kwargs)  # type: ignore[arg-type]
        method = ufunc_method(self, function, args, kwargs)  # type: ignore[arg-type]
        if method is not NotImplemented:
            return method
        if inplace.is_at(function):
            return inplace.at(self, function.__self__, args, kwargs)  # type: ignore[arg-type]
        if isinstance(function, splines.Spline):
            return splines.evaluate(self, function, args, kwargs)
        if splines.makes_spline(function):
            return splines.make(self, function, args, kwargs, text)
        if factors.is_known(function):
            return factors.call(self, function, args, kwargs, text)
        if sparse.is_known(function):
            return sparse.call(self, function, args, kwargs, text)
        solver = solvers.family_of(function)
        if solver is not None:
            return solvers.read_solver(self, solver, function, args, kwargs, text)
        prim = find(function)
        if prim is not None:
            self.spelled(prim, text)
            return self.numpy_call(prim, args, kwargs, "function")
        if isinstance(function, types.FunctionType) and not is_library(function):
            return self._inline_function(function, args, kwargs, text)
        if isinstance(function, type) and not is_library(function):
            return self.make(function, args, kwargs)
        raise _no_rule(function, text)

    def call_function(self, function: types.FunctionType, args: list[Any], kwargs: dict[str, Any], text: str) -> Any:
        return self._inline_function(function, args, kwargs, text)

    def _scalar(self, kind: type, args: list[Any]) -> Any:
        """`np.float32(x)`: a cast."""
        if len(args) != 1 or not is_number(args[0]) or (args[0].type.ndim and isinstance(args[0], Value)):
            raise Unsupported(f"np.{kind.__name__} of anything but one number", "Use .astype.")
        return self.apply(named("astype"), [args[0]], {"dtype": np.dtype(kind)}, "function")

    # NumPy

    def function_value(self, function: Any, route: Route, name: str) -> Value:
        """A function as a value, for calls that the text makes as they stand."""
        raise NotImplementedError

    def captured_here(self, value: Any) -> Any:
        return value

    def spelled(self, prim: Primitive, text: str) -> None:
        """Note how the user calls the module of a function of another library."""
        below = prim.name[len(prim.module) :]
        spelling = text.removesuffix(below)
        if prim.module.split(".")[0] not in ("", "np", "math") and (
            spelling == prim.module or (spelling != text and spelling.isidentifier())
        ):
            self.modules.setdefault(prim.module, spelling)

    def numpy_call(self, prim: Primitive, args: list[Any], kwargs: dict[str, Any], style: str) -> Any:
        """A call of a primitive: operands become inputs, everything else must be known now."""
        if kwargs.get("where", True) in (None, True):
            kwargs.pop("where", None)
        out = inplace.taken_out(prim, args, kwargs)
        if out is not None:
            where = None if "where" in prim.named else kwargs.pop("where", None)
            result = self.numpy_call(prim, args, kwargs, style)
            return inplace.into(self, out, result, where)  # type: ignore[arg-type]
        inplace.check_kept(prim, kwargs, args)
        operands, attrs = bind(prim, [self._sequence_operand(prim, i, a) for i, a in enumerate(args)], kwargs)
        extra: list[Value] = []
        attrs = {key: self.static(value, key, extra) for key, value in attrs.items()}
        inputs = [self.operand(value) for value in operands]
        if prim.name.startswith("math."):
            style = "python"
        result = self.apply(prim, [*inputs, *extra], attrs, style)
        fields = FIELDS.get(prim.name)
        if fields is not None and isinstance(result, tuple) and len(fields) == len(result):
            result = Outputs(result, fields)
        if not any(isinstance(i, Value) for i in inputs) and prim.fn is not None and len(inputs) == 1:
            self.remember(result, lambda *numbers: prim.fn(*numbers, **attrs), *inputs)
        return result

    def _sequence_operand(self, prim: Primitive, position: int, value: Any) -> Any:
        """A list or tuple of arrays, where the function takes a sequence."""
        name = prim.operands[position] if position < len(prim.operands) else ""
        if name.startswith("*") and name not in prim.signature:
            return self.unpack(value, None) if isinstance(value, Value) else self.iterate(value)
        if isinstance(value, tuple) and prim.kind in ("elementwise", "bilinear") and position < len(prim.operands):
            return self.array_of(value)
        return value

    def operand(self, value: Any) -> Any:
        """An operand: an array or number; a list or tuple of numbers becomes an array as NumPy would make it."""
        if isinstance(value, (ListValue, tuple)):
            return self.array_of(value)
        if isinstance(value, slice):
            raise Unsupported("a slice as the argument of a NumPy function", "Put the parts together: np.concatenate.")
        return value

    def array_of(self, value: Any) -> Any:
        """`np.array([...])` of numbers and arrays of one shape."""
        value = self.whole(value)
        if isinstance(value, (Value, Const)):
            return value
        if isinstance(value, bool):
            return Const(value)
        known = self.known_items(value)
        if known is not None and known != []:
            return self.apply(named("array_literal"), [], {"object": _as_tuples(known)})
        items = [self.array_of(item) for item in sequence(value)]
        if not items:
            raise Unsupported("an empty array literal has no known dtype", "Use np.zeros.")
        return self.apply(_prim(np.stack), items, {}, "array")

    def static(self, value: Any, key: str, extra: list[Value]) -> Any:
        """A keyword argument's value, known now; a shape may hold lengths known only while running."""
        if key == "shape" or key == "newshape":
            return self._shape(value, extra)
        if key == "dtype" and value is not None:
            return self.compute(np.dtype, value)
        if is_number(value):
            return self.number(value)
        if isinstance(value, (tuple, ListValue)):
            return tuple(self.static(item, key, extra) for item in sequence(value))
        if isinstance(value, Closure) or (callable(value) and not isinstance(value, type)):
            raise Unsupported(
                f"a function for `{key}=` cannot be differentiated", "Write what it does with NumPy functions."
            )
        return value

    def _shape(self, value: Any, extra: list[Value]) -> Any:
        items = sequence(value) if isinstance(value, (tuple, ListValue)) else [value]
        for item in items:
            if isinstance(item, Value) and isinstance(item.type, Array) and item.type.ndim == 0:
                extra.append(item)
        return tuple(-1 if self.maybe_number(item) == -1 else self.dim(item) for item in items)

    # Methods

    def _method(self, method: BoundMethod, args: list[Any], kwargs: dict[str, Any]) -> Any:
        receiver, name = method.receiver, method.name
        if sparse.is_sparse(receiver):
            return sparse.method(self, receiver, name, args, kwargs)
        if sparse.is_factorised(receiver):
            return sparse.solve_factorised(self, receiver, name, args, kwargs)
        if isinstance(receiver, splines.Spline):
            return splines.method(self, receiver, name, args, kwargs)
        if isinstance(receiver, Value):
            return self._array_method(receiver, name, args, kwargs)
        if isinstance(receiver, (Instance, Record)):
            return self.object_method(receiver, name, args, kwargs)
        if isinstance(receiver, Super):
            return self.super_method(receiver, name, args, kwargs)
        if isinstance(receiver, type):
            return self.class_method(receiver, name, args, kwargs)
        if isinstance(receiver, (ListValue, tuple)):
            return self._list_method(receiver, name, args, kwargs)
        if isinstance(receiver, DictValue):
            return self._dict_method(receiver, name, args, kwargs)
        if isinstance(receiver, str):
            return self.compute(getattr(receiver, name, None) or _missing(name), *map(self._in_string, args))
        if isinstance(receiver, Const) and name == "item" and not args:
            return receiver
        raise Unsupported(f"method `{name}` of {describe(receiver)} cannot be differentiated")

    def _in_string(self, value: Any) -> Any:
        """An argument of a string's method, known now."""
        return list(map(self.key, value.items)) if isinstance(value, ListValue) else self.key(value)

    def _list_method(self, receiver: ListValue | tuple[Any, ...], name: str, args: list[Any], kwargs: Any) -> Any:
        if name == "append" and self.fills(receiver) and len(args) == 1:
            return self.store_row(receiver, None, args[0])  # type: ignore[arg-type]
        items = sequence(receiver)
        if name == "_replace" and hasattr(receiver, "_fields") and not args:
            return self.make(type(receiver), [], {**dict(zip(receiver._fields, items)), **kwargs})
        if name == "_asdict" and hasattr(receiver, "_fields"):
            return DictValue(dict(zip(receiver._fields, items)), self.depth)
        if name in ("index", "count") and len(args) == 1:
            keys = [self.key(item) for item in items]
            return Const(self.compute(getattr(keys, name), self.key(args[0])))
        if isinstance(receiver, ListValue) and name == "copy":
            return ListValue(items, self.depth)
        if isinstance(receiver, ListValue) and name in (
            "append",
            "extend",
            "insert",
            "pop",
            "reverse",
            "clear",
        ):
            self.may_change(receiver)
            if name == "extend":
                return receiver.items.extend(self.iterate(args[0]))
            if name in ("insert", "pop"):
                args = [self.number(args[0]), *args[1:]] if args else []
            return self.compute(getattr(receiver.items, name), *args)
        raise Unsupported(f"method `{name}` of {describe(receiver)} cannot be differentiated")

    def _dict_method(self, receiver: DictValue, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        match name:
            case "items":
                return tuple((self.wrap(k), v) for k, v in receiver.items.items())
            case "keys":
                return tuple(self.wrap(k) for k in receiver.items)
            case "values":
                return tuple(receiver.items.values())
            case "copy":
                return DictValue(dict(receiver.items), self.depth)
            case "get" if args:
                return receiver.items.get(self.key(args[0]), args[1] if len(args) > 1 else None)
            case "update":
                self.may_store(receiver, self.variable_of(receiver))
                for key, value in [pair for each in (*map(self._as_dict, args), kwargs) for pair in each.items()]:
                    self.store(receiver, key, value)
                return None
            case "setdefault" if args and self.key(args[0]) in receiver.items:
                return receiver.items[self.key(args[0])]
            case "pop" | "setdefault" if args:
                self.may_change(receiver)
                return self.compute(getattr(receiver.items, name), self.key(args[0]), *args[1:])
            case "__setitem__" if len(args) == 2:
                self.may_store(receiver, self.variable_of(receiver))
                self.store(receiver, self.key(args[0]), args[1])
                return None
        raise Unsupported(f"method `{name}` of a dict cannot be differentiated")

    def _as_dict(self, value: Any) -> dict[Any, Any]:
        if isinstance(value, DictValue):
            return value.items
        return {self.key(key): item for key, item in (self.unpack(pair, 2) for pair in self.iterate(value))}

    def _array_method(self, array: Value, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        if not isinstance(array.type, Array):
            raise Unsupported(f"method `{name}` of {describe(array)} cannot be differentiated")
        match name:
            case "item":
                return self._item(array, args)
            case "astype":
                return astype(self, array, args, kwargs)
            case "reshape":
                shape, copied = args[0] if len(args) == 1 else tuple(args), kwargs.get("copy")
                if kwargs.pop("copy", None) not in (None, True):
                    raise Unsupported("`.reshape` with copy=False goes by the layout of the memory", "Leave it out.")
                made = self.numpy_call(_prim(np.reshape), [array, shape], kwargs, "method")
                return self.invoke(np.copy, [made], {}, "np.copy") if copied else made
            case "transpose":
                axes = args[0] if len(args) == 1 and not is_number(args[0]) else tuple(args)
                attrs = {"axes": self.key(tuple(sequence(axes)))} if args and axes is not None else {}
                return self.apply(_prim(np.transpose), [array], attrs, "method")
            case "compress":
                given = [kwargs.pop("condition"), array] if "condition" in kwargs else [args[0], array, *args[1:]]
                return self.numpy_call(_prim(np.compress), given, kwargs, "function")
            case "to_device":
                if [*map(self.key, args)] != ["cpu"] or kwargs.get("stream") is not None:
                    raise Unsupported('`.to_device` of anything but "cpu"')
                return array
            case "tolist" if array.type.ndim == 1:
                return ListValue([self.apply(named("float"), [v]) for v in self.unpack(array, None)], self.depth)
            case "tolist":
                raise Unsupported("`tolist` of an array with several axes cannot be differentiated")
        if name in inplace.METHODS:
            return inplace.METHODS[name](self, [array, *args], kwargs)  # type: ignore[arg-type]
        return self.numpy_call(_prim(METHODS[name]), [array, *args], kwargs, "method")

    def _item(self, array: Value, args: list[Any]) -> Any:
        """`x.item()` of an array of one element; `x.item(k)` counts along the array, as `x.flat` does."""
        assert isinstance(array.type, Array)
        if len(args) == 1 and isinstance(args[0], tuple):
            args = list(args[0])
        if not args and not all(self.facts.is_one(axis) for axis in array.type.axes):
            raise Unsupported("`.item()` of an array with more than one element", "Index it: x[i].")
        if args and len(args) not in (1, array.type.ndim):
            raise Unsupported(f"`.item` with {len(args)} numbers of an array with {array.type.ndim} axes")
        if len(args) == 1 and array.type.ndim > 1:
            array = inplace.read_flat(self, Flat(array))  # type: ignore[arg-type]
        if array.type.ndim:  # type: ignore[union-attr]
            template, dynamic = self.index_of(tuple(args) or (Const(0),) * array.type.ndim)  # type: ignore[union-attr]
            array = self.apply(named("getitem"), [array, *dynamic], {"index": template}, "operator")
        return self.apply(named("float"), [array]) if array.type.dtype.kind == "f" else array  # type: ignore[union-attr]

    # The user's own functions

    def _inline_function(self, function: types.FunctionType, args: list[Any], kwargs: dict[str, Any], text: str) -> Any:
        """Read a helper's body in place of its call."""
        route = self.route_of(function)
        if route is None and function is not self.frames[0].function:
            raise Unsupported(f"it is not known where `{text}` comes from", "Call it by its name.")
        route, source = route or (), self._source(function, text)
        frame = Frame(function, route, source, level=self.frame.level + 1, node=source.node)
        defaults = {name: self._default(function, name, route) for name in _defaulted(function)}
        return self._inline(frame, source.node, defaults, args, kwargs, text)

    def _source(self, function: types.FunctionType, text: str) -> Source:
        try:
            return find_source(function)
        except SourceNotFound as error:
            raise Unsupported(f"`{text}` has no source that can be read", str(error)) from None

    def _default(self, function: types.FunctionType, name: str, route: Route) -> Callable[[], Any]:
        step = ("default", name)
        return lambda: self.adopt(Found(follow(function, (step,)), (*route, step)), name)

    def _inline_closure(self, closure: Closure, args: list[Any], kwargs: dict[str, Any]) -> Any:
        outer = closure.frame
        level = self.frame.level + 1
        frame = Frame(outer.function, outer.route, outer.source, parent=outer, level=level, node=closure.node)
        defaults = {name: (lambda value=value: value) for name, value in closure.defaults.items()}
        return self._inline(frame, closure.node, defaults, args, kwargs, closure.name)

    def _inline(
        self,
        frame: Frame,
        node: Node,
        defaults: Mapping[str, Callable[[], Any]],
        args: list[Any],
        kwargs: dict[str, Any],
        text: str,
    ) -> Any:
        frame.env = self.bind_arguments(node.args, defaults, args, kwargs, text)
        return self.read_call(frame, node, text)

    def read_call(self, frame: Frame, node: Node, text: str) -> Any:
        """Read a function's body in place of its call."""
        if len(self.frames) > _MAX_LEVEL:
            raise Unsupported("calls are nested too deeply", "Pass the depth as a number known only while running.")
        origin, statement = self.builder.origin, self.frame.statement
        self.frames.append(frame)
        try:
            if isinstance(node, ast.Lambda):
                return self.ev(node.body)
            return self.run_body(node, frame)
        except Unsupported as error:
            error.origin = error.origin or origin
            raise
        finally:
            self.frames.pop()
            self.builder.origin, self.frame.statement = origin, statement

    def run_body(self, node: ast.FunctionDef, frame: Frame) -> Any:
        raise NotImplementedError

    def bind_arguments(
        self,
        spec: ast.arguments,
        defaults: Mapping[str, Callable[[], Any]],
        args: list[Any],
        kwargs: dict[str, Any],
        text: str,
    ) -> dict[str, Any]:
        """Arguments to parameters, as Python binds them."""
        positional = [a.arg for a in (*spec.posonlyargs, *spec.args)]
        env = dict(zip(positional, args))
        rest = args[len(positional) :]
        if spec.vararg is not None:
            env[spec.vararg.arg] = tuple(rest)
        elif rest:
            raise Unsupported(f"`{text}` takes {len(positional)} positional arguments, {len(args)} were given")
        names = {*(a.arg for a in spec.args), *(a.arg for a in spec.kwonlyargs)}
        surplus = {k: v for k, v in kwargs.items() if k not in names}
        if surplus and spec.kwarg is None:
            raise Unsupported(f"`{text}` has no parameter `{next(iter(surplus))}`")
        twice = [k for k in kwargs if k in env and k in names]
        if twice:
            raise Unsupported(f"`{text}` got two values for its parameter `{twice[0]}`")
        env.update({k: v for k, v in kwargs.items() if k in names})
        if spec.kwarg is not None:
            env[spec.kwarg.arg] = DictValue(surplus, self.depth)
        for name in [*positional, *(a.arg for a in spec.kwonlyargs)]:
            if name not in env:
                if name not in defaults:
                    raise Unsupported(f"`{text}` needs its argument `{name}`")
                env[name] = defaults[name]()
        return env


_WAYS_OUT: dict[Any, str] = {
    np.vectorize: "It is a loop: write it as one, or call the function on whole arrays.",
    np.einsum_path: "The best order depends on the lengths: let np.einsum find it, with optimize=True.",
}


def _prim(function: Any) -> Primitive:
    prim = find(function)
    if prim is None:
        raise Unsupported(f"np.{function.__name__} has no derivative rule")
    return prim


def _no_rule(function: Any, text: str) -> Unsupported:
    if not callable(function):
        return Unsupported(f"`{text}` is {describe(function)}, which cannot be called")
    if _hashable(function) and function in _WAYS_OUT:
        return Unsupported(f"`{text}` is not differentiated", _WAYS_OUT[function])
    return Unsupported(
        f"`{text}` has no derivative rule and no Python source to read",
        "Write it with NumPy functions, or give it a rule: `srcgrad.rule(f)`.",
    )


def _missing(name: str) -> Any:
    raise Unsupported(f"a string has no method `{name}`")


def _as_tuples(items: Any) -> Any:
    return tuple(_as_tuples(item) for item in items) if isinstance(items, list) else items


def _hashable(thing: Any) -> bool:
    try:
        hash(thing)
    except TypeError:
        return False
    return True


def _defaulted(function: types.FunctionType) -> list[str]:
    code = function.__code__
    names = code.co_varnames[: code.co_argcount]
    count = len(function.__defaults__ or ())
    return [*names[len(names) - count :], *(function.__kwdefaults__ or {})]

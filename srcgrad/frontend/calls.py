"""Reading calls: NumPy functions and array methods, builtins, the user's own helpers, random draws."""

from __future__ import annotations

import ast
import math
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.nodes import Const, Value
from ..ir.primitive import Primitive, bind, find, named
from ..ir.symbolic import METHODS
from ..ir.types import FLOAT, Array, Opaque
from ..rules.effects import EFFECT, SLOT
from .captures import Found
from .expressions import Expressions, is_library
from .source import find_source
from .state import Frame, Silent
from .values import (
    BoundMethod,
    Closure,
    DictValue,
    Iteration,
    ListValue,
    RangeValue,
    describe,
    is_number,
    sequence,
)

_MAX_LEVEL = 40
_INTEGER_DRAWS = {"integers", "randint", "poisson", "binomial", "permutation", "geometric"}
_DRAWS = {
    "normal", "uniform", "random", "standard_normal", "rand", "randn", "random_sample", "exponential", "gamma",
    "beta", "laplace", "lognormal", "chisquare", "standard_exponential", "standard_gamma", "logistic", "gumbel",
    *_INTEGER_DRAWS,
}  # fmt: skip
_SHAPED = {
    np.zeros, np.ones, np.empty, np.full, np.reshape, np.broadcast_to, np.zeros_like, np.ones_like, np.full_like,
    np.empty_like,
}  # fmt: skip


class Calls(Expressions):
    def call(self, node: ast.Call) -> Any:
        function = self.ev(node.func)
        if function is print:
            return self._effect(node)
        if self._is_draw(function):
            return self._draw(node, function)
        args = self._elements(node.args)
        kwargs: dict[str, Any] = {}
        for keyword in node.keywords:
            if keyword.arg is None:
                inner = self.ev(keyword.value)
                if not isinstance(inner, DictValue):
                    raise Unsupported("`**` needs a dict that is known when compiling")
                kwargs.update(inner.items)
            else:
                kwargs[keyword.arg] = self.ev(keyword.value)
        return self.invoke(function, args, kwargs, ast.unparse(node.func))

    def invoke(self, function: Any, args: list[Any], kwargs: dict[str, Any], text: str) -> Any:
        if isinstance(function, BoundMethod):
            return self._method(function, args, kwargs)
        if isinstance(function, Closure):
            return self.inline_closure(function, args, kwargs)
        builtin = _BUILTINS.get(function) if _hashable(function) else None
        if builtin is not None:
            return builtin(self, args, kwargs)
        if isinstance(function, type) and function in (np.float32, np.float64, np.float16, np.int64, np.int32):
            return self.apply(named("astype"), [args[0]], {"dtype": np.dtype(function)}, "function")
        prim = find(function)
        if prim is not None:
            return self.numpy_call(function, prim, args, kwargs, "function")
        if isinstance(function, types.FunctionType) and not is_library(function):
            return self.inline_function(function, args, kwargs, text)
        if isinstance(function, types.MethodType) and not is_library(function):
            return self.inline_function(function.__func__, [function.__self__, *args], kwargs, text)
        wrapped = getattr(function, "__srcgrad_function__", None)
        if wrapped is not None:
            raise Unsupported(
                f"`{text}` is a gradient function; calling it here would differentiate a gradient",
                f"Call the undecorated function, `{text}.function`.",
            )
        raise Unsupported(
            f"`{text}` has no derivative rule and no Python source to read",
            "Give it a rule: `srcgrad.rules.elementwise`, `linear` or `general` registers one.",
        )

    # NumPy

    def numpy_call(
        self, function: Any, prim: Primitive, args: list[Any], kwargs: dict[str, Any], style: str
    ) -> Any:
        """A call of a primitive: operands become inputs, everything else must be known now."""
        for key in ("out", "where"):
            if kwargs.get(key) is None:
                kwargs.pop(key, None)
        operands, attrs = bind(prim, [self._sequence_operand(prim, i, a) for i, a in enumerate(args)], kwargs)
        extra: list[Value] = []
        attrs = {key: self.static(value, key, extra) for key, value in attrs.items()}
        inputs = [self.operand(value) for value in operands]
        if prim.name.startswith("math."):
            style = "python"
        result = self.apply(prim, [*inputs, *extra], attrs, style)
        if not any(isinstance(i, Value) for i in inputs) and prim.fn is not None and len(inputs) == 1:
            self.remember(result, lambda *numbers: prim.fn(*numbers), *inputs)  # type: ignore[misc]
        return result

    def _sequence_operand(self, prim: Primitive, position: int, value: Any) -> Any:
        """A list or tuple of arrays, where the function takes a sequence."""
        if position < len(prim.operands) and prim.operands[position].startswith("*"):
            if prim.name == "np.einsum":
                return value
            if isinstance(value, Value):
                return self.unpack(value, None)
            return sequence(value)
        return value

    def operand(self, value: Any) -> Any:
        """An operand: an array or number; a list or tuple of numbers becomes an array as NumPy would make it."""
        if isinstance(value, (ListValue, tuple)):
            return self.array_of(value)
        return value

    def array_of(self, value: Any, dtype: Any = None) -> Any:
        """`np.array([...])` of numbers and arrays of one shape."""
        if isinstance(value, (Value, Const)):
            return value
        items = [self.array_of(item) for item in sequence(value)]
        if not items:
            raise Unsupported("an empty array literal has no known dtype", "Use np.zeros.")
        stack = find(np.stack)
        assert stack is not None
        if all(isinstance(item, Const) for item in items):
            return self._literal([self.number(item) for item in items])
        return self.apply(stack, items, {}, "array")

    def _literal(self, numbers: list[Any]) -> Any:
        return self.apply(named("array_literal"), [], {"object": tuple(numbers)})

    def static(self, value: Any, key: str, extra: list[Value]) -> Any:
        """A keyword argument's value, known now; a shape may hold lengths known only while running."""
        if key == "shape" or key == "newshape":
            return self._shape(value, extra)
        if key == "dtype" and value is not None:
            return np.dtype(value)
        if is_number(value):
            return self.number(value)
        if isinstance(value, tuple):
            return tuple(self.static(item, "", extra) for item in value)
        if isinstance(value, ListValue):
            return tuple(self.static(item, "", extra) for item in value.items)
        return value

    def _shape(self, value: Any, extra: list[Value]) -> Any:
        items = sequence(value) if isinstance(value, (tuple, ListValue)) else [value]
        for item in items:
            if isinstance(item, Value) and isinstance(item.type, Array) and item.type.ndim == 0:
                extra.append(item)
        return tuple(-1 if self.maybe_number(item) == -1 else self.dim(item) for item in items)

    def _method(self, method: BoundMethod, args: list[Any], kwargs: dict[str, Any]) -> Any:
        receiver, name = method.receiver, method.name
        if isinstance(receiver, Value):
            return self._array_method(receiver, name, args, kwargs)
        if isinstance(receiver, ListValue) and name in ("append", "extend", "copy", "index"):
            if name == "copy":
                return ListValue(list(receiver.items), self.depth)
            if name == "index":
                return Const(receiver.items.index(args[0]))
            self.may_grow(receiver)
            receiver.items.extend(args if name == "append" else sequence(args[0]))
            return None
        if isinstance(receiver, DictValue) and name in ("items", "keys", "values", "get", "copy"):
            return self._dict_method(receiver, name, args)
        if isinstance(receiver, str):
            return getattr(receiver, name)(*[self.key(a) for a in args])
        raise Unsupported(f"method `{name}` of {describe(receiver)} cannot be differentiated")

    def _dict_method(self, receiver: DictValue, name: str, args: list[Any]) -> Any:
        match name:
            case "items":
                return tuple((self.wrap(k), v) for k, v in receiver.items.items())
            case "keys":
                return tuple(self.wrap(k) for k in receiver.items)
            case "values":
                return tuple(receiver.items.values())
            case "copy":
                return DictValue(dict(receiver.items), self.depth)
        return receiver.items.get(self.key(args[0]), args[1] if len(args) > 1 else None)

    def wrap(self, value: Any) -> Any:
        """A static Python object as an abstract value."""
        return Const(value) if isinstance(value, (int, float, complex)) and not isinstance(value, bool) else value

    def _array_method(self, array: Value, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        match name:
            case "item" if not args:
                return self.apply(named("float"), [array])
            case "astype":
                return self.apply(named("astype"), [array], {"dtype": np.dtype(args[0])}, "method")
            case "reshape":
                shape = args[0] if len(args) == 1 else tuple(args)
                return self._reshape(array, shape, kwargs, "method")
            case "transpose":
                axes = args[0] if len(args) == 1 and not is_number(args[0]) else tuple(args)
                attrs = {"axes": self.key(tuple(sequence(axes)))} if args and axes is not None else {}
                return self.apply(_prim(np.transpose), [array], attrs, "method")
            case "fill" | "sort" | "tolist":
                raise Unsupported(f"`{name}` of an array cannot be differentiated")
        if not isinstance(array.type, Array):
            raise Unsupported(f"method `{name}` of {describe(array)} cannot be differentiated")
        function = METHODS[name]
        return self.numpy_call(function, _prim(function), [array, *args], kwargs, "method")

    def _reshape(self, array: Any, shape: Any, kwargs: dict[str, Any], style: str) -> Any:
        return self.numpy_call(np.reshape, _prim(np.reshape), [array, shape], kwargs, style)

    # The user's own functions

    def inline_function(
        self, function: types.FunctionType, args: list[Any], kwargs: dict[str, Any], text: str
    ) -> Any:
        """Read a helper's body in place of its call."""
        route = next((r for r, v in self.statics.items() if v is function), ())
        source = find_source(function)
        frame = Frame(function, route, source, level=self.frame.level + 1)
        defaults = {}
        for name in _defaulted(function):
            found = Found(_default(function, name), (*route, ("default", name)))
            defaults[name] = lambda found=found, name=name: self.adopt(found, name)
        return self._inline(frame, source.node, defaults, args, kwargs, text)

    def inline_closure(self, closure: Closure, args: list[Any], kwargs: dict[str, Any]) -> Any:
        outer = closure.frame
        frame = Frame(outer.function, outer.route, outer.source, parent=outer, level=self.frame.level + 1)
        defaults = {name: (lambda value=value: value) for name, value in closure.defaults.items()}
        return self._inline(frame, closure.node, defaults, args, kwargs, closure.name)

    def _inline(
        self,
        frame: Frame,
        node: ast.FunctionDef | ast.Lambda,
        defaults: dict[str, Callable[[], Any]],
        args: list[Any],
        kwargs: dict[str, Any],
        text: str,
    ) -> Any:
        if any(f.function is frame.function and f.source.node is node for f in self.frames) and frame.parent is None:
            raise Unsupported(f"`{text}` calls itself; recursion cannot be differentiated", "Write it as a loop.")
        if len(self.frames) > _MAX_LEVEL:
            raise Unsupported("calls are nested too deeply")
        frame.env = self._bind_arguments(node.args, defaults, args, kwargs, text)
        origin = self.builder.origin
        statement = self.frame.statement
        self.frames.append(frame)
        try:
            if isinstance(node, ast.Lambda):
                return self.ev(node.body)
            return self.run_body(node, frame)
        except Unsupported as error:
            if not hasattr(error, "origin"):
                error.origin = origin  # type: ignore[attr-defined]
            raise
        finally:
            self.frames.pop()
            self.builder.origin = origin
            self.frame.statement = statement

    def run_body(self, node: ast.FunctionDef, frame: Frame) -> Any:
        raise NotImplementedError

    def _bind_arguments(
        self,
        spec: ast.arguments,
        defaults: dict[str, Callable[[], Any]],
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
        names = {*positional, *(a.arg for a in spec.kwonlyargs)}
        surplus = {k: v for k, v in kwargs.items() if k not in names}
        if surplus and spec.kwarg is None:
            raise Unsupported(f"`{text}` has no parameter `{next(iter(surplus))}`")
        env.update({k: v for k, v in kwargs.items() if k in names})
        if spec.kwarg is not None:
            env[spec.kwarg.arg] = DictValue(surplus, self.depth)
        for name in [*positional, *(a.arg for a in spec.kwonlyargs)]:
            if name not in env:
                if name not in defaults:
                    raise Unsupported(f"`{text}` needs its argument `{name}`")
                env[name] = defaults[name]()
        return env

    # Effects

    def _effect(self, node: ast.Call) -> Any:
        """print(...): the user's call, with run-time parts filled in."""
        template, inputs = self.template(node)
        self.apply(EFFECT, inputs, {"template": template, "types": ()}) if True else None
        return None

    def template(self, node: ast.AST) -> tuple[ast.AST, list[Value]]:
        """Source text of an effect with its run-time expressions replaced by slots."""
        inputs: list[Value] = []
        interpreter = self

        class Slots(ast.NodeTransformer):
            def visit(self, part: ast.AST) -> Any:
                if isinstance(part, ast.expr) and not isinstance(
                    part, (ast.JoinedStr, ast.FormattedValue, ast.Call, ast.Starred, ast.Constant, ast.Tuple)
                ):
                    return self.slot(part)
                if isinstance(part, ast.Call) and part is not node:
                    return self.slot(part)
                if isinstance(part, ast.Call):
                    keywords = [ast.keyword(k.arg, self.visit(k.value)) for k in part.keywords]
                    return ast.Call(part.func, [self.visit(a) for a in part.args], keywords)
                return self.generic_visit(part)

            def slot(self, part: ast.expr) -> ast.expr:
                value = interpreter.ev(part)
                if isinstance(value, (Const, Value)):
                    inputs.append(value)  # type: ignore[arg-type]
                    return ast.Name(f"{SLOT}{len(inputs) - 1}", ast.Load())
                if isinstance(value, (str, bool, type(None))):
                    return ast.Constant(value)
                if isinstance(value, (tuple, ListValue)) and all(is_number(v) for v in sequence(value)):
                    elements: list[ast.expr] = []
                    for item in sequence(value):
                        inputs.append(item)
                        elements.append(ast.Name(f"{SLOT}{len(inputs) - 1}", ast.Load()))
                    kind = ast.Tuple if isinstance(value, tuple) else ast.List
                    return kind(elements, ast.Load())
                raise Unsupported(f"{describe(value)} cannot be printed here")

        import copy

        return Slots().visit(copy.deepcopy(node) if not isinstance(node, ast.Call) else node), inputs

    # Random draws

    def _is_draw(self, function: Any) -> bool:
        if isinstance(function, BoundMethod) and isinstance(function.receiver, Value):
            return isinstance(function.receiver.type, Opaque)
        owner = getattr(function, "__self__", None)
        return isinstance(owner, np.random.RandomState) and getattr(function, "__name__", "") in _DRAWS

    def _draw(self, node: ast.Call, function: Any) -> Any:
        name = function.name if isinstance(function, BoundMethod) else function.__name__
        if name not in _DRAWS or (name == "permutation" and len(node.args) != 1):
            raise Unsupported(f"the random function `{name}` cannot be used inside a differentiated function")
        inputs: list[Any] = [function.receiver] if isinstance(function, BoundMethod) else []
        args, kwargs, parts = [], {}, []

        def slot(value: Any) -> ast.expr:
            if isinstance(value, tuple):
                return ast.Tuple([slot(item) for item in value], ast.Load())
            if isinstance(value, ListValue):
                return ast.List([slot(item) for item in value.items], ast.Load())
            if isinstance(value, np.dtype):
                from ..emit import dtype_expr  # noqa: F401

            if is_number(value):
                inputs.append(value)
                return ast.Name(f"{SLOT}{len(inputs) - 1}", ast.Load())
            if isinstance(value, type) and issubclass(value, np.generic):
                return ast.parse(f"np.{value.__name__}", mode="eval").body
            return ast.Constant(value)

        for arg in node.args:
            value = self.ev(arg)
            args.append(value)
            parts.append(slot(value))
        keywords = []
        for keyword in node.keywords:
            if keyword.arg is None:
                raise Unsupported("`**` in a random draw")
            kwargs[keyword.arg] = self.ev(keyword.value)
            keywords.append(ast.keyword(keyword.arg, slot(kwargs[keyword.arg])))
        target: ast.expr = ast.parse(f"np.random.{name}", mode="eval").body
        if isinstance(function, BoundMethod):
            target = ast.Attribute(ast.Name(f"{SLOT}0", ast.Load()), name, ast.Load())
        type = self._draw_type(name, args, kwargs)
        template = ast.Call(target, parts, keywords)
        return self.apply(EFFECT, inputs, {"template": template, "types": (type,)})

    def _draw_type(self, name: str, args: list[Any], kwargs: dict[str, Any]) -> Array:
        """Shape from `size=` (or the dimensions given), dtype by the distribution."""
        dtype = np.dtype(kwargs["dtype"]) if "dtype" in kwargs else np.dtype(int if name in _INTEGER_DRAWS else float)
        if name in ("rand", "randn"):
            size: Any = tuple(args)
        elif name == "permutation":
            size = (args[0],)
        elif name in ("random", "standard_normal", "random_sample", "standard_exponential"):
            size = kwargs.get("size", args[0] if args else None)
        else:
            size = kwargs.get("size", _positional_size(name, args))
        parameters = [a for a in args if isinstance(a, Value) and a.type.ndim] if size is None else []  # type: ignore[union-attr]
        if parameters:
            return Array(dtype, parameters[0].type.axes)  # type: ignore[union-attr]
        if size is None or size == ():
            return Array(dtype, weak=True)
        items = sequence(size) if isinstance(size, (tuple, ListValue)) else [size]
        return Array(dtype, tuple(self.dim(item) for item in items))


def _positional_size(name: str, args: list[Any]) -> Any:
    place = {"normal": 2, "uniform": 2, "integers": 2, "randint": 2, "laplace": 2, "gamma": 2, "beta": 2, "binomial": 2,
             "lognormal": 2, "logistic": 2, "gumbel": 2, "exponential": 1, "poisson": 1, "chisquare": 1,
             "standard_gamma": 1, "geometric": 1}.get(name)  # fmt: skip
    return args[place] if place is not None and len(args) > place else None


def _prim(function: Any) -> Primitive:
    prim = find(function)
    if prim is None:
        raise Unsupported(f"np.{function.__name__} has no derivative rule")
    return prim


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


def _default(function: types.FunctionType, name: str) -> Any:
    from .captures import follow

    return follow(function, (("default", name),))


# Builtins


def _range(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
    if any(isinstance(a, Value) and a.type.dtype.kind not in "iu" for a in args if isinstance(a.type, Array)):
        raise Unsupported("range takes integers")
    start, stop, step = Const(0), args[0], Const(1)
    if len(args) > 1:
        start, stop = args[:2]
    if len(args) > 2:
        step = args[2]
    return RangeValue(start, stop, step)


def _len(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
    (value,) = args
    if isinstance(value, Value):
        if not isinstance(value.type, Array) or not value.type.ndim:
            raise Unsupported("len() of a scalar")
        return c.length(value, 0, "len")
    return Const(len(sequence(value)))


def _float(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
    (value,) = args
    if isinstance(value, Value) and value.type != FLOAT:
        return c.apply(named("float"), [value])
    return Const(float(value.value)) if isinstance(value, Const) else Const(float(value)) if not isinstance(value, Value) else value


def _int(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
    number = c.maybe_number(args[0])
    return Const(int(number)) if number is not None else c.apply(named("int"), args)


def _abs(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
    return c.apply(_prim(np.absolute), args, style="operator")


def _extreme(function: Any, python: Any) -> Callable[..., Any]:
    def extreme(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """max(a, b) of numbers: a choice, as Python makes it."""
        items = sequence(args[0]) if len(args) == 1 else args
        numbers = [c.maybe_number(item) for item in items]
        if None not in numbers:
            return Const(python(numbers))
        result = items[0]
        for item in items[1:]:
            if any(isinstance(v, Value) and isinstance(v.type, Array) and v.type.ndim for v in (result, item)):
                raise Unsupported(f"{python.__name__}() of arrays", f"Use np.{function.__name__}.")
            result = c.apply(_prim(function), [result, item])
        return result

    return extreme


def _sum(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
    items = c.iterate(args[0])
    start = args[1] if len(args) > 1 else kwargs.get("start")
    result = start if start is not None else None
    for item in items:
        result = item if result is None else c.binary(ast.Add, result, item, ast.Add())
    return Const(0) if result is None else result


def _iteration(kind: str) -> Callable[..., Any]:
    return lambda c, args, kwargs: Iteration(kind, tuple(args[:1] if kind == "enumerate" else args),
                                             kwargs.get("start", args[1] if kind == "enumerate" and len(args) > 1 else None))


def _list(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
    return ListValue(c.iterate(args[0]) if args else [], c.depth)


def _tuple(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
    return tuple(c.iterate(args[0])) if args else ()


def _dict(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
    if args:
        raise Unsupported("dict() with a positional argument", "Write a dict display, {...}.")
    return DictValue(dict(kwargs), c.depth)


def _isinstance(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
    value, kinds = args
    kinds = kinds if isinstance(kinds, tuple) else (kinds,)
    if isinstance(value, Value) and isinstance(value.type, Array):
        if value.type.weak:
            return any(k in kinds for k in ((float,) if value.type.dtype.kind == "f" else (int,)))
        return np.ndarray in kinds if value.type.ndim else any(issubclass(value.type.dtype.type, k) for k in kinds)
    if isinstance(value, Const):
        return isinstance(value.value, kinds)
    concrete = {ListValue: list, DictValue: dict}.get(type(value))
    return concrete in kinds if concrete is not None else isinstance(value, kinds)


def _array(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
    (value,) = args
    dtype = kwargs.get("dtype")
    if set(kwargs) - {"dtype"}:
        raise Unsupported(f"np.array with `{next(iter(set(kwargs) - {'dtype'}))}=`")
    result = c.apply(_prim(np.copy), [value]) if is_number(value) else c.array_of(value)
    return c.apply(named("astype"), [result], {"dtype": np.dtype(dtype)}, "method") if dtype is not None else result


def _asarray(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
    (value,) = args
    if isinstance(value, Value) and isinstance(value.type, Array) and value.type.ndim:
        wanted = kwargs.get("dtype")
        return value if wanted is None else c.apply(named("astype"), [value], {"dtype": np.dtype(wanted)}, "method")
    return _array(c, args, kwargs)


def _shape(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
    return c.attribute(args[0], "shape", ast.Name("shape"))


def _refuse_super(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
    raise Silent


_BUILTINS: dict[Any, Callable[..., Any]] = {
    range: _range, len: _len, float: _float, int: _int, abs: _abs, sum: _sum, list: _list, tuple: _tuple, dict: _dict,
    max: _extreme(np.maximum, max), min: _extreme(np.minimum, min), isinstance: _isinstance,
    enumerate: _iteration("enumerate"), zip: _iteration("zip"), reversed: _iteration("reversed"),
    np.array: _array, np.asarray: _asarray, np.shape: _shape,
    np.ndim: lambda c, args, kwargs: c.attribute(args[0], "ndim", ast.Name("ndim")),
    np.size: lambda c, args, kwargs: c.attribute(args[0], "size", ast.Name("size")),
    math.pow: lambda c, args, kwargs: c.apply(_prim(np.power), args, style="operator"),
}  # fmt: skip

"""What comes from outside: arguments, and the globals, closure cells, defaults and attributes that a function reads."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..custom import Checkpoint, Rule
from ..errors import Unsupported
from ..ir.builder import Builder
from ..ir.dims import Facts, Symbol, as_dim
from ..ir.nodes import Param, Value
from ..ir.primitive import named
from ..ir.types import Array, Opaque, Sparse, Type
from ..runtime.captures import Route, route_text
from ..runtime.device import cupy_ndarray
from ..runtime.signature import (
    ArraySpec,
    DictSpec,
    FunctionSpec,
    IdentitySpec,
    InstanceSpec,
    NumberSpec,
    OpaqueSpec,
    SequenceSpec,
    SparseSpec,
    Spec,
    SplineSpec,
    StaticSpec,
    UnknownArgument,
    describe,
    leaf_name,
    path_text,
)
from .calls import Calls
from .expressions import is_library
from .foreign import in_standard_library
from .splines import Spline
from .state import Plan
from .values import DictValue, Instance, ListValue
from .within import is_derivative

Path = tuple[str | int, ...]


class Inputs(Calls):
    def __init__(self, facts: Facts, plan: Plan, reserved: frozenset[str]):
        super().__init__(facts, plan)
        self.entry = Builder(facts)  # what happens before the first statement: copies of arguments that are written to
        self.capture_specs: dict[Route, tuple[str, Spec]] = {}
        self.reserved = reserved  # the function's own names, which no captured variable may take

    def argument(self, name: str, spec: Spec, example: Any) -> Any:
        """The abstract value of one argument."""
        self.facts.sizes.update(_sizes(name, example))
        return self._leaf(spec, name, (), False, (("arg", name),), example)

    def _leaf(self, spec: Spec, name: str, path: Path, capture: bool, route: Route, thing: Any) -> Any:
        """The abstract value of data from outside; code in it gets its route, for what it reads from around it."""
        match spec:
            case ArraySpec(dtype, ones):
                text = path_text(name, path)
                axes = tuple(as_dim(1) if one else as_dim(Symbol(f"{text}.shape[{i}]")) for i, one in enumerate(ones))
                return self._param(Array(np.dtype(dtype), axes), name, path, capture)
            case NumberSpec(dtype, python):
                number = Array(np.dtype(dtype), weak=python)
                if number.dtype.kind in "iu":
                    number = replace(number, dim=as_dim(Symbol(path_text(name, path))))
                return self._param(number, name, path, capture)
            case SparseSpec(_, dtype, ones):
                text = path_text(name, path)
                axes = tuple(as_dim(1) if one else as_dim(Symbol(f"{text}.shape[{i}]")) for i, one in enumerate(ones))
                matrix = self._param(Sparse(np.dtype(dtype), axes), name, path, capture)
                self.sparse[matrix] = ()
                return matrix
            case SplineSpec(kind, count):
                return Spline(self._param(Opaque(kind.__name__), name, path, capture), kind.__name__, count)
            case OpaqueSpec(kind):
                value = self._param(Opaque(kind.__name__), name, path, capture)
                self.sparse[value] = ()  # if it is a factorised matrix
                return value
            case StaticSpec(value):
                return value
            case IdentitySpec(_, code):
                self.statics[route] = code
                return code
            case SequenceSpec(kind, items):
                steps = [(i, item, (*route, ("item", i)), thing[i]) for i, item in enumerate(items)]
                values = [self._leaf(item, name, (*path, i), capture, way, part) for i, item, way, part in steps]
                if kind is list:
                    return ListValue(values, self.depth, path_text(name, path))
                return tuple(values) if kind is tuple else kind._make(values)  # type: ignore[attr-defined]
            case DictSpec(keys, items):
                pairs = {
                    k: self._leaf(item, name, (*path, k), capture, (*route, ("item", k)), thing[k])
                    for k, item in zip(keys, items)
                }
                return DictValue(pairs, self.depth, path_text(name, path))
            case InstanceSpec() if hasattr(thing, "requires_grad"):
                if capture:
                    raise Unsupported(
                        f"`{name}` holds a Parameter that is read from outside", "Pass it as an argument."
                    )
                return self._parameter_array(thing, name, path, route)
            case InstanceSpec():
                return self._instance(thing, route, path)
        raise AssertionError(spec)

    def _param(self, type: Type, name: str, path: Path, capture: bool) -> Value:
        value = Value(type, leaf_name(name, path))
        self.params.append(Param(value, name, path, capture))
        self.named_at[value] = -1
        if not isinstance(type, Array) or not type.ndim:
            return value
        if capture:
            self.outside.add(value)
        elif (name, path) in self.plan.copies:
            (value,) = self.entry.apply(named("np.copy"), [value], style="method", hint=value.hint)
            self.fresh.add(value)
        else:
            self.arguments[value] = (name, path)
        return value

    def _instance(self, thing: Any, route: Route, path: Path = ()) -> Instance:
        """An object of a user's class: its class is compared at each call, its attributes are read when used.

        An object that is reached in several ways is one object here, and the calls check that it still is.
        """
        kind = type(thing)
        if is_library(kind):
            raise Unsupported(
                f"an object of {kind.__module__.split('.')[0]} (`{kind.__qualname__}`) cannot be read",
                "Call a function that has a rule, such as scipy.stats.norm.logpdf(x, loc, scale).",
            )
        home = self.places.get(id(thing)) if route[0][0] == "arg" else None
        known = self.instances.get((id(thing), home is not None))
        if known is None:
            if home is not None:
                path = home[1]
            known = Instance(thing, route if home is None else _route(*home), path)
            self.instances[id(thing), home is not None] = known
            self.statics[(*known.route, ("type", ""))] = type(thing)
        self._same_object(route, known.route)
        return known

    def _same_object(self, route: Route, home: Route) -> None:
        if route != home:
            self.relations[f"{route_text(route)} is {route_text(home)}"] = None

    def argument_part(self, value: Any, name: str, path: Path, route: Route) -> Any:
        """An attribute of an object that is an argument."""
        if hasattr(value, "requires_grad"):
            return self._parameter_array(value, name, path, route)
        text = path_text(name, path)
        spec = self._describe(value, text)
        if isinstance(spec, InstanceSpec):
            return self._instance(value, route, path)
        if isinstance(spec, (StaticSpec, IdentitySpec)):
            self.statics[route] = value
            return value
        self.capture_specs[route] = (text, spec)
        self.facts.sizes.update(_sizes(text, value))
        return self._leaf(spec, name, path, False, route, value)

    def _parameter_array(self, value: Any, name: str, path: Path, route: Route) -> Any:
        """The array of a Parameter in an object, at the place where it is found first."""
        name, path = self.places.get(id(value), (name, path))
        home = _route(name, path)
        self._same_object(route, home)
        data = (*home, ("attr", "data"))
        if data not in self.captured:
            self.captured[data] = self.argument_part(value.data, name, (*path, ".data"), data)
        return self.captured[data]

    def whole_argument(self, name: str, type: Opaque) -> Value:
        return self._param(type, name, (), False)

    def capture(self, value: Any, name: str, route: Route) -> Any:
        """Data from outside becomes an input that is read at each call; code is compared by identity."""
        if isinstance(value, (Rule, Checkpoint)):
            self.statics[route] = value
            return value
        spec = self._describe(value, name)
        if isinstance(spec, InstanceSpec):
            return self._instance(value, route)
        if isinstance(spec, (StaticSpec, IdentitySpec)):
            self.statics[route] = value
            return value
        unique = self._unique(name)
        self.capture_specs[route] = (unique, spec)
        self.facts.sizes.update(_sizes(unique, value))
        return self._leaf(spec, unique, (), True, route, value)

    def function_value(self, function: Any, route: Route, name: str) -> Value:
        if route not in self.functions:
            unique = self._unique(name)
            self.statics[route] = function
            self.capture_specs[route] = (unique, FunctionSpec(type(function)))
            self.functions[route] = self._param(Opaque("function"), unique, (), True)
        value: Value = self.captured_here(self.functions[route])
        return value

    def _unique(self, name: str) -> str:
        """A name for a captured value that is nobody else's."""
        taken = {p.name for p in self.params} | {unique for unique, _ in self.capture_specs.values()} | self.reserved
        unique, number = name, 1
        while unique in taken:
            number += 1
            unique = f"{name}_{number}"
        return unique

    def _describe(self, value: Any, name: str) -> Spec:
        """The signature of something read from outside."""
        if hasattr(value, "requires_grad"):
            raise Unsupported(
                f"`{name}` is a Parameter that the function reads from outside", "Pass it as an argument."
            )
        own = isinstance(value, types.MethodType) and not in_standard_library(type(value.__self__).__module__)
        if own and not isinstance(value.__self__, type) and not is_derivative(value):
            raise Unsupported(f"`{name}` is a bound method", "Pass the object, and call its method.")
        try:
            return describe(value)
        except UnknownArgument as error:
            text = f"`{name}` is {error.args[0]}; a differentiated function cannot read it"
            raise Unsupported(text, error.way_out) from None


def _route(name: str, path: Path) -> Route:
    """The way to a part of an argument."""
    steps: list[tuple[str, Any]] = [("arg", name)]
    for step in path:
        attribute = isinstance(step, str) and step.startswith(".")
        steps.append(("attr", str(step)[1:]) if attribute else ("item", step))
    return tuple(steps)


def _sizes(name: str, value: Any) -> Mapping[Symbol, int]:
    """The example's lengths and integers, by the symbols that stand for them."""
    sparse = type(value).__module__.startswith("scipy.sparse.") and hasattr(value, "nnz")
    if sparse or isinstance(value, np.ndarray) or type(value) is cupy_ndarray():
        return {Symbol(f"{name}.shape[{i}]"): n for i, n in enumerate(value.shape) if n != 1}
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        return {Symbol(name): int(value)}
    sizes: dict[Symbol, int] = {}
    if isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            sizes.update(_sizes(f"{name}[{i!r}]", item))
    elif type(value) is dict:
        for key, item in value.items():
            sizes.update(_sizes(f"{name}[{key!r}]", item))
    return sizes

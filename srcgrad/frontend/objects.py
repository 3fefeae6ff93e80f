"""Objects: those of the caller, whose attributes are read at each call, and those that the function makes itself."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import types
from typing import Any

from ..errors import Unsupported
from ..ir.nodes import Value
from ..ir.types import Opaque
from ..rules.effects import EFFECT, SLOT
from ..runtime.captures import Found, Route, route_text
from .access import Access
from .values import BoundMethod, Instance, Record, Super, describe, is_number

_COMPUTED = "`{}` computes its attributes, so `{}` cannot be read here"


class Objects(Access):
    # Attributes

    def object_attribute(self, thing: Instance | Record, name: str, node: ast.AST) -> Any:
        """Data that the object holds itself, then what its class has under this name, as Python looks it up."""
        kind = class_of(thing)
        raw = raw_member(kind, name)
        held = self._held(thing, name)
        if isinstance(raw, property):
            if raw.fget is None:
                raise Unsupported(f"the property `{name}` cannot be read")
            return self._call_member(thing, kind, name, raw.fget, (("attr", "fget"),), [thing])
        if name in held:
            return self._data(thing, name, held[name])
        if isinstance(raw, (types.FunctionType, staticmethod, classmethod)):
            self._not_held(thing, name)
            return BoundMethod(thing, name)
        defined = {each for owner in kind.__mro__ if owner is not object for each in vars(owner)}
        if "__getattribute__" in defined or ("__getattr__" in defined and raw is None):
            raise Unsupported(_COMPUTED.format(kind.__qualname__, name))
        if name == "__class__":
            self.statics.setdefault(self.class_route(thing), kind)
            return kind
        if raw is None:
            raise Unsupported(f"AttributeError: `{kind.__qualname__}` has no attribute `{name}`")
        if hasattr(raw, "__get__") and not isinstance(raw, types.MemberDescriptorType):
            raise Unsupported(f"`{name}` is a {type(raw).__name__}", "Read the attribute, or call a plain method.")
        if isinstance(thing, Instance):
            return self._data(thing, name, raw)
        return self.adopt(Found(raw, (*self.class_route(thing), ("attr", name))), name)

    def _not_held(self, thing: Instance | Record, name: str) -> None:
        """An attribute of the object itself would hide what its class has under the name."""
        if isinstance(thing, Instance) and hasattr(thing.object, "__dict__"):
            self.relations[f"{name!r} not in {route_text(thing.route)}.__dict__"] = None

    def has_attribute(self, thing: Any, name: Any) -> bool:
        """hasattr(), of objects; the calls check that the answer stays."""
        if isinstance(thing, Record):
            return name in thing.attrs or raw_member(thing.kind, name) is not None
        if not isinstance(thing, Instance) or not isinstance(name, str):
            raise Unsupported(f"hasattr() of {describe(thing)}", "Use isinstance().")
        found = name in thing.assigned or hasattr(thing.object, name)
        if not found:
            self.relations[f"not hasattr({route_text(thing.route)}, {name!r})"] = None
        return found

    def _held(self, thing: Instance | Record, name: str) -> dict[str, Any]:
        """What an object holds under a name: abstract values in an object made here, real ones in the caller's."""
        if isinstance(thing, Record):
            return thing.attrs
        if name in thing.assigned:
            return thing.assigned
        slotted = isinstance(raw_member(type(thing.object), name), types.MemberDescriptorType)
        if slotted and hasattr(thing.object, name):
            return {name: getattr(thing.object, name)}
        return dict(getattr(thing.object, "__dict__", {}))

    def _data(self, thing: Instance | Record, name: str, value: Any) -> Any:
        return value if isinstance(thing, Record) else self.caller_data(thing, name, value)

    def caller_data(self, thing: Instance, name: str, value: Any) -> Any:
        """What the caller's object holds: an input, read when called."""
        if name in thing.assigned:
            return value
        route = (*thing.route, ("attr", name))
        if route in self.captured:
            return self.captured[route]
        if route[0][0] == "arg":
            result = self.argument_part(value, str(route[0][1]), (*thing.path, f".{name}"), route)
        else:
            result = self.capture(value, name, route)
        self.captured[route] = result
        return result

    def argument_part(self, value: Any, name: str, path: tuple[str | int, ...], route: Route) -> Any:
        raise NotImplementedError

    def class_route(self, thing: Any) -> Route:
        if isinstance(thing, Instance):
            return (*thing.route, ("type", ""))
        kind = class_of(thing)
        route = self.route_of(kind)
        if route is None:
            raise Unsupported(
                f"it is not known where the class `{kind.__qualname__}` comes from", "Use it by its name."
            )
        return route

    # Assignment

    def set_attribute(self, target: ast.Attribute, value: Any) -> None:
        """`self.h = h`: of an object made here it is a new value; the caller's object is changed as by a plain call."""
        thing = self.ev(target.value)
        setter, name = self.check_settable(thing, target), target.attr
        if setter is not None:
            self._call_member(thing, class_of(thing), name, setter, (("attr", "fset"),), [thing, value])
            return
        self.may_store(thing, ast.unparse(target))
        if isinstance(thing, Record):
            self.store(thing, name, value)
            self.hint_entry(value, (thing, name))
            return
        self.change_caller(thing, name, value)

    def check_settable(self, thing: Any, target: ast.Attribute) -> Any:
        """The setter of a property, if an attribute is one; raises Unsupported where it cannot be assigned."""
        if not isinstance(thing, (Instance, Record)):
            raise Unsupported(
                f"assignment to an attribute of {describe(thing)}", "Use a variable, or return the value."
            )
        kind, name = class_of(thing), target.attr
        if isinstance(thing, Instance) and hasattr(self._held(thing, name).get(name), "requires_grad"):
            raise Unsupported("a Parameter is assigned", "Use a variable: `w = model.w * 2`.")
        if raw_member(kind, "__setattr__") is not object.__setattr__ and not _frozen(kind):
            raise Unsupported(f"`{kind.__qualname__}` has a `__setattr__` of its own", "Use a variable.")
        if _frozen(kind):
            raise Unsupported(f"`{kind.__qualname__}` is frozen", "Make a new object with dataclasses.replace.")
        raw = raw_member(kind, name)
        if isinstance(raw, property):
            if raw.fset is None:
                raise Unsupported(f"the property `{name}` cannot be set")
            return raw.fset
        return None

    def change_caller(self, thing: Instance, name: str, value: Any) -> None:
        if thing.route[0][0] != "arg":
            raise Unsupported(
                "an object that is no argument is changed", "Pass it as an argument, or return the value."
            )
        node: ast.expr = ast.Name(f"{SLOT}0", ast.Load())
        for step in thing.path:
            if isinstance(step, str) and step.startswith("."):
                node = ast.Attribute(node, step[1:], ast.Load())
            else:
                node = ast.Subscript(node, ast.Constant(step), ast.Load())
        inputs: list[Any] = [self.root(str(thing.route[0][1]))]
        if is_number(value):
            inputs.append(value)
            spelled: ast.expr = ast.Name(f"{SLOT}1", ast.Load())
        elif value is None or isinstance(value, (str, bool)):
            spelled = ast.Constant(value)
        else:
            raise Unsupported(f"{describe(value)} becomes an attribute of the caller's object", "Return it instead.")
        template = ast.Assign([ast.Attribute(node, name, ast.Store())], spelled)
        self.apply(EFFECT, inputs, {"template": template, "types": (), "keeps": True})
        if isinstance(value, Value):
            self.fresh.discard(value)  # the object holds it from now on
        self.store(thing, name, value)
        self._set_apart(thing)

    def _set_apart(self, changed: Instance) -> None:
        """A change is seen through every other way to the object: no other object of its class may be this one."""
        for other in self.instances.values():
            if other is changed or type(other.object) is not type(changed.object):
                continue
            if other.object is changed.object:
                raise Unsupported("an object that is reached in two ways is changed", "Pass it once.")
            self.relations[f"{route_text(other.route)} is not {route_text(changed.route)}"] = None

    def root(self, name: str) -> Value:
        """The argument itself, where the text has to name it."""
        if name not in self.named_whole:
            self.named_whole[name] = self.whole_argument(name, Opaque())
        return self.named_whole[name]

    def whole_argument(self, name: str, type: Opaque) -> Value:
        raise NotImplementedError

    # Methods

    def object_method(self, thing: Instance | Record, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        kind = class_of(thing)
        raw = raw_member(kind, name)
        if isinstance(raw, types.FunctionType):
            return self._call_member(thing, kind, name, raw, (), [thing, *args], kwargs)
        if isinstance(raw, staticmethod):
            return self._call_member(thing, kind, name, raw.__func__, (), args, kwargs)
        if isinstance(raw, classmethod):
            self.statics.setdefault(self.class_route(thing), kind)
            return self._call_member(thing, kind, name, raw.__func__, (("attr", "__func__"),), [kind, *args], kwargs)
        raise Unsupported(f"`{kind.__qualname__}.{name}` has no Python source to read", "Write it as a plain method.")

    def _call_member(
        self, thing: Any, kind: type, name: str, function: Any, more: Route, args: list[Any], kwargs: Any = None
    ) -> Any:
        if not isinstance(function, types.FunctionType):
            raise Unsupported(
                f"`{kind.__qualname__}.{name}` has no Python source to read", "Write it as a plain method."
            )
        self.statics.setdefault((*self.class_route(thing), ("attr", name), *more), function)
        return self.call_function(function, args, kwargs or {}, f"{kind.__qualname__}.{name}")

    def class_method(self, kind: type, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """`Model.make(...)`, and `Base.forward(self, x)`."""
        raw, route = raw_member(kind, name), self.route_of(kind)
        if route is None:
            raise Unsupported(
                f"it is not known where the class `{kind.__qualname__}` comes from", "Use it by its name."
            )
        way: Route = (("attr", name),)
        function = raw
        if isinstance(raw, classmethod):
            function, way, args = raw.__func__, (*way, ("attr", "__func__")), [kind, *args]
        elif isinstance(raw, staticmethod):
            function = raw.__func__
        if not isinstance(function, types.FunctionType):
            raise Unsupported(
                f"`{kind.__qualname__}.{name}` has no Python source to read", "Write it as a plain method."
            )
        self.statics.setdefault((*route, *way), function)
        return self.call_function(function, args, kwargs, f"{kind.__qualname__}.{name}")

    def super_method(self, method: Super, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """A method of the classes behind one in the order in which Python looks them up."""
        kind = class_of(method.thing)
        order = kind.__mro__
        for place in range(order.index(method.after) + 1, len(order)):
            raw = vars(order[place]).get(name)
            if raw is None:
                continue
            if name == "__init__" and order[place] is object:
                return None
            if not isinstance(raw, types.FunctionType):
                break
            route = (*self.class_route(method.thing), ("attr", "__mro__"), ("item", place), ("attr", name))
            self.statics.setdefault(route, raw)
            return self.call_function(raw, [method.thing, *args], kwargs, f"super().{name}")
        raise Unsupported(f"`super().{name}` has no Python source to read", "Write it as a plain method.")

    def call_function(self, function: types.FunctionType, args: list[Any], kwargs: dict[str, Any], text: str) -> Any:
        raise NotImplementedError

    # Objects made here

    def make(self, kind: type, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """An object of a user's class; its `__init__` is read, that of a data class or named tuple is known."""
        if issubclass(kind, tuple) and hasattr(kind, "_fields"):
            return self._named_tuple(kind, args, kwargs)
        if type(kind) is not type and type(kind).__call__ is not type.__call__:
            raise Unsupported(f"`{kind.__qualname__}` has a metaclass that makes its objects", "Make it outside.")
        built_in = next((each for each in kind.__mro__[1:-1] if each.__module__ == "builtins"), None)
        if built_in is not None or raw_member(kind, "__new__") is not object.__new__:
            raise Unsupported(
                f"`{kind.__qualname__}` makes its objects in a way that cannot be read here",
                "Make it outside and pass it as an argument, or use tuples and dicts.",
            )
        record = Record(kind, {}, self.depth)
        init = raw_member(kind, "__init__")
        if dataclasses.is_dataclass(kind) and not _readable(init):
            self._fill_fields(record, args, kwargs)
        elif isinstance(init, types.FunctionType):
            self._call_member(record, kind, "__init__", init, (), [record, *args], kwargs)
        elif args or kwargs:
            raise Unsupported(f"`{kind.__qualname__}()` takes no arguments")
        return record

    def _fill_fields(self, record: Record, args: list[Any], kwargs: dict[str, Any]) -> None:
        kind = record.kind
        fields = {each.name: each for each in dataclasses.fields(kind) if each.init}
        taken = [name for name, each in fields.items() if not each.kw_only]
        given = dict(zip(taken, args)) | kwargs
        if len(args) > len(taken) or set(kwargs) - set(fields) or set(taken[: len(args)]) & set(kwargs):
            raise Unsupported(f"`{kind.__qualname__}` has the fields {', '.join(fields)}")
        for each in dataclasses.fields(kind):
            if each.name in given:
                record.attrs[each.name] = given[each.name]
            elif each.default is not dataclasses.MISSING:
                route = (*self.class_route(record), ("attr", each.name))
                record.attrs[each.name] = self.adopt(Found(each.default, route), each.name)
            elif each.default_factory in (list, dict):
                record.attrs[each.name] = self.invoke(each.default_factory, [], {}, "")
            else:
                raise Unsupported(f"`{kind.__qualname__}` needs its field `{each.name}`")
        if hasattr(kind, "__post_init__"):
            self.object_method(record, "__post_init__", [], {})

    def _named_tuple(self, kind: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
        defaults = {name: self.wrap(value) for name, value in kind._field_defaults.items()}
        try:
            bound = inspect.Signature(
                [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in kind._fields]
            ).bind_partial(*args, **kwargs)
            return kind._make({**defaults, **bound.arguments}[name] for name in kind._fields)
        except (TypeError, KeyError) as error:
            raise Unsupported(f"`{kind.__qualname__}` has the fields {', '.join(kind._fields)}") from error

    def invoke(self, function: Any, args: list[Any], kwargs: dict[str, Any], text: str) -> Any:
        raise NotImplementedError

    # Operators

    def special(self, value: Any, name: str) -> bool:
        """Whether a value is an object whose class defines a method for an operator."""
        return isinstance(value, (Instance, Record)) and raw_member(class_of(value), name) is not None


def class_of(thing: Any) -> type:
    return thing.kind if isinstance(thing, Record) else type(thing.object)


def raw_member(kind: type, name: str) -> Any:
    """What the first class in the order of lookup has under a name, unbound; None if none has it."""
    return next((vars(each)[name] for each in kind.__mro__ if name in vars(each)), None)


def _frozen(kind: type) -> bool:
    params = getattr(kind, "__dataclass_params__", None)
    return bool(params is not None and params.frozen)


def _readable(init: Any) -> bool:
    """Whether `__init__` was written by hand, not made by dataclasses."""
    return isinstance(init, types.FunctionType) and not init.__code__.co_filename.startswith("<")

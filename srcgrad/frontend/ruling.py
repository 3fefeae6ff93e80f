"""Reading calls of functions with rules: their value, the forward and backward function, the tangent.

A function that is not read is captured, and called as it stands.
"""

from __future__ import annotations

import ast
import functools
import inspect
import types
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..custom import Rule
from ..errors import Unsupported
from ..ir import infer
from ..ir.custom import Custom
from ..ir.dims import Dim
from ..ir.nodes import Atom, Const, Region, Value, region_free_values
from ..ir.primitive import find
from ..ir.types import FLOAT, Array, Saved, Type
from ..rules.calling import INVOKE
from ..rules.effects import SLOT
from ..runtime.captures import Found, Route
from .effects import slot
from .parts import Part, alike, append, around, check_quiet, given_to, has_source, name_of, read, stand_in, values_in
from .values import describe, flatten, is_number

if TYPE_CHECKING:
    from .calls import Calls


class Reader:
    """One call of a function with a rule."""

    def __init__(self, c: Calls, rule: Rule[Any, Any], args: list[Any], kwargs: dict[str, Any], text: str):
        self.c, self.rule, self.text = c, rule, text
        route = c.route_of(rule)
        if route is None:
            raise Unsupported(f"it is not known where `{text}` comes from", "Make the rule outside, and use its name.")
        self.route: Route = route
        self.args = _bound(c, rule, args, kwargs, text)
        self.names = _names(rule, len(self.args))
        self.given = given_to(c, self.args, text)
        for name in ("function", "forward_function", "backward_function", "jvp_function", "transpose", "formulas"):
            if getattr(rule, name) is None:  # the others are compared where they are read
                c.statics[(*route, ("attr", name))] = None
        c.statics[(*route, ("attr", "like"))] = rule.like
        c.statics[(*route, ("attr", "read"))] = rule.read

    def call(self) -> Any:
        c = self.c
        _, plain = self._part(f"`{self.text}`", lambda args: self._value("function", args))
        effects = check_quiet(c, plain, f"`{self.text}`", "and has a rule, so that it may run twice or never")
        computed = values_in(plain.result)
        if not computed or not all(isinstance(v.type, Array) for v in computed):
            raise Unsupported(f"`{self.text}` returns {describe(plain.result)}", "Return numbers or arrays.")
        custom = Custom(self.text, "rule", plain.region(computed))
        if sum(c.customs) < c.plan.order:
            self._derivatives(custom, plain)
        else:
            custom.refused = dict.fromkeys(("reverse", "forward"), (f"`{self.text}` is differentiated too often", ""))
        parts = [custom.plain, custom.forward, custom.jvp]
        outside = around(c, [*parts, custom.backward])
        return self._closed(custom, outside, plain, effects)

    def _closed(self, custom: Custom, outside: list[Value], plain: Part, effects: bool) -> Any:
        """Every part gets what any of them reads from around them, after the arguments."""
        count = len(plain.params)

        def wider(region: Region | None) -> Region | None:
            if region is None:
                return None
            return replace(region, params=(*region.params[:count], *outside, *region.params[count:]))

        custom.plain = wider(custom.plain) or custom.plain
        custom.forward, custom.backward, custom.jvp = map(wider, (custom.forward, custom.backward, custom.jvp))
        if custom.backward is not None:
            everything = custom.backward.params
            read = region_free_values(Region((), custom.backward.ops, custom.backward.results))
            custom.reads = tuple(k for k, param in enumerate(everything) if param in read)
            custom.backward = replace(custom.backward, params=tuple(everything[k] for k in custom.reads))
        atoms = [*(leaf for leaf in self.given.leaves if isinstance(leaf, Value)), *outside]
        return append(self.c, custom, atoms, plain, effects)

    # Parts

    def _part(self, what: str, run: Callable[[list[Any]], Any], *more: Any) -> tuple[list[Any], Part]:
        """A part with parameters for the arguments, and then others."""
        params = [stand_in(self.c, leaf) for leaf in self.given.leaves]
        part = read(self.c, what, [*params, *more], lambda: run(self.given.rebuild(params)))
        return params, part

    def _derivatives(self, custom: Custom, plain: Part) -> None:
        rule, name = self.rule, self.text
        numbers = [k for k, leaf in enumerate(self.given.leaves) if isinstance(leaf, Value)]
        self.place = {leaf: place for place, leaf in enumerate(numbers)}  # a leaf's number among the parameters
        floats = [k for k in numbers if _is_float(self.given.leaves[k])]
        custom.moving = tuple(self.place[k] for k in floats)
        custom.missing = {
            self.place[k]: f"the rule of `{name}` has no derivative for its argument `{self._argument(k)}`"
            for k in floats
        }
        if rule.formulas is not None:
            self._formulas(custom, plain, floats)
        elif rule.transpose is not None:
            self._linear(custom, plain, floats)
        else:
            if rule.backward_function is not None:
                self._backward(custom, plain, floats)
            if rule.jvp_function is not None:
                self._jvp(custom, plain, floats)
        ways = {"reverse": ("reverse", "backward"), "forward": ("forward", "jvp")}
        custom.refused = {
            mode: (f"the rule of `{name}` has nothing for {words[0]} mode", f"Give it `{words[1]}=`.")
            for mode, words in ways.items()
        }

    def _argument(self, leaf: int) -> str:
        number = next(k for k, (start, end) in enumerate(self.given.spans) if start <= leaf < end)
        return self.names[number]

    def _backward(self, custom: Custom, plain: Part, floats: list[int]) -> None:
        rule, c = self.rule, self.c
        results = [Value(v.type, v.hint) for v in values_in(plain.result)]
        saved: list[Value] = []
        state: Any = self.args
        if rule.forward_function is not None:
            _, part = self._part(f"the forward function of `{self.text}`", lambda a: self._pair(a, plain))
            check_quiet(c, part, f"the forward function of `{self.text}`", "and may run twice or never")
            value, state = part.result
            _check_alike(c, values_in(value), results, f"the forward function of `{self.text}`", "the function")
            saved = values_in(state)
            custom.forward = part.region([*values_in(value), *saved])
        fresh = [Value(v.type, v.hint) for v in saved]
        ds = [Value(_like(v.type), f"d_{v.hint}" if v.hint else None) for v in results]
        if rule.forward_function is None:
            back = self._back(
                lambda args: self._value("backward_function", [tuple(args), _rebuilt(plain, ds)]), results, ds
            )
        else:
            leaves, rebuild = flatten(state)
            left = iter(fresh)
            state = rebuild([next(left) if isinstance(leaf, Value) else leaf for leaf in leaves])
            run = lambda args: self._value("backward_function", [state, _rebuilt(plain, ds)])  # noqa: E731
            back = self._back(run, [*results, *fresh], ds)
        found = self._cotangents(back.result)
        kept = [k for k in floats if found.get(k) is not None]
        custom.backward = back.region([self._fitting(k, found[k]) for k in kept])
        custom.given = {self.place[k]: number for number, k in enumerate(kept)}

    def _back(self, run: Callable[[list[Any]], Any], *more: Sequence[Value]) -> Part:
        what = f"the backward function of `{self.text}`"
        return self._part(what, run, *(v for each in more for v in each))[1]

    def _pair(self, args: list[Any], plain: Part) -> Any:
        """What the forward function gives: (value, saved)."""
        result = self._value("forward_function", args)
        if not isinstance(result, tuple) or len(result) != 2:
            raise Unsupported(
                f"the forward function of `{self.text}` returns {describe(result)}", "Return (value, saved)."
            )
        return result

    def _cotangents(self, result: Any) -> dict[int, Any]:
        """The cotangent of each leaf of the arguments; None where there is none."""
        count = len(self.args)
        each = [result] if count == 1 and not (isinstance(result, tuple) and len(result) == 1) else result
        if not isinstance(each, (tuple, list)) or len(each) != count:
            raise Unsupported(
                f"the backward function of `{self.text}` returns {_how_many(result)} for {count} arguments",
                f"Return one for each of {', '.join(f'`{n}`' for n in self.names)}: None where there is no derivative.",
            )
        found: dict[int, Any] = {}
        for (start, end), cotangent, name in zip(self.given.spans, each, self.names):
            if cotangent is None:
                continue
            leaves, _ = flatten(cotangent)
            if len(leaves) != end - start and end > start:
                what = f"what the backward function of `{self.text}` returns for `{name}` is not made like it"
                raise Unsupported(what)
            found.update(zip(range(start, end), leaves))
        return found

    def _fitting(self, k: int, cotangent: Any, broadcast: bool = False) -> Atom:
        """A cotangent of the argument's shape, and of a dtype that it can have."""
        type = self.given.leaves[k].type
        atom = self.c.atom(cotangent)
        if not isinstance(atom.type, Array) or atom.type.dtype.kind not in "fciub":
            raise Unsupported(f"the derivative for `{self._argument(k)}` is {describe(cotangent)}")
        if not broadcast and not self.c.facts.same_axes(atom.type.axes, type.axes):
            raise Unsupported(
                f"the backward function of `{self.text}` returns {atom.type} for `{self._argument(k)}`, which is "
                f"{type}",
                "Return an array of the argument's shape: sum over what was broadcast.",
            )
        return atom

    def _jvp(self, custom: Custom, plain: Part, floats: list[int]) -> None:
        ts = {k: self._tangent_of(k) for k in floats}

        def run(args: list[Any]) -> Any:
            moved = self.given.rebuild([ts.get(k) for k in range(len(self.given.leaves))])
            return self._value("jvp_function", [tuple(args), tuple(moved)])

        _, part = self._part(f"the tangent function of `{self.text}`", run, *ts.values())
        if not isinstance(part.result, tuple) or len(part.result) != 2:
            raise Unsupported(f"the jvp of `{self.text}` returns {describe(part.result)}", "Return (value, tangent).")
        value, tangent = part.result
        results = values_in(plain.result)
        _check_alike(self.c, flatten(value)[0], results, f"the jvp of `{self.text}`", "the function")
        _check_alike(
            self.c, flatten(tangent)[0], results, f"the tangent that the jvp of `{self.text}` gives", "the value"
        )
        custom.jvp = part.region([*flatten(value)[0], *flatten(tangent)[0]])

    def _tangent_of(self, k: int) -> Value:
        leaf = self.given.leaves[k]
        return Value(_like(leaf.type), None if leaf.hint is None else f"t_{leaf.hint}")

    # Shorthands

    def _formulas(self, custom: Custom, plain: Part, floats: list[int]) -> None:
        """One formula for each argument: it takes a cotangent, or a tangent."""
        assert self.rule.formulas is not None
        if len(self.rule.formulas) != len(self.args):
            count = len(self.rule.formulas)
            raise Unsupported(f"the rule of `{self.text}` has {count} formulas for {len(self.args)} arguments")
        (result,) = _single(plain, self.text)
        kept = [k for k in floats if self.rule.formulas[k] is not None]

        def term(k: int, d: Value, y: Value, args: list[Any]) -> Any:
            return self._read_value(("attr", "formulas"), k, [d, y, *args])

        y, d = Value(result.type, result.hint), Value(_like(result.type), f"d_{result.hint}" if result.hint else None)
        back = self._back(lambda args: tuple(term(k, d, y, args) for k in kept), [y], [d])
        custom.backward = back.region([self._fitting(k, each, True) for k, each in zip(kept, back.result)])
        custom.given = {self.place[k]: number for number, k in enumerate(kept)}
        ts = {k: self._tangent_of(k) for k in floats}

        def tangent(args: list[Any]) -> Any:
            terms = [term(k, ts[k], y, args) for k in kept]
            return functools.reduce(lambda a, b: self.c.binary(ast.Add, a, b, ast.Add()), terms)

        if kept:
            self._beside(custom, tangent, y, [ts[k] for k in kept], result)
            custom.moving = tuple(self.place[k] for k in kept)

    def _beside(
        self, custom: Custom, run: Callable[[list[Any]], Any], y: Value, ts: Sequence[Value], result: Value
    ) -> None:
        """A formula of the tangent, which leaves the value as it is."""
        _, part = self._part(f"the rule of `{self.text}`", run, y, *ts)
        _check_alike(self.c, [part.result], [result], f"the tangent of `{self.text}`", "the value")
        custom.jvp, custom.beside = part.region([self.c.atom(part.result)]), True

    def _linear(self, custom: Custom, plain: Part, floats: list[int]) -> None:
        (result,) = _single(plain, self.text)
        y, d = Value(result.type, result.hint), Value(_like(result.type), f"d_{result.hint}" if result.hint else None)
        back = self._back(lambda args: self._value("transpose", [d, y, *args]), [y], [d])
        if 0 not in floats:
            return
        custom.backward = back.region([self._fitting(0, back.result)])
        custom.given = {0: 0}
        t = self._tangent_of(0)

        def tangent(args: list[Any]) -> Any:
            return Reader(self.c, self.rule, [t, *args[1:]], {}, self.text).call()

        self._beside(custom, tangent, y, [t], result)
        custom.moving = (0,)

    # Calling the rule's functions

    def _read_value(self, step: tuple[str, Any], k: int, args: list[Any]) -> Any:
        function = getattr(self.rule, step[1])[k]
        route = (*self.route, step, ("item", k))
        return self.c.invoke(self.c.adopt(Found(function, route), self.text), args, {}, self.text)

    def _value(self, which: str, args: list[Any]) -> Any:
        """What one of the rule's functions gives: read in place, or called as it stands."""
        function, route = getattr(self.rule, which), (*self.route, ("attr", which))
        if which == "function" and find(function) is not None:
            return self.c.invoke(function, args, {}, self.text)
        if self.rule.read and has_source(function):
            return self.c.invoke(self.c.adopt(Found(function, route), self.text), args, {}, self.text)
        name = name_of(function, f"{name_of(self.rule, 'rule')}_{which.removesuffix('_function')}")  # a lambda has none
        value = self.c.function_value(function, route, name)
        inputs: list[Any] = [value]
        parts = [slot(arg, inputs) for arg in args]
        template = ast.Call(ast.Name(f"{SLOT}0", ast.Load()), parts, [])
        attrs = {"template": template, "types": self._types(which, args), "name": name}
        result = self.c.apply(INVOKE, inputs, attrs)
        for found, hint in zip(flatten(result)[0], self._hints(which)):
            found.hint = hint
        return result

    def _hints(self, which: str) -> Sequence[str]:
        """What to call the results of a function that is called as it stands."""
        if which == "forward_function":
            return "y", "saved"
        if which == "backward_function":
            return [f"d_{name}" for name in self.names]
        return "y", "t_y"

    def _types(self, which: str, args: list[Any]) -> tuple[Type, ...]:
        """The types of what a function gives that is called as it stands."""
        if which == "function":
            return self._value_types(args)
        if which == "forward_function":
            types_ = self._value_types(args)
            if len(types_) != 1:
                way_out = "Write it so that it can be read."
                raise Unsupported(f"the forward function of `{self.text}` has several results", way_out)
            return (*types_, Saved())
        if which == "backward_function":
            spans = [self.given.leaves[start:end] for start, end in self.given.spans]
            return tuple(_like(leaves[0].type) if len(leaves) == 1 else Saved() for leaves in spans)
        return self._value_types(args) * 2

    def _value_types(self, args: list[Any]) -> tuple[Type, ...]:
        rule = self.rule
        if isinstance(rule.like, str):
            if rule.like not in self.names or not is_number(args[self.names.index(rule.like)]):
                raise Unsupported(f"`like={rule.like!r}` names no number or array among the arguments of `{self.text}`")
            return (_like(args[self.names.index(rule.like)].type),)
        said = getattr(rule.function, "__annotations__", {}).get("return")
        if rule.like is None and said in (float, "float"):
            return (FLOAT,)
        return _probed(self.c, rule.like or rule.function, args, self.text)


def _probed(c: Calls, function: Any, args: list[Any], text: str) -> tuple[Type, ...]:
    """The types that a function gives, found by calling it on small arrays."""
    arrays = [k for k, arg in enumerate(args) if isinstance(arg, Value)]
    fixed = [arg.value if isinstance(arg, Const) else arg for arg in args]
    weak: list[bool] = []

    def tried(*probes: Any) -> Any:
        given = list(fixed)
        for k, probe in zip(arrays, probes):
            given[k] = probe
        result = function(*given)
        weak.append(type(result) in (int, float, complex))
        return result

    kinds = [args[k].type for k in arrays]
    try:
        try:
            found = infer.probe(tried)(c.facts, kinds, {}, "function")
        except Unsupported:
            if not _assume_equal(c, kinds):
                raise
            found = infer.probe(tried)(c.facts, kinds, {}, "function")
    except Unsupported as error:
        message = error.message.replace("tried", f"`{text}`", 1)
        way_out = "Say what it returns: `like=` the name of an argument, or a NumPy function of the same arguments."
        raise Unsupported(f"the type of what `{text}` returns is not known: {message}", way_out) from None
    types_ = found if isinstance(found, tuple) else (found,)
    if weak[0] and len(types_) == 1 and isinstance(types_[0], Array):
        return (replace(types_[0], weak=True),)
    return types_


def _assume_equal(c: Calls, kinds: Sequence[Type]) -> bool:
    """Assume that lengths are equal which are so in the example; whether there was anything to assume."""
    first: dict[int, Dim] = {}
    assumed = False
    for dim in (c.facts.canon(axis) for kind in kinds if isinstance(kind, Array) for axis in kind.axes):
        size = dim.evaluate(c.facts.sizes)
        if size is None:
            continue
        other = first.setdefault(size, dim)
        if not c.facts.same(dim, other):
            assumed |= c.facts.require("==", dim, other)
    return assumed


def _bound(c: Calls, rule: Rule[Any, Any], args: list[Any], kwargs: dict[str, Any], text: str) -> list[Any]:
    """The arguments by position, with the function's defaults."""
    try:
        signature = inspect.signature(rule.function)
    except (TypeError, ValueError):
        if kwargs:
            raise Unsupported(f"the parameters of `{text}` are not known", "Give its arguments by position.") from None
        return args
    try:
        bound = signature.bind(*args, **kwargs)
    except TypeError as error:
        raise Unsupported(f"`{text}`: {error}") from None
    given = set(bound.arguments)
    if bound.kwargs:
        raise Unsupported(f"`{text}` has arguments by keyword alone, and a rule", "Let it take them by position.")
    if not isinstance(rule.function, types.FunctionType):  # a library's, whose defaults stay its own
        return list(bound.args)
    bound.apply_defaults()
    for name in bound.arguments.keys() - given:
        if signature.parameters[name].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD:
            bound.arguments[name] = _default(bound.arguments[name], name, text)
    return list(bound.args)


def _default(value: Any, name: str, text: str) -> Any:
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, float, complex, np.generic)):
        return Const(value)
    raise Unsupported(f"the default of `{name}` of `{text}` is {type(value).__name__}", "Pass it.")


def _names(rule: Rule[Any, Any], count: int) -> list[str]:
    try:
        parameters = list(inspect.signature(rule.function).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return [names[k] if k < len(names) else f"number {k + 1}" for k in range(count)]


def _like(type: Type) -> Type:
    return replace(type, dim=None, count=None) if isinstance(type, Array) else type


def _is_float(leaf: Any) -> bool:
    return isinstance(leaf, Value) and isinstance(leaf.type, Array) and leaf.type.differentiable


def _rebuilt(plain: Part, leaves: Sequence[Value]) -> Any:
    """Values in the structure of the function's result."""
    old, rebuild = flatten(plain.result)
    left = iter(leaves)
    return rebuild([next(left) if isinstance(leaf, Value) else leaf for leaf in old])


def _single(plain: Part, text: str) -> list[Value]:
    found = values_in(plain.result)
    if len(found) != 1 or not is_number(plain.result):
        raise Unsupported(
            f"`{text}` has several results, and a rule of formulas", "Give it `forward=` and `backward=`."
        )
    return found


def _check_alike(c: Calls, found: Sequence[Any], expected: Sequence[Value], what: str, other: str) -> None:
    """The same types, one by one."""
    same = len(found) == len(expected) and all(
        alike(c, a, b) and a.type.dtype == getattr(b.type, "dtype", None) for a, b in zip(found, expected)
    )
    if not same:
        one, two = (", ".join(str(v.type) for v in each) or "nothing" for each in (found, expected))
        raise Unsupported(f"{what} returns {one}, and {other} {two}", "Let both be of one shape and dtype.")


def _how_many(result: Any) -> str:
    return f"{len(result)} cotangents" if isinstance(result, (tuple, list)) else "one cotangent"

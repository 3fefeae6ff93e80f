"""Reading calls with derivatives of the user's own: rules, what is computed again, hooks.

Each part of such a call (its value, the forward and backward function, the tangent) is read into a closed region, on
parameters of its own. Inside of them the same rules hold, as many levels deep as there will be derivatives. A function
that is not read is captured, and called as it stands.
"""

from __future__ import annotations

import ast
import functools
import inspect
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..custom import Checkpoint, Rule, checkpoint, hook
from ..errors import SourceNotFound, Unsupported
from ..ir import infer
from ..ir.custom import CUSTOM, Custom
from ..ir.nodes import Atom, Const, Region, Value, region_free_values, walk
from ..ir.types import FLOAT, Array, Saved, Type
from ..rules.calling import INVOKE
from ..rules.effects import EFFECT, SLOT
from ..runtime.captures import Found, Route
from ..runtime.source import find_source
from .effects import slot
from .expressions import is_library
from .values import Closure, Poison, describe, flatten, is_number

if TYPE_CHECKING:
    from .calls import Calls


def is_custom(function: Any) -> bool:
    own = isinstance(function, types.FunctionType) and function.__module__ == Rule.__module__
    return own or isinstance(function, (Rule, Checkpoint))


def call(c: Calls, function: Any, args: list[Any], kwargs: dict[str, Any], text: str) -> Any:
    if function is checkpoint:
        if len(args) != 1 or kwargs:
            raise Unsupported("`checkpoint` takes one function")
        return Checkpoint(args[0])
    if function is hook:
        return _hook(c, args, kwargs)
    if isinstance(function, types.FunctionType):
        raise Unsupported(f"`{text}` makes a rule inside a function", "Make the rule outside, and call it here.")
    if isinstance(function, Checkpoint):
        return _checkpoint(c, function, args, kwargs, text)
    return _Reader(c, function, args, kwargs, text).call()


@dataclass
class _Part:
    """A closed region while it is read."""

    params: list[Value]
    result: Any = None
    ops: Sequence[Any] = ()
    shared: bool = False

    def region(self, results: Sequence[Atom], extra: Sequence[Value] = ()) -> Region:
        return Region((*self.params, *extra), tuple(self.ops), tuple(results))


@dataclass
class _Given:
    """A call's arguments: their numbers and arrays, and how to put others in their places."""

    leaves: list[Any]
    rebuild: Callable[[list[Any]], list[Any]]
    spans: list[tuple[int, int]] = field(default_factory=list)  # the leaves of each argument


def _given(c: Calls, args: Sequence[Any], text: str) -> _Given:
    parts = [flatten(arg) for arg in args]
    for arg in args:
        kind = type(arg).__name__
        if kind in ("Instance", "Record", "Closure", "BoundMethod", "Maybe"):
            way_out = "Pass numbers, arrays, lists of them, or what is known when compiling."
            raise Unsupported(f"`{text}` is called with {describe(arg)}", way_out)
    leaves: list[Any] = []
    spans = []
    for found, _ in parts:
        spans.append((len(leaves), len(leaves) + len(found)))
        leaves += [c.latest(leaf) for leaf in found]

    def rebuild(new: list[Any]) -> list[Any]:
        return [make(new[start:end]) for (_, make), (start, end) in zip(parts, spans)]

    return _Given(leaves, rebuild, spans)


def _stand_in(c: Calls, leaf: Any) -> Any:
    """A parameter of a part, in place of one of the call's numbers or arrays."""
    if not isinstance(leaf, Value):
        return leaf
    value = Value(leaf.type, leaf.hint)
    if leaf in c.known:
        c.known[value] = c.known[leaf]
    return value


def _read(c: Calls, what: str, params: Sequence[Any], run: Callable[[], Any], level: int = 1) -> _Part:
    """Read one part; `level` tells how many derivatives have been taken before it is differentiated itself."""
    part = _Part([p for p in params if isinstance(p, Value)])
    c.customs.append(level)
    try:
        with c.region() as ops:
            for param in part.params:
                c.born[param] = c.depth[:-1]
            part.result = run()
            if isinstance(part.result, Poison):
                raise c.poisoned(part.result)
            leaves, rebuild = flatten(part.result)
            part.result = rebuild([c.latest(leaf) for leaf in leaves])
        if c.writes(ops):
            raise Unsupported(f"{what} writes into an array that it did not make", "Copy it first.")
    finally:
        c.customs.pop()
    part.ops = tuple(ops)
    bases = {base for leaf in leaves if isinstance(leaf, Value) for base in c.bases(leaf)}
    part.shared = any(base in part.params for base in bases) or any(op.prim is INVOKE for op in walk(part.ops))
    return part


def _close(c: Calls, parts: Sequence[Region | None]) -> list[Value]:
    """What the parts read from around them: captured data, and variables around a nested function."""
    return list(dict.fromkeys(v for part in parts if part is not None for v in region_free_values(part)))


def _check_quiet(c: Calls, part: _Part, what: str, why: str) -> bool:
    """Refuse what prints or draws; whether the part may raise."""
    effects = [op for op in walk(part.ops) if op.prim.kind == "impure"]
    for op in effects:
        if op.prim is not EFFECT or not isinstance(op.attrs["template"], (ast.Raise, ast.Assert, ast.If)):
            way_out = "Do it outside of that function."
            raise Unsupported(f"{what} prints, draws random numbers or the like, {why}", way_out, op.origin)
    return bool(effects)


def _append(c: Calls, custom: Custom, atoms: Sequence[Atom], part: _Part, effects: bool) -> Any:
    """The call's op, and its result."""
    leaves, rebuild = flatten(part.result)
    computed = [k for k, leaf in enumerate(leaves) if isinstance(leaf, Value)]
    types = [leaves[k].type for k in computed]
    attrs = {"custom": custom, "part": "plain", **({"effects": True} if effects else {})}
    outputs = c.builder.append(CUSTOM, atoms, types, attrs)
    arrays = tuple(a for a in atoms if isinstance(a, Value) and isinstance(a.type, Array) and a.type.ndim)
    for output in outputs:
        c.born[output] = c.depth
        c.link(output, arrays, owned=not part.shared)
    filled = list(leaves)
    for k, output in zip(computed, outputs):
        filled[k] = output
    return rebuild(filled)


def _computed(result: Any) -> list[Value]:
    return [leaf for leaf in flatten(result)[0] if isinstance(leaf, Value)]


# What is computed again


def _checkpoint(c: Calls, function: Checkpoint[Any, Any], args: list[Any], kwargs: dict[str, Any], text: str) -> Any:
    inner = function.function
    route = c.route_of(function)
    if route is not None:
        inner = c.adopt(Found(inner, (*route, ("attr", "function"))), text)
    names = list(kwargs)
    given = _given(c, [*args, *kwargs.values()], text)
    params = [_stand_in(c, leaf) for leaf in given.leaves]
    values = given.rebuild(params)
    own, named = values[: len(args)], dict(zip(names, values[len(args) :]))
    part = _read(c, f"`{text}`", params, lambda: c.invoke(inner, own, named, text), level=0)
    effects = _check_quiet(c, part, f"`{text}`", "which would happen twice")
    if not _computed(part.result):
        raise Unsupported(f"`{text}` returns {describe(part.result)}", "Return numbers or arrays.")
    plain = part.region(_computed(part.result))
    outside = _close(c, [plain])
    custom = Custom(text, "checkpoint", replace(plain, params=(*plain.params, *outside)))
    atoms = [*(leaf for leaf in given.leaves if isinstance(leaf, Value)), *outside]
    return _append(c, custom, atoms, part, effects)


# Hooks


def _hook(c: Calls, args: list[Any], kwargs: dict[str, Any]) -> Any:
    x, *rest = args
    function = rest[0] if rest else kwargs.get("function")
    if len(args) + len(kwargs) != 2 or function is None:
        raise Unsupported("`hook` takes a value and a function")
    if isinstance(x, Const):
        return x
    x = c.latest(x)
    if not isinstance(x, Value) or not isinstance(x.type, Array):
        raise Unsupported(f"a hook on {describe(x)}", "Hook a number or an array.")
    d = Value(x.type, None if x.hint is None else f"d_{x.hint}")
    part = _read(c, "the hook", [d], lambda: _hooked(c, function, d))
    result = d if part.result is None else part.result
    if not is_number(result) or not _alike(c, result, x):
        raise Unsupported("the hook returns something of another shape than the cotangent", "Return its like.")
    param = Value(x.type, x.hint)
    back = part.region([result])
    outside = _close(c, [back])
    if outside:
        back = replace(back, params=(d, *outside))
    plain = Region((param, *outside), (), (param,))
    count = len(plain.params)
    reads = (count + 1, *range(1, count))
    custom = Custom("hook", "hook", plain, backward=back, reads=reads, given={0: 0})
    shown = _Part([param], param, shared=True)
    return _append(c, custom, [x, *outside], shown, False)


def _hooked(c: Calls, function: Any, d: Value) -> Any:
    if isinstance(function, Closure):
        return c.invoke(function, [d], {}, function.name)
    if function is print:
        template = ast.Call(ast.Name("print", ast.Load()), [ast.Name(f"{SLOT}0", ast.Load())], [])
        c.apply(EFFECT, [d], {"template": template, "types": ()})
        return None
    route = c.route_of(function)
    if route is None or not callable(function):
        raise Unsupported("it is not known where the hook's function comes from", "Give it a name, and pass that.")
    name = _name_of(function, "look")
    value = c.function_value(function, route, name)
    template = _called(1)
    if not _returns_something(function):
        c.apply(EFFECT, [value, d], {"template": template, "types": ()})
        return None
    type = replace(d.type, dim=None) if isinstance(d.type, Array) else d.type
    return c.apply(INVOKE, [value, d], {"template": template, "types": (type,), "name": name})


def _returns_something(function: Any) -> bool:
    """Whether a hook's function gives a new cotangent; one without source does."""
    if not _has_source(function):
        return True
    node = find_source(function).node
    return isinstance(node, ast.Lambda) or any(isinstance(n, ast.Return) and n.value for n in ast.walk(node))


def _called(count: int) -> ast.Call:
    """A call of what is in the first slot with what is in the others."""
    slots = [ast.Name(f"{SLOT}{k}", ast.Load()) for k in range(count + 1)]
    return ast.Call(slots[0], list(slots[1:]), [])


def _name_of(function: Any, other: str) -> str:
    name = getattr(function, "__name__", "")
    return name if name.isidentifier() and set(name) != {"_"} else other


# Rules


class _Reader:
    """One call of a function with a rule."""

    def __init__(self, c: Calls, rule: Rule[Any, Any], args: list[Any], kwargs: dict[str, Any], text: str):
        self.c, self.rule, self.text = c, rule, text
        route = c.route_of(rule)
        if route is None:
            raise Unsupported(f"it is not known where `{text}` comes from", "Make the rule outside, and use its name.")
        self.route: Route = route
        self.args = _bound(c, rule, args, kwargs, text)
        self.names = _names(rule, len(self.args))
        self.given = _given(c, self.args, text)
        for name in ("function", "forward_function", "backward_function", "jvp_function", "transpose", "formulas"):
            if getattr(rule, name) is None:  # the others are compared where they are read
                c.statics[(*route, ("attr", name))] = None
        c.statics[(*route, ("attr", "like"))] = rule.like
        c.statics[(*route, ("attr", "read"))] = rule.read

    def call(self) -> Any:
        c = self.c
        _, plain = self._part(f"`{self.text}`", lambda args: self._value("function", args))
        effects = _check_quiet(c, plain, f"`{self.text}`", "and has a rule, so that it may run twice or never")
        computed = _computed(plain.result)
        if not computed or not all(isinstance(v.type, Array) for v in computed):
            raise Unsupported(f"`{self.text}` returns {describe(plain.result)}", "Return numbers or arrays.")
        custom = Custom(self.text, "rule", plain.region(computed))
        if sum(c.customs) < c.plan.order:
            self._derivatives(custom, plain)
        else:
            custom.refused = dict.fromkeys(("reverse", "forward"), (f"`{self.text}` is differentiated too often", ""))
        parts = [custom.plain, custom.forward, custom.jvp]
        outside = _close(c, [*parts, custom.backward])
        return self._closed(custom, outside, plain, effects)

    def _closed(self, custom: Custom, outside: list[Value], plain: _Part, effects: bool) -> Any:
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
        return _append(self.c, custom, atoms, plain, effects)

    # Parts

    def _part(self, what: str, run: Callable[[list[Any]], Any], *more: Any) -> tuple[list[Any], _Part]:
        """A part with parameters for the arguments, and then others."""
        params = [_stand_in(self.c, leaf) for leaf in self.given.leaves]
        part = _read(self.c, what, [*params, *more], lambda: run(self.given.rebuild(params)))
        return params, part

    def _derivatives(self, custom: Custom, plain: _Part) -> None:
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

    def _backward(self, custom: Custom, plain: _Part, floats: list[int]) -> None:
        rule, c = self.rule, self.c
        results = [Value(v.type, v.hint) for v in _computed(plain.result)]
        saved: list[Value] = []
        state: Any = self.args
        if rule.forward_function is not None:
            _, part = self._part(f"the forward function of `{self.text}`", lambda a: self._pair(a, plain))
            _check_quiet(c, part, f"the forward function of `{self.text}`", "and may run twice or never")
            value, state = part.result
            _check_alike(c, _computed(value), results, f"the forward function of `{self.text}`", "the function")
            saved = _computed(state)
            custom.forward = part.region([*_computed(value), *saved])
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

    def _back(self, run: Callable[[list[Any]], Any], *more: Sequence[Value]) -> _Part:
        what = f"the backward function of `{self.text}`"
        return self._part(what, run, *(v for each in more for v in each))[1]

    def _pair(self, args: list[Any], plain: _Part) -> Any:
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

    def _jvp(self, custom: Custom, plain: _Part, floats: list[int]) -> None:
        ts = {k: self._tangent_of(k) for k in floats}

        def run(args: list[Any]) -> Any:
            moved = self.given.rebuild([ts.get(k) for k in range(len(self.given.leaves))])
            return self._value("jvp_function", [tuple(args), tuple(moved)])

        _, part = self._part(f"the tangent function of `{self.text}`", run, *ts.values())
        if not isinstance(part.result, tuple) or len(part.result) != 2:
            raise Unsupported(f"the jvp of `{self.text}` returns {describe(part.result)}", "Return (value, tangent).")
        value, tangent = part.result
        results = _computed(plain.result)
        _check_alike(self.c, flatten(value)[0], results, f"the jvp of `{self.text}`", "the function")
        _check_alike(
            self.c, flatten(tangent)[0], results, f"the tangent that the jvp of `{self.text}` gives", "the value"
        )
        custom.jvp = part.region([*flatten(value)[0], *flatten(tangent)[0]])

    def _tangent_of(self, k: int) -> Value:
        leaf = self.given.leaves[k]
        return Value(_like(leaf.type), None if leaf.hint is None else f"t_{leaf.hint}")

    # Shorthands

    def _formulas(self, custom: Custom, plain: _Part, floats: list[int]) -> None:
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

    def _linear(self, custom: Custom, plain: _Part, floats: list[int]) -> None:
        (result,) = _single(plain, self.text)
        y, d = Value(result.type, result.hint), Value(_like(result.type), f"d_{result.hint}" if result.hint else None)
        back = self._back(lambda args: self._value("transpose", [d, y, *args]), [y], [d])
        if 0 not in floats:
            return
        custom.backward = back.region([self._fitting(0, back.result)])
        custom.given = {0: 0}
        t = self._tangent_of(0)

        def tangent(args: list[Any]) -> Any:
            return _Reader(self.c, self.rule, [t, *args[1:]], {}, self.text).call()

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
        if self.rule.read and _has_source(function):
            return self.c.invoke(self.c.adopt(Found(function, route), self.text), args, {}, self.text)
        name = _name_of(function, f"{self.rule.__name__}_{which.removesuffix('_function')}")
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

    try:
        found = infer.probe(tried)(c.facts, [args[k].type for k in arrays], {}, "function")
    except Unsupported as error:
        message = error.message.replace("tried", f"`{text}`", 1)
        way_out = "Say what it returns: `like=` the name of an argument, or a NumPy function of the same arguments."
        raise Unsupported(f"the type of what `{text}` returns is not known: {message}", way_out) from None
    types_ = found if isinstance(found, tuple) else (found,)
    if weak[0] and len(types_) == 1 and isinstance(types_[0], Array):
        return (replace(types_[0], weak=True),)
    return types_


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
    bound.apply_defaults()
    if bound.kwargs:
        raise Unsupported(f"`{text}` has arguments by keyword alone, and a rule", "Let it take them by position.")
    for name, value in bound.arguments.items():
        if name not in given and not isinstance(value, tuple):
            bound.arguments[name] = _default(value, name, text)
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


def _has_source(function: Any) -> bool:
    if not isinstance(function, types.FunctionType) or is_library(function):
        return False
    try:
        find_source(function)
    except SourceNotFound:
        return False
    return True


def _like(type: Type) -> Type:
    return replace(type, dim=None, count=None) if isinstance(type, Array) else type


def _is_float(leaf: Any) -> bool:
    return isinstance(leaf, Value) and isinstance(leaf.type, Array) and leaf.type.differentiable


def _rebuilt(plain: _Part, leaves: Sequence[Value]) -> Any:
    """Values in the structure of the function's result."""
    old, rebuild = flatten(plain.result)
    left = iter(leaves)
    return rebuild([next(left) if isinstance(leaf, Value) else leaf for leaf in old])


def _single(plain: _Part, text: str) -> list[Value]:
    found = _computed(plain.result)
    if len(found) != 1 or not is_number(plain.result):
        raise Unsupported(
            f"`{text}` has several results, and a rule of formulas", "Give it `forward=` and `backward=`."
        )
    return found


def _check_alike(c: Calls, found: Sequence[Any], expected: Sequence[Value], what: str, other: str) -> None:
    """The same types, one by one."""
    same = len(found) == len(expected) and all(
        _alike(c, a, b) and a.type.dtype == getattr(b.type, "dtype", None) for a, b in zip(found, expected)
    )
    if not same:
        one, two = (", ".join(str(v.type) for v in each) or "nothing" for each in (found, expected))
        raise Unsupported(f"{what} returns {one}, and {other} {two}", "Let both be of one shape and dtype.")


def _alike(c: Calls, a: Any, b: Value) -> bool:
    """Whether two numbers or arrays have one shape."""
    one, other = a.type, b.type
    return isinstance(one, Array) and isinstance(other, Array) and c.facts.same_axes(one.axes, other.axes)


def _how_many(result: Any) -> str:
    return f"{len(result)} cotangents" if isinstance(result, (tuple, list)) else "one cotangent"

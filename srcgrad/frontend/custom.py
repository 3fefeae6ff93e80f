"""Reading calls with derivatives of the user's own: what is computed again, hooks, and rules.

Each part of such a call is read into a closed region. Inside of it the same holds, as many levels deep as there will be
derivatives.
"""

from __future__ import annotations

import ast
import types
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..custom import Checkpoint, Rule, checkpoint, checkpointed, hook
from ..errors import Unsupported
from ..ir.custom import Custom
from ..ir.nodes import Const, Region, Value
from ..ir.primitive import find
from ..ir.types import Array
from ..rules.calling import INVOKE
from ..rules.effects import EFFECT, SLOT
from ..runtime.captures import Found
from ..runtime.source import find_source
from .parts import Part, alike, append, around, check_quiet, given_to, has_source, name_of, read, stand_in, values_in
from .ruling import Reader
from .values import Closure, RangeValue, Segments, describe, is_number

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
    if function is checkpointed:
        return _checkpointed(c, args, kwargs, text)
    if isinstance(function, types.FunctionType):
        raise Unsupported(f"`{text}` makes a rule inside a function", "Make the rule outside, and call it here.")
    if isinstance(function, Checkpoint):
        return _checkpoint(c, function, args, kwargs, text)
    return Reader(c, function, args, kwargs, text).call()


# What is computed again


def _checkpoint(c: Calls, function: Checkpoint[Any, Any], args: list[Any], kwargs: dict[str, Any], text: str) -> Any:
    inner = function.function
    route = c.route_of(function)
    if route is not None:
        inner = c.adopt(Found(inner, (*route, ("attr", "function"))), text)
    names = list(kwargs)
    given = given_to(c, [*args, *kwargs.values()], text)
    params = [stand_in(c, leaf) for leaf in given.leaves]
    values = given.rebuild(params)
    own, named = values[: len(args)], dict(zip(names, values[len(args) :]))
    part = read(c, f"`{text}`", params, lambda: c.invoke(inner, own, named, text), level=0)
    effects = check_quiet(c, part, f"`{text}`", "which would happen twice")
    if not values_in(part.result):
        raise Unsupported(f"`{text}` returns {describe(part.result)}", "Return numbers or arrays.")
    plain = part.region(values_in(part.result))
    outside = around(c, [plain])
    custom = Custom(text, "checkpoint", replace(plain, params=(*plain.params, *outside)))
    atoms = [*(leaf for leaf in given.leaves if isinstance(leaf, Value)), *outside]
    return append(c, custom, atoms, part, effects)


def _checkpointed(c: Calls, args: list[Any], kwargs: dict[str, Any], text: str) -> RangeValue:
    """A range whose loop goes by segments."""
    given = dict(zip(("steps", "slots", "levels", "schedule"), args)) | kwargs
    steps, slots = given.get("steps"), given.get("slots", Const(None))
    levels, schedule = given.get("levels", Const(1)), given.get("schedule", Const("segments"))
    if not isinstance(steps, RangeValue) or steps.segments is not None:
        raise Unsupported(f"`{text}` of {describe(steps)}", "It takes a range: checkpointed(range(n)).")
    numbers = [None if n is None else c.maybe_number(n) for n in (slots, levels)]
    free = slots is None or (isinstance(slots, Const) and slots.value is None)
    if not (free or (type(numbers[0]) is int and numbers[0] > 0)) or type(numbers[1]) is not int or numbers[1] < 1:
        raise Unsupported(f"`{text}` with slots or levels that are not positive integers, known when compiling")
    schedule = schedule.value if isinstance(schedule, Const) else schedule
    if schedule not in ("segments", "binomial"):
        raise Unsupported(f"`{text}` with a schedule that is unknown", 'Give schedule="segments" or "binomial".')
    binomial = schedule == "binomial"
    if binomial and (free or numbers[1] != 1):
        raise Unsupported(f"`{text}`: the binomial schedule takes slots, and no levels", "Give slots=8, for example.")
    return replace(steps, segments=Segments(None if free else numbers[0], numbers[1], binomial))


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
    part = read(c, "the hook", [d], lambda: _hooked(c, function, d))
    result = d if part.result is None else part.result
    if not is_number(result) or not alike(c, result, x):
        raise Unsupported("the hook returns something of another shape than the cotangent", "Return its like.")
    param = Value(x.type, x.hint)
    back = part.region([result])
    outside = around(c, [back])
    if outside:
        back = replace(back, params=(d, *outside))
    plain = Region((param, *outside), (), (param,))
    count = len(plain.params)
    reads = (count + 1, *range(1, count))
    custom = Custom("hook", "hook", plain, backward=back, reads=reads, given={0: 0})
    shown = Part([param], param, shared=True)
    return append(c, custom, [x, *outside], shown, False)


def _hooked(c: Calls, function: Any, d: Value) -> Any:
    if isinstance(function, Closure) or find(function) is not None:
        return c.invoke(function, [d], {}, name_of(function, "hook"))
    if function is print:
        template = ast.Call(ast.Name("print", ast.Load()), [ast.Name(f"{SLOT}0", ast.Load())], [])
        c.apply(EFFECT, [d], {"template": template, "types": ()})
        return None
    route = c.route_of(function)
    if route is None or not callable(function):
        raise Unsupported("it is not known where the hook's function comes from", "Give it a name, and pass that.")
    name = name_of(function, "look")
    value = c.function_value(function, route, name)
    template = _called(1)
    if not _returns_something(function):
        c.apply(EFFECT, [value, d], {"template": template, "types": (), "keeps": True})
        return None
    type = replace(d.type, dim=None) if isinstance(d.type, Array) else d.type
    return c.apply(INVOKE, [value, d], {"template": template, "types": (type,), "name": name})


def _returns_something(function: Any) -> bool:
    """Whether a hook's function gives a new cotangent; one without source does."""
    if not has_source(function):
        return True
    node = find_source(function).node
    return isinstance(node, ast.Lambda) or any(isinstance(n, ast.Return) and n.value for n in ast.walk(node))


def _called(count: int) -> ast.Call:
    """A call of what is in the first slot with what is in the others."""
    slots = [ast.Name(f"{SLOT}{k}", ast.Load()) for k in range(count + 1)]
    return ast.Call(slots[0], list(slots[1:]), [])

"""Derivatives that a function takes while it runs: `grad(f)(x)`, `jvp(f, (x,), (v,))`, a call of a decorated function.

The function is read in place of the call, on stand-ins for the arguments to differentiate, so that what it reads from
around it, the same variable even, is constant. The derivative of these ops then takes their place.
"""

from __future__ import annotations

import ast
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..errors import Unsupported
from ..ir.dims import Facts
from ..ir.nodes import Const, Region, Value, renamed, substitute
from ..ir.primitive import named
from ..ir.types import Array
from ..runtime.captures import Found
from .callee import holds_code
from .state import InPlace, Ops
from .values import (
    Closure,
    DictValue,
    ListValue,
    Taken,
    copied,
    describe,
    flatten,
    is_number,
    same_structure,
    sequence,
)

if TYPE_CHECKING:
    from .access import Access
    from .calls import Calls

Derive = Callable[[Region, int, Sequence[Value], Sequence[Value] | None, Facts], Region]

_OPTIONS = {"argnums", "wrt", "has_aux"}
_SAME = "Give it the argument's shape and dtype."
_WAY_OUT = "Inside a function, take `grad`, `value_and_grad`, `jvp` or `hvp`."


@dataclass(frozen=True)
class _Stood:
    """An argument's leaves, what stands for them, and the argument made of other leaves."""

    leaves: list[Any]
    stand_ins: list[Value]
    rebuild: Callable[[list[Any]], Any]


def is_derivative(function: Any) -> bool:
    """Whether this is `grad` or one of its relatives, or what one of them has made."""
    if isinstance(function, Taken) or hasattr(function, "as_step"):
        return True
    owner = getattr(function, "__self__", None) if isinstance(function, types.MethodType) else None
    return hasattr(owner, "as_step") or (getattr(function, "__module__", None) or "").startswith("srcgrad.api.")


def call(c: Calls, function: Any, args: list[Any], kwargs: dict[str, Any], text: str) -> Any:
    """`grad(f)`, which takes no derivative yet, or a call that does."""
    if c.derive is None:
        raise Unsupported(f"`{text}` is a derivative, and is not read here")
    if isinstance(function, Taken):
        return _evaluate(c, function, args, kwargs, text)
    name = function.__name__ if isinstance(function, types.FunctionType) else ""
    if name in ("grad", "value_and_grad"):
        return _taken(c, name, args, kwargs, text)
    if name == "hvp":
        return replace(_taken(c, "grad", args, kwargs, text), mode="hvp")
    if name == "jvp":
        return _jvp(c, args, kwargs, text)
    return _evaluate(c, _adopted(c, function, text), args, kwargs, text)


def derivative_attribute(c: Access, receiver: Any, name: str, node: ast.AST) -> Any:
    """`g.value_and_grad`, and `g.function`, which is what was differentiated."""
    taken = receiver if isinstance(receiver, Taken) else _adopted(c, receiver, ast.unparse(node))
    if name == "function":
        return taken.function
    if name == "value_and_grad" and taken.mode == "grad":
        return replace(taken, mode=name)
    raise Unsupported(f"attribute `{name}` of a derivative cannot be read here", _WAY_OUT)


def _taken(c: Calls, mode: str, args: list[Any], kwargs: dict[str, Any], text: str) -> Taken:
    """What `grad(f, ...)` is before it is called."""
    if not args or len(args) > 2 or not set(kwargs) <= _OPTIONS:
        raise Unsupported(
            f"`{text}` is called in a way that is not read inside a function",
            "Say grad(f), with argnums=, wrt= or has_aux= if need be.",
        )
    chosen = args[1] if len(args) == 2 else kwargs.get("argnums")
    chosen = kwargs["wrt"] if kwargs.get("wrt") is not None else chosen
    return Taken(mode, args[0], *_chosen(c, chosen), aux=bool(c.key(kwargs.get("has_aux", False))))


def _chosen(c: Calls, chosen: Any) -> tuple[tuple[int | str, ...], bool]:
    """Positions and names of the arguments to differentiate, and whether it is one by itself."""
    if chosen is None:
        return (0,), True
    if isinstance(chosen, (tuple, ListValue)):
        return tuple(c.key(item) for item in sequence(chosen)), False
    return (c.key(chosen),), True


def _adopted(c: Access, function: Any, text: str) -> Taken:
    """A decorated function, or a derivative made outside."""
    method = isinstance(function, types.MethodType)
    owner = function.__self__ if method else function
    step = owner.as_step(function.__name__ if method else "__call__") if hasattr(owner, "as_step") else None
    route = c.route_of(function)
    if step is None or step.mode not in ("grad", "value_and_grad") or step.holomorphic:
        raise Unsupported(f"`{text}` is a derivative that is not taken inside a function", _WAY_OUT)
    if route is None:
        raise Unsupported(f"it is not known where `{text}` comes from", "Call it by its name.")
    if any(path is not None for _, path in step.wrt):
        raise Unsupported(f"`{text}` differentiates items of `*args`", "Give its arguments names.")
    way = (*route, *((("attr", "__self__"),) if method else ()), ("attr", "function"))
    inner = c.adopt(Found(owner.function, way), text)
    return Taken(step.mode, inner, tuple(name for name, _ in step.wrt), step.single, aux=step.aux)


def _jvp(c: Calls, args: list[Any], kwargs: dict[str, Any], text: str) -> Any:
    names = ("function", "primals", "tangents", "argnums")
    given = {**dict(zip(names, args)), **kwargs}
    if not {"function", "primals", "tangents"} <= given.keys() or given.keys() > {*names, "wrt", "has_aux"}:
        raise Unsupported(f"`{text}` needs a function, its arguments and their tangents", "Say jvp(f, (x,), (v,)).")
    primals, tangents = (_tuple(given[name], text) for name in ("primals", "tangents"))
    chosen = given.get("wrt") if given.get("wrt") is not None else given.get("argnums")
    which = tuple(range(len(primals))) if chosen is None else _chosen(c, chosen)[0]
    if len(which) != len(tangents):
        raise Unsupported(f"{len(tangents)} tangents for {len(which)} arguments")
    pairs = [(w, t) for w, t in zip(which, tangents) if t is not None]
    taken = Taken("jvp", given["function"], tuple(w for w, _ in pairs), aux=bool(c.key(given.get("has_aux", False))))
    return _evaluate(c, taken, primals, {}, text, [t for _, t in pairs])


def _tuple(value: Any, text: str) -> list[Any]:
    if not isinstance(value, (tuple, ListValue)):
        raise Unsupported(f"`{text}` takes the arguments and their tangents as two tuples", "Say jvp(f, (x,), (v,)).")
    return list(sequence(value))


def _evaluate(
    c: Calls, taken: Taken, args: list[Any], kwargs: dict[str, Any], text: str, tangents: list[Any] | None = None
) -> Any:
    """The value of a derivative at these arguments."""
    if taken.mode == "hvp":
        *args, vector = args
        along = [vector] if taken.single else _tuple(vector, text)
        inner = replace(taken, mode="grad")
        result = _evaluate(c, Taken("jvp", inner, taken.which, aux=taken.aux), args, kwargs, text, along)
        return result[1:] if taken.aux else result[1]
    if c.plan.procedures:
        raise InPlace
    if c.callee is not None:
        raise Unsupported(f"`{text}` is taken inside a function that calls itself", "Write that function as a loop.")
    args, kwargs = list(args), dict(kwargs)
    stood = [_stand_in(c, taken, which, args, kwargs, text) for which in taken.which]
    directions = None if tangents is None else _directions(c, stood, tangents, text)
    knowledge = dict(c.conditions), dict(c.alike)
    with c.region() as ops, _once_more(c):
        result = c.invoke(taken.function, args, kwargs, text)
        value, aux = _split(taken, result, text)
        if holds_code(result):
            raise Unsupported(f"what `{text}` differentiates returns a function", "Return what the function gives.")
        (leaves, rebuild), (extra, rebuild_aux) = flatten(value), flatten(aux)
        atoms = [_handed_out(c, leaf, text) for leaf in (*leaves, *extra)]
    c.conditions, c.alike = knowledge
    if c.writes(ops):
        raise Unsupported(
            f"the function that `{text}` differentiates changes an array from around it", "Work on a copy of it."
        )
    _check_value(leaves, value, taken.mode, text)
    made = _derived(c, ops, atoms, len(leaves), stood, directions)
    value, aux = rebuild(made[: len(leaves)]), rebuild_aux(made[len(leaves) : len(atoms)])
    derived = made[len(atoms) :]
    if tangents is not None:
        result = (value, rebuild(derived), *((aux,) if taken.aux else ()))
    else:
        gradients = tuple(each.rebuild([derived.pop(0) for _ in each.leaves]) for each in stood)
        gradient = gradients[0] if taken.single else gradients
        if taken.mode == "grad":
            result = (gradient, aux) if taken.aux else gradient
        else:
            result = ((value, aux) if taken.aux else value, gradient)
    return copied(result, c.depth)


@contextmanager
def _once_more(c: Calls) -> Iterator[None]:
    """What is called here with a derivative of its own is differentiated once more than what is around it."""
    c.customs.append(-1)
    try:
        yield
    finally:
        c.customs.pop()


def _stand_in(c: Calls, taken: Taken, which: int | str, args: list[Any], kwargs: dict[str, Any], text: str) -> _Stood:
    """Put values of their own in place of one argument's leaves."""
    names = _parameters(taken.function)
    if isinstance(which, int) and not -len(args) <= which < len(args):
        which = names[which] if -len(names) <= which < len(names) else which
    elif isinstance(which, str) and which in names[: len(args)]:
        which = names.index(which)
    holder: Any = args if isinstance(which, int) else kwargs
    try:
        value = holder[which]
    except (IndexError, KeyError):
        raise Unsupported(f"`{text}` is called without the argument that it differentiates") from None
    name = names[which] if isinstance(which, int) and -len(names) <= which < len(names) else str(which)
    _check_structure(value, name, text)
    leaves, rebuild = flatten(value)
    stand_ins = []
    for leaf in leaves:
        type = leaf.type
        if leaf in c.zero_d or not isinstance(type, Array) or type.dtype.kind != "f":
            what = "an array without axes" if leaf in c.zero_d else type
            raise Unsupported(
                f"`{text}` cannot differentiate in `{name}`, which is {what}",
                "It takes floating-point numbers and arrays: float(...), .astype(float).",
            )
        each = Value(type, getattr(leaf, "hint", None) or name)
        c.born[each] = c.depth
        stand_ins.append(each)
    holder[which] = rebuild(list(stand_ins))
    atoms = [c.latest(leaf) if isinstance(leaf, Value) else c.apply(named("constant"), [leaf]) for leaf in leaves]
    return _Stood(atoms, stand_ins, rebuild)


def _parameters(function: Any) -> list[str]:
    """The names of a function's positional parameters, where they are known."""
    if isinstance(function, Taken):
        return _parameters(function.function)
    if isinstance(function, Closure):
        return [arg.arg for arg in (*function.node.args.posonlyargs, *function.node.args.args)]
    if isinstance(function, types.FunctionType):
        return list(function.__code__.co_varnames[: function.__code__.co_argcount])
    owner = getattr(function, "__self__", function)
    return _parameters(getattr(owner, "function", None)) if hasattr(owner, "as_step") else []


def _check_structure(value: Any, name: str, text: str) -> None:
    """Numbers, arrays, and tuples, lists and dicts of them."""
    if isinstance(value, (tuple, ListValue, DictValue)) and getattr(value, "rows", None) is None:
        for item in value.items.values() if isinstance(value, DictValue) else sequence(value):
            _check_structure(item, name, text)
    elif not isinstance(value, (Value, Const)):
        raise Unsupported(
            f"`{text}` cannot differentiate in `{name}`, which holds {describe(value)}", "Pass the arrays in it."
        )


def _directions(c: Calls, stood: Sequence[_Stood], tangents: Sequence[Any], text: str) -> list[Any]:
    """The tangents' leaves, of the types of what they belong to."""
    found = []
    for each, tangent in zip(stood, tangents):
        if not same_structure(each.rebuild(list(each.leaves)), tangent):
            raise Unsupported(f"a tangent of `{text}` has another structure than its argument")
        for leaf, t in zip(each.leaves, flatten(tangent)[0]):
            t = c.latest(t) if isinstance(t, Value) else c.apply(named("constant"), [Const(float(t.value))])
            if not c.agree(t.type.axes, leaf.type.axes) or t.type.dtype != leaf.type.dtype:
                raise Unsupported(f"a tangent of `{text}` is {t.type}, its argument is {leaf.type}", _SAME)
            found.append(t)
    return found


def _handed_out(c: Calls, leaf: Any, text: str) -> Any:
    """A result of the function that is differentiated, as it is at its end."""
    if c.is_array(leaf) and not c.bases(leaf) <= c.fresh:
        raise Unsupported(f"what `{text}` differentiates returns memory that it was given", "Return a copy of it.")
    return c.latest(leaf)


def _check_value(leaves: Sequence[Any], value: Any, mode: str, text: str) -> None:
    types_ = [leaf.type for leaf in leaves]
    real = all(isinstance(type, Array) and type.dtype.kind == "f" for type in types_)
    if mode == "jvp":
        if not (real and types_):
            raise Unsupported(f"what `{text}` differentiates returns something else than real numbers and arrays")
    elif not is_number(value) or not real or value.type.ndim:
        raise Unsupported(
            f"what `{text}` differentiates returns {describe(value)}, not a real number, so it has no gradient",
            "Reduce it to one number (np.sum, an index), or use `jvp`.",
        )


def _derived(
    c: Calls, ops: Ops, atoms: list[Any], count: int, stood: Sequence[_Stood], directions: list[Any] | None
) -> list[Any]:
    """The function's results, and after them the gradients or tangents; their ops are appended."""
    wrt = [value for each in stood for value in each.stand_ins]
    known = dict(zip(wrt, (leaf for each in stood for leaf in each.leaves)))
    tangents = None if directions is None else [Value(t.type, f"t_{v.hint}") for t, v in zip(directions, wrt)]
    known.update(zip(tangents or (), directions or ()))
    body = c.derive(Region((), tuple(ops), tuple(atoms)), count, wrt, tangents, c.facts)
    c.builder.ops += [substitute(op, known) for op in body.ops]
    results: list[Any] = [renamed(atom, known) for atom in body.results]
    for atom in results:
        if isinstance(atom, Value):
            c.born[atom] = c.depth
            c.named_at.setdefault(atom, c.frame.level + 1)  # the user's name for it comes before `d_x`
            c.exact.pop(atom, None)
            if isinstance(atom.type, Array) and atom.type.ndim:
                c.fresh.add(atom)
    return results


def _split(taken: Taken, result: Any, text: str) -> tuple[Any, Any]:
    if not taken.aux:
        return result, None
    if not isinstance(result, tuple) or len(result) != 2:
        raise Unsupported(f"with has_aux=True, what `{text}` differentiates must return a pair, (value, aux)")
    return result

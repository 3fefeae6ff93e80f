"""One derivative of a function in IR: which results and which parameters it is about, and what it returns.

The transforms see numbered results and values; here is what these mean to a user: the loss, the auxiliary data beside
it, gradients with their parameters' structure, tangents with that of the result.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .between import settled
from .errors import CompileError, Fault, GradTypeError
from .ir.calls import CALL, Procedure, procedure_of
from .ir.dims import ONE, Facts, Symbol, as_dim
from .ir.nodes import Atom, Function, Kept, Param, Rebuilt, Slot, Value, walk
from .ir.types import Array, Opaque
from .request import Step
from .runtime.signature import ArraySpec, NumberSpec, Path, Spec, differentiated, inside, leaf_name, path_text
from .structure import gradient_structure
from .transform.calls import Pair
from .transform.forward import push_forward
from .transform.reverse import Differentiated, differentiate

Specs = Mapping[str, Spec]
_SUFFIX = {"grad": "_grad", "value_and_grad": "_value_and_grad", "jvp": "_jvp", "tangent": "_jvp"}


@dataclass(frozen=True)
class Derived:
    """The function's derivative, and for a "split" or "vjp" step the cotangents of its value, which are parameters."""

    function: Function
    seeds: tuple[Value, ...] = ()
    pairs: tuple[Pair, ...] = ()  # the halves of the functions that it calls
    pushed: tuple[Procedure, ...] = ()  # their tangent functions
    tangents: tuple[Value, ...] = ()  # parameters that are directions
    results: tuple[int, ...] = ()  # the results that are derivatives


def derive(function: Function, step: Step, specs: Specs, facts: Facts, name: str) -> Derived:
    """The function that one step makes of another; `name` is the user's for it, in errors.

    Raises GradTypeError where a result or a parameter is of the wrong type for it, CompileError with every fault found.
    """
    if _holds_objects(function.result) and not step.forward_mode:
        raise GradTypeError(f"{name} holds objects, and cannot be differentiated again. Pass the arrays in them.")
    if step.mode == "value":
        return Derived(replace(function, name=f"{function.name}_value"))
    function = _with_leaves(settled(function), step, specs)
    if step.forward_mode:
        return _forward(function, step, specs, facts, name)
    value, aux = _value_and_aux(function, step, name)
    numbers = list(slots(value))
    if step.mode in ("grad", "value_and_grad"):
        check_scalar(function, value, name, step.holomorphic)
    wrt = _leaves(function, step, specs, name)
    seeds: tuple[Value, ...] = ()
    if step.mode in ("split", "vjp"):
        check_floating(function, value, name, single=step.mode == "split")
        function, seeds = _with_seeds(function, numbers)
    made = differentiate(function, numbers, wrt, facts, seeds)
    joint = checked(made)
    return Derived(_reverse_results(joint, step, specs, value, aux, wrt), seeds, made.pairs)


def checked(made: Differentiated) -> Function:
    if made.faults:
        raise CompileError(made.faults)
    return made.function


# What is returned


def slots(template: Any) -> Iterator[int]:
    """The numbers of the results in a structure, in its order."""
    if isinstance(template, Slot):
        yield template.number
    elif isinstance(template, dict):
        for item in template.values():
            yield from slots(item)
    elif isinstance(template, (tuple, list)):
        for item in template:
            yield from slots(item)
    elif isinstance(template, Rebuilt):
        for _, item in template.items:
            yield from slots(item)


def _sources(template: Any) -> Iterator[int]:
    """The numbers of the objects that are copied into a structure."""
    if isinstance(template, (Kept, Rebuilt)):
        yield template.source.number
    items = dict(template.items) if isinstance(template, Rebuilt) else template
    if isinstance(items, (dict, tuple, list)):
        for item in items.values() if isinstance(items, dict) else items:
            yield from _sources(item)


def renumbered(template: Any, numbers: Iterator[int], sources: Mapping[int, int]) -> Any:
    """The structure with other numbers, in its order; `sources` are those of the objects that are copied."""
    if isinstance(template, Slot):
        return Slot(next(numbers))
    if isinstance(template, dict):
        return {key: renumbered(item, numbers, sources) for key, item in template.items()}
    if isinstance(template, (tuple, list)):
        return type(template)(renumbered(item, numbers, sources) for item in template)
    if isinstance(template, (Kept, Rebuilt)):
        template = replace(template, source=Slot(sources[template.source.number]))
    if isinstance(template, Rebuilt):
        items = tuple((name, renumbered(item, numbers, sources)) for name, item in template.items)
        return replace(template, items=items)
    return template


class _Results:
    """Collects a function's results, and which of them are gradients: fresh arrays, 0-d ones where that is due."""

    def __init__(self, function: Function):
        self.function = function
        self.atoms: list[Atom] = []
        self.fresh: list[int] = []
        self.zero_d: list[int] = []
        self.called: dict[int, str] = {}  # what a copy of a gradient is named after
        self.sources: list[Param] = []

    def keep(self, template: Any) -> Any:
        """Results of the function as they are."""
        return self._add(template, [self.function.body.results[k] for k in slots(template)], list(slots(template)))

    def tangents(self, template: Any, atoms: Sequence[Atom]) -> Any:
        """Tangents of results, structured alike."""
        self.fresh += range(len(self.atoms), len(self.atoms) + len(atoms))
        return self._add(template, atoms, list(slots(template)))

    def gradients(self, step: Step, specs: Specs, atoms: Sequence[Atom], wrt: Sequence[Value]) -> Any:
        """Gradients with their parameters' structure; of an object, the object that they are put into a copy of."""
        first = len(self.atoms)
        structure = gradient_structure(step, specs, first)
        sources = [Param(Value(Opaque(), source), source) for source in structure.sources]
        self.fresh += range(first, first + len(atoms))
        self.zero_d += structure.zero_d
        self.called |= {first + k: f"d_{leaf.hint}" for k, leaf in enumerate(wrt) if leaf.hint}
        self.atoms += [*atoms, *(each.value for each in sources)]
        self.sources += sources
        return structure.template

    def _add(self, template: Any, atoms: Sequence[Atom], numbers: Sequence[int]) -> Any:
        first, notes = len(self.atoms), self.function.notes
        self.fresh += [first + k for k, number in enumerate(numbers) if number in notes.get("gradients", ())]
        self.zero_d += [first + k for k, number in enumerate(numbers) if number in notes.get("zero_d", ())]
        sources = list(dict.fromkeys(_sources(template)))
        self.atoms += [*atoms, *(self.function.body.results[number] for number in sources)]
        behind = first + len(atoms)
        return renumbered(template, iter(range(first, behind)), dict(zip(sources, range(behind, len(self.atoms)))))

    def finished(self, joint: Function, template: Any, name: str, values: int = 0) -> Function:
        numbers = {"gradients": sorted({*self.fresh}), "zero_d": self.zero_d, "called": self.called}
        notes = {**joint.notes, **numbers, "values": values}
        body = replace(joint.body, results=tuple(self.atoms))
        params = (*joint.params, *self.sources)
        return replace(joint, name=name, params=params, body=body, result=template, notes=notes)


def _reverse_results(joint: Function, step: Step, specs: Specs, value: Any, aux: Any, wrt: Sequence[Value]) -> Function:
    """(value, gradients) or the gradients alone; auxiliary data stands beside the value, or after the gradients."""
    results = _Results(joint)
    before = len(joint.body.results) - len(wrt)
    with_value = step.mode != "grad"
    if with_value:
        _name_value(joint, value)
        kept = results.keep(value)
        kept = (kept, results.keep(aux[0])) if aux else kept
    values = len(results.atoms)
    made = results.gradients(step, specs, joint.body.results[before:], wrt)
    if with_value:
        template = (kept, made)
    else:
        template = (made, results.keep(aux[0])) if aux else made
    return results.finished(joint, template, joint.name + _SUFFIX.get(step.mode, ""), values)


def _name_value(function: Function, value: Any) -> None:
    atom = function.body.results[value.number] if isinstance(value, Slot) else None
    if isinstance(atom, Value) and atom.hint is None:
        atom.hint = "value"


def _value_and_aux(function: Function, step: Step, name: str) -> tuple[Any, tuple[Any, ...]]:
    """The structure to differentiate, and that of the auxiliary data if there is any."""
    if not step.aux:
        return function.result, ()
    if not isinstance(function.result, tuple) or len(function.result) != 2:
        found = _kind_of(function.result, function)
        raise GradTypeError(f"`{name}` returns {found}; with has_aux=True it must return a pair, (value, aux)")
    value, aux = function.result
    return value, (aux,)


def _kind_of(template: Any, function: Function) -> str:
    if isinstance(template, Slot):
        return str(function.body.results[template.number].type)
    return "None" if template is None else f"a {type(template).__name__}"


def check_scalar(function: Function, value: Any, name: str, holomorphic: bool = False) -> None:
    """The result to differentiate must be one real number, or a complex one if it is analytic."""
    hint = "Reduce it to one number (np.sum, an index), or use `vjp`, which takes a cotangent of the result's shape."
    if not isinstance(value, Slot):
        if isinstance(value, tuple) and len(value) == 2:
            hint += " If it is a pair, (loss, something else), say has_aux=True."
        raise GradTypeError(
            f"`{name}` returns {_kind_of(value, function)}, not a real number, so it has no gradient. {hint}"
        )
    type = function.body.results[value.number].type
    assert isinstance(type, Array)
    if type.ndim:
        shape = ", ".join(map(str, type.axes))
        hint = hint.replace("or use `vjp`", "or use `jacobian`, or `vjp`")
        raise GradTypeError(f"`{name}` returns an array of shape ({shape}), not a real number. {hint}")
    if type.dtype.kind == "c" and not holomorphic:
        raise GradTypeError(
            f"`{name}` returns {type.dtype}, not a real number. Take a real number of it (np.real, np.abs), or, "
            "of an analytic function, ask for its complex derivative: grad(..., holomorphic=True)."
        )
    if type.dtype.kind not in "fc":
        raise GradTypeError(f"`{name}` returns {type.dtype}, not a real floating-point number. {hint}")
    if type.dtype.kind != "c" and holomorphic:
        raise GradTypeError(f"`{name}` returns a real number, so it is not differentiated with holomorphic=True.")


def check_floating(function: Function, value: Any, name: str, single: bool = False) -> None:
    """Every leaf of the result must be of floating point, real or complex."""
    if single and not isinstance(value, Slot):
        raise GradTypeError(
            f"`{name}` returns {_kind_of(value, function)}, not one real number or array. Return the loss alone, use "
            "has_aux=True for (loss, something else), or `vjp` for several arrays."
        )
    if not list(slots(value)):
        raise GradTypeError(f"`{name}` returns {_kind_of(value, function)}, which has no derivative.")
    for number in slots(value):
        type = function.body.results[number].type
        if not isinstance(type, Array) or type.dtype.kind not in "fc":
            what = type.dtype if isinstance(type, Array) else type
            raise GradTypeError(
                f"`{name}` returns {what}, not a real floating-point number or array. Return it beside the value, as "
                "(value, aux) with has_aux=True."
            )


# Forward mode


def _forward(function: Function, step: Step, specs: Specs, facts: Facts, name: str) -> Derived:
    value, aux = _value_and_aux(function, step, name)
    check_floating(function, value, name)
    wrt = _leaves(function, step, specs, name)
    params = _tangent_params(function, step, specs)
    numbers = list(slots(value))
    if step.repeated:
        _check_pure(function, name)
    if step.mode == "jvp":
        _name_value(function, value)
    made = push_forward(function, numbers, wrt, [p.value for p in params], facts)
    joint = checked(made)
    before = len(joint.body.results) - len(numbers)
    results = _Results(function)
    template: Any = ()
    if step.mode == "jvp":
        template = (results.keep(value),)
    template = (*template, results.tangents(value, joint.body.results[before:]))
    pushed_results = list(slots(template[-1]))
    if aux:
        template = (*template, results.keep(aux[0]))
    structure = template[0] if len(template) == 1 else template
    suffix = "_hvp" if step.mode == "tangent" and function.name.endswith("_grad") else _SUFFIX[step.mode]
    stem = function.name.removesuffix("_grad") if suffix == "_hvp" else function.name
    joint = replace(joint, params=(*joint.params, *params))
    finished = results.finished(joint, structure, stem + suffix)
    return Derived(finished, (), (), made.pushed, tuple(p.value for p in params), tuple(pushed_results))


def _check_pure(function: Function, name: str) -> None:
    """What runs once for each direction may print and draw nothing."""
    for op in walk(function.body.ops):
        if op.prim.kind == "impure" or (op.prim is CALL and procedure_of(op).impure):
            message = f"the columns of a Jacobian are computed one by one, and `{name}` would do this for each"
            raise CompileError([Fault(op.origin, message, "Use `jacrev`, which calls the function once.")])


def _tangent_params(function: Function, step: Step, specs: Specs) -> list[Param]:
    """One parameter for the tangent of each leaf in `wrt`, of the leaf's own type.

    The tangent of an argument that holds objects is a tuple of those of its leaves, in order.
    """
    params: list[Param] = []
    for (name, wanted), held in zip(step.wrt, step.tangents):
        paths = [path for path, _ in differentiated(specs[name], wanted)]
        flat = wanted is None and any(map(inside, paths))
        for number, path in enumerate(paths):
            value = _param(function, name, path)
            assert value is not None
            hint = held if not path else f"t_{value.hint}"
            params.append(Param(Value(value.type, hint), held, (number,) if flat else path if wanted is None else ()))
    return params


# Parameters


def _param(function: Function, name: str, path: Path) -> Value | None:
    return next((p.value for p in function.params if (p.name, p.path, p.capture) == (name, path, False)), None)


def _leaves(function: Function, step: Step, specs: Specs, name: str) -> list[Value]:
    """The leaves to differentiate, in order. Raises GradTypeError for what is no floating-point number."""
    values: list[Value] = []
    for argument, wanted in step.wrt:
        for path, spec in differentiated(specs[argument], wanted):
            if not (isinstance(spec, (ArraySpec, NumberSpec)) and spec.dtype.lstrip("<=>|")[0] in "fc"):
                raise GradTypeError(
                    f"`{name}` cannot be differentiated with respect to `{path_text(argument, path)}`, which is "
                    f"{_article(spec)}, not a floating-point number or array. Convert it with float(...) or "
                    ".astype(float), or leave it out of wrt."
                )
            if step.holomorphic and np.dtype(spec.dtype).kind != "c":
                raise GradTypeError(
                    f"`{name}` is not differentiated with respect to `{path_text(argument, path)}` with "
                    "holomorphic=True, because it is real. Pass a complex number or array."
                )
            value = _param(function, argument, path)
            assert value is not None
            values.append(value)
    return values


def _with_leaves(function: Function, step: Step, specs: Specs) -> Function:
    """The function with a parameter for each leaf to differentiate, also for attributes that it does not read."""
    new = []
    for name, wanted in step.wrt:
        for path, spec in differentiated(specs[name], wanted):
            if _param(function, name, path) is None and isinstance(spec, (ArraySpec, NumberSpec)):
                text = path_text(name, path)
                ones = spec.ones if isinstance(spec, ArraySpec) else ()
                axes = tuple(ONE if one else as_dim(Symbol(f"{text}.shape[{i}]")) for i, one in enumerate(ones))
                type = Array(np.dtype(spec.dtype), axes, weak=isinstance(spec, NumberSpec) and spec.python)
                new.append(Param(Value(type, leaf_name(name, path)), name, path))
    return replace(function, params=(*function.params, *new))


def _holds_objects(template: Any) -> bool:
    if isinstance(template, (Rebuilt, Kept)):
        return True
    items = template.values() if isinstance(template, dict) else template
    return isinstance(template, (dict, tuple, list)) and any(map(_holds_objects, items))


def _article(spec: Spec) -> str:
    text = str(spec)
    return f"an array of {text}" if isinstance(spec, ArraySpec) else f"of type {text}"


def _with_seeds(function: Function, numbers: Sequence[int]) -> tuple[Function, tuple[Value, ...]]:
    """The function with further parameters: the cotangents of its value."""
    taken = {p.name for p in function.params}
    seeds = []
    for number in numbers:
        result = function.body.results[number]
        hint = f"d_{getattr(result, 'hint', None) or 'value'}"
        while hint in taken:
            hint += "_"
        taken.add(hint)
        seeds.append(Value(result.type, hint))
    params = (*function.params, *(Param(seed, seed.hint or "d_value") for seed in seeds))
    return replace(function, params=params), tuple(seeds)

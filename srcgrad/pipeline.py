"""The whole compiler on one screen: a function and a signature in, source text out.

    lower -> differentiate -> simplify -> economise -> own -> emit

Every stage takes IR and gives IR; `verify` runs between all of them under SRCGRAD_CHECK=1 and in the tests.
SRCGRAD_DUMP=lower,reverse,... prints the IR after a stage, SRCGRAD_DUMP=all after each.
"""

from __future__ import annotations

import os
import sys
import time
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from . import rules  # noqa: F401  (importing it registers every derivative)
from .emit import Emitted, emit
from .errors import CompileError, Fault, GradTypeError
from .frontend import Lowered, lower
from .ir.dims import Facts
from .ir.nodes import Const, Function, Slot, Value
from .ir.printing import to_text
from .ir.types import Array
from .ir.verify import verify
from .optimize.dead import eliminate_dead
from .optimize.fresh import own_results
from .optimize.simplify import simplify
from .optimize.store import economise
from .runtime.signature import Spec
from .transform.reverse import differentiate
from .transform.split import split


@dataclass(frozen=True)
class Request:
    """What to compile: `mode` is grad, value_and_grad, vjp or split; `wrt` are argument names."""

    function: types.FunctionType
    specs: Mapping[str, Spec]
    wrt: tuple[str, ...]
    mode: str = "grad"
    single: bool = True
    signature: tuple[tuple[str, str, str | None], ...] = ()
    optimize: bool = True


@dataclass
class Compiled:
    """The emitted functions (one, or the forward and backward half), and what they assume."""

    emitted: tuple[Emitted, ...]
    lowered: Lowered
    facts: Facts
    stages: dict[str, Function] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


class Trace:
    """Runs stages: times them, keeps their IR, verifies and dumps it when asked to."""

    def __init__(self) -> None:
        self.stages: dict[str, Function] = {}
        self.seconds: dict[str, float] = {}
        self.check = os.environ.get("SRCGRAD_CHECK", "") not in ("", "0")
        self.dump = os.environ.get("SRCGRAD_DUMP", "").split(",")

    def run(self, name: str, stage: Callable[[], Any], facts: Facts | None = None) -> Any:
        start = time.perf_counter()
        result = stage()
        self.seconds[name] = time.perf_counter() - start
        function = result if isinstance(result, Function) else getattr(result, "function", None)
        known = facts if facts is not None else getattr(result, "facts", None)
        if isinstance(function, Function) and known is not None:
            self.stages[name] = function
            if self.check:
                verify(function, known, name)
            if name in self.dump or "all" in self.dump:
                print(f"# after {name}\n{to_text(function)}\n", file=sys.stderr)
        return result


def compile_function(request: Request, example: Mapping[str, Any]) -> Compiled:
    """Source text for one request. Raises CompileError with every fault found, each at its place."""
    trace = Trace()
    lowered: Lowered = trace.run("lower", lambda: lower(request.function, request.specs, example))
    facts = lowered.facts
    function = replace(lowered.function, notes={"signature": request.signature})
    loss = _loss(function, request)
    wrt = _wrt_leaves(function, request)
    if request.mode in ("split", "vjp"):
        function, seed = _with_seed(function, loss)
    else:
        seed = None
    joint = trace.run("reverse", lambda: differentiate(function, loss, [v for v, _ in wrt], facts, seed), facts)
    if joint.faults:
        raise CompileError(joint.faults)
    structure = _gradient_structure(function, request, len(function.body.results))
    parts = _assemble(joint.function, request, structure, loss, seed)
    emitted = []
    for number, part in enumerate(parts):
        label = f"{number}:" if len(parts) > 1 else ""
        for name, stage in _OPTIMISE:
            if request.optimize or name in ("own",):
                part = trace.run(label + name, lambda stage=stage, part=part: stage(part, facts), facts)
        emitted.append(trace.run(label + "emit", lambda part=part: emit(part, facts)))
    return Compiled(tuple(emitted), lowered, facts, trace.stages, trace.seconds)


def _dead(function: Function, facts: Facts) -> Function:
    return eliminate_dead(function)


def _own(function: Function, facts: Facts) -> Function:
    return own_results(function, facts, function.notes.get("gradients", ()))


_OPTIMISE: Sequence[tuple[str, Callable[[Function, Facts], Function]]] = (
    ("dead", _dead),
    ("simplify", simplify),
    ("swept", _dead),
    ("economise", economise),
    ("resimplify", simplify),
    ("reswept", _dead),
    ("own", _own),
)


def _loss(function: Function, request: Request) -> int:
    """The number of the result to differentiate: it must be one real scalar."""
    name = request.function.__qualname__
    hint = "Sum or index it, or use `vjp`, which takes a cotangent of the result's shape."
    if not isinstance(function.result, Slot):
        kind = "None" if function.result is None else f"a {type(function.result).__name__}"
        raise GradTypeError(f"`{name}` returns {kind}, not a scalar, so it has no gradient. {hint}")
    result = function.body.results[function.result.number]
    assert isinstance(result.type, Array)
    if result.type.ndim and request.mode not in ("vjp", "split"):
        shape = ", ".join(map(str, result.type.axes))
        raise GradTypeError(f"`{name}` returns an array of shape ({shape}), not a scalar. {hint}")
    if result.type.dtype.kind != "f":
        raise GradTypeError(f"`{name}` returns {result.type.dtype}, not a real floating-point number. {hint}")
    return function.result.number


def _wrt_leaves(function: Function, request: Request) -> list[tuple[Value, str]]:
    """The leaves to differentiate, in order."""
    leaves = []
    for name in request.wrt:
        for param in function.params:
            if param.name == name and not param.capture:
                leaves.append((param.value, name))
    return leaves


def _with_seed(function: Function, loss: int) -> tuple[Function, Value]:
    from .ir.nodes import Param

    result = function.body.results[loss]
    hint = f"d_{getattr(result, 'hint', None) or 'result'}"
    taken = {p.name for p in function.params}
    while hint in taken:
        hint += "_"
    seed = Value(result.type, hint)
    return replace(function, params=(*function.params, Param(seed, hint))), seed


def _gradient_structure(function: Function, request: Request, first: int) -> Any:
    """The gradients as returned: each parameter's own structure, in a tuple if there are several."""
    counter = [first]

    def of(spec: Any) -> Any:
        from .runtime.signature import DictSpec, SequenceSpec

        if isinstance(spec, SequenceSpec):
            items = [of(item) for item in spec.items]
            return tuple(items) if spec.type is tuple else items
        if isinstance(spec, DictSpec):
            return {key: of(item) for key, item in zip(spec.keys, spec.items)}
        counter[0] += 1
        return Slot(counter[0] - 1)

    gradients = tuple(of(request.specs[name]) for name in request.wrt)
    return gradients[0] if request.single else gradients


def _assemble(
    joint: Function, request: Request, gradients: Any, loss: int, seed: Value | None
) -> tuple[Function, ...]:
    """Name the function or functions, and say what they return."""
    name = request.function.__name__
    name = name if name.isidentifier() else "function"
    count = len(joint.body.results)
    numbers = [k for k in range(count) if k > loss]
    if request.mode == "grad":
        return (_keep(joint, f"{name}_grad", gradients, numbers),)
    value = joint.body.results[loss]
    if isinstance(value, Value) and value.hint is None:
        value.hint = "value"
    if request.mode == "value_and_grad":
        return (_keep(joint, f"{name}_value_and_grad", (Slot(loss), gradients), [loss, *numbers]),)
    assert seed is not None
    if request.mode == "vjp":
        return (_keep(joint, f"{name}_vjp", (Slot(loss), gradients), [loss, *numbers]),)
    prepared = _keep(joint, name, (Slot(loss), gradients), [loss, *numbers])
    return split(prepared, seed, name)


def _keep(function: Function, name: str, template: Any, numbers: Sequence[int]) -> Function:
    """Only the results that the template names, renumbered."""
    order = {old: new for new, old in enumerate(numbers)}

    def renumber(part: Any) -> Any:
        if isinstance(part, Slot):
            return Slot(order[part.number])
        if isinstance(part, dict):
            return {key: renumber(item) for key, item in part.items()}
        if isinstance(part, (tuple, list)):
            return type(part)(renumber(item) for item in part)
        return part

    results = tuple(function.body.results[k] for k in numbers)
    body = replace(function.body, results=results)
    notes = {**function.notes, "gradients": [order[k] for k in numbers if k != numbers[0] or "grad" == name[-4:]]}
    return replace(function, name=name, body=body, result=renumber(template), notes=notes)


__all__ = ["Compiled", "Const", "Fault", "Request", "compile_function"]

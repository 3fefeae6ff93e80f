"""The whole compiler on one screen: a function and a signature in, source text out.

    lower -> reverse -> simplify -> fuse -> economise -> (split) -> own -> emit

Every stage takes IR and gives IR; `verify` runs between all of them under SRCGRAD_CHECK=1 and in the tests.
SRCGRAD_DUMP=lower,reverse,... prints the IR after a stage, SRCGRAD_DUMP=all after each.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from . import rules  # noqa: F401  (importing it registers every derivative)
from .emit import Emitted, emit
from .errors import CompileError, GradTypeError
from .frontend import Lowered, lower
from .ir.calls import Procedure, called, name_procedures, reachable
from .ir.dims import ONE, Facts, Symbol, as_dim
from .ir.nodes import Const, Function, Param, Slot, Value
from .ir.printing import to_text
from .ir.types import Array, Opaque
from .ir.verify import verify
from .optimize.calls import settle_calls
from .optimize.dead import eliminate_dead
from .optimize.fresh import own_results
from .optimize.fuse import fuse_branches
from .optimize.simplify import simplify
from .optimize.store import copy_recorded_views, drive_by_tapes, economise, group_recordings
from .request import Request
from .runtime.signature import ArraySpec, NumberSpec, Spec, differentiated, leaf_name, path_text
from .structure import gradient_structure
from .transform.calls import Pair, in_order
from .transform.reverse import differentiate
from .transform.split import split, split_pair


@dataclass
class Compiled:
    """The emitted functions (one, or the forward and the backward half), and what they assume."""

    emitted: tuple[Emitted, ...]
    lowered: Lowered
    facts: Facts
    stages: dict[str, Function] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


Stage = Callable[[Function, Facts], Function]


def _sweep(function: Function, facts: Facts) -> Function:
    return eliminate_dead(function)


def _own(function: Function, facts: Facts) -> Function:
    """Results that are fresh arrays; the ops that this leaves without a reader go."""
    notes = function.notes
    return eliminate_dead(own_results(function, facts, notes.get("gradients", ()), notes.get("zero_d", ())))


OPTIMIZE: Sequence[tuple[str, Stage]] = (
    ("sweep", _sweep),
    ("simplify", simplify),
    ("sweep", _sweep),
    ("fuse", fuse_branches),
    ("economise", economise),
    ("simplify", simplify),
    ("sweep", _sweep),  # a recording that nothing reads drives no loop
    ("drive", drive_by_tapes),
    ("sweep", _sweep),
    ("copy", copy_recorded_views),
    ("group", group_recordings),
)


def compile_function(request: Request, example: Mapping[str, Any]) -> Compiled:
    """Source text for one request. Raises CompileError with every fault found, each at its place."""
    trace = Trace()
    lowered: Lowered = trace.run("lower", lambda: lower(request.function, request.specs, example, procedures=True))
    facts = lowered.facts
    function = replace(lowered.function, notes={**lowered.function.notes, "signature": request.signature})
    loss = _loss(function, request)
    function = _with_leaves(function, request)
    wrt = _wrt_leaves(function, request)
    seed = None
    if request.mode == "split":
        function, seed = _with_seed(function, loss)
    joint = trace.run("reverse", lambda: differentiate(function, loss, wrt, facts, seed), facts)
    if joint.faults:
        raise CompileError(joint.faults)
    light = _split_pairs(joint.pairs, request, trace)
    whole = _optimized(_assemble(joint.function, request, loss), facts, request.mode == "split", light, request, trace)
    parts: tuple[Function, ...] = (whole,)
    if seed is not None:
        parts = trace.run("split", lambda: split(whole, seed, facts, _identifier(request)), facts)
    emitted = []
    name_procedures(parts)
    for part in parts:
        part = trace.run("own", partial(_own, part, facts), facts)
        helpers = [
            (trace.run("own", partial(_own, p.function, p.facts), p.facts), p.facts) for p in reachable(part.body.ops)
        ]
        emitted.append(trace.run("emit", partial(emit, part, facts, helpers)))
    return Compiled(tuple(emitted), lowered, facts, trace.stages, trace.seconds)


def _split_pairs(pairs: Sequence[Pair], request: Request, trace: Trace) -> set[Procedure]:
    """The forward and backward halves of all procedures; the backward ones that need nothing of the forward ones."""
    light: set[Procedure] = set()
    for pair in in_order(pairs):
        assert pair.joint is not None
        facts = pair.forward.facts
        pair.joint = _optimized(pair.joint, facts, True, light, request, trace)
        trace.run("split", partial(split_pair, pair, facts))
        if not pair.saves and pair.backward not in set(called(pair.joint.body.ops)):
            light.add(pair.backward)
    return light


def _optimized(
    function: Function, facts: Facts, halves: bool, light: set[Procedure], request: Request, trace: Trace
) -> Function:
    """The joint function simplified; `halves` tells that its sweeps will go to different functions."""
    function = trace.run("settle", lambda: settle_calls(function, light), facts)
    for name, stage in OPTIMIZE if request.optimize else ():
        if not (name == "fuse" and halves):
            function = trace.run(name, partial(stage, function, facts), facts)
    return function


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
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start
        function = result if isinstance(result, Function) else getattr(result, "function", None)
        known = facts if facts is not None else getattr(result, "facts", None)
        if isinstance(function, Function) and known is not None:
            self.stages[name] = function
            if self.check:
                verify(function, known, name)
            if name in self.dump or "all" in self.dump:
                print(f"# after {name}\n{to_text(function)}\n", file=sys.stderr)
        return result


def _loss(function: Function, request: Request) -> int:
    """The number of the result to differentiate: one real number, an array for a split pair, complex if analytic."""
    name = request.function.__qualname__
    hint = "Reduce it to one number (np.sum, an index), or use `vjp`, which takes a cotangent of the result's shape."
    if not isinstance(function.result, Slot):
        kind = "None" if function.result is None else f"a {type(function.result).__name__}"
        raise GradTypeError(f"`{name}` returns {kind}, not a real number, so it has no gradient. {hint}")
    result = function.body.results[function.result.number]
    assert isinstance(result.type, Array)
    if result.type.ndim and request.mode != "split":
        shape = ", ".join(map(str, result.type.axes))
        raise GradTypeError(f"`{name}` returns an array of shape ({shape}), not a real number. {hint}")
    kind = result.type.dtype.kind
    if kind == "c" and request.mode != "split" and not request.holomorphic:
        raise GradTypeError(
            f"`{name}` returns {result.type.dtype}, not a real number. Take a real number of it (np.real, np.abs), or, "
            "of an analytic function, ask for its complex derivative: grad(..., holomorphic=True)."
        )
    if kind not in "fc":
        raise GradTypeError(f"`{name}` returns {result.type.dtype}, not a real floating-point number. {hint}")
    if kind != "c" and request.holomorphic:
        raise GradTypeError(f"`{name}` returns a real number, so it is not differentiated with holomorphic=True.")
    return function.result.number


def _wrt_leaves(function: Function, request: Request) -> list[Value]:
    """The leaves to differentiate, in order. Raises GradTypeError for what is no floating-point number."""
    values: list[Value] = []
    for name, path in request.wrt:
        for leaf_path, spec in differentiated(request.specs[name], path):
            text = path_text(name, leaf_path)
            if not (isinstance(spec, (ArraySpec, NumberSpec)) and spec.dtype.lstrip("<=>|")[0] in "fc"):
                raise GradTypeError(
                    f"`{request.function.__qualname__}` cannot be differentiated with respect to `{text}`, which is "
                    f"{_article(spec)}, not a floating-point number or array. Convert it with float(...) or "
                    ".astype(float), or leave it out of wrt."
                )
            if request.holomorphic and np.dtype(spec.dtype).kind != "c":
                raise GradTypeError(
                    f"`{request.function.__qualname__}` is not differentiated with respect to `{text}` with "
                    "holomorphic=True, because it is real. Pass a complex number or array."
                )
            places = {(p.name, p.path): p.value for p in function.params if not p.capture}
            values.append(places[name, leaf_path])
    return values


def _with_leaves(function: Function, request: Request) -> Function:
    """The function with a parameter for each leaf to differentiate, also for attributes that it does not read."""
    known = {(p.name, p.path) for p in function.params if not p.capture}
    new = []
    for name, path in request.wrt:
        for leaf_path, spec in differentiated(request.specs[name], path):
            if (name, leaf_path) not in known and isinstance(spec, (ArraySpec, NumberSpec)):
                text = path_text(name, leaf_path)
                ones = spec.ones if isinstance(spec, ArraySpec) else ()
                axes = tuple(ONE if one else as_dim(Symbol(f"{text}.shape[{i}]")) for i, one in enumerate(ones))
                type = Array(np.dtype(spec.dtype), axes, weak=isinstance(spec, NumberSpec) and spec.python)
                new.append(Param(Value(type, leaf_name(name, leaf_path)), name, leaf_path))
    return replace(function, params=(*function.params, *new))


def _article(spec: Spec) -> str:
    text = str(spec)
    return f"an array of {text}" if isinstance(spec, ArraySpec) else f"of type {text}"


def _with_seed(function: Function, loss: int) -> tuple[Function, Value]:
    """The function with one more parameter: the cotangent of its result."""
    result = function.body.results[loss]
    hint = f"d_{getattr(result, 'hint', None) or 'value'}"
    taken = {p.name for p in function.params}
    while hint in taken:
        hint += "_"
    seed = Value(result.type, hint)
    return replace(function, params=(*function.params, Param(seed, hint))), seed


def _assemble(joint: Function, request: Request, loss: int) -> Function:
    """Name the function, and say what it returns: the gradients, after the value where that is asked for."""
    before = len(joint.body.results) - _count(request)
    gradients = joint.body.results[before:]
    with_value = request.mode != "grad"
    value = joint.body.results[loss]
    if with_value and isinstance(value, Value) and value.hint is None:
        value.hint = "value"
    results = (value, *gradients) if with_value else gradients
    numbers = list(range(1 if with_value else 0, len(results)))
    structure = gradient_structure(request, 1 if with_value else 0)
    sources = tuple(Param(Value(Opaque(), source), source) for source in structure.sources)
    results = (*results, *(each.value for each in sources))
    template = (Slot(0), structure.template) if with_value else structure.template
    name = {"grad": "_grad", "value_and_grad": "_value_and_grad"}.get(request.mode, "")
    notes = {**joint.notes, "gradients": numbers, "zero_d": structure.zero_d}
    return replace(
        joint,
        name=_identifier(request) + name,
        params=(*joint.params, *sources),
        body=replace(joint.body, results=tuple(results)),
        result=template,
        notes=notes,
    )


def _count(request: Request) -> int:
    return sum(len(differentiated(request.specs[name], path)) for name, path in request.wrt)


def _identifier(request: Request) -> str:
    name = request.function.__name__
    return name if name.isidentifier() else "function"


__all__ = ["Compiled", "Const", "Request", "Trace", "compile_function"]

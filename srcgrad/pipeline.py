"""The whole compiler on one screen: a function and a signature in, source text out.

    lower -> (derive -> simplify)* -> derive -> simplify -> fuse -> economise -> (split) -> own -> emit

Every stage takes IR and gives IR; `verify` runs between all of them under SRCGRAD_CHECK=1 and in the tests.
SRCGRAD_DUMP=lower,reverse,... prints the IR after a stage, SRCGRAD_DUMP=all after each.
"""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from . import rules  # noqa: F401  (importing it registers every derivative)
from .between import between, simplified
from .derive import Derived, derive
from .emit import Emitted, emit
from .emit.statements import Statement
from .errors import NOWHERE, CompileError, Fault, InternalError, Origin, SrcgradError, Unsupported
from .frontend import Lowered, lower
from .ir.builder import Builder
from .ir.calls import called, name_procedures, reachable
from .ir.custom import expand, expand_procedures, without_parts
from .ir.dims import Facts
from .ir.nodes import Const, Function, Op, atoms_used
from .ir.printing import to_text
from .ir.types import Array, Opaque
from .ir.verify import verify
from .optimize.again import join_again
from .optimize.calls import Settled, drop_unread_results, replace_calls, settle_calls
from .optimize.dead import eliminate_dead
from .optimize.fresh import own_results
from .optimize.fuse import fuse_branches
from .optimize.lengths import divide_by_lengths
from .optimize.objects import pass_objects
from .optimize.simplify import simplify
from .optimize.store import copy_recorded_views, drive_by_tapes, economise, group_recordings
from .optimize.writes import merge_writes
from .place import place
from .request import Request, Step
from .runtime.captures import in_words
from .runtime.placement import placement
from .runtime.signature import ArraySpec, FunctionSpec, Spec, leaves, path_text
from .transform.batch import batch
from .transform.calls import Pair, in_order
from .transform.sharing import share_forward_halves
from .transform.split import split, split_pair
from .within import derivative_within


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
    ("writes", merge_writes),
    ("group", group_recordings),
    ("join", join_again),
)


def compile_function(request: Request, example: Mapping[str, Any]) -> Compiled:
    """Source text for one request. Raises CompileError with every fault found, each at its place."""
    try:
        return _compiled(request, example, apart=True)
    except CompileError:
        if not request.inner:
            raise
    # what a procedure saves cannot always be differentiated again; a helper that calls itself stays one, even here
    return _compiled(request, example, apart=False)


def _compiled(request: Request, example: Mapping[str, Any], apart: bool) -> Compiled:
    """The same with long helpers `apart`, as procedures, or read in place."""
    trace = Trace()
    specs = {name: request.specs[name] for name in request.own}
    order = len(request.inner) + 1
    lowered: Lowered = trace.run(
        "lower", lambda: lower(request.function, specs, example, apart, order, derivative_within)
    )
    facts, name = lowered.facts, request.function.__qualname__
    function = replace(
        lowered.function, name=_identifier(request), notes={**lowered.function.notes, "signature": request.signature}
    )
    if request.optimize:  # what nobody reads gets no cotangent
        function = drop_unread_results(eliminate_dead(function))
    for step in request.inner:
        function = trace.run(step.mode, partial(_inner, function, step, request.specs, facts, name), facts)
        name = f"the derivative of {name}"
    stage = "forward" if request.step.forward_mode else "reverse"
    facts.again = False
    if request.step.forward_mode:
        function = expand(function, facts, without_parts)
    made: Derived = trace.run(stage, lambda: derive(function, request.step, request.specs, facts, name), facts)
    made = trace.run("expand", lambda: _expanded(made, facts))
    if request.batched:
        made = _batched(made, facts, trace)
    settled = _split_pairs(made.pairs, request, trace)
    _optimize_derived(made, settled, request, trace)
    whole = _optimized(made.function, facts, bool(made.seeds), settled, request, trace)
    parts: tuple[Function, ...] = (whole,)
    if made.seeds:
        first, second = trace.run("split", lambda: split(whole, made.seeds, facts, whole.name), facts)
        parts = (first, replace(second, name=f"{whole.name}_rows") if whole.notes.get("batched") else second)
    parts, lowered = _without_unread(parts, lowered)
    parts = _placed(parts, lowered, request, trace)
    parts = trace.run("objects", partial(pass_objects, parts))
    emitted = []
    name_procedures(parts)
    for part in parts:
        part = trace.run("lengths", partial(divide_by_lengths, part, facts, True), facts)
        part = trace.run("own", partial(_own, part, facts), facts)
        helpers = []
        for each in reachable(part.body.ops):
            function = divide_by_lengths(each.function, each.facts, False)
            helpers.append((trace.run("own calls", partial(_own, function, each.facts), each.facts), each.facts))
        emitted.append(trace.run("emit", partial(emit, part, facts, helpers)))
    return Compiled(tuple(emitted), lowered, facts, trace.stages, trace.seconds)


def _placed(parts: tuple[Function, ...], lowered: Lowered, request: Request, trace: Trace) -> tuple[Function, ...]:
    """Where arrays are on a GPU, every value in its place."""
    named = {**request.specs, **{in_words(route): spec for route, (_, spec) in lowered.captures.items()}}
    if placement(request.function.__qualname__, named) == "numpy":
        return parts
    specs = {**request.specs, **dict(lowered.captures.values())}
    known = {path_text(name, path): leaf for name, spec in specs.items() for path, leaf in leaves(spec)}
    procedures = list(dict.fromkeys(p for part in parts for p in reachable(part.body.ops)))
    params = [p for part in parts for p in part.params if isinstance(p.value.type, Array)]
    zero_d = [p.value for p in params if isinstance(known.get(path_text(p.name, p.path)), ArraySpec)]
    placed: tuple[Function, ...] = trace.run("place", partial(place, parts, procedures, zero_d, lowered.facts))
    return placed


def _batched(made: Derived, facts: Facts, trace: Trace) -> Derived:
    """The derivative along several directions at once, if all that depends on them can be: its name says so."""
    count = made.function.notes["values"]
    directions = made.seeds or made.tangents
    results = made.results or range(count, len(made.function.body.results))
    whole = trace.run("simplify", lambda: simplified(made.function, facts), facts)
    try:
        whole = trace.run("batch", lambda: batch(whole, directions, results, facts))
    except CompileError:
        return made
    old = [param.value for param in made.function.params]
    seeds = tuple(whole.params[old.index(seed)].value for seed in made.seeds)
    kept = [k for k in whole.notes["zero_d"] if k not in results]
    name = whole.name if seeds else whole.name.removesuffix("_jvp") + "_columns"
    whole = replace(whole, name=name, notes={**whole.notes, "zero_d": kept, "batched": True})
    return replace(made, function=whole, seeds=seeds)


def _inner(function: Function, step: Step, specs: Mapping[str, Spec], facts: Facts, name: str) -> Function:
    """A derivative that is to be differentiated again, without what does not survive simplification."""
    if step.forward_mode:
        function = expand(function, facts, without_parts)
    made = derive(function, step, specs, facts, name)
    return between(made.function, made.pairs, made.pushed, facts)


def _without_unread(parts: tuple[Function, ...], lowered: Lowered) -> tuple[tuple[Function, ...], Lowered]:
    """Functions that were captured for a sweep that does not call them are no parameters."""
    read = {atom for op in parts[0].body.ops for atom in atoms_used(op)} | set(parts[0].body.results)
    unread = {p.name for p in parts[0].params if isinstance(p.value.type, Opaque) and p.capture and p.value not in read}
    unread &= {unique for unique, spec in lowered.captures.values() if isinstance(spec, FunctionSpec)}
    first = replace(parts[0], params=tuple(p for p in parts[0].params if p.name not in unread))
    captures = {route: each for route, each in lowered.captures.items() if each[0] not in unread}
    return (first, *parts[1:]), replace(lowered, captures=captures)


def _expanded(made: Derived, facts: Facts) -> Derived:
    """Every call with a derivative of its own as what it computes, in all functions of the derivative."""
    function, joints = expand(made.function, facts), []
    for pair in made.pairs:
        assert pair.joint is not None
        pair.joint = expand(pair.joint, pair.forward.facts)
        joints.append(pair.joint)
    expand_procedures([function, *joints], [pair.forward.plain for pair in made.pairs])
    return replace(made, function=function)


def _split_pairs(pairs: Sequence[Pair], request: Request, trace: Trace) -> Settled:
    """The forward and backward halves of all procedures; what is settled thereby of the calls of them."""
    settled, done = Settled(), list[Pair]()
    for pair in in_order(pairs):
        assert pair.joint is not None
        facts = pair.forward.facts
        pair.joint = _optimized(pair.joint, facts, True, settled, request, trace)
        trace.run("split", partial(split_pair, pair, facts))
        if not pair.saves and pair.backward not in set(called(pair.joint.body.ops)):
            settled.light.add(pair.backward)
        settled.instead.update(share_forward_halves(pair, done) if request.optimize else {})
        done.append(pair)
    for pair in done:  # which may have been split before it was known
        for half in (pair.forward, pair.backward):
            half.body = replace_calls(half.function, settled.instead)
    return settled


def _optimize_derived(made: Derived, settled: Settled, request: Request, trace: Trace) -> None:
    """Tangents, what solvers are given, and what earlier derivatives made that this one calls as it stands."""
    done = {half for pair in made.pairs for half in (pair.forward, pair.backward)}
    joints = [op for pair in made.pairs if pair.joint is not None for op in pair.joint.body.ops]
    for procedure in reachable([*made.function.body.ops, *joints]):
        if (procedure.kind != "plain" or not procedure.apart) and procedure not in done:
            procedure.body = _optimized(procedure.function, procedure.facts, False, settled, request, trace)


def _optimized(
    function: Function, facts: Facts, halves: bool, settled: Settled, request: Request, trace: Trace
) -> Function:
    """The joint function simplified; `halves` tells that its sweeps will go to different functions."""
    function = trace.run("settle", lambda: settle_calls(function, settled), facts)
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
        result = _located(name, stage)
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


# What a mistake in a stage raises; an interrupt or a time limit goes its own way
_BUGS = (ArithmeticError, AssertionError, AttributeError, LookupError, NotImplementedError, TypeError, ValueError)


def _located(name: str, stage: Callable[[], Any]) -> Any:
    """Run a stage; whatever it fails with says at which of the user's lines."""
    try:
        return stage()
    except Unsupported as error:
        origin = error.origin or _place(error)
        raise CompileError([Fault(origin, error.message, error.way_out)]) from error
    except InternalError as error:
        if name == "lower":  # which says itself where it was
            raise
        raise InternalError(_report(name, error, str(error))) from error
    except _BUGS as error:
        if name == "lower" or isinstance(error, SrcgradError):
            raise
        raise InternalError(_report(name, error, f"{type(error).__name__}: {error}")) from error


def _report(name: str, error: Exception, text: str) -> str:
    way_out = "This is a bug in srcgrad: please report it. Written in another way, or as two lines, it may work."
    return str(Fault(_place(error), f"srcgrad failed here, in its stage `{name}`: {text}", way_out))


def _place(error: BaseException) -> Origin:
    """The user's line that a failing stage was at: that of the op it was working on."""
    found = NOWHERE
    for frame, _ in traceback.walk_tb(error.__traceback__):
        values = frame.f_locals.values()
        ops = [v.op if isinstance(v, Statement) else v for v in values if isinstance(v, (Op, Statement))]
        origins = [op.origin for op in ops if op is not None and op.origin.file]
        origins += [v.origin for v in values if isinstance(v, Builder) and v.origin.file]
        found = origins[0] if origins else found
    return found


def _identifier(request: Request) -> str:
    name = request.function.__name__
    return name if name.isidentifier() else "function"


__all__ = ["Compiled", "Const", "Request", "Trace", "compile_function"]

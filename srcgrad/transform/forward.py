"""Forward mode on structured SSA: every op is followed, or preceded, by the tangents of its outputs.

Nothing is recorded and every loop stays the loop it is: a carried value has its tangent carried beside it, a recording
the recording of its tangents. The text reads `t_level` beside `level`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..errors import Fault, Unsupported
from ..ir.calls import Procedure, header, items, packages, packed, procedure_of, whole
from ..ir.custom import custom_of, expand, without_parts
from ..ir.dims import Facts
from ..ir.nodes import Atom, Function, Op, Region, Undefined, Value, atoms_used, records_of, walk
from .activity import active_values
from .calls import Pushed, beside, known_body, moving_arguments, moving_outputs, no_derivative
from .invariance import cancelling, noted
from .regions import lengths_of
from .reverse import Differentiated
from .solved_forward import solved_forward
from .tangents import Tangents, tangent_name


def push_forward(
    function: Function, results: Sequence[int], wrt: Sequence[Value], tangents: Sequence[Atom], facts: Facts
) -> Differentiated:
    """One function that computes `function`, and beside it the derivative of some results along a direction.

    Its results are `function`'s, followed by one tangent for each of `results`, of the result's type. `tangents` are
    those of the values in `wrt`: parameters of the caller's making, or constants.
    """
    pushed = Pushed()
    joint = _pushed(function, results, wrt, tangents, facts, pushed)
    while pushed.waiting:
        _push_procedure(*pushed.waiting.pop(), pushed)
    return Differentiated(joint, tuple(dict.fromkeys(pushed.faults)), pushed=tuple(pushed.made.values()))


def _pushed(
    function: Function,
    results: Sequence[int],
    wrt: Sequence[Value],
    tangents: Sequence[Atom],
    facts: Facts,
    pushed: Pushed,
) -> Function:
    constant = cancelling(function, facts)
    active = active_values(function.body, wrt, constant)
    forward = _Forward(facts, active, _read(function.body), pushed)
    forward.known.update(zip(wrt, tangents))
    forward.notice([*function.body.params, *(p.value for p in function.params)])
    forward.walk(function.body.ops)
    with forward.builder.at(function.body.ops[-1].origin if function.body.ops else forward.builder.origin):
        last = [forward.of_result(function.body.results[k]) for k in results]
    body = replace(function.body, ops=tuple(forward.builder.ops), results=(*function.body.results, *last))
    pushed.faults += forward.faults
    return noted(replace(function, body=body), constant)


def _push_procedure(plain: Procedure, wrt: tuple[int, ...], pushed: Pushed) -> None:
    """The procedure's tangent function: further arguments for tangents, and further results."""
    function = expand(plain.function, plain.facts, without_parts)
    made, moving = pushed.made[plain, wrt], moving_arguments(function)
    params, values, tangents = list(function.params), list[Value](), list[Value]()
    for number in wrt:
        moved = [function.params[k].value for k in moving[number]]
        own = [Value(value.type, tangent_name(value)) for value in moved]
        params += beside(params, own, "t_saved")
        values += moved
        tangents += own
    groups = [group for group in moving_outputs(function) if group]
    numbers = [k for group in groups for k in group]
    with_params = replace(function, params=tuple(params))
    try:
        joint = _pushed(with_params, numbers, values, tangents, plain.facts, pushed)
    except Unsupported as error:  # a result has no tangent
        pushed.faults.append(Fault(function.body.ops[-1].origin, error.message, error.way_out))
        return
    first = len(function.body.results)
    parts = items(function)
    for group in groups:
        parts.append(packed(range(first, first + len(group))))
        first += len(group)
    template, single = whole(parts)
    notes = {**joint.notes, "signature": header(params), "packages": packages(params), "single": single}
    made.body = replace(joint, result=template, notes={**notes, "gradients": (), "zero_d": ()})


def _read(region: Region) -> set[Value]:
    """Every value that some op, or a region's end, reads."""
    found = {a for a in region.results if isinstance(a, Value)}
    for op in walk(region.ops):
        found.update(a for a in atoms_used(op) if isinstance(a, Value))
    return found


class _Forward(Tangents):
    def __init__(self, facts: Facts, active: set[Value], wanted: set[Value], pushed: Pushed):
        super().__init__(facts, active, wanted)
        self.pushed = pushed
        self.faults: list[Fault] = []
        self.named: set[str] = set()  # the variables that have a value so far

    def of_result(self, atom: Atom) -> Atom:
        """The tangent that a region hands out for one of its results."""
        if isinstance(atom, Undefined):
            return Undefined(atom.type)
        hint = tangent_name(atom) if isinstance(atom, Value) else None
        return self.or_zeros(self.tangent(atom), atom.type, hint)

    def walk(self, ops: Sequence[Op]) -> None:
        """Append the ops, each with the tangents of its outputs."""
        for op in ops:
            self.made.update((v, op) for v in op.outputs)
            with self.builder.at(op.origin):
                try:
                    self._op(op)
                except Unsupported as error:
                    self.faults.append(Fault(op.origin, error.message, error.way_out))
                    self.builder.ops.append(op)
            self.notice(op.outputs)

    def notice(self, values: Sequence[Value]) -> None:
        self.builder.notice(values)
        self.named.update(v.hint for v in values if v.hint is not None)

    def _op(self, op: Op) -> None:
        match op.prim.name:
            case "if":
                self.builder.ops.append(self._if(op))
            case "for" | "while":
                self.builder.ops.append(self._loop(op))
            case "custom" if any(v in self.active for v in op.outputs):
                self.builder.ops += self._custom(op)
            case "solver" | "field" if any(v in self.active for v in op.outputs):
                solved_forward(self, op)
            case "call" if any(v in self.active for v in op.outputs):
                self.builder.ops.append(self._call(op))
            case _ if any(v in self.active for v in op.outputs) and any(self.tangent(a) for a in op.inputs):
                if op.prim.undefined:
                    raise no_derivative(op)
                self._beside(op)
            case _:
                self.builder.ops.append(op)

    def _call(self, op: Op) -> Op:
        """The call of the tangent function, which gives the values and, after them, the tangents."""
        procedure = procedure_of(op)
        function = known_body(procedure)
        moving = moving_arguments(function)
        wrt = tuple(k for k, atom in enumerate(op.inputs) if self.tangent(atom) is not None and moving[k])
        if not wrt:
            return op
        outputs = [v for v, group in zip(op.outputs, moving_outputs(function)) if group]
        tangents = [Value(v.type, tangent_name(v) or "t_value") for v in outputs]
        self.known.update(zip(outputs, tangents))
        given = [self.known[op.inputs[k]] for k in wrt]  # type: ignore[index]
        attrs = {**op.attrs, "procedure": self.pushed.of(procedure, wrt)}
        return replace(op, inputs=(*op.inputs, *given), outputs=(*op.outputs, *tangents), attrs=attrs)

    def _custom(self, op: Op) -> list[Op]:
        """The call that gives the tangents beside the values, or one behind the call that gives the tangents alone."""
        custom = custom_of(op)
        if custom.jvp is None:
            raise Unsupported(*custom.refused["forward"])
        for k, atom in enumerate(op.inputs):
            if self.tangent(atom) is not None and k not in custom.moving:
                missing = f"`{custom.name}` reads a value that is differentiated from around it"
                raise Unsupported(custom.missing.get(k, missing), "Use stop_gradient if that is its derivative.")
        given = [self.or_zeros(self.tangent(op.inputs[k]), op.inputs[k].type) for k in custom.moving]
        tangents = [self._named(v) for v in op.outputs]
        self.known.update((v, t) for v, t in zip(op.outputs, tangents) if v in self.active)
        attrs = {**op.attrs, "part": "jvp"}
        if custom.beside:
            inputs = (*op.inputs, *op.outputs, *given)
            return [op, replace(op, inputs=inputs, outputs=tuple(tangents), attrs=attrs, role="tangent")]
        return [replace(op, inputs=(*op.inputs, *given), outputs=(*op.outputs, *tangents), attrs=attrs)]

    def _beside(self, op: Op) -> None:
        """The tangent first, where the op gives a variable its next value, unless the tangent reads that."""
        with self.builder.region() as ops:
            self.builder.notice(op.outputs)
            self.plain(op)
        ops = self._marked(ops)
        reads = any(value in op.outputs for each in ops for value in each.inputs)
        again = any(value.hint in self.named for value in op.outputs if value.hint is not None)
        self.builder.ops += [*ops, op] if again and not reads else [op, *ops]

    def _marked(self, ops: Sequence[Op]) -> list[Op]:
        """Ops that compute tangents, told from those that compute their coefficients."""
        tangents, marked = {t for t in self.known.values() if isinstance(t, Value)}, []
        for op in ops:
            if any(atom in tangents for atom in op.inputs):
                tangents.update(op.outputs)
                op = replace(op, role="tangent")
            marked.append(op)
        return marked

    def _region(self, region: Region, which: Sequence[int]) -> tuple[tuple[Op, ...], tuple[Atom, ...]]:
        """A region's ops with tangents, and the tangents of some of its results."""
        sources, named = dict(self.builder.sources), set(self.named)
        with self.builder.region() as ops:
            self.notice(region.params)
            self.walk(region.ops)
            results = tuple(self.of_result(region.results[k]) for k in which)
        self.builder.sources, self.named = sources, named
        return tuple(ops), results

    def _if(self, op: Op) -> Op:
        which = [k for k, v in enumerate(op.outputs) if v in self.active]
        halves = [self._region(region, which) for region in op.regions]
        outputs = [self._named(op.outputs[k]) for k in which]
        self.known.update((op.outputs[k], output) for k, output in zip(which, outputs))
        regions = tuple(
            replace(region, ops=ops, results=(*region.results, *extra))
            for region, (ops, extra) in zip(op.regions, halves)
        )
        return replace(op, outputs=(*op.outputs, *outputs), regions=regions)

    def _loop(self, op: Op) -> Op:
        """Carried tangents come after the carried values, recordings of tangents after the recordings."""
        body, carried, first = op.regions[-1], op.attrs["carried"], 3 if op.prim.name == "for" else 0
        index, params = (body.params[:1], body.params[1:]) if first else ((), body.params)
        live = [k for k in range(carried) if params[k] in self.active]
        end = carried + len(records_of(op))
        records = [k for k in range(carried, end) if op.outputs[k] in self.active]
        items = [k for k in range(carried, len(params)) if self.tangent(op.inputs[first + k]) is not None]
        inits = [self._start(op.inputs[first + k], params[k]) for k in live]
        tapes = [self.known[op.inputs[first + k]] for k in items]  # type: ignore[index]
        own = {k: self._named(params[k]) for k in (*live, *items)}
        self.known.update((params[k], own[k]) for k in own)
        ops, results = self._region(body, [*live, *records])
        count = len(live)
        new_params = (*params[:carried], *(own[k] for k in live), *params[carried:], *(own[k] for k in items))
        recorded, stop = body.results[carried:end], body.results[end:]
        new_results = (*body.results[:carried], *results[:count], *recorded, *results[count:], *stop)
        outputs = [self._named(op.outputs[k]) for k in live]
        tangents = [self._named(op.outputs[k]) for k in records]
        self.known.update((op.outputs[k], v) for k, v in zip([*live, *records], [*outputs, *tangents]))
        inputs = op.inputs[: first + carried] + tuple(inits) + op.inputs[first + carried :] + tuple(tapes)
        regions = [Region((*index, *new_params), ops, new_results)]
        if not first:
            test = op.regions[0]
            regions.insert(0, replace(test, params=(*test.params, *(Value(params[k].type) for k in live))))
        return replace(
            op,
            inputs=inputs,
            outputs=(*op.outputs[:carried], *outputs, *op.outputs[carried:end], *tangents, *op.outputs[end:]),
            attrs={**op.attrs, "carried": carried + count},
            regions=tuple(regions),
        )

    def _start(self, atom: Atom, param: Value) -> Atom:
        return self.or_zeros(self.tangent(atom), lengths_of(param.type, atom), tangent_name(param))

    def _named(self, value: Value) -> Value:
        return Value(value.type, tangent_name(value))

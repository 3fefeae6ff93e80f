"""Which numbers are on the device: those computed from something there, and those that share a variable with one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from ..ir.calls import CALL, Procedure, procedure_of
from ..ir.nodes import Atom, Function, Op, Value, counts_passes, records_of, walk
from ..ir.types import Array, Tape

# Python's own numbers, whatever they are made from
HOST = frozenset({"shape_of", "dim", "constant", "float", "int", "not", "and", "or"})

# NumPy makes arrays without axes of numbers by these, which CuPy's arrays would refuse
ARRAYS = frozenset(
    {"np.copy", "np.squeeze", "np.reshape", "np.transpose", "np.select", "np.choose", "np.broadcast_to", "np.swapaxes"}
)


class Residency:
    """The least set of values that is closed under "computed from" and "handed on to"."""

    def __init__(self, functions: Sequence[Function], procedures: Sequence[Procedure], zero_d: Collection[Value]):
        self.marked: set[Value] = set(zero_d)
        bodies = [*functions, *(p.function for p in procedures)]
        while True:
            before = len(self.marked)
            self._seeds(functions)
            for function in bodies:
                for op in walk(function.body.ops):
                    self.op(op)
            if len(self.marked) == before:
                return

    def on_device(self, atom: Atom) -> bool:
        """Whether the value is CuPy's: every array with axes is."""
        if not isinstance(atom, Value):
            return False
        type = atom.type
        while isinstance(type, Tape):
            type = type.item
        return isinstance(type, Array) and (type.ndim > 0 or atom in self.marked)

    def any(self, atoms: Iterable[Atom]) -> bool:
        return any(map(self.on_device, atoms))

    def _seeds(self, functions: Sequence[Function]) -> None:
        """A backward half gets the cotangents of the forward half's results where these are."""
        if len(functions) > 1:
            first, second = functions[0], functions[1]
            values = first.body.results[: first.notes["values"]]
            saved = {*first.body.results[first.notes["values"] :]}
            if self.any(values):
                self._mark(p.value for p in second.params if p.value not in saved)

    def op(self, op: Op) -> None:
        """Mark what the op gives."""
        match op.prim.name:
            case "if":
                for region in op.regions:
                    self._join(zip(region.results, op.outputs))
            case "for" | "while":
                self._loop(op)
            case _ if op.prim is CALL:
                self._call(op)
            case "effect" | "as_array":  # a draw, and what was asked to be an array
                self._mark(op.outputs)
            case name if name in ARRAYS:
                self._mark(op.outputs)
            case name if name not in HOST and self.any(op.inputs[: op.prim.arity(op.attrs)]):
                self._mark(op.outputs)

    def _loop(self, op: Op) -> None:
        carried, first = op.attrs["carried"], 3 if op.prim.name == "for" else 0
        body = op.regions[-1]
        params = body.params[1:] if first else body.params
        starts = op.inputs[first : first + carried]
        for start, param, result, output in zip(starts, params, body.results, op.outputs):
            self._join([(start, param), (result, param), (param, output)])
        if not first:
            self._join(zip(params, op.regions[0].params))
            self._join(zip(op.regions[0].params, params))
        self._join(zip(op.inputs[first + carried :], params[carried:]))
        made = op.outputs[carried : len(op.outputs) - counts_passes(op)]
        self._join(zip(records_of(op), made))

    def _call(self, op: Op) -> None:
        procedure = procedure_of(op)
        self._join(zip(op.inputs, parameters(op)))
        count = len(op.outputs) - (procedure.kind == "forward")
        self._join(zip(procedure.function.body.results[:count], op.outputs))

    def _join(self, pairs: Iterable[tuple[Atom, Atom]]) -> None:
        self._mark(target for source, target in pairs if isinstance(target, Value) and self.on_device(source))

    def _mark(self, values: Iterable[Value]) -> None:
        self.marked.update(v for v in values if isinstance(v.type, (Array, Tape)))


def parameters(op: Op) -> Sequence[Value]:
    """What a call's inputs become inside; a backward half's `saved` is its forward half's own values."""
    procedure = procedure_of(op)
    values = [p.value for p in procedure.function.params]
    if procedure.kind != "backward":
        return values
    seeds = len(op.inputs) - any(not isinstance(a.type, Array) for a in op.inputs[:1])
    return [*op.inputs[: len(op.inputs) - seeds], *values[len(values) - seeds :]]  # type: ignore[list-item]

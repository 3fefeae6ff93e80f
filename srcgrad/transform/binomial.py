"""The backward sweep of a long loop that keeps a given number of states, and computes the others again.

    for i in reversed(range(start, stop)):
        go from the newest kept state to pass i, keeping states on the way where the schedule says so
        the derivative of pass i
        drop the newest state, if it is that of pass i

With `passes` to go back over and `free` states to keep, the one that they begin with among them, the next state is kept
where the passes before it can be gone over `times - 1` times and those behind it `times` times: Griewank & Walther,
Algorithm 799: Revolve, ACM Transactions on Mathematical Software 26 (2000). No schedule computes fewer passes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.builder import Builder
from ..ir.custom import clone
from ..ir.dims import as_dim
from ..ir.nodes import Atom, Const, Op, Region, Value, free_values, region_free_values, substitute
from ..ir.primitive import named
from ..ir.symbolic import Sym
from ..ir.types import FLOAT, INT, Array
from ..rules.internal import set_at, zeros

_NUMBERS = {"f": "float", "i": "int"}  # what makes a number of Python's own of an element
_MORE = "a binomial schedule of a loop whose derivative needs more than its state"


def by_schedule(builder: Builder, loop: Op, recording: Op, backward: Sequence[Op], slots: int) -> list[Op]:
    """The backward sweep of `loop` without what `recording`, the loop that was to be its forward sweep, records."""
    with builder.region() as ops:
        for op in backward:
            if any(atom in recording.outputs for atom in free_values(op)):
                op = _Schedule(builder, loop, slots).derived(op, recording)
            builder.ops.append(op)
    return ops


class _Schedule:
    def __init__(self, builder: Builder, loop: Op, slots: int):
        self.builder, self.loop, self.slots = builder, loop, slots
        self.start, _, _, *self.inits = loop.inputs
        (self.body,) = loop.regions
        self.types = [_kept(p) for p in self.body.params[1:]]

    def derived(self, op: Op, recording: Op) -> Op:
        """The loop backwards over passes, which has its states from those that are kept."""
        if op.prim.name != "for" or any(atom in recording.outputs for atom in _read_whole(op)):
            raise Unsupported(_MORE)
        carried, (body,) = op.attrs["carried"], op.regions
        own, items = body.params[: 1 + carried], body.params[1 + carried :]
        places = [self._place(tape, recording) for tape in op.inputs[3 + carried :]]
        if own[0].hint == "_":  # it is read now
            own[0].hint = "i"
        before = self._first_kept()
        stack = _like(before)
        with self.builder.region() as ops:
            after, states = self._to_pass(stack, own[0])
            known = {item: states[place] for item, place in zip(items, places)}
            self.builder.ops += [substitute(each, known) for each in body.ops]
            depth = self._dropped(after, own[0])
        results = [known.get(r, r) if isinstance(r, Value) else r for r in body.results]
        results = [*results[:carried], depth, *after[1:]]
        region = Region((*own, *stack), tuple(ops), tuple(results))
        outputs = (*op.outputs, *(Value(v.type, v.hint) for v in stack))
        inputs = (*op.inputs[: 3 + carried], *before)
        attrs = {**op.attrs, "carried": carried + len(stack)}
        return replace(op, inputs=inputs, outputs=outputs, regions=(region,), attrs=attrs)

    def _place(self, tape: Atom, recording: Op) -> int:
        """Which of the state's variables a recording is of."""
        (region,) = recording.regions
        source = region.results[recording.outputs.index(tape)]
        if source not in region.params[1:]:
            raise Unsupported(_MORE)
        return region.params.index(source) - 1

    def _first_kept(self) -> list[Atom]:
        """How deep the stack is, the passes that its states begin, and the states."""
        firsts = zeros(self.builder, Array(np.dtype(int), (as_dim(self.slots),)))
        if not (isinstance(self.start, Const) and self.start.value == 0):
            firsts = set_at(firsts, self.start, 0)
        _called(firsts, "firsts")
        arrays = [zeros(self.builder, replace(t, axes=(as_dim(self.slots), *t.axes))) for t in self.types]
        arrays = [set_at(array, init, 0) for array, init in zip(arrays, self.inits)]
        for array, p in zip(arrays, self.body.params[1:]):
            _called(array, f"{p.hint or 'state'}_kept")
        depth: Atom = Const(0)
        return [depth, firsts.atom, *(array.atom for array in arrays)]

    def _to_pass(self, stack: Sequence[Value], index: Value) -> tuple[list[Value], list[Value]]:
        """The stack and the state when pass `index` is reached from the newest kept state."""
        depth, firsts, *kept = (Sym(self.builder, v) for v in stack)
        first = self._number("int", firsts[depth], "first")
        states = [self._state(k, array[depth]) for k, array in enumerate(kept)]
        carried = _like([first, *stack, *states])
        heads = _like(carried)
        with self.builder.region() as test_ops:
            test = Sym(self.builder, heads[0]) < Sym(self.builder, index)  # type: ignore[operator]
        with self.builder.region() as ops:
            results = self._step(carried, index)
        regions = (Region(tuple(heads), tuple(test_ops), (test.atom,)), Region(tuple(carried), tuple(ops), results))
        outputs = self._while([first, *stack, *states], carried, regions)
        return outputs[1 : 1 + len(stack)], outputs[1 + len(stack) :]

    def _step(self, carried: Sequence[Value], index: Value) -> tuple[Atom, ...]:
        """From one state to the next that is kept, or to pass `index` itself."""
        count = len(self.types)
        first, depth, firsts = (Sym(self.builder, v) for v in carried[:3])
        kept, states = carried[3 : 3 + count], carried[3 + count :]
        i = Sym(self.builder, index)
        end = _called(first + self._length(i + 1 - first, Const(self.slots), depth), "end")
        types = [v.type for v in states]
        region = Region(*_fresh(self.body, self.builder))
        attrs = {"carried": count, "reverse": False}
        moved = self.builder.append(
            named("for"), [first.atom, end.atom, Const(1), *states], types, attrs, regions=(region,)
        )
        for value, state in zip(moved, states):
            value.hint = state.hint
        with self.builder.region() as ops:
            deeper = _called(depth + 1, "depth")
            arrays = [set_at(Sym(self.builder, array), value, deeper) for array, value in zip(kept, moved)]
            new = [deeper, _called(set_at(firsts, end, deeper), "firsts"), *arrays]
        keep = Region((), tuple(ops), tuple(each.atom for each in new))
        stack = carried[1 : 3 + count]
        condition = end < i  # type: ignore[operator]
        outputs = self.builder.append(
            named("if"), [condition.atom], [v.type for v in stack], regions=(keep, Region((), (), tuple(stack)))
        )
        for value, old in zip(outputs, stack):
            value.hint = old.hint
        return (end.atom, *outputs, *moved)

    def _length(self, passes: Sym, slots: Const, depth: Sym) -> Sym:
        """How many passes to go on to the next state.

        `reach` is the most passes that can be gone back over when none is computed more than `times` times again,
        the binomial coefficient of `free + times` over `free`; `left` is the same for `times - 1`.
        """
        passes = _called(passes, "passes")
        free = _called(Sym(self.builder, slots) - depth, "free")
        carried = [Value(INT, hint) for hint in ("times", "reach")]
        heads = _like(carried)
        with self.builder.region() as test_ops:
            test = Sym(self.builder, heads[1]) < passes  # type: ignore[operator]
        with self.builder.region() as ops:
            times, reach = (Sym(self.builder, v) for v in carried)
            more = _called(times + 1, "times")
            further = _called(reach * (free + more) // more, "reach")  # type: ignore[operator]
        ends = (more.atom, further.atom)
        regions = (Region(tuple(heads), tuple(test_ops), (test.atom,)), Region(tuple(carried), tuple(ops), ends))
        times, reach = (Sym(self.builder, v) for v in self._while([Const(0), Const(1)], carried, regions))
        left = _called(reach * times // (free + times), "left")  # type: ignore[operator]
        behind = left * free // (free + times - 1)  # type: ignore[operator]
        (length,) = self.builder.apply(named("min"), [left.atom, (passes - behind).atom])
        return Sym(self.builder, length)

    def _dropped(self, stack: Sequence[Value], index: Value) -> Value:
        """The depth without the newest state, if this is where the pass began."""
        depth, firsts = (Sym(self.builder, v) for v in stack[:2])
        condition = firsts[depth] == Sym(self.builder, index)
        with self.builder.region() as ops:
            less = _called(depth - 1, "depth")
        regions = (Region((), tuple(ops), (less.atom,)), Region((), (), (depth.atom,)))
        (output,) = self.builder.append(named("if"), [condition.atom], [INT], hint="depth", regions=regions)  # type: ignore[attr-defined]
        return output

    def _state(self, number: int, element: Sym) -> Value:
        """A kept variable, of its own type: apart from the array that goes on being written to."""
        param = self.body.params[1 + number]
        if self.types[number].weak:
            return self._number(_NUMBERS[self.types[number].dtype.kind], element, param.hint)
        value = element.copy() if element.ndim else element
        (same,) = self.builder.apply(named("same"), [value.atom], {"type": self.types[number]}, hint=param.hint)
        return same

    def _number(self, kind: str, element: Sym, hint: str | None) -> Value:
        type = FLOAT if kind == "float" else INT
        return self.builder.append(named(kind), [element.atom], [type], hint=hint)[0]

    def _while(self, inits: Sequence[Atom], carried: Sequence[Value], regions: tuple[Region, Region]) -> list[Value]:
        types = [*(v.type for v in carried), INT]
        outputs = self.builder.append(named("while"), inits, types, {"carried": len(carried)}, regions=regions)
        for value, param in zip(outputs, carried):
            value.hint = param.hint
        return list(outputs[:-1])


def _read_whole(op: Op) -> list[Atom]:
    """What a loop reads, but for recordings that it goes through."""
    return [*op.inputs[: 3 + op.attrs["carried"]], *region_free_values(op.regions[0])]


def _kept(param: Value) -> Array:
    """The type of a variable of the state, if it can be kept."""
    type = param.type
    number = isinstance(type, Array) and (type.weak or (type.ndim == 0 and type.dtype.kind == "b"))
    if not isinstance(type, Array) or (number and type.dtype.kind not in _NUMBERS):
        raise Unsupported(f"a binomial schedule of a loop that carries {type}", "Carry arrays and real numbers.")
    return replace(type, dim=None, count=None)


def _fresh(body: Region, builder: Builder) -> tuple[tuple[Value, ...], tuple[Op, ...], tuple[Atom, ...]]:
    """The pass, with values of its own."""
    params = tuple(Value(p.type, p.hint) for p in body.params)
    ops, results = clone(body, params, builder.facts, "adjoint")
    return params, tuple(ops), tuple(results)


def _like(atoms: Sequence[Atom]) -> list[Value]:
    """Parameters for these: numbers are not known to be those that they begin with."""
    return [
        Value(
            replace(a.type, dim=None, count=None) if isinstance(a.type, Array) else a.type, getattr(a, "hint", "depth")
        )
        for a in atoms
    ]


def _called(x: Any, hint: str) -> Sym:
    x.atom.hint = hint
    made: Sym = x
    return made

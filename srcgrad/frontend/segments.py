"""Loops of which the backward sweep stores the beginnings of segments alone, and computes each segment again.

    for first in range(start, stop, length):
        state = checkpoint(segment)(state)          # for i in range(first, min(first + length, stop)): ...

The segment is a call like that of a `checkpoint`. With several levels, its loop is made of segments again.

With a binomial schedule the whole loop is one such call, and each pass another one inside of it; the backward sweep
has the states that the passes begin with from the schedule (`transform/binomial.py`).
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import Unsupported
from ..ir.calls import called
from ..ir.custom import CUSTOM, Custom
from ..ir.nodes import Atom, Const, Op, Region, Value, region_free_values, renamed, substitute
from ..ir.primitive import named
from ..ir.types import INT
from .parts import Part, check_quiet
from .values import Segments

if TYPE_CHECKING:
    from .loops import Loops


def into_segments(c: Loops, op: Op, segments: Segments) -> None:
    """Append a loop that has just been read, in segments."""
    start, stop, step, *carried = op.inputs
    (body,) = op.regions
    if "stops" in op.attrs or op.attrs["reverse"] or c.maybe_number(step) != 1:
        raise Unsupported("a checkpointed loop that is left early, or has a step", "Go through range(n) to its end.")
    if any(not c.alike_types(p, v) for p, v in zip(body.params[1:], op.outputs)):
        raise Unsupported("a checkpointed loop that changes an array's shape", "Let the state keep its shape.")
    effects = check_quiet(c, Part([], ops=body.ops), "a checkpointed loop", "which would happen twice")
    if any(procedure.impure for procedure in called(body.ops)):
        raise Unsupported("a checkpointed loop prints or draws random numbers, which would happen twice")
    free = list(region_free_values(body))
    made = _Segmented(c, op, segments, free, effects)
    if segments.binomial:
        made.by_schedule([start, stop], carried)
        return
    made.level([start, stop], carried, segments.levels, op.outputs, dict(zip(free, free)))


class _Segmented:
    def __init__(self, c: Loops, op: Op, segments: Segments, free: list[Value], effects: bool):
        self.c, self.op, self.segments, self.free, self.effects = c, op, segments, free, effects

    def level(
        self,
        bounds: Sequence[Atom],
        carried: Sequence[Atom],
        levels: int,
        outputs: Sequence[Value],
        known: dict[Value, Value],
    ) -> None:
        """Append the loop over segments, or, at the last level, over passes; `known`: what is read from around it."""
        builder, (body,) = self.c.builder, self.op.regions
        if levels == 0:
            inner = substitute(replace(self.op, inputs=(*bounds, Const(1), *carried), outputs=tuple(outputs)), known)
            builder.ops.append(inner)
            return
        length = self._length(bounds, levels)
        index = Value(replace(INT, dim=self.c.facts.fresh("i")), "first")
        params = [Value(p.type, p.hint) for p in body.params[1:]]
        with builder.region() as ops:
            results = self._segment([index, length, bounds[1]], params, levels - 1, known)
        region = Region((index, *params), tuple(ops), tuple(results))
        attrs = {"carried": len(params), "reverse": False}
        inputs = (*bounds, length, *carried)
        builder.ops.append(replace(self.op, inputs=inputs, outputs=tuple(outputs), attrs=attrs, regions=(region,)))

    def _segment(
        self, place: Sequence[Atom], carried: Sequence[Value], levels: int, known: dict[Value, Value]
    ) -> tuple[Value, ...]:
        """The call that is computed again: closed, with parameters for all that it reads.

        `place` is the first pass, the length of a segment, and where the loop ends.
        """
        builder = self.c.builder
        bounds = [atom for atom in place if isinstance(atom, Value)]
        own = [Value(v.type, v.hint) for v in (*bounds, *carried, *self.free)]
        first, length, stop = (renamed(atom, dict(zip(bounds, own))) for atom in place)
        state, inside = own[len(bounds) :][: len(carried)], own[len(bounds) + len(carried) :]
        results = [Value(v.type, v.hint) for v in carried]
        with builder.region() as ops:
            (end,) = builder.apply(named("min"), [self._binary(ast.Add, first, length), stop])
            self.level([first, end], state, levels, results, dict(zip(self.free, inside)))
        return self._call(
            "the segment",
            [*bounds, *carried, *(known[v] for v in self.free)],
            Region(tuple(own), tuple(ops), tuple(results)),
        )

    def by_schedule(self, bounds: Sequence[Atom], carried: Sequence[Atom]) -> None:
        """Append the loop as one call, and each pass as another one in it: the backward sweep reads the state alone."""
        builder, (body,) = self.c.builder, self.op.regions
        given = [atom for atom in bounds if isinstance(atom, Value)]
        own = [Value(v.type, v.hint) for v in (*given, *body.params[1:], *self.free)]
        known = dict(zip(given, own))
        state, inside = own[len(given) :][: len(carried)], own[len(given) + len(carried) :]
        index, *params = (Value(p.type, p.hint) for p in body.params)
        with builder.region() as passes:
            one_pass = Region((*body.params, *self.free), body.ops, body.results)
            results = self._call("the pass", [index, *params, *inside], one_pass)
        region = Region((index, *params), tuple(passes), results)
        loop = replace(
            self.op,
            inputs=(*(renamed(atom, known) for atom in bounds), Const(1), *state),
            outputs=tuple(Value(v.type, v.hint) for v in self.op.outputs),
            regions=(region,),
        )
        whole = Region(tuple(own), (loop,), loop.outputs)
        self._call("the loop", [*given, *carried, *self.free], whole, self.segments.slots)
        builder.ops[-1] = replace(builder.ops[-1], outputs=self.op.outputs)

    def _call(self, name: str, inputs: Sequence[Atom], region: Region, slots: int | None = None) -> tuple[Value, ...]:
        """A call that is computed again."""
        custom = Custom(name, "checkpoint", region, slots=slots)
        attrs = {"custom": custom, "part": "plain", **({"effects": True} if self.effects else {})}
        outputs = self.c.builder.append(CUSTOM, inputs, [v.type for v in region.results], attrs)
        for output, value in zip(outputs, self.op.regions[0].params[1:]):
            output.hint = value.hint
        return outputs

    def _length(self, bounds: Sequence[Atom], levels: int) -> Value:
        """Passes in a segment: at least one, so that there are no more segments than slots."""
        start, stop = bounds
        passes = stop if self.c.maybe_number(start) == 0 else self._binary(ast.Sub, stop, start)
        passes = self.c.builder.apply(named("np.absolute"), [passes], style="operator")[0]  # of an empty range
        if self.segments.slots is not None:
            whole = self._binary(ast.FloorDiv, passes, Const(self.segments.slots))
        else:
            root = self._binary(ast.Pow, passes, Const(levels / (levels + 1)))
            (whole,) = self.c.builder.apply(named("int"), [root])
        length = self._binary(ast.Add, whole, Const(1))
        assert isinstance(length, Value)
        length.hint = "length"
        return length

    def _binary(self, operator: type[ast.operator], left: Atom, right: Atom) -> Atom:
        return self.c.atom(self.c.binary(operator, left, right, operator()))

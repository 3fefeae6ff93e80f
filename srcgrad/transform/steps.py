"""The backward step of one op without regions: its rule, strong zeros, reading and writing of items."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.dims import product
from ..ir.indexing import covers, rearranges, selects_once
from ..ir.nodes import Atom, Const, Op, Slot, Value
from ..ir.primitive import named
from ..ir.symbolic import Sym, apply
from ..ir.types import Array
from ..ir.words import place_name
from .calls import Calls
from .cotangents import cotangent_name
from .tapes import Scope

# What a cotangent may go through with its zeros in place
_KEEPS_ZEROS = {
    "np.transpose", "np.swapaxes", "np.moveaxis", "np.reshape", "np.ravel", "np.squeeze", "np.expand_dims", "np.flip",
    "np.negative", "np.multiply", "np.divide", "broadcast", "getitem", "astype", "np.sum", "np.roll", "np.pad",
    "np.take_along_axis", "np.rot90", "np.repeat", "np.tile",
}  # fmt: skip


class Steps(Calls):
    def plain(self, op: Op, scope: Scope, cotangents: list[Atom | None]) -> None:
        check_accounted_for(op)
        for which, atom in enumerate(op.inputs):
            if atom in self.active and isinstance(atom, Value) and isinstance(atom.type, Array):
                partial = op.prim.partial(which, op.attrs, len(op.inputs))
                if partial is None:
                    continue
                contribution = self._contribution(op, partial, cotangents)
                if contribution is not None:
                    self.accumulate(scope, atom, contribution)

    def _contribution(self, op: Op, partial: Any, cotangents: list[Atom | None]) -> Atom | None:
        inputs = [self.sym(atom) for atom in op.inputs[: op.prim.arity(op.attrs)]]
        outputs = tuple(self.sym(value) for value in op.outputs)
        ds = tuple(None if d is None else Sym(self.builder, d) for d in cotangents)
        attrs = dict(op.attrs)
        if len(outputs) > 1 or op.prim.several:
            result = partial(ds, outputs, *inputs, **attrs)
        else:
            result = self._strong(op, partial, ds[0], outputs[0], inputs, attrs)
        if result is None:
            return None
        return result.atom if isinstance(result, Sym) else Const(result)

    def _strong(self, op: Op, partial: Any, d: Any, y: Sym, inputs: list[Sym], attrs: dict[str, Any]) -> Any:
        """Zeros are strong: a masked cotangent stays masked through factors that may be infinite.

        `where(m, d, 0) * f` becomes `where(m, d * f, 0)`, so that 0 * inf cannot arise.
        """
        guarded = op.prim.elementwise and reaches_singular(op, self.made, self.active)
        mask = self._mask(d, _singular(op)) if guarded else None
        if mask is None:
            return partial(d, y, *inputs, **attrs)
        condition, raw, swapped = mask
        result = partial(raw, y, *inputs, **attrs)
        if result is None:
            return None
        arms = (0.0, result) if swapped else (result, 0.0)
        return apply(self.builder, np.where, (condition, *arms), {})

    def _mask(self, d: Sym, singular: bool) -> tuple[Sym, Sym, bool] | None:
        """(condition, unmasked cotangent, condition inverted) of a masked cotangent."""
        if d.atom in self.masked_seeds:
            return (d.__ne__(0), d, False) if singular else None
        made = next((op for op in reversed(self.builder.ops) if d.atom in op.outputs), None)
        if made is None:
            return None
        parts = [Sym(self.builder, atom) for atom in made.inputs]
        if made.prim.name == "np.where" and len(parts) == 3:
            if parts[2].const == 0:
                return parts[0], parts[1], False
            if parts[1].const == 0:
                return parts[0], parts[2], True
        if made.prim.name == "np.multiply" and parts[1].dtype == np.bool_:
            return parts[1], parts[0], False
        if singular and self._holds_zeros(d):
            return d.__ne__(0), d, False
        return None

    def is_masked(self, d: Sym) -> bool:
        """Whether `d` may be zero because a mask excludes an element."""
        made = next((op for op in reversed(self.builder.ops) if d.atom in op.outputs), None)
        times_mask = made is not None and made.prim.name == "np.multiply" and _is_bool(made.inputs[1])
        return times_mask or self._holds_zeros(d)

    def _holds_zeros(self, d: Sym) -> bool:
        """Whether `d` was scattered, or masked by np.where, before it was reshaped or multiplied."""
        if d.atom in self.masked_seeds:
            return True
        made = next((op for op in reversed(self.builder.ops) if d.atom in op.outputs), None)
        if made is None:
            return False
        parts = [Sym(self.builder, atom) for atom in made.inputs]
        match made.prim.name:
            case "index_add" | "index_set" | "np.diag" | "np.diagflat":
                return True
            case "np.where":
                return any(part.const == 0 for part in parts)
            case "np.add":
                return all(map(self._holds_zeros, parts))
            case "np.matmul" | "np.tensordot" | "np.dot":
                return any(map(self._holds_zeros, parts))
        return made.prim.name in _KEEPS_ZEROS and self._holds_zeros(parts[0])

    def getitem(self, op: Op, scope: Scope, d: Atom | None) -> None:
        """Scatter into the accumulator that exists already, so that no full-size temporary is added."""
        from ..rules.internal import rearranged, scatter_add, zeros

        source = op.inputs[0]
        if d is None or source not in self.active or not isinstance(source, Value):
            return
        if rearranges(op.attrs["index"]):
            self.accumulate(scope, source, rearranged(Sym(self.builder, d), op.attrs["index"]).atom)
            return
        assert isinstance(source.type, Array)
        known = self.current(scope, source)
        base = Sym(self.builder, known) if known is not None else zeros(self.builder, source.type)
        dynamic = [self.use(atom) for atom in op.inputs[1:]]
        result = scatter_add(base, Sym(self.builder, d), dynamic, op.attrs["index"]).atom
        for value in (base.atom, result):
            if isinstance(value, Value) and value.hint is None:
                value.hint = cotangent_name(source)
        scope.cotangents[source] = result

    def index_set(self, op: Op, scope: Scope, d: Atom | None) -> None:
        """What was overwritten gets no cotangent; what was written gets that of its place.

        The place is read before it is cleared, so that clearing it needs no copy of the whole array.
        """
        if d is None:
            return
        base, value, *dynamic = op.inputs
        index = op.attrs["index"]
        if covers(index):
            self.accumulate(scope, value, d)
            return
        atoms = [d, *(self.use(atom) for atom in dynamic)]
        if value in self.active:
            (part,) = self.builder.apply(named("getitem"), atoms, {"index": index}, style="before")
            place = place_name(getattr(d, "hint", None) or "d", index, dynamic)
            if op.role == "primal" and not self._writes_once(op):
                part = self._last_writes(part, base, atoms[1:], index)
            elif op.style == "fill" and base not in self.builder.read:
                pass  # nothing else is added to the cotangent while this place of it is at hand
            elif isinstance(part.type, Array) and part.type.ndim and base in self.active:
                (part,) = self.builder.apply(named("np.copy"), [part], style="before")
            part.word = place
            self.accumulate(scope, value, part)
        if base in self.active and op.style == "fill":  # nobody has read this place before it was written
            self.accumulate(scope, base, d)
        elif base in self.active:
            zero = Const(np.zeros((), d.type.dtype).item() if isinstance(d.type, Array) else 0.0)
            (rest,) = self.builder.apply(
                named("index_set"), [d, zero, *atoms[1:]], {"index": index}, hint=cotangent_name(op.outputs[0])
            )
            self.accumulate(scope, base, rest)

    def _writes_once(self, op: Op) -> bool:
        """Whether no element is written twice: an index that counts, `d[np.arange(n), labels]`, never repeats."""
        dynamic = op.inputs[2:]
        if selects_once(op.attrs["index"], [a.type for a in dynamic]):
            return True
        arrays = [a for a in dynamic if isinstance(a.type, Array) and a.type.ndim]
        if any(a.type.ndim != 1 for a in arrays if isinstance(a.type, Array)):
            return False
        makers = [self.made.get(a) for a in arrays if isinstance(a, Value)]
        return any(made is not None and made.prim.name == "np.arange" and len(made.inputs) == 1 for made in makers)

    def _last_writes(self, part: Value, base: Atom, dynamic: list[Atom], index: Any) -> Value:
        """`part` where it was the last to be written to its place, zero elsewhere: integer arrays may repeat.

        The same assignment with running numbers in place of values tells who was last.
        """
        from ..rules.internal import arange

        assert isinstance(part.type, Array)
        assert isinstance(base.type, Array)
        order = dynamic[0].type if isinstance(index, Slot) else None
        single = isinstance(order, Array)
        chosen = order.axes if isinstance(order, Array) else part.type.axes
        where = base.type.axes[:1] if single else base.type.axes
        running = arange(Sym(self.builder, part), product(chosen))
        count = apply(self.builder, np.reshape, (running, tuple(chosen)), {}).atom
        (none,) = self.builder.apply(named("zeros"), [], {"shape": where, "dtype": np.dtype(int)})
        (last,) = self.builder.apply(named("index_set"), [none, count, *dynamic], {"index": index}, hint="last")
        (writer,) = self.builder.apply(named("getitem"), [last, *dynamic], {"index": index}, style="operator")
        (wins,) = self.builder.apply(named("np.equal"), [writer, count], style="operator")
        missing = part.type.ndim - len(chosen)
        mask = (
            np.expand_dims(Sym(self.builder, wins), tuple(range(-missing, 0))) if missing else Sym(self.builder, wins)
        )
        result = apply(self.builder, np.where, (mask, Sym(self.builder, part), 0.0), {})
        atom = result.atom
        assert isinstance(atom, Value)
        return atom


def check_accounted_for(op: Op) -> None:
    """A keyword that the rule does not look at is refused where a derivative goes through the call."""
    unknown = set(op.attrs) - op.prim.looked_at
    if unknown and not op.prim.elementwise:
        names = ", ".join(f"`{name}=`" for name in sorted(unknown))
        raise Unsupported(f"{op.prim.name} has no derivative rule that accounts for {names}")


def reaches_singular(op: Op, made: Mapping[Value, Op], active: Collection[Value]) -> bool:
    """Whether this op, or an elementwise op that feeds it, has a derivative that may be infinite."""
    if _singular(op):
        return True
    for atom in op.inputs:
        source = made.get(atom) if isinstance(atom, Value) and atom in active else None
        if source is not None and source.prim.elementwise and reaches_singular(source, made, active):
            return True
    return False


def _is_bool(atom: Atom) -> bool:
    return isinstance(atom.type, Array) and atom.type.dtype.kind == "b"


def _singular(op: Op) -> bool:
    """Whether the derivative may be infinite: not that of x / 2 or x ** 2."""
    if op.prim.name in ("np.divide", "np.power") and isinstance(op.inputs[1], Const):
        number = op.inputs[1].value
        return bool(number == 0) if op.prim.name == "np.divide" else not np.real(number) >= 1
    return op.prim.singular

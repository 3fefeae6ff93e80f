"""Shifts that cancel: `exp(x - max(x))` and its kin do not depend on the maximum that is subtracted.

If adding any `c` to a value `m` leaves every result as it was, the derivative with respect to `m` is zero, whatever
`m` is; so the maximum in a softmax or a log-sum-exp needs no derivative. What `c` does to each value is followed
through the function: a value may be unchanged, shifted by a multiple of `c`, or scaled by a power of `exp(c)`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..ir.dims import Facts
from ..ir.nodes import Atom, Const, Function, Op, Region, Slot, Value, free_values
from ..ir.types import Array

_SHIFTED = ("np.max", "np.min")


@dataclass(frozen=True)
class _Effect:
    """What `m + c` does to a value: `+ shift * c`, or `* exp(power * c)`.

    `axes` are the value's axes, counted from the end, along which `c` varies, in the order of `c`'s own.
    """

    axes: tuple[int, ...]
    shift: int = 0
    power: int = 0

    @property
    def nothing(self) -> bool:
        return self.shift == 0 and self.power == 0


def cancelling(function: Function, facts: Facts) -> set[Value]:
    """Extremes whose value does not matter to any result.

    What does not matter to a function does not matter to its derivatives: those found before are `notes["cancelling"]`.
    """
    region = function.body
    found = {op.outputs[0] for op in region.ops if op.prim.name in _SHIFTED and _cancels(op.outputs[0], region, facts)}
    return {*found, *function.notes.get("cancelling", ())}


def noted(function: Function, constant: set[Value]) -> Function:
    """The derivative of a function in which these cancel."""
    return replace(function, notes={**function.notes, "cancelling": constant})


def _cancels(m: Value, region: Region, facts: Facts) -> bool:
    assert isinstance(m.type, Array)
    varying = tuple(i - m.type.ndim for i, dim in enumerate(m.type.axes) if not facts.is_one(dim))
    effects: dict[Value, _Effect] = {m: _Effect(varying, shift=1)}
    made: dict[Value, Op] = {}
    for op in region.ops:
        made.update((v, op) for v in op.outputs)
        if not any(v in effects for v in free_values(op)):
            continue
        effect = None if op.regions else _through(op, effects, made, facts)
        if effect is None:
            return False
        if not effect.nothing:
            effects[op.outputs[0]] = effect
    return not any(isinstance(a, Value) and a in effects for a in region.results)


def _through(op: Op, effects: dict[Value, _Effect], made: dict[Value, Op], facts: Facts) -> _Effect | None:
    """The effect on an op's output; None where it is none of the kinds followed."""
    if len(op.outputs) != 1 or not isinstance(op.outputs[0].type, Array):
        return None
    known = [effects.get(a) if isinstance(a, Value) else None for a in op.inputs]
    match op.prim.name:
        case "np.add" | "np.subtract" | "np.multiply" | "np.divide":
            return _arithmetic(op, known)
        case "np.negative":
            return replace(known[0], shift=-known[0].shift) if known[0] and not known[0].power else None
        case "np.exp":
            return _Effect(known[0].axes, power=known[0].shift) if known[0] and not known[0].power else None
        case "np.log":
            return _Effect(known[0].axes, shift=known[0].power) if known[0] and not known[0].shift else None
        case "np.sum" | "np.mean":
            return _reduced(op, known[0])
        case "getitem":
            return _picked(op, known, made)
    return None


def _arithmetic(op: Op, known: Sequence[_Effect | None]) -> _Effect | None:
    """Shifts add, powers multiply; a scaled value may be multiplied or divided by one that stays."""
    some = [effect for effect in known if effect is not None]
    if len({effect.axes for effect in some}) != 1:
        return None
    axes = some[0].axes
    a, b = (effect or _Effect(axes) for effect in known)
    sign = -1 if op.prim.name in ("np.subtract", "np.divide") else 1
    if op.prim.name in ("np.add", "np.subtract"):
        return _Effect(axes, shift=a.shift + sign * b.shift) if not (a.power or b.power) else None
    return _Effect(axes, power=a.power + sign * b.power) if not (a.shift or b.shift) else None


def _reduced(op: Op, effect: _Effect | None) -> _Effect | None:
    """A sum along axes on which `c` is constant keeps a factor; a mean keeps a shift as well."""
    source = op.inputs[0].type
    if effect is None or not isinstance(source, Array) or set(op.attrs) - {"axis", "keepdims"}:
        return None
    axis = op.attrs.get("axis")
    summed = range(source.ndim) if axis is None else [axis] if isinstance(axis, int) else axis
    dropped = {a % source.ndim - source.ndim for a in summed}
    if dropped & set(effect.axes) or (effect.shift and op.prim.name == "np.sum"):
        return None
    if op.attrs.get("keepdims"):
        return effect
    axes = tuple(a + sum(1 for d in dropped if d > a) for a in effect.axes)
    return replace(effect, axes=axes)


def _picked(op: Op, known: Sequence[_Effect | None], made: dict[Value, Op]) -> _Effect | None:
    """`x[:, None]`, `x[:, 0]`, and `x[np.arange(n), labels]`, where `c` varies along the first axis alone."""
    source, effect, index = op.inputs[0].type, known[0], op.attrs["index"]
    if effect is None or not isinstance(source, Array):
        return None
    if source.ndim == 1 and effect.axes == (-1,) and index == (slice(None), None):
        return replace(effect, axes=(-2,))
    if source.ndim != 2 or effect.axes != (-2,):
        return None
    if not isinstance(index, tuple) or len(index) != 2 or any(known[1:]):
        return None
    first, second = index
    if first == slice(None) and isinstance(second, int):
        return replace(effect, axes=(-1,))
    if isinstance(first, Slot) and isinstance(second, Slot):
        rows, labels = op.inputs[first.number], op.inputs[second.number]
        if _counts(rows, made) and isinstance(labels.type, Array) and labels.type.ndim == 1:
            return replace(effect, axes=(-1,))
    return None


def _counts(rows: Atom, made: dict[Value, Op]) -> bool:
    """np.arange(n): row i at place i."""
    op = made.get(rows) if isinstance(rows, Value) else None
    if op is None or op.prim.name != "np.arange":
        return False
    bounds = op.inputs
    return len(bounds) == 1 or (isinstance(bounds[0], Const) and bounds[0].value == 0 and len(bounds) == 2)

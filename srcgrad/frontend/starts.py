"""A number that a loop turns into an array: `s = 0.0`, and then `s = s + x` in each pass.

The number becomes an array of equal numbers before the loop. In the first pass that computes the same if the number is
met by an array of the full shape before anything but arithmetic reads it.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from ..errors import Unsupported
from ..ir.nodes import Const, Op, Value, atoms_used
from ..ir.primitive import named
from ..ir.types import Array
from .carrying import Carried
from .scopes import loads
from .values import lift

_LINEAR = {"np.add", "np.subtract", "np.multiply", "np.negative"}  # exact on a number as on an array of it


def begun(c: Any, carried: Carried, results: Sequence[Any]) -> bool:
    """Make arrays of the numbers that a pass has turned into arrays; whether there were any.

    Assumes that the loop makes a pass, without which the number would be left.
    """
    found = False
    for k, (start, end) in enumerate(zip(carried.types, [atom.type for atom in results])):
        if not isinstance(start, Array) or not isinstance(end, Array) or start.ndim or not end.ndim:
            continue
        number = c.maybe_number(carried.inits[k])
        outside = all(dim.entry for dim in map(c.facts.canon, end.axes))
        if isinstance(number, bool) or number is None or not outside or not end.differentiable:
            continue
        name = carried.owners[k]
        if not name or not isinstance(lift(carried.before[name]), (Value, Const)):  # an item of a list
            continue
        carried.inits[k], carried.types[k] = _filled(c, number, end), end
        carried.before = {**carried.before, name: carried.inits[k]}
        carried.starts[carried.names.index(name)] = carried.inits[k]
        carried.started.add(k)
        found = True
    return found


def _filled(c: Any, number: Any, type: Array) -> Value:
    value: Value
    if number == 0:
        value = c.apply(named("zeros"), [], {"shape": type.axes, "dtype": type.dtype})
    else:
        typed = type.dtype.type(number)
        start = Const(typed.item() if type.dtype in (float, complex) else typed)
        value = c.apply(named("broadcast"), [start], {"shape": type.axes})
    return value


def check_starts(
    c: Any, carried: Carried, params: Sequence[Value], ops: Sequence[Op], body: Sequence[ast.stmt]
) -> None:
    """Refuse a loop whose first pass would see that its number is an array now."""
    for k in carried.started:
        name = carried.owners[k]
        if not _met_at_once(c, params[k], ops) or (k < len(carried.ends) and carried.ends[k] is params[k]):
            raise Unsupported(
                f"`{name.strip()}` is a number before the loop and an array of type {carried.types[k]} in it",
                f"Start with an array: `{name.strip()} = np.zeros(...)`.",
            )
        changed = [n for s in body for n in ast.walk(s) if isinstance(n, ast.AugAssign)]
        in_place = any(isinstance(n.target, ast.Name) and n.target.id == name for n in changed)
        if in_place and sum((loads(s) for s in body), loads(ast.Pass()))[name] > 1:
            raise Unsupported(
                f"`{name}` is a number before the loop, and changes in place in it",
                f"Start with an array: `{name} = np.zeros(...)`.",
            )


def _met_at_once(c: Any, param: Value, ops: Sequence[Op]) -> bool:
    """Whether whatever reads the start gives an array of the full shape for a number, too."""
    numbers: set[Any] = {param}
    full = param.type.axes  # type: ignore[union-attr]
    for op in ops:
        if not numbers & set(atoms_used(op)):
            continue
        if op.regions or not op.prim.elementwise:
            return False
        met = any(
            a not in numbers and isinstance(a.type, Array) and c.facts.same_axes(a.type.axes, full) for a in op.inputs
        )
        if not met:
            if op.prim.name not in _LINEAR or param.type.dtype.itemsize < 8:  # type: ignore[union-attr]
                return False
            numbers.update(op.outputs)
    return True

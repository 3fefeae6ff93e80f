"""Whether two functions are the same text: op by op, their own values aside."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .dims import Dim, Facts
from .nodes import Atom, Const, Function, Op, Region, Slot, Value
from .types import Array

_FACTS = ("known", "bounds", "clipped", "guards", "orders", "met", "unsolved")


def alike(a: Function, b: Function) -> bool:
    """Whether one function computes of its arguments what the other does, in the same words."""
    pairs = matched(a, b)
    return pairs is not None and _same(a.result, b.result) and _atoms(a.body.results, b.body.results, pairs)


def matched(a: Function, b: Function) -> dict[Value, Value] | None:
    """For each value of `a` its counterpart in `b`, if both have the same ops, whatever their results."""
    pairs: dict[Value, Value] = {}
    names = [p.name for p in a.params] == [p.name for p in b.params]
    if not names or not _define(pairs, [p.value for p in a.params], [p.value for p in b.params]):
        return None
    return pairs if _blocks(a.body.ops, b.body.ops, pairs) else None


def same_facts(a: Facts, b: Facts) -> bool:
    """Whether two functions assume the same of lengths that have the same names."""
    return all(getattr(a, name) == getattr(b, name) for name in _FACTS)


def _regions(a: Region, b: Region, pairs: dict[Value, Value]) -> bool:
    same = _define(pairs, a.params, b.params) and _blocks(a.ops, b.ops, pairs)
    return same and _atoms(a.results, b.results, pairs)


def _blocks(a: Sequence[Op], b: Sequence[Op], pairs: dict[Value, Value]) -> bool:
    return len(a) == len(b) and all(_ops(p, q, pairs) for p, q in zip(a, b))


def _ops(a: Op, b: Op, pairs: dict[Value, Value]) -> bool:
    if a.prim is not b.prim or (a.style, a.role, a.origin) != (b.style, b.role, b.origin):
        return False
    if not _atoms(a.inputs, b.inputs, pairs) or not _same(dict(a.attrs), dict(b.attrs)):
        return False
    if len(a.regions) != len(b.regions) or not all(_regions(p, q, pairs) for p, q in zip(a.regions, b.regions)):
        return False
    return _define(pairs, a.outputs, b.outputs)


def _define(pairs: dict[Value, Value], ours: Sequence[Value], theirs: Sequence[Value]) -> bool:
    pairs.update(zip(ours, theirs))
    return [_described(v) for v in ours] == [_described(v) for v in theirs]


def _described(value: Value) -> Any:
    known = (value.type.dim, value.type.count) if isinstance(value.type, Array) else None
    return value.hint, value.type, known


def _atoms(ours: Sequence[Atom], theirs: Sequence[Atom], pairs: Mapping[Value, Value]) -> bool:
    return len(ours) == len(theirs) and all(_atom(a, b, pairs) for a, b in zip(ours, theirs))


def _atom(a: Atom, b: Atom, pairs: Mapping[Value, Value]) -> bool:
    if isinstance(a, Value):
        return pairs.get(a) is b
    if isinstance(a, Const) and isinstance(b, Const):
        return _same(a.value, b.value) and a.text == b.text
    return type(a) is type(b) and a.type == b.type


def _same(a: Any, b: Any) -> bool:
    """Whether two static attributes are equal; what cannot be compared is equal to itself alone."""
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(map(_same, a.values(), b.values()))
    if isinstance(a, slice):
        return _same((a.start, a.stop, a.step), (b.start, b.stop, b.step))
    if isinstance(a, ast.AST):
        return ast.dump(a) == ast.dump(b)
    if isinstance(a, (np.generic, np.ndarray)):
        return bool(a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes())
    if isinstance(a, (float, complex)):
        return repr(a) == repr(b)
    return isinstance(a, _PLAIN) and bool(a == b)


_PLAIN = (str, bytes, bool, int, np.dtype, Dim, Slot)

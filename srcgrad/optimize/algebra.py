"""Rewrites of single ops: the algebra in the comment of each case is its proof.

Each rule sees one op and the ops that made its inputs, and answers with a simpler value or None.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir.indexing import selects_once
from ..ir.nodes import Atom, Const, Op, Value
from ..ir.primitive import named
from ..ir.symbolic import Sym, apply, cast
from ..ir.types import Array

if TYPE_CHECKING:
    from .simplify import Simplifier

Rule = Callable[["Context"], Any]
_RULES: dict[str, list[Rule]] = {}


def rule(*names: str) -> Callable[[Rule], Rule]:
    def add(function: Rule) -> Rule:
        for name in names:
            _RULES.setdefault(name, []).append(function)
        return function

    return add


def rewrite(builder: Simplifier, op: Op) -> Atom | None:
    """The first rule that applies, as long as dtype and axes stay what they were."""
    if op.prim.filled(op.attrs):  # `np.sum(x, where=mask)` is not the sum that the identities speak of
        return None
    for each in _RULES.get(op.prim.name, ()):
        result = each(Context(builder, op))
        if result is not None:
            return _conform(builder, result, op.outputs[0])
    return None


def _conform(builder: Simplifier, result: Any, target: Value) -> Atom:
    """The same dtype and axes as before the rewrite."""
    from ..rules.internal import broadcast

    sym = result if isinstance(result, Sym) else Sym(builder, Const(result))
    assert isinstance(target.type, Array)
    sym = broadcast(sym, target.type.axes)
    if sym.dtype != target.type.dtype:
        sym = _typed(sym, target.type) if sym.const is not None else cast(sym, target.type.dtype)
    return sym.atom


def _typed(sym: Sym, type: Array) -> Sym:
    value = type.dtype.type(sym.const)
    return Sym(sym.builder, Const(value.item() if type.dtype == np.dtype(float) else value))


class Context:
    """One op under the rules' eyes."""

    def __init__(self, builder: Simplifier, op: Op):
        self.builder, self.op = builder, op
        self.args = [Sym(builder, atom) for atom in op.inputs]

    def made(self, x: Sym, name: str) -> list[Sym] | None:
        """The inputs of the op that made `x`, if it is a `name`."""
        op = self.builder.made.get(x.atom) if isinstance(x.atom, Value) else None
        if op is None or op.prim.name != name or op.prim.filled(op.attrs):
            return None
        return [Sym(self.builder, atom) for atom in op.inputs]

    def attrs(self, x: Sym) -> Any:
        assert isinstance(x.atom, Value)
        return self.builder.made[x.atom].attrs

    def full(self, x: Sym) -> bool:
        """Whether `x` alone has all the result's axes, so that nothing else need be broadcast."""
        type = self.op.outputs[0].type
        assert isinstance(type, Array)
        return self.builder.facts.same_axes(x.type.axes, type.axes)

    def same_type(self, x: Sym) -> bool:
        type = self.op.outputs[0].type
        assert isinstance(type, Array)
        return x.dtype == type.dtype and self.full(x)

    def negated(self, x: Sym) -> Sym | None:
        """`a`, where `x` is `-a`."""
        inner = self.made(x, "np.negative")
        return inner[0] if inner else None

    def scaled(self, x: Sym) -> tuple[Any, Sym] | None:
        """(c, a), where `x` is `c * a` with a Python constant c."""
        inner = self.made(x, "np.multiply")
        if inner and _weak(inner[0]):
            return inner[0].const, inner[1]
        return None

    def factored(self, x: Sym) -> tuple[Any, Callable[[], Sym]] | None:
        """(c, how to make a), where `x` is `c * a`, looking through the backward sweep's divisions."""
        if inner := self.scaled(x):
            return inner[0], lambda: inner[1]
        parts = self.made(x, "np.divide")
        if parts is None or not adjoint(self, x):
            return None
        top, bottom = parts
        k, m = self.factored(top), self.factored(bottom)
        if k is None and m is None:
            return None
        c = (k[0] if k else 1) / (m[0] if m else 1)
        return c, lambda: (k[1]() if k else top) / (m[1]() if m else bottom)


_BETWEEN = 16  # so many additions are looked through


def _weak(x: Sym) -> bool:
    return type(x.const) in (int, float)


def _is_zeros(c: Context, x: Sym) -> bool:
    return x.const == 0 or c.made(x, "zeros") is not None


# A broadcast that an elementwise op makes anyway: f(broadcast(a), b) = f(a, b) where b is full size.
@rule("np.multiply", "np.add", "np.subtract", "np.divide", "np.where")
def drop_broadcast(c: Context) -> Any:
    for position, x in enumerate(c.args):
        inner = c.made(x, "broadcast")
        others = [a for i, a in enumerate(c.args) if i != position]
        if inner and any(c.full(a) and not (c.made(a, "broadcast")) for a in others):
            atoms = [a.atom for a in c.args]
            if any(a.dtype == c.op.outputs[0].type.dtype for a in others if c.full(a)):  # type: ignore[union-attr]
                atoms[position] = _plain_constant(c, inner[0])
            elif any(a.dtype.kind in "fc" and not a.type.weak for a in others) and inner[0].type.weak:
                # float32 beside a Python number would stay float32, where the array of numbers made it float64
                one = c.op.prim.name == "np.multiply" and inner[0].const == 1
                return cast(others[0], c.op.outputs[0].type.dtype) if one else None  # type: ignore[union-attr]
            else:  # a mask beside it would leave the result's dtype to the number
                atoms[position] = inner[0].atom
            return _again(c, atoms)
    return None


def _plain_constant(c: Context, x: Sym) -> Atom:
    """A NumPy scalar beside an array of its own dtype may be computed as a Python number."""
    weak = _weakened(c, x)
    return x.atom if weak is None else weak.atom


def _weakened(c: Context, x: Sym) -> Sym | None:
    """`x` in Python's arithmetic, if it is made of constants and lengths alone."""
    if isinstance(x.const, np.floating):
        return Sym(c.builder, Const(x.const.item()))
    if x.type.weak:
        return x
    for name in ("np.multiply", "np.divide", "np.negative"):
        inner = c.made(x, name)
        parts = [_weakened(c, part) for part in inner] if inner and adjoint(c, x) else [None]
        if all(part is not None for part in parts):
            return apply(c.builder, named(name), parts, {}, style="operator")  # type: ignore[no-any-return]
    return None


def _again(c: Context, atoms: list[Atom]) -> Any:
    out = c.op.outputs[0]
    (value,) = c.builder.append(c.op.prim, atoms, [out.type], c.op.attrs, hint=out.hint, style=c.op.style)
    return Sym(c.builder, value)


# f(broadcast(a)) = broadcast(f(a)): work on the small array.
@rule("np.negative")
def inside_broadcast(c: Context) -> Any:
    inner = c.made(c.args[0], "broadcast")
    return -inner[0] if inner else None


# f(broadcast(a), b) = broadcast(f(a, b)) for numbers a and b.
@rule("np.multiply", "np.divide", "np.add", "np.subtract")
def numbers_in_broadcast(c: Context) -> Any:
    small = []
    for x in c.args:
        inner = c.made(x, "broadcast")
        small.append(inner[0] if inner and inner[0].ndim == 0 else x)
    if any(x.ndim for x in small) or not any(x.ndim for x in c.args):
        return None
    return apply(c.builder, c.op.prim, small, {}, style="operator")


# A view of an array of equal numbers is a smaller or larger array of equal numbers; and views commute with signs.
@rule("np.expand_dims", "np.squeeze", "np.reshape", "np.transpose", "np.swapaxes")
def view_of_broadcast(c: Context) -> Any:
    (x, *_) = c.args
    inner = c.made(x, "broadcast")
    if inner and inner[0].ndim == 0:
        return inner[0]
    n = c.negated(x)
    if n is not None and c.op.prim.name != "np.reshape":
        return -Sym(c.builder, _view(c, n))
    return None


def _view(c: Context, x: Sym) -> Value:
    out = c.op.outputs[0]
    (value,) = c.builder.append(c.op.prim, [x.atom, *c.op.inputs[1:]], [out.type], c.op.attrs, style=c.op.style)
    return value


@rule("np.multiply")
def multiply(c: Context) -> Any:
    a, b = c.args
    if a.const == 1 and c.same_type(b):  # 1 b = b
        return b
    if b.const == 1 and c.same_type(a):  # a 1 = a
        return a
    if b.const is not None and a.const is None:  # constants first
        return b * a
    if _weak(a) and a.const == -1 and b.dtype.kind != "b":  # -1 b = -b, which no truth value has
        return -b
    if _weak(a) and (inner := c.scaled(b)):  # c (k x) = (c k) x
        return (a.const * inner[0]) * inner[1]
    if _weak(a) and b.ndim == 0 and (over := c.made(b, "np.divide")) and _weak(over[0]) and adjoint(c, b):
        return (a.const * over[0].const) / over[1]  # c (k / n) = (c k) / n
    if a.ndim == 0 and b.ndim and _is_cotangent(a) and (inner := c.scaled(b)) and adjoint(c, b):
        return (inner[0] * a) * inner[1]  # s (k x) = (k s) x: one multiplication of the array
    if _weak(a) and (k := c.factored(b)) and abs(a.const * k[0]) == 1:
        return (a.const * k[0]) * k[1]()
    if (
        _weak(a) and np.isreal(a.const) and np.real(a.const) < 0
    ):  # (-c) b = -(c b): signs move outwards, where they meet a sum
        return -(-a.const * b)
    if (over := _unit_fraction(c, a, b)) is not None:  # (c / n) b = (c b) / n
        return over
    if (k := c.factored(a)) and (m := c.factored(b)) and (abs(k[0] * m[0]) == 1 or (c.scaled(a) and c.scaled(b))):
        return (k[0] * m[0]) * (k[1]() * m[1]())  # (k a) (m b) = (k m) (a b)
    if (n := c.negated(a)) is not None:  # (-a) b = -(a b)
        return -(n * b)
    if (n := c.negated(b)) is not None:  # a (-b) = -(a b)
        return -(a * n)
    return None


def _unit_fraction(c: Context, a: Sym, b: Sym) -> Any:
    """`b` times a constant over a number, as a mean's derivative has it: `2 * e / n` rather than `1 / n * (2 * e)`."""
    inner = c.made(a, "np.divide")
    if inner is None or a.ndim or not b.ndim or not _weak(inner[0]) or not c.full(b) or not adjoint(c, a):
        return None
    if (k := c.scaled(b)) and c.same_type(b):  # numbers first: one multiplication of the array
        return (inner[0].const * k[0] / inner[1]) * k[1]
    if b.dtype == np.bool_ and c.op.outputs[0].type.dtype == np.float64 and inner[0].const == 1:  # type: ignore[union-attr]
        return b / inner[1]
    if not c.same_type(b) or abs(inner[0].const) != 1:
        return None
    return b / inner[1] if inner[0].const == 1 else -(b / inner[1])


@rule("np.divide")
def divide(c: Context) -> Any:
    a, b = c.args
    if b.const == 1 and c.same_type(a):  # a / 1 = a
        return a
    if (n := c.negated(a)) is not None:  # (-a) / b = -(a / b)
        return -(n / b)
    if (inner := c.scaled(a)) and inner[0] == 1:  # (1 x) / b = x / b, where 1 x is there for its type only
        return inner[1] / b
    if _weak(b) and (inner := c.scaled(a)) and float(inner[0] / b.const).is_integer():  # (k x) / c = (k / c) x
        return (inner[0] / b.const) * inner[1]
    if (inner := c.scaled(b)) and _weak(a) and float(a.const / inner[0]) in (1.0, 0.5, 0.25):  # c / (k x)
        return (a.const / inner[0]) / inner[1]
    return None


@rule("np.add")
def add(c: Context) -> Any:
    a, b = c.args
    if _is_zeros(c, a) and c.same_type(b):  # 0 + b = b
        return b
    if _is_zeros(c, b) and c.same_type(a):  # a + 0 = a
        return a
    if a.atom is b.atom:  # a + a = 2 a
        return 2 * a
    if (n := c.negated(b)) is not None:  # a + (-b) = a - b
        return a - n
    if (n := c.negated(a)) is not None:  # (-a) + b = b - a
        return b - n
    return None


@rule("np.subtract")
def subtract(c: Context) -> Any:
    a, b = c.args
    if _is_zeros(c, b) and c.same_type(a):  # a - 0 = a
        return a
    if _is_zeros(c, a) and c.same_type(b):  # 0 - b = -b
        return -b
    if (n := c.negated(b)) is not None:  # a - (-b) = a + b
        return a + n
    return None


@rule("np.negative")
def negative(c: Context) -> Any:
    (x,) = c.args
    if x.const is not None:
        return -x.const
    if (n := c.negated(x)) is not None:  # -(-x) = x
        return n
    if (inner := c.scaled(x)) and inner[0] < 0:  # -(-k x) = k x
        return -inner[0] * inner[1]
    if (inner_sub := c.made(x, "np.subtract")) and adjoint(c, x):  # -(a - b) = b - a
        return inner_sub[1] - inner_sub[0]
    return None


def _is_cotangent(x: Sym) -> bool:
    return isinstance(x.atom, Value) and (x.atom.hint or "").startswith("d_")


def adjoint(c: Context, x: Sym) -> bool:
    made = c.builder.made.get(x.atom) if isinstance(x.atom, Value) else None  # parameters are made by no op
    return made is not None and made.role != "primal"


@rule("np.power")
def power(c: Context) -> Any:
    x, n = c.args
    return x if n.const == 1 and c.same_type(x) else None  # x^1 = x


@rule("np.sum")
def sum_of(c: Context) -> Any:
    (x,) = c.args
    if x.ndim == 0:
        return x
    if (n := c.negated(x)) is not None:  # sum(-x) = -sum(x)
        return -np.sum(n, **c.op.attrs)
    if (inner := c.scaled(x)) and adjoint(c, x):  # sum(k x) = k sum(x)
        return inner[0] * np.sum(inner[1], **c.op.attrs)
    if (swapped := _sum_of_broadcast(c, x)) is not None:
        return swapped
    if (outside := _constant_along(c, x)) is not None:
        return outside
    broadcast_from = c.made(x, "broadcast")
    if broadcast_from and broadcast_from[0].ndim == 0 and not c.op.attrs:  # n equal terms
        return x.size * broadcast_from[0]
    return None


def _constant_along(c: Context, x: Sym) -> Any:
    """sum(a / b) = sum(a) / b, where `b` does not vary along the summed axis; likewise for a product."""
    axis = c.op.attrs.get("axis")
    if not isinstance(axis, int) or not c.op.attrs.get("keepdims") or not adjoint(c, x):
        return None
    for name in ("np.divide", "np.multiply"):
        inner = c.made(x, name)
        if inner and all(a.ndim == x.ndim for a in inner):
            for a, b in (inner, inner[::-1]) if name == "np.multiply" else (inner,):
                if c.builder.facts.is_one(b.type.axes[axis]) and not c.builder.facts.is_one(a.type.axes[axis]):
                    total = np.sum(a, **c.op.attrs)
                    return total / b if name == "np.divide" else total * b
    return None


@rule("np.matmul")
def product_of_negated(c: Context) -> Any:
    """(-A) B = A (-B) = -(A B)"""
    a, b = c.args
    if (n := c.negated(a)) is not None:
        return -(n @ b)
    if (n := c.negated(b)) is not None:
        return -(a @ n)
    return None


def _sum_of_broadcast(c: Context, x: Sym) -> Any:
    """sum(broadcast(a)) = broadcast(sum(a)) where `a` has the summed axis itself."""
    inner, axis = c.made(x, "broadcast"), c.op.attrs.get("axis")
    if inner is None or not isinstance(axis, int) or inner[0].ndim != x.ndim:
        return None
    a, facts = inner[0], c.builder.facts
    return np.sum(a, **c.op.attrs) if facts.same(a.type.axes[axis], x.type.axes[axis]) else None


@rule("np.transpose")
def transpose_product(c: Context) -> Any:
    """(A B)^T = B^T A^T"""
    (x,) = c.args
    inner = c.made(x, "np.matmul")
    if inner is None or not adjoint(c, x) or c.op.attrs.get("axes") or any(a.ndim != 2 for a in inner):
        return None
    a, b = inner
    return b.T @ a.T if c.made(a, "np.transpose") or c.made(b, "np.transpose") else None


@rule("astype")
def astype(c: Context) -> Any:
    (x,) = c.args
    if c.same_type(x) and not x.type.weak:
        return x
    if x.const is not None and x.ndim == 0:
        return x.const
    inner = c.made(x, "broadcast")
    if inner and inner[0].const is not None:  # cast the constant, then broadcast
        from ..rules.internal import broadcast

        return broadcast(_typed(inner[0], replace(c.op.outputs[0].type, axes=())), x.type.axes)  # type: ignore[arg-type]
    return None


@rule("np.transpose")
def transpose(c: Context) -> Any:
    (x,) = c.args
    inner = c.made(x, "np.transpose")
    if inner is None:
        return None
    ndim = x.ndim
    first = c.attrs(x).get("axes") or tuple(range(ndim))[::-1]
    second = c.op.attrs.get("axes") or tuple(range(ndim))[::-1]
    axes = tuple(first[axis] for axis in second)
    return inner[0] if axes == tuple(range(ndim)) else np.transpose(inner[0], axes)


@rule("np.swapaxes")
def swapaxes(c: Context) -> Any:
    (x,) = c.args
    inner = c.made(x, "np.swapaxes")
    same = inner is not None and c.attrs(x) == c.op.attrs
    return inner[0] if same and inner is not None else None


@rule("np.squeeze")
def squeeze_sum(c: Context) -> Any:
    """Summing without keeping the axes that are dropped afterwards."""
    (x,) = c.args
    inner = c.made(x, "np.sum")
    if inner is None or not adjoint(c, x):
        return None
    attrs = dict(c.attrs(x))
    if not attrs.get("keepdims") or attrs.get("axis") is None:
        return None
    summed, dropped = ({a % x.ndim for a in _axes(axis)} for axis in (attrs["axis"], c.op.attrs.get("axis")))
    if summed != dropped:
        return None
    return np.sum(inner[0], **{key: value for key, value in attrs.items() if key != "keepdims"})


def _axes(axis: Any) -> tuple[int, ...]:
    return axis if isinstance(axis, tuple) else () if axis is None else (axis,)


@rule("np.reshape", "np.squeeze", "np.expand_dims")
def reshape_back(c: Context) -> Any:
    """Reshaping there and back again, in one order of the elements, is nothing."""
    (x, *_) = c.args
    for name in ("np.reshape", "np.squeeze", "np.expand_dims", "np.ravel"):
        inner = c.made(x, name)
        if inner and c.same_type(inner[0]) and _order(c.op.attrs) == _order(c.attrs(x)):
            return inner[0]
    return x if c.same_type(x) else None


def _order(attrs: Any) -> Any:
    return attrs.get("order", "C")


@rule("broadcast")
def rebroadcast(c: Context) -> Any:
    (x, *_) = c.args
    if c.same_type(x):
        return x
    inner = c.made(x, "broadcast")
    if inner and adjoint(c, x) and (inner[0].ndim == 0 or inner[0].ndim == len(c.op.attrs["shape"])):
        return _again(c, [inner[0].atom])
    return None


@rule("index_add")
def restored(c: Context) -> Any:
    """A part taken out, cleared, and put back: `a[i] += v` leaves the cotangent of `a` as it was."""
    found = _cleared(c)
    if found is None:
        return None
    cleared, between = found
    d, *dynamic = c.args[1:]
    taken = c.made(d, "np.copy") or [d]
    part = c.made(taken[0], "getitem")
    if not part or part[0].atom is not cleared[0].atom or c.attrs(taken[0])["index"] != c.op.attrs["index"]:
        return None
    if [x.atom for x in part[1:]] != [x.atom for x in dynamic]:
        return None
    return _added_again(c, cleared[0].atom, between)


@rule("index_add")
def put_after_clearing(c: Context) -> Any:
    """Adding to a part that has been cleared is setting it."""
    found = _cleared(c)
    d, *dynamic = c.args[1:]
    index = c.op.attrs["index"]
    if found is None or not selects_once(index, [x.type for x in dynamic]):
        return None
    cleared, between = found
    atoms = [cleared[0].atom, d.atom, *(x.atom for x in dynamic)]
    (value,) = c.builder.apply(named("index_set"), atoms, {"index": index}, hint=c.op.outputs[0].hint)
    return _added_again(c, value, between)


def _cleared(c: Context) -> tuple[list[Sym], list[Op]] | None:
    """What cleared the part that this op adds to, and the additions to other parts in between: sums commute."""
    base, _, *dynamic = c.args
    between: list[Op] = []
    while c.made(base, "index_add") is not None and isinstance(base.atom, Value) and len(between) < _BETWEEN:
        between.append(c.builder.made[base.atom])
        base = Sym(c.builder, between[-1].inputs[0])
    cleared = c.made(base, "index_set")
    if not cleared or cleared[1].const != 0 or c.attrs(base)["index"] != c.op.attrs["index"]:
        return None
    if any(op not in c.builder.ops for op in between):  # of the region around: it would be added again in every pass
        return None
    return (cleared, between) if [x.atom for x in dynamic] == [x.atom for x in cleared[2:]] else None


def _added_again(c: Context, base: Atom, additions: list[Op]) -> Sym:
    for op in reversed(additions):
        (value,) = op.outputs
        (base,) = c.builder.append(op.prim, (base, *op.inputs[1:]), [value.type], op.attrs, hint=value.hint)
    return Sym(c.builder, base)


@rule("index_add")
def distinct_rows(c: Context) -> Any:
    """An index that counts the rows, `d[np.arange(n), labels]`, selects no element twice."""
    dynamic = c.args[2:]
    if c.op.attrs.get("distinct") or not isinstance(c.op.attrs["index"], tuple):
        return None
    if {x.ndim for x in dynamic} - {0} != {1} or not any(c.made(x, "np.arange") is not None for x in dynamic):
        return None
    out = c.op.outputs[0]
    attrs = {**c.op.attrs, "distinct": True}
    (value,) = c.builder.append(c.op.prim, c.op.inputs, [out.type], attrs, hint=out.hint)
    return Sym(c.builder, value)


@rule("index_add")
def first_scatter(c: Context) -> Any:
    """Adding to zeros at distinct elements is setting them."""
    base, d, *dynamic = c.args
    index = c.op.attrs["index"]
    if c.made(base, "zeros") is None or not (
        c.op.attrs.get("distinct") or selects_once(index, [x.type for x in dynamic])
    ):
        return None
    atoms = [base.atom, d.atom, *(x.atom for x in dynamic)]
    (value,) = c.builder.apply(named("index_set"), atoms, {"index": index}, hint=c.op.outputs[0].hint)
    return Sym(c.builder, value)


@rule("index_set", "index_add")
def scatter_constant(c: Context) -> Any:
    """Assignment broadcasts by itself."""
    base, d, *dynamic = c.args
    inner = c.made(d, "broadcast")
    return _again(c, [base.atom, _plain_constant(c, inner[0]), *(x.atom for x in dynamic)]) if inner else None

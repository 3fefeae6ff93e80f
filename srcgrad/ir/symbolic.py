"""Symbols that behave like arrays: NumPy code run on them builds IR.

A derivative rule is ordinary NumPy. Called on arrays it computes; called on `Sym`s it appends ops to a builder,
through `__array_ufunc__` and `__array_function__`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import Unsupported
from .builder import Builder
from .dims import Dim, as_dim, product
from .nodes import Atom, Const, Slot, Value
from .primitive import Primitive, bind, find, named
from .types import Array

# Array methods and the functions they stand for; the frontend reads the same table.
METHODS: dict[str, Any] = {
    "all": np.all, "any": np.any, "argmax": np.argmax, "argmin": np.argmin, "argsort": np.argsort,
    "clip": np.clip, "conj": np.conjugate, "conjugate": np.conjugate, "copy": np.copy, "cumprod": np.cumprod,
    "cumsum": np.cumsum, "diagonal": np.diagonal, "dot": np.dot, "max": np.max, "mean": np.mean, "min": np.min,
    "nonzero": np.nonzero, "prod": np.prod, "ravel": np.ravel, "flatten": np.ravel, "repeat": np.repeat,
    "round": np.round, "squeeze": np.squeeze, "std": np.std, "sum": np.sum, "swapaxes": np.swapaxes,
    "argpartition": np.argpartition, "searchsorted": np.searchsorted, "choose": np.choose,
    "take": np.take, "trace": np.trace, "var": np.var, "ptp": np.ptp,
}  # fmt: skip

OPERATORS: dict[str, Any] = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.divide, "floordiv": np.floor_divide,
    "mod": np.remainder, "pow": np.power, "matmul": np.matmul, "and": np.bitwise_and, "or": np.bitwise_or,
    "xor": np.bitwise_xor, "lshift": np.left_shift, "rshift": np.right_shift,
    "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal,
    "eq": np.equal, "ne": np.not_equal,
}  # fmt: skip

UNARY: dict[str, Any] = {"neg": np.negative, "pos": np.positive, "invert": np.invert, "abs": np.absolute}


class Sym:
    """An IR value (or constant) inside a derivative rule, with an array's manners."""

    if TYPE_CHECKING:  # installed below, from the tables of operators

        def __add__(self, other: Any) -> Sym: ...
        def __sub__(self, other: Any) -> Sym: ...
        def __mul__(self, other: Any) -> Sym: ...
        def __truediv__(self, other: Any) -> Sym: ...
        def __pow__(self, other: Any) -> Sym: ...
        def __matmul__(self, other: Any) -> Sym: ...
        def __radd__(self, other: Any) -> Sym: ...
        def __rsub__(self, other: Any) -> Sym: ...
        def __rmul__(self, other: Any) -> Sym: ...
        def __rtruediv__(self, other: Any) -> Sym: ...
        def __neg__(self) -> Sym: ...
        def __ne__(self, other: object) -> Sym: ...  # type: ignore[override]

    __slots__ = ("atom", "builder")
    __iter__ = None  # its length is a symbol: without this, Python would count up for ever
    __array_priority__ = 1000
    __hash__ = object.__hash__

    def __init__(self, builder: Builder, atom: Atom):
        self.builder, self.atom = builder, atom

    @property
    def type(self) -> Array:
        type = self.atom.type
        if not isinstance(type, Array):
            raise Unsupported(f"{type} where an array is needed")
        return type

    @property
    def const(self) -> Any:
        """The number this is, or None if it is not a constant."""
        return self.atom.value if isinstance(self.atom, Const) else None

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.type.dtype

    @property
    def ndim(self) -> int:
        return self.type.ndim

    @property
    def shape(self) -> tuple[Any, ...]:
        """Lengths as `Dim`s; those known to be numbers as ints, so that `x.shape[0] == 1` decides."""
        return tuple(_plain(self.builder.facts.canon(dim)) for dim in self.type.axes)

    @property
    def size(self) -> Any:
        return _plain(product(self.builder.facts.canon(dim) for dim in self.type.axes))

    @property
    def T(self) -> Sym:
        return self if self.ndim < 2 else _one(self, np.transpose)

    @property
    def mT(self) -> Sym:
        return _one(self, np.swapaxes, -1, -2)

    @property
    def real(self) -> Sym:
        return _one(self, np.real)

    @property
    def imag(self) -> Sym:
        return _one(self, np.imag)

    def reshape(self, *shape: Any) -> Sym:
        return _one(self, np.reshape, shape[0] if len(shape) == 1 else shape)

    def transpose(self, *axes: Any) -> Sym:
        axes = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
        return _one(self, np.transpose, **({"axes": tuple(axes)} if axes else {}))

    def astype(self, dtype: Any) -> Sym:
        return cast(self, np.dtype(dtype))

    def __getitem__(self, index: Any) -> Sym:
        template, dynamic = split_index(index)
        atoms = [self.atom, *(_atom(self.builder, item) for item in dynamic)]
        (value,) = self.builder.apply(named("getitem"), atoms, {"index": template}, style="operator")
        return Sym(self.builder, value)

    def __getattr__(self, name: str) -> Any:
        if name in METHODS:
            return lambda *args, **kwargs: apply(self.builder, METHODS[name], (self, *args), kwargs)
        raise AttributeError(f"a symbolic array has no attribute {name!r}")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method != "__call__":
            raise Unsupported(f"np.{ufunc.__name__}.{method} in a derivative rule")
        return apply(self.builder, ufunc, inputs, kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return apply(self.builder, func, args, kwargs)

    def __bool__(self) -> bool:
        if self.const is None:
            raise Unsupported("a derivative rule branches on a value that is known only while running")
        return bool(self.const)

    def __repr__(self) -> str:
        return f"Sym({self.atom!r})"


def _one(x: Sym, function: Any, *args: Any, **kwargs: Any) -> Sym:
    result: Sym = apply(x.builder, function, (x, *args), kwargs)
    return result


def _install_operators() -> None:
    def binary(function: Any, swap: bool) -> Callable[[Sym, Any], Any]:
        def operator(self: Sym, other: Any) -> Any:
            pair = (other, self) if swap else (self, other)
            return apply(self.builder, function, pair, {}, style="operator")

        return operator

    def unary(function: Any) -> Callable[[Sym], Any]:
        return lambda self: apply(self.builder, function, (self,), {}, style="operator")

    for name, function in OPERATORS.items():
        setattr(Sym, f"__{name}__", binary(function, swap=False))
        setattr(Sym, f"__r{name}__", binary(function, swap=True))
    for name, function in UNARY.items():
        setattr(Sym, f"__{name}__", unary(function))


_install_operators()


def apply(
    builder: Builder, function: Any, args: Sequence[Any], kwargs: Mapping[str, Any], style: str = "function"
) -> Any:
    """Call a NumPy function, or a primitive by itself, on symbols: append its op."""
    prim = function if isinstance(function, Primitive) else find(function)
    if prim is None:
        raise Unsupported(f"{getattr(function, '__name__', function)} has no rule")
    operands, attrs = bind(prim, args, kwargs)
    atoms = [_atom(builder, operand) for operand in operands]
    folded = _fold(prim, atoms, attrs, style)
    if folded is not None:
        return Sym(builder, folded)
    values = builder.apply(prim, atoms, attrs, style=style)
    symbols = tuple(Sym(builder, value) for value in values)
    return symbols if len(symbols) > 1 else symbols[0]


def _fold(prim: Primitive, atoms: Sequence[Atom], attrs: Mapping[str, Any], style: str) -> Const | None:
    """Arithmetic on constants happens now; `np.pi / 2` and the like were spelled by the user and stay."""
    if style != "operator" or prim.fn is None or not all(isinstance(a, Const) for a in atoms):
        return None
    values = [a.value for a in atoms if isinstance(a, Const)]
    with np.errstate(all="ignore"):
        result = prim.fn(*values, **attrs)
    weak = all(not isinstance(v, np.generic) for v in values)
    return Const(result.item() if weak and isinstance(result, np.generic) else result)


def cast(x: Sym, dtype: np.dtype[Any]) -> Sym:
    """`x` with another dtype; nothing where it has it."""
    if x.dtype == dtype:
        return x
    (value,) = x.builder.apply(named("astype"), [x.atom], {"dtype": dtype}, style="method")
    return Sym(x.builder, value)


def split_index(index: Any) -> tuple[Any, list[Any]]:
    """An index as a static template and the run-time parts that fill its slots."""
    dynamic: list[Any] = []

    def part(item: Any) -> Any:
        if isinstance(item, slice):
            return slice(part(item.start), part(item.stop), part(item.step))
        if isinstance(item, tuple):
            return tuple(part(entry) for entry in item)
        if item is None or item is Ellipsis or isinstance(item, (int, np.integer, Slot)):
            return item if not isinstance(item, np.integer) else int(item)
        dynamic.append(item)
        return Slot(len(dynamic))

    return part(index), dynamic


def _atom(builder: Builder, operand: Any) -> Atom:
    if isinstance(operand, Sym):
        return operand.atom
    if isinstance(operand, (Value, Const)):
        return operand
    if isinstance(operand, Dim):
        if operand.constant is not None:
            return Const(operand.constant)
        (value,) = builder.apply(named("dim"), [], {"dim": operand})
        return value
    if isinstance(operand, (int, float, complex, np.generic)):
        return Const(operand)
    raise Unsupported(f"{type(operand).__name__} as an operand of a derivative rule")


def _plain(dim: Dim) -> Any:
    return dim if dim.constant is None else dim.constant


def shape_attr(shape: Any) -> tuple[Dim, ...]:
    """A shape given as an int, a Dim, or a sequence of them."""
    entries = shape if isinstance(shape, (tuple, list)) else (shape,)
    return tuple(as_dim(entry) for entry in entries)

"""`Parameter`: an array that is trained, with its gradient beside it."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator
from typing import Any, Self

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import ArrayLike, DTypeLike, NDArray

from srcgrad.runtime.device import as_array_beside, converted, cupy_ndarray, destination, device_of, on_host
from srcgrad.runtime.device import device as Device

Array = NDArray[Any]

# Array methods that write to the array they belong to.
_WRITERS = frozenset({"fill", "partition", "put", "resize", "setfield", "sort"})


# What PyTorch's tensors have under these names, and how it is said here.
_ELSEWHERE = {
    "backward": "it has no history; call out = f.forward(...), then out.backward()",
    "grad_fn": "it has no history; the result of f.forward(...) has one",
    "clone": "write p.data.copy()",
    "zero_": "write p.fill(0.0), or p.zero_grad() for the gradient",
    "fill_": "write p.fill(value)",
    "copy_": "write p.data = values",
    "add_": "write p += values",
    "sub_": "write p -= values",
    "mul_": "write p *= values",
    "view": "write p.data.reshape(...)",
    "numel": "write p.size",
    "dim": "write p.ndim",
}


class Parameter(NDArrayOperatorsMixin):
    """An array to be trained: `data`, the gradient `grad` (None until `backward`) and `requires_grad`.

    data : a float, a nested list of floats, or an array, of NumPy or (on a GPU) of CuPy. An array is wrapped, not
        copied: both share their memory (with a `dtype` that differs, a converted copy is wrapped). Floats and lists
        become float64, as in NumPy; PyTorch would make them float32, so pass `dtype=np.float32` for that.
    requires_grad : False freezes it, and integers and bools are then welcome.
    Raises TypeError for integers and bools that require a gradient, and for what holds no numbers;
    ValueError for a read-only array that requires a gradient, since no step could update it.

    Everywhere but there it is its array: operators, NumPy functions and array methods take it and give
    plain arrays, and nothing is recorded. `p -= lr * p.grad` and `p[0] = 1.0` write to the shared memory.

    So `==` compares elements, as it does for arrays and in PyTorch, while the hash is the object's own:
    parameters are good keys of dicts and members of sets, but `p in some_list` compares values (or raises).
    Ask `any(p is q for q in some_list)` there.
    """

    __slots__ = ("__weakref__", "_data", "_grad", "_requires_grad", "_version")

    def __init__(self, data: ArrayLike, requires_grad: bool = True, dtype: DTypeLike | None = None) -> None:
        self._data = _numeric_array(data, dtype)
        self._grad: Array | None = None
        self._version = 0
        self._requires_grad = False
        self.requires_grad = requires_grad

    @property
    def data(self) -> Array:
        """The array itself. Assigning copies values into it: whoever shares the memory sees them.

        Raises ValueError for another shape and TypeError for another dtype.
        """
        return self._data

    @data.setter
    def data(self, value: ArrayLike) -> None:
        if value is not self._data:  # it is, after `p.data -= step`
            self._data[...] = self._matching(value, "data")
        self.mark_changed()

    @property
    def grad(self) -> Array | None:
        """The gradient accumulated so far, or None. An assigned array is kept as it is, without a copy.

        Raises ValueError for a shape and TypeError for a dtype other than the parameter's.
        """
        return self._grad

    @grad.setter
    def grad(self, value: ArrayLike | None) -> None:
        self._grad = None if value is None else self._matching(value, "grad")

    def add_grad(self, gradient: ArrayLike) -> None:
        """Add to `grad`; the first gradient becomes `grad` itself. Raises as assigning `grad` does."""
        fitting = self._matching(gradient, "grad")
        if self._grad is None:
            self._grad = fitting
        else:
            self._grad += fitting

    @property
    def requires_grad(self) -> bool:
        """Whether `forward` differentiates with respect to this parameter."""
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, flag: bool) -> None:
        if flag:
            _check_trainable(self._data)
        self._requires_grad = bool(flag)

    def requires_grad_(self, flag: bool = True) -> Self:
        """Set `requires_grad` and return the parameter."""
        self.requires_grad = flag
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradient; with `set_to_none=False` fill it with zeros instead, where there is one."""
        if set_to_none:
            self._grad = None
        elif self._grad is not None:
            self._grad[...] = 0

    @property
    def version(self) -> int:
        """How often the values were written to through the parameter or an optimizer.

        `backward` compares it, to refuse where `forward` saw other values. Writes to elements of `data`,
        or to an array that shares its memory, are not seen.
        """
        return self._version

    def mark_changed(self) -> None:
        """Count a write to the values; who writes to `data` elements by hand may call it."""
        self._version += 1

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of every axis."""
        return self._data.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the elements."""
        return self._data.dtype

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self._data.ndim

    @property
    def size(self) -> int:
        """The number of elements."""
        return self._data.size

    @property
    def device(self) -> Device:
        """Where the array lives: "cpu", or "cuda:0" for an array of CuPy's."""
        return device_of(self._data)

    def to(self, *targets: Any, device: Any = None, dtype: DTypeLike | None = None) -> Self:
        """The parameter on a device, of a dtype, or both: `p.to("cuda")`, `p.to(np.float64)`, `p.to("cpu", "float32")`.

        Itself, where it is so already, else a new one, without its gradient, which no optimizer knows. A model changes
        in place, `model.to(...)`, so that its optimizer may be made before or after.
        Raises RuntimeError where there is no such device, which says what is missing; TypeError for integers that
        would require a gradient, and for complex values that would lose their imaginary parts.
        """
        there = converted(self._data, *destination(targets, device, dtype))
        return self if there is self._data else type(self)(there, self._requires_grad)

    def change(self, where: Device | None, dtype: np.dtype[Any] | None = None) -> None:
        """Give the array and its gradient another device or dtype, in place: whoever holds the parameter sees it.

        Who holds the array itself keeps the old one. Raises as `to` does; then nothing has changed.
        """
        there, grad = converted(self._data, where, dtype), converted(self._grad, where, dtype)
        if there.dtype != self._data.dtype:
            self.mark_changed()
        self._data, self._grad = there, grad

    def float(self) -> Self:
        """The parameter in float32, as `to(np.float32)`."""
        return self.to(np.float32)

    def double(self) -> Self:
        """The parameter in float64, as `to(np.float64)`."""
        return self.to(np.float64)

    def half(self) -> Self:
        """The parameter in float16, as `to(np.float16)`."""
        return self.to(np.float16)

    def cpu(self) -> Self:
        """The parameter on the CPU."""
        return self.to("cpu")

    def cuda(self, index: int = 0) -> Self:
        """The parameter on a GPU. Raises RuntimeError where there is none, as `to("cuda")` does."""
        return self.to(Device("cuda", index))

    def item(self) -> Any:
        """The only element, as a Python number. Raises ValueError where there are more."""
        return self._data.item()

    def numpy(self) -> Array:
        """The array itself, sharing memory. Raises TypeError for one on a GPU, which `p.cpu().numpy()` copies."""
        if self.device.type == "cuda":
            raise TypeError(f"the parameter is on {self.device}, and NumPy on the CPU: write p.cpu().numpy()")
        return self._data

    def detach(self) -> Array:
        """The array itself, sharing memory: outside a compiled function there is nothing to detach from."""
        return self._data

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> Array:
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        result = getattr(ufunc, method)(*_unwrap(inputs), **_unwrap(kwargs))
        targets = inputs[:1] if method == "at" else kwargs.get("out", ())
        for target in targets:
            _mark(target)
        if not any(isinstance(target, Parameter) for target in targets) or method == "at":
            return result
        # NumPy returns what it was given as `out`, and so does `p -= step`
        given = (result,) if len(targets) == 1 else result
        kept = tuple(t if isinstance(t, Parameter) else r for t, r in zip(targets, given, strict=True))
        return kept[0] if len(kept) == 1 else kept

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        result = function(*_unwrap(args), **_unwrap(kwargs))
        out = kwargs.get("out")
        if result is None and args:  # copyto, put, place, fill_diagonal: they write to their first argument
            _mark(args[0])
        _mark(out)
        return out if isinstance(out, Parameter) else result

    def __getattr__(self, name: str) -> Any:
        """Array attributes and methods, `p.T` or `p.sum(axis=0)`, as the array gives them."""
        if name.startswith("_"):  # pickle and copy probe for these before `_data` exists
            raise AttributeError(f"'Parameter' object has no attribute {name!r}")
        if name in _WRITERS:
            self.mark_changed()
        if name in _ELSEWHERE:
            raise AttributeError(
                f"'Parameter' object has no attribute {name!r}: {_ELSEWHERE[name]}", name=name, obj=self
            )
        return getattr(self._data, name)

    def __getitem__(self, key: Any) -> Any:
        return self._data[_unwrap(key)]

    def __setitem__(self, key: Any, value: Any) -> None:
        self._data[_unwrap(key)] = _unwrap(value)
        self.mark_changed()

    def __iter__(self) -> Iterator[Any]:
        return iter(self._data)

    def __len__(self) -> int:
        return len(self._data)

    def __bool__(self) -> bool:
        return bool(self._data)

    def __float__(self) -> builtins.float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __hash__(self) -> int:
        return object.__hash__(self)

    def __repr__(self) -> str:
        # continuation lines move right by the width of "Parameter("
        array = repr(self._data).replace("\n", "\n" + " " * 10)
        return f"Parameter({array}, requires_grad={self._requires_grad})"

    def __format__(self, spec: str) -> str:
        return format(on_host(self._data)[()], spec) if spec else str(self)

    def _matching(self, value: Any, what: str) -> Array:
        """`value` as an array of this parameter's shape and dtype; plain Python numbers take the dtype."""
        array: Array = as_array_beside(_unwrap(value), self._data)
        if not hasattr(value, "dtype"):
            array = array.astype(self.dtype, casting="same_kind")
        if array.shape != self.shape:
            raise ValueError(f"{what} of shape {array.shape} does not fit a parameter of shape {self.shape}")
        if array.dtype != self.dtype:
            raise TypeError(
                f"{what} of dtype {array.dtype} does not fit a parameter of dtype {self.dtype}: "
                f"convert it with .astype({str(self.dtype)!r})"
            )
        return array


def _numeric_array(data: Any, dtype: DTypeLike | None) -> Array:
    """`data` as a NumPy array, without a copy where it is one already."""
    if isinstance(data, np.ndarray) and type(data) not in (np.ndarray, np.memmap):
        raise TypeError(
            f"a {type(data).__name__} means more than its numbers, and a Parameter would forget that: "
            "pass the plain array, np.asarray(...)"
        )
    if type(data) is cupy_ndarray():
        array: Array = data if dtype is None else data.astype(dtype, copy=False)
    else:
        array = np.asarray(data, dtype=dtype)
    if array.dtype.kind not in "biufc":
        raise TypeError(f"a Parameter holds numbers, not {type(data).__name__} of dtype {array.dtype}")
    return array


def _check_trainable(array: Array) -> None:
    """Raise where no gradient step could change `array`."""
    if array.dtype.kind in "biu":
        raise TypeError(
            f"{array.dtype} values have no gradient: write floats (2.0, not 2), pass dtype=np.float64, "
            "or requires_grad=False"
        )
    if not getattr(array.flags, "writeable", True):
        raise ValueError("the array is read-only, so no step could update it: pass a copy, array.copy()")


def _unwrap(value: Any) -> Any:
    """`value` with every Parameter in it, inside lists, tuples and dicts too, replaced by its array."""
    if isinstance(value, Parameter):
        return value.data
    if type(value) in (list, tuple):
        return type(value)(map(_unwrap, value))
    if type(value) is dict:
        return {key: _unwrap(entry) for key, entry in value.items()}
    return value


def _mark(target: object) -> None:
    if isinstance(target, Parameter):
        target.mark_changed()

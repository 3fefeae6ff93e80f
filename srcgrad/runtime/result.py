"""`Result`: what `f.forward(...)` returns, a value that can be differentiated once."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from srcgrad.runtime.device import as_array_beside, is_array, namespace_of, on_host
from srcgrad.runtime.parameter import Parameter

Pullback = Callable[[Any], tuple[Any, ...]]


class Result:
    """The value of a compiled function, and, where it was recorded, the way back to its gradients.

    value : a number or array
    pullback : takes the cotangent of `value`, returns fresh gradients in the order of `parameters`; None
        where nothing was recorded. An attribute `saved`, where it has one, lists the arrays it kept.
    parameters : whose `.grad` the gradients are added to; None where the arguments were plain arrays, and
        `backward` returns the gradients instead
    grad_fn : the generated backward function, or anything with its name

    Comparisons look at the value, and NumPy functions take it as an array. Arithmetic is refused: no
    gradient would flow through it.
    """

    __slots__ = ("_grad_fn", "_parameters", "_pullback", "_value", "_versions")

    def __init__(
        self, value: Any, pullback: Pullback | None, parameters: Sequence[Parameter] | None, grad_fn: object
    ) -> None:
        self._value = value
        self._pullback = pullback
        self._parameters = None if parameters is None else tuple(parameters)
        self._grad_fn = None if pullback is None else grad_fn or pullback
        self._versions = tuple(parameter.version for parameter in self._parameters or ())

    @property
    def value(self) -> Any:
        """The value itself, a number or an array."""
        return self._value

    @property
    def grad_fn(self) -> Any:
        """The generated backward function; None where nothing was recorded."""
        return self._grad_fn

    @property
    def requires_grad(self) -> bool:
        """Whether the call was recorded, for `backward`."""
        return self._grad_fn is not None

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of every axis; () for a number."""
        return self._value.shape if is_array(self._value) else np.shape(self._value)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the elements; float64 for a Python float."""
        return self._value.dtype if is_array(self._value) else np.result_type(self._value)

    def item(self) -> Any:
        """The value as a Python number. Raises ValueError for more than one element."""
        return self._value.item() if hasattr(self._value, "item") else self._value

    def backward(self, gradient: ArrayLike | None = None, retain_graph: bool = False) -> tuple[Any, ...] | None:
        """Run the compiled backward half and add the gradients into the parameters' `.grad`.

        gradient : the cotangent to start from, shaped as the value; may be left out for a single element
        retain_graph : keep what was saved, for another `backward`
        Returns None, or the gradients where the arguments were plain arrays.
        Raises RuntimeError where nothing was recorded, what was saved is gone, or a parameter has changed.
        """
        pullback = self._recorded_pullback()
        self._check_unchanged(pullback)
        cotangent = self._cotangent(gradient)
        gradients = pullback(cotangent)
        if not retain_graph:
            self._pullback = None
        if self._parameters is None:
            return gradients
        for parameter, own in zip(self._parameters, _each_its_own(gradients, cotangent), strict=True):
            parameter.add_grad(own)
        return None

    def _recorded_pullback(self) -> Pullback:
        if self._pullback is not None:
            return self._pullback
        if self.requires_grad:
            raise RuntimeError(
                f"backward() a second time on one result: the first freed what {_name(self._grad_fn)} had "
                "saved. Call backward(retain_graph=True) the first time to keep it, or forward(...) again"
            )
        raise RuntimeError(
            "this result was not recorded, so there is nothing to differentiate: forward(...) ran under "
            "no_grad() or set_grad_enabled(False), or no argument is a Parameter with requires_grad=True"
        )

    def _check_unchanged(self, pullback: Pullback) -> None:
        """Raise where `backward` would mix values of two training steps."""
        for index, (parameter, version) in enumerate(zip(self._parameters or (), self._versions)):
            if parameter.version != version and _may_have_saved(pullback, parameter):
                raise RuntimeError(
                    f"parameter {index}, of shape {parameter.shape}, was modified in place after "
                    "forward(...), and backward() needs the old values: call backward() before the step, or "
                    "forward(...) again after it"
                )

    def _cotangent(self, gradient: ArrayLike | None) -> Any:
        value = self._value
        if gradient is None:
            if math.prod(self.shape) != 1:
                raise RuntimeError(
                    "grad can be implicitly created only for scalar outputs, and this one has shape "
                    f"{self.shape}: reduce it in the function (np.sum, np.mean), or pass "
                    "backward(gradient=...) of that shape"
                )
            return type(value)(1) if isinstance(value, (float, np.generic)) else namespace_of(value).ones_like(value)
        cotangent = as_array_beside(gradient, value)
        if cotangent.shape != self.shape:
            raise RuntimeError(f"gradient of shape {cotangent.shape} for a value of shape {self.shape}")
        return cotangent.astype(self.dtype, copy=False, casting="same_kind")

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self._value, dtype=dtype, copy=copy)

    def __float__(self) -> float:
        return float(self.item())

    def __bool__(self) -> bool:
        return bool(self._value)

    def __format__(self, spec: str) -> str:
        value = on_host(self._value)[()] if is_array(self._value) else self._value
        return format(value, spec) if spec else str(self)

    def __repr__(self) -> str:
        text = repr(self._value) if self.shape else str(self._value)
        recorded = f", grad_fn=<{_name(self._grad_fn)}>" if self.requires_grad else ""
        return f"Result({text}{recorded})"

    def __eq__(self, other: object) -> Any:
        return self._value == _value(other)

    def __ne__(self, other: object) -> Any:
        return self._value != _value(other)

    def __lt__(self, other: object) -> Any:
        return self._value < _value(other)

    def __le__(self, other: object) -> Any:
        return self._value <= _value(other)

    def __gt__(self, other: object) -> Any:
        return self._value > _value(other)

    def __ge__(self, other: object) -> Any:
        return self._value >= _value(other)

    def __hash__(self) -> int:
        return object.__hash__(self)

    def _refuse_arithmetic(self, *others: object) -> NoReturn:
        raise TypeError(
            "a Result is where differentiation starts, so arithmetic on it would lose the gradient: do it in "
            "the decorated function, or with out.value where no gradient is needed"
        )

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _refuse_arithmetic
    __truediv__ = __rtruediv__ = __pow__ = __rpow__ = __matmul__ = __rmatmul__ = _refuse_arithmetic
    __neg__ = __pos__ = __abs__ = _refuse_arithmetic


def _each_its_own(gradients: Sequence[Any], cotangent: Any) -> list[Any]:
    """The gradients, copied where two are one array: adding to one in place would reach the other."""
    taken = {id(cotangent)}
    own = []
    for gradient in gradients:
        own.append(gradient.copy() if id(gradient) in taken and is_array(gradient) else gradient)
        taken.add(id(gradient))
    return own


def _may_have_saved(pullback: Pullback, parameter: Parameter) -> bool:
    """False where `pullback` lists what it saved and none of it is the parameter's memory."""
    saved = getattr(pullback, "saved", None)
    if saved is None:
        return True
    np_or_cp = namespace_of(parameter.data)
    return any(np_or_cp.may_share_memory(parameter.data, array) for array in saved if _beside(array, parameter))


def _beside(array: Any, parameter: Parameter) -> bool:
    return is_array(array) and namespace_of(array) is namespace_of(parameter.data)


def _value(other: object) -> object:
    return other._value if isinstance(other, Result) else other


def _name(grad_fn: object) -> str:
    return str(getattr(grad_fn, "__name__", grad_fn))

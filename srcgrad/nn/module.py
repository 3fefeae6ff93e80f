"""`Module`: an object whose attributes are its parameters, buffers and parts."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from srcgrad.runtime.device import converted, destination, device_of, is_array, moved
from srcgrad.runtime.device import device as Device
from srcgrad.runtime.parameter import Parameter

Array = NDArray[Any]


class Module:
    """Base of layers and models; its attributes are the tree: Parameters, arrays, Modules, and lists and dicts of them.

    A subclass assigns them in `__init__` and writes `forward`; calling the module calls that. Nothing is registered,
    and the compiler reads it as it reads any object: a class of your own will do as well.
    """

    training = True

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes."""
        raise NotImplementedError(f"{type(self).__name__} has to say what it computes: write forward(self, x)")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.forward(*args, **kwargs)

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules that this one holds, by name; those in lists and dicts as "layers.0"."""
        return ((name, value) for name, value in _held(vars(self)) if isinstance(value, Module))

    def children(self) -> Iterator[Module]:
        """The modules that this one holds."""
        return (child for _, child in self.named_children())

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """This module and all below it, each once, with the way to it; its own name is empty."""
        return _once(self._walk(prefix))

    def modules(self) -> Iterator[Module]:
        """This module and all below it, each once."""
        return (module for _, module in self.named_modules())

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """Every Parameter once, with the way to it: "layer1.weight"."""
        return _once(self._leaves(Parameter))

    def parameters(self) -> Iterator[Parameter]:
        """Every Parameter once."""
        return (parameter for _, parameter in self.named_parameters())

    def named_buffers(self) -> Iterator[tuple[str, Array]]:
        """Every array that is no Parameter, such as running means, once, with the way to it."""
        return _once((name, value) for name, value in self._leaves(object) if is_array(value))

    def buffers(self) -> Iterator[Array]:
        """Every array that is no Parameter, once."""
        return (buffer for _, buffer in self.named_buffers())

    def state_dict(self) -> OrderedDict[str, Array]:
        """Copies of all parameters' and buffers' values, by name."""
        return OrderedDict((name, _array(value).copy()) for name, value in self._values())

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Copy values from `state_dict` into the parameters and buffers, whose memory stays.

        Raises KeyError for names missing or unknown, ValueError for shapes that differ; then nothing has changed.
        """
        own = dict(self._values())
        missing, unknown = sorted(own.keys() - state_dict.keys()), sorted(state_dict.keys() - own.keys())
        if missing or unknown:
            raise KeyError(f"state dict of another {type(self).__name__}: missing {missing}, unknown {unknown}")
        for name, value in own.items():
            if np.shape(state_dict[name]) != value.shape:
                raise ValueError(f"{name} has shape {value.shape}, but {np.shape(state_dict[name])} in the state dict")
        for name, value in own.items():
            given = state_dict[name]
            array = _array(given) if isinstance(given, Parameter) or is_array(given) else np.asarray(given)
            value[...] = moved(array, device_of(_array(value)))

    def train(self, mode: bool = True) -> Self:
        """Switch to training, or with False to evaluation, all modules below too."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Switch to evaluation."""
        return self.train(False)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget every parameter's gradient."""
        for parameter in self.parameters():
            parameter.zero_grad(set_to_none)

    def requires_grad_(self, flag: bool = True) -> Self:
        """Freeze all parameters (False), or thaw them."""
        for parameter in self.parameters():
            parameter.requires_grad_(flag)
        return self

    def apply(self, function: Callable[[Module], object]) -> Self:
        """Call `function` with every module below, then with this one."""
        for child in self.children():
            child.apply(function)
        function(self)
        return self

    def to(self, *targets: Any, device: Any = None, dtype: DTypeLike | None = None) -> Self:
        """Move all parameters and buffers to a device, or change the dtype of those that hold floats, in place.

        `model.to("cuda")`, `model.to(np.float64)`, `model.to("cuda", np.float32)`. The Parameter objects stay, with
        other arrays in them, so an optimizer that holds them goes on, and what it remembers follows at its next step.
        Raises RuntimeError where there is no such device, TypeError for a dtype that is none of floats or complex
        numbers, and for complex values that would lose their imaginary parts; then nothing has changed.
        """
        place, kind = destination(targets, device, dtype)
        if kind is not None:
            self._check_floats(kind)
        for parameter in self.parameters():
            parameter.change(place, kind if parameter.dtype.kind in "fc" else None)
        there: dict[int, Any] = {}
        for module in self.modules():
            _change_buffers(vars(module), place, kind, there)
        return self

    def float(self) -> Self:
        """All parameters and buffers that hold floats as float32, in place."""
        return self.to(np.float32)

    def double(self) -> Self:
        """All parameters and buffers that hold floats as float64, in place."""
        return self.to(np.float64)

    def half(self) -> Self:
        """All parameters and buffers that hold floats as float16, in place."""
        return self.to(np.float16)

    def cpu(self) -> Self:
        """All parameters and buffers on the CPU, in place."""
        return self.to("cpu")

    def cuda(self, index: int = 0) -> Self:
        """All parameters and buffers on a GPU, in place. Raises RuntimeError where there is none."""
        return self.to(Device("cuda", index))

    def extra_repr(self) -> str:
        """What stands in the brackets when the module is printed."""
        return ""

    def __repr__(self) -> str:
        lines = [f"({name}): {child!r}".replace("\n", "\n  ") for name, child in self.named_children()]
        if not lines:
            return f"{type(self).__name__}({self.extra_repr()})"
        inside = [self.extra_repr(), *lines] if self.extra_repr() else lines
        return "\n  ".join([f"{type(self).__name__}(", *inside]) + "\n)"

    def _check_floats(self, dtype: np.dtype[Any]) -> None:
        """Raise TypeError where a value would lose more than digits."""
        if dtype.kind not in "fc":
            raise TypeError(f"a module's values become floats or complex numbers, not {dtype}")
        for name, value in self._values():
            if value.dtype.kind == "c" and dtype.kind != "c":
                raise TypeError(f"{name} is of {value.dtype}, and would lose its imaginary parts as {dtype}")

    def _walk(self, prefix: str) -> Iterator[tuple[str, Module]]:
        yield prefix, self
        for name, child in self.named_children():
            yield from child._walk(f"{prefix}.{name}" if prefix else name)

    def _values(self) -> Iterator[tuple[str, Any]]:
        """Parameters and buffers."""
        leaves = self._leaves(object)
        return ((name, value) for name, value in leaves if isinstance(value, Parameter) or is_array(value))

    def _leaves(self, kinds: Any) -> Iterator[tuple[str, Any]]:
        for path, module in self.named_modules():
            for name, value in _held(vars(module)):
                if isinstance(value, kinds):
                    yield (f"{path}.{name}" if path else name), value


def _array(value: Any) -> Any:
    return value.data if isinstance(value, Parameter) else value


def _change_buffers(held: Any, place: Device | None, dtype: np.dtype[Any] | None, there: dict[int, Any]) -> Any:
    """What holds arrays, with its arrays changed, in place where it can be; an array that two hold stays one."""
    if is_array(held):
        if id(held) not in there:
            there[id(held)] = held, converted(held, place, dtype if held.dtype.kind in "fc" else None)
        return there[id(held)][1]
    if type(held) is tuple:
        return tuple(_change_buffers(each, place, dtype, there) for each in held)
    for key, value in list(held.items() if isinstance(held, dict) else enumerate(held) if type(held) is list else ()):
        held[key] = _change_buffers(value, place, dtype, there)
    return held


def _held(held: Mapping[Any, Any]) -> Iterator[tuple[str, Any]]:
    """What attributes, lists, tuples and dicts hold, by the way to it."""
    for name, value in held.items():
        if isinstance(value, (list, tuple, dict)):
            inner = value if isinstance(value, dict) else dict(enumerate(value))
            yield from ((f"{name}.{step}", each) for step, each in _held(inner))
        else:
            yield str(name), value


def _once(pairs: Iterator[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Each object at its first place alone: what two modules share counts once."""
    seen: set[int] = set()
    for name, value in pairs:
        if id(value) not in seen:
            seen.add(id(value))
            yield name, value

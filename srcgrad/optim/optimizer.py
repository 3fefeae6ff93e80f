"""What all optimizers share: parameter groups, their options and state, the step, saving and loading."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from srcgrad.optim.on_device import Move, Step, kernel_source, launch
from srcgrad.runtime.device import converted, is_array, moved, namespace_of
from srcgrad.runtime.grad_mode import set_grad_enabled
from srcgrad.runtime.parameter import Parameter

Array = NDArray[Any]
Group = dict[str, Any]
T = TypeVar("T")


class ParameterState(MutableMapping[Parameter, dict[str, Any]]):
    """What an optimizer remembers of each parameter object; gone when the parameter is.

    A WeakKeyDictionary would compare parameters with `==`, which compares their elements.
    """

    def __init__(self, entries: Iterable[tuple[Parameter, dict[str, Any]]] = ()) -> None:
        # with the type and dtype of the parameter's array when this was kept
        self._entries: dict[int, tuple[weakref.ref[Parameter], dict[str, Any], type, np.dtype[Any]]] = {}
        self.update(entries)

    def __getitem__(self, parameter: Parameter) -> dict[str, Any]:
        try:
            return self._entries[id(parameter)][1]
        except KeyError:
            raise KeyError(parameter) from None

    def get(self, parameter: Parameter, default: Any = None) -> Any:
        """What is kept of `parameter`, or `default`; asked at every step, so without an exception."""
        entry = self._entries.get(id(parameter))
        return default if entry is None else entry[1]

    def there(self, parameter: Parameter) -> dict[str, Any] | None:
        """What is kept, on the device and of the dtype that the parameter has been given meanwhile perhaps, or None."""
        entry = self._entries.get(id(parameter))
        if entry is None:
            return None
        _, state, kind, dtype = entry
        data = parameter.data
        if type(data) is kind is np.ndarray and data.dtype == dtype:
            return state
        for name, value in state.items():
            if is_array(value):
                state[name] = converted(value, parameter.device, data.dtype if value.dtype == dtype else None)
        self[parameter] = state
        return state

    def __setitem__(self, parameter: Parameter, state: dict[str, Any]) -> None:
        entries, key = self._entries, id(parameter)
        entries[key] = (
            weakref.ref(parameter, lambda _: entries.pop(key, None)),
            state,
            type(parameter.data),
            parameter.dtype,
        )

    def __delitem__(self, parameter: Parameter) -> None:
        del self._entries[id(parameter)]

    def __iter__(self) -> Iterator[Parameter]:
        alive = (reference() for reference, *_ in list(self._entries.values()))
        return (parameter for parameter in alive if parameter is not None)

    def __len__(self) -> int:
        return len(self._entries)

    def __reduce__(self) -> tuple[type[ParameterState], tuple[list[tuple[Parameter, dict[str, Any]]]]]:
        return ParameterState, (list(self.items()),)


class Optimizer:
    """Base of the optimizers: `param_groups`, a plain list of dicts, and `state`, by parameter object.

    params : an iterable of parameters, or of dicts with "params" and options of their own
    defaults : the options of groups that give none
    A subclass writes `update`, `update_on_device` for parameters on a GPU, and `check_options`, which raises ValueError
    for options out of range.
    Raises TypeError for entries that are no parameters, ValueError for an empty list or duplicates.
    """

    # (param, grad, state, **options): one step on one array, in place; the dict `state` is kept from step to step
    update: Callable[..., None]
    # (param, state, **options): the same step as CUDA lines; creates and counts what `state` keeps
    update_on_device: Callable[..., Step]

    def __init__(self, params: Iterable[Parameter] | Iterable[Group], defaults: dict[str, Any]) -> None:
        self.check_options(defaults)
        self.defaults = defaults
        self.param_groups: list[Group] = []
        self.state = ParameterState()
        self.has_stepped = False
        for group in _groups(params):
            self.add_param_group(group)

    def step(self, closure: Callable[[], T] | None = None) -> T | None:
        """Move every parameter that has a gradient, in place.

        closure : evaluates the function again, calls `backward` and returns the loss, which step returns
        """
        loss = None
        if closure is not None:
            with set_grad_enabled(True):
                loss = closure()
        for group in self.param_groups:
            options = {name: _plain(group[name]) for name in self.defaults}
            on_device: list[Parameter] = []
            for parameter in group["params"]:
                grad = parameter.grad
                if grad is None:
                    continue
                if isinstance(parameter.data, np.ndarray):
                    self._move(parameter, grad, options)
                else:
                    on_device.append(parameter)
            if on_device:
                self._move_on_device(on_device, options)
        self.has_stepped = True
        return loss

    @staticmethod
    def check_options(options: dict[str, Any]) -> None:
        """Raise ValueError for options out of range."""

    def add_param_group(self, group: Group) -> None:
        """Append a copy of `group`, a dict with "params" (a parameter or an iterable) and its own options."""
        if not isinstance(group, dict) or "params" not in group:
            raise TypeError(f'a parameter group is a dict with the key "params", not {group!r}')
        params = _parameters(group["params"])
        known = {id(parameter) for other in self.param_groups for parameter in other["params"]}
        if not known.isdisjoint(map(id, params)):
            raise ValueError("some parameters appear in more than one parameter group")
        complete = {**self.defaults, **group, "params": params}
        self.check_options(complete)
        self.param_groups.append(complete)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget every gradient; with `set_to_none=False` fill them with zeros."""
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.zero_grad(set_to_none)

    def state_dict(self) -> dict[str, Any]:
        """A snapshot of state and options as plain dicts; parameters appear as running numbers."""
        numbers = {id(parameter): number for number, parameter in enumerate(self._all_parameters())}
        groups = [
            {**group, "params": [numbers[id(parameter)] for parameter in group["params"]]}
            for group in self.param_groups
        ]
        state = {numbers[id(p)]: _copied(self.state[p]) for p in self._all_parameters() if p in self.state}
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a copy of what `state_dict` gave; the parameters stay, matched by their order.

        Raises ValueError where the groups, their sizes or an array's shape differ; then nothing has changed.
        """
        saved = state_dict["param_groups"]
        if len(saved) != len(self.param_groups):
            raise ValueError("loaded state dict has a different number of parameter groups")
        if any(len(new["params"]) != len(old["params"]) for new, old in zip(saved, self.param_groups)):
            raise ValueError(
                "loaded state dict contains a parameter group that doesn't match the size of optimizer's group"
            )
        numbers = [number for group in saved for number in group["params"]]
        if unknown := [number for number in state_dict["state"] if number not in numbers]:
            raise ValueError(f"loaded state dict has state of {unknown[0]!r}, which is no number of a parameter in it")
        by_number = dict(zip(numbers, self._all_parameters(), strict=True))
        state = [(by_number[n], _fitting(by_number[n], entry)) for n, entry in state_dict["state"].items()]
        for group, new in zip(self.param_groups, saved):
            group.update({option: value for option, value in new.items() if option != "params"})
        self.state = ParameterState(state)

    def __repr__(self) -> str:
        groups = "\n".join(_describe(index, group) for index, group in enumerate(self.param_groups))
        return f"{type(self).__name__} (\n{groups})"

    def _move(self, parameter: Parameter, grad: Array, options: dict[str, Any]) -> None:
        state = self.state.there(parameter)
        if state is not None:
            self.update(parameter.data, grad, state, **options)
        else:
            state = {}
            self.update(parameter.data, grad, state, **options)
            if state:
                self.state[parameter] = state
        parameter.mark_changed()

    def _move_on_device(self, parameters: list[Parameter], options: dict[str, Any]) -> None:
        """All of a group's parameters by one kernel."""
        moves = []
        for parameter in parameters:
            state = self.state.there(parameter) or {}
            step = self.update_on_device(parameter.data, state, **options)
            moves.append(Move(step, [parameter.data, parameter.grad, *(state[name] for name in step.states)]))
            if state:
                self.state[parameter] = state
        launch(type(self).__name__.lower(), moves)
        for parameter in parameters:
            parameter.mark_changed()

    def kernel_source(self, group: int = 0) -> str:
        """The CUDA text of the kernel that the next step on a GPU runs for the first parameter of a group."""
        parameter = self.param_groups[group]["params"][0]
        options = {name: _plain(self.param_groups[group][name]) for name in self.defaults}
        step = self.update_on_device(parameter.data, _copied(self.state.get(parameter, {})), **options)
        return kernel_source(type(self).__name__.lower(), str(parameter.dtype), step)

    def _all_parameters(self) -> list[Parameter]:
        return [parameter for group in self.param_groups for parameter in group["params"]]


def _groups(params: Iterable[Parameter] | Iterable[Group]) -> list[Group]:
    """The groups as dicts, from an iterable of parameters or of dicts."""
    if hasattr(params, "dtype") or isinstance(params, (str, dict)) or not isinstance(params, Iterable):
        hint = "model.parameters()" if hasattr(params, "parameters") else "a list of one: [x]"
        raise TypeError(f"params is an iterable of parameters or dicts, not a {type(params).__name__}; pass {hint}")
    entries: list[Any] = _ordered(params)
    if not entries:
        raise ValueError("optimizer got an empty parameter list")
    return entries if isinstance(entries[0], dict) else [{"params": entries}]


def _parameters(params: Parameter | Iterable[Parameter]) -> list[Parameter]:
    """A group's parameters as a list, each of them once and a Parameter."""
    parameters = [params] if isinstance(params, Parameter) else _ordered(params)
    for index, parameter in enumerate(parameters):
        if isinstance(parameter, tuple) and len(parameter) == 2 and isinstance(parameter[1], Parameter):
            raise TypeError(f"entry {index} is a pair, as named_parameters() gives them: pass model.parameters()")
        if not isinstance(parameter, Parameter):
            raise TypeError(
                f"an optimizer moves Parameters, and entry {index} is a {type(parameter).__name__}: make an "
                "array a Parameter, Parameter(array), and call the function with that"
            )
    if len(set(map(id, parameters))) < len(parameters):
        raise ValueError("a parameter group contains duplicate parameters")
    return parameters


def _ordered(params: Iterable[T]) -> list[T]:
    if isinstance(params, (set, frozenset)):
        raise TypeError("parameters come in an order that stays the same, which a set has not: pass a list")
    return list(params)


def _describe(index: int, group: Group) -> str:
    options = [f"    {option}: {group[option]}\n" for option in sorted(group) if option != "params"]
    return f"Parameter Group {index}\n" + "".join(options)


def _copied(state: dict[str, Any]) -> dict[str, Any]:
    return {key: value.copy() if hasattr(value, "copy") else value for key, value in state.items()}


def _fitting(parameter: Parameter, state: dict[str, Any]) -> dict[str, Any]:
    """A copy of a parameter's saved state, its arrays in the parameter's dtype."""
    copied = {}
    for key, value in state.items():
        if is_array(value):
            if value.shape != parameter.shape:
                raise ValueError(f"{key} of shape {value.shape} for a parameter of shape {parameter.shape}")
            value = moved(value.astype(parameter.dtype), parameter.device)
        copied[key] = value
    return copied


def _plain(value: Any) -> Any:
    """Python's number for NumPy's: a float64 scalar would widen what is computed with float32 arrays."""
    return value.item() if is_array(value) or isinstance(value, np.generic) else value


def check_at_least_zero(options: dict[str, Any], **named: str) -> None:
    """Raise ValueError where an option is negative or not a number, in PyTorch's words: "Invalid learning rate: -1"."""
    for option, name in named.items():
        if not options[option] >= 0:
            raise ValueError(f"Invalid {name}: {options[option]}")


def real_state(state: dict[str, Any], param: Array, *names: str) -> None:
    """Start a parameter's count of steps, and arrays of zeros under `names`, where they are missing.

    Raises TypeError for complex parameters, whose squares are no squared lengths.
    """
    if param.dtype.kind == "c":
        raise TypeError("this optimizer squares gradients, which are complex here: use SGD, or two real parameters")
    state.setdefault("step", 0)
    for name in names:
        if name not in state:
            state[name] = _zeros(param)


def _zeros(param: Array) -> Array:
    """Laid out as the updates walk: on the CPU like the parameter, on a GPU in C's order."""
    if isinstance(param, np.ndarray):
        return np.zeros_like(param, subok=False)
    zeros: Array = namespace_of(param).zeros(param.shape, param.dtype)
    return zeros


def slope(param: Array, grad: Array, weight_decay: float, maximize: bool, out: Array) -> Array:
    """What to step down: the gradient, turned round to maximize, plus weight_decay * parameter; `grad` or in `out`."""
    if weight_decay:
        np.multiply(param, weight_decay, out=out)
        return np.subtract(out, grad, out=out) if maximize else np.add(out, grad, out=out)
    return np.negative(grad, out=out) if maximize else grad

"""What all optimizers share: parameter groups, their options and state, saving and loading."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence
from typing import Any, TypeVar

import numpy as np

from srcgrad.runtime.parameter import Parameter

Group = dict[str, Any]
T = TypeVar("T")


class ShapeMismatch(ValueError):
    """A parameter and its gradient differ in shape."""


class ParameterState(MutableMapping[Parameter, dict[str, Any]]):
    """What an optimizer remembers of each parameter object; gone when the parameter is.

    A WeakKeyDictionary would compare parameters with `==`, which compares their elements.
    """

    def __init__(self, entries: Iterable[tuple[Parameter, dict[str, Any]]] = ()) -> None:
        self._entries: dict[int, tuple[weakref.ref[Parameter], dict[str, Any]]] = {}
        self.update(entries)

    def __getitem__(self, parameter: Parameter) -> dict[str, Any]:
        try:
            return self._entries[id(parameter)][1]
        except KeyError:
            raise KeyError(parameter) from None

    def __setitem__(self, parameter: Parameter, state: dict[str, Any]) -> None:
        entries, key = self._entries, id(parameter)
        entries[key] = (weakref.ref(parameter, lambda _: entries.pop(key, None)), state)

    def __delitem__(self, parameter: Parameter) -> None:
        del self._entries[id(parameter)]

    def __iter__(self) -> Iterator[Parameter]:
        alive = (reference() for reference, _ in list(self._entries.values()))
        return (parameter for parameter in alive if parameter is not None)

    def __len__(self) -> int:
        return len(self._entries)

    def __reduce__(self) -> tuple[type[ParameterState], tuple[list[tuple[Parameter, dict[str, Any]]]]]:
        return ParameterState, (list(self.items()),)


class Optimizer:
    """Base of the optimizers: `param_groups`, a plain list of dicts, and `state`, by parameter object.

    params : an iterable of parameters, or of dicts with "params" and options of their own
    defaults : the options of groups that give none
    A subclass writes `step`, and `check_options`, which raises ValueError for options out of range.
    Raises TypeError for entries that are no parameters, ValueError for an empty list or duplicates.
    """

    def __init__(self, params: Iterable[Parameter] | Iterable[Group], defaults: dict[str, Any]) -> None:
        self.check_options(defaults)
        self.defaults = defaults
        self.param_groups: list[Group] = []
        self.state = ParameterState()
        for group in _groups(params):
            self.add_param_group(group)

    def step(self, closure: Callable[[], T] | None = None) -> T | None:
        """Move every parameter that has a gradient; returns what `closure` returned, if one was given."""
        raise NotImplementedError

    def check_options(self, options: dict[str, Any]) -> None:
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
        by_number = dict(zip(numbers, self._all_parameters(), strict=True))
        state = [(by_number[n], _fitting(by_number[n], entry)) for n, entry in state_dict["state"].items()]
        for group, new in zip(self.param_groups, saved):
            group.update({option: value for option, value in new.items() if option != "params"})
        self.state = ParameterState(state)

    def __repr__(self) -> str:
        groups = "\n".join(_describe(index, group) for index, group in enumerate(self.param_groups))
        return f"{type(self).__name__} (\n{groups})"

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
        if isinstance(value, np.ndarray):
            if value.shape != parameter.shape:
                raise ValueError(f"{key} of shape {value.shape} for a parameter of shape {parameter.shape}")
            value = value.astype(parameter.dtype)
        copied[key] = value
    return copied


def check_shapes(params: Sequence[Any], grads: Sequence[Any]) -> None:
    """Raise ShapeMismatch where a gradient has another shape than its parameter, or one is missing."""
    if len(params) != len(grads):
        raise ShapeMismatch(f"{len(params)} parameters, but {len(grads)} gradients")
    for index, (param, grad) in enumerate(zip(params, grads)):
        if param.shape != grad.shape:
            raise ShapeMismatch(f"parameter {index} has shape {param.shape}, but its gradient has {grad.shape}")

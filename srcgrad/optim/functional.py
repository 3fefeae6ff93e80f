"""The optimizers as pure functions on nested containers: (params, grads, state) in, new (params, state) out.

    state = None
    for batch in batches:
        params, state = adam(params, gradient(params, *batch), state, lr=1e-3)

`params` is an array, a float, or lists, tuples, dicts and dataclasses of them; `grads` has its structure, as `grad`
gives it, and None where nothing is to move. `state` is None at first, then what the last call returned: a dict of
containers of that structure ("momentum_buffer", "exp_avg", ...), and the count of steps. Nothing that is passed in
changes. Options, defaults, results and errors are those of the classes. Raises ValueError for another structure,
ShapeMismatch for another shape and TypeError for values that cannot be trained, each naming the place.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from srcgrad.optim.adagrad import Adagrad
from srcgrad.optim.adam import Adam, AdamW
from srcgrad.optim.optimizer import Optimizer
from srcgrad.optim.rmsprop import RMSprop
from srcgrad.optim.sgd import SGD
from srcgrad.optim.trees import parallel, rebuilt

State = dict[str, Any]


class ShapeMismatch(ValueError):
    """A parameter and its gradient differ in shape."""


def sgd(
    params: Any,
    grads: Any,
    state: State | None = None,
    *,
    lr: float = 1e-3,
    momentum: float = 0,
    dampening: float = 0,
    weight_decay: float = 0,
    nesterov: bool = False,
    maximize: bool = False,
) -> tuple[Any, State]:
    """One step of `SGD`: new (params, state)."""
    options = {"lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay}
    return _stepped(SGD, params, grads, state, {**options, "nesterov": nesterov, "maximize": maximize})


def adam(
    params: Any,
    grads: Any,
    state: State | None = None,
    *,
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0,
    amsgrad: bool = False,
    maximize: bool = False,
    decoupled_weight_decay: bool = False,
) -> tuple[Any, State]:
    """One step of `Adam`: new (params, state)."""
    options = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad}
    options |= {"maximize": maximize, "decoupled_weight_decay": decoupled_weight_decay}
    return _stepped(Adam, params, grads, state, options)


def adamw(
    params: Any,
    grads: Any,
    state: State | None = None,
    *,
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 1e-2,
    amsgrad: bool = False,
    maximize: bool = False,
) -> tuple[Any, State]:
    """One step of `AdamW`: new (params, state)."""
    options = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad}
    return _stepped(AdamW, params, grads, state, {**options, "maximize": maximize, "decoupled_weight_decay": True})


def rmsprop(
    params: Any,
    grads: Any,
    state: State | None = None,
    *,
    lr: float = 1e-2,
    alpha: float = 0.99,
    eps: float = 1e-8,
    weight_decay: float = 0,
    momentum: float = 0,
    centered: bool = False,
    maximize: bool = False,
) -> tuple[Any, State]:
    """One step of `RMSprop`: new (params, state)."""
    options = {"lr": lr, "alpha": alpha, "eps": eps, "weight_decay": weight_decay, "momentum": momentum}
    return _stepped(RMSprop, params, grads, state, {**options, "centered": centered, "maximize": maximize})


def adagrad(
    params: Any,
    grads: Any,
    state: State | None = None,
    *,
    lr: float = 1e-2,
    lr_decay: float = 0,
    weight_decay: float = 0,
    initial_accumulator_value: float = 0,
    eps: float = 1e-10,
    maximize: bool = False,
) -> tuple[Any, State]:
    """One step of `Adagrad`: new (params, state)."""
    options = {"lr": lr, "lr_decay": lr_decay, "weight_decay": weight_decay, "eps": eps, "maximize": maximize}
    return _stepped(Adagrad, params, grads, state, {**options, "initial_accumulator_value": initial_accumulator_value})


def _stepped(
    kind: type[Optimizer], params: Any, grads: Any, state: State | None, options: dict[str, Any]
) -> tuple[Any, State]:
    kind.check_options(options)
    entries = list(parallel(params, grads, "params", "grads"))
    states = _by_leaf(params, state or {}, len(entries))
    moved = []
    for (place, param, grad), own in zip(entries, states, strict=True):
        array = _fresh(place, param)
        if grad is not None:
            kind.update(array, _fitting(place, array, grad), own, **options)
        moved.append(_like(param, array))
    return _filled(params, moved), _by_name(params, states)


def _by_leaf(params: Any, state: State, count: int) -> list[State]:
    """One dict for each leaf, with copies of its arrays."""
    states: list[State] = [{} for _ in range(count)]
    for name, tree in state.items():
        if name == "step":
            each: list[Any] = [tree] * count
        else:
            each = [value for _, _, value in parallel(params, tree, "params", f"state[{name!r}]")]
        for own, value in zip(states, each):
            if value is not None:
                own[name] = value if name == "step" else np.array(value)
    return states


def _by_name(params: Any, states: list[State]) -> State:
    """The leaves' dicts as one dict of containers; a leaf that has not moved has None there."""
    names = dict.fromkeys(name for own in states for name in own)
    state = {name: _filled(params, [own.get(name) for own in states]) for name in names if name != "step"}
    return {"step": max(own.get("step", 0) for own in states), **state} if "step" in names else state


def _filled(tree: Any, values: list[Any]) -> Any:
    following = iter(values)
    return rebuilt(tree, lambda _: next(following))


def _fresh(place: str, param: Any) -> Any:
    array = np.array(param, subok=False)
    if array.dtype.kind not in "fc":
        raise TypeError(
            f"{place} is a {type(param).__name__} of {array.dtype}, which no step can move: floats are needed"
        )
    return array


def _fitting(place: str, param: Any, grad: Any) -> Any:
    array = np.asarray(grad)
    if array.shape != param.shape:
        raise ShapeMismatch(f"{place} has shape {param.shape}, but its gradient has {array.shape}")
    return array


def _like(param: Any, array: Any) -> Any:
    """A float for a float, NumPy's scalar for one of its own."""
    if isinstance(param, float):
        return array.item() if type(param) is float else array[()]
    return array[()] if isinstance(param, np.generic) else array

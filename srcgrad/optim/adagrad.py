"""Adagrad: steps divided by the root of all squared gradients so far."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srcgrad.optim.blocks import blocks
from srcgrad.optim.on_device import Step, descent
from srcgrad.optim.optimizer import Group, Optimizer, check_at_least_zero, real_state, slope
from srcgrad.runtime.parameter import Parameter

Array = NDArray[Any]


def adagrad_update(
    param: Array,
    grad: Array,
    state: dict[str, Any],
    *,
    lr: float,
    lr_decay: float,
    weight_decay: float,
    initial_accumulator_value: float,
    eps: float,
    maximize: bool,
) -> None:
    """One step of `Adagrad` on one array, in place; `state` keeps "step" and "sum".

    Duchi et al. (2011), with the step size lr / (1 + (k - 1) * lr_decay) at step k, as in PyTorch.
    """
    if not state:
        real_state(state, param, "sum")
        state["sum"][...] = initial_accumulator_value
    step_size = lr / (1 + state["step"] * lr_decay)
    state["step"] += 1
    for p, g, v, s, t in blocks((param, grad, state["sum"]), scratch=2):
        d = slope(p, g, weight_decay, maximize, out=s)
        v += np.multiply(d, d, out=t)
        np.sqrt(v, out=t)
        t += eps
        np.divide(d, t, out=t)
        t *= step_size
        p -= t


def adagrad_on_device(
    param: Array,
    state: dict[str, Any],
    *,
    lr: float,
    lr_decay: float,
    weight_decay: float,
    initial_accumulator_value: float,
    eps: float,
    maximize: bool,
) -> Step:
    """The same step as CUDA lines for one element."""
    if not state:
        real_state(state, param, "sum")
        state["sum"][...] = initial_accumulator_value
    numbers = {"step_size": lr / (1 + state["step"] * lr_decay), "eps": eps}
    numbers |= {"weight_decay": weight_decay} if weight_decay else {}
    state["step"] += 1
    lines = (*descent(weight_decay, maximize), "sum += d * d;", "p -= step_size * (d / (sqrt(sum) + eps));")
    return Step(("sum",), numbers, lines)


class Adagrad(Optimizer):
    """Adagrad on Parameters, with the options and results of PyTorch's `optim.Adagrad`.

    params : an iterable of Parameters, or of dicts with "params" and options of their own
    lr : step size, in units of the parameter
    lr_decay : the step size shrinks as 1 / (1 + steps * lr_decay)
    weight_decay : adds weight_decay * parameter to the gradient, the slope of an L2 penalty
    initial_accumulator_value : where the sum of squared gradients starts
    eps : added to its root
    maximize : up the gradient instead
    Raises ValueError for options out of range. They stand in `param_groups`, where they may be changed.
    """

    def __init__(
        self,
        params: Iterable[Parameter] | Iterable[Group],
        lr: float = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ) -> None:
        start = initial_accumulator_value
        options = {"lr": lr, "lr_decay": lr_decay, "weight_decay": weight_decay, "initial_accumulator_value": start}
        super().__init__(params, {**options, "eps": eps, "maximize": maximize})

    update = staticmethod(adagrad_update)
    update_on_device = staticmethod(adagrad_on_device)

    @staticmethod
    def check_options(options: dict[str, Any]) -> None:
        """Raise ValueError for options out of range, in PyTorch's words."""
        check_at_least_zero(options, lr="learning rate", lr_decay="lr_decay value", weight_decay="weight_decay value")
        check_at_least_zero(options, initial_accumulator_value="initial_accumulator_value value", eps="epsilon value")

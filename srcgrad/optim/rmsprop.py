"""RMSprop: steps divided by a running root mean square of the gradient."""

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


def rmsprop_update(
    param: Array,
    grad: Array,
    state: dict[str, Any],
    *,
    lr: float,
    alpha: float,
    eps: float,
    weight_decay: float,
    momentum: float,
    centered: bool,
    maximize: bool,
) -> None:
    """One step of `RMSprop` on one array, in place; `state` keeps "step", "square_avg" ("grad_avg", "momentum_buffer").

    Tieleman & Hinton (2012), with eps outside the root as in PyTorch; centered: Graves (2013).
    """
    optional = (("grad_avg", centered), ("momentum_buffer", momentum > 0))
    real_state(state, param, "square_avg", *(name for name, wanted in optional if wanted))
    state["step"] += 1
    mean = state["grad_avg"] if centered else grad
    buffer = state["momentum_buffer"] if momentum > 0 else grad
    for p, g, v, a, b, s, t in blocks((param, grad, state["square_avg"], mean, buffer), scratch=2):
        d = slope(p, g, weight_decay, maximize, out=s)
        v *= alpha
        np.multiply(d, d, out=t)
        t *= 1 - alpha
        v += t
        if centered:
            a *= alpha
            a += np.multiply(d, 1 - alpha, out=t)
            np.multiply(a, a, out=t)
            np.subtract(v, t, out=t)
            np.maximum(t, 0, out=t)  # a variance; rounding may leave it below zero
            np.sqrt(t, out=t)
        else:
            np.sqrt(v, out=t)
        t += eps
        np.divide(d, t, out=t)
        if momentum > 0:
            b *= momentum
            b += t
            np.multiply(b, lr, out=t)
        else:
            t *= lr
        p -= t


def rmsprop_on_device(
    param: Array,
    state: dict[str, Any],
    *,
    lr: float,
    alpha: float,
    eps: float,
    weight_decay: float,
    momentum: float,
    centered: bool,
    maximize: bool,
) -> Step:
    """The same step as CUDA lines for one element."""
    optional = (("grad_avg", centered), ("momentum_buffer", momentum > 0))
    states = ("square_avg", *(name for name, wanted in optional if wanted))
    real_state(state, param, *states)
    state["step"] += 1
    numbers = {"lr": lr, "alpha": alpha, "rest": 1 - alpha, "eps": eps}
    numbers |= {"weight_decay": weight_decay} if weight_decay else {}
    lines = [*descent(weight_decay, maximize), "square_avg = alpha * square_avg + rest * (d * d);"]
    if centered:
        lines += ["grad_avg = alpha * grad_avg + rest * d;", "real variance = square_avg - grad_avg * grad_avg;"]
        lines.append("d /= sqrt(variance < 0 ? (real)0 : variance) + eps;  // rounding may leave it below zero")
    else:
        lines.append("d /= sqrt(square_avg) + eps;")
    if momentum > 0:
        numbers["momentum"] = momentum
        lines += ["momentum_buffer = momentum * momentum_buffer + d;", "d = momentum_buffer;"]
    return Step(states, numbers, (*lines, "p -= lr * d;"))


class RMSprop(Optimizer):
    """RMSprop on Parameters, with the options and results of PyTorch's `optim.RMSprop`.

    params : an iterable of Parameters, or of dicts with "params" and options of their own
    lr : step size, in units of the parameter
    alpha : how much of the running mean of the squared gradient each step keeps
    eps : added to its root
    weight_decay : adds weight_decay * parameter to the gradient, the slope of an L2 penalty
    momentum : b = momentum * b + scaled gradient, and the step follows b
    centered : divides by the standard deviation instead of the root mean square
    maximize : up the gradient instead
    Raises ValueError for options out of range. They stand in `param_groups`, where they may be changed.
    """

    def __init__(
        self,
        params: Iterable[Parameter] | Iterable[Group],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        options = {"lr": lr, "alpha": alpha, "eps": eps, "weight_decay": weight_decay, "momentum": momentum}
        super().__init__(params, {**options, "centered": centered, "maximize": maximize})

    update = staticmethod(rmsprop_update)
    update_on_device = staticmethod(rmsprop_on_device)

    @staticmethod
    def check_options(options: dict[str, Any]) -> None:
        """Raise ValueError for options out of range, in PyTorch's words."""
        check_at_least_zero(options, lr="learning rate", eps="epsilon value", momentum="momentum value")
        check_at_least_zero(options, weight_decay="weight_decay value", alpha="alpha value")

"""Stochastic gradient descent: one update on arrays, and `SGD`, which makes it on parameters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srcgrad.optim.blocks import blocks, number
from srcgrad.optim.on_device import Step, descent
from srcgrad.optim.optimizer import Group, Optimizer, check_at_least_zero, slope
from srcgrad.runtime.device import namespace_of
from srcgrad.runtime.parameter import Parameter

Array = NDArray[Any]


def sgd_update(
    param: Array,
    grad: Array,
    state: dict[str, Any],
    *,
    lr: float,
    momentum: float,
    dampening: float,
    weight_decay: float,
    nesterov: bool,
    maximize: bool,
) -> None:
    """One step of `SGD` on one array, in place; `state` keeps "momentum_buffer" where there is momentum.

    Robbins & Monro (1951); momentum: Polyak (1964), nesterov: Sutskever et al. (2013), both with the step size outside
    the buffer, as in PyTorch. The first buffer is the gradient itself, undamped.
    """
    first = momentum != 0 and state.get("momentum_buffer") is None
    if first:
        state["momentum_buffer"] = np.empty_like(param)
    if not momentum and not weight_decay:
        size = number(float(-lr if maximize else lr), param.dtype)
        for p, g, t in blocks((param, grad), scratch=1):
            p -= np.multiply(g, size, out=t)
        return
    size = number(float(lr), param.dtype)
    kept, damped = number(float(momentum), param.dtype), number(float(1 - dampening), param.dtype)
    for p, g, b, s, t in blocks((param, grad, state.get("momentum_buffer", grad)), scratch=2):
        d = slope(p, g, weight_decay, maximize, out=s)
        if first:
            b[...] = d
        elif momentum:
            b *= kept
            b += np.multiply(d, damped, out=t) if dampening else d
        if nesterov:
            np.multiply(b, kept, out=t)
            d = np.add(t, d, out=t)
        elif momentum:
            d = b
        p -= np.multiply(d, size, out=t)


def sgd_on_device(
    param: Array,
    state: dict[str, Any],
    *,
    lr: float,
    momentum: float,
    dampening: float,
    weight_decay: float,
    nesterov: bool,
    maximize: bool,
) -> Step:
    """The same step as CUDA lines for one element."""
    numbers = {"lr": lr}
    lines = [*descent(weight_decay, maximize)]
    if weight_decay:
        numbers["weight_decay"] = weight_decay
    if momentum:
        first = state.get("momentum_buffer") is None
        if first:
            state["momentum_buffer"] = namespace_of(param).zeros(param.shape, param.dtype)
            lines.append("momentum_buffer = d;")
        else:
            numbers |= {"damped": 1 - dampening} if dampening else {}
            lines.append(f"momentum_buffer = momentum * momentum_buffer + {'damped * d' if dampening else 'd'};")
        if nesterov or not first:
            numbers["momentum"] = momentum
        lines.append("d += momentum * momentum_buffer;" if nesterov else "d = momentum_buffer;")
    return Step(("momentum_buffer",) if momentum else (), numbers, (*lines, "p -= lr * d;"))


class SGD(Optimizer):
    """Stochastic gradient descent on Parameters, with the options and results of PyTorch's `optim.SGD`.

    params : an iterable of Parameters, or of dicts with "params" and options of their own
    lr : step size, in units of parameter / gradient
    momentum, dampening : b = momentum * b + (1 - dampening) * gradient, and the step follows b
    weight_decay : adds weight_decay * parameter to the gradient, the slope of an L2 penalty
    nesterov : the step follows gradient + momentum * b instead
    maximize : up the gradient instead
    Raises ValueError for options out of range. They stand in `param_groups`, where they may be changed.
    """

    def __init__(
        self,
        params: Iterable[Parameter] | Iterable[Group],
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        options = {"lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay}
        super().__init__(params, {**options, "nesterov": nesterov, "maximize": maximize})

    update = staticmethod(sgd_update)
    update_on_device = staticmethod(sgd_on_device)

    @staticmethod
    def check_options(options: dict[str, Any]) -> None:
        """Raise ValueError for options out of range, in PyTorch's words."""
        check_at_least_zero(options, lr="learning rate", momentum="momentum value", weight_decay="weight_decay value")
        if options["nesterov"] and (options["momentum"] <= 0 or options["dampening"] != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")

"""Adam and AdamW: steps scaled by running means of the gradient and of its square."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srcgrad.optim.blocks import blocks
from srcgrad.optim.on_device import Step, descent
from srcgrad.optim.optimizer import Group, Optimizer, check_at_least_zero, real_state, slope
from srcgrad.runtime.parameter import Parameter

Array = NDArray[Any]


def adam_update(
    param: Array,
    grad: Array,
    state: dict[str, Any],
    *,
    lr: float,
    betas: tuple[float, float],
    eps: float,
    weight_decay: float,
    amsgrad: bool,
    maximize: bool,
    decoupled_weight_decay: bool,
) -> None:
    """One step of `Adam` on one array, in place; `state` keeps "step", "exp_avg", "exp_avg_sq" ("max_exp_avg_sq").

    Kingma & Ba (2015); amsgrad: Reddi et al. (2018); decoupled weight decay: Loshchilov & Hutter (2019).
    """
    real_state(state, param, "exp_avg", "exp_avg_sq", *(("max_exp_avg_sq",) if amsgrad else ()))
    state["step"] += 1
    beta1, beta2 = map(float, betas)
    # lr * (m / (1 - beta1^k)) / (sqrt(v / (1 - beta2^k)) + eps), with what is constant taken out
    correction = math.sqrt(1 - beta2 ** state["step"])
    step_size, eps = lr * correction / (1 - beta1 ** state["step"]), eps * correction
    coupled_decay = 0 if decoupled_weight_decay else weight_decay
    largest = state["max_exp_avg_sq"] if amsgrad else state["exp_avg_sq"]
    for p, g, m, v, x, s, t in blocks((param, grad, state["exp_avg"], state["exp_avg_sq"], largest), scratch=2):
        d = slope(p, g, coupled_decay, maximize, out=s)
        if decoupled_weight_decay and weight_decay:
            p *= 1 - lr * weight_decay
        m *= beta1
        m += np.multiply(d, 1 - beta1, out=t)
        v *= beta2
        np.multiply(d, d, out=t)
        t *= 1 - beta2
        v += t
        if amsgrad:
            np.maximum(x, v, out=x)
        np.sqrt(x, out=t)
        t += eps
        np.divide(m, t, out=t)
        t *= step_size
        p -= t


def adam_on_device(
    param: Array,
    state: dict[str, Any],
    *,
    lr: float,
    betas: tuple[float, float],
    eps: float,
    weight_decay: float,
    amsgrad: bool,
    maximize: bool,
    decoupled_weight_decay: bool,
) -> Step:
    """The same step as CUDA lines for one element."""
    states = ("exp_avg", "exp_avg_sq", *(("max_exp_avg_sq",) if amsgrad else ()))
    real_state(state, param, *states)
    state["step"] += 1
    beta1, beta2 = map(float, betas)
    correction = math.sqrt(1 - beta2 ** state["step"])
    numbers = {
        "beta1": beta1, "rest1": 1 - beta1, "beta2": beta2, "rest2": 1 - beta2,
        "step_size": lr * correction / (1 - beta1 ** state["step"]), "eps": eps * correction,
    }  # fmt: skip
    lines = [*descent(0 if decoupled_weight_decay else weight_decay, maximize)]
    if weight_decay and decoupled_weight_decay:
        numbers["shrink"] = 1 - lr * weight_decay
        lines.append("p *= shrink;")
    elif weight_decay:
        numbers["weight_decay"] = weight_decay
    lines += ["exp_avg = beta1 * exp_avg + rest1 * d;", "exp_avg_sq = beta2 * exp_avg_sq + rest2 * (d * d);"]
    if amsgrad:  # a nan stays, as in np.maximum
        keeps = "max_exp_avg_sq >= exp_avg_sq || max_exp_avg_sq != max_exp_avg_sq"
        lines.append(f"if (!({keeps})) max_exp_avg_sq = exp_avg_sq;")
    lines.append(f"p -= step_size * (exp_avg / (sqrt({states[-1]}) + eps));")
    return Step(states, numbers, tuple(lines))


class Adam(Optimizer):
    """Adam on Parameters, with the options and results of PyTorch's `optim.Adam`.

    params : an iterable of Parameters, or of dicts with "params" and options of their own
    lr : step size, in units of the parameter
    betas : how much of the running means of the gradient and of its square each step keeps
    eps : added to the root of the mean square
    weight_decay : adds weight_decay * parameter to the gradient, the slope of an L2 penalty
    amsgrad : divides by the largest mean square so far
    maximize : up the gradient instead
    decoupled_weight_decay : shrinks the parameter by lr * weight_decay instead, as AdamW does
    Raises ValueError for options out of range. They stand in `param_groups`, where they may be changed.
    """

    def __init__(
        self,
        params: Iterable[Parameter] | Iterable[Group],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
    ) -> None:
        options = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad}
        super().__init__(params, {**options, "maximize": maximize, "decoupled_weight_decay": decoupled_weight_decay})

    update = staticmethod(adam_update)
    update_on_device = staticmethod(adam_on_device)

    @staticmethod
    def check_options(options: dict[str, Any]) -> None:
        """Raise ValueError for options out of range, in PyTorch's words."""
        check_at_least_zero(options, lr="learning rate", eps="epsilon value")
        if len(options["betas"]) != 2:
            raise ValueError(f"Invalid betas, which are two numbers: {options['betas']}")
        for index, beta in enumerate(options["betas"]):
            if not 0 <= beta < 1:
                raise ValueError(f"Invalid beta parameter at index {index}: {beta}")
        check_at_least_zero(options, weight_decay="weight_decay value")


class AdamW(Adam):
    """Adam whose weight decay shrinks the parameters and leaves the gradient's means alone; see `Adam`."""

    def __init__(
        self,
        params: Iterable[Parameter] | Iterable[Group],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize, decoupled_weight_decay=True)

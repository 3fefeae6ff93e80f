"""Stochastic gradient descent: `sgd` on arrays, and `SGD` on parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, MutableSequence, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from srcgrad.optim.optimizer import Group, Optimizer, check_shapes
from srcgrad.runtime.grad_mode import set_grad_enabled
from srcgrad.runtime.parameter import Parameter

Array = NDArray[Any]
T = TypeVar("T")


def sgd(
    params: Sequence[Array],
    grads: Sequence[Array],
    lr: float,
    *,
    momentum: float = 0,
    dampening: float = 0,
    weight_decay: float = 0,
    nesterov: bool = False,
    maximize: bool = False,
    buffers: MutableSequence[Array | None] | None = None,
) -> None:
    """Move every parameter one step down its gradient, in place.

    params, grads : sequences of float arrays, shapes equal in pairs
    lr : step size, in units of parameter / gradient
    momentum, dampening : b = momentum * b + (1 - dampening) * gradient, and the step follows b
    weight_decay : adds weight_decay * parameter to the gradient, the slope of an L2 penalty
    nesterov : the step follows gradient + momentum * b instead
    maximize : up the gradient instead
    buffers : with momentum, a list of the arrays b, to be kept from step to step; None before the first
    Raises ShapeMismatch, naming the parameter.
    Robbins & Monro (1951); momentum: Polyak (1964), nesterov: Sutskever et al. (2013), both with the
    step size outside the buffer, as in PyTorch.
    """
    check_shapes(params, grads)
    check_sgd_options(lr, momentum, dampening, weight_decay, nesterov)
    if momentum and (buffers is None or len(buffers) != len(params)):
        raise ValueError("momentum needs a memory: pass buffers=[None] * len(params), and keep the list")
    # Python floats leave float32 arrays float32; a float64 scalar of NumPy's would widen the temporaries
    lr, momentum, weight_decay = float(lr), float(momentum), float(weight_decay)
    for index, (param, grad) in enumerate(zip(params, grads)):
        direction = _decayed(param, -grad if maximize else grad, weight_decay)
        if momentum and buffers is not None:
            buffer = buffers[index] = _with_momentum(buffers[index], direction, momentum, dampening)
            direction = direction + momentum * buffer if nesterov else buffer
        param -= lr * direction


def _decayed(param: Array, grad: Array, weight_decay: float) -> Array:
    """The gradient of the loss plus half of weight_decay times the parameter's squared norm."""
    if not weight_decay:
        return grad
    slope = weight_decay * param
    slope += grad
    return slope


def _with_momentum(buffer: Array | None, grad: Array, momentum: float, dampening: float) -> Array:
    """The momentum buffer, one step on; the first one is the gradient itself, undamped."""
    if buffer is None:
        return np.array(grad, copy=True)
    buffer *= momentum
    buffer += (1 - dampening) * grad if dampening else grad
    return buffer


def check_sgd_options(lr: float, momentum: float, dampening: float, weight_decay: float, nesterov: bool) -> None:
    """Raise ValueError for options out of range, in PyTorch's words."""
    if not lr >= 0:
        raise ValueError(f"Invalid learning rate: {lr}")
    if not momentum >= 0:
        raise ValueError(f"Invalid momentum value: {momentum}")
    if not weight_decay >= 0:
        raise ValueError(f"Invalid weight_decay value: {weight_decay}")
    if nesterov and (momentum <= 0 or dampening != 0):
        raise ValueError("Nesterov momentum requires a momentum and zero dampening")


class SGD(Optimizer):
    """Stochastic gradient descent on Parameters, with the options and results of PyTorch's `optim.SGD`.

    params : an iterable of Parameters, or of dicts with "params" and options of their own
    The other options are those of `sgd`, and stand in `param_groups`, where they may be changed.
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

    def check_options(self, options: dict[str, Any]) -> None:
        """Raise ValueError for options out of range."""
        names = ("lr", "momentum", "dampening", "weight_decay", "nesterov")
        check_sgd_options(*(options[name] for name in names))

    def step(self, closure: Callable[[], T] | None = None) -> T | None:
        """Move every parameter that has a gradient, in place.

        closure : evaluates the function again, calls `backward` and returns the loss, which step returns
        """
        loss = None
        if closure is not None:
            with set_grad_enabled(True):
                loss = closure()
        for group in self.param_groups:
            self._step_group(group)
        return loss

    def _step_group(self, group: Group) -> None:
        moving = [parameter for parameter in group["params"] if parameter.grad is not None]
        buffers = [self.state.get(parameter, {}).get("momentum_buffer") for parameter in moving]
        options = {name: value for name, value in group.items() if name in self.defaults}
        sgd([p.data for p in moving], [p.grad for p in moving], **options, buffers=buffers)
        for parameter, buffer in zip(moving, buffers):
            parameter.mark_changed()
            if buffer is not None:
                self.state.setdefault(parameter, {})["momentum_buffer"] = buffer

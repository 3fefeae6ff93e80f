"""Losses as modules, with the options given once. Predictions come first."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from srcgrad.nn import functional
from srcgrad.nn.module import Module

Array = NDArray[Any]


class _Loss(Module):
    """A loss of predictions and targets; `reduction` is "mean", "sum" or "none"."""

    def __init__(self, reduction: str = "mean") -> None:
        self.reduction = _known(reduction)


class MSELoss(_Loss):
    """(x - target)^2."""

    def forward(self, x: Array, target: Array) -> Any:
        return functional.mse_loss(x, target, self.reduction)


class L1Loss(_Loss):
    """|x - target|."""

    def forward(self, x: Array, target: Array) -> Any:
        return functional.l1_loss(x, target, self.reduction)


class SmoothL1Loss(_Loss):
    """(x - target)^2 / (2 beta) up to |x - target| = beta, and a line beyond."""

    def __init__(self, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction)
        self.beta = beta

    def forward(self, x: Array, target: Array) -> Any:
        return functional.smooth_l1_loss(x, target, self.reduction, self.beta)


class HuberLoss(_Loss):
    """(x - target)^2 / 2 up to |x - target| = delta, and a line beyond."""

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction)
        self.delta = delta

    def forward(self, x: Array, target: Array) -> Any:
        return functional.huber_loss(x, target, self.reduction, self.delta)


class KLDivLoss(_Loss):
    """target * (log(target) - log_p), which takes logarithms of probabilities; also reduction="batchmean"."""

    def __init__(self, reduction: str = "mean", log_target: bool = False) -> None:
        self.reduction = _known(reduction, "batchmean")
        self.log_target = log_target

    def forward(self, log_p: Array, target: Array) -> Any:
        return functional.kl_div(log_p, target, self.reduction, self.log_target)


class _Weighted(_Loss):
    """A loss that `weight`, an array and a buffer, multiplies."""

    def __init__(self, weight: Array | None = None, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.weight = weight


class NLLLoss(_Weighted):
    """-log_shares at the right class."""

    def forward(self, log_shares: Array, target: Array) -> Any:
        return functional.nll_loss(log_shares, target, self.weight, self.reduction)


class CrossEntropyLoss(_Weighted):
    """-log softmax(scores) at the right class; see `functional.cross_entropy`."""

    def __init__(self, weight: Array | None = None, reduction: str = "mean", label_smoothing: float = 0.0) -> None:
        if not 0.0 <= label_smoothing <= 1.0:
            raise ValueError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
        super().__init__(weight, reduction)
        self.label_smoothing = label_smoothing or None  # None has the shorter code

    def forward(self, scores: Array, target: Array) -> Any:
        return functional.cross_entropy(scores, target, self.weight, self.reduction, self.label_smoothing)


class BCELoss(_Weighted):
    """-target log(p) - (1 - target) log(1 - p)."""

    def forward(self, p: Array, target: Array) -> Any:
        return functional.binary_cross_entropy(p, target, self.weight, self.reduction)


class BCEWithLogitsLoss(_Weighted):
    """`BCELoss` of sigmoid(x), without overflow; pos_weight multiplies the loss of positive targets."""

    def __init__(self, weight: Array | None = None, reduction: str = "mean", pos_weight: Array | None = None) -> None:
        super().__init__(weight, reduction)
        self.pos_weight = pos_weight

    def forward(self, x: Array, target: Array) -> Any:
        return functional.binary_cross_entropy_with_logits(x, target, self.weight, self.reduction, self.pos_weight)


def _known(reduction: str, *more: str) -> str:
    if reduction not in ("mean", "sum", "none", *more):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    return reduction

"""Losses, smaller for better predictions. Predictions come first, and `reduction` is "mean", "sum" or "none"."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from srcgrad.nn.functional.activations import log_softmax

Array = NDArray[Any]


def _reduced(losses: Array, reduction: str) -> Any:
    assert reduction in ("mean", "sum", "none"), 'reduction is "mean", "sum" or "none"'
    if reduction == "mean":
        return np.mean(losses)
    return np.sum(losses) if reduction == "sum" else losses


def mse_loss(x: Array, target: Array, reduction: str = "mean") -> Any:
    """(x - target)^2."""
    assert x.shape == target.shape, "mse_loss compares arrays of one shape"
    return _reduced((x - target) ** 2, reduction)


def l1_loss(x: Array, target: Array, reduction: str = "mean") -> Any:
    """|x - target|, with the slope 0 where they are equal."""
    assert x.shape == target.shape, "l1_loss compares arrays of one shape"
    return _reduced(np.abs(x - target), reduction)


def smooth_l1_loss(x: Array, target: Array, reduction: str = "mean", beta: float = 1.0) -> Any:
    """(x - target)^2 / (2 beta) up to |x - target| = beta, and a line beyond. Girshick (2015)."""
    assert x.shape == target.shape, "smooth_l1_loss compares arrays of one shape"
    size = np.abs(x - target)
    return _reduced(np.where(size < beta, 0.5 * size**2 / beta, size - 0.5 * beta), reduction)


def huber_loss(x: Array, target: Array, reduction: str = "mean", delta: float = 1.0) -> Any:
    """(x - target)^2 / 2 up to |x - target| = delta, and a line beyond. Huber (1964)."""
    assert x.shape == target.shape, "huber_loss compares arrays of one shape"
    size = np.abs(x - target)
    return _reduced(np.where(size < delta, 0.5 * size**2, delta * (size - 0.5 * delta)), reduction)


def cross_entropy(
    scores: Array,
    target: Array,
    weight: Array | None = None,
    reduction: str = "mean",
    label_smoothing: float | None = None,
) -> Any:
    """-log softmax(scores) at the right class.

    scores : (n, classes)
    target : (n,) classes as integers, or (n, classes) their probabilities
    weight : (classes,), which multiplies each class's loss; the mean is a weighted one then, for integer targets
    label_smoothing : the share of the target that is spread over all classes. Szegedy et al. (2016)
    """
    assert scores.ndim == 2, "cross_entropy takes scores of shape (n, classes)"
    log_shares = log_softmax(scores, axis=1)
    if target.ndim == 2:
        return _soft_cross_entropy(log_shares, target, weight, reduction, label_smoothing)
    if label_smoothing is None:
        return nll_loss(log_shares, target, weight, reduction)
    spread = -np.sum(log_shares if weight is None else log_shares * weight, axis=1) / scores.shape[1]
    right = nll_loss(log_shares, target, weight, "none")
    losses = (1.0 - label_smoothing) * right + label_smoothing * spread
    if weight is None or reduction != "mean":
        return _reduced(losses, reduction)
    return np.sum(losses) / np.sum(weight[target])


def _soft_cross_entropy(
    log_shares: Array, target: Array, weight: Array | None, reduction: str, label_smoothing: float | None
) -> Any:
    assert log_shares.shape == target.shape, "cross_entropy takes one probability for each score"
    if label_smoothing is not None:
        target = (1.0 - label_smoothing) * target + label_smoothing / target.shape[1]
    if weight is not None:
        target = target * weight
    return _reduced(-np.sum(target * log_shares, axis=1), reduction)


def nll_loss(log_shares: Array, target: Array, weight: Array | None = None, reduction: str = "mean") -> Any:
    """-log_shares at the right class: log_shares (n, classes), target (n,) integers; weight as in `cross_entropy`."""
    right = log_shares[np.arange(len(target)), target]
    if weight is None:
        return _reduced(-right, reduction)
    weights = weight[target]
    if reduction == "mean":
        return -np.sum(weights * right) / np.sum(weights)
    return _reduced(-weights * right, reduction)


def binary_cross_entropy(p: Array, target: Array, weight: Array | None = None, reduction: str = "mean") -> Any:
    """-target log(p) - (1 - target) log(1 - p), with logarithms of at least -100, as in PyTorch."""
    assert p.shape == target.shape, "binary_cross_entropy compares arrays of one shape"
    losses = (target - 1.0) * np.maximum(np.log1p(-p), -100.0) - target * np.maximum(np.log(p), -100.0)
    return _reduced(losses if weight is None else weight * losses, reduction)


def binary_cross_entropy_with_logits(
    x: Array,
    target: Array,
    weight: Array | None = None,
    reduction: str = "mean",
    pos_weight: Array | float | None = None,
) -> Any:
    """`binary_cross_entropy` of sigmoid(x), without overflow; pos_weight multiplies the loss of positive targets."""
    assert x.shape == target.shape, "binary_cross_entropy_with_logits compares arrays of one shape"
    if pos_weight is None:
        losses = np.logaddexp(0.0, x) - target * x
    else:
        losses = (1.0 - target) * x + (1.0 + (pos_weight - 1.0) * target) * np.logaddexp(0.0, -x)
    return _reduced(losses if weight is None else weight * losses, reduction)


def kl_div(log_p: Array, target: Array, reduction: str = "mean", log_target: bool = False) -> Any:
    """target * (log(target) - log_p), and 0 where target is 0; reduction "batchmean" is the sum / the number of rows.

    log_target : `target` holds logarithms
    """
    assert log_p.shape == target.shape, "kl_div compares arrays of one shape"
    if log_target:
        losses = np.exp(target) * (target - log_p)
    else:
        losses = np.where(target > 0.0, target * (np.log(np.where(target > 0.0, target, 1.0)) - log_p), 0.0)
    return np.sum(losses) / len(losses) if reduction == "batchmean" else _reduced(losses, reduction)

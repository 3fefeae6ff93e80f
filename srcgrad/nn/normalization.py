"""Normalisation as modules: over a batch, with running statistics, or over an example's features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from srcgrad.markers import stop_gradient
from srcgrad.nn import functional
from srcgrad.nn.module import Module
from srcgrad.runtime.parameter import Parameter

Array = NDArray[Any]


class BatchNorm1d(Module):
    """Each channel with the batch's mean 0 and variance 1, times weight, plus bias. Ioffe & Szegedy (2015).

    Takes (n, num_features) or (n, num_features, length). In training the batch's statistics are used, and move the
    running ones, which serve in evaluation:
        running = (1 - momentum) * running + momentum * batch's, whose variance is the unbiased one
    momentum : None for the mean over all batches so far
    track_running_stats : False for the batch's statistics always

    `forward` assigns new arrays to running_mean, running_var and num_batches_tracked, as any method may: also where
    it is compiled this happens once in a call, and no gradient flows there.
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        dtype: DTypeLike = np.float32,
    ) -> None:
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        self.weight: Any = Parameter(np.ones(num_features, dtype)) if affine else None
        self.bias: Any = Parameter(np.zeros(num_features, dtype)) if affine else None
        if track_running_stats:
            self.running_mean = np.zeros(num_features, dtype)
            self.running_var = np.ones(num_features, dtype)
            self.num_batches_tracked = np.array(0)

    def forward(self, x: Array) -> Array:
        assert x.ndim == 2 or x.ndim == 3, "BatchNorm1d takes (n, features) or (n, features, length)"
        return self.normalized(x, (0,) if x.ndim == 2 else (0, 2))

    def normalized(self, x: Array, axes: tuple[int, ...]) -> Array:
        """x normalised along the axes that are not the channels'."""
        assert x.shape[1] == self.num_features, "the second axis has num_features channels"
        if self.training or not self.track_running_stats:
            mean, variance = np.mean(x, axis=axes), np.var(x, axis=axes)
            if self.training and self.track_running_stats:
                count = x.size // self.num_features
                self._track(stop_gradient(mean), stop_gradient(variance), count)
        else:
            mean, variance = self.running_mean, self.running_var
        return functional.batch_norm(x, mean, variance, self.weight, self.bias, self.eps)

    def _track(self, mean: Array, variance: Array, count: int) -> None:
        assert count > 1, "the variance of a batch takes more than one value per channel"
        self.num_batches_tracked = np.asarray(self.num_batches_tracked + 1)
        share = np.float32(1.0 / self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean = self.running_mean + share * (mean - self.running_mean)
        self.running_var = self.running_var + share * (variance * (count / (count - 1)) - self.running_var)

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"track_running_stats={self.track_running_stats}"
        )


class BatchNorm2d(BatchNorm1d):
    """`BatchNorm1d` for images (n, num_features, height, width): over the batch and all places."""

    def forward(self, x: Array) -> Array:
        assert x.ndim == 4, "BatchNorm2d takes (n, features, height, width)"
        return self.normalized(x, (0, 2, 3))


class LayerNorm(Module):
    """The last axes with mean 0 and variance 1, times weight, plus bias. Ba et al. (2016).

    normalized_shape : the lengths of those axes, or of the last one
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        *,
        dtype: DTypeLike = np.float32,
    ) -> None:
        shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.normalized_shape, self.eps, self.elementwise_affine = shape, eps, elementwise_affine
        self.weight: Any = Parameter(np.ones(shape, dtype)) if elementwise_affine else None
        self.bias: Any = Parameter(np.zeros(shape, dtype)) if elementwise_affine and bias else None
        self.axes = None if len(shape) == 1 else tuple(range(-len(shape), 0))  # None has the shorter code

    def forward(self, x: Array) -> Array:
        for axis, length in enumerate(self.normalized_shape):
            assert x.shape[axis - len(self.normalized_shape)] == length, "the last axes are of normalized_shape"
        return functional.layer_norm(x, self.weight, self.bias, self.eps, self.axes)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"

"""How good predictions are: for classes and for numbers. Predictions come first, as in the losses.

Classes are integers from 0, or scores with one column for each class, of which the highest counts. Every function
raises ValueError for no samples, and for shapes that do not fit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]


def accuracy(predicted: ArrayLike, target: ArrayLike) -> float:
    """The share of samples whose class is predicted rightly."""
    labels, truth = _classes(predicted, target)
    return float(np.mean(labels == truth))


def confusion_matrix(predicted: ArrayLike, target: ArrayLike, classes: int | None = None) -> Array:
    """How often class i (row) was taken for class j (column), as integers.

    classes : how many there are; by default as many as the scores have columns, or as the labels show
    """
    labels, truth = _classes(predicted, target)
    columns = np.shape(predicted)[-1] if np.ndim(predicted) > np.ndim(target) else 0
    count = max(int(labels.max()) + 1, int(truth.max()) + 1, columns) if classes is None else classes
    if min(labels.min(), truth.min()) < 0 or max(labels.max(), truth.max()) >= count:
        raise ValueError(f"classes are numbered from 0 to {count - 1}, and a label lies outside")
    return np.bincount(truth.ravel() * count + labels.ravel(), minlength=count * count).reshape(count, count)


def precision(predicted: ArrayLike, target: ArrayLike, average: str | None = "macro") -> Any:
    """Of what was taken for a class, the share that belongs to it; 0 for a class that was never predicted.

    average : "macro" is the mean of all classes, "weighted" by their number of samples, "micro" counts all classes
        together; None gives one number for each class
    """
    return _averaged(predicted, target, average, lambda hits, taken, there: _share(hits, taken))


def recall(predicted: ArrayLike, target: ArrayLike, average: str | None = "macro") -> Any:
    """Of what belongs to a class, the share that was found; 0 for a class without samples. `average`: `precision`."""
    return _averaged(predicted, target, average, lambda hits, taken, there: _share(hits, there))


def f1(predicted: ArrayLike, target: ArrayLike, average: str | None = "macro") -> Any:
    """The harmonic mean of precision and recall, for each class; `average`: see `precision`."""
    return _averaged(predicted, target, average, lambda hits, taken, there: _share(2 * hits, taken + there))


def mae(predicted: ArrayLike, target: ArrayLike) -> float:
    """The mean absolute error, in units of the target."""
    given, truth = _numbers(predicted, target)
    return float(np.mean(np.abs(given - truth)))


def mse(predicted: ArrayLike, target: ArrayLike) -> float:
    """The mean squared error, in squared units of the target."""
    given, truth = _numbers(predicted, target)
    return float(np.mean((given - truth) ** 2))


def r2(predicted: ArrayLike, target: ArrayLike) -> float:
    """The coefficient of determination: 1 for perfect predictions, 0 for the target's mean, negative for worse.

    Raises ValueError for a target without variance, which leaves nothing to explain.
    """
    given, truth = _numbers(predicted, target)
    spread = np.sum((truth - np.mean(truth)) ** 2)
    if spread == 0:
        raise ValueError("r2 compares with the target's variance, and this target is constant")
    return float(1 - np.sum((given - truth) ** 2) / spread)


def _classes(predicted: ArrayLike, target: ArrayLike) -> tuple[Array, Array]:
    labels, truth = np.asarray(predicted), np.asarray(target)
    if labels.ndim == truth.ndim + 1:
        labels = labels.argmax(axis=-1)
    _check_shapes(labels, truth)
    for array in (labels, truth):
        if array.dtype.kind not in "iub":
            raise ValueError(f"classes are integers (or scores, one column for each class), not {array.dtype}")
    return labels.astype(np.intp), truth.astype(np.intp)


def _numbers(predicted: ArrayLike, target: ArrayLike) -> tuple[Array, Array]:
    given, truth = np.asarray(predicted, np.float64), np.asarray(target, np.float64)
    _check_shapes(given, truth)
    return given, truth


def _check_shapes(predicted: Array, target: Array) -> None:
    if predicted.shape != target.shape:
        raise ValueError(f"predictions of shape {predicted.shape} for a target of shape {target.shape}")
    if not target.size:
        raise ValueError("there are no samples to judge by")


def _averaged(predicted: ArrayLike, target: ArrayLike, average: str | None, score: Any) -> Any:
    matrix = confusion_matrix(predicted, target)
    hits, taken, there = np.diag(matrix), matrix.sum(axis=0), matrix.sum(axis=1)
    match average:
        case None:
            return score(hits, taken, there)
        case "macro":
            present = taken + there > 0
            return float(np.mean(score(hits, taken, there)[present]))
        case "weighted":
            return float(np.average(score(hits, taken, there), weights=there))
        case "micro":
            return float(score(hits.sum(), taken.sum(), there.sum()))
    raise ValueError(f"average is 'macro', 'weighted', 'micro' or None, not {average!r}")


def _share(part: Any, whole: Any) -> Any:
    """part / whole, and 0 of nothing."""
    return np.divide(part, whole, out=np.zeros(np.shape(whole)), where=np.asarray(whole) > 0)

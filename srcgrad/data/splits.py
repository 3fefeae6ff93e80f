"""Dividing data: `random_split` a dataset, `train_test_split` arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from srcgrad.data.datasets import Subset, check_same_length

Array = NDArray[Any]


def random_split(
    dataset: Any, lengths: Sequence[float], generator: np.random.Generator | int | None = None
) -> list[Subset]:
    """Subsets of a dataset that share no sample and, together, have all of them.

    lengths : how many samples each gets, or fractions that add up to 1; what rounding leaves goes to the first
    generator : a seed or a numpy Generator
    Raises ValueError where they do not add up.
    """
    samples = len(dataset)
    counts = [int(length) for length in lengths]
    if any(isinstance(length, float) for length in lengths):
        if any(not 0 <= length <= 1 for length in lengths) or not math.isclose(sum(lengths), 1.0):
            raise ValueError(f"fractions lie between 0 and 1 and add up to 1, not {list(lengths)}")
        counts = [math.floor(samples * length) for length in lengths]
        for index in range(samples - sum(counts)):
            counts[index % len(counts)] += 1
    if sum(counts) != samples or min(counts) < 0:
        raise ValueError(f"lengths {list(lengths)} do not add up to the {samples} samples of the dataset")
    order = np.random.default_rng(generator).permutation(samples)
    return [Subset(dataset, part) for part in np.split(order, np.cumsum(counts)[:-1])]


def train_test_split(
    *arrays: ArrayLike,
    test_size: float = 0.25,
    stratify: ArrayLike | None = None,
    generator: np.random.Generator | int | None = None,
) -> list[Array]:
    """Rows of all arrays, divided at random: train and test rows of the first, then of the second, and so on.

    test_size : a fraction, or a number of rows
    stratify : labels, of which both parts get their share
    generator : a seed or a numpy Generator
    Raises ValueError for parts without rows, or classes too small for both parts.
    """
    if not arrays:
        raise ValueError("train_test_split needs at least one array")
    given = [np.asarray(array) for array in arrays]
    labels = np.zeros(given[0].shape[:1]) if stratify is None else np.asarray(stratify)
    check_same_length([*given, labels])
    rows = len(labels)
    count = math.ceil(test_size * rows) if isinstance(test_size, float) else int(test_size)
    if not 0 < count < rows:
        raise ValueError(f"test_size={test_size} of {rows} rows leaves no rows for training or for testing")
    order = np.random.default_rng(generator).permutation(rows)
    test = _chosen(labels[order], count)
    return [part for array in given for part in (array[order[~test]], array[order[test]])]


def _chosen(labels: Array, count: int) -> NDArray[np.bool_]:
    """Which of the rows make up the test part: of each label its share, the first ones."""
    classes, members, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    shares = sizes * count / len(labels)
    counts = np.floor(shares).astype(int)
    rest = np.argsort(counts - shares, kind="stable")[: count - counts.sum()]
    counts[rest] += 1
    if len(classes) > 1 and (np.any(counts == 0) or np.any(counts == sizes)):
        raise ValueError("some class has too few rows to be in both parts: pass a larger test_size or no stratify")
    rank = np.empty(len(labels), int)
    for label in range(len(classes)):
        rank[members == label] = np.arange(sizes[label])
    return rank < counts[members]

"""Datasets: samples by number, from arrays in memory or on disk."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Dataset:
    """Base of datasets: a subclass writes `__len__` and `__getitem__(index)`, which gives one sample.

    A sample is a number, an array, or a tuple or dict of them. A dataset that can make a whole batch at once also
    writes `gather(indices)`, which gives it collated; anything with these methods will do, subclass or not.
    """

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} has to say how many samples it has: write __len__")

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has to give a sample: write __getitem__")


class ArrayDataset(Dataset):
    """Samples are the rows of one or more arrays, as tuples; the arrays are kept, not copied.

    Raises ValueError where the arrays' numbers of rows differ.
    """

    def __init__(self, *arrays: Any) -> None:
        if not arrays:
            raise ValueError("ArrayDataset needs at least one array")
        self.arrays = tuple(array if isinstance(array, np.ndarray) else np.asarray(array) for array in arrays)
        check_same_length(self.arrays)

    @classmethod
    def from_npy(cls, *paths: str | os.PathLike[str]) -> ArrayDataset:
        """From .npy files, mapped into memory: only what a batch needs is read from the disk."""
        return cls(*(np.load(path, mmap_mode="r") for path in paths))

    def __len__(self) -> int:
        return len(self.arrays[0])

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        return tuple(array[index] for array in self.arrays)

    def gather(self, indices: Array) -> tuple[Array, ...]:
        """The rows at `indices`, as fresh arrays."""
        return tuple(np.array(array[indices], copy=None, subok=False) for array in self.arrays)


class Subset(Dataset):
    """Some samples of a dataset, by their numbers there. Raises IndexError for numbers it has not."""

    def __init__(self, dataset: Any, indices: Sequence[int] | Array) -> None:
        self.dataset = dataset
        self.indices = np.asarray(indices, dtype=np.intp)
        if self.indices.size and not (self.indices.min() >= 0 and self.indices.max() < len(dataset)):
            raise IndexError(f"indices from {self.indices.min()} to {self.indices.max()} for {len(dataset)} samples")

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> Any:
        return self.dataset[int(self.indices[index])]

    def gather(self, indices: Array) -> Any:
        """The samples at `indices`, collated."""
        from srcgrad.data.loader import gather

        return gather(self.dataset, self.indices[indices])


def check_same_length(arrays: Sequence[Array]) -> None:
    """Raise ValueError where arrays have no rows to be counted, or not equally many."""
    shapes = [array.shape for array in arrays]
    if any(not shape for shape in shapes) or len({shape[0] for shape in shapes}) > 1:
        raise ValueError(f"arrays of samples need equally many rows, but have shapes {', '.join(map(str, shapes))}")

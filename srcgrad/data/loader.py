"""`DataLoader`: batches of a dataset, in order or shuffled, prepared ahead by a thread where asked for."""

from __future__ import annotations

import contextvars
import copy
import operator
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Collate = Callable[[list[Any]], Any]


class DataLoader:
    """Batches of `dataset`, as often as it is iterated over; `len(loader)` is how many there are.

    dataset : anything with `len` and `[index]`; with `gather(indices)`, whole batches are asked of that
    batch_size : samples in a batch; the last has fewer, or is left out with `drop_last`
    shuffle : in another order every time
    generator : a seed, or a numpy Generator of the loader's own, for the order; None for a seed that nobody knows
    collate_fn : makes a batch of a list of samples; `collate` by default
    prefetch : how many batches a thread prepares ahead; 0 for none, and no thread
    Raises ValueError for sizes out of range.

    `state_dict()`, taken while a batch is at hand or between epochs, says where the loader is; with it, another loader
    goes on with the next batch, in the same order, and with the same orders afterwards.
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int = 1,
        shuffle: bool = False,
        *,
        drop_last: bool = False,
        generator: np.random.Generator | int | None = None,
        collate_fn: Collate | None = None,
        prefetch: int = 0,
    ) -> None:
        if operator.index(batch_size) < 1:
            raise ValueError(f"batch_size should be a positive integer value, but got batch_size={batch_size}")
        if operator.index(prefetch) < 0:
            raise ValueError(f"prefetch is a number of batches, 0 or more, not {prefetch}")
        self.dataset = dataset
        self.batch_size, self.shuffle, self.drop_last, self.prefetch = batch_size, shuffle, drop_last, prefetch
        self.collate_fn = collate_fn
        self.generator = np.random.default_rng(generator)
        self._epoch = self._generator_state()
        self._handed_out = self._skip = 0

    def __len__(self) -> int:
        samples = len(self.dataset)
        return samples // self.batch_size if self.drop_last else -(-samples // self.batch_size)

    def __iter__(self) -> Iterator[Any]:
        self._epoch = self._generator_state()
        samples = len(self.dataset)
        order = self.generator.permutation(samples) if self.shuffle else np.arange(samples)
        self._handed_out, self._skip = self._skip, 0
        chosen = [order[k * self.batch_size :][: self.batch_size] for k in range(self._handed_out, len(self))]
        made = (gather(self.dataset, indices, self.collate_fn) for indices in chosen)
        for batch in _ahead(made, self.prefetch) if self.prefetch else made:
            self._handed_out += 1
            yield batch

    def state_dict(self) -> dict[str, Any]:
        """The generator's state before this epoch's order was drawn, and how many of its batches were handed out."""
        if self._handed_out >= len(self):
            return {"generator": self._generator_state(), "position": 0, "samples": len(self.dataset)}
        return {"generator": copy.deepcopy(self._epoch), "position": self._handed_out, "samples": len(self.dataset)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on where `state_dict` was taken. Raises ValueError for another dataset's, by the number of samples."""
        if state_dict["samples"] != len(self.dataset):
            raise ValueError(f"the state is of {state_dict['samples']} samples, and there are {len(self.dataset)}")
        self.generator.bit_generator.state = self._epoch = copy.deepcopy(state_dict["generator"])
        self._skip = self._handed_out = state_dict["position"]

    def _generator_state(self) -> dict[str, Any]:
        return copy.deepcopy(dict(self.generator.bit_generator.state))


def gather(dataset: Any, indices: Array, collate_fn: Collate | None = None) -> Any:
    """A batch of the samples at `indices`."""
    if collate_fn is None and hasattr(dataset, "gather"):
        return dataset.gather(indices)
    return (collate_fn or collate)([dataset[index] for index in indices.tolist()])


def collate(samples: Sequence[Any]) -> Any:
    """A batch of samples: numbers and arrays stacked; tuples, lists and dicts place by place; a list of anything else.

    Raises ValueError for arrays of different shapes.
    """
    first = samples[0]
    if isinstance(first, dict):
        return {key: collate([sample[key] for sample in samples]) for key in first}
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return type(first)(*map(collate, zip(*samples, strict=True)))
    if isinstance(first, (tuple, list)):
        return type(first)(map(collate, zip(*samples, strict=True)))
    if isinstance(first, (np.ndarray, np.generic, float, int, complex)):
        shapes = {np.shape(sample) for sample in samples}
        if len(shapes) > 1:
            raise ValueError(
                f"samples of shapes {', '.join(map(str, sorted(shapes)))} do not stack: pad them in a collate_fn"
            )
        return np.array(samples)
    return list(samples)


def _ahead(batches: Iterator[Any], count: int) -> Iterator[Any]:
    """The same batches, `count` of them made ahead by a thread, which ends with the iteration, also one left early."""
    room, stopped = threading.Semaphore(count), threading.Event()
    ready: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()

    def work() -> None:
        try:
            while room.acquire() and not stopped.is_set():
                ready.put(("batch", next(batches)))
        except StopIteration:
            ready.put(("end", None))
        except BaseException as error:  # it belongs to whoever asks for this batch
            ready.put(("error", error))

    # the thread sees the caller's context: np.errstate, no_grad
    thread = threading.Thread(target=contextvars.copy_context().run, args=(work,), daemon=True)
    thread.start()
    try:
        while True:
            kind, batch = ready.get()
            if kind == "end":
                return
            if kind == "error":
                raise batch
            room.release()
            yield batch
    finally:
        stopped.set()
        room.release()
        thread.join()

"""`fit`: the training loop in one call, for when nothing in it is out of the ordinary; and `progress` bars."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from srcgrad.api import Gradient
from srcgrad.optim import Optimizer, clip_grad_norm_
from srcgrad.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

T = TypeVar("T")


def fit(
    loss: Gradient[..., Any],
    model: Sequence[Any],
    batches: Iterable[Any],
    optimizer: Optimizer,
    epochs: int,
    *,
    scheduler: LRScheduler | None = None,
    max_norm: float | None = None,
    after_epoch: Callable[[int, float], object] | None = None,
    bar: bool = False,
) -> list[float]:
    """Train for some epochs; returns the mean loss of each. It is this loop, with what the options add:

        for epoch in range(epochs):
            for batch in batches:
                optimizer.zero_grad()
                out = loss.forward(*model, *batch)
                out.backward()
                optimizer.step()

    loss : made by `grad`; called with the items of `model`, then those of the batch (a batch that is no tuple or list,
        such as a dict or an array, is one argument)
    model : a list of what comes before the batch, such as [model]
    batches : a DataLoader, or anything that can be walked over once every epoch
    scheduler : steps after every epoch; ReduceLROnPlateau gets the epoch's mean loss
    max_norm : gradients are clipped to this norm together
    after_epoch : called with the number of the epoch and its mean loss; stops the training where it returns True
    bar : shows a progress bar, with the extra `progress`
    Raises TypeError for a model that is no list or tuple, FloatingPointError where a loss is infinite or not a number,
    ValueError for an epoch without batches.
    """
    if not isinstance(model, (list, tuple)):
        raise TypeError(
            f"fit takes a list of what the loss is called with before the batch, not a {type(model).__name__}: [model]"
        )
    means: list[float] = []
    for epoch in progress(range(epochs), "training") if bar else range(epochs):
        losses = [_step(loss, (*model, *_items(batch)), optimizer, max_norm, epoch) for batch in batches]
        if not losses:
            raise ValueError(f"epoch {epoch} has no batches: an iterator is used up after one, a DataLoader is not")
        means.append(math.fsum(losses) / len(losses))
        if isinstance(scheduler, ReduceLROnPlateau):
            scheduler.step(means[-1])
        elif scheduler is not None:
            scheduler.step()
        if after_epoch is not None and after_epoch(epoch, means[-1]) is True:
            break
    return means


def _items(batch: Any) -> tuple[Any, ...]:
    return tuple(batch) if isinstance(batch, (tuple, list)) else (batch,)


def _step(
    loss: Gradient[..., Any], arguments: tuple[Any, ...], optimizer: Optimizer, max_norm: float | None, epoch: int
) -> float:
    optimizer.zero_grad()
    out = loss.forward(*arguments)
    value = float(out.item())
    if not math.isfinite(value):
        raise FloatingPointError(
            f"the loss is {value} in epoch {epoch}: a smaller learning rate, or clipping, may help"
        )
    out.backward()
    if max_norm is not None:
        parameters = (parameter for group in optimizer.param_groups for parameter in group["params"])
        clip_grad_norm_(parameters, max_norm)
    optimizer.step()
    return value


def progress(items: Iterable[T], description: str | None = None) -> Iterable[T]:
    """The same items, with a bar in the terminal that shows how many are done and how long the rest will take.

    Raises ImportError without the extra `progress`.
    """
    try:
        from tqdm.auto import tqdm
    except ImportError:
        raise ImportError("progress bars need tqdm: pip install 'srcgrad[progress]'") from None
    bar: Iterable[T] = tqdm(items, desc=description)
    return bar

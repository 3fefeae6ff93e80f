"""Several schedulers on one optimizer: one after the other, or all together."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from srcgrad.optim.lr_scheduler.base import LRScheduler
from srcgrad.optim.lr_scheduler.plateau import ReduceLROnPlateau
from srcgrad.optim.optimizer import Optimizer


class _Several(LRScheduler):
    """What both share: checks, and a state dict that holds those of the parts."""

    _not_saved = (*LRScheduler._not_saved, "_schedulers")
    _schedulers: list[LRScheduler]

    def _take(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None) -> Optimizer:
        name = type(self).__name__
        if len(schedulers) < 1:
            raise ValueError(f"{name} expects at least one scheduler, but got no scheduler.")
        optimizer = schedulers[0].optimizer if optimizer is None else optimizer
        for index, scheduler in enumerate(schedulers):
            if not isinstance(scheduler, LRScheduler):
                raise TypeError(
                    f"{name} takes schedulers, and the one at index {index} is a {type(scheduler).__name__}"
                )
            if isinstance(scheduler, ReduceLROnPlateau):
                raise ValueError(
                    f"{name} does not support `ReduceLROnPlateau`, whose `step` takes a metric, but got one at index "
                    f"{index}"
                )
            if scheduler.optimizer is not optimizer:
                raise ValueError(
                    f"{name} expects all schedulers to belong to the same optimizer, but the one at index {index}, "
                    f"{type(scheduler).__name__}, has another"
                )
        self._schedulers, self.optimizer = list(schedulers), optimizer
        return optimizer

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "_schedulers": [each.state_dict() for each in self._schedulers]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict(state_dict)
        for scheduler, state in zip(self._schedulers, state_dict["_schedulers"], strict=True):
            scheduler.load_state_dict(state)


class SequentialLR(_Several):
    """One scheduler until the first of `milestones`, the next until the second, and so on.

    Each begins anew, from the base learning rates, at its milestone. Raises ValueError unless there is one scheduler
    more than milestones.
    """

    def __init__(
        self, optimizer: Optimizer, schedulers: Sequence[LRScheduler], milestones: Sequence[int], last_epoch: int = -1
    ) -> None:
        self._take(schedulers, optimizer)
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                "Sequential Schedulers expects number of schedulers provided to be one more than the number of "
                f"milestone points, but got number of schedulers {len(schedulers)} and the number of milestones to be "
                f"equal to {len(milestones)}"
            )
        if any(isinstance(each, _Several) for each in schedulers):
            raise ValueError("SequentialLR takes no SequentialLR or ChainedScheduler: they cannot begin in the middle")
        self._milestones = list(milestones)
        self.last_epoch = last_epoch + 1
        # every scheduler took its first step when it was made: take that back, and let the first alone begin
        for group in optimizer.param_groups:
            group["lr"] = group["initial_lr"]
        for scheduler in self._schedulers:
            scheduler.last_epoch -= 1
        first = self._schedulers[bisect_right(self._milestones, 0)]
        first._initial_step()
        self._last_lr = first.get_last_lr()

    def step(self) -> None:
        """One epoch on."""
        self.last_epoch += 1
        index = bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[index]
        if index > 0 and self._milestones[index - 1] == self.last_epoch:
            scheduler._restart()
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()


class ChainedScheduler(_Several):
    """All schedulers in every epoch, one acting on what the other wrote."""

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None) -> None:
        self._take(schedulers, optimizer)
        self._last_lr = self._lrs()

    def step(self) -> None:
        """One epoch on."""
        for scheduler in self._schedulers:
            scheduler.step()
        self._last_lr = self._lrs()

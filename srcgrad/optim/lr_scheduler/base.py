"""What all learning-rate schedulers share: counting epochs, writing `lr` into the groups, saving and loading."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from typing import Any

from srcgrad.optim.optimizer import Optimizer


class LRScheduler:
    """Base of the schedulers: `step()` moves on by one epoch and writes `lr` into the optimizer's groups.

    optimizer : whose `param_groups` it steers; "initial_lr" is noted in each of them
    last_epoch : -1 to start; the number of the last epoch where training goes on with a restored optimizer
    A subclass writes `get_lr`, one learning rate for each group; most give it in terms of the groups' present `lr`, so
    that several schedulers may act on one optimizer. `get_closed_form_lr`, in terms of `base_lrs` alone, serves to
    begin in the middle.
    Raises TypeError for what is no Optimizer, KeyError where `last_epoch` is given and no "initial_lr" is noted.
    """

    optimizer: Optimizer
    _not_saved: tuple[str, ...] = ("optimizer", "_is_initial")

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        check_optimizer(optimizer)
        self.optimizer = optimizer
        for index, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{index}] when resuming scheduler with "
                    "last_epoch >= 0: load the optimizer's state dict first"
                )
        self.base_lrs: list[float] = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._initial_step()

    def _initial_step(self) -> None:
        self._step_count = 0
        self._is_initial = True
        self.step()
        self._is_initial = False

    def get_lr(self) -> list[float]:
        """One learning rate for each group, for the epoch `last_epoch`."""
        raise NotImplementedError

    def get_closed_form_lr(self) -> list[float]:
        """The same from `base_lrs` and `last_epoch` alone."""
        return self.get_lr()

    def get_last_lr(self) -> list[float]:
        """What the last step wrote, one learning rate for each group."""
        return self._last_lr

    def step(self) -> None:
        """One epoch on; comes after the optimizer's steps."""
        overridden = type(self.optimizer).step is not Optimizer.step
        if self._step_count == 1 and not self.optimizer.has_stepped and not overridden:
            warnings.warn(
                "Detected call of `lr_scheduler.step()` before `optimizer.step()`: call them in the opposite order, "
                "or the first value of the learning rate schedule is skipped",
                UserWarning,
                stacklevel=2,
            )
        self._step_count += 1
        self.last_epoch += 1
        self._write(self.get_lr())

    def _restart(self) -> None:
        """Begin at epoch 0 now, from the base learning rates."""
        self.last_epoch = 0
        self._write(self.get_closed_form_lr())

    def _write(self, lrs: Sequence[float]) -> None:
        for group, lr in zip(self.optimizer.param_groups, lrs, strict=True):
            group["lr"] = lr
        self._last_lr = self._lrs()

    def _lrs(self) -> list[float]:
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """A snapshot of everything but the optimizer."""
        return copy.deepcopy({key: value for key, value in vars(self).items() if key not in self._not_saved})

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a copy of what `state_dict` gave; the optimizer has its own.

        Raises ValueError for the state of another kind of scheduler.
        """
        if state_dict.keys() != self.state_dict().keys():
            different = sorted(state_dict.keys() ^ self.state_dict().keys())
            raise ValueError(f"the state dict is of another scheduler than {type(self).__name__}: {different}")
        vars(self).update(copy.deepcopy({k: v for k, v in state_dict.items() if k not in self._not_saved}))


def check_optimizer(optimizer: object) -> None:
    """Raise TypeError for what is no Optimizer."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")


def per_group(name: str, optimizer: Optimizer, value: float | Sequence[float]) -> list[float]:
    """An option as a list with one entry for each group."""
    groups = len(optimizer.param_groups)
    if not isinstance(value, Sequence):
        return [value] * groups
    if len(value) != groups:
        raise ValueError(
            f"{name} must have the same length as optimizer.param_groups. {name} has {len(value)} values, "
            f"param_groups has {groups}."
        )
    return list(value)

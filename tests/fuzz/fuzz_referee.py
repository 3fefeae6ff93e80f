"""Central differences that know when not to be believed."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

STEPS = (1e-5, 3e-6)


class Doubtful(Exception):
    """Near a kink or a jump: finite differences say nothing."""


def differences(f: Callable[..., Any], args: Sequence[Any], positions: Sequence[int]) -> list[np.ndarray]:
    """The gradient in each position. Raises Doubtful where two step sizes, or the two sides, disagree."""
    centre = _call(f, args, None, None, 0.0)
    coarse, fine = [], []
    for position in positions:
        shape = np.shape(args[position])
        big, small = np.zeros(shape), np.zeros(shape)
        for place in np.ndindex(shape):
            big[place], left, right = _slopes(f, args, position, place, centre, STEPS[0])
            if abs(left - right) > 1e-2 * (1.0 + abs(left) + abs(right)):
                raise Doubtful("a kink")
            small[place], _, _ = _slopes(f, args, position, place, centre, STEPS[1])
        coarse.append(big)
        fine.append(small)
    scale = max(1.0, *(float(np.max(np.abs(each), initial=0.0)) for each in coarse))
    for big, small in zip(coarse, fine):
        if not np.allclose(big, small, rtol=0, atol=5e-6 * scale):
            raise Doubtful("two step sizes disagree")
    return coarse


def _slopes(f: Any, args: Any, position: int, place: Any, centre: float, step: float) -> tuple[float, float, float]:
    """The central slope, and those of the left and the right side."""
    above = _call(f, args, position, place, step)
    below = _call(f, args, position, place, -step)
    return (above - below) / (2 * step), (centre - below) / step, (above - centre) / step


def _call(f: Any, args: Any, position: int | None, place: Any, step: float) -> float:
    args = copy.deepcopy(list(args))
    if position is not None:
        if isinstance(args[position], np.ndarray):
            args[position][place] += step
        else:
            args[position] += step
    return float(f(*args))

"""Where a random program's decisions come from: Hypothesis, which shrinks them, or a seed, which is fast."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

T = TypeVar("T")


class Chooser:
    """Decisions drawn from one source of integers below a bound; 0 is the simplest."""

    def __init__(self, below: Callable[[int], int]):
        self.below = below

    def pick(self, options: Sequence[T]) -> T:
        return options[self.below(len(options))]

    def chance(self, percent: int) -> bool:
        return self.below(100) >= 100 - percent

    def between(self, low: int, high: int) -> int:
        return low + self.below(high - low + 1)

    def weighted(self, options: Sequence[tuple[int, T]]) -> T:
        """One of (weight, option)."""
        left = self.below(sum(weight for weight, _ in options))
        for weight, option in options:
            left -= weight
            if left < 0:
                return option
        raise AssertionError(options)


def seeded(seed: Any) -> Chooser:
    generator = random.Random(seed)
    return Chooser(lambda n: generator.randrange(n))


def drawn(draw: Callable[[Any], int]) -> Chooser:
    from hypothesis import strategies

    return Chooser(lambda n: draw(strategies.integers(0, n - 1)))

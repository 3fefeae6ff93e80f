"""A battery of small programs, each named after the construct it uses, with the verdict that it must get.

A case is *right* (value, gradient, shape, dtype and arguments agree with plain Python and finite differences, optimised
and not) or *refused* (a located error that says why). `python tests/battery/report.py` runs all and counts.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from agreement import check

from srcgrad import CompileError, GradTypeError

X = np.array([0.7, -1.3, 2.1])
Y = np.array([1.1, 0.4, -0.6])
Z = np.array([0.3, 1.9, -0.8, 0.5, -1.2, 0.9])
M = np.array([[0.8, -0.5, 1.2], [0.3, 1.7, -0.9]])
S = np.array([[2.0, 0.3, -0.4], [0.3, 1.5, 0.2], [-0.4, 0.2, 1.8]])


@dataclass(frozen=True)
class Case:
    function: Callable[..., Any]
    args: tuple[Any, ...]
    wrt: tuple[int, ...] | None
    refused: str | None
    tolerance: float

    @property
    def name(self) -> str:
        return self.function.__name__


class Battery(list[Case]):
    """The cases of one file; calling it gives the decorator that adds one."""

    def __call__(self, *args, wrt=None, refused=None, tolerance=1e-6):
        def add(function):
            assert all(case.name != function.__name__ for case in self), f"two cases are named {function.__name__}"
            self.append(Case(function, args, wrt, refused, tolerance))
            return function

        return add


def verdict(case: Case) -> tuple[str, str]:
    """("right" | "refused" | "wrong", what was said)."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            check(case.function, *case.args, wrt=case.wrt, tolerance=case.tolerance)
    except (CompileError, GradTypeError) as error:
        return "refused", str(error)
    except Exception as error:
        return "wrong", f"{type(error).__name__}: {error}"
    return "right", ""

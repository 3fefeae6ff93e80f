"""Whether `forward` records what `backward` needs: `no_grad`, `set_grad_enabled`, `is_grad_enabled`."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextvars import ContextVar
from typing import ParamSpec, TypeVar, overload

P = ParamSpec("P")
R = TypeVar("R")

# A context variable, so that every thread (and every asyncio task) has a mode of its own; it starts as True.
_recording: ContextVar[bool] = ContextVar("srcgrad_recording", default=True)


def is_grad_enabled() -> bool:
    """True where `forward` records: everywhere but under `no_grad()` and `set_grad_enabled(False)`."""
    return _recording.get()


class GradMode:
    """A context manager and decorator that switches recording on or off, and back afterwards."""

    def __init__(self, mode: bool) -> None:
        self._mode = mode
        self._previous: list[bool] = []

    def __enter__(self) -> None:
        self._previous.append(_recording.get())
        _recording.set(self._mode)

    def __exit__(self, *exception: object) -> None:
        _recording.set(self._previous.pop())

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        _refuse_suspended(function)

        @functools.wraps(function)
        def in_mode(*args: P.args, **kwargs: P.kwargs) -> R:
            with GradMode(self._mode):
                return function(*args, **kwargs)

        return in_mode


class set_grad_enabled(GradMode):
    """Switch recording on or off, from here on; as a context manager or decorator, only in there.

    set_grad_enabled(False)                 # a statement: holds until the next one, in this thread
    with set_grad_enabled(training): ...    # a block
    @set_grad_enabled(False)                # a function
    Raises TypeError where `mode` is not a bool.
    """

    def __init__(self, mode: bool) -> None:
        if not isinstance(mode, bool):
            raise TypeError(f"set_grad_enabled(mode) takes True or False, not {type(mode).__name__}")
        super().__init__(mode)
        self._before = _recording.get()
        _recording.set(mode)

    def __enter__(self) -> None:
        self._previous.append(self._before)
        _recording.set(self._mode)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        _recording.set(self._before)  # a decorator speaks for its function alone
        return super().__call__(function)


@overload
def no_grad() -> GradMode: ...
@overload
def no_grad(function: Callable[P, R]) -> Callable[P, R]: ...
def no_grad(function: Callable[P, R] | None = None) -> GradMode | Callable[P, R]:
    """Record nothing: `with no_grad(): ...`, `@no_grad()` or `@no_grad`."""
    return GradMode(False) if function is None else GradMode(False)(function)


def _refuse_suspended(function: Callable[..., object]) -> None:
    """Raise TypeError for generators and async functions: their bodies run after the mode is restored."""
    if not callable(function) or inspect.isclass(function):
        raise TypeError(f"no_grad and set_grad_enabled decorate functions, not {function!r}")
    kinds = (inspect.isgeneratorfunction, inspect.iscoroutinefunction, inspect.isasyncgenfunction)
    if any(is_kind(function) for is_kind in kinds):
        name = getattr(function, "__name__", repr(function))
        raise TypeError(
            f"`{name}` is suspended while it runs, so a decorator would switch recording for its caller too: "
            "write `with no_grad():` inside it, around lines without yield or await"
        )

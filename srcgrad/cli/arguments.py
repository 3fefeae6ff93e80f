"""`--args`: example arguments for a function, with errors for the person who typed it."""

from __future__ import annotations

import inspect
from typing import Any

from ..runtime import examples
from .errors import CommandError


def example_arguments(function: Any, text: str | None, seed: int = 0, python: bool = True) -> list[Any]:
    """One value for each parameter: from `text`, then from defaults and annotations. Raises CommandError.

    python : whether the text is its user's own, so that Python in it is run
    """
    try:
        signature = inspect.signature(function, eval_str=True)
    except Exception:  # an annotation with a name that only a type checker knows
        signature = inspect.signature(function)
    try:
        return examples.example_arguments(signature, text, seed, getattr(function, "__globals__", {}), python)
    except examples.NoExample as error:
        if text:
            raise CommandError(f"--args: {error}") from None
        plain = inspect.signature(function)
        raise CommandError(f'{error}: say --args "..." for {plain}, as in --args "f8[n, d], f8[d], steps=10"') from None

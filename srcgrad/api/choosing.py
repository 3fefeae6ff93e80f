"""Which arguments to differentiate: by position (`argnums=`) or by name (`wrt=`)."""

from __future__ import annotations

import inspect
import operator
import types
from collections.abc import Sequence
from typing import Any

from ..request import Places
from ..runtime.signature import Path

Names = str | Sequence[str]
Positions = int | Sequence[int]


def choose(
    function: types.FunctionType, signature: inspect.Signature, wrt: Names | None, argnums: Positions | None
) -> tuple[Places, bool]:
    """What to differentiate, and whether the gradient comes by itself."""
    if wrt is not None and argnums is not None:
        raise ValueError("give either wrt= names or argnums= positions, not both")
    if wrt is not None:
        return _by_name(function, tuple(signature.parameters), wrt)
    single = argnums is None or hasattr(argnums, "__index__")
    listed: Any = [0 if argnums is None else argnums] if single else argnums
    if not isinstance(listed, (list, tuple, range)) or not all(
        hasattr(p, "__index__") and not isinstance(p, bool) for p in listed
    ):
        raise TypeError(f"argnums= takes an integer or a sequence of integers, not {argnums!r}; names go into wrt=")
    chosen = tuple(_place(function, signature, operator.index(position)) for position in listed)
    if not chosen or len(set(chosen)) < len(chosen):
        raise ValueError("argnums= needs different positions, at least one")
    return chosen, single


def _by_name(function: types.FunctionType, names: tuple[str, ...], wrt: Names) -> tuple[Places, bool]:
    single = isinstance(wrt, str)
    listed: tuple[Any, ...] = (wrt,) if single else tuple(wrt) if isinstance(wrt, (list, tuple)) else ()
    if not all(isinstance(name, str) for name in listed) or not isinstance(wrt, (str, list, tuple)):
        raise TypeError(f"wrt= takes a name or a list or tuple of names, not {wrt!r}; positions go into argnums=")
    for name in listed:
        if name not in names:
            raise ValueError(
                f"`{function.__qualname__}` has no parameter `{name}`; it has {', '.join(names) or 'none'}"
            )
    if not listed or len(set(listed)) < len(listed):
        raise ValueError("wrt= needs different names, at least one")
    return tuple((name, None) for name in listed), single


def _place(function: types.FunctionType, signature: inspect.Signature, position: int) -> tuple[str, Path | None]:
    """The parameter at a position; behind the named ones come the items of `*args`."""
    names = [p.name for p in signature.parameters.values()]
    extra = next((i for i, p in enumerate(signature.parameters.values()) if p.kind is p.VAR_POSITIONAL), None)
    if extra is not None and position >= extra:
        return names[extra], (position - extra,)
    if not -len(names) <= position < len(names):
        raise ValueError(f"`{function.__qualname__}` has {len(names)} parameters; there is no position {position}")
    return names[position], None

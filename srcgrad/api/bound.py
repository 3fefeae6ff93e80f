"""A derivative as a method: what Python makes of `model.loss` where `grad` decorates `loss` in a class."""

from __future__ import annotations

import functools
import inspect
from typing import Any

_TAKE_ARGUMENTS = {
    "value_and_grad", "forward", "specialize", "explain", "report", "source_for", "forward_source_for",
    "backward_source_for",
}  # fmt: skip
_AS_IT_IS = {"source", "forward_source", "backward_source", "specializations", "wrt", "single"}
_DISPLAY = {"_repr_html_", "_repr_markdown_", "_repr_pretty_", "__name__", "__qualname__", "__wrapped__"}


class Bound:
    # A derivative whose first argument is given: all that it can be asked for, of that object. Its docstring is the
    # function's.

    __slots__ = ("__func__", "__self__")

    def __init__(self, derivative: Any, instance: Any):
        self.__func__, self.__self__ = derivative, instance

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.__func__(self.__self__, *args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name in _TAKE_ARGUMENTS:
            return functools.partial(getattr(self.__func__, name), self.__self__)
        if name == "export":
            return lambda path, *args, **kwargs: self.__func__.export(path, self.__self__, *args, **kwargs)
        if name in _AS_IT_IS or name in _DISPLAY:
            return getattr(self.__func__, name)
        raise AttributeError(f"{self!r} has no attribute {name!r}")

    @property
    def __doc__(self) -> str | None:  # type: ignore[override]
        return self.__func__.__doc__  # type: ignore[no-any-return]

    @property
    def __signature__(self) -> inspect.Signature:
        whole = inspect.signature(self.__func__)
        return whole.replace(parameters=list(whole.parameters.values())[1:])

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *_TAKE_ARGUMENTS, *_AS_IT_IS, "export"})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Bound) and self.__func__ is other.__func__ and self.__self__ is other.__self__

    def __hash__(self) -> int:
        return hash((id(self.__func__), id(self.__self__)))

    def __reduce__(self) -> Any:
        return getattr, (self.__self__, self.__func__.__name__)

    def __repr__(self) -> str:
        return f"<bound {repr(self.__func__).strip('<>')} of {self.__self__!r}>"

"""Looking at what was compiled: what is stored, computed again or zero, and why; graphs; modules to export."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..runtime.parameter import Parameter
    from .drawing import Graph


def make_dot(
    what: Any,
    *args: Any,
    params: Mapping[str, Parameter] | None = None,
    backward: bool = False,
    show_saved: bool = False,
    **kwargs: Any,
) -> Graph:
    """The computation graph of a call in torchviz's manner: arguments by name and shape, operations, the result.

    what : the result of `f.forward(...)`, before its `backward`; or a function, a method or a gradient, followed by the
           call's arguments
    params : names of Parameters, as `dict(model.named_parameters())` has them
    backward : draw the backward sweep as well, in orange, and the gradients as results
    show_saved : put an orange border round what is stored for the backward sweep
    Returns a Graph: `.source` is DOT text, `.save(path)` writes it or a picture of it. Raises RuntimeError for a result
    that was not recorded or has gone backward, TypeError for anything else than these.
    """
    from .drawing import draw  # the compiler is imported when it is asked for

    return draw(what, args, kwargs, params or {}, backward, show_saved)

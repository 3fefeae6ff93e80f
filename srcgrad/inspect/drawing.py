"""`make_dot`: the computation graph of a compiled function, in torchviz's manner."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..api import Gradient
from ..api.bound import Bound
from ..api.pullback import Pullback
from ..ir.dims import Dim
from ..ir.nodes import Op, Slot
from ..pipeline import OPTIMIZE
from ..runtime.leaves import parameters, unwrap
from ..runtime.parameter import Parameter
from ..runtime.result import Result
from .call import Call, compiled_call, leaf_text
from .explain import saved_values
from .graph import dot_text


class Graph:
    """A graph as DOT text. `print` it, `save` it, or let a notebook show it.

    Pictures need the extra `srcgrad[graph]` and Graphviz's `dot` on the path; the text needs neither.
    """

    def __init__(self, source: str):
        self.source = source

    def __str__(self) -> str:
        return self.source

    def save(self, path: str | Path) -> None:
        """Write the graph; the suffix says how: .dot or .gv for the text, .svg, .png or .pdf for a picture."""
        file = Path(path)
        kind = file.suffix.lstrip(".").lower()
        if kind in ("dot", "gv"):
            file.write_text(self.source, encoding="utf-8")
        elif kind in ("svg", "png", "pdf"):
            file.write_bytes(self.render(kind))
        else:
            raise ValueError(f"{file.name}: the suffix must be .dot, .gv, .svg, .png or .pdf")

    def render(self, kind: str = "svg") -> bytes:
        """The picture. Raises ImportError, naming the extra, or RuntimeError where `dot` is missing."""
        try:
            import graphviz
        except ImportError as error:
            raise ImportError('pictures of graphs need `pip install "srcgrad[graph]"`; print the DOT text') from error
        try:
            return bytes(graphviz.Source(self.source).pipe(format=kind))
        except graphviz.ExecutableNotFound as error:
            raise RuntimeError("pictures of graphs need Graphviz: its program `dot` is not on the path") from error

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        try:
            return {"image/svg+xml": self.render("svg").decode(), "text/plain": self.source}
        except (ImportError, RuntimeError):
            return {"text/plain": self.source}


def draw(
    what: Any,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    params: Mapping[str, Parameter],
    backward: bool,
    show_saved: bool,
) -> Graph:
    """What `make_dot` returns."""
    found: list[Parameter] = []
    if isinstance(what, (types.MethodType, Bound)) and isinstance(what.__func__, (types.FunctionType, Gradient)):
        what, args = what.__func__, (what.__self__, *args)
    whole = not isinstance(what, types.FunctionType)  # else its result may be an array, which has no gradient
    if isinstance(what, types.FunctionType):
        what = Gradient(what)
    if isinstance(what, Result):
        pullback = what._pullback
        if not isinstance(pullback, Pullback) or pullback.arguments is None:
            raise RuntimeError("the result was not recorded, or its `backward` has run: draw it before that")
        dispatcher, values, found = pullback.dispatcher, list(pullback.arguments), list(what._parameters or ())
        places = [(name, path or ()) for name, path in dispatcher.request.wrt]
    elif isinstance(what, Gradient):
        bound = what._bind(args, kwargs)
        entries = [e for e in parameters(dict(zip(what._parameters, bound))) if e[0].requires_grad]
        dispatcher = what.dispatcher_for(bound) if whole else what.pair_for(bound)
        values = [unwrap(value) for value in bound]
        found, places = [p for p, _ in entries], [(s.place[0], s.place[1] or ()) for _, s in entries]
    else:
        kind = type(what).__name__
        raise TypeError(f"make_dot draws the result of `f.forward(...)`, or a function and its arguments, not {kind}")
    call = compiled_call(dispatcher, values)
    named = {id(parameter): name for name, parameter in params.items()}
    given = {place: named[id(p)] for place, p in zip(places, found) if id(p) in named}
    return drawn(call, given, backward, show_saved)


def drawn(
    call: Call,
    given: Mapping[tuple[str, tuple[Any, ...]], str],
    backward: bool,
    show_saved: bool,
    where: Callable[[Op], str] = lambda op: "",
) -> Graph:
    """The graph of a call; `given` are names for what is differentiated, `where` gives nodes their class."""
    function = call.compiled.stages[OPTIMIZE[-1][0]] if backward else call.lowered
    names = {(name, path): given.get((name, path)) or leaf_text(name, path) for name, path, _ in call.wrt()}
    machine = call.machine(function)

    def length(dim: Dim) -> str:
        size = machine.static(dim)
        return str(dim) if size is None else str(size)

    whole = backward or not isinstance(call.lowered.result, Slot)
    results = list(range(len(function.body.results))) if whole else [call.lowered.result.number]
    title, saved = call.dispatcher.request.function.__name__, saved_values(call.compiled) if show_saved else ()
    return Graph(dot_text(function, results, names, length, title, where, saved))

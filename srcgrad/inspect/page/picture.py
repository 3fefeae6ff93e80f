"""The computation graph for a page: SVG where Graphviz is at hand, else its text, which the page draws itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from ...ir.nodes import Op
from ..call import Call
from ..drawing import Graph, drawn
from .places import Sources


@dataclass(frozen=True)
class Picture:
    """A graph under a title; without `svg`, the page draws `dot` when it is opened."""

    title: str
    dot: str
    svg: str


def pictures(call: Call, known: Sources, title: str) -> Sequence[Picture]:
    """The graph of the function, and that with its derivative; a node's class names the user's line it comes from."""
    where = partial(_where, known)
    return [
        _picture("Function", drawn(call, {}, False, True, where)),
        _picture(f"With its {title}", drawn(call, {}, True, True, where)),
    ]


def _where(known: Sources, op: Op) -> str:
    identity = known.identity(op.origin)
    return f"at-{identity}" if identity else ""


def _picture(title: str, graph: Graph) -> Picture:
    try:
        text = graph.render("svg").decode()
    except (ImportError, RuntimeError):
        return Picture(title, graph.source, "")
    svg = re.sub(r"<!--.*?-->", "", text[text.index("<svg") :], flags=re.DOTALL)
    return Picture(title, graph.source, re.sub(r'(<g|<a|<clipPath) id="[^"]*"', r"\1", svg))

"""What the explorer shows of a file and a function, as HTML: built by the worker, put in place by the page."""

from __future__ import annotations

import re
import types
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from ...api import Gradient
from ...errors import Fault
from ...inspect.call import Call, compiled_call
from ...inspect.drawing import drawn
from ...inspect.explain import explained, kept
from ...inspect.page.document import as_json
from ...inspect.page.panes import generated_pane, plain_pane, user_panes
from ...inspect.page.places import Generated, Sources, coloured, whole_file
from ...inspect.page.tables import explanation_tables
from ...inspect.stages import text_after
from ...runtime.leaves import unwrap
from ..commands import gradient_of


def build(module: types.ModuleType, file: Path, function: str, wrt: str, args: str, show: str) -> dict[str, Any]:
    """Both sides for one function. No code comes with the question: what stands in `args` that is Python is refused.

    Raises what compiling raises.
    """
    gradient, given = gradient_of(vars(module)[function], wrt or None, args or None, python=False)
    values = [unwrap(value) for value in gradient._bind(given, {})]
    dispatcher = gradient.dispatcher_for(given)
    if show == "value_and_grad":
        dispatcher = gradient.dispatcher_of("value_and_grad")
    elif show == "halves":
        dispatcher = gradient.pair_for(given)
    call = compiled_call(dispatcher, values)
    texts = [Generated(each) for each in call.compiled.emitted]
    known = coloured(whole_file(file), texts)
    return {
        "user": user_panes(known, None, {}),
        "generated": _shown(gradient, call, texts, known, show),
        "stages": list(call.compiled.stages),
    }


def source_only(file: Path, faults: Sequence[Fault]) -> dict[str, Any]:
    """The file with what is wrong in it; faults that lie in other files are a message."""
    known = whole_file(file)
    here = [str(fault.origin.line) for fault in faults if known.identity(fault.origin)]
    said = [str(fault) for fault in faults if not known.identity(fault.origin)]
    if here:
        said.insert(0, f"Not compiled: see line {', '.join(here)}.")
    return {"user": user_panes(known, None, {}, faults), "generated": "", "failed": True, "message": "\n".join(said)}


def _shown(gradient: Gradient[..., Any], call: Call, texts: Iterable[Generated], known: Sources, show: str) -> str:
    if show == "explain":
        made = call.dispatcher.find([call.example[name] for name in call.dispatcher.names])
        return explanation_tables(explained(call, made), known, gradient.wrt)
    if show.startswith("graph"):
        graph = drawn(call, {}, show == "graph_backward", True, lambda op: _class(known.identity(op.origin)))
        return (
            '<figure class="picture"><div class="canvas" role="img" aria-label="the computation graph" tabindex="0">'
            f'</div><script type="application/json">{as_json(graph.source)}</script></figure>'
        )
    if show.startswith("stage "):
        return _stage(text_after(call, show.removeprefix("stage ")), known)
    stored = {} if show == "halves" else dict.fromkeys(kept(call.compiled), "stored for the backward sweep")
    panes = (
        f"<h3><code>{escape(each.emitted.name)}</code></h3>{generated_pane(each, number, known, stored)}"
        for number, each in enumerate(texts)
    )
    return "".join(panes)


def _stage(text: str, known: Sources) -> str:
    """IR as lines; each op's comment says which line it is of."""
    lines = text.splitlines()
    to = [re.search(r"# line (\d+)$", line) for line in lines]
    return plain_pane(lines, [[f"u0-{found[1]}"] if found else [] for found in to], known)


def _class(identity: str) -> str:
    return f"at-{identity}" if identity else ""

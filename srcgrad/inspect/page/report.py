"""`Gradient.report`: a function and its gradient side by side, as one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from itertools import count
from pathlib import Path
from typing import Any

from ...api.derivative import Derivative
from ...dispatch import Dispatcher
from ..call import Call, compiled_call
from ..explain import explained, kept
from ..explanation import Explanation
from .document import document
from .measure import Measured, amount, measure
from .panes import generated_pane, user_panes
from .picture import pictures
from .places import Generated, Sources, coloured, relations, sources
from .tables import explanation_tables, specialisation_table


class Report:
    """A page about one gradient: `html` is all of it, `save(path)` writes it, a notebook shows it."""

    def __init__(self, html: str):
        self.html = html

    def save(self, path: str | Path) -> None:
        Path(path).write_text(self.html, encoding="utf-8")

    def _repr_html_(self) -> str:
        style = "width:100%;height:44rem;border:1px solid #8886"
        return f'<iframe sandbox="allow-scripts" style="{style}" srcdoc="{escape(self.html)}"></iframe>'


def report(derivative: Derivative, dispatchers: Sequence[Dispatcher], values: Sequence[Any], measured: bool) -> Report:
    """What `Derivative.report` returns.

    dispatchers : what serves the call, and then other forms of it to show; values : one for each parameter
    """
    calls = [compiled_call(dispatcher, values) for dispatcher in dispatchers]
    call, made = calls[0], dispatchers[0].find(values)
    views = [[Generated(text) for text in each.compiled.emitted] for each in calls]
    whole, every = views[0][0], [each for view in views for each in view]
    known = coloured(sources(derivative._python, every), every)
    explanation = explained(call, made, derivative.title)
    run = measure(call) if measured else None
    stored = _stored_titles(call, explanation)
    number = count()
    panes = [
        [(e.emitted.name, generated_pane(e, next(number), known, stored, run if e is whole else None)) for e in view]
        for view in views
    ]
    return Report(
        document(
            name=derivative._python.__qualname__,
            title=derivative.title,
            signature=made.signature,
            user=user_panes(known, explanation, _by_user_line(whole, known, run) if run else {}),
            views=panes,
            sweep="tangents" if call.dispatcher.request.step.forward_mode else "backward sweep",
            note=_note(whole.emitted.name, run),
            explanation=explanation_tables(explanation, known, call.dispatcher.request.wrt),
            specialisations=specialisation_table(derivative.specializations),
            pictures=pictures(call, known, derivative.title),
        )
    )


def _stored_titles(call: Call, explanation: Explanation) -> dict[Any, str]:
    """What is said of each stored value where its name stands."""
    said = {each.name: f"stored for the backward sweep: {each.summary}" for each in explanation.stored}
    return {value: said[name] for value, (name, _) in kept(call.compiled).items()}


def _by_user_line(whole: Generated, known: Sources, run: Measured) -> Mapping[str, tuple[float, float]]:
    """Seconds forward and backward of the user's lines: each generated line counts for the line that it computes."""
    found: dict[str, tuple[float, float]] = {}
    belongs = relations(whole, known)
    for number, seen in run.lines.items():
        to = belongs.get(number, [])
        if to:
            forward, backward = found.get(to[0], (0.0, 0.0))
            back = whole.sweep(number) == "backward"
            found[to[0]] = (forward, backward + seen.seconds) if back else (forward + seen.seconds, backward)
    return found


def _note(name: str, run: Measured | None) -> str:
    if run is None:
        return ""
    return (
        f"Measured on this machine with the report's arguments: one call of {name} takes {amount(run.best)} (the "
        f"best of {run.runs}). The times beside the lines are from a run of the same text with a clock between its "
        f"statements, {amount(run.total)} in all, less what a look at the clock costs here. Beside the function: the "
        "time of the forward and of the backward lines that come from each line."
    )


__all__ = ["Report", "report"]

"""What `explain` says and what was compiled, as tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from ...dispatch import Specialisation
from ...errors import Origin
from ...runtime.signature import Path, path_text
from ..explanation import Explanation
from .panes import reference
from .places import Sources


def explanation_tables(explanation: Explanation, known: Sources, wrt: Sequence[tuple[str, Path | None]]) -> str:
    """Stored, computed again, zero; the signature, what it serves, the cache's entry."""

    def line(origin: Origin) -> str:
        if not origin.line:
            return "the arguments"
        return f"{reference(origin, known)} <code>{escape(origin.text.strip())}</code>"

    def lines(origins: Iterable[Origin]) -> str:
        return "<br>".join(line(each) for each in origins)

    parts = []
    if explanation.stored:
        rows = [
            [
                f"<code>{escape(each.name)}</code>",
                f"<code>{escape(each.what)}</code>",
                f"{each.count:,}" if each.recorded else "1",
                f"{each.bytes:,}" if each.bytes else "0 (a view)",
                line(each.where),
                lines(each.why),
            ]
            for each in explanation.stored
        ]
        title = f"Stored for the backward sweep: {explanation.bytes:,} bytes"
        parts.append(table(title, ["value", "type", "count", "bytes", "made by", "needed to differentiate"], rows))
    else:
        parts.append("<p>Nothing is stored for the backward sweep.</p>")
    if explanation.recomputed:
        rows = [[f"<code>{escape(each.text)}</code>", line(each.where)] for each in explanation.recomputed]
        parts.append(table("Computed again in the backward sweep", ["value", "of"], rows))
    if explanation.zeros:
        rows = [
            [f"<code>{escape(each.parameter)}</code>", escape(each.reason), lines(each.places)]
            for each in explanation.zeros
        ]
        parts.append(table("Gradients that are zero", ["with respect to", "because", "at"], rows))
    facts = [
        ("Signature", f"<code>{escape(explanation.signature)}</code>"),
        ("Differentiated", " ".join(f"<code>{escape(path_text(name, path or ()))}</code>" for name, path in wrt)),
        ("Serves calls with", "<br>".join(f"<code>{escape(each)}</code>" for each in explanation.guards) or "no more"),
        ("Compilation", escape(explanation.entry)),
    ]
    parts.append("<dl>" + "".join(f"<dt>{name}</dt><dd>{text}</dd>" for name, text in facts) + "</dl>")
    return "\n".join(parts)


def specialisation_table(made: Iterable[Specialisation]) -> str:
    """One row for each signature and form that has been compiled in this process."""
    rows = []
    for each in made:
        names = [line[4:].partition("(")[0] for text in each.texts for line in text.splitlines() if line[:4] == "def "]
        milliseconds = 1e3 * sum(each.seconds.values())
        rows.append(
            [
                " ".join(f"<code>{escape(name)}</code>" for name in names),
                f"<code>{escape(each.signature)}</code>",
                "<br>".join(f"<code>{escape(guard)}</code>" for guard in each.guards),
                f"{sum(text.count(chr(10)) for text in each.texts)}",
                f"compiled in {milliseconds:.0f} ms" if each.origin == "compiled" else "read from disk",
            ]
        )
    return table("Compiled so far", ["functions", "signature", "if", "lines", "how"], rows)


def table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """An HTML table; the cells are HTML already."""
    head = "".join(f'<th scope="col">{escape(each)}</th>' for each in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return (
        f'<div class="wide"><table><caption>{escape(title)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )

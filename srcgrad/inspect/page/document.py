"""The page around the parts: template, style and script in one file that loads nothing."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from functools import lru_cache
from html import escape
from importlib.resources import files
from string import Template

from .picture import Picture


def document(
    *,
    name: str,
    title: str,
    signature: str,
    user: str,
    views: Sequence[Sequence[tuple[str, str]]],
    sweep: str,
    note: str,
    explanation: str,
    specialisations: str,
    pictures: Sequence[Picture],
) -> str:
    """The whole page. A content security policy lets it run its own two scripts and load nothing at all."""
    drawn = all(picture.svg for picture in pictures)
    scripts = ["page.js"] if drawn else ["viz.js", "page.js"]
    policy = " ".join(f"'sha256-{_hash(resource(script))}'" for script in scripts)
    return Template(resource("report.html")).substitute(
        name=escape(name),
        title=escape(title),
        forms=_choice("view", [title[:1].upper() + title[1:], "Forward and backward halves"][: len(views)]),
        sweep=sweep,
        sweeps=_choice("picture", [picture.title for picture in pictures]),
        signature=escape(f"{name}({signature})"),
        policy=policy if drawn else f"{policy} 'wasm-unsafe-eval'",
        style=resource("page.css"),
        user=user,
        views="\n".join(_view(number, texts) for number, texts in enumerate(views)),
        note=f'<p class="note">{escape(note)}</p>' if note else "",
        explanation=explanation,
        specialisations=specialisations,
        pictures="\n".join(_figure(number, picture) for number, picture in enumerate(pictures)),
        scripts="\n".join(f"<script>{resource(script)}</script>" for script in scripts),
    )


@lru_cache(maxsize=8)
def resource(name: str) -> str:
    """The text of a file that lies beside this one."""
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def as_json(value: object) -> str:
    """JSON that may stand in a script element, whatever strings are in it."""
    return json.dumps(value).replace("<", "\\u003c")


def _hash(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _choice(kind: str, titles: Sequence[str]) -> str:
    """Buttons that show one of several; nothing where there is one."""
    if len(titles) == 1:
        return ""
    label = {"view": "Which form", "picture": "Which graph"}[kind]
    buttons = "".join(
        f'<button type="button" data-show="{kind}" data-number="{number}" aria-pressed="{str(not number).lower()}">'
        f"{escape(title)}</button>"
        for number, title in enumerate(titles)
    )
    return f'<div class="choice" role="group" aria-label="{label}">{buttons}</div>'


def _view(number: int, texts: Sequence[tuple[str, str]]) -> str:
    hidden = " hidden" if number else ""
    parts = "".join(f"<h3><code>{escape(title)}</code></h3>{pane}" for title, pane in texts)
    return f'<div class="view" data-view="{number}"{hidden}>{parts}</div>'


def _figure(number: int, picture: Picture) -> str:
    hidden = " hidden" if number else ""
    dot = "" if picture.svg else f'<script type="application/json">{as_json(picture.dot)}</script>'
    label = escape(f"{picture.title}: the computation graph")
    text = f"<details><summary>DOT text</summary><pre>{escape(picture.dot)}</pre></details>"
    return (
        f'<figure class="picture" data-picture="{number}"{hidden}>'
        f'<div class="canvas" role="img" aria-label="{label}" tabindex="0">{picture.svg}</div>{dot}{text}</figure>'
    )

"""Docstrings, which are plain text with `names` in backticks, as reStructuredText.

name, other : what it is    becomes an entry of a list, with the indented lines that follow it
an indented block           stays as it is, in typewriter
`**kwargs`, trailing_       are text outside backticks too
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sphinx.application import Sphinx

NAME = r"\*{0,2}[A-Za-z_]\w*"
ENTRY = re.compile(rf"(?P<names>{NAME}(?:, {NAME})*) : (?P<text>.+)")
MARKUP = re.compile(r"([*|\\]|(?<=\w)_(?!\w))")


def restructured(lines: list[str]) -> list[str]:
    """The same docstring for Sphinx; each paragraph, entry and block apart from the next."""
    return [line for part in _parts(lines) for line in (*part, "")]


def _parts(lines: list[str]) -> Iterator[list[str]]:
    rest = list(lines)
    while rest:
        line = rest.pop(0)
        if not line.strip():
            continue
        if line.startswith(" "):
            yield ["::", "", *(f"    {each}" for each in [line, *_while(rest, _indented_or_empty)])]
        elif entry := ENTRY.fullmatch(line):
            text = [entry["text"], *(each.strip() for each in _while(rest, _indented))]
            yield [f"- **{_escaped(entry['names'])}**: {_escaped(' '.join(text))}"]
        else:
            yield [_escaped(each) for each in [line, *_while(rest, _prose)]]


def _while(rest: list[str], holds: Any) -> Iterator[str]:
    while rest and holds(rest[0]):
        yield rest.pop(0)


def _indented(line: str) -> bool:
    return line.startswith(" ") and bool(line.strip())


def _indented_or_empty(line: str) -> bool:
    return line.startswith(" ") or not line.strip()


def _prose(line: str) -> bool:
    return bool(line.strip()) and not line.startswith(" ") and not ENTRY.fullmatch(line)


def _escaped(text: str) -> str:
    """Nothing outside backticks is markup."""
    parts = text.split("`")
    return "`".join(part if k % 2 else MARKUP.sub(r"\\\1", part) for k, part in enumerate(parts))


def _process(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    lines[:] = restructured(lines)


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("autodoc-process-docstring", _process)
    return {"parallel_read_safe": True}

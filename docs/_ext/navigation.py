"""The navigation, made from index.md: each section's list of links is one group.

A page that index.md does not name comes last, in a group of its own, so that none is out of reach.
"""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

HOME = "index"
PAIR = '<div class="pair">'  # two texts beside each other
SECTION = re.compile(r"^## (?P<title>.+)$", re.M)
LINK = re.compile(r"^- \[(?P<title>[^\]]+)\]\((?P<page>[\w-]+)\.(?:md|ipynb)\)", re.M)


def groups(text: str) -> dict[str, list[tuple[str, str]]]:
    """(title, page) of every item of every section's list."""
    heads = list(SECTION.finditer(text))
    ends = [*(head.start() for head in heads[1:]), len(text)]
    found = {head["title"]: LINK.findall(text[head.end() : end]) for head, end in zip(heads, ends)}
    return {title: links for title, links in found.items() if links}


def with_navigation(text: str, pages: set[str]) -> str:
    """index.md, followed by one table of contents for each group; `pages` are all there are."""
    found = groups(text)
    named = {page for links in found.values() for _, page in links}
    if rest := sorted(pages - named - {HOME}):
        found["More"] = [("", page) for page in rest]
    tables = [_table(group, links) for group, links in found.items()]
    return "\n\n".join([text, *tables]) + "\n"


def _table(group: str, links: list[tuple[str, str]]) -> str:
    entries = [f"{title} <{page}>" if title else page for title, page in links]
    return "\n".join(["```{toctree}", ":hidden:", f":caption: {group}", "", *entries, "```"])


def _read(app: Sphinx, name: str, source: list[str]) -> None:
    if name == HOME:
        pages = {page for page in app.project.docnames if "/" not in page}
        source[0] = with_navigation(source[0], pages)


def _wide(app: Sphinx, name: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """A page with pairs has the room of the table of contents beside it."""
    if doctree is not None and any(PAIR in raw.astext() for raw in doctree.findall(nodes.raw)):
        context["furo_hide_toc"] = True


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("source-read", _read)
    app.connect("html-page-context", _wide, priority=900)  # after the theme's own
    return {"parallel_read_safe": True}

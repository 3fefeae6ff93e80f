"""Python source as HTML, one line at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html import escape
from typing import Any

Mark = Callable[[int, int, str, str], str]  # line, column, token, its class -> what to say of it, or nothing


def highlighted(text: str, mark: Mark | None = None) -> list[str]:
    """Each line of `text` as HTML, with Pygments' short class names; everything is escaped.

    mark : says of a token at a place what its reader should know; such a token becomes a <mark> with that title
    Raises ImportError, naming the extra.
    """
    lines: list[str] = []
    column, current = 0, ""
    for kind, piece in _tokens(text):
        for number, part in enumerate(piece.split("\n")):
            if number:
                lines.append(current)
                column, current = 0, ""
            note = mark(len(lines) + 1, column, part, kind) if mark and part else ""
            current += _span(kind, part, note)
            column += len(part)
    return [*lines, current] if current else lines


def _span(kind: str, text: str, note: str) -> str:
    if not text:
        return ""
    safe = escape(text)
    html = f'<span class="{kind}">{safe}</span>' if kind else safe
    return f'<mark class="stored" title="{escape(note)}">{html}</mark>' if note else html


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    """Pygments' tokens, each with the class that its styles give it."""
    try:
        from pygments.lexers.python import PythonLexer
        from pygments.token import STANDARD_TYPES
    except ImportError as error:
        raise ImportError('pages need `pip install "srcgrad[report]"`') from error
    lexer: Any = PythonLexer(stripnl=False)
    for kind, piece in lexer.get_tokens(text):
        while kind not in STANDARD_TYPES:
            kind = kind.parent
        name = STANDARD_TYPES[kind]
        yield "" if name == "w" else name, piece

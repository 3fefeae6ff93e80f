"""How a derivative shows itself in a notebook: its source, highlighted, and behind a click the function beside it."""

from __future__ import annotations

import textwrap
from html import escape
from typing import TYPE_CHECKING

from ..errors import SrcgradError
from ..runtime.source import Source, find_source
from .page.highlight import highlighted

if TYPE_CHECKING:
    from ..api.derivative import Derivative

# Colours that can be read on white and, below, on black; JupyterLab, VS Code and the system each say "dark" otherwise.
_STYLE = """
.srcgrad { --k: #8250df; --n: #0550ae; --s: #0a6b2f; --c: #5c6670; font-size: 13px; }
DARK { --k: #d2a8ff; --n: #79c0ff; --s: #7ee787; --c: #9aa4af; }
.srcgrad pre { margin: .4em 0; padding: 0; background: none; color: inherit; line-height: 1.4; overflow-x: auto;
  font-family: var(--jp-code-font-family, ui-monospace, Menlo, Consolas, monospace); }
.srcgrad .k, .srcgrad .kn, .srcgrad .kc, .srcgrad .ow { color: var(--k); }
.srcgrad .mi, .srcgrad .mf, .srcgrad .nf, .srcgrad .nd { color: var(--n); }
.srcgrad .s, .srcgrad .s1, .srcgrad .s2, .srcgrad .sd { color: var(--s); }
.srcgrad .c1 { color: var(--c); font-style: italic; }
.srcgrad summary { cursor: pointer; color: var(--c); }
.srcgrad .both { display: grid; grid-template-columns: minmax(16em, max-content) minmax(24em, 1fr); gap: 0 2.5em;
  overflow-x: auto; }
.srcgrad i { color: var(--c); font-style: normal; user-select: none; }
"""
_DARK = '[data-jp-theme-light="false"] .srcgrad, .vscode-dark .srcgrad, [data-theme="dark"] .srcgrad'


def html(derivative: Derivative) -> str | None:
    """Highlighted source, with a part to unfold; None where no signature is known yet, or without Pygments."""
    text = known_source(derivative)
    if text is None:
        return None
    try:
        code = _code(text)
        own = _numbered(find_source(derivative._python))
        noted = _code(derivative.shown(derivative._latest(), annotate=True))
    except ImportError:
        return None
    title = f"{escape(derivative.title)} of <code>{escape(derivative._python.__qualname__)}</code>"
    return (
        f'<div class="srcgrad"><style>{_styles()}</style>{code}'
        f"<details><summary>{title}: beside the function, line by line</summary>"
        f'<div class="both">{own}{noted}</div></details></div>'
    )


def markdown(derivative: Derivative) -> str | None:
    """The source as a fenced block."""
    text = known_source(derivative)
    return None if text is None else f"```python\n{text.rstrip()}\n```\n"


def plain(derivative: Derivative) -> str:
    """What it is, and its source where a signature is known."""
    text = known_source(derivative)
    if text is None:
        return f"{derivative!r}: call it, or `source_for(*args)`, to see its source"
    return f"# {repr(derivative).strip('<>')}\n{text.rstrip()}"


def known_source(derivative: Derivative) -> str | None:
    """The source of the last call, or of what annotations say; None where there is neither."""
    try:
        return derivative.source
    except (RuntimeError, SrcgradError):
        return None


def _code(text: str) -> str:
    return f"<pre>{chr(10).join(highlighted(text.strip()))}</pre>"


def _numbered(source: Source) -> str:
    """The user's function with the line numbers that the generated side names."""
    node = source.node
    first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
    lines = highlighted(textwrap.dedent(source.text).rstrip())
    width = len(str(first + len(lines)))
    return "<pre>" + "\n".join(f"<i>{n:>{width}}</i>  {line}" for n, line in enumerate(lines, first)) + "</pre>"


def _styles() -> str:
    start = _STYLE.index("DARK")
    colours = _STYLE[_STYLE.index("{", start) : _STYLE.index("}", start) + 1]
    light = ':root:not([data-theme="light"]) body:not([data-jp-theme-light="true"], .vscode-light)'
    return f"{_STYLE.replace('DARK', _DARK)}@media (prefers-color-scheme: dark) {{ {light} .srcgrad {colours} }}"

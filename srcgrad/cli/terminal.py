"""Source and messages on a terminal: coloured and paged where one is there and rich is installed, plain otherwise."""

from __future__ import annotations

import shutil
import sys
from itertools import zip_longest


def show_source(text: str, plain: bool = False) -> None:
    """Print Python source: with colours on a terminal, through a pager where it is longer than the screen."""
    if plain or not sys.stdout.isatty():
        print(text, end="" if text.endswith("\n") else "\n")
        return
    try:
        from rich.console import Console
        from rich.syntax import Syntax
    except ImportError:
        print(text, end="" if text.endswith("\n") else "\n")
        return
    console = Console()
    syntax = Syntax(text, "python", theme="ansi_dark", word_wrap=True, background_color="default")
    if text.count("\n") + 2 > console.height:
        with console.pager(styles=True):
            console.print(syntax)
    else:
        console.print(syntax)


def side_by_side(left: str, right: str, width: int | None = None) -> str:
    """Two texts in two columns, as wide as the terminal; lines that do not fit are broken, and marked with `\\`."""
    room = (width or shutil.get_terminal_size((160, 24)).columns) - 3
    wish = max((len(line) for line in left.splitlines()), default=0)
    first = max(20, min(wish, room // 2))
    second = max(20, room - first)
    pairs = zip_longest(_wrapped(left, first), _wrapped(right, second), fillvalue="")
    return "".join(f"{a:<{first}} | {b}".rstrip() + "\n" for a, b in pairs)


def _wrapped(text: str, width: int) -> list[str]:
    lines = []
    for line in text.expandtabs().splitlines():
        while len(line) > width:
            lines.append(line[: width - 1] + "\\")
            line = line[width - 1 :]
        lines.append(line)
    return lines

"""Source and messages on a terminal: coloured and paged where one is there and rich is installed, plain otherwise."""

from __future__ import annotations

import os
import shutil
import sys
from itertools import zip_longest
from typing import Any

COLORS = ("auto", "always", "never")


def show_source(text: str, color: str = "auto", plain: bool = False, language: str = "python") -> None:
    """Print source: with colours on a terminal, through a pager where it is longer than the screen.

    color : "always" keeps the colours in a pipe, "never" pages without them
    """
    if not _print_rich(lambda rich: rich.syntax(text, language), color, plain):
        print(text, end="" if text.endswith("\n") else "\n")


def show_beside(left: str, right: str, color: str = "auto", plain: bool = False) -> None:
    """Print two sources in two columns, as wide as the terminal."""
    if not _print_rich(lambda rich: rich.beside(left, right), color, plain):
        print(side_by_side(left, right), end="")


def side_by_side(left: str, right: str, width: int | None = None) -> str:
    """Two texts in two columns, as wide as the terminal; lines that do not fit are broken, and marked with `\\`."""
    first, second = _widths(left, width or shutil.get_terminal_size((160, 24)).columns)
    pairs = zip_longest(_wrapped(left, first), _wrapped(right, second), fillvalue="")
    return "".join(f"{a:<{first}} | {b}".rstrip() + "\n" for a, b in pairs)


class _Rich:
    """What of rich is needed, imported when there is a terminal to colour."""

    def __init__(self, width: int):
        self.width = width

    def syntax(self, text: str, language: str = "python") -> Any:
        from rich.syntax import Syntax

        return Syntax(text.rstrip("\n"), language, theme="ansi_dark", word_wrap=True, background_color="default")

    def beside(self, left: str, right: str) -> Any:
        from rich.table import Table

        first, second = _widths(left, self.width)
        one, other = _wrapped(left, first), _wrapped(right, second)
        table = Table(box=None, show_header=False, padding=0, pad_edge=False)
        for width in (first, 3, second):
            table.add_column(width=width)
        bar = "\n".join([" │ "] * max(len(one), len(other)))
        table.add_row(self.syntax("\n".join(one)), bar, self.syntax("\n".join(other)))
        return table


def _print_rich(make: Any, color: str, plain: bool) -> bool:
    """Print something of rich's; False where plain text is wanted or all that there is."""
    terminal = sys.stdout.isatty()
    if plain or color == "never" or not (terminal or color == "always"):
        return False
    try:
        from rich.console import Console
    except ImportError:
        if color == "always":
            print('srcgrad: colours need `pip install "srcgrad[cli]"`', file=sys.stderr)
        return False
    console = Console(force_terminal=True if color == "always" else None)
    with console.capture() as capture:
        console.print(make(_Rich(console.width)))
    text = capture.get()
    if terminal and text.count("\n") + 1 > console.height:
        os.environ.setdefault("LESS", "FRX")  # colours as they are; leave a short text on the screen
        with console.pager(styles=True):
            console.print(make(_Rich(console.width)))
    else:
        sys.stdout.write(text)
    return True


def _widths(left: str, room: int) -> tuple[int, int]:
    wish = max((len(line) for line in left.splitlines()), default=0)
    first = max(20, min(wish, (room - 3) // 2))
    return first, max(20, room - 3 - first)


def _wrapped(text: str, width: int) -> list[str]:
    """The lines, those that are too long broken where there is a space, and marked with `\\`."""
    lines = []
    for line in text.expandtabs().splitlines():
        indent = min(len(line) - len(line.lstrip()) + 4, width // 2)
        while len(line) > width:
            cut = line.rfind(" ", indent + 1, width - 1)
            cut = cut if cut > 0 else width - 2
            lines.append(line[:cut] + " \\")
            line = " " * indent + line[cut:].lstrip()
        lines.append(line)
    return lines

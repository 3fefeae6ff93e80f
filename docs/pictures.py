"""The pages' pictures, made anew by `python docs/pictures.py`: plots, a graph, what commands show on a terminal.

Needs the examples and graph extras, and Graphviz's `dot`.
"""

from __future__ import annotations

import io
import os
import pty
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
IMAGES = Path(__file__).parent / "images"
WIDTH = 100

# picture: the arguments of the command that it shows
CAPTURES = {
    "show.svg": ("show", "examples/two_layer_net.py:loss", "--args", "f4[d,h], f4[h,o], f4[n,d], f4[n,o]"),
    "explain.svg": ("explain", "examples/two_layer_net.py:loss", "--args", "f4[d,h], f4[h,o], f4[n,d], f4[n,o]"),
}


def plots() -> None:
    """The examples draw them."""
    for name in ("minimise", "neuron"):
        command = [sys.executable, f"examples/{name}.py", "--picture", str(IMAGES / f"{name}.png")]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def graphs() -> None:
    """The neuron of the fifth tutorial, forward."""
    sys.path.insert(0, str(ROOT / "examples"))
    import neuron

    neuron.graph().save(IMAGES / "neuron_graph.svg")


def captures() -> None:
    """Each command runs in a terminal of its own; its colours are kept."""
    from rich.console import Console
    from rich.text import Text

    for name, arguments in CAPTURES.items():
        console = Console(record=True, width=WIDTH, file=io.StringIO())
        console.print(f"$ srcgrad {shlex.join(arguments)}", style="bold", highlight=False, markup=False)
        with tempfile.TemporaryDirectory() as cache:
            written = _terminal([sys.executable, "-m", "srcgrad", *arguments], cache)
        console.print(Text.from_ansi(written.replace(cache, "~/.cache/srcgrad")))
        drawn = console.export_svg(title="srcgrad", unique_id=name.removesuffix(".svg"))
        (IMAGES / name).write_text(re.sub(r"@font-face \{.*?\}", "", drawn, flags=re.S))  # no fonts from elsewhere


def _terminal(command: list[str], cache: str) -> str:
    """What the command writes to a terminal."""
    ours, theirs = pty.openpty()
    settings = {"TERM": "xterm-256color", "COLUMNS": str(WIDTH), "LINES": "1000", "SRCGRAD_CACHE_DIR": cache}
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), theirs)
    running = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **settings}, **streams)
    os.close(theirs)
    written = b""
    while part := _read(ours):
        written += part
    os.close(ours)
    if running.wait():
        raise RuntimeError(written.decode())
    return written.decode().replace("\r\n", "\n").rstrip()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # the end, on Linux
        return b""


if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    for make in (plots, graphs, captures):
        make()

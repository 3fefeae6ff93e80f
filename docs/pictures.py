"""The pages' pictures, made anew by `python docs/pictures.py`: plots, a graph, what commands show on a terminal, pages.

Needs the extras dev, examples and graph, Graphviz's `dot`, and Chromium. `python docs/pictures.py screens` makes the
pictures of pages alone; so do the other functions' names.
"""

from __future__ import annotations

import io
import os
import pty
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
IMAGES = Path(__file__).parent / "images"
WIDTH = 100
LOSS = '{"frequency": 1.8, "friction": 0.1}, f8[2], f8[20]'

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


def screens() -> None:
    """The report of the Kalman filter, a line of it kept; the explorer of the pendulum."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        place = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=place, args=["--no-sandbox"])
        report = Path(folder) / "report.html"
        made = ["report", "examples/kalman.py:negative_log_likelihood", "--measure", "-o", str(report)]
        arguments = ["--args", '{"log_drift": 0.0, "log_noise": 1.0}, f8[50]']
        subprocess.run(
            [sys.executable, "-m", "srcgrad", *made, *arguments], cwd=ROOT, check=True, stderr=subprocess.DEVNULL
        )
        page = browser.new_page(viewport={"width": 1320, "height": 900})
        page.goto(report.as_uri())
        page.hover(".view:not([hidden]) .line:has-text('d_variance')")
        _screenshot(page, IMAGES / "report.png")

        command = [sys.executable, "-m", "srcgrad", "explore", "examples/pendulum.py:loss", "--args", LOSS]
        with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as running:
            assert running.stderr is not None
            page = browser.new_page(viewport={"width": 1320, "height": 620}, color_scheme="dark")
            page.goto(running.stderr.readline().split()[-1])
            page.click("#generated .line:has-text('d_friction =')")
            _screenshot(page, IMAGES / "explore.png")
            running.send_signal(signal.SIGINT)


def _screenshot(page: Any, file: Path) -> None:
    """Few colours, so that the file is small."""
    from PIL import Image

    page.wait_for_timeout(300)  # until colours have settled
    picture = Image.open(io.BytesIO(page.screenshot()))
    picture.convert("RGB").quantize(192, dither=Image.Dither.NONE).save(file, optimize=True)


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
    every = {make.__name__: make for make in (plots, graphs, captures, screens)}
    for name in sys.argv[1:] or every:
        every[name]()

"""The pages' code runs: every Python block in order, and what it prints must be the block that follows.

    ```python           runs
    ```python refused   runs and must raise an error of srcgrad's, which counts as its output
    ```text             what the block before it printed; so does ```python output, for output that is Python
    ```python torch     runs where that library (or jax, autograd) is installed, in a module of its own
    ```python examples/x.py, ```text examples/x.py    that script, and what it prints (scripts.py)

Blocks in other languages are left alone. A page is one growing module, so that line numbers in messages are those of
its blocks put one below the other.

`python docs/pages.py` writes the outputs of all pages anew, and the pages that are made as a whole (coverage.py,
gallery.py). Read the difference before you commit it.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import linecache
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import SkipTest

import scripts
from sybil import Document, Example, Region

ROOT = Path(__file__).parents[1]
FENCE = re.compile(r"^```(?P<info>\w[^\n]*)\n(?P<code>.*?)^```$", re.M | re.S)
RUN, REFUSED, OUTPUT = ("python",), ("python refused",), ("text", "python output")
PEERS = {"python torch": "torch", "python jax": "jax", "python autograd": "autograd"}


def pages() -> list[Path]:
    """Every page, README first."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


class Page:
    """One page while it runs; `printed` holds what was printed for each output block, by its place in the text."""

    def __init__(self, path: Path, text: str):
        self.text, self.file = text, f"{path.stem.lower().replace('-', '_')}.py"
        kinds = (*RUN, *REFUSED, *OUTPUT, *PEERS)
        self.blocks = [match for match in FENCE.finditer(text) if match["info"] in kinds]
        self.shown = [match for match in FENCE.finditer(text) if scripts.named(match["info"])]
        self.module = ModuleType(self.file.removesuffix(".py"))
        self.peer = ModuleType(f"{self.module.__name__}_peer")
        self.source = ""
        self.pending = ""  # what no block has shown yet
        self.absent = ""  # the library that the block before needs and that is not installed
        self.printed: dict[int, str] = {}
        self.missing: dict[int, str] = {}  # the library without which a block cannot run, or its output be known
        self.rules: list[dict[Any, Any]] = [{}, {}, {}, {}]
        self.done = 0

    def run_until(self, start: int) -> None:
        """Run what has not run yet, as far as the block at `start`."""
        while self.done < len(self.blocks) and self.blocks[self.done].start() <= start:
            block = self.blocks[self.done]
            self.done += 1
            output, self.pending = self.pending, ""
            absent, self.absent = self.absent, ""
            if block["info"] in OUTPUT:
                if absent:
                    self.missing[block.start()] = absent
                else:
                    self.printed[block.start()] = output
                continue
            if (peer := PEERS.get(block["info"])) and importlib.util.find_spec(peer) is None:
                self.missing[block.start()] = self.absent = peer
            else:
                self.pending = self._run_peer(block) if peer else self._run(block)
            if output:
                raise AssertionError(f"the page does not show what the block before printed:\n{output}")

    def _run(self, block: re.Match[str]) -> str:
        first = self.source.count("\n")
        self.source += block["code"] + "\n"
        linecache.cache[self.file] = len(self.source), None, self.source.splitlines(True), self.file
        code = compile("\n" * first + block["code"], self.file, "exec", dont_inherit=True)
        sys.modules[self.module.__name__] = self.module
        with contextlib.redirect_stdout(io.StringIO()) as out, self._own_rules():
            if block["info"] in RUN:
                exec(code, vars(self.module))
            else:
                out.write(_refusal(code, vars(self.module)))
        return _tidy(out.getvalue())

    def _run_peer(self, block: re.Match[str]) -> str:
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(compile(block["code"], f"{PEERS[block['info']]}_{self.file}", "exec"), vars(self.peer))
        return _tidy(out.getvalue())

    @contextlib.contextmanager
    def _own_rules(self) -> Iterator[None]:
        """Rules that a page registers are there on this page alone, whichever pages share the process."""
        from srcgrad.ir import primitive
        from srcgrad.rules import registry

        primitive.load_installed()  # those of SciPy are no page's own, whichever page is the first to use it
        tables = primitive._BY_FUNCTION, primitive._BY_NAME, registry.CASES, registry.PYTHON_TWINS
        before = [dict(table) for table in tables]
        for table, own in zip(tables, self.rules):
            table.update(own)
        try:
            yield
        finally:
            for table, own, old in zip(tables, self.rules, before):
                own.update({key: value for key, value in table.items() if key not in old})
                table.clear()
                table.update(old)


def _tidy(printed: str) -> str:
    return "".join(line.rstrip() + "\n" for line in printed.strip("\n").splitlines())


def _refusal(code: Any, namespace: dict[str, Any]) -> str:
    from srcgrad import SrcgradError

    try:
        exec(code, namespace)
    except (SrcgradError, RuntimeError, ValueError) as error:
        return f"{type(error).__name__}: {error}"
    raise AssertionError("the block was to be refused, but it ran")


def examples(document: Document) -> Iterable[Region]:
    """A page's blocks for sybil: a block runs all those before it, whichever process it is in."""
    page = Page(Path(document.path), document.text)

    def evaluate(example: Example) -> str | None:
        page.run_until(example.start)
        if example.start in page.missing:
            raise SkipTest(f"needs {page.missing[example.start]}")
        printed = page.printed.get(example.start, example.parsed)
        return None if printed == example.parsed else f"the page says\n{example.parsed}\nits code prints\n{printed}"

    def evaluate_script(example: Example) -> str | None:
        info, text = example.parsed
        if scripts.agree(info, text):
            return None
        now = scripts.now(info)
        return f"the page shows\n{text}\nwhere {info} is\n{now}\nRun python docs/pages.py, and read the difference."

    for block in page.blocks:
        yield Region(block.start(), block.end(), block["code"], evaluate)
    for block in page.shown:
        yield Region(block.start(), block.end(), (block["info"], block["code"]), evaluate_script)


def refreshed(path: Path) -> str:
    """The page's text with the outputs of now."""
    text = path.read_text()
    page = Page(path, text)
    page.run_until(len(text))
    for block in sorted([*page.blocks, *page.shown], key=lambda block: -block.start()):
        printed = page.printed.get(block.start(), block["code"])
        if block in page.shown and not scripts.agree(block["info"], printed):
            printed = scripts.now(block["info"])
        text = text[: block.start("code")] + printed + text[block.end("code") :]
    return text


def main(names: list[str]) -> int:
    """Refresh the pages named, or all; those that cannot run stay as they are."""
    status = 0
    if not names:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        for made in ("coverage", "gallery"):
            subprocess.run([sys.executable, f"docs/{made}.py"], cwd=ROOT, env=environment, check=True)
    for path in [Path(name).resolve() for name in names] or pages():
        try:
            text = refreshed(path)
        except Exception as error:
            print(f"{path.name} cannot run: {type(error).__name__}: {error}")
            status = 1
            continue
        if text != path.read_text():
            path.write_text(text)
            print(f"{path.relative_to(ROOT)} has changed: read the difference")
    return status


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    raise SystemExit(main(sys.argv[1:]))

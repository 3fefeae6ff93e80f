"""docs/gpu.md says what happens: its blocks run on the simulator, and print what the page shows."""

import contextlib
import io
import linecache
import re
import shutil
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "gpu.md"
BLOCK = re.compile(r"^```(py|py output|output)\n(.*?)^```$", re.M | re.S)


@pytest.mark.skipif(shutil.which("g++") is None, reason="the simulator compiles kernels with g++")
def test_the_page_shows_what_its_blocks_print(log):
    scope, source, printed = {"__name__": "gpu_page"}, "", ""
    for kind, text in BLOCK.findall(PAGE.read_text()):
        if kind != "py":
            assert printed.strip() == text.strip()
            continue
        before, source = source.count("\n"), source + text
        linecache.cache["gpu_page.py"] = len(source), None, source.splitlines(keepends=True), "gpu_page.py"
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(compile("\n" * before + text, "gpu_page.py", "exec"), scope)
        printed = out.getvalue()

"""Scripts of the repository on a page: their text, and what they print.

    ```python examples/x.py     the file
    ```text examples/x.py       what running it prints

Printed numbers may differ by rounding from those of the machine that the page was made on; times are any number.
"""

from __future__ import annotations

import functools
import math
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
NAMED = re.compile(r"(?P<what>python|text) (?P<path>examples/\w+\.py)")
NUMBER = re.compile(r"-?\d+(?:\.\d*)?(?:e[+-]?\d+)?")
TIME = re.compile(r"\d+\.\d+ (?=ms\b)")

# 500 steps in float32 end at a loss of 1e-12 of what it was: rounding errors of the sums are percents of that
TOLERANCE = {"examples/two_layer_net.py": 0.04}


def named(info: str) -> re.Match[str] | None:
    """Whether a block's first line says that it shows a script."""
    return NAMED.fullmatch(info)


def now(info: str) -> str:
    """What the block should show."""
    found = NAMED.fullmatch(info)
    assert found is not None
    return (ROOT / found["path"]).read_text() if found["what"] == "python" else _printed(found["path"])


def agree(info: str, text: str) -> bool:
    """Whether the block shows it, up to rounding and times."""
    found = NAMED.fullmatch(info)
    assert found is not None
    if found["what"] == "python":
        return text == now(info)
    return same(text, now(info), TOLERANCE.get(found["path"], 1e-6))


def same(text: str, other: str, tolerance: float) -> bool:
    """Equal apart from times, with numbers that are close."""
    text, other = TIME.sub("0 ", text), TIME.sub("0 ", other)
    if NUMBER.sub("0", text) != NUMBER.sub("0", other):
        return False
    numbers = zip(NUMBER.findall(text), NUMBER.findall(other))
    return all(math.isclose(float(a), float(b), rel_tol=tolerance) for a, b in numbers)


@functools.cache
def _printed(path: str) -> str:
    """What `python path` prints in the repository's root, without a GPU; the root itself is left out of file names."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        [sys.executable, path], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{path} failed:\n{done.stderr}")
    return "".join(line.rstrip() + "\n" for line in done.stdout.replace(f"{ROOT}/", "").strip().splitlines())

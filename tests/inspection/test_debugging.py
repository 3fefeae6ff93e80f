"""Debuggers step through generated source, and profilers and coverage name its functions and lines."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

MODEL = """\
import numpy as np
from srcgrad import grad

@grad
def loss(w, x):
    error = np.log(w) * x  # how far off
    return np.sum(error ** 2)

W, X = np.array([1.0, 2.0, 3.0]), np.array([0.5, 1.5, -1.0])
"""
LINES = [
    "import numpy as np",
    "",
    "",
    "def loss_grad(w, x):",
    "    error = np.log(w) * x  # how far off",
    "    return 2 * error * x / w",
]


@pytest.fixture
def run(tmp_path):
    """Run a script that imports MODEL as `model`, in a cache of its own; what it prints."""
    (tmp_path / "model.py").write_text(MODEL)
    paths = os.pathsep.join([str(Path(__file__).parents[2]), str(tmp_path)])
    cache = str(tmp_path / "cache")
    environment = {**os.environ, "PYTHONPATH": paths, "SRCGRAD_CACHE_DIR": cache, "COLUMNS": "500"}
    environment.pop("SRCGRAD_CACHE", None)

    def run(*command, script="", typed=""):
        (tmp_path / "script.py").write_text(script)
        done = subprocess.run(
            [sys.executable, *command], cwd=tmp_path, env=environment, input=typed, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        return done.stdout + done.stderr

    return run


@pytest.fixture
def file(run):
    """The generated file, as a program finds it."""
    return run("script.py", script=FIND).strip()


FIND = "import inspect, model; print(inspect.getsourcefile(model.loss.specialize(model.W, model.X)))"
CALL = "import model\nprint(model.loss(model.W, model.X))\n"


def test_the_source_lies_in_a_file(file):
    assert Path(file).name.startswith("loss_grad-")
    assert Path(file).read_text().splitlines() == LINES


def test_pdb_stops_at_a_breakpoint_by_file_and_line(run, file):
    typed = f"break {file}:6\ncontinue\nlist\np error.shape\nwhere\ncontinue\nquit\n"
    shown = run("-m", "pdb", "script.py", script=CALL, typed=typed)
    assert f"Breakpoint 1 at {file}:6" in shown
    assert f"> {file}(6)loss_grad()" in shown
    assert "-> return 2 * error * x / w" in shown
    assert "  5  \t    error = np.log(w) * x  # how far off" in shown  # what `list` shows
    assert "6 B->\t    return 2 * error * x / w" in shown
    assert "(Pdb) (3,)" in shown
    assert "script.py(2)<module>()" in shown  # what `where` shows


def test_pdb_stops_where_the_function_is_named(run):
    script = "import model\nbare = model.loss.specialize(model.W, model.X)\nbare(model.W, model.X)\n"
    shown = run("-m", "pdb", "script.py", script=script, typed="next\nnext\nstep\nnext\nnext\np error.shape\nquit\n")
    assert "loss_grad()\n-> error = np.log(w) * x  # how far off" in shown
    assert "loss_grad()\n-> return 2 * error * x / w" in shown
    assert "(Pdb) (3,)" in shown


def test_pdb_after_a_failure_shows_the_generated_line_and_the_users(run):
    script = "import numpy as np, model\nnp.seterr(all='raise')\nmodel.loss(np.zeros(3), model.X)\n"
    shown = run("-m", "pdb", "script.py", script=script, typed="continue\nwhere\np w\nquit\n")
    assert re.search(r"loss_grad-\w+\.py\", line 5, in loss_grad\n    error = np.log\(w\) \* x", shown)
    assert "srcgrad: generated line 5, `error = np.log(w) * x  # how far off`, comes from model.py:6: error = " in shown
    assert re.search(r"> \S+loss_grad-\w+\.py\(5\)loss_grad\(\)", shown)  # where the post-mortem starts
    assert "(Pdb) array([0., 0., 0.])" in shown


def test_cprofile_names_the_generated_function(run, file):
    shown = run("-m", "cProfile", "script.py", script="import model\nfor _ in range(7): model.loss(model.W, model.X)\n")
    assert re.search(rf"^ +7 .* {Path(file).name}:4\(loss_grad\)$", shown, re.MULTILINE)


def test_line_profiler_times_each_generated_line(run, file):
    pytest.importorskip("line_profiler")
    script = (
        "import model\nfrom line_profiler import LineProfiler\n"
        "profiler = LineProfiler(model.loss.specialize(model.W, model.X))\n"
        "profiler.runcall(model.loss, model.W, model.X)\nprofiler.print_stats()\n"
    )
    shown = run("script.py", script=script)
    assert f"File: {file}" in shown
    assert re.search(r"^ +5 +1 .* error = np.log\(w\) \* x  # how far off$", shown, re.MULTILINE)
    assert re.search(r"^ +6 +1 .* return 2 \* error \* x / w$", shown, re.MULTILINE)


def test_coverage_names_the_generated_lines(run, file, tmp_path):
    pytest.importorskip("coverage")
    run("-m", "coverage", "run", "--branch", "script.py", script=CALL)
    run("-m", "coverage", "json", "-o", "coverage.json")
    files = json.loads((tmp_path / "coverage.json").read_text())["files"]
    (found,) = [each for name, each in files.items() if Path(name).name == Path(file).name]
    assert found["executed_lines"] == [1, 4, 5, 6]
    assert found["missing_lines"] == []


def test_without_a_cache_the_lines_are_still_shown(run):
    switch = "import os; os.environ['SRCGRAD_CACHE'] = '0'\n"
    shown = run("-m", "pdb", "script.py", script=switch + FIND, typed="continue\nquit\n")
    assert "<srcgrad loss_grad-" in shown
    script = switch + "import model, pdb\npdb.runcall(model.loss.specialize(model.W, model.X), model.W, model.X)\n"
    assert "-> error = np.log(w) * x  # how far off" in run("script.py", script=script, typed="step\nnext\nquit\n")

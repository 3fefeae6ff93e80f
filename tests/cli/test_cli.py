"""The `srcgrad` command, as typed: its output, its exit status, its errors without tracebacks."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from srcgrad.cli import main

pytestmark = pytest.mark.quick

FILE = """
import numpy as np
from srcgrad import grad

@grad(wrt=("w", "b"))
def loss(w, b, x):
    error = x @ w + b
    return np.sum(error ** 2)

def decay(rate: float, level: float, steps: int = 3):
    for _ in range(steps):
        level = level - rate * level**2
    return level

def wrong(x: float):
    return eval("x")
"""
ARGS = ["--args", "f8[d], float, f8[n, d]"]


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    (tmp_path / "models.py").write_text(FILE)
    yield "models.py"
    sys.modules.pop("models", None)


def test_show_prints_plain_source_when_piped(file, capsys):
    assert main(["show", f"{file}:loss", *ARGS]) == 0
    text = capsys.readouterr().out
    assert text.startswith("import numpy as np\n\n\ndef loss_grad(w, b, x):\n")
    compile(text, "shown", "exec")


def test_a_module_name_will_do(file, capsys):
    assert main(["show", "models:decay"]) == 0
    assert "for level in reversed(level_steps):" in capsys.readouterr().out


def test_wrt_names_what_to_differentiate(file, capsys):
    assert main(["show", f"{file}:decay", "--wrt", "rate, level"]) == 0
    assert "return d_rate, d_level" in capsys.readouterr().out


@pytest.mark.parametrize("mode", ["value_and_grad", "forward", "backward"])
def test_other_derivatives(file, capsys, mode):
    assert main(["show", f"{file}:decay", "--mode", mode]) == 0
    assert f"def decay_{mode}(" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("option", "name"),
    [
        ("--jvp", "loss_jvp(w, b, x, t_w, t_b"),
        ("--hvp", "loss_hvp(w, b, x, t_w, t_b)"),
        ("--mode=hessian", "loss_grad_f"),
    ],
)
def test_second_and_directional_derivatives(file, capsys, option, name):
    assert main(["show", f"{file}:loss", *ARGS, option]) == 0
    assert f"def {name}" in capsys.readouterr().out


def test_one_derivative_at_a_time(file, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["show", f"{file}:loss", *ARGS, "--jvp", "--hvp"])
    assert ended.value.code == 2
    assert "not allowed with argument" in capsys.readouterr().err


def test_explain_another_derivative(file, capsys):
    assert main(["explain", f"{file}:decay", "--hvp"]) == 0
    assert "The Hessian-vector product of decay(" in capsys.readouterr().out


def test_a_narrow_terminal_breaks_lines_where_there_is_a_space(file, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "50")
    assert main(["show", f"{file}:decay", "--side-by-side"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 50
    assert any(line.partition("|")[0].rstrip().endswith(" \\") for line in lines)


def test_colours_when_asked_for(file, capsys):
    pytest.importorskip("rich")
    assert main(["show", f"{file}:loss", *ARGS, "--color", "always"]) == 0
    assert "\x1b[" in capsys.readouterr().out
    assert main(["show", f"{file}:loss", *ARGS, "--color", "always", "--side-by-side"]) == 0
    assert "\x1b[" in capsys.readouterr().out


def test_side_by_side_has_both(file, capsys):
    assert main(["show", f"{file}:decay", "--side-by-side"]) == 0
    first, *_ = capsys.readouterr().out.splitlines()
    left, right = first.split(" | ")
    assert left.startswith("def decay(rate: float")
    assert right.startswith("def decay_grad(")


def test_annotated(file, capsys):
    assert main(["show", f"{file}:decay", "--annotate"]) == 0
    assert "# line 12: level = level - rate * level**2" in capsys.readouterr().out


def test_the_ir_after_a_stage(file, capsys):
    assert main(["show", f"{file}:decay", "--stage", "lower"]) == 0
    assert "= for(0, %steps" in capsys.readouterr().out


def test_explain(file, capsys):
    assert main(["explain", f"{file}:decay"]) == 0
    assert "level_steps: 3 x float" in capsys.readouterr().out


def test_export_and_check(file, tmp_path, capsys):
    command = ["export", f"{file}:loss", *ARGS, "-o", "loss_grad.py"]
    assert main([*command, "--check"]) == 1
    assert "not up to date" in capsys.readouterr().err
    assert main(command) == 0
    assert main([*command, "--check"]) == 0
    written = (tmp_path / "loss_grad.py").read_text()
    assert main(["export", f"{file}:loss", *ARGS]) == 0
    assert capsys.readouterr().out == written


def test_report(file, tmp_path, capsys):
    assert main(["report", f"{file}:decay", "--measure", "-o", "decay.html"]) == 0
    assert "decay.html written" in capsys.readouterr().err
    page = (tmp_path / "decay.html").read_text()
    assert page.startswith("<!doctype html>")
    assert "decay_grad" in page
    assert "Measured on this machine" in page


def test_the_cache(file, capsys):
    assert main(["cache", "clear"]) == 0
    assert main(["show", f"{file}:decay"]) == 0
    capsys.readouterr()
    assert main(["cache", "list"]) == 0
    ((key, _, _, name, function, *_),) = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert (name, function) == ("decay_grad", "models.decay(rate:")
    assert main(["cache", "show", key[:12]]) == 0
    assert "def decay_grad(" in capsys.readouterr().out
    assert main(["cache", "path"]) == 0


@pytest.mark.parametrize(
    ("command", "status", "said"),
    [
        (["show", "models.py"], 2, "names no function"),
        (["show", "absent.py:loss"], 2, "there is no file absent.py"),
        (["show", "absent_module:loss"], 2, "cannot be imported"),
        (["show", "models.py:los"], 2, "has no `los`; did you mean `loss`?"),
        (["show", "models.py:np"], 2, "is a module, not a Python function"),
        (["show", "models.py:loss"], 2, "the type of `w` is unknown"),
        (["show", "models.py:loss", "--args", "f8[n"], 2, "cannot be read"),
        (["show", "models.py:loss", "--args", "q8[n], float, f8[n]"], 2, "'q8' is no type"),
        (["show", "models.py:loss", "--args", "f8[n - 99], float, f8[n]"], 2, "is no length"),
        (["show", "models.py:loss", "--args", "1.0, 2.0, 3.0, 4.0"], 2, "too many positional"),
        (["show", "models.py:decay", "--wrt", "speed"], 2, "no parameter `speed`"),
        (["show", "models.py:decay", "--stage", "nowhere"], 2, "there is no stage 'nowhere'"),
        (["show", "models.py:wrong"], 1, "eval"),
        (["export", "models.py:decay", "--check"], 2, "say which with -o FILE"),
        (["export", "models.py:decay", "-o", "no/such/folder.py"], 2, "cannot be written"),
        (["report", "models.py:decay", "-o", "no/such/folder.html"], 2, "cannot be written"),
        (["explore", "absent.py"], 2, "there is no file absent.py"),
        (["cache", "show", "zz"], 2, "0 entries start with 'zz'"),
    ],
)
def test_bad_input_is_one_sentence(file, capsys, command, status, said):
    assert main(command) == status
    captured = capsys.readouterr()
    assert said in captured.err
    assert "Traceback" not in captured.err
    assert captured.out == ""


def test_the_command_from_a_shell(file):
    run = subprocess.run(
        [sys.executable, "-m", "srcgrad", "show", f"{file}:decay"], capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert "def decay_grad" in run.stdout


def test_a_reader_that_has_seen_enough(file):
    command = f"{sys.executable} -m srcgrad show {file}:decay --hvp | head -1; exit ${{PIPESTATUS[0]}}"
    here = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    run = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, env=here)
    assert (run.returncode, run.stdout, run.stderr) == (0, "def decay_hvp(rate, level, steps, t_rate):\n", "")


def test_an_interrupt_is_no_traceback(file, monkeypatch, capsys):
    def interrupted(options):
        raise KeyboardInterrupt

    monkeypatch.setattr("srcgrad.cli.commands.show", interrupted)
    assert main(["show", f"{file}:decay"]) == 130
    assert capsys.readouterr().err == ""


def test_help_says_what_there_is(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    for command in ("show", "explain", "check", "bench", "export", "report", "explore", "cache"):
        assert f"    {command} " in said
    assert "examples:" in said


def test_lengths_have_names():
    from srcgrad.cli.arguments import example_arguments

    def f(a, b, c, *, options=None):
        return a

    a, b, c, options = example_arguments(f, 'f4[n, n + 1], {"w": i8[n], "k": (2.5, True)}, c16[()], options="fast"')
    assert (a.shape, a.dtype) == ((4, 5), "float32")
    assert (b["w"].shape, b["w"].dtype, b["k"]) == ((4,), "int64", (2.5, True))
    assert (c.shape, c.dtype, options) == ((), "complex128", "fast")

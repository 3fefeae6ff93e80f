"""`srcgrad check` says whether a gradient is right, `srcgrad bench` how fast it is."""

import re
import sys

import pytest

from srcgrad.cli import main

pytestmark = pytest.mark.quick

FILE = """
import numpy as np
from srcgrad import grad, rule

@grad(wrt="w")
def loss(w, x):
    error = x @ w
    return np.sum(error**2)

def cube(x):
    return x**3

cube = rule(cube, forward=lambda x: (x**3, x), backward=lambda x, d: (2 * d * x**2,))  # ought to be 3

def wrong(x):
    y = np.sin(x)
    return np.sum(cube(y))

def vector(x):
    return np.tanh(x)

def logarithm(x):
    return np.sum(np.log(x))

def inverse(x):
    return np.sum(np.linalg.inv(x))

def keyword(x, *, k=2.0):
    return np.sum(x**k)

def counted(n: int):
    return n * 2
"""


@pytest.fixture(autouse=True)
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    (tmp_path / "measured.py").write_text(FILE)
    yield
    sys.modules.pop("measured", None)


def test_a_gradient_that_agrees(capsys):
    assert main(["check", "measured.py:loss", "--args", "f8[d], f8[n, d]"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("loss(w: f8[:], x: f8[:,:]): derivatives up to order 2 agree with finite differences")


def test_a_function_of_arrays_and_one_mode(capsys):
    command = ["check", "measured.py:vector", "--args", "f8[3]", "--order", "1", "--modes", "fwd", "--seed", "5"]
    assert main(command) == 0
    assert "the derivative agrees with finite differences, in forward mode\n" in capsys.readouterr().out


def test_a_wrong_one_names_the_first_wrong_statement(capsys):
    assert main(["check", "measured.py:wrong", "--args", "f8[3]", "--modes", "rev"]) == 1
    said = capsys.readouterr().err
    assert "derivative number 1 of `wrong` in reverse mode is" in said
    assert re.search(r"measured.py:17:19: the first statement whose derivative disagrees: .*`cube` has", said)
    assert "    return np.sum(cube(y))\n                  ^^^^^^^" in said


@pytest.mark.parametrize(
    ("command", "status", "said"),
    [
        (["logarithm", "--args", "f8[9]"], 1, "gives nan or inf at these arguments"),
        (["inverse", "--args", "np.zeros((2, 2))"], 1, "`inverse` raised LinAlgError: Singular matrix"),
        (["keyword", "--args", "f8[3]"], 2, "keyword-only"),
        (["counted"], 2, "no argument holds floats"),
        (["loss"], 2, "the type of `w` is unknown"),
        (["loss", "--args", "f8[3], f8[4, 5]"], 1, "raised ValueError"),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_what_cannot_be_checked(command, status, said, capsys):
    name, *options = command
    assert main(["check", f"measured.py:{name}", *options]) == status
    captured = capsys.readouterr()
    assert said in captured.err
    assert "Traceback" not in captured.err
    assert captured.out == ""


def test_other_numbers_with_another_seed(capsys):
    assert main(["check", "measured.py:logarithm", "--args", "abs(f8[9])", "--seed", "3"]) == 0


def test_times(capsys):
    assert main(["bench", "measured.py:loss", "--args", "f8[d], f8[n, d]", "--seconds", "0.02"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("loss(w: f8[:], x: f8[:,:])\n  function ")
    for name in ("gradient", "value and gradient", "forward", "forward, backward"):
        assert re.search(rf"^  {name} +[\d.]+ [num]?s +[\d.]+ x the function$", said, re.MULTILINE)
    assert re.search(r"the gradient has \d lines, (compiled in \d+ ms|read from disk)", said)


def test_peers_that_run_the_same_function(capsys):
    pytest.importorskip("autograd")
    assert main(["bench", "measured.py:loss", "--args", "f8[d], f8[n, d]", "--seconds", "0.02"]) == 0
    assert re.search(r"^  autograd +[\d.]+ [num]?s", capsys.readouterr().out, re.MULTILINE)


def test_peers_that_cannot_run_it_are_left_out(capsys):
    pytest.importorskip("autograd")
    assert main(["bench", "measured.py:wrong", "--args", "f8[3]", "--seconds", "0.02"]) == 0
    assert re.search(r"autograd: (gives another gradient|cannot run)", capsys.readouterr().out)

"""What may stand behind the colon, and in front of it: files, modules, methods, objects, and what cannot be read."""

import sys

import pytest

from srcgrad.cli import main

pytestmark = pytest.mark.quick

FILE = """
import sys
import numpy as np
from srcgrad import grad, hvp

print("read with", sys.argv)
square = lambda x: x * x

def decay(rate: float, level: float, steps: int = 3):
    for _ in range(steps):
        level = level - rate * level**2
    return level

curve = hvp(decay)

class Net:
    def __init__(self, n=3):
        self.w = np.arange(n) + 1.0

    def energy(self, x):
        return np.sum(np.tanh(self.w * x))

    @grad(wrt="x")
    def force(self, x):
        return np.sum(np.sin(self.w * x))

    @staticmethod
    def fixed(x):
        return np.sum(x**2)

    def __call__(self, x):
        return self.energy(x)

net, params = Net(), np.ones(2)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder with modules in it, to stand in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    (tmp_path / "zoo.py").write_text(FILE)
    (tmp_path / "broken.py").write_text("x = 1\ndef f(x:\n    return x\n")
    (tmp_path / "ends.py").write_text("import sys\nsys.exit(3)\n")
    (tmp_path / "raises.py").write_text("\n1 / 0\n")
    (tmp_path / "kit").mkdir()
    (tmp_path / "kit" / "__init__.py").write_text("")
    (tmp_path / "kit" / "parts.py").write_text("K = 2.0\n")
    (tmp_path / "kit" / "model.py").write_text("from .parts import K\ndef f(x: float):\n    return K * x**2\n")
    yield tmp_path
    for name in ("zoo", "broken", "ends", "raises", "kit", "kit.parts", "kit.model"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("target", "args", "shown"),
    [
        ("zoo.py:square", "float", "return 2 * x"),
        ("./zoo.py:square", "float", "return 2 * x"),
        ("kit/../zoo.py:square", "float", "return 2 * x"),
        ("zoo:square", "float", "return 2 * x"),
        ("kit/model.py:f", None, "return K * (2 * x)"),
        ("kit.model:f", None, "return K * (2 * x)"),
        ("zoo.py:curve", None, "def decay_hvp(rate, level, steps, t_rate):"),
        ("zoo.py:Net.fixed", "f8[3]", "return 2 * x"),
        ("zoo.py:Net.energy", "Net(4), f8[4]", "def energy_grad(self, x):"),
        ("zoo.py:net.energy", "f8[3]", "def energy_grad(self, x):"),
        ("zoo.py:net.force", "f8[3]", "return np.cos(w * x) * w"),
        ("zoo.py:net", "f8[3]", "tanh = np.tanh(w * x)"),
        ("zoo.py:Net.fixed", "params", "return 2 * x"),
        ("zoo.py:Net.fixed", "np.ones((2, 2))[0]", "return 2 * x"),
    ],
)
def test_what_can_be_shown(target, args, shown, capsys):
    wrt = ["--wrt", "x"] if "energy" in target or target.endswith(":net") else []
    assert main(["show", target, *(["--args", args] if args else []), *wrt]) == 0
    assert shown in capsys.readouterr().out


def test_what_a_module_prints_is_kept_apart(capsys):
    assert main(["show", "zoo.py:square", "--args", "float"]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("def function_grad(x):")
    assert captured.err == "read with ['zoo.py']\n"


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("broken.py:f", "broken.py:2: '(' was never closed"),
        ("ends.py:f", "importing ends.py ended the program: put what is to run into `if __name__ == '__main__':`"),
        ("raises.py:f", "raised ZeroDivisionError: division by zero, at raises.py:2"),
        ("zoo.py:Net.enrgy", "did you mean `energy`?"),
        ("zoo.py:decya", "did you mean `decay`?"),
        ("zoo.py:nothing_like_it", "it has curve, decay, square"),
        ("zoo.py", "write zoo.py:FUNCTION; it has curve, decay, square"),
        ("zoo.decay", "as in zoo:decay"),
        ("kit/model:f", "write kit/model.py for the file"),
        ("zoo.py:Net", "is a type, not a Python function"),
        ("zoo.py:params", "is a ndarray, not a Python function"),
        ("zoo.py:params.sum", "is a builtin_function_or_method, not a Python function"),
        ("", "names no function"),
        (":f", "names no function"),
    ],
)
def test_what_cannot_be_shown_is_said_in_one_sentence(target, said, capsys):
    assert main(["show", target]) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert "Traceback" not in captured.err
    assert captured.out == ""

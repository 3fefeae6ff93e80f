"""The cache on disk across processes: a hit shows its source, and nothing that has changed is ever served."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

MODEL = """
import numpy as np
from srcgrad import grad
from helpers import scaled

AXIS, G, OPTIONS = 0, 2.0, {"mode": "sum"}
M = np.array([[1.0, 5.0], [2.0, 3.0], [0.0, 4.0]])


def own(v):
    return v * 3


@grad
def loss(x):
    y = own(x) + scaled(x)
    return np.sum(y) * G if OPTIONS["mode"] == "sum" else np.sum(y ** 2)


@grad
def largest(m, axis=0):
    return np.sum(np.max(m, axis=axis) ** 2) + np.sum(np.max(m, axis=AXIS))


@grad
def shifted(x, y):
    return np.sum(x[1:] * y)


first, second = grad(lambda x: np.sum(x * 2)), grad(lambda x: np.sum(x * 5))
steps = [lambda v: v * 2, lambda v: v * 5]
step = steps[0]


@grad
def stepped(x):
    return np.sum(step(x))


@grad
def applied(x, f):
    return np.sum(f(x))
"""
HELPERS = """
SCALE = 1.0


def scaled(v):
    return v * SCALE
"""


@pytest.fixture
def project(tmp_path):
    """Runs code in a process of its own, next to a model and its helpers; what it reports comes back."""
    (tmp_path / "model.py").write_text(MODEL)
    (tmp_path / "helpers.py").write_text(HELPERS)

    def run(code, **settings):
        script = (
            f"import json, numpy as np, model, helpers\nX = np.ones(3)\nreport = []\n{code}\nprint(json.dumps(report))"
        )
        done = subprocess.run([sys.executable, "-c", script], **options(tmp_path, settings), capture_output=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    run.folder, run.cache = tmp_path, tmp_path / "cache"
    run.entries = lambda: sorted(run.cache.glob("*.py"))
    return run


def options(folder, settings):
    environment = {**os.environ, "SRCGRAD_CACHE_DIR": str(folder / "cache"), "PYTHONDONTWRITEBYTECODE": "1"}
    environment |= {"PYTHONPATH": f"{ROOT}{os.pathsep}{folder}", "PYTHONWARNINGS": "error", **settings}
    return {"cwd": folder, "env": environment, "text": True}


LOSS = "report += [model.loss(X).tolist(), model.loss.specializations[-1].origin, model.loss.source]"


def written(project):
    """The entry that a first process leaves."""
    assert project(LOSS)[1] == "compiled"


def test_the_second_process_reads_what_the_first_has_written(project):
    value, origin, source = project(LOSS)
    assert (value, origin) == ([8.0] * 3, "compiled")
    assert project(LOSS) == [value, "disk", source]
    assert len(project.entries()) == 1
    assert "def loss_grad(x, *, " in project.entries()[0].read_text()


def test_switched_off(project):
    for _ in range(2):
        assert project(LOSS, SRCGRAD_CACHE="0")[:2] == [[8.0] * 3, "compiled"]
    assert not project.cache.exists()


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "",
        lambda text: text.replace("return", "return 2 *"),
        lambda text: text.replace('"statics"', '"other"'),
        lambda text: "\x00" * 100,
    ],
    ids=["truncated", "empty", "edited", "other meta", "zeros"],
)
def test_a_damaged_entry_is_ignored_and_written_again(project, damage):
    written(project)
    (entry,) = project.entries()
    sound = entry.read_text()
    entry.write_text(damage(sound))
    assert project(LOSS)[:2] == [[8.0] * 3, "compiled"]
    assert entry.read_text() == sound


def test_a_sealed_entry_with_senseless_content_is_ignored(project):
    """Its hash is right, so only what it says can give it away."""
    code = """
from srcgrad import grad
from srcgrad.runtime.cache import DiskCache, Entry
model.loss(X)
disk = DiskCache()
changes = {"captures": 3}, {"names": ["nothing"]}, {"statics": [[["global"], "x"]]}, {"guards": ["("]}, {"lines": 0}
for change in changes:
    ((key, entry),) = disk.entries()
    disk.put(key, Entry(entry.text, {**entry.meta, **change}))
    again = grad(model.loss.function)
    report.append([again(X)[0], again.specializations[0].origin])
"""
    assert project(code) == [[8.0, "compiled"]] * 5


def changed(project, file, old, new):
    path = project.folder / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("model.py", "y = own(x) + scaled(x)", "y = own(x) - scaled(x)", 4.0),
        ("model.py", "return v * 3", "return v * 4", 10.0),
        ("helpers.py", "return v * SCALE", "return v * SCALE * 2", 10.0),
        ("helpers.py", "SCALE = 1.0", "SCALE = 2.0", 10.0),
        ("helpers.py", "SCALE = 1.0", "SCALE = 2", 10.0),
        ("model.py", "AXIS, G, OPTIONS = 0, 2.0,", "AXIS, G, OPTIONS = 0, 3,", 12.0),
        ("model.py", "AXIS, G, OPTIONS = 0, 2.0,", "AXIS, G, OPTIONS = 0, np.float32(3),", 12.0),
        ("model.py", '{"mode": "sum"}', '{"mode": "squares"}', 32.0),
        ("model.py", "from helpers import scaled", "from numpy import sin as scaled", 6 + 2 * 0.5403023058681398),
    ],
    ids=["function", "helper", "other module", "value", "type", "int", "float32", "string", "library"],
)
def test_a_change_between_two_processes_is_noticed(project, file, old, new, expected):
    written(project)
    changed(project, file, old, new)
    assert project(LOSS)[0] == pytest.approx([expected] * 3)
    if file == "model.py" and "own(x)" not in old:  # what it was stays on disk, beside what it is
        changed(project, file, new, old)
        assert project(LOSS)[0] == pytest.approx([8.0] * 3)


def test_integers_that_must_be_known_are_checked_on_disk_too(project):
    code = """
for axis in (0, 1, -1, 0):
    for model.AXIS in (0, 1):
        report.append(model.largest(model.M, axis).tolist())
report.append([each.origin for each in model.largest.specializations])
"""
    *values, origins = project(code)
    assert set(origins) == {"compiled"}
    *again, origins = project(code)
    assert again == values
    assert set(origins) == {"disk"}
    assert values[0] != values[2]
    assert values[2] == values[4]
    assert values[0] == values[6]


def test_assumptions_about_lengths_are_checked_on_disk_too(project):
    code = """
for n, m in {pairs}:
    report.append(model.shifted(np.arange(float(n)), np.arange(1.0, m + 1)).tolist())
report.append([each.origin for each in model.shifted.specializations])
"""
    *one, _ = project(code.format(pairs="[(5, 4)]"))
    *values, origins = project(code.format(pairs="[(2, 4), (5, 4), (4, 1), (2, 1)]"))
    assert values == [[0, 10], [0, 1, 2, 3, 4], [0, 1, 1, 1], [0, 1]]
    assert values[1] == one[0]
    assert origins.count("disk") == 1
    *again, origins = project(code.format(pairs="[(2, 1), (4, 1), (5, 4), (2, 4)]"))
    assert again == values[::-1]
    assert set(origins) == {"disk"}


def test_two_lambdas_on_one_line_have_entries_of_their_own(project):
    code = "report += [model.first(X)[0], model.second(X)[0]]"
    assert project(code) == project(code) == [2.0, 5.0]
    assert project("report += [model.stepped(X)[0]]") == [2.0]
    changed(project, "model.py", "step = steps[0]", "step = steps[1]")
    assert project("report += [model.stepped(X)[0]]") == [5.0]


def test_functions_that_are_arguments(project):
    code = "report += [model.applied(X, f)[0] for f in (model.own, helpers.scaled, *model.steps, np.sin, model.own)]"
    expected = [3.0, 1.0, 2.0, 5.0, 0.5403023058681398, 3.0]
    assert project(code) == expected
    assert project(code) == expected
    changed(project, "helpers.py", "SCALE = 1.0", "SCALE = 7.0")
    assert project(code)[1] == 7.0


def test_processes_at_once(project):
    script = f"import json, numpy as np, model\nX, report = np.ones(3), []\n{LOSS}\nprint(json.dumps(report))"
    command = [sys.executable, "-c", script]
    running = [
        subprocess.Popen(command, **options(project.folder, {}), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    outputs = [process.communicate() for process in running]
    assert all(process.returncode == 0 for process in running), outputs
    assert {tuple(json.loads(out)[0]) for out, _ in outputs} == {(8.0,) * 3}
    assert len(project.entries()) == 1
    assert not list(project.cache.glob(".*.tmp"))


RULED = """
import numpy as np
from srcgrad import checkpoint, grad, hook, rule
from factors import factor


@rule
def square(x):
    return x**2


@square.backward
def square_backward(saved, d):
    return factor() * d * saved[0]


@checkpoint
def halved(x):
    return x / 2.0


def look(d):
    pass


@grad
def ruled(x):
    return np.sum(square(halved(x)))


@grad
def hooked(x):
    return np.sum(hook(x, look) ** 2)
"""


def test_a_rule_is_part_of_what_an_entry_depends_on(project):
    (project.folder / "ruled.py").write_text(RULED)
    (project.folder / "factors.py").write_text("def factor():\n    return 2.0\n")
    code = "import ruled\nreport += [ruled.ruled(X).tolist(), ruled.ruled.specializations[-1].origin]"
    assert project(code) == [[0.5] * 3, "compiled"]
    assert project(code) == [[0.5] * 3, "disk"]
    (project.folder / "factors.py").write_text("def factor():\n    return 4.0\n")
    assert project(code) == [[1.0] * 3, "compiled"]
    (project.folder / "ruled.py").write_text(RULED.replace("saved[0]", "saved[0] ** 2"))
    assert project(code) == [[0.5] * 3, "compiled"]
    (project.folder / "ruled.py").write_text(RULED.replace("x / 2.0", "x * 3.0"))
    assert project(code) == [[36.0] * 3, "compiled"]


def test_what_calls_functions_as_they_stand_is_not_kept(project):
    (project.folder / "ruled.py").write_text(RULED)
    (project.folder / "factors.py").write_text("def factor():\n    return 2.0\n")
    code = "import ruled\nreport += [ruled.hooked(X).tolist(), ruled.hooked.specializations[-1].origin]"
    for _ in range(2):
        assert project(code) == [[2.0] * 3, "compiled"]
    assert not project.entries()

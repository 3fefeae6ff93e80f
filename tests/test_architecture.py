"""The house keeps its order: imports point one way, stages say what they promise, generated code needs NumPy alone."""

import ast
import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import specimens

import srcgrad

pytestmark = pytest.mark.quick

PACKAGE = Path(srcgrad.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
STAGES = {"frontend", "transform", "optimize", "place", "emit"}

# What each part of the house may import, besides itself.
MAY_IMPORT = {
    "errors": set(),
    "ir": {"errors"},
    "markers": set(),
    "custom": set(),
    "rules": {"errors", "ir", "markers"},
    "runtime": {"errors"},
    "frontend": {
        "custom",
        "errors",
        "ir",
        "rules",
        "runtime.captures",
        "runtime.device",
        "runtime.leaves",
        "runtime.signature",
        "runtime.source",
    },
    "transform": {"errors", "ir", "rules"},
    "optimize": {"errors", "ir", "rules"},
    "place": {"errors", "ir", "rules"},
    "emit": {"errors", "ir", "rules"},
    "request": {"runtime.signature"},
    "structure": {"ir", "request", "runtime.parameter", "runtime.signature"},
    "between": {"ir", "transform", "optimize"},
    "derive": {"errors", "ir", "runtime.signature", "request", "between", "structure", "transform"},
    "within": {"errors", "ir", "between", "transform", "optimize"},
    "pipeline": {
        *("errors", "ir", "rules", "runtime.captures", "runtime.placement", "runtime.signature", "request"),
        *("between", "derive", "within", *STAGES),
    },
    "dispatch": {"custom", "errors", "pipeline", "request", "runtime"},
    "inspect": {"errors", "ir", "frontend", "transform", "emit", "runtime", "within", "pipeline", "dispatch", "api"},
    "api": {"errors", "request", "runtime", "dispatch", "inspect"},  # `explain` and `export` reach up when called
    "cli": {"errors", "runtime", "dispatch", "inspect", "api", "__version__"},
    "__main__": {"cli"},
    "optim": {"errors", "runtime"},
    "nn": {"errors", "markers", "runtime", "optim"},
    "creation": {"runtime.device", "runtime.parameter"},
    "cuda": {"runtime.device"},
    "data": set(),
    "metrics": set(),
    "serialization": {"runtime"},
    "training": {"api", "optim"},
}
# `srcgrad/__init__.py` gathers the public names and may import everything.


def module_of(file):
    """srcgrad/ir/nodes.py as ("ir", "nodes")."""
    parts = file.relative_to(PACKAGE).with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


def imports(file):
    """Every module of srcgrad that a file imports, anywhere in it, as a dotted name below srcgrad."""
    package = file.relative_to(PACKAGE).parent.parts
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom):
            if node.level:
                base = package[: len(package) - node.level + 1]
            elif (node.module or "").split(".")[0] == "srcgrad":
                base = ()
            else:
                continue
            module = (node.module or "").removeprefix("srcgrad").strip(".")
            here = (*base, *module.split(".")) if module else base
            # `from . import rules` names modules, `from .rules import registry` may do either
            yield from (".".join(here or (alias.name,)) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (a.name.removeprefix("srcgrad.") for a in node.names if a.name.startswith("srcgrad."))


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_imports_point_one_way(file):
    parts = module_of(file)
    if not parts:
        return
    allowed = {parts[0], *MAY_IMPORT[parts[0]]}
    for name in imports(file):
        known = {name, *(name[:i] for i, letter in enumerate(name) if letter == ".")}
        assert known & allowed, f"{'.'.join(parts)} imports {name}, but only {sorted(allowed)} are below it"


def test_every_part_of_the_house_is_listed():
    assert {module_of(file)[0] for file in FILES if module_of(file)} == set(MAY_IMPORT)


@pytest.mark.parametrize("file", [f for f in FILES if f.read_text().strip()], ids=lambda f: str(f.relative_to(PACKAGE)))
def test_modules_say_what_they_are_for(file):
    docstring = ast.get_docstring(ast.parse(file.read_text()))
    assert docstring
    assert docstring.splitlines()[0].endswith((".", ":")), "the first line is a sentence"


def test_stages_say_what_they_promise():
    from srcgrad import pipeline

    stages = [getattr(pipeline, name) for name in ("lower", "derive", "split", "emit")]
    stages += [stage for _, stage in pipeline.OPTIMIZE if not stage.__name__.startswith("_")]
    stages += [pipeline.eliminate_dead, pipeline.own_results]
    for stage in stages:
        assert stage.__doc__, f"{stage.__name__} has no contract"


def test_numpy_is_all_that_generated_code_imports():
    for module in pkgutil.iter_modules(specimens.__path__):
        specimen = importlib.import_module(f"specimens.{module.name}")
        gradient = srcgrad.grad(specimen.loss, wrt=specimen.WRT)
        args = specimen.arguments(np.random.default_rng(0))
        gradient.value_and_grad(*args)
        gradient.forward(*args)
        for specialisation in gradient.specializations:
            for text in specialisation.texts:
                tree = ast.parse(text)
                assert imported(tree) <= {"numpy", "math"}, text
                assert not any(isinstance(n, ast.Name) and "srcgrad" in n.id for n in ast.walk(tree))


def imported(tree):
    """The modules that a piece of source imports."""
    plain = {alias.name for n in ast.walk(tree) if isinstance(n, ast.Import) for alias in n.names}
    return plain | {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}


def test_a_generated_gradient_runs_where_srcgrad_is_not_importable(tmp_path):
    from specimens import two_layer_net

    gradient = srcgrad.grad(two_layer_net.loss, wrt=two_layer_net.WRT)
    args = two_layer_net.arguments(np.random.default_rng(0))
    expected = gradient(*args)
    (tmp_path / "generated.py").write_text(gradient.source)
    np.savez(tmp_path / "args.npz", *args)
    script = (
        "import sys; sys.modules['srcgrad'] = None\n"
        "import numpy as np, generated\n"
        "np.savez('out.npz', *generated.loss_grad(*np.load('args.npz').values()))\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True)
    for actual, wanted in zip(np.load(tmp_path / "out.npz").values(), expected, strict=True):
        np.testing.assert_array_equal(actual, wanted)


def test_parts_of_the_package_are_there_when_they_are_used():
    script = (
        "import sys, srcgrad\n"
        "assert 'srcgrad.nn' not in sys.modules\n"
        "assert 'nn' in dir(srcgrad)\n"
        "srcgrad.nn.Linear, srcgrad.data.DataLoader, srcgrad.metrics.accuracy\n"
        "srcgrad.training.fit, srcgrad.serialization.save\n"
        "assert not hasattr(srcgrad, 'keras')\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_importing_srcgrad_imports_numpy_and_little_else():
    """Heavy modules wait until they are needed."""
    script = "import sys, srcgrad; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    heavy = {"scipy", "matplotlib", "rich", "torch", "jax", "platformdirs", "multiprocessing", "asyncio", "unittest"}
    assert not heavy & {name.partition(".")[0] for name in run.stdout.split()}


def test_pages_name_files_that_are_there():
    """`srcgrad/emit/fold.py`, or `emit/fold.py` for short."""
    root = PACKAGE.parent
    for page in [root / "README.md", root / "CONTRIBUTING.md", *(root / "docs").glob("*.md")]:
        for name in re.findall(r"`((?:[\w.]+/)+[\w.]+\.(?:py|md|json))`", page.read_text()):
            assert (root / name).exists() or (PACKAGE / name).exists(), f"{page.name} names {name}"

"""Chains of elementwise operations: one function under `@cp.fuse()`, one kernel on the device."""

import contextlib
import importlib
import inspect
import json
import subprocess
import sys
from pathlib import Path

import cupy_simulator
import numpy as np
import pytest
from on_device import to_device, to_host
from test_programs_on_device import SPECIMENS

from srcgrad import CompileError, grad

X = np.array([0.5, -1.5, 2.0])
TRACE = Path(__file__).parent / "trace_kernels.py"


def test_a_chain_is_one_kernel(log):
    import cupy as cp

    x, w = cp.asarray(X), cp.asarray(X)
    log.clear()

    @grad
    def loss(x, w):
        return np.sum(np.exp(-((x - w) ** 2)))

    loss(x, w)
    assert loss.source == (
        "import cupy as cp\n\n\n"
        "@cp.fuse()\n"
        "def fused_d_x(diff):\n"
        "    return -(cp.exp(-diff ** 2) * (2 * diff))\n\n\n"
        "def loss_grad(x, w):\n"
        "    diff = x - w\n"
        "    return fused_d_x(diff)\n"
    )
    assert (log["kernel"], log["fused"]) == (2, 1)


def test_functions_that_do_the_same_are_one(cp):
    @grad(wrt=("x", "w"))
    def loss(x, w):
        a = np.tanh(x) * 2.0 + 1.0
        b = np.tanh(w) * 2.0 + 1.0
        return np.sum(a * a @ b)

    loss.value_and_grad(cp.asarray(np.ones((3, 3))), cp.asarray(X))
    assert "a = fused_a(tanh)" in loss.source
    assert "b = fused_a(tanh_1)" in loss.source


def test_python_s_numbers_keep_float32(cp):
    def loss(x, rate):
        return np.sum(np.tanh(rate * x + 1.0) ** 2)

    x = X.astype(np.float32)
    gradient = grad(loss)
    found = gradient(cp.asarray(x), 0.5)
    assert found.dtype == np.float32
    assert "@cp.fuse()" in gradient.source
    np.testing.assert_allclose(to_host(found), gradient(x, 0.5), rtol=1e-6)


@pytest.mark.parametrize(
    "loss",
    [
        lambda x: np.sum(2.0**x * x),
        lambda x: np.sum(np.abs(x) * x + 1.0),
        lambda x: np.sum(np.where(x > 0, x * x, 0.5 * x)),
        lambda x: np.sum(np.maximum(x, 0.0) * np.float64(2.0) + x),
        lambda x: np.sum(np.sqrt(np.float32(2.0)) * x * x),
        lambda x: np.sum((x * x).astype(np.float32) * x),
        lambda x: np.sum((x > 0) & (x < 1)) * np.sum(x * x * x),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_cupy_cannot_fuse_stays_outside(loss, dtype, cp):
    x = X.astype(dtype)
    gradient = grad(loss)
    found, expected = to_host(gradient(cp.asarray(x))), gradient(x)
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=1e-5 if dtype is np.float32 else 1e-12)


def test_an_exported_module_has_its_kernels(cp, tmp_path):
    def loss(w, x):
        return np.sum(np.tanh(x @ w) ** 2)

    w, x = cp.asarray(X), cp.asarray(np.ones((2, 3)))
    gradient = grad(loss)
    gradient.export(tmp_path / "loss_grad.py", w, x)
    text = (tmp_path / "loss_grad.py").read_text()
    assert [line for line in text.splitlines() if line.startswith(("import ", "from "))] == ["import cupy as cp"]
    scope = {}
    exec(text, scope)
    np.testing.assert_array_equal(to_host(scope["loss_grad"](w, x)), to_host(gradient(w, x)))
    value, saved = scope["loss_forward"](w, x)
    (d_w,) = scope["loss_backward"](*saved, cp.ones_like(value))
    np.testing.assert_allclose(to_host(d_w), to_host(gradient(w, x)))


@pytest.fixture(scope="module")
def kernels_of_specimens():
    """Every fused function of the specimens, in float64 and float32, with what it was given and what came out."""
    found = []
    with cupy_simulator.simulated() as cp:
        for name in SPECIMENS:
            module = importlib.import_module(f"specimens.{name}")
            for dtype in (np.float64, np.float32):
                args = [_as(arg, dtype) for arg in module.arguments(np.random.default_rng(0))]
                positions = tuple(k for k, arg in enumerate(args) if np.asarray(arg).dtype.kind == "f")
                with contextlib.suppress(CompileError):  # a function that is not for float32
                    grad(module.loss, positions)(*to_device(args, cp))
        found += [
            [inspect.getsource(function), function.__name__, given, dtype]
            for function, given, dtype in cupy_simulator.fused_calls
        ]
    return [json.loads(text) for text in dict.fromkeys(map(json.dumps, found))]


def _as(arg, dtype):
    return arg.astype(dtype) if isinstance(arg, np.ndarray) and arg.dtype.kind == "f" else arg


def test_the_specimens_have_kernels(kernels_of_specimens):
    assert len(kernels_of_specimens) > 100


def test_cupy_itself_can_trace_every_kernel(kernels_of_specimens, tmp_path):
    """CuPy's own tracer, which needs no GPU, takes each function and gives it the dtype that it has unfused."""
    pytest.importorskip("cupy", reason="CuPy is not installed (it needs no GPU for this)")
    (tmp_path / "kernels.json").write_text(json.dumps(kernels_of_specimens))
    command = [sys.executable, TRACE, tmp_path / "kernels.json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() == f"{len(kernels_of_specimens)} traced"

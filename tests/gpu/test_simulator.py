"""The simulator is as strict as CuPy, and has CuPy's signatures."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).parent


def test_it_refuses_arrays_of_the_cpu(log):
    import cupy as cp

    x = cp.ones(3)
    for mixed in (
        lambda: x + np.ones(3),
        lambda: np.ones(3) * x,
        lambda: cp.exp(np.ones(3)),
        lambda: np.exp(x, out=np.ones(3)),
    ):
        with pytest.raises(TypeError):
            mixed()
    with pytest.raises(TypeError, match="Implicit conversion"):
        np.asarray(x)
    with pytest.raises(TypeError):
        x[np.array([0, 1])]


def test_numpy_functions_give_device_arrays(log):
    import cupy as cp

    x = cp.ones((2, 3))
    assert isinstance(np.exp(x), cp.ndarray)
    assert isinstance(np.sum(x, axis=0), cp.ndarray)
    assert isinstance(np.float64(2.0) * x, cp.ndarray)


def test_numbers_are_arrays_and_elements_are_views(log):
    import cupy as cp

    x = cp.zeros(3)
    total, element = cp.sum(x), x[1]
    x[1] = 5.0
    assert total.shape == ()
    assert element.item() == 5.0


def test_what_waits_is_counted(log):
    import cupy as cp

    x = cp.ones(3)
    float(x[0]), bool(x[0] > 0), x[0].item(), x[x > 0], x.get()
    assert (log["float"], log["bool"], log["item"], log["mask"], log["to host"]) == (1, 1, 1, 1, 1)


@pytest.mark.parametrize(
    "call",
    [
        lambda cp: cp.sum(cp.ones(3), where=cp.ones(3) > 0),
        lambda cp: cp.clip(cp.ones(3), min=0.0),
        lambda cp: cp.vecdot(cp.ones(3), cp.ones(3)),
        lambda cp: cp.errstate(divide="ignore"),
        lambda cp: cp.maximum.reduce(cp.ones(3)),
        lambda cp: cp.ones(3).max(initial=0.0),
    ],
)
def test_what_cupy_lacks_is_missing(call, log):
    import cupy as cp

    with pytest.raises((TypeError, AttributeError, NotImplementedError)):
        call(cp)


def test_signatures_are_those_of_the_installed_cupy():
    pytest.importorskip("cupy", reason="CuPy is not installed (it needs no GPU for this)")
    found = subprocess.run([sys.executable, HERE / "record_signatures.py"], capture_output=True, text=True, check=True)
    assert found.stdout == (HERE / "cupy_signatures.json").read_text()

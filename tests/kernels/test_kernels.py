"""Loop kernels as their authors wrote them, in place: value against the plain run, gradients against two referees.

The generated gradients stand in tests/golden/kernels; `SRCGRAD_UPDATE_GOLDEN=1 pytest tests/kernels` writes them anew.
"""

import copy
import importlib
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from agreement import check
from referee import complex_step_gradient

from srcgrad import grad

sys.path.insert(0, str(Path(__file__).parent))
FAMILIES = [importlib.import_module(name) for name in ("stencils", "solvers", "dynamic", "networks", "physics")]
GOLDEN = Path(__file__).parents[1] / "golden" / "kernels"
RUNS = [run for family in FAMILIES for run in family.drivers(np.random.default_rng(0))]
# abs, min, max and the functions of `math` are not continued into the complex plane
REAL_ONLY = {
    "floyd_warshall", "floyd_warshall_by_element", "soft_dtw", "hmm_forward", "black_scholes", "nbody",
    "gauss_with_pivots", "kalman_filter",
}  # fmt: skip


def named(runs):
    return pytest.mark.parametrize(("kernel", "args"), runs, ids=[kernel.__name__ for kernel, _ in runs])


@named(RUNS)
def test_gradient(kernel, args):
    """In every argument that holds floats, by every element, optimised and not; the arguments stay as they were."""
    check(kernel, *args, tolerance=2e-5)


@named(RUNS)
def test_value_is_the_plain_run(kernel, args):
    plain = kernel(*copy.deepcopy(args))
    value, _ = grad(kernel).value_and_grad(*copy.deepcopy(args))
    assert value == plain


@named([(kernel, args) for kernel, args in RUNS if kernel.__name__ not in REAL_ONLY])
def test_gradient_to_the_last_digits(kernel, args):
    """Against the complex step, which has nothing to cancel; the kernels allocate by the dtype of one argument."""
    position = next(k for k, arg in enumerate(args) if _is_real(arg))
    d = grad(kernel, position)(*copy.deepcopy(args))
    expected = complex_step_gradient(as_complex(kernel), args, position)
    assert np.max(np.abs(d - expected)) <= 1e-11 * max(1.0, np.max(np.abs(expected)))


def as_complex(kernel):
    """The kernel with complex arrays wherever it is given real ones, or makes them."""

    class Numpy:
        def __getattr__(self, name):
            made = getattr(np, name)
            if name in ("zeros", "empty", "full"):
                return lambda *args, **kwargs: made(*args, **{**kwargs, "dtype": complex})
            return made

    inside = type(kernel)(kernel.__code__, {**kernel.__globals__, "np": Numpy()}, kernel.__name__)
    return lambda *args: inside(*(a + 0j if _is_real(a) else a for a in args))


def _is_real(value):
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


@named(RUNS)
def test_generated_text(kernel, args):
    gradient = grad(kernel, tuple(k for k, arg in enumerate(args) if _is_real(arg)))
    gradient(*copy.deepcopy(args))
    file = GOLDEN / f"{kernel.__name__}.py"
    text = gradient.source
    if os.environ.get("SRCGRAD_UPDATE_GOLDEN"):
        GOLDEN.mkdir(exist_ok=True)
        file.write_text(text)
    assert text == file.read_text()

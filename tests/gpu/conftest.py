"""Where the tests of this folder run: on the simulator of CuPy, and on a GPU where there is one (`pytest -m gpu`)."""

import cupy_simulator
import pytest

from srcgrad import cuda

ON_GPU = pytest.param(
    "gpu",
    marks=[pytest.mark.gpu, pytest.mark.skipif(not cuda.is_available(), reason="needs a CUDA device and CuPy")],
)


@pytest.fixture(params=["simulator", ON_GPU])
def cp(request):
    """CuPy, or the simulator in its place."""
    if request.param == "gpu":
        import cupy

        yield cupy
    else:
        with cupy_simulator.simulated() as simulator:
            yield simulator


@pytest.fixture
def log():
    """What the simulator counted: copies between CPU and device, and waiting for the device."""
    with cupy_simulator.simulated():
        yield cupy_simulator.log

"""`cuda` says whether there is a device: without CuPy, without a driver, and with devices."""

import importlib
from types import SimpleNamespace

import pytest

from srcgrad import cuda


class CUDARuntimeError(RuntimeError):
    pass


def stand_in(count):
    """What `cuda` uses of CuPy: `count` devices, or an error as without a driver."""
    waited = []

    def get_device_count():
        if count is None:
            raise CUDARuntimeError("cudaErrorNoDevice")
        return count

    runtime = SimpleNamespace(getDeviceCount=get_device_count, CUDARuntimeError=CUDARuntimeError)
    device = SimpleNamespace(synchronize=lambda: waited.append(True))
    return SimpleNamespace(cuda=SimpleNamespace(runtime=runtime, Device=lambda index: device), waited=waited)


def use(monkeypatch, module):
    def import_module(name):
        assert name == "cupy"
        if module is None:
            raise ModuleNotFoundError(name)
        return module

    monkeypatch.setattr(importlib, "import_module", import_module)
    return module


@pytest.mark.parametrize(("module", "count"), [(None, 0), (stand_in(None), 0), (stand_in(0), 0), (stand_in(2), 2)])
def test_devices_are_counted(monkeypatch, module, count):
    use(monkeypatch, module)
    assert cuda.device_count() == count
    assert cuda.is_available() is (count > 0)


def test_synchronize_waits_for_the_device(monkeypatch):
    module = use(monkeypatch, stand_in(1))
    cuda.synchronize()
    assert module.waited == [True]


def test_synchronize_without_a_device(monkeypatch):
    use(monkeypatch, None)
    with pytest.raises(
        RuntimeError, match=r"cuda needs CuPy, which is not installed. .* pip install 'srcgrad\[cuda\]'"
    ):
        cuda.synchronize()


def test_a_device_that_is_not_there(monkeypatch):
    use(monkeypatch, stand_in(0))
    with pytest.raises(RuntimeError, match="CuPy is installed, but it sees no CUDA device"):
        cuda.synchronize()
    use(monkeypatch, stand_in(1))
    with pytest.raises(RuntimeError, match="cuda:1: there is one CUDA device here"):
        cuda.synchronize("cuda:1")

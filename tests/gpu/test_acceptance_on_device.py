"""What the tutorials do on a GPU: the halves of lines 1, 18, 19 and 20 that need a device, and the examples on one."""

import sys
from pathlib import Path

import numpy as np
import pytest

from srcgrad import GradTypeError, Parameter, cuda, device, grad


def example(name):
    return pytest.importorskip(name, reason="needs the examples extra")


def test_01_the_device_is_one_line(cp, monkeypatch, capsys):
    two_layer_net = example("two_layer_net")
    expected = two_layer_net.train(steps=10)
    monkeypatch.setattr(two_layer_net, "DEVICE", device("cuda:0"))
    assert two_layer_net.train(steps=10) == pytest.approx(expected, rel=1e-4)
    assert "import cupy as cp" in two_layer_net.loss.source


def test_02_data_on_a_device_with_a_dtype(cp):
    x = Parameter(np.ones((4, 3), np.float32), requires_grad=False).to(device("cuda"))
    w = Parameter(np.ones((3, 2), np.float32)).to("cuda:0")
    assert (str(x.device), x.dtype, x.requires_grad) == ("cuda:0", np.float32, False)

    @grad
    def loss(w, x):
        return np.sum((x @ w) ** 2)

    out = loss.forward(w, x)
    out.backward()
    assert type(out.item()) is float
    assert (w.grad.shape, w.grad.dtype, str(device(w.device))) == (w.shape, np.float32, "cuda:0")
    assert isinstance(w.grad, cp.ndarray)
    assert x.grad is None


def test_07_a_step_in_place_on_the_device(cp):
    w = Parameter(cp.ones(3))
    memory = w.data
    w.grad = cp.ones(3)
    w -= 0.5 * w.grad
    assert w.data is memory
    np.testing.assert_array_equal(w.cpu().numpy(), [0.5, 0.5, 0.5])


def test_18_a_product_on_both(cp, capsys):
    taken = example("gpu_matmul").main()
    assert set(taken) == {"cpu", "cuda"}
    assert "cuda: (512x1024) @ (1024x512) in" in capsys.readouterr().out


def test_19_a_device_that_runs_everywhere(cp):
    where = device("cuda" if cuda.is_available() else "cpu")
    assert where == device("cuda")
    p = Parameter([1.0, 2.0])
    there = p.to(where)
    assert there is not p
    assert there.to("cuda:0") is there.cuda() is there
    assert isinstance(there.data, cp.ndarray)
    np.testing.assert_array_equal(there.cpu().numpy(), [1.0, 2.0])
    with pytest.raises(TypeError, match=r"the parameter is on cuda:0, and NumPy on the CPU: write p.cpu\(\).numpy\(\)"):
        there.numpy()
    with pytest.raises(TypeError):
        np.asarray(there)


def test_20_mixing_names_the_arguments(cp):
    @grad
    def f(w, x):
        return np.sum(w * x)

    with pytest.raises(GradTypeError, match=r"`w` on cpu, `x` on cuda:0"):
        f.forward(Parameter(np.ones(2)), Parameter(np.ones(2)).cuda())


def test_21_gradients_accumulate_and_are_of_the_device(cp):
    p = Parameter([1.0, 2.0]).to("cuda")
    with pytest.raises(TypeError, match="an array on cpu where one on cuda:0 is needed"):
        p.grad = np.ones(2)
    square = grad(lambda p: np.sum(p**2))
    for _ in range(2):
        square.forward(p).backward()
    np.testing.assert_array_equal(p.grad.get(), [4.0, 8.0])
    assert f"{square.forward(p):.2f}" == "5.00"


def test_the_benchmark_runs(cp, capsys, monkeypatch):
    for peer in ("torch", "jax"):  # on a GPU they are measured by the benchmark itself
        monkeypatch.setitem(sys.modules, peer, None)
    monkeypatch.syspath_prepend(Path(__file__).parents[2])
    from benchmarks import gpu

    gpu.main(["logistic"], rounds=1)
    assert "logistic regression" in capsys.readouterr().out


def test_02_parameters_are_made_on_a_device(cp, request):
    from srcgrad import full, ones, rand, randn, zeros

    made = [zeros(2, 3, device="cuda"), ones(2, 3, device="cuda:0"), full((2, 3), 0.5, device=device("cuda"))]
    made += [rand(2, 3, device="cuda", generator=0), randn(2, 3, device="cuda", generator=cp.random.default_rng(0))]
    for each in made:
        assert isinstance(each.data, cp.ndarray)
        assert (str(each.device), each.shape, each.requires_grad) == ("cuda:0", (2, 3), False)
    assert randn(2, device="cuda", dtype=np.float32).dtype == np.float32
    with pytest.raises(TypeError, match="the generator is numpy"):
        randn(2, device="cuda", generator=np.random.default_rng(0))

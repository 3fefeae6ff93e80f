"""Parameters made on a device: shape, dtype, device, and no gradient unless asked for."""

import numpy as np
import pytest

import srcgrad
from srcgrad import Parameter, device, full, ones, rand, randn, zeros

pytestmark = pytest.mark.quick


@pytest.mark.parametrize("make", [zeros, ones, rand, randn, lambda *shape, **options: full(shape, 2.0, **options)])
@pytest.mark.parametrize("dtype", [np.float32, "float64"])
def test_shape_dtype_and_device(make, dtype):
    made = make(3, 4, dtype=dtype, device=device("cpu"))
    assert isinstance(made, Parameter)
    assert (made.shape, made.dtype, made.device) == ((3, 4), np.dtype(dtype), device("cpu"))
    assert not made.requires_grad
    assert make(2, requires_grad=True).requires_grad


def test_what_they_hold():
    np.testing.assert_array_equal(zeros(2, 2), [[0.0, 0.0], [0.0, 0.0]])
    np.testing.assert_array_equal(ones(2, dtype=np.int64), [1, 1])
    np.testing.assert_array_equal(full((2,), 0.5), [0.5, 0.5])
    assert zeros().shape == ()


def test_draws_are_the_generator_s():
    expected = np.random.default_rng(3).standard_normal((2, 3), np.float32)
    np.testing.assert_array_equal(randn(2, 3, generator=3, dtype=np.float32), expected)
    rng = np.random.default_rng(3)
    np.testing.assert_array_equal(randn(2, 3, generator=rng, dtype=np.float32), expected)
    assert not np.array_equal(randn(2, 3, generator=rng), randn(2, 3, generator=rng))
    np.testing.assert_array_equal(rand(4, generator=1), np.random.default_rng(1).random(4))
    assert not np.array_equal(rand(4), rand(4))


def test_they_train():
    w = randn(3, generator=0, requires_grad=True)

    @srcgrad.grad
    def loss(w, x):
        return np.sum((x * w) ** 2)

    loss.forward(w, ones(3)).backward()
    np.testing.assert_allclose(w.grad, 2 * w)


def test_what_is_refused():
    with pytest.raises(TypeError, match="int64 values have no gradient"):
        zeros(2, dtype=np.int64, requires_grad=True)
    with pytest.raises(RuntimeError, match="a device is 'cpu', 'cuda' or 'cuda:0'"):
        zeros(2, device="gpu")
    if not srcgrad.cuda.is_available():
        with pytest.raises(RuntimeError, match="cuda"):
            zeros(2, device="cuda")

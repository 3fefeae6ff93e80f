"""Arithmetic, comparison and broadcasting on numbers and arrays of any rank."""

import itertools
import math

import numpy as np
import pytest
from agreement import check

pytestmark = pytest.mark.quick

RNG = np.random.default_rng(0)
SHAPES = [(), (1,), (3,), (0,), (1, 3), (3, 1), (2, 3), (2, 1, 3)]


def fits(a, b):
    try:
        return bool(np.broadcast_shapes(a, b)) or True
    except ValueError:
        return False


@pytest.mark.parametrize(
    ("shape", "other"), [pair for pair in itertools.product(SHAPES, SHAPES) if fits(*pair)], ids=str
)
def test_arrays_broadcast_in_every_direction(shape, other):
    def loss(a, b):
        return np.sum(a * b + a / (b * b + 1.0) - b)

    check(loss, RNG.standard_normal(shape), RNG.standard_normal(other))


def test_every_operator_of_numbers():
    def loss(a, b):
        return a + b - a * b / (a + 2.0) + a**b - -a + (+b) + a // 0.7 + a % 0.7

    check(loss, 2.3, 3.1)


def test_numbers_and_arrays_mix():
    def loss(x, a):
        return np.sum(a * x + x**2 - x / a) * a + 2 / a

    check(loss, RNG.standard_normal(3), 1.5)


def test_zero_dimensional_arrays_have_zero_dimensional_gradients():
    def loss(a, x):
        return np.sum(a * x) * a

    gradient = check(loss, np.array(1.5), RNG.standard_normal(3))
    assert gradient(np.array(1.5), np.ones(3))[0].shape == ()


@pytest.mark.parametrize("n", [2, 3, 6])
def test_a_derived_length_is_told_from_one(n):
    """x[1:] has n - 1 elements: one of them for n = 2, which then broadcasts."""

    def loss(x, y):
        return np.sum(x[1:] * y)

    x = RNG.standard_normal(n)
    gradient = check(loss, x, RNG.standard_normal(n - 1))
    check(loss, RNG.standard_normal(2), RNG.standard_normal(4))  # 1 against 4
    check(loss, x, RNG.standard_normal(1))
    # one Gradient, every case in turn: a call that breaks an assumption gets another specialisation
    for m, k in ((5, 4), (2, 4), (5, 4), (4, 1), (2, 1), (7, 6)):
        x, y = RNG.standard_normal(m), RNG.standard_normal(k)
        np.testing.assert_allclose(gradient(x, y)[1], x[1:] if k == m - 1 else np.full(k, np.sum(x[1:])))


def test_matrix_products():
    def loss(a, b, v):
        return np.sum((a @ b) ** 2) + v @ (a @ b) @ v + np.sum(v @ a) + np.dot(v, v)

    check(loss, RNG.standard_normal((3, 4)), RNG.standard_normal((4, 3)), RNG.standard_normal(3))


def test_methods_are_their_functions():
    def loss(x):
        a = x.sum(axis=0).dot(x.mean(axis=0)) + x.T.sum() + x.reshape(-1)[0] + x.reshape(2, 3)[1, 2]
        return a + x.ravel()[1] + x.max() + x.min() + x.prod() + x.transpose(1, 0)[0, 1] + x[1, 1].item()

    check(loss, RNG.standard_normal((3, 2)))


def test_math_functions_take_numbers():
    def loss(x):
        return math.sin(x[0]) * math.exp(float(x[1])) + float(x[2]) * math.pi + math.pow(x[0], 2)

    check(loss, RNG.standard_normal(3))


def test_casts():
    def loss(x):
        y = x.astype(np.float32).astype(float, copy=False) + np.float64(x[0]) + x.astype(dtype=float)
        return np.sum(y) + float(np.asarray(x, dtype=float)[1])

    check(loss, np.array([0.5, 0.25, 2.0]), tolerance=1e-2)  # float32 inside: differences are rough


def test_comparisons_choose_and_mask():
    def loss(x):
        return np.sum((x > 0) * x**2 + (x <= 0) * np.sin(x)) + np.sum(np.where(x != 0.5, x, 3 * x))

    check(loss, RNG.standard_normal((2, 3)))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_precision_stays_what_it_is(dtype):
    from srcgrad import grad

    @grad(wrt=("x", "s"))
    def loss(x, s, n=3):
        y = np.exp(x) * 2.0 * s / n
        return np.sum(y) / 3 + np.mean(y * y) + x[0] * math.pi

    x, s = np.array([0.5, 0.25], dtype), dtype(2.0)
    value, (dx, ds) = loss.value_and_grad(x, s)
    assert (value.dtype, dx.dtype, ds.dtype) == (dtype,) * 3
    assert loss(x, np.array([s]))[1].dtype == dtype


def test_python_numbers_give_numbers():
    from srcgrad import grad

    value, d = grad(lambda x: x * x).value_and_grad(3.0)
    assert (type(value), value, d) == (float, 9.0, 6.0)
    assert isinstance(d, float)

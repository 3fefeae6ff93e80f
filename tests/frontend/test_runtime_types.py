"""What arguments are when the function is called: numbers of every kind, arrays of every size, and what is refused."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from agreement import check

from srcgrad import CompileError, GradTypeError, grad

pytestmark = [pytest.mark.quick, pytest.mark.filterwarnings("ignore::RuntimeWarning")]

X = np.array([0.7, -1.3, 2.1])
EMPTY = np.zeros(0)


def square(x):
    return np.sum(x**2)


# Numbers


@pytest.mark.parametrize("number", [1.5, np.float64(1.5), np.float32(1.5), np.float16(1.5)])
def test_a_number_has_a_gradient_of_its_type(number):
    d = grad(lambda x: x * x * 2)(number)
    assert d == 6.0
    assert isinstance(d, float if isinstance(number, float) else type(number))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(), (1,), (1, 1), (3,), (0,), (0, 3), (3, 0)])
def test_an_array_has_a_gradient_of_its_dtype_and_shape(dtype, shape):
    x = np.full(shape, 1.5, dtype)
    d = grad(lambda x: np.sum(x * x * 2) + 1)(x)
    assert isinstance(d, np.ndarray)
    assert (d.shape, d.dtype) == (shape, np.dtype(dtype))
    np.testing.assert_array_equal(d, np.full(shape, 6.0))


def test_float32_stays_beside_python_numbers_and_not_beside_float64():
    x = np.ones(3, np.float32)
    assert grad(lambda x: np.sum(x * 0.1 + 2))(x).dtype == np.float32
    assert grad(lambda x: np.sum(x * np.float64(0.1)))(x).dtype == np.float32
    dx, dy = grad(lambda x, y: np.sum(x * y), argnums=(0, 1))(x, X)
    assert (dx.dtype, dy.dtype) == (np.float32, np.float64)


@pytest.mark.parametrize("factor", [2, True, np.int64(2), np.float64(2.0), np.array(2.0), np.array([2])])
def test_a_factor_of_any_type(factor):
    np.testing.assert_array_equal(grad(lambda x, k: np.sum(x * k))(X, factor), np.full(3, float(np.sum(factor))))


def test_the_type_of_an_argument_may_change_from_call_to_call():
    gradient = grad(square)
    assert gradient(1.5) == 3.0
    np.testing.assert_array_equal(gradient(X), 2 * X)
    np.testing.assert_array_equal(gradient(EMPTY), EMPTY)
    assert gradient(X.astype(np.float32)).dtype == np.float32
    assert gradient(np.ones((2, 2))).shape == (2, 2)


# Nothing in an array


def mean(x):
    return np.mean(x)


def centred(x):
    return np.sum(np.tanh(x - np.mean(x)))


def by_length(x):
    return np.sum(x**2) / len(x)


def several(x):
    total = 0.0
    for i in range(3):
        total += np.mean(x) * i
    return total


@pytest.mark.parametrize("function", [mean, centred, by_length, several, np.var, np.std, np.average])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_gradient_of_an_empty_array_is_empty(function, dtype):
    gradient = grad(lambda x: function(x)) if function.__module__ == "numpy" else grad(function)
    for x in (np.zeros(0, dtype), np.ones(3, dtype), np.zeros(0, dtype)):
        d = gradient(x)
        assert (d.shape, d.dtype) == (x.shape, x.dtype)
    assert np.all(np.isfinite(gradient(np.array([1.0, 2.0, 4.0], dtype))))


def test_arrays_that_are_never_empty_are_divided_as_in_python():
    gradient = grad(mean)
    gradient(EMPTY)
    gradient(X)
    assert "1.0 / x.size" in gradient.source


def test_a_mask_that_selects_nothing():
    gradient = grad(lambda x: np.mean(x[x > 0] ** 2) + np.sum(x))
    np.testing.assert_array_equal(gradient(-np.ones(2)), np.ones(2))
    check(lambda x: np.mean(x[x > 0] ** 2), X)


def test_the_first_slice_of_a_loop_is_empty():
    def loss(x):
        total = np.sum(x)
        for i in range(len(x)):
            total += np.mean(x[:i]) if i else 0.0
        return total

    check(loss, np.linspace(0.1, 1.0, 70))
    means = grad(lambda x: np.sum(np.array([np.mean(x[:i]) for i in range(3)])))(X)
    np.testing.assert_allclose(means, [1.5, 0.5, 0.0])


def test_an_infinite_quotient_is_no_zero():
    def loss(x, y):
        return np.sum(y) / x.size

    dx, dy = grad(loss, argnums=(0, 1))(EMPTY, X)
    assert dx.shape == (0,)
    np.testing.assert_array_equal(dy, np.full(3, np.inf))


# What is no number


def test_nan_and_inf_go_through():
    x = np.array([np.nan, np.inf, 1.0])
    np.testing.assert_array_equal(grad(square)(x), 2 * x)
    np.testing.assert_array_equal(grad(lambda x: np.sum(np.exp(-x)))(x), -np.exp(-x))
    assert np.isnan(grad(lambda x: x**2)(np.nan))


def test_an_integer_constant_is_no_parameter():
    for number in (3, True, np.arange(3)):
        with pytest.raises(GradTypeError, match="float"):
            grad(square)(number)


class Array(np.ndarray):
    pass


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (Fraction(1, 2), "Fraction"),
        (Decimal("0.5"), "Decimal"),
        (np.longdouble(0.5), "longdouble|float128|128"),
        (np.ma.array(X), "[Mm]asked"),
        (X.view(np.matrix), "matrix"),
        (X.view(Array), "Array"),
        (np.array([1.0, None]), "object"),
        ("text", "text"),
        (None, "None"),
    ],
)
def test_what_is_no_float_is_refused_by_name(value, said):
    with pytest.raises((GradTypeError, CompileError), match=said):
        grad(square)(value)


def test_a_list_where_an_array_is_expected():
    check(lambda x: np.sum(np.array(x) ** 2), [0.5, 1.5])
    with pytest.raises(CompileError, match="where an array or a number is needed"):
        grad(lambda x: np.sum(x.T))([0.5, 1.5])

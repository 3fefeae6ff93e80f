"""Types at run time: numbers, 0-d and empty arrays, precision, integers, variables that change, NaN and infinity."""

from fractions import Fraction

import numpy as np
from cases import Battery, M, X, Y, Z

case = Battery()


@case(1.5)
def python_float(x):
    return x**3 + 2


@case(np.float64(1.5))
def numpy_scalar(x):
    return x**3 + 2


@case(np.array(1.5))
def zero_dimensional_array(x):
    return x**3 + x


@case(np.array([1.5]))
def size_one_array(x):
    return np.sum(x**3)


@case(np.array([1.5]), X)
def size_one_array_broadcast(x, y):
    return np.sum(x * y**2)


@case(np.array([[1.5], [0.5]]), X)
def column_against_row(x, y):
    return np.sum(x * y + x**2)


@case(np.zeros(0), 2.0)
def empty_array(x, y):
    return np.sum(x**2) + y**2


@case(np.zeros((0, 3)), X)
def empty_matrix_against_a_row(m, x):
    return np.sum(m * x) + np.sum(x**2)


@case(np.zeros(0))
def loop_over_an_empty_array(x):
    s = 1.0
    for v in x:
        s = s * v
    return s


@case(X, 2)
def integer_parameter_as_a_number(x, n):
    return np.sum(x**n) * n / 3


@case(X, 3)
def integer_arithmetic(x, n):
    k = n // 2 + n % 2 - (n << 1) + abs(-n)
    return np.sum(x**2) * k


@case(X, np.array([2, 0, 1]))
def integer_array_as_an_index(x, order):
    return np.sum(x[order] * x**2)


@case(X, np.array([True, False, True]))
def boolean_array_parameter(x, keep):
    return np.sum(x[keep] ** 2) + np.sum(keep * x)


@case(X)
def integer_constant_array(x):
    return np.sum(x * np.arange(3) + np.array([1, 2, 3]))


@case(2.0)
def int_that_becomes_a_float(x):
    s = 0
    for k in range(3):
        s = s + x**k
    return s


@case(X)
def float_that_becomes_an_array(x):
    s = 0.0
    for k in range(3):
        s = s + x * k
    return np.sum(s**2)


@case(X)
def int_zero_plus_arrays(x):
    s = 0
    for k in (1.0, 2.0):
        s += k * x**2
    return np.sum(s)


@case(X)
def variable_that_changes_shape(x):
    y = x
    y = np.outer(y, y)
    y = np.sum(y, axis=0)
    y = y[:2]
    return np.sum(y**2)


@case(X, 3)
def shape_that_grows_in_a_loop(x, n):
    y = x[:1]
    for i in range(1, n):
        y = np.concatenate([y, y[-1:] * x[i]])
    return np.sum(y**2)


@case(X)
def shape_that_shrinks_in_a_loop(x):
    y = x
    while len(y) > 1:
        y = y[1:] * y[:-1]
    return y[0] ** 2


@case(X)
def shape_depends_on_a_branch(x):
    if x[0] > 0:
        y = x[:2]
    else:
        y = x
    return np.sum(y**2)


@case(X)
def rank_depends_on_a_static_branch(x, flat=True):
    y = x if flat else x[:, None]
    return np.sum(y**2)


@case(X)
def float32_constant_in_float64(x):
    return np.sum(x * np.float32(0.5)) + np.sum(x * np.array([1, 2, 3], dtype=np.float32))


@case(X)
def cast_to_float32_and_back(x):
    return np.sum((x.astype(np.float32).astype(np.float64) * 2.0) ** 2) * 0.0 + np.sum(x**2)


@case(np.asfortranarray(M))
def fortran_order(m):
    return np.sum(m @ m.T)


@case(Z[::2])
def strided_input(z):
    return np.sum(z**3)


@case(Z[::-1])
def reversed_input(z):
    return np.sum(np.cumsum(z) ** 2)


@case(np.broadcast_to(np.array([0.5]), (3,)).copy())
def broadcast_input(x):
    return np.sum(x**2)


@case(X)
def infinity_as_a_start(x):
    best = np.inf
    for v in x:
        best = min(best, v**2)
    return best + np.sum(x)


@case(X)
def minus_infinity_in_where(x):
    y = np.where(x > 0, x, -np.inf)
    return np.max(y) ** 2


@case(X)
def mean_and_size(x):
    return np.sum(x**2) / x.size + x.shape[0] * x[0] + x.ndim


@case(X)
def shape_arithmetic(x):
    n = len(x)
    return np.sum(x[: n // 2 + 1] ** 2) / n


@case(M)
def shape_unpacked(m):
    rows, columns = m.shape
    return np.sum(m**2) / (rows * columns)


@case(X)
def dtype_read(x):
    y = np.zeros(x.shape, dtype=x.dtype)
    return np.sum((y + x) ** 2)


@case(X)
def boolean_arithmetic(x):
    return np.sum((x > 0) * x**2) + True * x[0]


@case(X)
def comparison_result_summed(x):
    return np.sum(x > 0) * np.sum(x**2)


@case(X)
def masked_selection_of_unknown_length(x):
    positive = x[x > 0]
    return np.sum(positive**2) / len(positive)


@case(Z)
def data_dependent_slice(z):
    n = int(np.sum(z > 0))
    return np.sum(z[:n] ** 2)


@case(Z)
def argmax_as_an_index(z):
    return z[np.argmax(z)] ** 2 + z[np.argmin(np.abs(z))]


@case(Z)
def argsort_as_an_index(z):
    return np.sum(z[np.argsort(z)] * np.arange(6))


@case(X)
def int_of_a_float(x):
    k = int(2.7)
    return x[k] ** 2


@case(X)
def nan_is_handled_by_where(x):
    with np.errstate(invalid="ignore"):
        y = np.where(x > 0, np.sqrt(np.abs(x)), 0.0)
    return np.sum(y)


@case(X)
def item_and_tolist(x):
    return x[0].item() ** 2 + np.sum(x).item()


@case(X, Y)
def weak_numbers_keep_precision(x, y):
    return np.sum(x * 2 + y * 0.5 - 1)


@case(np.array([1, 2, 3]), wrt=(0,), refused="integer|int")
def integer_array_is_differentiated(x):
    return np.sum(x**2)


@case(2, wrt=(0,), refused="integer|int")
def integer_is_differentiated(x):
    return x**2.0


@case(True, wrt=(0,), refused="bool")
def boolean_is_differentiated(x):
    return x * 2.0


@case(X, refused="scalar|number|array")
def result_is_an_array(x):
    return x**2


@case(X, refused="int")
def result_is_an_integer(x):
    return len(x)


@case(X, refused="str")
def result_is_a_string(x):
    return "text"


@case(Fraction(1, 2), wrt=(0,), refused="Fraction")
def fraction_is_differentiated(x):
    return x * 2.0


@case(np.array([1.0, "a"], dtype=object), wrt=(0,), refused="object")
def object_array_is_differentiated(x):
    return x[0] * 2.0


@case(np.ma.masked_array([1.0, 2.0], [True, False]), wrt=(0,), refused="[Mm]asked|subclass")
def masked_array_is_differentiated(x):
    return np.sum(x**2)


@case(np.array([1.5, 2.0], dtype=np.longdouble), wrt=(0,), refused="longdouble|float128")
def longdouble_is_differentiated(x):
    return np.sum(x**2)

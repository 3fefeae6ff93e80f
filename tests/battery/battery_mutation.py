"""Writes into arrays: every form of index, every operator, views, aliases, functions that write."""

import numpy as np
from cases import Battery, M, S, X, Y, Z

case = Battery()


@case(X)
def write_an_integer_index(x):
    y = np.zeros(3)
    y[1] = x[0] * x[2]
    return np.sum(y**2)


@case(X)
def write_a_negative_index(x):
    y = x.copy()
    y[-1] = x[0] ** 2
    return np.sum(y * x)


@case(Z)
def write_a_slice(z):
    y = np.ones(6)
    y[1:4] = z[2:5] * 2.0
    return np.sum(y * z)


@case(Z)
def write_a_slice_with_a_step(z):
    y = z * 1.0
    y[::2] = z[1::2] ** 2
    return np.sum(y**2)


@case(Z)
def write_a_slice_with_a_negative_step(z):
    y = np.zeros(6)
    y[::-1] = z**2
    return np.sum(y * z)


@case(Z)
def write_through_a_mask(z):
    y = z.copy()
    y[z < 0] = 0.0
    return np.sum(y**3)


@case(Z)
def write_an_array_through_a_mask(z):
    y = z.copy()
    m = z < 0
    y[m] = z[m] ** 2
    return np.sum(y**2)


@case(Z)
def write_fancy_indices(z):
    y = np.zeros(6)
    y[[0, 3, 5]] = z[:3] * 2.0
    return np.sum(y * z)


@case(Z)
def write_fancy_indices_with_repeats(z):
    y = z.copy()
    y[np.array([0, 1, 0, 1])] = z[2:] ** 2
    return np.sum(y**2)


@case(M)
def write_with_an_ellipsis(m):
    y = np.zeros_like(m)
    y[..., 0] = m[..., 1] ** 2
    y[...] = y + m
    return np.sum(y**2)


@case(M)
def write_with_newaxis(m):
    y = np.zeros((2, 1, 3))
    y[:, 0, :] = m * 2.0
    y[0, 0][np.newaxis, :] = m[1:2] ** 2
    return np.sum(y**2)


@case(M)
def write_a_tuple_index(m):
    y = m * 1.0
    y[1, 2] = m[0, 0] * m[0, 1]
    y[0, 1:] = m[1, :2]
    return np.sum(y**2)


@case(M, 1)
def write_a_run_time_index(m, i):
    y = np.zeros(3)
    y[i] = np.sum(m[i] ** 2)
    y[i - 1] = m[0, 0]
    return np.sum(y**3)


@case(M)
def write_a_chained_index(m):
    y = m.copy()
    y[0][1] = m[1, 1] ** 2
    y[1][:2] = m[0][1:]
    return np.sum(y**2)


@case(M)
def write_a_row_by_broadcasting(m):
    y = np.zeros((2, 3))
    y[:] = m[0]
    y[1] = m[1, 0]
    return np.sum(y * m)


@case(M)
def write_a_column_from_a_list(m):
    y = m * 2.0
    y[:, 1] = [m[0, 0] ** 2, 1.0]
    return np.sum(y**2)


@case(M)
def write_two_index_arrays(m):
    y = m * 1.0
    y[[0, 1], [2, 0]] = m[:, 1] ** 2
    return np.sum(y**2)


@case(M)
def write_an_outer_index(m):
    y = np.zeros((3, 3))
    y[np.ix_([0, 2], [0, 1])] = m[:, :2] ** 2
    return np.sum(y**2)


@case(X)
def augmented_addition_of_a_name(x):
    y = x * 1.0
    y += x**2
    return np.sum(y * x)


@case(X)
def every_augmented_operator(x):
    y = x * 1.0
    y += x
    y -= 0.5 * x**2
    y *= x
    y /= 1.0 + x**2
    y **= 2
    return np.sum(y)


@case(X)
def augmented_power_and_modulo(x):
    y = np.abs(x) + 1.0
    y **= 1.5
    y %= 2.0
    return np.sum(y * x)


@case(X)
def augmented_floor_division_is_flat(x):
    y = x * 1.0
    y //= 1.0
    return np.sum(y * x)


@case(S, X)
def augmented_matrix_product(s, x):
    y = s * 1.0
    y @= s
    return np.sum((y @ x) ** 2)


@case(Z)
def augmented_subscripts(z):
    y = z * 1.0
    y[0] += z[1]
    y[1:3] *= z[3:5]
    y[z > 0] -= 1.0
    y[[3, 4]] /= 2.0
    return np.sum(y**2)


@case(Z)
def augmented_fancy_index_with_repeats(z):
    y = z * 1.0
    y[np.array([0, 0, 1])] += z[3:]
    return np.sum(y**2)


@case(Z)
def view_write_changes_the_base(z):
    x = z * 1.0
    y = x[1:]
    y += 1.0
    y *= z[1:]
    return np.sum(x**2)


@case(Z)
def view_of_a_view(z):
    x = z * 1.0
    y = x[1:]
    w = y[::2]
    w *= 3.0
    y[0] = z[0]
    return np.sum(x**2) + np.sum(w)


@case(M)
def transposed_view(m):
    x = m * 1.0
    x.T[0] = m[:, 1] ** 2
    x.T[1, 0] *= 2.0
    return np.sum(x**2)


@case(M)
def whole_transpose_written(m):
    x = np.zeros((2, 3))
    x.T[...] = m.T * 2.0
    return np.sum(x * m)


@case(Z)
def reshape_is_a_view(z):
    x = z * 1.0
    grid = x.reshape(2, 3)
    grid[1] = grid[0] * 2.0
    return np.sum(x**2)


@case(M, refused="may share its memory")  # a copy, if the array lies in Fortran's order
def ravel_is_a_view(m):
    x = m * 1.0
    flat = x.ravel()
    flat[2] = m[0, 0] ** 2
    flat *= 2.0
    return np.sum(x * m)


@case(M)
def rows_from_iteration_are_views(m):
    x = m * 1.0
    for row in x:
        row *= row[0]
    return np.sum(x**2)


@case(Z, refused="cannot be followed")
def split_pieces_are_views(z):
    x = z * 1.0
    a, b = np.split(x, 2)
    a += b
    return np.sum(x**2)


@case(Z)
def two_names_for_one_array(z):
    y = z * 1.0
    w = y
    y += z
    w[0] = 5.0 * z[1]
    return np.sum(y * w)


@case(2.0)
def two_names_for_one_float(x):
    y = x
    w = y
    y += x
    return y * w


@case(Z)
def swap_two_elements(z):
    y = z * 1.0
    y[0], y[3] = y[3], y[0]
    return np.sum(y * z)


@case(M)
def swap_two_rows_of_views(m):
    y = m * 1.0
    y[0], y[1] = y[1], y[0]
    return np.sum(y * m)


@case(M)
def swap_two_rows_by_fancy_index(m):
    y = m * 1.0
    y[[0, 1]] = y[[1, 0]]
    return np.sum(y * m**2)


@case(Z)
def overlapping_shift_up(z):
    y = z * 1.0
    y[1:] = y[:-1]
    return np.sum(y * z)


@case(Z)
def overlapping_shift_down_with_addition(z):
    y = z * 1.0
    y[:-1] += y[1:]
    return np.sum(y**2)


@case(Z)
def overlapping_reverse(z):
    y = z * 1.0
    y[:] = y[::-1]
    return np.sum(y * z)


@case(X, Y)
def out_of_a_ufunc(x, y):
    a = np.zeros(3)
    np.add(x, y, out=a)
    np.multiply(a, x, out=a)
    np.exp(a, a)
    return np.sum(a)


@case(X, Y)
def out_into_a_slice(x, y):
    a = np.ones(6)
    np.multiply(x, y, out=a[1:4])
    return np.sum(a**2)


@case(M)
def out_of_a_reduction(m):
    a = np.zeros(3)
    np.sum(m**2, axis=0, out=a)
    return np.sum(a**2)


@case(S, X)
def out_of_a_product(s, x):
    a = np.empty(3)
    np.dot(s, x, out=a)
    np.matmul(s, a, out=a)
    return np.sum(a**2)


@case(Z)
def add_at(z):
    y = np.zeros(3)
    np.add.at(y, np.array([0, 1, 1, 2, 0, 1]), z**2)
    return np.sum(y**2)


@case(Z)
def subtract_at_and_multiply_at(z):
    y = np.ones(3)
    np.subtract.at(y, [0, 0, 2], z[:3])
    np.multiply.at(y, [1, 1], z[3:5])
    return np.sum(y**2)


@case(S)
def fill_diagonal(s):
    y = s * 1.0
    np.fill_diagonal(y, 2.0)
    return np.sum(y**3)


@case(S, X)
def fill_diagonal_with_values(s, x):
    y = s * 1.0
    np.fill_diagonal(y, x)
    return np.sum(y**2)


@case(Z)
def sort_in_place(z):
    y = z * 1.0
    y.sort()
    return np.sum(y * z)


@case(M)
def sort_rows_in_place(m):
    y = m * 1.0
    y.sort(axis=0)
    return np.sum(y * m**2)


@case(X)
def fill(x):
    y = np.empty(4)
    y.fill(x[1] ** 2)
    return np.sum(y) * x[0]


@case(X, Y)
def copyto(x, y):
    a = x * 1.0
    np.copyto(a, y, where=x > 0)
    return np.sum(a**2)


@case(Z)
def put_and_putmask(z):
    y = z * 1.0
    np.put(y, [0, 2], z[1:3] ** 2)
    np.putmask(y, z < -1.0, 0.5)
    return np.sum(y**2)


@case(M)
def flat_is_written(m):
    y = m * 1.0
    y.flat[3] = m[0, 1] ** 2
    return np.sum(y**2)


@case(Z, 4)
def array_written_in_a_loop(z, n):
    y = np.zeros(6)
    for i in range(1, n):
        y[i] = np.sin(y[i - 1]) + z[i]
    return np.sum(y**2)


@case(Z)
def array_overwritten_in_a_loop(z):
    y = z * 1.0
    for _ in range(3):
        y[1:] = y[1:] * y[:-1]
    return np.sum(y)


@case(Z)
def array_written_in_a_while(z):
    y = z * 1.0
    i = 0
    while i < 5:
        y[i + 1] += y[i] ** 2 * 0.1
        i += 1
    return np.sum(y)


@case(Z)
def array_written_under_a_condition(z):
    y = z * 1.0
    for i in range(6):
        if y[i] > 0:
            y[i] = y[i] ** 2
        else:
            y[i] *= -1.0
    return np.sum(y * z)


@case(M)
def array_written_in_nested_loops(m):
    y = np.zeros((2, 3))
    for i in range(2):
        for j in range(1, 3):
            y[i, j] = y[i, j - 1] * 0.5 + m[i, j] ** 2
    return np.sum(y**2)


@case(Z)
def argument_written(z):
    z[0] = z[1] * z[2]
    z[1:] *= 2.0
    return np.sum(z**2)


@case(Z)
def argument_augmented(z):
    z *= z
    z += 1.0
    return np.sum(z**2)


@case(Z)
def argument_view_written(z):
    y = z[:3]
    y *= z[3:]
    return np.sum(z**2)


@case(X, Y)
def inactive_argument_written(x, y):
    y[:] = x * y
    x[0] = y[1]
    return np.sum(x * y)


@case([X, Y])
def array_inside_a_list_written(pair):
    pair[0][1] = pair[1][0] ** 2
    return np.sum(pair[0] * pair[1])


@case({"w": X, "b": 0.5})
def array_inside_a_dict_written(params):
    params["w"] *= params["b"]
    return np.sum(params["w"] ** 2)


def _scale_in_place(a, factor):
    a *= factor


def _relu_in_place(a):
    a[a < 0] = 0.0
    return a


@case(Z)
def helper_that_writes_its_argument(z):
    y = z * 1.0
    _scale_in_place(y, z[0])
    _scale_in_place(y[2:], 3.0)
    return np.sum(y**2)


@case(Z)
def helper_that_writes_and_returns(z):
    y = z * 2.0
    w = _relu_in_place(y)
    return np.sum(w * y)


def _tail(a):
    return a[1:]


@case(Z)
def view_returned_by_a_helper(z):
    y = z * 1.0
    t = _tail(y)
    t[0] = z[0] ** 2
    return np.sum(y**2)


@case(Z)
def views_kept_in_a_list(z):
    y = z * 1.0
    halves = [y[:3], y[3:]]
    halves[0] += halves[1]
    halves[1][0] = 2.0
    return np.sum(y**2)


@case(X)
def write_of_itself(x):
    y = x * 1.0
    y[:] = y
    y[0] = y[0]
    return np.sum(y**2)


@case(X)
def old_value_used_after_the_write(x):
    y = x * 1.0
    old = y[0]
    y[0] = 7.0
    return old**2 + np.sum(y)


@case(X)
def old_view_sees_the_write(x):
    y = x * 1.0
    view = y[:2]
    y[0] = x[2] ** 2
    return np.sum(view**2)


@case(X)
def copy_does_not_see_the_write(x):
    y = x * 1.0
    kept = y[:2].copy()
    y[0] = x[2] ** 2
    return np.sum(kept**2) + y[0]


@case(X)
def array_of_integers_written_is_inactive(x):
    count = np.zeros(3, dtype=int)
    for i in range(3):
        if x[i] > 0:
            count[i] += 1
    return np.sum(count * x**2)


@case(X)
def square_root_taken_in_place(x):
    y = x**2 + 1.0
    np.sqrt(y, out=y)
    y -= 1.0
    return np.sum(y**2)


@case(S)
def lower_triangle_solved_in_place(s):
    b = np.ones(3)
    for i in range(3):
        b[i] -= s[i, :i] @ b[:i]
        b[i] /= s[i, i]
    return np.sum(b**2)


@case(Z)
def running_sum_in_place(z):
    y = z * z
    for i in range(1, 6):
        y[i] += y[i - 1]
    return np.sum(np.sqrt(y))


@case(M)
def column_normalised_in_place(m):
    y = m * 1.0
    for j in range(3):
        y[:, j] /= np.sqrt(np.sum(y[:, j] ** 2))
    return np.sum(y[0] ** 3)


@case(X)
def float_into_an_integer_array(x):
    y = np.zeros(3, dtype=int)
    y[0] = 3.7
    return np.sum(y * x)


@case(X)
def write_to_a_zero_sized_slice(x):
    y = x * 1.0
    y[3:] = 5.0
    y[1:1] = x[1:1]
    return np.sum(y**2)


@case(X, refused="__setitem__")
def setitem_called_by_name(x):
    y = x * 1.0
    y.__setitem__(0, x[1] ** 2)
    return np.sum(y**2)


_LOG = np.zeros(3)


@case(X, refused="the module or function around")
def global_array_written(x):
    _LOG[0] = x[0]
    return np.sum(x**2) + np.sum(_LOG)

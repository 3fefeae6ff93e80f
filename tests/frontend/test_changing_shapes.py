"""Variables whose shape depends on the branch taken, or on the pass: lengths that only running reveals."""

import numpy as np
import pytest
from agreement import check

from srcgrad import CompileError, grad, hessian, jvp

pytestmark = pytest.mark.quick

X = np.array([0.7, -1.3, 2.1])
Z = np.array([0.3, 1.9, -0.8, 0.5, -1.2, 0.9])


def pyramid(z):
    while len(z) > 1:
        z = z[1:] * z[:-1] + z[1:]
    return z[0]


def prefix(z, n):
    y = z[:1]
    for i in range(1, n):
        y = np.concatenate([y, y[-1:] * z[i]])
    return np.sum(y**2)


def one_part_or_another(z):
    if z[0] > 0:
        y = z[:2]
    elif z[0] > -5:
        y = z[1:]
    else:
        y = z
    return np.sum(y**2) * y[0]


def filtered(z, n):
    for _ in range(n):
        z = z[z > 0.1] * z[0]
    return np.sum(z**2)


def test_an_array_that_shrinks():
    check(pyramid, Z)
    check(pyramid, Z[:1])


def test_an_array_that_grows():
    check(prefix, Z, 4)
    check(prefix, Z, 1)


def test_the_gradient_reads_like_the_function():
    gradient = grad(prefix)
    gradient(Z, 4)
    assert "        d_y_1 = d_y[:-1]\n" in gradient.source


@pytest.mark.parametrize("scale", [1.0, -1.0, -30.0])
def test_a_branch_decides_how_long(scale):
    check(one_part_or_another, scale * Z)


@pytest.mark.parametrize("scale", [1.0, -1.0])
def test_a_conditional_expression_decides_how_long(scale):
    def loss(z):
        y = z[1:] if z[0] > 0 else z
        return np.sum(y[1:] * y[:-1]) + np.mean(y)

    check(loss, scale * Z)


@pytest.mark.parametrize("n", [0, 1, 3])
def test_elements_are_appended(n):
    def loss(z, n):
        y = z[:0]
        for i in range(n):
            y = np.append(y, z[i] ** 2)
        return np.sum(np.cumsum(y))

    check(loss, Z, n)


def test_elements_are_appended_in_some_passes():
    def loss(z):
        y = z[:1]
        for i in range(len(z)):
            if z[i] > 0:
                y = np.concatenate([y, z[i : i + 1] * y[-1]])
        return np.sum(y**2)

    check(loss, Z)


def test_rows_are_added():
    def loss(z, n):
        y = np.zeros((0, 2))
        for i in range(n):
            y = np.vstack([y, z[i : i + 2]])
        return np.sum(y**2)

    check(loss, Z, 3)
    _, tangent = jvp(loss, (Z, 3), (np.ones(6), None))
    assert np.isclose(tangent, np.sum(grad(loss)(Z, 3)))


def test_every_second_element_is_kept():
    def loss(z):
        y = z * 1.0
        for _ in range(2):
            y = y[::2]
        return np.sum(y**2)

    check(loss, Z)


def test_what_a_mask_selects_is_selected_from_again():
    check(filtered, Z, 2)


def test_a_loop_inside_a_loop_shortens_what_the_outer_one_has_shortened():
    def loss(z, n):
        y = z
        for i in range(n):
            for j in range(i):
                y = y[1:] * z[j]
            y = y * 2
        return np.sum(y**2)

    check(loss, Z, 3)


def test_the_result_of_a_helper_is_shorter():
    def loss(z, n):
        def differences(v):
            return v[1:] - v[:-1]

        y = z
        for _ in range(n):
            y = differences(y)
            if np.sum(y) > 100:
                y = z
        return np.sum(y * y)

    check(loss, Z, 2)


def test_a_shortened_copy_is_written_into():
    def loss(z, n):
        y = z
        for _ in range(n):
            y = y[1:] * 1.0
            y[0] = y[0] * 2 * z[0]
            y[1:] += 1.0
        return np.sum(y * y)

    check(loss, Z, 2)


def test_a_loop_that_is_left_early():
    def loss(z):
        while True:
            z = z[1:] + z[:-1] ** 2
            if np.sum(z) > 5 or len(z) < 2:
                break
        return np.sum(z)

    check(loss, Z)


def test_another_length_before_each_loop():
    def loss(z, flag):
        y = z[1:] if flag > 0 else z[:2]
        for _ in range(3):
            y = np.concatenate([y, y[:1]])
        t = np.zeros(len(y))
        t[1:] = y[1:]
        return np.sum(t * y)

    check(loss, Z, 1)
    check(loss, Z, -1)


@pytest.mark.parametrize(
    ("function", "args"), [(pyramid, ()), (prefix, (4,)), (one_part_or_another, ()), (filtered, (2,))]
)
def test_derivatives_of_derivatives(function, args):
    gradient, step = grad(function), 1e-5
    rows = [(gradient(Z + step * e, *args) - gradient(Z - step * e, *args)) / (2 * step) for e in np.eye(6)]
    np.testing.assert_allclose(hessian(function)(Z, *args), rows, atol=1e-6 * max(1.0, np.max(np.abs(rows))))


def test_float32_stays_float32():
    z = Z.astype(np.float32)
    found = grad(pyramid)(z)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, grad(pyramid)(Z), rtol=1e-4)


def test_lengths_that_must_be_equal_and_may_not_be_are_refused():
    @grad
    def loss(z):
        y = z[1:] if z[0] > 0 else z
        return np.sum(y * z)

    with pytest.raises(CompileError, match=r"cannot tell whether lengths .* are equal"):
        loss(Z)


def test_a_number_of_axes_that_depends_on_a_branch_is_refused():
    @grad
    def loss(z):
        y = z[0] if z[0] > 0 else z
        return np.sum(y)

    with pytest.raises(CompileError, match="on one path and"):
        loss(Z)


# A number that becomes an array in a loop


def running_sum(x):
    s = 0.0
    for k in range(3):
        s = s + x * k
    return np.sum(s**2)


def test_a_number_becomes_an_array():
    check(running_sum, X)
    assert grad(running_sum)(X.astype(np.float32)).dtype == np.float32


def test_the_start_is_an_array_in_the_gradient():
    gradient = grad(running_sum)
    gradient(X)
    assert "s = np.zeros_like(x)\n" in gradient.source


M = np.array([[0.8, -0.5, 1.2], [0.3, 1.7, -0.9]])


def test_rows_are_added_to_a_number_in_place():
    def loss(m):
        s = 0
        for row in m:
            s += np.sin(row)
        return np.sum(s**2)

    check(loss, M)


def test_a_number_that_is_not_zero():
    def loss(m, n):
        s = 1.0
        for k in range(n):
            s = 0.5 * s + m[k] ** 2
            t = s
        return np.sum(s * t)

    check(loss, M, 2)


def test_the_sum_of_a_generator_of_arrays():
    def loss(x, n):
        return np.sum(sum(x * k for k in range(n)) ** 2)

    check(loss, X, 3)


@pytest.mark.parametrize("n", [1, 2])
def test_a_first_pass_that_would_tell_an_array_from_a_number_is_refused(n):
    @grad
    def loss(x, n):
        s = 0.0
        for _ in range(n):
            s = np.sum(s + 1.0) + x
        return np.sum(s**2)

    with pytest.raises(CompileError, match="`s` is a number before the loop") as error:
        loss(X, n)
    assert "np.zeros" in str(error.value)


def test_a_second_name_of_the_number_is_refused():
    @grad
    def loss(x):
        s, t = 0.0, 0.0
        for _ in range(3):
            before = s
            s += x
            t = t + np.sum(before)
        return np.sum(s**2) + t

    with pytest.raises(CompileError, match="changes in place"):
        loss(X)


def test_a_loop_that_may_make_no_pass_leaves_the_number():
    @grad
    def loss(x, n):
        s = 0.0
        for k in range(n):
            s = s + x * k
        return np.sum(s)

    loss(X, 2)
    with pytest.raises(CompileError, match="on one path and"):
        loss(X, 0)

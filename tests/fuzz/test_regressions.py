"""What fuzzing found, made small. Each function went wrong once, in the way its test's name says."""

import numpy as np
from fuzz_judge import examine
from fuzz_orders import examine_orders

RNG = np.random.default_rng(0)
X, Y, Z = RNG.normal(size=4), RNG.normal(size=3), RNG.normal(size=4)
W = RNG.normal(size=(4, 3))
PAIR = np.array([1.0, 2.0])


# Branches


def test_what_a_branch_guards_is_not_computed_again_outside_it():
    def loss(a, b, x):
        total = 1.0
        for item in x:
            if b > 0.2:
                c = a / b
                total = total * np.sin(c * item + total)
            else:
                total = total * np.sin(total * a * item)
        return total

    examine(loss, 1.0, 0.0, PAIR)
    examine(loss, 1.0, 0.5, PAIR)


def test_an_element_that_a_branch_guards_is_not_read_again_outside_it():
    def loss(x):
        total = 0.1
        for i in range(len(x)):
            if i < len(x) - 1:
                v = x[i + 1]
                total = total + np.tanh(v * total) * v
        return total

    examine(loss, X)


def test_what_no_pass_computes_is_not_computed_before_the_loop():
    def loss(a, b, k=0):
        total = a
        for _ in range(k):
            c = a / b
            total = np.sin(total * c)
        return total

    examine(loss, 1.0, 0.0)


def test_a_recording_made_inside_a_branch():
    def loss(w, s, t):
        if t < -1.1:
            return s
        for item in w[:, 0]:
            s += item**2
        return s

    examine(loss, W, 0.3, 0.7)


def test_a_recording_of_an_invariant_inside_a_branch():
    def loss(y, t):
        total = np.sum(y)
        if total <= 10.0:
            for _ in range(len(y)):
                for _ in range(3):
                    t = np.arctan(1.5 + total)
        return t

    examine(loss, Y, 0.3)


def test_a_recording_of_an_argument_inside_a_branch():
    def loss(x):
        total = 0.0
        if np.sum(x) <= -100.0:
            return total
        for item in x:
            total = np.max(x if item >= 1.1 else 2.0 * x)
        return total

    examine(loss, X)


def test_a_length_is_not_read_off_what_one_branch_defines():
    def loss(x, w, t):
        if t >= -0.2:
            return 0.25
        v = w / t
        return v.sum()

    examine(loss, X, W, 0.5)
    examine(loss, X, W, -0.5)


def test_two_gradients_that_one_branch_makes_the_same_array():
    def loss(x, z, t):
        if t < 0.4:
            x = z
        return t - np.sum(z) - np.sum(x)

    examine(loss, X, Z, 0.3)
    examine(loss, X, Z, 0.5)


def test_an_early_return_leaves_the_other_half_unsaved():
    def loss(y, s):
        v = np.minimum(y, 0.7)
        if np.max(y) <= 1.1:
            return s
        v = np.cumsum(v)
        return np.sum(v**2) + s

    examine(loss, Y, 0.3)
    examine(loss, Y + 3.0, 0.3)


def test_a_value_without_a_name_is_not_called_like_its_keyword():
    def loss(s):
        if s >= 0.4:
            return s
        return np.tanh(s)

    examine(loss, 0.3)
    examine(loss, 0.5)


# Loops


def test_a_loop_counted_by_a_recording_that_nothing_reads():
    def loss(a):
        x = np.full(3, 0.4) * a
        for _ in range(3, -1, -1):
            for item in x:
                a -= np.arctan(item)
        return a

    examine(loss, 0.7)


def test_nested_loops_over_the_length_of_a_local_array():
    def loss(w):
        v = w[0][0]
        for _ in range(2):
            local = np.zeros(len(w))
            for _item in local:
                v = np.arctan(v)
        return v

    examine(loss, W)


def test_an_array_replaced_in_every_pass():
    def loss(x, y):
        outer = np.outer(x, y)
        v = outer**2
        for _ in range(2):
            v = outer
        return v.sum()

    examine(loss, X, Y)


def test_a_matrix_overwritten_while_walking_over_its_neighbour():
    def loss(x, y, w):
        for _, _ in zip(x, x):
            w = x[:, None] * y
        return np.sum(w)

    examine(loss, X, Y, W)


# Memory and dtypes


def test_what_a_mean_spreads_is_writable():
    def loss(w):
        return np.sum(w[-1] * np.mean(w, axis=0))

    examine(loss, W)


def test_a_mask_has_no_negative():
    def loss(x, t):
        return np.mean(x) - np.maximum(t, -0.1)

    examine(loss, X.astype(np.float32), 0.5)


def test_a_mask_times_a_number_is_float32_where_its_array_is():
    def loss(y):
        return np.mean(np.maximum(y, 0.2))

    examine(loss, Y.astype(np.float32))


def test_a_size_spelled_twice_is_read_off_one_value():
    def loss(x, y):
        v = np.outer(x, y).T * np.outer(x, y).T + (np.outer(x, y).T - np.outer(x, y).T)
        return 1.0 - np.mean(v)

    examine(loss, X, Y)


def test_halves_of_arrays_of_equal_length_are_equally_long():
    def loss(x, z, s):
        half = x[::2] if s < 0.05 else z[::2]
        return np.sum(half * (x * z)[::2])

    examine(loss, X, Z, 0.3)


# Helpers


def square_of(a):
    return np.arctan(a * a)


def shadowing(a):
    a = np.cos(a * a)
    return np.tanh(a * (a - np.tanh(a)))


def test_a_number_given_to_a_helper_is_not_spelled_in_the_helpers_names():
    def loss(s):
        s += s * (s * square_of(-0.3))
        return s * shadowing(0.5)

    examine(loss, 0.7)


def test_the_gradient_of_a_number_is_a_number():
    def loss(s, t):
        return np.clip(t / s, -0.8, 0.9)

    examine(loss, 0.7, 0.3)
    examine(loss, 0.3, 0.7)


def test_what_a_shared_recording_holds_is_not_written_to():
    def loss(y, z):
        a = np.zeros(4)
        for _ in range(2):
            total = np.min(y)
            a[::2] = z[::2]
            a *= total
        return np.sum(a)

    examine(loss, Y, Z)


def test_a_recording_of_what_two_loops_leave_alone():
    def loss(x, y):
        for _ in range(3):
            for _ in range(1):
                x = y @ np.outer(x, y).T
                y = y
        return np.sum(x)

    examine(loss, X, Y)


def test_an_array_walked_over_is_also_where_a_variable_starts():
    def loss(x, z):
        for _ in range(2):
            z, x = x, np.cos(z * (z - x))
            for item in z:
                z, x = x, item * np.ones(4)
        return np.sum(z)

    examine(loss, X, Z)


# Views and writes


def test_a_transpose_written_through_keeps_the_layout_of_its_base():
    def loss(w, s):
        v = w.T
        v[:, 0] -= s
        return w.sum()

    examine(loss, RNG.normal(size=(5, 2)), 0.3)


def test_a_recorded_column_is_multiplied_as_the_column_that_it_is():
    def loss(w, t, k=3):
        total = 0.0
        for _ in range(k):
            for i in range(w.shape[1]):
                t = t - w[:, i] @ w[:, i]
            w[0] *= total
        return t

    examine(loss, RNG.normal(size=(5, 2)), 0.7)


def test_a_result_given_to_a_reversed_view_is_written_in_its_order():
    def loss(x, t):
        a = x * t
        u = x[::-1]
        np.multiply(np.sin(a), 0.5, out=u)
        return x[0] + 3.0 * x[1] + 0.0 * np.sum(u)

    examine(loss, X, 0.7)


# Loops that are left early


def test_a_flag_that_the_backward_sweep_reads_stays_a_variable():
    def loss(x):
        t = 0.5
        for v in x:
            if v < 0.5:
                t = t * 1.5
                if t > 1.0:
                    break
            t = np.tanh(t + v) * v
            if t > 0.95:
                break
        return t

    examine(loss, X)
    examine(loss, np.array([0.9, 0.4, 0.3, 0.2]))


# Second derivatives


def test_two_recordings_of_one_variable_and_the_value_after_the_loop():
    def loss(y, k=3):
        for _ in range(k):
            y = np.tanh((y - 1) * y)
        return np.sum(y**2)

    examine_orders(loss, PAIR[:1])


def test_a_constant_recorded_by_a_loop_in_a_branch():
    def loss(x, t):
        if x.mean() > 0.0:
            for _ in range(3):
                t += np.cos(np.maximum(t, 0.2) if t < 0.4 else np.sum(x))
        return t + np.sum(x)

    examine_orders(loss, PAIR, 0.1)
    examine_orders(loss, -PAIR, 0.1)


def test_what_a_branch_leaves_undefined_is_not_computed_with_outside_it():
    def loss(x, s):
        for item in x:
            if item > 1.5:
                s = np.cos(s)
            elif item < 0.5:
                s = s - np.sin(s)
            else:
                s *= np.tanh(np.cos(item))
        return s

    examine_orders(loss, np.array([1.0, 2.0, 0.1]), 0.3)


def test_what_is_tried_in_vain_is_not_read_afterwards():
    def scaled(a, b):
        return np.sin(a * np.maximum(1.0 / (1.0 + b**2), a * a))

    def loss(s, t, z):
        for _ in range(3):
            if t < 1.1:
                if 1.5 * t > 1.1:
                    s += np.cos(t + s)
                else:
                    s = s - np.cos(scaled(np.cos(t * t), np.arctan(z @ z)))
                    s -= np.arctan(t * np.arctan(t))
            else:
                s = s + np.cos(s)
        return s

    examine_orders(loss, 0.2, 0.3, X)
    examine_orders(loss, 0.2, 0.9, X)


def test_the_length_of_a_mask_is_read_where_it_can_be():
    def loss(x, t):
        a = np.ones(3)
        for item in x:
            if item > 0.0:
                t += np.arctan(t)
                a[a > 0.1] += np.sin(t)
        return np.sum(a) * t

    examine_orders(loss, X, 0.3)

"""Control flow: loops that end early, branches, conditions, exceptions, recursion."""

import functools

import numpy as np
from cases import Battery, M, X, Y, Z

case = Battery()


@case(X)
def break_at_a_condition(x):
    total = 0.0
    for i in range(len(x)):
        if x[i] < 0:
            break
        total += x[i] ** 2
    return total + x[2]


@case(X)
def break_that_never_comes(x):
    total = 0.0
    for v in x:
        if v > 100.0:
            break
        total = total + v * v
    return total


@case(X)
def break_in_the_first_pass(x):
    y = x * 2.0
    for i in range(10):
        if i == 0:
            break
        y = y * x
    return np.sum(y)


@case(X)
def continue_skips_a_pass(x):
    total = 0.0
    for i in range(len(x)):
        if x[i] < 0:
            continue
        total += x[i] ** 3
    return total + np.sum(x)


@case(Z)
def break_and_continue_together(z):
    total = 0.0
    for v in z:
        if v < -1.0:
            break
        if v < 0.0:
            continue
        total += np.exp(v)
    return total + z[5]


@case(Z)
def statements_before_and_after_break(z):
    s = 1.0
    for i in range(len(z)):
        s = s * (1.0 + z[i] ** 2)
        if s > 5.0:
            s = s - z[i]
            break
        s = s + z[i]
    return s


@case(2.0)
def while_true_with_break(a):
    x = a
    while True:
        step = (x * x - a) / (2.0 * x)
        x = x - step
        if abs(step) < 1e-10:
            break
    return x * x * x


@case(3.0)
def while_with_break_and_counter(x):
    n = 0
    y = x
    while n < 10:
        y = y * 0.5 + 1.0 / y
        n += 1
        if y < 1.5:
            break
    return y + n


@case(5.0)
def while_with_continue(x):
    i = 0
    s = 0.0
    while i < 6:
        i += 1
        if i % 2:
            continue
        s += x**i / 100.0
    return s


@case(X)
def for_else_runs(x):
    s = 0.0
    for v in x:
        if v > 50.0:
            break
        s += v * v
    else:
        s = s * 3.0
    return s


@case(X)
def for_else_is_skipped(x):
    s = 0.0
    for v in x:
        s += v * v
        if v < 0.0:
            break
    else:
        s = s * 3.0
    return s


@case(1.7)
def while_else_runs(x):
    y = x
    k = 0
    while k < 3:
        y = y * x
        k += 1
    else:
        y = y + x * 10.0
    return y


@case(1.7)
def while_else_is_skipped(x):
    y = x
    while y < 100.0:
        y = y * x
        if y > 8.0:
            break
    else:
        y = y + x * 10.0
    return y


@case(X)
def return_inside_a_for(x):
    s = 0.0
    for v in x:
        s = s + v**2
        if s > 2.0:
            return s * 2.0
    return s


@case(X)
def return_inside_a_for_not_taken(x):
    for v in x:
        if v > 1000.0:
            return v
    return np.sum(x**3)


@case(1.2)
def return_inside_a_while(x):
    y = x
    while True:
        y = y * x + 0.1
        if y > 10.0:
            return y * y


@case(M)
def return_from_nested_loops(m):
    s = 0.0
    for i in range(m.shape[0]):
        for j in range(m.shape[1]):
            s += m[i, j] ** 2
            if s > 3.0:
                return s * m[i, j]
    return s


@case(M)
def break_the_inner_loop_only(m):
    s = 0.0
    for row in m:
        for v in row:
            if v < 0.0:
                break
            s += v**2
    return s + np.sum(m)


@case(M)
def continue_the_outer_loop(m):
    s = 0.0
    for row in m:
        if row[0] > 0.5:
            continue
        for v in row:
            s += v**3
    return s


@case(X, 3)
def nested_dynamic_loops(x, n):
    s = 0.0
    for i in range(n):
        for j in range(i):
            s += x[i] * x[j] ** 2
    return s


@case(X, 0)
def zero_trip_loop(x, n):
    y = x
    for _ in range(n):
        y = y * x
    return np.sum(y * x)


@case(X, 0)
def zero_trip_loop_that_records(x, n):
    s = 1.0
    for i in range(n):
        s = np.sin(s) * x[i]
    return s + x[0] ** 2


@case(X)
def loop_variable_after_the_loop(x):
    for i in range(len(x)):
        pass
    return x[i] ** 2


@case(X)
def loop_item_after_the_loop(x):
    s = 0.0
    for v in x:
        s += v
    return s * v


@case(X, 3)
def index_after_a_break(x, n):
    for i in range(n):
        if x[i] < 0.0:
            break
    return x[i] ** 3 + np.sum(x)


@case(X, True)
def defined_in_one_branch_and_taken(x, flag):
    if flag:
        y = x * 2.0
    return np.sum(y**2)


@case(X)
def defined_in_one_branch_of_a_value(x):
    if x[0] > 0:
        scale = x[1]
    if x[0] > 0:
        return np.sum(x) * scale
    return np.sum(x)


@case(X)
def defined_in_the_loop_only(x):
    for i in range(3):
        y = x[i] ** 2
    return y * x[0]


@case(0.8)
def condition_is_read_again_after_a_change(x):
    y = x
    if y < 1.0:
        y = y + 1.0
    if y < 1.0:
        y = y * 100.0
    else:
        y = y**2
    return y


@case(X)
def condition_on_an_array_overwritten_later(x):
    y = x.copy()
    big = y[0] > 0.5
    y[0] = -5.0 * x[1]
    if big:
        return np.sum(y * y)
    return np.sum(y)


@case(0.4)
def chained_comparison(x):
    if 0.0 < x < 1.0:
        return x**3
    return -x


@case(0.4, 1.8)
def chained_comparison_of_three(x, y):
    return x * y if -1.0 <= x < y <= 2.0 else x + y


@case(0.4, -0.5)
def and_or_not(x, y):
    if (x > 0 and y < 0) or not x < 5:
        return x * y
    return x + y


@case(0.4, 1.5)
def or_gives_the_first_true_value(x, y):
    z = x or y
    return z**2 + y


@case(0.0, 1.5)
def or_gives_the_second_value(x, y):
    z = x or y
    return z**2


@case(0.4, 1.5)
def and_gives_the_last_value(x, y):
    z = x and y
    return z**3 + x


@case(X, 4)
def short_circuit_guards_an_index(x, i):
    if i < len(x) and x[i] > 0:
        return x[0] ** 2
    return x[1] ** 2


@case(X)
def walrus_in_a_condition(x):
    if (s := np.sum(x)) > 0:
        return s**2
    return s


@case(1.3)
def walrus_in_a_while(x):
    y = x
    while (y := y * x) < 5.0:
        pass
    return y


@case(X)
def walrus_in_a_comprehension(x):
    parts = [last := v**2 for v in (x[0], x[1])]
    return parts[0] + 2.0 * last


@case(X, "square")
def match_on_a_string(x, kind):
    match kind:
        case "cube":
            return np.sum(x**3)
        case "square":
            return np.sum(x**2)
        case _:
            return np.sum(x)


@case(X, 2)
def match_on_an_integer(x, n):
    match n:
        case 0 | 1:
            return np.sum(x)
        case 2:
            return np.sum(x**2)
        case _:
            return np.sum(x**3)


@case(X, ("scale", 3.0))
def match_on_a_tuple(x, option):
    match option:
        case ("shift", by):
            return np.sum((x + by) ** 2)
        case ("scale", by):
            return np.sum((x * by) ** 2)


@case(X, None)
def match_on_none_with_a_guard(x, mode):
    match mode:
        case None if len(x) > 2:
            return np.sum(x**2)
        case None:
            return np.sum(x)


@case(X)
def assert_holds(x):
    assert np.all(np.isfinite(x)), "finite"
    assert x.shape == (3,)
    return np.sum(x**2)


@case(X)
def with_errstate(x):
    with np.errstate(divide="ignore", invalid="ignore"):
        y = np.log(np.abs(x)) / x
    return np.sum(y)


@case(X, {"scale": 2.0}, refused="`try`")
def try_except_around_inactive_code(x, options):
    try:
        shift = options["shift"]
    except KeyError:
        shift = 1.0
    return np.sum((x + shift) ** 2)


@case(X, refused="`try`")
def try_finally(x):
    y = x
    try:
        y = y * 2.0
    finally:
        y = y + 1.0
    return np.sum(y**2)


@case(X)
def raise_that_is_not_reached(x):
    if x.ndim != 1:
        raise ValueError("a vector is needed")
    return np.sum(x**2)


@case(X)
def raise_under_a_run_time_condition(x):
    if np.any(x > 100.0):
        raise ValueError("too large")
    return np.sum(x**2)


@case(X)
def del_a_name(x):
    y = x * 2.0
    z = y * y
    del y
    return np.sum(z)


@case(2.0, 5)
def recursive_power(x, n):
    def power(n):
        return 1.0 if n == 0 else x * power(n - 1)

    return power(n)


def _factorial_series(x, k):
    if k > 6:
        return 1.0
    return 1.0 + x / k * _factorial_series(x, k + 1)


@case(0.7)
def recursion_with_a_static_depth(x):
    return _factorial_series(x, 1)


def _collatz(x, n):
    if n == 1:
        return x
    if n % 2 == 0:
        return _collatz(x * 0.5, n // 2)
    return _collatz(x * x + 0.1, 3 * n + 1)


@case(0.9, 6)
def recursion_with_an_integer_argument(x, n):
    return _collatz(x, n)


def _is_even(x, n):
    return x if n == 0 else _is_odd(x * 1.5, n - 1)


def _is_odd(x, n):
    return -x if n == 0 else _is_even(x**2, n - 1)


@case(0.9, 4)
def mutual_recursion(x, n):
    return _is_even(x, n)


def _until_small(x):
    if x < 0.1:
        return x * x
    return _until_small(x * 0.5) + x


@case(1.9)
def recursion_over_a_value(x):
    return _until_small(x)


def _tree_sum(x):
    if len(x) == 1:
        return x[0] ** 2
    middle = len(x) // 2
    return _tree_sum(x[:middle]) + _tree_sum(x[middle:])


@case(Z)
def divide_and_conquer(z):
    return _tree_sum(z)


@case(X, lambda v: v**3)
def callback_as_an_argument(x, f):
    return np.sum(f(x))


@case(X)
def lambda_with_a_closure(x):
    scale = x[0]
    f = lambda v: v * scale
    return f(x[1]) + f(x[2]) ** 2


@case(X)
def nested_function_over_active_values(x):
    s = np.sum(x)

    def inner(v):
        return v * s + x[0]

    return inner(x[1]) * inner(2.0)


@case(X)
def nested_function_sees_later_values(x):
    s = x[0]

    def inner():
        return s * x[1]

    s = x[2] ** 2
    return inner()


@case(X)
def nonlocal_counter(x):
    total = 0.0

    def add(v):
        nonlocal total
        total = total + v**2

    add(x[0])
    add(x[1])
    return total


def _doubled(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return 2.0 * function(*args, **kwargs)

    return wrapper


@_doubled
def _square_sum(x, power=2):
    return np.sum(x**power)


@case(X)
def decorator_that_wraps(x):
    return _square_sum(x) + _square_sum(x, power=3)


@case(X)
def partial_function(x):
    f = functools.partial(np.power, 2.0)
    g = functools.partial(_square_sum, power=4)
    return np.sum(f(x)) + g(x)


@functools.lru_cache
def _weight(n):
    return 1.0 / (1 + n)


@case(X)
def lru_cache_on_inactive_values(x):
    s = 0.0
    for i in range(3):
        s += _weight(i) * x[i] ** 2
    return s


@case(X)
def conditional_expression_of_arrays(x):
    y = x * 2.0 if x[0] > 0 else x**2
    return np.sum(y * x)


@case(X)
def elif_chain(x):
    s = np.sum(x)
    if s < 0:
        y = x
    elif s < 1.0:
        y = x**2
    elif s < 2.0:
        y = x**3
    else:
        y = x**4
    return np.sum(y)


@case(X, 4)
def branch_inside_a_loop(x, n):
    y = x
    for i in range(n):
        if np.sum(y) > 1.0:
            y = y * 0.5
        else:
            y = y + x
    return np.sum(y**2)


@case(X, 4)
def loop_inside_a_branch(x, n):
    y = x
    if x[0] > 0:
        for _ in range(n):
            y = np.sin(y)
    return np.sum(y)


@case(X, 5)
def alternating_state(x, n):
    a, b = x[0], x[1]
    for i in range(n):
        a, b = b, a * b + x[2]
    return a + b


@case(Y)
def loop_over_a_reversed_array(y):
    s = 0.0
    for v in reversed(y):
        s = s * y[0] + v
    return s


@case(Z, 2)
def range_with_start_stop_step(z, step):
    s = 0.0
    for i in range(1, len(z), step):
        s += z[i] * z[i - 1]
    return s


@case(Z)
def range_downwards(z):
    s = 0.0
    for i in range(len(z) - 1, -1, -1):
        s = s * 0.5 + z[i] ** 2
    return s


@case(Z)
def two_loops_one_variable(z):
    s = 0.0
    for i in range(3):
        s += z[i] ** 2
    for i in range(3, 6):
        s *= z[i]
    return s


@case(2.5, 3)
def while_with_two_variables(x, n):
    a, k = x, 0
    while k < n and a > 1.0:
        a = np.sqrt(a) * 1.1
        k += 1
    return a * k


@case(X)
def pass_and_docstring(x):
    """A docstring."""
    if x[0] > 5:
        pass
    return np.sum(x * x)


@case(X)
def early_return_of_nothing_else(x):
    if np.sum(x) < -100:
        return 0.0
    return np.sum(x**2)


@case(X)
def return_in_both_branches(x):
    if x[0] > 0:
        return np.sum(x**2)
    else:
        return np.sum(x)


@case(X)
def nested_early_returns(x):
    if x[0] > 0:
        if x[1] > 0:
            return x[0]
        y = x[1] * 2
    else:
        y = x[2]
    return y * y


@case(X, refused="no.*return|None|returns nothing|number")
def missing_return(x):
    np.sum(x)


@case(X, refused="yield|generator")
def yields(x):
    yield np.sum(x)


@case(X, refused="global")
def writes_a_global(x):
    global _written
    _written = np.sum(x)
    return _written * 2.0

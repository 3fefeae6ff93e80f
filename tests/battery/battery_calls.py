"""Calls: helpers, defaults, closures, callables in containers, functions of other libraries, inactive calls."""

import functools
import logging
import math
import operator
import time

import numpy as np
from cases import Battery, M, S, X, Y, Z

case = Battery()


def _affine(x, w=2.0, b=1.0):
    return x * w + b


@case(X)
def helper_with_defaults(x):
    return np.sum(_affine(x) ** 2)


@case(X)
def helper_with_keywords(x):
    return np.sum(_affine(b=x, x=x**2))


@case(X)
def helper_called_many_times(x):
    y = x
    for _ in range(4):
        y = _affine(y, 0.5)
    return np.sum(_affine(y) * _affine(x, x))


def _block(x, w):
    h = np.tanh(w @ x)
    h = h - np.mean(h)
    h = h / np.sqrt(np.mean(h * h) + 0.1)
    h = h * np.exp(-h * h)
    return x + h


@case(X, S)
def large_helper_called_often(x, s):
    y = _block(x, s)
    y = _block(y, s.T)
    y = _block(y, s)
    return np.sum(y**2)


@case(X, S, 3)
def large_helper_in_a_dynamic_loop(x, s, n):
    for _ in range(n):
        x = _block(x, s)
    return np.sum(x**2)


def _rk4(f, y, t, h):
    k1 = f(y, t)
    k2 = f(y + 0.5 * h * k1, t + 0.5 * h)
    k3 = f(y + 0.5 * h * k2, t + 0.5 * h)
    k4 = f(y + h * k3, t + h)
    return y + h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)


@case(0.8, np.array([1.0, 0.0]), 5)
def integrator_with_a_callback(k, y, n):
    def pendulum(y, t):
        return np.array([y[1], -k * np.sin(y[0])])

    for i in range(n):
        y = _rk4(pendulum, y, 0.1 * i, 0.1)
    return np.sum(y**2)


@case(X)
def functions_in_a_list(x):
    for f in [np.sin, np.exp, _affine, lambda v: v * x[0]]:
        x = f(x)
    return np.sum(x)


@case(X, "cube")
def functions_in_a_dict(x, kind):
    table = {"square": lambda v: v**2, "cube": lambda v: v**3}
    return np.sum(table[kind](x))


@case(X)
def two_lambdas_on_one_line(x):
    f, g = (lambda v: v * 2.0 + x[0]), (lambda v: v**2 * x[1])
    return np.sum(f(g(x)))


@case(X)
def lambdas_that_share_a_loop_variable(x):
    fs = []
    for k in (1, 2, 3):
        fs.append(lambda v: v**k)
    return np.sum(fs[0](x))


@case(X)
def lambdas_that_bind_a_loop_variable(x):
    fs = [lambda v, k=k: v**k for k in (1, 2, 3)]
    return np.sum(fs[0](x) * fs[2](x))


def _make_power(n):
    def power(x):
        return x**n

    return power


@case(X)
def function_factory(x):
    return np.sum(_make_power(3)(x) + _make_power(2)(x))


def _compose(*functions):
    return functools.reduce(lambda f, g: lambda v: g(f(v)), functions)


@case(X)
def composition_by_reduce(x):
    return np.sum(_compose(np.tanh, np.exp, _affine)(x))


@case(X)
def functools_reduce(x):
    return functools.reduce(lambda a, b: a * b + 1.0, [x[0], x[1], x[2]])


@case(X)
def operator_module(x):
    return operator.mul(x[0], operator.add(x[1], x[2])) ** 2


@case(0.7, 1.9)
def math_module(x, y):
    return math.exp(x) * math.sin(y) + math.sqrt(y) * math.pow(x, 3) + math.atan2(y, x) + math.log(y, 10)


@case(0.7)
def math_constants_and_checks(x):
    if math.isnan(x) or math.isinf(x):
        return x
    return x**2 * math.pi + math.tau * x + math.e


@case(X)
def abs_pow_round_divmod(x):
    return abs(x[1]) * pow(x[0], 2) + round(2.6) * x[2]


@case(X)
def float_of_an_element(x):
    return float(x[0]) * 2.0 + float(np.sum(x)) ** 2


@case(X)
def numpy_scalar_constructor(x):
    return np.float64(x[0]) ** 2 + np.float64(3.0) * x[1]


@case(X, refused="getLogger")  # the type of what it returns is not known; a logger made outside passes through
def logging_and_printing(x):
    y = x**2
    logging.getLogger("battery").debug("sum %s", y.sum())
    return np.sum(y)


@case(X)
def a_clock_that_does_not_matter(x):
    start = time.perf_counter()
    y = np.sum(x**2)
    elapsed = time.perf_counter() - start
    assert elapsed >= 0.0
    return y


@case(X)
def random_numbers_from_a_seeded_generator(x):
    rng = np.random.default_rng(3)
    noise = rng.normal(size=3)
    return np.sum((x + noise) ** 2)


@case(X)
def random_state_of_the_old_kind(x):
    rng = np.random.RandomState(0)
    return np.sum(x * rng.rand(3))


@case(Z)
def numpy_submodules(z):
    return np.linalg.norm(z) + np.sum(np.abs(np.fft.rfft(z)) ** 2)


@case(X, Y)
def helper_with_star_args(x, y):
    def total(*args, scale=1.0):
        return scale * sum(np.sum(a**2) for a in args)

    return total(x, y, scale=2.0) + total(x)


@case(X)
def helper_that_returns_several(x):
    def moments(v):
        m = np.mean(v)
        return m, np.mean((v - m) ** 2)

    mean, variance = moments(x)
    return mean * variance


@case(X)
def helper_that_returns_a_dict(x):
    def parts(v):
        return {"sum": np.sum(v), "square": np.sum(v**2)}

    p = parts(x)
    return p["sum"] * p["square"]


@case(X)
def helper_that_returns_early(x):
    def clip(v):
        if v < 0:
            return 0.0 * v
        return v**2

    return clip(x[0]) + clip(x[1]) * clip(x[2])


def _with_mutable_default(v, seen=[1.0]):  # noqa: B006
    return v * len(seen)


@case(X)
def mutable_default_that_is_read(x):
    return np.sum(_with_mutable_default(x) ** 2)


def _logged(function):
    def wrapper(*args):
        result = function(*args)
        return result + 0.0

    return wrapper


@_logged
@functools.cache
def _constant_table(n):
    return float(n) * 0.5


@case(X)
def stacked_decorators(x):
    return np.sum(x**2) * _constant_table(3)


class Registry:
    functions = {}

    @classmethod
    def register(cls, function):
        cls.functions[function.__name__] = function
        return function


@Registry.register
def _registered(x):
    return x**3


@case(X)
def function_from_a_registry(x):
    return np.sum(Registry.functions["_registered"](x))


@case(X, np.sin)
def ufunc_as_an_argument(x, f):
    return np.sum(f(x) * x)


@case(X, (np.sin, np.cos))
def functions_in_a_tuple_argument(x, fs):
    return np.sum(fs[0](x) * fs[1](x))


@case(M)
def apply_over_rows(m):
    return sum(np.dot(row, row) for row in m)


@case(X)
def vectorised_by_hand(x):
    f = lambda v: v**2 if v > 0 else -v
    return np.sum(np.array([f(v) for v in (x[0], x[1], x[2])]))


@case(X)
def keyword_expansion_of_a_dict(x):
    options = {"axis": 0, "keepdims": True}
    return np.sum(np.sum(x**2, **options))


@case(X, refused="srcgrad.rule|source|derivative")
def function_without_source_or_rule(x):
    return operator.methodcaller("sum")(x**2)


@case(X, refused="eval|source|exec")
def eval_is_refused(x):
    return eval("np.sum(x ** 2)")

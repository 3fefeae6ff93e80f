"""NumPy and math functions as users call them: the emitted gradient against finite differences."""

import math

import numpy as np
import pytest
from agreement import check

from srcgrad import CompileError, grad, value_and_grad

X = np.array([0.3, 1.2, 2.1, 0.7])
RNG = np.random.default_rng(0)
M, N = RNG.uniform(0.5, 1.5, (3, 4)), RNG.uniform(0.5, 1.5, (3, 4))
C, D = RNG.uniform(0.5, 1.5, (3, 2)), RNG.uniform(0.5, 1.5, (2, 3))

CALLS = {
    "vecdot with itself, whose cotangent is a Python number": (lambda x: np.vecdot(x, x), X),
    "concatenate to a dtype": (lambda x: np.sum(np.concatenate([x, x], dtype=np.float64) ** 2), X),
    "stack by a casting": (lambda x: np.sum(np.stack([x, 2 * x], casting="same_kind") ** 2), X),
    "hstack to a dtype": (lambda x: np.sum(np.hstack([x, x], dtype=np.float64) ** 2), X),
    "reshape in order F": (lambda m: np.sum(np.reshape(m, (4, 3), order="F") @ np.ones(3) * np.arange(4)), M),
    "method reshape in order F": (lambda m: np.sum(m.reshape((4, -1), order="F")[:, 0] ** 2), M),
    "there in order F and back in C": (lambda m: np.sum(m.reshape((4, 3), order="F").reshape((3, 4)) * N), M),
    "ravel in order F": (lambda m: np.sum(np.ravel(m, order="F") * np.arange(12)), M),
    "flatten in order F": (lambda m: np.sum(m.flatten("F") * np.arange(12)), M),
    "cross along different axes": (lambda c, d: np.sum(np.cross(c, d, axisa=0, axisb=1, axisc=0) * C), C, D),
    "linspace with its step": (lambda a, b: np.sum(np.linspace(a, b, 5, retstep=True)[0] ** 2), 1.3, 2.2),
    "the step of linspace": (lambda a, b: np.linspace(a, b, 5, retstep=True)[1] ** 2, 1.3, 2.2),
    "points on a circle": (lambda x: np.sum(np.interp(x, [0.0, 1.1, 2.3], [1.0, 3.0, 2.0], period=3.0)), X),
    "values on a circle": (lambda x: np.sum(np.interp([0.2, 1.7, 5.3], [0.0, 1.1, 2.3, 2.6], x, period=3.0)), X),
    "lexsort": (lambda x: np.sum(x[np.lexsort((x,))][:2] ** 2), X),
    "unravel_index": (lambda m: m[np.unravel_index(np.argmax(m), m.shape)] ** 2, M),
    "ix_": (lambda m: np.sum(m[np.ix_([0, 2], [1, 3])] ** 2), M),
    "histogram": (lambda x: np.sum(x**2 * np.histogram(x, bins=4, range=(0.0, 3.0))[0]), X),
    "windows": (lambda x: np.sum(x**2 * np.hanning(4) * np.hamming(4) + x * np.blackman(4) * np.bartlett(4)), X),
    "unique labels": (lambda x: np.sum(x**2 * np.unique(np.array([3, 1, 3, 2]), return_inverse=True)[1]), X),
    "math.fsum": (lambda a, b: math.fsum([a, b, a * b]), 1.3, 2.2),
    "math.dist": (lambda a, b: math.dist([a, b], [b, 2 * a]), 1.3, 2.2),
    "math.hypot of three": (lambda a, b: math.hypot(a, b, a * b), 1.3, 2.2),
    "math.hypot of one": (lambda a: math.hypot(a) ** 2, 1.3),
    "math.modf": (lambda a: math.modf(a)[0] ** 2 * math.modf(a)[1], 1.3),
    "math.frexp": (lambda a: math.frexp(a)[0] ** 2 * math.frexp(a)[1], 3.3),
    "math.ldexp": (lambda a: math.ldexp(a, 2) ** 2, 1.3),
    "math of integers": (lambda a: a * math.comb(4, 2) + a * math.isqrt(10) + math.factorial(4) * a, 1.3),
    "piecewise": (lambda x: np.sum(np.piecewise(x, [x < 1, x >= 2], [lambda t: t**2, lambda t: 3 * t, 0.5])), X),
    "piecewise with what is left": (lambda x: np.sum(np.piecewise(x, [x < 1], [0.5, lambda t: 3 * t]) ** 2), X),
    "block": (lambda m, n: np.sum(np.block([[m, n], [2 * n, m]]) ** 2), M, N),
    "block of vectors and numbers": (lambda x: np.sum(np.block([x, 2.0, x]) ** 2), X),
    "r_": (lambda x: np.sum(np.r_[x, 0.0, 1:3, 2 * x] ** 2 * np.arange(11)), X),
    "c_ of vectors": (lambda x: np.sum(np.c_[x, 2 * x] ** 2), X),
    "c_ of matrices": (lambda m, n: np.sum(np.c_[m, n] ** 3), M, N),
    "apply_along_axis": (lambda m: np.sum(np.apply_along_axis(lambda v: v * np.sum(v), 1, m) ** 2), M),
    "apply_along_axis of columns": (lambda m: np.sum(np.apply_along_axis(lambda v: v * v[0], 0, m) * N), M),
    "apply_along_axis to numbers": (lambda m: np.sum(np.apply_along_axis(np.sum, 0, m) ** 2), M),
    "apply_over_axes": (lambda m: np.sum(np.apply_over_axes(np.sum, m, [0, 1]) ** 2), M),
    "np.astype": (lambda x: np.sum(np.astype(x, np.float64) ** 2), X),
    "math.prod": (lambda a, b: math.prod([a, b, a], start=2.0), 1.3, 2.2),
    "math.log to a base": (lambda a, b: math.log(a, b) + math.log(a, 10) + math.log(b), 1.3, 2.2),
    "np.i0": (lambda x: np.sum(np.i0(x)), X),
    "math.gamma": (lambda a: math.gamma(a) * math.lgamma(a), 1.3),
}


def single(x):
    return x.astype(np.float32) if isinstance(x, np.ndarray) else x


@pytest.mark.parametrize("name", CALLS)
def test_value_is_that_of_a_plain_call(name):
    """Bit for bit, of the same dtype, in single precision too."""
    if name in ("np.i0", "math.gamma"):
        pytest.importorskip("scipy")
    function, *double = CALLS[name]
    for args in (double, [*map(single, double)]):
        value, expected = value_and_grad(function)(*args)[0], function(*args)
        assert np.asarray(value).dtype == np.asarray(expected).dtype
        assert value == expected


@pytest.mark.parametrize("name", CALLS)
def test_gradient(name):
    if name in ("np.i0", "math.gamma"):
        pytest.importorskip("scipy")
    function, *args = CALLS[name]
    check(function, *args)


REFUSED = {
    "how many elements it leaves out": (lambda x: np.sum(np.unique(x) ** 2), X),
    "Slice the array": (lambda x: np.sum(np.trim_zeros(x) ** 2), X),
    "Give it a number of `bins=` and a `range=`": (lambda x: np.sum(x) * np.histogram(x, 3)[0][0], X),
    "goes by the layout of the memory": (lambda m: np.sum(np.ravel(m, order="K") * np.arange(12)), M),
}


@pytest.mark.parametrize("message", REFUSED)
def test_refusal(message):
    function, *args = REFUSED[message]
    with pytest.raises(CompileError, match=message):
        grad(function)(*args)

"""NumPy's functions that write: `out=`, ufunc.at, copyto, put, fill, sort; and the views that one can write through."""

import numpy as np
import pytest
from agreement import check

from srcgrad import CompileError, grad

pytestmark = pytest.mark.quick

X, Y, ORDER = np.array([0.5, -1.5, 2.0]), np.array([1.0, 2.0, -0.5]), np.array([1, 1, 0])
W = np.arange(12.0).reshape(4, 3) / 7.0 + 0.1


def ufuncs_into(x, y):
    a = x * y
    np.multiply(a, x, out=a)
    np.add(a, y, a)
    np.sin(a, out=a)
    np.maximum(x, 0.0, out=a, where=x < 1)
    np.exp(a[1:], out=a[:-1])
    return np.sum(a * y)


def accumulated_into(x):
    a = np.zeros_like(x)
    for _ in range(4):
        np.multiply(a, 0.5, out=a)
        np.add(a, x, out=a)
    return np.sum(a**2)


def functions_into(w):
    a = np.zeros(3)
    np.sum(w, axis=0, out=a)
    b = np.empty((4, 4))
    np.matmul(w, w.T, out=b)
    np.clip(b, 0.2, 2.0, out=b)
    np.cumsum(b, axis=0, out=b)
    w.mean(axis=0, out=a)
    return np.sum(a**2) + np.sum(b**2)


def unbuffered(x, order, y):
    a = x.copy()
    np.add.at(a, order, y)
    np.subtract.at(a, order, y * x)
    np.multiply.at(a, order, y)
    np.maximum.at(a, order, y * 2)
    np.add.at(a, [0, 0], 2.0)
    np.multiply.at(a, order, 2.0)
    return np.sum(a**2)


def diagonals(w, y):
    w = w[:3].copy()
    np.fill_diagonal(w, 0.0)
    np.fill_diagonal(w, y)
    return np.sum(w**2 * np.arange(3))


def sorted_filled_copied_put(x, y):
    a = x * y
    a.sort()
    b = np.zeros(3)
    b.fill(x[0])
    c = np.zeros_like(x)
    np.copyto(c, x)
    np.copyto(c, y * x, where=x > 0)
    np.put(c, [0, 2], [x[1], 3.0])
    np.put(c, [1], y[0])
    np.place(a, a > 1, y[1])
    np.putmask(b, x > 0, y)
    np.putmask(b, x > 1, 7.0)
    c.put([1], x[2])
    return np.sum(a * np.array([1.0, 2.0, 3.0])) + np.sum(b**2) + np.sum(c * b)


def flat_iterators(w):
    w.flat[3] = w.flat[0] * w[1, 2]
    w.flat[::5] *= 2.0
    w.T.flat[1:3] = w[0, :2]
    w.flat[[0, 0]] = w[2, :2]
    return np.sum(w**2 * np.arange(3)) + np.sum(w.flat[2:5])


def an_array_without_axes(x):
    t = np.array(0.0)
    s = t
    for v in x:
        t += v**2
    u = x[1]
    return s * u


def a_view_without_axes(x):
    z = x[0, ...]
    z += 1.0
    x[0] *= 2
    return z * x[0]


def permuted_views(w):
    t = w.T
    t[0] = t[1] * 2
    w[1] += 1
    s = np.swapaxes(w, 0, 1)
    s[2, :] = s[0]
    f = np.flip(w, 0)
    f[0] = 5 * w[1]
    e = w[:, None]
    e[0, 0, 1] = w[3, 2]
    q = np.squeeze(w[:1])
    q[0] = q[1]
    m = np.moveaxis(w, 0, 1)
    m *= 2.0
    return np.sum(t**2) + np.sum(w * np.arange(3))


def integer_and_boolean_arrays(x):
    n = np.zeros(3, dtype=int)
    n[1] = 4
    n += 2
    f = np.zeros(3, dtype=np.float32)
    f[:] = x
    f += x * 1e-3 * 0
    k = np.zeros(3, dtype=bool)
    k[0] = True
    return np.sum(x * n) + np.sum(x[k] * 2)


CASES = [
    (
        ufuncs_into,
        (
            X,
            Y,
        ),
    ),
    (accumulated_into, (X,)),
    (functions_into, (W,)),
    (
        unbuffered,
        (
            X,
            ORDER,
            Y,
        ),
    ),
    (
        diagonals,
        (
            W,
            Y,
        ),
    ),
    (
        sorted_filled_copied_put,
        (
            X,
            Y,
        ),
    ),
    (flat_iterators, (W,)),
    (an_array_without_axes, (X,)),
    (a_view_without_axes, (X,)),
    (permuted_views, (W,)),
    (integer_and_boolean_arrays, (X,)),
]


@pytest.mark.parametrize(("loss", "args"), CASES, ids=[loss.__name__ for loss, _ in CASES])
def test_as_numpy_does_it(loss, args):
    check(loss, *args)


def layout_unknown(w):
    y = w * 2.0  # in the order of w's memory
    y.ravel()[0] = 1.0
    return np.sum(y)


def read_only(w):
    y = w * 2.0
    np.diagonal(y)[0] = 1.0
    return np.sum(y)


def conjugated(w):
    y = w * 2.0
    y.conj()[0] = 1.0
    return np.sum(y)


REFUSED = [
    (layout_unknown, "may share its memory with"),
    (read_only, "np.diagonal gives a view that cannot be written to"),
    (conjugated, "may share its memory"),
]


@pytest.mark.parametrize(("loss", "message"), REFUSED, ids=[loss.__name__ for loss, _ in REFUSED])
def test_what_is_refused(loss, message):
    with pytest.raises(CompileError, match=message):
        grad(loss)(W)

"""Hooks: the cotangent of a value, looked at or altered in the backward sweep."""

import numpy as np
import pytest
from agreement import check

from srcgrad import grad, hessian, hook, jvp
from srcgrad.errors import CompileError

pytestmark = pytest.mark.quick
X = np.array([0.3, -1.2, 2.0])
SEEN = []


def keep(d):
    SEEN.append(d.copy())


def clip(d):
    return np.clip(d, -1.0, 1.0)


def test_a_function_without_return_looks():
    def loss(x):
        y = hook(np.sin(x), keep)
        return np.sum(3 * y)

    SEEN.clear()
    gradient = grad(loss)
    np.testing.assert_allclose(gradient(X), 3 * np.cos(X))
    np.testing.assert_array_equal(SEEN, [[3.0, 3.0, 3.0]])
    assert "\n    keep(np.full_like(x, 3.0))\n" in gradient.source


def test_a_function_that_returns_alters():
    def loss(x):
        y = hook(np.sin(x), clip)
        return np.sum(3 * y)

    gradient = grad(loss)
    np.testing.assert_allclose(gradient(X), np.cos(X))
    assert "clip(" in gradient.source


def test_a_lambda_prints(capsys):
    def loss(x):
        y = hook(x**2, lambda d: print("d_y is", d))
        z = hook(y * x, print)
        return z + y

    assert grad(loss)(2.0) == 16.0
    assert capsys.readouterr().out == "1.0\nd_y is 3.0\n"


def test_a_hook_in_a_loop_is_called_in_every_pass():
    def loss(x, n):
        for _ in range(n):
            x = hook(np.sin(x), keep)
        return np.sum(x)

    SEEN.clear()
    gradient = check(loss, X, 3, wrt=(0,))
    SEEN.clear()
    gradient(X, 3)
    assert len(SEEN) == 3


def test_what_a_hook_keeps_stays_as_it_was():
    kept = []

    def hold(d):
        kept.append(d)

    def loss(x, n):
        y = x * 2
        for _ in range(n):
            y = hook(1.5 * y, hold)
        return np.sum(y**2)

    gradient = check(loss, X, 3, wrt=(0,))
    kept.clear()
    gradient(X, 3)
    assert len({tuple(d) for d in kept}) == 3
    assert len({d.ctypes.data for d in kept}) == 3


def test_values_and_tangents_pass():
    def loss(x):
        return np.sum(hook(x, clip) ** 2)

    assert hook(3.0, clip) == 3.0
    assert jvp(loss, (X,), (X,)) == (np.sum(X**2), 2 * np.sum(X**2))


def test_a_hook_that_looks_leaves_second_derivatives():
    def loss(x):
        return np.sum(hook(x, keep) ** 3)

    np.testing.assert_allclose(hessian(loss)(X), np.diag(6 * X))


def test_a_hook_that_alters_has_no_second_derivative():
    def loss(x):
        return np.sum(hook(x, clip) ** 3)

    with pytest.raises(CompileError, match=r"(?s)`clip` is called as it stands.*hook\(x, clip\)"):
        hessian(loss)(X)


def test_what_cannot_be_hooked():
    def text(x):
        hook("x", clip)
        return x

    def nothing(x):
        return hook(x)

    def shape(x):
        return np.sum(hook(x, lambda d: np.sum(d)))

    for loss, message in ((text, "a hook on a string"), (nothing, "takes a value"), (shape, "of another shape")):
        with pytest.raises(CompileError, match=message) as caught:
            grad(loss)(X)
        assert "test_hooks.py" in str(caught.value)

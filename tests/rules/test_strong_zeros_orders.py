"""Masked infinities and nans do not leak: in reverse mode, in forward mode, and into the second derivative."""

import numpy as np
import pytest

from srcgrad import grad, hvp, jvp

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy computes both sides of np.where
ROOT = [0.0, 4.0], [0.0, 0.25], [0.0, -1 / 32]
LOG = [0.0, 4.0], [0.0, 0.25], [0.0, -1 / 16]
RECIPROCAL = [0.0, 2.0], [0.0, -0.25], [0.0, 0.25]
FLAT = [0.0, 0.0]


def cleared(x):
    y = np.sqrt(x)
    y[x <= 0] = 0.0
    return np.sum(y)


# What it is about: the loss, x, its gradient, the gradient of the gradient's sum
MASKED = {
    "where": (lambda x: np.sum(np.where(x > 0, np.sqrt(x), 0.0)), *ROOT),
    "where of a quotient": (lambda x: np.sum(np.where(x != 0, 1 / x, 0.0)), *RECIPROCAL),
    "where of a quotient of itself": (lambda x: np.sum(np.where(x != 0, x / x, 0.0)), [0.0, 2.0], FLAT, FLAT),
    "where of log1p": (lambda x: np.sum(np.where(x > -1, np.log1p(x), 0.0)), [-1.0, 1.0], [0.0, 0.5], [0.0, -0.25]),
    "where of arccos": (
        lambda x: np.sum(np.where(np.abs(x) < 1, np.arccos(x), 0.0)), [1.0, 0.0], [0.0, -1.0], [0.0, 0.0],
    ),
    "where of a power": (lambda x: np.sum(np.where(x > 0, x**0.5, 0.0)), *ROOT),
    "where of arctan2": (lambda x: np.sum(np.where(x > 0, np.arctan2(x, x), 0.0)), [0.0, 4.0], FLAT, FLAT),
    "where in where": (lambda x: np.sum(np.where(x > 0, np.where(x < 9, np.sqrt(x), 0.0), 0.0)), *ROOT),
    "x log x": (lambda x: np.sum(np.where(x > 0, x * np.log(x), 0.0)), [0.0, 1.0], [0.0, 1.0], [0.0, 1.0]),
    "mask as an index": (lambda x: np.sum(np.log(x)[x > 0]), *LOG),
    "mask as a factor": (lambda x: np.sum((x > 0) * np.sqrt(x)), *ROOT),
    "mask written": (cleared, *ROOT),
    "select": (lambda x: np.sum(np.select([x > 0], [np.sqrt(x)], 0.0)), *ROOT),
    "piecewise": (lambda x: np.sum(np.piecewise(x, [x > 0], [np.sqrt, 0.0])), *ROOT),
    "nansum": (lambda x: np.nansum(np.where(x > 0, np.log(x), np.nan)), *LOG),
    "nan_to_num": (lambda x: np.sum(np.nan_to_num(np.log(x), neginf=0.0)), *LOG),
    "sum(where=)": (lambda x: np.sum(np.sqrt(x), where=x > 0), *ROOT),
    "mean(where=)": (lambda x: np.mean(np.sqrt(x), where=x > 0), *ROOT),
    "prod(where=)": (lambda x: np.prod(np.sqrt(x), where=x > 0), *ROOT),
    "divide(out=, where=)": (
        lambda x: np.sum(np.divide(1.0, x, out=np.zeros_like(x), where=x != 0)), *RECIPROCAL,
    ),
    "sqrt(out=, where=)": (lambda x: np.sum(np.sqrt(x, out=np.zeros_like(x), where=x > 0)), *ROOT),
    "the larger": (lambda x: np.max(np.sqrt(x)), *ROOT),
    "clip": (lambda x: np.sum(np.clip(np.sqrt(x), 1.0, None)), *ROOT),
    "sort": (lambda x: np.sort(np.sqrt(x))[1], *ROOT),
    "take": (lambda x: np.sum(np.take(np.sqrt(x), [1])), *ROOT),
    "compress": (lambda x: np.sum(np.compress([False, True], np.sqrt(x))), *ROOT),
    "diagonal": (
        lambda x: np.sum(np.diagonal(np.sqrt(x.reshape(2, 2)))),
        [1.0, 0.0, 0.0, 4.0], [0.5, 0.0, 0.0, 0.25], [-0.25, 0.0, 0.0, -1 / 32],
    ),
    "masked softmax": (
        lambda x: np.log(np.sum(np.exp(np.where(x > 0, x, -np.inf)))),
        [0.0, 1.0, 1.0], [0.0, 0.5, 0.5], [0.0, 0.0, 0.0],
    ),
    "logaddexp of nothing": (lambda x: np.logaddexp(x[0], x[1]), [-np.inf, -np.inf], FLAT, FLAT),
    "logaddexp.reduce": (lambda x: np.logaddexp.reduce(x), [-np.inf, 0.0], [0.0, 1.0], FLAT),
    "x ** 0.0": (lambda x: np.sum(x**0.0), [0.0, 2.0], FLAT, FLAT),
    "sinc": (lambda x: np.sum(np.sinc(x)), [0.0], [0.0], [-np.pi**2 / 3]),
    "product with a zero": (lambda x: np.prod(x), [0.0, 3.0, 2.0], [6.0, 0.0, 0.0], [5.0, 2.0, 3.0]),
    "deviation of equal numbers": (lambda x: np.std(x), [2.0, 2.0], FLAT, FLAT),
    "norms of rows": (
        lambda x: np.sum(np.linalg.norm(x.reshape(2, 2), axis=1)), [0.0, 0.0, 3.0, 4.0], [0.0, 0.0, 0.6, 0.8], None,
    ),
    "hypot": (lambda x: np.hypot(x[0], x[1]), FLAT, FLAT, None),  # no second derivative there: finite, no more
}  # fmt: skip


@pytest.mark.parametrize("name", MASKED)
def test_masked(name):
    loss, x, gradient, second = MASKED[name]
    x = np.array(x)
    ones = np.ones_like(x)
    np.testing.assert_allclose(grad(loss)(x), gradient, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(jvp(loss, (x,), (ones,))[1], np.sum(gradient), rtol=1e-12, atol=1e-15)
    found = hvp(loss)(x, ones)
    if second is None:
        assert np.all(np.isfinite(found))
    else:
        np.testing.assert_allclose(found, second, rtol=1e-12, atol=1e-12)

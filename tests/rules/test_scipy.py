"""SciPy's functions: at the edges of their domains, refused parameters, and nothing to pay before they are used."""

import subprocess
import sys

import numpy as np
import pytest

from srcgrad import grad
from srcgrad.errors import CompileError

pytestmark = pytest.mark.quick

linalg = pytest.importorskip("scipy.linalg")
from scipy import signal, special, stats  # noqa: E402

# Values where terms are 0 or infinite


def check(loss, x, expected, rtol=1e-13):
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(grad(loss)(np.asarray(x, dtype=float)), expected, rtol=rtol)


def test_terms_that_are_minus_infinity_have_no_share():
    check(lambda x: special.logsumexp(x), [-np.inf, 0.0, 0.0], [0.0, 0.5, 0.5])
    check(lambda x: special.logsumexp(x), [-np.inf, -np.inf], [0.0, 0.0])
    check(lambda x: np.sum(special.logsumexp(x, axis=1)), [[-np.inf, -np.inf], [0.0, 0.0]], [[0, 0], [0.5, 0.5]])
    check(lambda x: special.softmax(x)[1], [-np.inf, 0.0, 0.0], [0.0, 0.25, -0.25])
    check(lambda x: special.log_softmax(x)[1], [-np.inf, 0.0, 0.0], [0.0, 0.5, -0.5])


def test_large_terms_do_not_overflow():
    check(lambda x: special.logsumexp(x), [1000.0, 1000.0], [0.5, 0.5])
    check(lambda x: np.sum(special.log_expit(x)), [-1000.0, 0.0, 1000.0], [1.0, 0.5, 0.0])


def test_products_with_a_logarithm_are_zero_where_the_factor_is():
    def by_logarithm(y):
        return np.sum(special.xlogy(np.array([0.0, 2.0]), y))

    check(by_logarithm, [0.0, 4.0], [0.0, 0.5])
    check(lambda y: np.sum(special.xlog1py(np.array([0.0, 2.0]), y)), [-1.0, 1.0], [0.0, 1.0])
    check(lambda q: np.sum(special.rel_entr(np.array([0.0, 1.0]), q)), [0.0, 0.5], [0.0, -2.0])
    check(lambda q: np.sum(special.kl_div(np.array([0.0, 1.0]), q)), [0.0, 0.5], [1.0, -1.0])


def test_masks_keep_infinite_slopes_out():
    check(lambda p: np.sum(np.where(p > 0, special.entr(p), 0.0)), [0.0, 1.0], [0.0, -1.0])
    check(lambda p: np.sum(np.where(p > 0, special.logit(p), 0.0)), [0.0, 0.5], [0.0, 4.0])


def test_removable_singularities():
    check(lambda x: np.sum(special.j1(x)), [0.0], [0.5])
    check(lambda x: np.sum(special.i1(x)), [0.0], [0.5])
    check(lambda x: np.sum(special.spence(x)), [1.0], [-1.0])
    check(lambda x: np.sum(special.sici(x)[0]), [0.0], [1.0])
    check(lambda n: np.sum(special.boxcox(np.array([np.e]), n)), [0.0], [0.5])


def test_tails_keep_their_digits():
    """Far out the slope is that of the density over the tail: the inverse of Mills' ratio."""
    slope = 1 / (special.erfcx(40 / np.sqrt(2)) * np.sqrt(np.pi / 2))
    rounding = 4 * 800 * np.finfo(float).eps  # exp(a - b), a and b about -800, has the rounding errors of a and b
    check(lambda x: stats.norm.logsf(x), 40.0, -slope, rounding)
    check(lambda x: special.log_ndtr(x), -40.0, slope, rounding)


# Against mpmath, where SciPy's own functions are the formula's ingredients

REFERENCES = {
    "gammainc": (lambda x: special.gammainc(2.5, x), lambda m, x: m.gammainc(m.mpf("2.5"), 0, x, regularized=True)),
    "betainc": (lambda x: special.betainc(2, 3, x / 4), lambda m, x: m.betainc(2, 3, 0, x / 4, regularized=True)),
    "kv": (lambda x: special.kv(1.5, x), lambda m, x: m.besselk(1.5, x)),
    "hyp2f1": (lambda x: special.hyp2f1(1, 2, 3, x / 4), lambda m, x: m.hyp2f1(1, 2, 3, x / 4)),
    "polygamma": (lambda x: special.polygamma(2, x), lambda m, x: m.psi(2, x)),
    "zeta": (lambda x: special.zeta(3.0, x), lambda m, x: m.zeta(3, x)),
    "owens_t": (lambda x: special.erfcx(x) + special.dawsn(x), lambda m, x: m.exp(x * x) * m.erfc(x)
                + m.sqrt(m.pi) / 2 * m.exp(-x * x) * m.erfi(x)),
    "expn": (lambda x: special.expn(2, x) + special.spence(x), lambda m, x: m.expint(2, x) + m.polylog(2, 1 - x)),
}  # fmt: skip


@pytest.mark.parametrize(("ours", "theirs"), REFERENCES.values(), ids=REFERENCES)
def test_derivative_is_that_of_mpmath(ours, theirs):
    mpmath = pytest.importorskip("mpmath")
    x = 0.7
    with mpmath.workdps(40):
        expected = mpmath.diff(lambda t: theirs(mpmath, t), x)
    np.testing.assert_allclose(grad(ours)(x), float(expected), rtol=1e-12)


# Parameters and calls without a derivative

REFUSED = {
    "order of a Bessel function": (lambda x: special.jv(x, 2.0), "scipy.special.jv .* with respect to `v`"),
    "shape of an incomplete gamma function": (lambda x: special.gammainc(x, 2.0), "gammainc .* `a`"),
    "shape in a distribution function": (lambda x: stats.gamma.cdf(2.0, x), r"gamma\.cdf .* `a`"),
    "degrees of freedom": (lambda x: stats.t.cdf(1.0, x), r"t\.cdf .* `df`"),
    "real zeta function": (lambda x: special.zeta(x, 1.0), "zeta .* `x`"),
    "filter with a state": (lambda x: signal.lfilter([1.0], [1.0, 0.5], x * np.ones(3), zi=np.zeros(1))[0][0], "`zi=`"),
    "stack of matrices": (lambda x: linalg.expm(x * np.ones((2, 3, 3)))[0, 0, 0], "one matrix, not for 3 axes"),
    "structure": (
        lambda x: linalg.solve(x * np.eye(2), np.ones(2), assume_a="tridiagonal")[0],
        "assume_a='tridiagonal'",
    ),
}


@pytest.mark.parametrize(("loss", "message"), REFUSED.values(), ids=REFUSED)
def test_refused_at_the_call(loss, message):
    with pytest.raises(CompileError, match=rf"test_scipy\.py:\d+:\d+: .*{message}"):
        grad(loss)(1.5)


def test_a_frozen_distribution_is_refused():
    frozen = stats.norm(0.0, 1.0)
    with pytest.raises(CompileError, match=r"test_scipy\.py:\d+:\d+: an object of scipy"):
        grad(lambda x: frozen.logpdf(x))(1.5)


def test_constant_parameters_are_no_obstacle():
    x = np.array([0.5, 1.5])
    order = np.array([0.0, 2.0])
    found = grad(lambda x: np.sum(special.jv(order, x)))(x)
    np.testing.assert_allclose(found, special.jvp(order, x), rtol=1e-12)


# SciPy is optional

SCRIPT = """
import sys
import numpy as np
from srcgrad import grad
grad(lambda x: np.exp(x))(1.5)
print("scipy" in sys.modules, "srcgrad.rules.special" in sys.modules)
"""


@pytest.mark.parametrize(("first", "loaded"), [("", "False False"), ("import scipy.special", "True False")])
def test_scipy_and_its_rules_wait_until_they_are_used(first, loaded, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(first + SCRIPT)
    run = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == loaded


def test_constants_are_spelled_and_leave_single_precision():
    gradient = grad(lambda x: np.sum(x * special.ndtr(x)) + np.sum(x * special.erf(x)))
    assert gradient(np.ones(2, np.float32)).dtype == np.float32
    assert "math.sqrt(2 * math.pi)" in gradient.source
    assert "2 / math.sqrt(math.pi)" in gradient.source


# Decompositions and least squares

TALL, VECTOR = np.random.default_rng(0).random((4, 2)), np.arange(4.0)


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (lambda a: np.sum(linalg.eigvalsh(a.T @ a, subset_by_index=[0, 0])), "`subset_by_index=`"),
        (lambda a: np.sum(linalg.svdvals(a, overwrite_a=True)), "`overwrite_a=`"),
        (lambda a: linalg.qr(a)[1][0, 0], "one choice of many"),
        (lambda a: linalg.qr(a, mode="r")[0][0, 0], "mode='r'"),
        (lambda a: np.sum(linalg.qr(a, mode="economic", pivoting=True)[1]), "`pivoting=`"),
        (lambda a: linalg.lstsq(a, VECTOR)[1], "the residuals of scipy.linalg.lstsq"),
        (lambda a: np.sum(linalg.lstsq(a, VECTOR, cond=0.3)[0]), "cond=0.3, which cuts off more than rounding errors"),
        (lambda a: np.sum(linalg.lstsq(a, VECTOR, lapack_driver="gelsy")[0]), "`lapack_driver=`"),
        (lambda a: np.sum(np.linalg.lstsq(a, VECTOR, rcond=0.3)[0]), "rcond=0.3, which cuts off more"),
        (lambda a: np.sum(np.linalg.pinv(a, rcond=0.3)), "rcond=0.3, which cuts off more than rounding errors"),
        (lambda a: np.sum(np.linalg.pinv(a, rtol=0.3)), "rtol=0.3, which cuts off more than rounding errors"),
        (lambda a: np.sum(np.polyfit(VECTOR, a[:, 0], 2, rcond=0.3)), "rcond=0.3, which cuts off more"),
        (lambda a: np.sum(np.polyfit(a[:, 0], VECTOR, 2, rcond=0.3)), "rcond=0.3, which cuts off more"),
        (lambda a: np.sum(linalg.pinv(a, rtol=0.3)), "rtol=0.3, which cuts off more than rounding errors"),
        (lambda a: np.sum(linalg.pinv(a, atol=0.3)), "`atol=`"),
        (lambda a: np.sum(linalg.pinv(a, return_rank=True)[0]), "`return_rank=`"),
    ],
)
def test_what_is_refused_of_decompositions(loss, message):
    with pytest.raises(CompileError, match=message):
        grad(loss)(TALL)


def test_a_constant_may_be_cut_off():
    inverse = np.linalg.pinv(TALL, rcond=0.3)
    np.testing.assert_allclose(
        grad(lambda x: np.sum(np.linalg.pinv(TALL, rcond=0.3) @ x))(VECTOR), inverse.sum(axis=0), rtol=1e-13
    )


@pytest.mark.parametrize(
    "loss",
    [
        lambda a: np.sum(signal.convolve2d(a, np.ones((2, 2)), boundary="wrap")),
        lambda a: np.sum(signal.convolve2d(a, np.ones((2, 2)), fillvalue=1)),
        lambda a: np.sum(signal.correlate2d(a, np.ones((2, 2)), "same", "symm")),
    ],
)
def test_images_have_zeros_beyond_their_edges(loss):
    with pytest.raises(CompileError, match="zeros beyond the edges alone"):
        grad(loss)(TALL)

"""autograd on every call of `tests/names`: where it has the function, the gradient is the same, or it is wrong.

Finite differences decide in `tests/names`, which every call here passes.
"""

import math

import numpy as np
import pytest
from named_calls import CALLS, loss, source

from srcgrad import grad

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]
WORKING = [
    call
    for call in CALLS
    if not call.refused and call.area != "writing" and "float32" not in call.text and "out" not in call.text
]

# What autograd 1.9 says otherwise, all of it wrong: finite differences are with srcgrad in each
DIFFERENT = {
    "where= is not looked at": ("where=mask",),
    "correction= is not looked at": ("correction=1",),
    "the gradient in the filling number is not summed, or that in the prototype is not zero": (
        "np.full((2, 4), v", "np.full_like(m, x",
    ),
    "an odd length, or norm='forward'": (
        "np.fft.rfft(v, n=3)", "np.fft.rfft(v, n=5", 'np.fft.rfft(v, norm="forward")',
        'np.fft.irfft(z, norm="forward")', 'np.fft.irfft(u, norm="forward")', 'np.fft.irfft(cm, norm="forward")',
        'np.fft.irfft(z[:3], norm="forward")', 'np.fft.irfftn(cm, norm="forward")', 'np.fft.irfftn(ct, norm="forward")',
        'np.fft.irfft2(cm, norm="forward")', 'np.fft.irfft2(ct, norm="forward")', 'np.fft.rfft(m, norm="forward")',
        "np.fft.rfft(v, n=7", "np.fft.rfft(m, n=3)", "np.fft.rfft(m, n=5)", 'np.fft.rfft(m, n=7, norm="ortho")',
    ),
    "n=, where the signal is shorter or longer": (
        "np.fft.rfft(v, n=8)", "np.fft.rfft(m, n=8)", "np.fft.irfft(z, n=4", "np.fft.irfft(u, n=4",
        "np.fft.irfft(cm, n=4", "np.fft.irfft(z[:3], n=4",
    ),
    "complex numbers": (
        "np.linalg.cholesky(c", "np.linalg.slogdet(c)[0]", "np.linalg.slogdet(c2)[0]", "np.linalg.slogdet(cb)[0]",
        "np.sign(z)", "np.sign(q)", "np.sign(cm)", "np.arccosh(cm)", "np.linalg.pinv(cm)", "np.linalg.pinv(cn)",
        "np.full_like(z, q)",
    ),
    "ord=inf": ("np.linalg.norm(v, ord=np.inf)", "np.linalg.norm(z, np.inf)"),
}  # fmt: skip
RIGHT = ("all", "any", "max", "min", "amax", "amin")  # with where=, which autograd's formulas for these do not need


def gradients_of(call):
    """The gradients by autograd, or a skipped test where it does not have the call."""
    autograd = pytest.importorskip("autograd")
    namespace = {"np": autograd.numpy, "math": math}
    exec(source(call), namespace)
    try:
        return autograd.grad(namespace["function"], call.active)(*call.arguments())
    except Exception as error:
        pytest.skip(f"not there: {type(error).__name__}")


@pytest.mark.parametrize("call", WORKING, ids=str)
def test_gradient_is_that_of_autograd(call):
    expected = gradients_of(call)
    found = grad(loss(call), call.active)(*call.arguments())
    same = all(
        np.allclose(theirs, ours, rtol=1e-7, atol=1e-9, equal_nan=True)
        for ours, theirs in zip(found, expected, strict=True)
    )
    different = any(text in call.text for texts in DIFFERENT.values() for text in texts) and call.name not in RIGHT
    assert same != different

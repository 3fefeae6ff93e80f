"""Every rule on axes of length zero and one, as far as NumPy takes them, and on numbers of half precision."""

import copy
import warnings

import numpy as np
import pytest
from referee import numerical_gradient
from test_table import DIFFERENTIABLE, Refused, Specimen, assert_close

from srcgrad.errors import Unsupported
from srcgrad.rules.registry import CASES


def lengths(case):
    """The lengths of axes in a case that is all shapes."""
    shapes = [each for each in case.operands if isinstance(each, tuple)]
    return sorted({n for shape in shapes for n in shape if n > 1}) if len(shapes) == len(case.operands) else []


def changed(case, old, new):
    """The case with one length for another, in all operands alike."""
    made = copy.copy(case)
    made.operands = tuple(tuple(new if n == old else n for n in shape) for shape in case.operands)
    return made


# An axis of length zero raises an error in the derivative of these, if not in the function: never a wrong number
RAISES = {
    "np.corrcoef", "np.cov", "np.diff", "np.linalg.matrix_norm", "np.linalg.vector_norm", "np.poly", "np.polymul",
    "np.resize", "np.trapezoid", "scipy.linalg.toeplitz", "scipy.signal.fftconvolve",
}  # fmt: skip


TABLE = [
    pytest.param(prim, changed(case, old, new), id=f"{prim.name}{changed(case, old, new)!r}")
    for prim in DIFFERENTIABLE
    for case in CASES.get(prim, [])[:6]
    for old in lengths(case)
    for new in (0, 1)
    if "." in prim.name and (new or prim.name not in RAISES)
]


def specimen_of(prim, case):
    """The case as a function, or a skipped test where NumPy itself refuses such arrays."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return Specimen(prim, case)
    except (ValueError, IndexError, ZeroDivisionError, RuntimeWarning, TypeError, np.linalg.LinAlgError) as error:
        pytest.skip(f"{type(error).__name__}: {error}")
    except Unsupported as error:
        pytest.skip(f"refused: {error}")


@pytest.mark.parametrize(("prim", "case"), TABLE)
def test_short_axes(prim, case):
    """Types as NumPy has them, and both modes against finite differences."""
    specimen = specimen_of(prim, case)
    if not all(np.all(np.isfinite(each)) for each in specimen.expected()):
        pytest.skip("not a number")
    for y, expected in zip(specimen.outputs, specimen.expected(), strict=True):
        axes = tuple(specimen.facts.canon(dim).evaluate(specimen.facts.sizes) for dim in y.type.axes)
        assert all(n in (m, None) for n, m in zip(axes, np.shape(expected), strict=True))
    try:
        functions = specimen.gradient(specimen.function, specimen.active)
    except Refused as error:
        pytest.skip(f"refused: {error}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for function in functions:
            _, *gradients = specimen.run(function)
            for x, gradient in zip(specimen.active, gradients, strict=True):
                index = specimen.position(x)
                assert np.shape(gradient) == np.shape(specimen.value(x))
                assert_close(gradient, numerical_gradient(specimen.loss, specimen.args, index), 1e-6, x.hint)
        direction, along = specimen.direction(), 0.0
        for gradient, v in zip(gradients, direction, strict=True):
            along += np.sum(gradient * v)
        for function in specimen.tangent():
            assert_close(specimen.run(function, [*specimen.args, *direction])[1], along, 1e-9, "forward")


@pytest.mark.parametrize("prim", DIFFERENTIABLE, ids=lambda prim: prim.name)
def test_half_precision(prim):
    """float16 in, float16 out: the gradient has its argument's dtype, and is right to its few digits, or is refused."""
    if prim.name.startswith("math."):
        return
    case = CASES[prim][0]
    if any(name in prim.name for name in ("linalg", "multivariate", "roots")):
        return  # NumPy's linear algebra takes no half precision
    try:
        half, double = Specimen(prim, case, np.float16), Specimen(prim, case)
    except (Unsupported, TypeError) as error:
        pytest.skip(f"refused: {error}")
    expected = double.run(double.gradient(double.function, double.active)[1])[1:]
    for gradient, wanted in zip(half.run(half.gradient(half.function, half.active)[1])[1:], expected, strict=True):
        assert np.asarray(gradient).dtype == {"f": np.float16, "c": np.complex64}[np.asarray(wanted).dtype.kind]
        assert_close(np.asarray(gradient, dtype=np.asarray(wanted).dtype), wanted, 0.05, "float16")

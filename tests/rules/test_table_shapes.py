"""Every rule on axes of length zero and one, as far as NumPy takes them, and on numbers of half precision."""

import copy
import warnings

import numpy as np
import pytest
from referee import numerical_gradient
from test_table import DIFFERENTIABLE, Refused, Specimen, assert_close

from srcgrad import grad
from srcgrad.errors import CompileError, Unsupported
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


TABLE = [
    pytest.param(prim, changed(case, old, new), id=f"{prim.name}{changed(case, old, new)!r}")
    for prim in DIFFERENTIABLE
    for case in CASES.get(prim, [])[:6]
    for old in lengths(case)
    for new in (0, 1)
    if "." in prim.name
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


EMPTY = {
    "np.cov": lambda x: np.sum(np.cov(x)),
    "np.corrcoef": lambda x: np.sum(np.corrcoef(x)),
    "np.diff": lambda x: np.sum(np.diff(x, n=2, axis=0)),
    "np.linalg.matrix_norm": lambda x: np.linalg.matrix_norm(x, ord=1),
    "np.linalg.vector_norm": lambda x: np.linalg.vector_norm(x, ord=np.inf),
    "np.poly": lambda x: np.sum(np.poly(x[:, 0])),
    "np.polymul": lambda x: np.sum(np.polymul(x[:, 0], x[:, 1])),
    "np.resize": lambda x: np.sum(np.resize(x, 3)),
    "np.trapezoid": lambda x: np.sum(np.trapezoid(x, axis=0)),
}


@pytest.mark.parametrize("name", EMPTY)
def test_no_elements_are_refused(name):
    """Also where a compiled gradient of longer arrays is there already."""
    gradient = grad(EMPTY[name])
    assert np.all(np.isfinite(gradient(np.array([[1.0, 2.5], [3.0, 4.0], [7.0, -2.0]]))))
    name = "np.cov" if name == "np.corrcoef" else name  # which the latter calls
    with pytest.raises(CompileError, match=rf"{name}.* of an array without elements"):
        gradient(np.empty((0, 2)))


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

"""The functions that users of NumPy expect to be differentiable are, and their page is made from the rules."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from srcgrad.frontend.builtins import BUILTINS
from srcgrad.ir.primitive import find

ROOT = Path(__file__).parents[2]

EXPECTED = """
abs absolute acos acosh add amax amin append arccos arccosh arcsin arcsinh arctan arctan2 arctanh array
array_split asarray asin asinh atan atan2 atanh atleast_1d atleast_2d atleast_3d average bincount
broadcast_arrays broadcast_to cbrt choose clip column_stack compress concat concatenate convolve copy copysign
correlate corrcoef cos cosh cov cross cumprod cumsum cumulative_prod cumulative_sum deg2rad degrees delete
diag diagflat diagonal diff divide divmod dot dsplit dstack ediff1d einsum exp exp2 expand_dims expm1 extract
fabs flip fliplr flipud float_power fmax fmin fmod frexp full full_like geomspace gradient heaviside hsplit
hstack hypot inner insert interp kron ldexp linspace log log10 log1p log2 logaddexp logaddexp2 logspace matmul
matrix_transpose matvec max maximum mean median meshgrid min minimum mod modf moveaxis multiply nan_to_num
nancumprod nancumsum nanmax nanmean nanmedian nanmin nanpercentile nanprod nanquantile nanstd nansum nanvar
negative nextafter outer pad partition percentile permute_dims positive pow power prod ptp quantile rad2deg
radians ravel reciprocal remainder repeat reshape resize roll rollaxis rot90 select sin sinc sinh sort split
sqrt square squeeze stack std subtract sum swapaxes take take_along_axis tan tanh tensordot tile trace
transpose trapezoid tril triu true_divide unwrap vander var vdot vecdot vecmat vsplit vstack where
"""


@pytest.mark.parametrize("name", EXPECTED.split())
def test_is_differentiable(name):
    function = getattr(np, name)
    prim = find(function)
    assert function in BUILTINS or (prim is not None and any(prim.partials))


def test_page_is_up_to_date():
    spec = importlib.util.spec_from_file_location("coverage_page", ROOT / "docs" / "coverage.py")
    coverage = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(coverage)
    assert coverage.page() == coverage.PAGE.read_text(), "run `python docs/coverage.py`"

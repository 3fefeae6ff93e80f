"""The names that users of NumPy expect to be differentiable, by area, and the parameters of their signatures."""

import importlib
import inspect

import numpy as np

FUNCTIONS = ("elementwise", "reductions", "arrays", "calculus", "writing")
NAMES = {
    "np": (
        FUNCTIONS,
        """abs absolute acos acosh add amax amin angle arccos arccosh arcsin arcsinh arctan arctan2 arctanh array_split
        asin asinh astype atan atan2 atanh atleast_1d atleast_2d atleast_3d broadcast_to clip conj conjugate cos cosh
        cross cumsum deg2rad degrees diag diagonal diff divide dot dsplit einsum exp exp2 expand_dims expm1 fabs fliplr
        flipud fmax fmin full gradient hsplit hypot imag inner kron linspace log log10 log1p log2 logaddexp logaddexp2
        matmul max maximum min minimum mod moveaxis multiply nan_to_num negative outer pad partition permute_dims pow
        power prod rad2deg radians ravel real real_if_close reciprocal remainder repeat reshape roll rollaxis rot90 sin
        sinc sinh sort split sqrt square squeeze subtract sum swapaxes tan tanh tensordot tile trace transpose tril triu
        true_divide vsplit array append c_ column_stack concatenate hstack mean r_ row_stack select stack std var vstack
        dstack block where cbrt copysign fmod float_power heaviside ldexp modf divmod positive i0 vdot vecdot matvec
        vecmat cumprod cumulative_sum cumulative_prod nansum nanprod nanmean nanvar nanstd nanmin nanmax nanmedian
        nanpercentile nanquantile nancumsum nancumprod median percentile quantile ptp average cov corrcoef take
        take_along_axis compress extract choose delete insert flip resize trim_zeros broadcast_arrays meshgrid unstack
        concat copy asarray diagflat vander piecewise bincount interp convolve correlate trapezoid ediff1d unwrap poly
        polyadd polysub polymul polydiv polyder polyint polyval polyfit roots logspace geomspace apply_along_axis
        apply_over_axes add.reduce add.accumulate add.outer add.at add.reduceat multiply.reduce multiply.accumulate
        multiply.outer multiply.at fill_diagonal put place putmask copyto put_along_axis unique sliding_window_view
        vectorize einsum_path indices mgrid ogrid arange full_like""",
    ),
    "np.linalg": (
        ("linalg",),
        """cholesky det eig eigh inv norm pinv slogdet solve svd qr lstsq cond eigvals eigvalsh matrix_power svdvals
        tensorinv tensorsolve vector_norm matrix_norm matrix_transpose multi_dot cross diagonal matmul outer tensordot
        trace vecdot matrix_rank""",
    ),
    "np.fft": (
        ("fft",),
        """fft fft2 fftn fftshift ifft ifft2 ifftn ifftshift irfft irfft2 irfftn rfft rfft2 rfftn hfft ihfft fftfreq
        rfftfreq""",
    ),
    "methods": (
        ("methods",),
        """all any argmax argmin argpartition argsort astype choose clip compress conj conjugate copy cumprod cumsum
        diagonal dot fill flatten item max mean min nonzero partition prod put ravel repeat reshape resize round
        searchsorted sort squeeze std sum swapaxes take tolist trace transpose var view T mT real imag flat shape size
        ndim dtype""",
    ),
}

# Parameters without an example: what is made of a refused function, and optional operands that one call leaves out
NO_EXAMPLE = {"vectorize": {"otypes", "doc", "excluded", "cache", "signature", "pyfunc"}}
_UFUNC = {"out", "where", "casting", "order", "dtype", "subok", "signature", "axes", "axis", "keepdims", "b"}


def function_of(area, name):
    """The function, method or object that a name stands for."""
    if area == "methods":
        return getattr(np.ndarray, name)
    if name == "sliding_window_view":
        return np.lib.stride_tricks.sliding_window_view
    found = np if area in FUNCTIONS else importlib.import_module({"linalg": "numpy.linalg", "fft": "numpy.fft"}[area])
    for part in name.split("."):
        found = getattr(found, part)
    return found


def keywords_of(function):
    """What may be given by keyword or behind the first argument; keywords of ufuncs are tried for all of them."""
    if isinstance(function, np.ufunc):
        return set()
    try:
        parameters = [*inspect.signature(function).parameters.values()]
    except (TypeError, ValueError):
        return set()
    names = {p.name for p in parameters if p.kind != p.VAR_POSITIONAL and p.default is not p.empty}
    return names - (_UFUNC if isinstance(getattr(function, "__self__", None), np.ufunc) else set())


def _options(ufunc):
    """Keywords that every ufunc has, as far as this one's dtypes and results allow."""
    options = ["dtype=np.float64", 'casting="same_kind"', 'order="C"', "subok=True", "out=o", "o"]
    return [*options, "out=(o,)", "out=o, where=some", "where=True"] if ufunc.signature is None else options


UFUNC_KEYWORDS = {
    name: _options(getattr(np, name))
    for name in NAMES["np"][1].split()
    if isinstance(getattr(np, name, None), np.ufunc)
    and (getattr(np, name).nout, getattr(np, name).signature) == (1, None)
    and name not in ("ldexp", "heaviside")
}

"""Derivatives of covariances, correlations and weighted counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.dims import ONE, Dim, Facts
from ..ir.infer import check_equal
from ..ir.types import Array, Type
from .axes import array, dtype_of, refuse_empty
from .registry import Case, general, linear, uniform


# cov: c = z w z^T / f with z the deviations of each variable (a row) from its mean; the means drop out of the
# derivative, because weighted deviations sum to zero
def _variables(x: Any, rowvar: bool) -> Any:
    x = np.expand_dims(x, 0) if x.ndim < 2 else x
    return x if rowvar or x.shape[0] == 1 else x.T


def _cov_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    m = array(types[0])
    if not m.ndim or m.ndim > 2:
        raise Unsupported("np.cov takes vectors and matrices")
    y = attrs.get("y")
    if any(isinstance(each, Array) and each.dtype.kind == "c" for each in (m, y)):
        raise Unsupported("covariances of complex numbers are not differentiated", "Write them with matrix products.")
    dtype = np.dtype(attrs["dtype"]) if attrs.get("dtype") is not None else dtype_of(np.cov, (m,))
    count = _rows(facts, m, attrs)
    if isinstance(y, Array):
        count = count + _rows(facts, y, attrs)
    if facts.is_one(count):
        return Array(dtype, ())
    return Array(dtype, (count, count))


def _rows(facts: Facts, x: Array, attrs: Mapping[str, Any]) -> Dim:
    if x.ndim < 2:
        return ONE
    if not attrs.get("rowvar", True) and facts.is_one(x.axes[0]):
        raise Unsupported("np.cov of a single row with rowvar=False", "Transpose it.")
    rows = x.axes[0] if attrs.get("rowvar", True) else x.axes[1]
    refuse_empty(facts, "np.cov", rows)
    return facts.canon(rows)


def _joined(m: Any, y: Any, rowvar: bool) -> Any:
    x = _variables(m, rowvar)
    return x if y is None else np.concatenate([x, _variables(y, rowvar)])


def _covariance(
    d: Any, m: Any, y: Any, rowvar: bool, bias: bool, ddof: int | None, fweights: Any, aweights: Any
) -> Any:
    """The cotangent of all variables, one a row."""
    x = _joined(m, y, rowvar)
    ddof = ddof if ddof is not None else 0 if bias else 1
    w = fweights if aweights is None else aweights if fweights is None else fweights * aweights
    if w is None:
        z, divisor = x - np.mean(x, axis=1, keepdims=True), x.shape[1] - ddof if ddof else x.shape[1]
    else:
        total = np.sum(w)
        z = (x - np.expand_dims(x @ w, 1) / total) * w
        share = 0 if not ddof else ddof if aweights is None else ddof * np.sum(w * aweights) / total
        divisor = total - share if ddof else total
    if not d.ndim:
        return 2 * d / divisor * z
    return (d + d.T) @ z / divisor


def _own(result: Any, x: Any, rowvar: bool) -> Any:
    """Rows of the joined variables as the operand has them."""
    if x.ndim < 2:
        return result[0]
    return result if rowvar else result.T


def _cov(
    d: Any, out: Any, m: Any, *, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: int | None = None,
    fweights: Any = None, aweights: Any = None, dtype: Any = None,
) -> Any:  # fmt: skip
    result = _covariance(d, m, y, rowvar, bias, ddof, fweights, aweights)
    count = _variables(m, rowvar).shape[0]
    return _own(result if y is None else result[:count], m, rowvar)


def _cov_second(
    d: Any, out: Any, m: Any, *, y: Any, rowvar: bool = True, bias: bool = False, ddof: int | None = None,
    fweights: Any = None, aweights: Any = None, dtype: Any = None,
) -> Any:  # fmt: skip
    result = _covariance(d, m, y, rowvar, bias, ddof, fweights, aweights)
    return _own(result[_variables(m, rowvar).shape[0] :], y, rowvar)


def _of_weights(d: Any, out: Any, m: Any, **options: Any) -> Any:
    raise Unsupported("np.cov is not differentiated with respect to its weights")


_COV_CASES = [
    Case((5,)),
    Case((3, 5)),
    Case((5, 3), rowvar=False),
    Case((5,), y=uniform((5,), -1, 1)),
    Case((2, 5), y=uniform((3, 5), -1, 1)),
    Case((5, 2), y=uniform((5, 3), -1, 1), rowvar=False),
]
general(
    np.cov,
    _cov,
    operands=("m",),
    keywords=("rowvar", "bias", "ddof", "dtype"),
    named={"y": _cov_second, "fweights": None, "aweights": _of_weights},
    signature=("m", "y", "rowvar", "bias", "ddof", "fweights", "aweights"),
    infer=_cov_type,
    cases=[
        *_COV_CASES,
        Case((3, 5), bias=True),
        Case((3, 5), ddof=2),
        Case((3, 5), dtype=np.float64),
        Case((2, 5), fweights=lambda rng: np.array([1, 2, 1, 3, 1])),
        Case((2, 5), aweights=lambda rng: np.array([1, 2, 1, 3, 2])),
        Case((2, 5), fweights=lambda rng: np.array([1, 2, 1, 3, 1]), aweights=lambda rng: np.array([1, 2, 1, 3, 2])),
    ],
)


# corrcoef: products of the deviations, each brought to length one
def _correlation(d: Any, x: Any, y: Any, rowvar: bool) -> Any:
    joined = _joined(x, y, rowvar)
    z = joined - np.mean(joined, axis=1, keepdims=True)
    if not d.ndim:  # a variable's correlation with itself is 1
        return z * 0.0
    length = np.sqrt(np.sum(z * z, axis=1, keepdims=True))
    z = z / length
    d_z = (d + d.T) @ z
    return (d_z - z * np.sum(d_z * z, axis=1, keepdims=True)) / length


def _corrcoef(d: Any, out: Any, x: Any, *, y: Any = None, rowvar: bool = True, dtype: Any = None) -> Any:
    result = _correlation(d, x, y, rowvar)
    return _own(result if y is None else result[: _variables(x, rowvar).shape[0]], x, rowvar)


def _corrcoef_second(d: Any, out: Any, x: Any, *, y: Any, rowvar: bool = True, dtype: Any = None) -> Any:
    return _own(_correlation(d, x, y, rowvar)[_variables(x, rowvar).shape[0] :], y, rowvar)


general(
    np.corrcoef,
    _corrcoef,
    operands=("x",),
    keywords=("rowvar", "dtype"),
    named={"y": _corrcoef_second},
    signature=("x", "y", "rowvar"),
    infer=_cov_type,
    cases=[*_COV_CASES, Case((3, 5), dtype=np.float64)],
)


# bincount: every weight counts in the bin of its number
def _bins_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    x = array(types[0])
    if x.ndim != 1 or x.dtype.kind not in "iu":
        raise Unsupported("np.bincount takes a vector of integers")
    if len(types) > 1 and array(types[1]).dtype.kind == "c":
        raise Unsupported("np.bincount of complex weights", "Count the real and imaginary parts.")
    if len(types) > 1:
        check_equal(facts, x.axes[0], array(types[1]).axes[0], "np.bincount: numbers of weights")
    dtype = np.dtype(float if len(types) > 1 else np.intp)
    return Array(dtype, (facts.fresh("bins"),))


linear(
    np.bincount,
    None,
    lambda d, y, x, weights, *, minlength=0: d[x],
    operands=("x", "weights"),
    keywords=("minlength",),
    infer=_bins_type,
    cases=[
        Case(lambda rng: np.array([0, 2, 2, 4]), (4,), unknown=True),
        Case(lambda rng: np.array([0, 2, 2, 4]), (4,), minlength=7, unknown=True),
    ],
)

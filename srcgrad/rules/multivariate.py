"""Derivatives of scipy.stats.multivariate_normal and scipy.stats.dirichlet.

Petersen & Pedersen (2012), "The matrix cookbook", section 8, for the normal distribution.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy import special, stats

from ..errors import Unsupported
from ..ir.dims import Facts
from ..ir.infer import check_equal
from ..ir.types import Array, Type
from .axes import array
from .registry import Case, general, uniform


def _real(types: Sequence[Type]) -> list[Array]:
    arrays = [array(t) for t in types]
    if any(x.dtype.kind == "c" for x in arrays):
        raise Unsupported("a distribution of complex numbers")
    return arrays


# log f = -(r . s + log det(2 pi cov)) / 2, r = x - mean, s = cov^-1 r
def _normal_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    arrays = _real(types)
    if len(arrays) < 3 or (arrays[1].ndim, arrays[2].ndim) != (1, 2) or arrays[0].ndim not in (1, 2):
        raise Unsupported(
            "scipy.stats.multivariate_normal is differentiated for points of one or two axes, with a mean vector and a "
            "covariance matrix"
        )
    x, mean, cov = arrays
    for length in (x.axes[-1], *cov.axes):
        check_equal(facts, mean.axes[0], length, "scipy.stats.multivariate_normal: lengths")
    return Array(np.dtype(float), x.axes[:-1])


def _scaled(x: Any, mean: Any, cov: Any) -> Any:
    rest = x - mean
    return np.linalg.solve(cov, rest) if x.ndim == 1 else np.linalg.solve(cov, rest.T).T


def _each(d: Any, x: Any) -> Any:
    return d if x.ndim == 1 else np.expand_dims(d, -1)


def _by_point(d: Any, y: Any, x: Any, mean: Any, cov: Any, *, allow_singular: bool = False) -> Any:
    return -_each(d, x) * _scaled(x, mean, cov)


def _by_mean(d: Any, y: Any, x: Any, mean: Any, cov: Any, *, allow_singular: bool = False) -> Any:
    s = _scaled(x, mean, cov)
    return d * s if x.ndim == 1 else d @ s


def _by_covariance(d: Any, y: Any, x: Any, mean: Any, cov: Any, *, allow_singular: bool = False) -> Any:
    s, inverse = _scaled(x, mean, cov), np.linalg.inv(cov)
    if x.ndim == 1:
        return d / 2 * (np.outer(s, s) - inverse)
    return ((s.T * d) @ s - np.sum(d) * inverse) / 2


def _of_density(partial: Any) -> Any:
    return lambda d, y, x, mean, cov, *, allow_singular=False: partial(d * y, y, x, mean, cov)


def _covariance(rng: np.random.Generator) -> Any:
    a = rng.uniform(-0.5, 0.5, (3, 3))
    return a @ a.T + np.eye(3)


for _name in ("logpdf", "pdf"):
    _partials = (_by_point, _by_mean, _by_covariance)
    general(
        getattr(stats.multivariate_normal, _name),
        *(_partials if _name == "logpdf" else map(_of_density, _partials)),
        name=f"scipy.stats.multivariate_normal.{_name}",
        module="scipy.stats",
        operands=("x", "mean", "cov"),
        keywords=("allow_singular",),
        infer=_normal_type,
        cases=[
            *(
                Case(shape, lambda rng: rng.normal(size=3), _covariance, symmetric=True, allow_singular=False)
                for shape in ((3,), (4, 3))
            ),
            Case((3,), (3,), _covariance, symmetric=True),
        ],
        convention="the gradient in the covariance is symmetric",
    )


# log f = sum((alpha - 1) log x) + log gamma(sum alpha) - sum log gamma(alpha)
def _dirichlet_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    x, alpha = _real(types)
    if (x.ndim, alpha.ndim) != (1, 1):
        raise Unsupported("scipy.stats.dirichlet is differentiated for one point at a time")
    check_equal(facts, x.axes[0], alpha.axes[0], "scipy.stats.dirichlet: lengths")
    return Array(np.dtype(float))


def _dirichlet_shape(d: Any, y: Any, x: Any, alpha: Any) -> Any:
    return d * (np.log(x) - special.digamma(alpha) + special.digamma(np.sum(alpha)))


for _name in ("logpdf", "pdf"):
    general(
        getattr(stats.dirichlet, _name),
        (lambda d, y, x, alpha: d * (alpha - 1) / x)
        if _name == "logpdf"
        else (lambda d, y, x, alpha: d * y * (alpha - 1) / x),
        _dirichlet_shape if _name == "logpdf" else (lambda d, y, x, alpha: _dirichlet_shape(d * y, y, x, alpha)),
        name=f"scipy.stats.dirichlet.{_name}",
        module="scipy.stats",
        operands=("x", "alpha"),
        infer=_dirichlet_type,
        cases=[Case(lambda rng: rng.dirichlet(np.ones(3)), uniform((3,), 1.0, 3.0), passive=(0,))],
        convention="the derivative in the point is that of the formula, off the simplex too",
    )

"""Derivatives of the distributions of scipy.stats, by location, scale and, where it has a formula, shape.

With z = (x - loc) / scale and the score f'(z) / f(z), every distribution's density, distribution function and quantile
have the same derivatives. Johnson, Kotz & Balakrishnan (1994), "Continuous univariate distributions".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy import special, stats

from ..errors import Unsupported
from ..ir.dims import Facts
from ..ir.infer import elementwise as elementwise_type
from ..ir.nodes import Const
from ..ir.primitive import Infer, Partial
from ..ir.types import Type
from .axes import array
from .internal import called
from .registry import Case, elementwise, uniform

Formula = Callable[..., Any]


class _Family:
    """A distribution's score in z and in each shape, and points where it is smooth."""

    def __init__(
        self,
        name: str,
        shapes: Sequence[str],
        score: Formula,
        shape_scores: Sequence[Formula] = (),
        span: tuple[float, float] = (0.5, 2.0),
    ):
        self.name, self.shapes, self.score, self.shape_scores, self.span = name, shapes, score, shape_scores, span
        self.distribution = getattr(stats, name)

    def split(self, x: Any, params: Sequence[Any]) -> tuple[Any, tuple[Any, ...], Any]:
        """(z, shapes, scale) of a call; the scale is None where it is 1."""
        count = len(self.shapes)
        loc, scale = (*params[count:], None, None)[:2]
        z = x if _is(loc, 0) else x - loc
        scale = None if _is(scale, 1) else scale
        return (z if scale is None else z / scale), tuple(params[:count]), scale

    def density(self, x: Any, params: Sequence[Any]) -> Any:
        return called(self.distribution.pdf, x, *params)

    def log_density(self, x: Any, params: Sequence[Any]) -> Any:
        return called(self.distribution.logpdf, x, *params)


def _is(param: Any, number: int) -> bool:
    return param is None or getattr(param, "const", None) == number


def _over(d: Any, scale: Any) -> Any:
    return d if scale is None else d / scale


# By x, loc and scale: the density, its logarithm, the distribution functions, their logarithms, the quantiles
def _densities(family: _Family, log: bool) -> tuple[Formula, Formula, Formula]:
    def by_x(d: Any, y: Any, x: Any, *params: Any) -> Any:
        z, shapes, scale = family.split(x, params)
        return _over((d if log else d * y) * family.score(z, *shapes), scale)

    def by_scale(d: Any, y: Any, x: Any, *params: Any) -> Any:
        z, shapes, scale = family.split(x, params)
        return -_over((d if log else d * y) * (1 + z * family.score(z, *shapes)), scale)

    return by_x, lambda d, y, x, *params: -by_x(d, y, x, *params), by_scale


def _distribution_functions(family: _Family, sign: int, log: bool) -> tuple[Formula, Formula, Formula]:
    def by_x(d: Any, y: Any, x: Any, *params: Any) -> Any:
        slope = np.exp(family.log_density(x, params) - y) if log else family.density(x, params)
        return d * slope if sign > 0 else -d * slope

    def by_scale(d: Any, y: Any, x: Any, *params: Any) -> Any:
        return -by_x(d, y, x, *params) * family.split(x, params)[0]

    return by_x, lambda d, y, x, *params: -by_x(d, y, x, *params), by_scale


def _quantiles(family: _Family, sign: int) -> tuple[Formula, Formula, Formula]:
    def by_share(d: Any, y: Any, q: Any, *params: Any) -> Any:
        return (d if sign > 0 else -d) / family.density(y, params)

    return by_share, lambda d, y, q, *params: d, lambda d, y, q, *params: d * family.split(y, params)[0]


def _by_shape(family: _Family, number: int, method: str) -> Partial:
    def of_log(d: Any, y: Any, x: Any, *params: Any) -> Any:
        z, shapes, _ = family.split(x, params)
        return d * family.shape_scores[number](z, *shapes)

    def refuse(d: Any, y: Any, x: Any, *params: Any) -> Any:
        raise Unsupported(
            f"scipy.stats.{family.name}.{method} has no derivative rule with respect to `{family.shapes[number]}`",
            "Keep it constant (leave it out of wrt, or use stop_gradient).",
        )

    if method == "logpdf":
        return of_log
    if method == "pdf":
        return lambda d, y, x, *params: of_log(d * y, y, x, *params)
    return refuse


def _cases(family: _Family, method: str) -> list[Case]:
    low, high = (0.1, 0.9) if method in ("ppf", "isf") else family.span
    point, smooth = uniform((3,), low, high), method in ("pdf", "logpdf")
    shapes = [uniform((), 2.0, 4.0) if smooth else 2.5 for _ in family.shapes]
    # a location left of the points and a scale above one keep them inside the support
    cases = [Case(point, *shapes, uniform((), -0.3, -0.1), uniform((), 1.2, 1.6))]
    if method in ("logpdf", "cdf", "ppf"):
        cases += [Case(uniform((), low, high), *shapes), Case(point, *shapes, scale=2.0)]
    if method == "logpdf" and family.shapes:
        cases.append(Case(uniform((2, 3), low, high), *(uniform((2, 1), 2.0, 4.0) for _ in family.shapes)))
    return cases


def _real(function: Any, name: str) -> Infer:
    """Inference for a function that takes real numbers."""
    infer = elementwise_type(function)

    def checked(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
        if any(array(t).dtype.kind == "c" for t in types):
            raise Unsupported(f"{name} of complex numbers")
        result: Type = infer(facts, types, attrs, style)
        return result

    return checked


def _register(family: _Family) -> None:
    tables = {
        "pdf": _densities(family, log=False),
        "logpdf": _densities(family, log=True),
        "cdf": _distribution_functions(family, 1, log=False),
        "logcdf": _distribution_functions(family, 1, log=True),
        "sf": _distribution_functions(family, -1, log=False),
        "logsf": _distribution_functions(family, -1, log=True),
        "ppf": _quantiles(family, 1),
        "isf": _quantiles(family, -1),
    }
    for method, (by_x, by_loc, by_scale) in tables.items():
        shapes = [_by_shape(family, number, method) for number in range(len(family.shapes))]
        elementwise(
            (function := getattr(family.distribution, method)),
            by_x,
            *shapes,
            by_loc,
            by_scale,
            name=f"scipy.stats.{family.name}.{method}",
            infer=_real(function, f"scipy.stats.{family.name}.{method}"),
            module="scipy.stats",
            operands=("q" if method in ("ppf", "isf") else "x", *family.shapes, "loc", "scale"),
            defaults={"loc": Const(0)},
            cases=_cases(family, method),
        )


def _t_shape(z: Any, n: Any) -> Any:
    digammas = special.digamma((n + 1) / 2) - special.digamma(n / 2)
    return (digammas - 1 / n - np.log1p(z * z / n) + (n + 1) / n * (z * z / (n + z * z))) / 2


for _family in (
    _Family("norm", (), lambda z: -z),
    _Family("t", ("df",), lambda z, n: -(n + 1) * z / (n + z * z), (_t_shape,)),
    _Family(
        "gamma", ("a",), lambda z, a: (a - 1) / z - 1, (lambda z, a: np.log(z) - special.digamma(a),), span=(0.5, 3.0)
    ),
    _Family(
        "chi2",
        ("df",),
        lambda z, n: (n / 2 - 1) / z - 0.5,
        (lambda z, n: (np.log(z / 2) - special.digamma(n / 2)) / 2,),
        span=(0.5, 3.0),
    ),
    _Family(
        "beta",
        ("a", "b"),
        lambda z, a, b: (a - 1) / z - (b - 1) / (1 - z),
        (
            lambda z, a, b: np.log(z) - special.digamma(a) + special.digamma(a + b),
            lambda z, a, b: np.log1p(-z) - special.digamma(b) + special.digamma(a + b),
        ),
        span=(0.2, 0.8),
    ),
    _Family("expon", (), lambda z: -1.0 + 0 * z, span=(0.5, 3.0)),
):
    _register(_family)


# Poisson: counts k at a rate mu; the distribution function falls by the probability of its last count
def _probability(k: Any, mu: Any, *loc: Any) -> Any:
    return called(stats.poisson.pmf, k, mu, *loc)


def _count(k: Any, loc: Sequence[Any]) -> Any:
    return k - loc[0] if loc else k


def _poisson(method: str) -> Partial:
    table: Mapping[str, Partial] = {
        "logpmf": lambda d, y, k, mu, *loc: d * (_count(k, loc) / mu - 1),
        "pmf": lambda d, y, k, mu, *loc: d * y * (_count(k, loc) / mu - 1),
        "cdf": lambda d, y, k, mu, *loc: -d * _probability(np.floor(k), mu, *loc),
        "sf": lambda d, y, k, mu, *loc: d * _probability(np.floor(k), mu, *loc),
        "logcdf": lambda d, y, k, mu, *loc: -d * _probability(np.floor(k), mu, *loc) / np.exp(y),
        "logsf": lambda d, y, k, mu, *loc: d * _probability(np.floor(k), mu, *loc) / np.exp(y),
    }
    return table[method]


for _method in ("pmf", "logpmf", "cdf", "sf", "logcdf", "logsf"):
    elementwise(
        getattr(stats.poisson, _method),
        None,
        _poisson(_method),
        None,
        name=f"scipy.stats.poisson.{_method}",
        infer=_real(getattr(stats.poisson, _method), f"scipy.stats.poisson.{_method}"),
        module="scipy.stats",
        operands=("k", "mu", "loc"),
        cases=[
            Case(lambda rng: np.array([0, 2, 3]), uniform((3,), 1.0, 3.0)),
            Case(2, uniform((), 1.0, 3.0)),
            Case(lambda rng: np.array([[1], [4]]), uniform((3,), 1.0, 3.0), 1),
        ],
        convention="counts and locations are constant",
    )

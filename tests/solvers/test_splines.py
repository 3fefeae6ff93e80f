"""Splines of SciPy: linear in their values, and with a slope in their place."""

import numpy as np
import pytest
from agreement import check
from referee import numerical_gradient
from scipy import interpolate
from scipy.interpolate import (
    Akima1DInterpolator,
    BSpline,
    CubicSpline,
    PchipInterpolator,
    interp1d,
    make_interp_spline,
)

from srcgrad import grad, hessian, jvp
from srcgrad.errors import CompileError

KNOTS = np.linspace(0.0, 3.0, 6)
VALUES, PLACES = np.sin(KNOTS) + 0.1, np.array([0.3, 1.4, 2.2])
CUBIC, MONOTONE, BASIC = (
    CubicSpline(KNOTS, VALUES),
    PchipInterpolator(KNOTS, VALUES),
    BSpline(*make_interp_spline(KNOTS, VALUES).tck),
)
BREAKS, COEFFICIENTS = BASIC.t, BASIC.c


def from_outside(x):
    return np.sum(CUBIC(x) ** 2) + np.sum(MONOTONE(x)) + np.sum(BASIC(x, 1) * x) + np.sum(CUBIC.derivative()(x) ** 2)


def local(x):
    return np.sum(PchipInterpolator(KNOTS, VALUES)(x) ** 2 + Akima1DInterpolator(KNOTS, VALUES)(x))


@pytest.mark.parametrize("loss", [from_outside, local])
def test_places(loss):
    check(loss, PLACES)


def values_and_places(y, x):
    spline = CubicSpline(KNOTS, y, bc_type="natural")
    return np.sum(spline(x) ** 2) + np.sum(spline(x, 1) * np.sin(x)) + spline.derivative(2)(x[0])


def one_place(y, x):
    return np.sum(CubicSpline(KNOTS, y)(x) ** 2) * interpolate.make_interp_spline(KNOTS, y, k=1)(x[0])


def on_a_grid(y, x):
    return np.sum(CubicSpline(KNOTS, y)(np.outer(x, x) / 3) ** 2)


@pytest.mark.parametrize("loss", [values_and_places, one_place, on_a_grid])
def test_values_and_places(loss):
    check(loss, VALUES, PLACES)


def by_interp1d(y):
    smooth = interp1d(KNOTS, y, kind="cubic")
    return smooth(1.1) ** 2 + np.sum(interp1d(KNOTS, y)(np.array([0.2, 0.7, 2.2])) ** 3)


def test_interp1d_in_its_values():
    check(by_interp1d, VALUES)


def by_coefficients(c, x):
    spline = BSpline(BREAKS, c, 3)
    return np.sum(spline(x) ** 2) + np.sum(spline.derivative()(x) * x) + BSpline(BREAKS, c**2, k=3)(0.4)


def test_coefficients_and_places():
    check(by_coefficients, COEFFICIENTS, PLACES)
    check(lambda c: np.sum(BSpline(BREAKS, c, 3)(PLACES) ** 2), np.stack([COEFFICIENTS, VALUES], axis=1))


def test_several_values_at_each_knot():
    def loss(y, x):
        return np.sum(CubicSpline(KNOTS, y)(x) ** 2)

    check(loss, np.stack([VALUES, np.cos(KNOTS)], axis=1), PLACES)


@pytest.mark.parametrize("loss", [values_and_places, one_place, by_coefficients])
def test_forward_mode_and_second_order(loss):
    rng = np.random.default_rng(0)
    moves = rng.normal(size=6), rng.normal(size=3)
    d_y, d_x = grad(loss, (0, 1))(VALUES, PLACES)
    tangent = jvp(loss, (VALUES, PLACES), moves)[1]
    np.testing.assert_allclose(tangent, d_y @ moves[0] + d_x @ moves[1], rtol=1e-9)
    for k, size in ((0, 6), (1, 3)):
        rows = [
            numerical_gradient(lambda *args, i=i, k=k: grad(loss, k)(*args)[i], (VALUES, PLACES), k)
            for i in range(size)
        ]
        np.testing.assert_allclose(hessian(loss, k)(VALUES, PLACES), rows, rtol=1e-5, atol=1e-6)


def test_the_text_is_what_one_would_write():
    def loss(y, x):
        spline = CubicSpline(KNOTS, y)
        return np.sum(spline(x) ** 2)

    gradient = grad(loss, (0, 1))
    gradient(VALUES, PLACES)
    lines = [
        "def loss_grad(y, x, *, KNOTS):",
        "    spline = interpolate.CubicSpline(KNOTS, y)",
        "    height = spline(x)",
        "    d_height = 2 * height",
        "    d_x = d_height * spline(x, 1)",
        "    eye = np.eye(y.size)",
        "    d_y = interpolate.CubicSpline(KNOTS, eye)(x).T @ d_height",
        "    return d_y, d_x",
    ]
    assert gradient.source.splitlines()[4:] == lines


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (lambda y: np.sum(PchipInterpolator(KNOTS, y)(PLACES)), "not linear in its values"),
        (lambda y: np.sum(CubicSpline(y, VALUES)(PLACES)), "not in its knots"),
        (lambda y: np.sum(BSpline(y, VALUES[:2], 3)(PLACES)), "not in its knots"),
        (lambda y: np.sum(BSpline(BREAKS, y, 3, axis=0)(PLACES)), "axis="),
        (lambda y: np.sum(CubicSpline(KNOTS, y, bc_type="periodic")(PLACES)), "bc_type"),
        (lambda y: np.sum(CubicSpline(KNOTS, y, axis=0)(PLACES)), "axis="),
        (lambda y: np.sum(interp1d(KNOTS, y, fill_value=0.0, bounds_error=False)(PLACES)), "fill_value"),
        (lambda y: np.sum(interp1d(KNOTS, VALUES)(y)), "`interp1d` has no derivative in its place"),
        (lambda y: CubicSpline(KNOTS, y).integrate(0.0, 1.0), "`integrate` of a spline"),
    ],
)
def test_what_is_refused(loss, message):
    with pytest.raises(CompileError, match=message):
        grad(loss)(VALUES)

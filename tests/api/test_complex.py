"""Complex numbers: dL = Re(sum(g dz)) for a real L; the complex derivative of an analytic function."""

import numpy as np
import pytest
from referee import numerical_gradient

from srcgrad import grad, hvp, value_and_grad, vjp
from srcgrad.errors import CompileError, GradTypeError

pytestmark = pytest.mark.quick
RNG = np.random.default_rng(3)


def drawn(*shape):
    return RNG.normal(size=shape) + 1j * RNG.normal(size=shape)


def by_parts(f, args, index):
    """dL/dx - i dL/dy by finite differences."""
    x, y = np.real(args[index]), np.imag(args[index])

    def at(z):
        return f(*args[:index], z, *args[index + 1 :])

    return numerical_gradient(lambda x: at(x + 1j * y), [x], 0) - 1j * numerical_gradient(
        lambda y: at(x + 1j * y), [y], 0
    )


def check(f, *args):
    """All gradients, of complex and of real arguments, with their dtypes."""
    found = grad(f, argnums=tuple(range(len(args))))(*args)
    for k, (arg, gradient) in enumerate(zip(args, found, strict=True)):
        is_complex = np.iscomplexobj(arg)
        expected = by_parts(f, args, k) if is_complex else numerical_gradient(f, args, k)
        assert np.asarray(gradient).dtype == np.asarray(arg).dtype
        assert np.shape(gradient) == np.shape(arg)
        np.testing.assert_allclose(gradient, expected, rtol=1e-6, atol=1e-7)


def test_power_spectrum_of_a_real_signal():
    def loss(signal, weights):
        spectrum = np.fft.rfft(signal)
        return np.sum(weights * np.abs(spectrum) ** 2)

    check(loss, RNG.normal(size=7), RNG.normal(size=4))


def test_filter_in_the_frequency_domain():
    def loss(signal, response):
        return np.sum(np.fft.irfft(np.fft.rfft(signal) * response, n=7) ** 2)

    check(loss, RNG.normal(size=7), drawn(4))


def test_spectral_derivative_on_a_periodic_grid():
    def loss(u, length):
        k = 2j * np.pi * np.fft.fftfreq(len(u), length / len(u))
        return np.sum(np.real(np.fft.ifft(k * np.fft.fft(u))) ** 2)

    check(loss, RNG.normal(size=6), 2.5)


def test_phase_retrieval():
    def loss(image, measured):
        return np.sum((np.abs(np.fft.fft2(image)) - measured) ** 2)

    check(loss, drawn(3, 4), RNG.uniform(1, 2, (3, 4)))


def test_complex_least_squares():
    def loss(a, z, y):
        residual = a @ z - y
        return np.real(np.vdot(residual, residual)) + np.linalg.norm(z)

    check(loss, drawn(3, 2), drawn(2), drawn(3))


def test_solving_and_determinants():
    def loss(a, b):
        x = np.linalg.solve(a, b)
        sign, log = np.linalg.slogdet(a)
        return np.abs(np.sum(x * np.conj(x[::-1]))) + log + np.imag(sign) + np.abs(np.linalg.det(a))

    check(loss, drawn(3, 3) + 2 * np.eye(3), drawn(3))


def test_einsum_indexing_and_reductions():
    def loss(z, w):
        total = np.einsum("ij,kj,k->i", z, np.conj(z), w)
        return np.imag(total[0]) + np.real(np.prod(total[1:])) + np.var(z) + np.sum(np.angle(z) ** 2)

    check(loss, drawn(3, 2), drawn(3))


def test_a_loop_over_complex_states():
    def loss(c, z):
        for _ in range(3):
            z = z * z + c
        return np.abs(z)

    check(loss, 0.1 + 0.2j, 0.3 - 0.1j)


def test_a_branch_on_the_modulus():
    def loss(z):
        if np.abs(z) > 1.0:
            z = z / np.abs(z)
        return np.real(z) ** 2 + np.imag(z)

    check(loss, 1.2 + 0.9j)
    check(loss, 0.2 + 0.3j)


def test_eigenvalues_and_gauge_free_eigenvectors():
    def loss(a):
        values, vectors = np.linalg.eig(a)
        return np.sum(np.abs(values) * np.abs(vectors[0]) ** 2) + np.real(np.linalg.eigvals(a @ a)[0])

    check(loss, drawn(3, 3))


def test_hermitian_projectors():
    """The projector on an eigenvector does not depend on its phase."""

    def loss(b, direction):
        values, vectors = np.linalg.eigh(b + np.conj(b.T))
        v = vectors[:, 0]
        return np.abs(np.vdot(v, direction)) ** 2 + np.real(np.vdot(v, b @ v)) + values[1]

    check(loss, drawn(3, 3), drawn(3))


def test_low_rank_approximation():
    """The phases of both sides cancel in u s vh."""

    def loss(a, target):
        u, s, vh = np.linalg.svd(a, full_matrices=False)
        return np.sum(np.abs((u[:, :1] * s[:1] ** 2) @ vh[:1] - target) ** 2)

    check(loss, drawn(3, 2), drawn(3, 2))


def test_single_precision_stays():
    z = drawn(3).astype(np.complex64)
    assert grad(lambda z: np.sum(np.abs(z) ** 2))(z).dtype == np.complex64


def test_numbers_and_containers():
    (dz,) = grad(lambda p: np.real(p["z"][0] * 1j) ** 2)({"z": [1 + 2j]})["z"]
    np.testing.assert_allclose(dz, 2 * (-2.0) * 1j)


# Analytic functions

ANALYTIC = {
    "polynomial": (lambda z: z**3 - 2j * z, lambda z: 3 * z**2 - 2j),
    "exponential": (lambda z: np.exp(1j * z) / z, lambda z: np.exp(1j * z) * (1j / z - 1 / z**2)),
    "logarithm": (lambda z: np.log(z) + np.sqrt(z), lambda z: 1 / z + 0.5 / np.sqrt(z)),
    "hyperbolic": (lambda z: np.tanh(z) + np.arctan(z), lambda z: 1 / np.cosh(z) ** 2 + 1 / (1 + z**2)),
}


@pytest.mark.parametrize(("f", "derivative"), ANALYTIC.values(), ids=ANALYTIC)
def test_complex_derivative(f, derivative):
    z = 0.4 + 0.3j
    value, found = value_and_grad(f, holomorphic=True)(z)
    assert type(found) in (complex, np.complex128)
    np.testing.assert_allclose((value, found), (f(z), derivative(z)), rtol=1e-14)


def test_complex_derivative_in_an_array():
    z = drawn(3)
    found = grad(lambda z: np.sum(z**2) * 1j, holomorphic=True)(z)
    np.testing.assert_allclose(found, 2j * z)


def test_pullback_of_a_complex_result():
    z, d = drawn(3), drawn(3)
    value, pullback = vjp(lambda z: z * z * (1 + 2j), z)
    np.testing.assert_allclose(value, z * z * (1 + 2j))
    np.testing.assert_allclose(pullback(d)[0], d * 2 * z * (1 + 2j))


# Refusals


def test_a_complex_result_names_both_ways():
    with pytest.raises(GradTypeError, match=r"returns complex128.*np\.abs.*holomorphic=True"):
        grad(lambda z: z * z)(1j)


def test_holomorphic_needs_complex_arguments_and_results():
    with pytest.raises(GradTypeError, match="because it is real"):
        grad(lambda x: x * 1j, holomorphic=True)(1.0)
    with pytest.raises(GradTypeError, match="returns a real number"):
        grad(lambda z: np.abs(z), holomorphic=True)(1j)


def test_eig_of_a_real_matrix_is_refused():
    with pytest.raises(CompileError, match=r"real or complex numbers depending on its values") as caught:
        grad(lambda a: np.real(np.sum(np.linalg.eigvals(a))))(np.eye(2))
    assert "a + 0j" in str(caught.value)


def test_negative_imaginary_factors():
    z = drawn(2)
    np.testing.assert_allclose(
        grad(lambda z: np.real(np.sum(-2j * z * (-1.5) * np.exp(z * -1j))))(z), 3j * np.exp(-1j * z) * (1 - 1j * z)
    )


def test_sign_of_a_zero():
    """A modulus that stays 0 leaves the second derivative alone: the lower triangle of R, cubes at 0."""
    z = np.array([0j, 3.0 + 4.0j])
    np.testing.assert_array_equal(grad(lambda z: np.sum(np.real(np.sign(z) * (1 - 2j))))(z)[0], 0)
    np.testing.assert_array_equal(hvp(lambda z: np.sum(np.abs(z) ** 3))(z, np.ones(2) + 0j)[0], 0)


def test_inverse_functions_in_every_quadrant():
    """No step to another branch: sqrt(z * z - 1) would change the sign of arccosh's where Re z < 0."""
    z = np.array([1.5 + 2j, -1.5 + 2j, -0.3 - 0.4j, 2 - 1j])
    check(lambda z: np.real(np.sum(np.arccosh(z) + np.arcsinh(z) * 2j)), z)
    check(lambda z: np.real(np.sum(np.arccos(z) + np.arcsin(z) * 2j)), z)
    check(lambda z: np.imag(np.sum(np.arctan(z) + np.arctanh(z) * 2j)), z)

"""JAX as a second opinion on complex gradients: the same convention, to rounding error."""

import numpy as np
import pytest

from srcgrad import grad

jax = pytest.importorskip("jax")
jax.config.update("jax_enable_x64", True)

RNG = np.random.default_rng(0)
Z = RNG.normal(size=(3, 3)) + 1j * RNG.normal(size=(3, 3))

LOSSES = {
    "modulus": lambda np, z: np.sum(np.abs(z) ** 3),
    "parts": lambda np, z: np.sum(np.real(z) ** 2 + np.imag(z) ** 3),
    "angle": lambda np, z: np.sum(np.angle(z) ** 2),
    "spectrum": lambda np, z: np.sum(np.abs(np.fft.fft(z, axis=0)) ** 2 * np.arange(3)),
    "hermitian transform": lambda np, z: np.sum(np.fft.hfft(z, n=5) ** 3),
    "solution": lambda np, z: np.sum(np.abs(np.linalg.solve(z, z[0])) ** 2),
    "determinant": lambda np, z: np.abs(np.linalg.det(z)) + np.linalg.slogdet(z)[1] ** 2,
    "singular values": lambda np, z: np.sum(np.linalg.svd(z, compute_uv=False) ** 3),
    "eigenvalues": lambda np, z: np.sum(np.abs(np.linalg.eigvals(z)) ** 3),
    "hermitian eigenvalues": lambda np, z: np.sum(np.linalg.eigvalsh(z @ np.conj(z.T)) ** 2),
    "norms": lambda np, z: np.linalg.norm(z) + np.linalg.norm(z, ord=1) + np.linalg.norm(z[0], ord=3),
    "products": lambda np, z: np.real(np.vdot(z, z @ z)) + np.imag(np.einsum("ij,ij->", z, np.conj(z) * 2)),
}


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_gradient_is_that_of_jax(loss):
    def ours(z):
        return loss(np, z)

    expected = jax.grad(lambda z: loss(jax.numpy, z))(Z)
    np.testing.assert_allclose(grad(ours)(Z), expected, rtol=1e-9, atol=1e-11)


def test_direction_of_a_complex_number():
    """JAX gives 0 for the derivative of sign(z) = z / |z|; finite differences say otherwise."""
    z, step = 1.0 + 2.0j, 1e-6
    along = (np.sign(z + step) - np.sign(z - step)).real / (2 * step)
    assert jax.grad(lambda z: jax.numpy.real(jax.numpy.sign(z)))(z) == 0
    np.testing.assert_allclose(grad(lambda z: np.real(np.sign(z)))(z).real, along, rtol=1e-6)

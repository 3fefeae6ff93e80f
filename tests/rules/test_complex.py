"""Complex operands: the gradient g of a real L is the derivative in z itself, so that dL = Re sum(g dz)."""

import numpy as np
import pytest
from symbolic_gradients import gradients

pytestmark = pytest.mark.quick

LOSSES = {
    "product": lambda z: np.real(np.sum(z * z * (1.0 + 2.0j))),
    "quotient": lambda z: np.imag(np.sum(1.0 / z)),
    "power": lambda z: np.real(np.sum(z**3)),
    "exponential": lambda z: np.imag(np.sum(np.exp(z))),
    "sine": lambda z: np.real(np.sum(np.sin(z))),
    "modulus": lambda z: np.sum(np.absolute(z)),
    "squared modulus": lambda z: np.real(np.sum(z * np.conj(z))),
    "real part": lambda z: np.sum(np.real(z) ** 2),
    "imaginary part": lambda z: np.sum(np.imag(z) ** 2),
    "matrix product": lambda z: np.real(np.sum((z @ z.T) @ z)),
    "dot product": lambda z: np.real(np.vdot(z, z)) + np.imag(np.vdot(z[0], z[1])),
    "variance": lambda z: np.sum(np.var(z, axis=1)) + np.std(z),
    "einsum": lambda z: np.imag(np.sum(np.einsum("ij,kj->ik", z, z))),
    "selection": lambda z: np.imag(np.sum(z[1:] * 2.0)) + np.real(np.sum(np.cumsum(z))),
}


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_gradient_in_a_complex_operand(loss):
    rng = np.random.default_rng(0)
    z = rng.normal(size=(2, 3)) + 1j * rng.normal(size=(2, 3))
    (gradient,) = gradients(loss, z)
    assert gradient.dtype == np.complex128
    for place in np.ndindex(z.shape):
        step = np.zeros_like(z)
        step[place] = 1e-6
        along = (loss(z + step) - loss(z - step)) / 2e-6
        across = (loss(z + 1j * step) - loss(z - 1j * step)) / 2e-6
        np.testing.assert_allclose(gradient[place], along - 1j * across, atol=1e-8)


def test_real_operand_of_a_complex_function_has_a_real_gradient():
    (gradient,) = gradients(lambda x: np.real(np.sum(np.exp(1j * x))), np.array([0.5, 1.0]))
    np.testing.assert_allclose(gradient, -np.sin([0.5, 1.0]))
    assert gradient.dtype == np.float64

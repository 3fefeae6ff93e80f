"""What generated code imports: NumPy, and the module of a function that a user's rule brought in."""

import numpy as np
import pytest

from srcgrad import grad
from srcgrad.rules import elementwise

special = pytest.importorskip("scipy.special")


def test_a_function_of_another_library_is_imported_under_its_full_name():
    elementwise(special.expit, lambda d, y, x: d * y * (1 - y), name="scipy.special.expit")

    def loss(x):
        return np.sum(special.expit(x) ** 2)

    x = np.array([0.1, 0.5])
    s = special.expit(x)
    gradient = grad(loss)
    np.testing.assert_allclose(gradient(x), 2 * s * s * (1 - s))
    assert "import scipy.special" in gradient.source

"""The forward half hands over what the backward half needs, and nothing twice."""

import numpy as np
import pytest

from srcgrad import vjp

pytestmark = pytest.mark.quick


def test_a_length_that_the_cotangent_has_is_read_off_it():
    def pooled(x, size):
        rows, columns = x.shape
        return np.mean(x.reshape(rows, columns // size, size), axis=2)

    value, pullback = vjp(pooled, np.arange(12.0).reshape(2, 6), 2, argnums=0)
    np.testing.assert_array_equal(value, [[0.5, 2.5, 4.5], [6.5, 8.5, 10.5]])
    (d_x,) = pullback(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
    np.testing.assert_array_equal(d_x, [[0.5, 0.5, 1.0, 1.0, 1.5, 1.5], [2.0, 2.0, 2.5, 2.5, 3.0, 3.0]])

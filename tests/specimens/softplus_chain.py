"""Nested softplus of Python floats: no arrays anywhere, where every microsecond of overhead shows."""

import numpy as np

WRT = ("a", "b", "c")


def softplus(z):
    return np.log1p(np.exp(z))


def loss(a, b, c, x, y):
    u = softplus(a * x)
    v = softplus(b * u - 1.0)
    w = softplus(c * v + u)
    return (w - y) ** 2


def by_hand(a, b, c, x, y):
    u = np.log1p(np.exp(a * x))
    v = np.log1p(np.exp(b * u - 1.0))
    w = np.log1p(np.exp(c * v + u))
    d_w = 2.0 * (w - y)
    d_zw = d_w * (1.0 - np.exp(-w))  # softplus'(z) = sigmoid(z) = 1 - exp(-softplus(z))
    d_c = d_zw * v
    d_v = d_zw * c
    d_zv = d_v * (1.0 - np.exp(-v))
    d_b = d_zv * u
    d_u = d_zw + d_zv * b
    d_a = d_u * (1.0 - np.exp(-u)) * x
    return d_a, d_b, d_c


def arguments(rng):
    return rng.normal(), rng.normal(), rng.normal(), rng.normal(), rng.normal()

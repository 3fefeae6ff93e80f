"""A long short-term memory: two states carried through time, four gates read from slices of one product."""

import numpy as np

WRT = ("w", "u", "b")


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def loss(w, u, b, xs, target):
    n = len(target)
    h, c = np.zeros(n), np.zeros(n)
    for x in xs:
        gates = w @ x + u @ h + b
        i, f, o = sigmoid(gates[:n]), sigmoid(gates[n : 2 * n]), sigmoid(gates[2 * n : 3 * n])
        g = np.tanh(gates[3 * n :])
        c = f * c + i * g
        h = o * np.tanh(c)
    return np.sum((h - target) ** 2)


def by_hand(w, u, b, xs, target):
    n = len(target)
    h, c = np.zeros(n), np.zeros(n)
    tape = []
    for x in xs:
        gates = w @ x + u @ h + b
        i, f, o = sigmoid(gates[:n]), sigmoid(gates[n : 2 * n]), sigmoid(gates[2 * n : 3 * n])
        g = np.tanh(gates[3 * n :])
        before = h, c
        c = f * c + i * g
        tanh_c = np.tanh(c)
        h = o * tanh_c
        tape.append((x, *before, i, f, o, g, tanh_c))
    d_h, d_c = 2.0 * (h - target), np.zeros(n)
    d_w, d_u, d_b = np.zeros_like(w), np.zeros_like(u), np.zeros_like(b)
    for x, h, c, i, f, o, g, tanh_c in reversed(tape):
        d_c = d_c + d_h * o * (1.0 - tanh_c**2)
        d_i = d_c * g * i * (1.0 - i)
        d_f = d_c * c * f * (1.0 - f)
        d_o = d_h * tanh_c * o * (1.0 - o)
        d_g = d_c * i * (1.0 - g**2)
        d_gates = np.concatenate([d_i, d_f, d_o, d_g])
        d_w += np.outer(d_gates, x)
        d_u += np.outer(d_gates, h)
        d_b += d_gates
        d_h = u.T @ d_gates
        d_c = d_c * f
    return d_w, d_u, d_b


def arguments(rng):
    n, m = 3, 2
    w, u, b = rng.normal(size=(4 * n, m)), rng.normal(size=(4 * n, n)), rng.normal(size=4 * n)
    return w, u, b, rng.normal(size=(5, m)), rng.normal(size=n)

import numpy as np


def recurrent_grad(h, xs, w, u):
    h_steps = []
    for x in xs:
        h_steps.append(h)
        a = np.tanh(w @ h + u @ x)
        gate = 1 / (1 + np.exp(-a))
        h = gate * a + (1 - gate) * h
    d_h = 2 * h
    d_w = np.zeros_like(w)
    d_u = np.zeros_like(u)
    d_xs = np.zeros_like(xs)
    for i, h in zip(reversed(range(len(xs))), reversed(h_steps)):
        x = xs[i]
        a = np.tanh(w @ h + u @ x)
        exp = np.exp(-a)
        total = 1 + exp
        gate = 1 / total
        d_a = d_h * gate - (d_h * h - d_h * a) * gate / total * exp
        d_total = d_a * (1 - a * a)
        d_u += np.outer(d_total, x)
        d_w += np.outer(d_total, h)
        d_h = d_h * (1 - gate) + w.T @ d_total
        d_xs[i] += u.T @ d_total
    return d_h, d_xs, d_w, d_u

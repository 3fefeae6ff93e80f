import numpy as np


def stacked_rows_grad(w, xs):
    h = np.zeros(len(w))
    hs = np.empty((xs.shape[0], w.shape[0]))
    h_steps = []
    for i in range(len(xs)):
        x = xs[i]
        h = np.tanh(w @ x + h)
        h_steps.append(h)
        hs[i] = h
    d_hs = 2.0 / hs.size * hs
    d_h = np.zeros_like(h)
    d_w = np.zeros_like(w)
    for i, h in zip(reversed(range(len(xs))), reversed(h_steps)):
        d_hs_part = d_hs[i]
        d_h = (d_h + d_hs_part) * (1 - h * h)
        d_w += np.outer(d_h, xs[i])
    return (d_w,)

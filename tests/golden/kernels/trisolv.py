import numpy as np


def trisolv_grad(L, x, b):
    x = x.copy()
    history = []
    for i in range(x.shape[0]):
        x_part = x[:i].copy()
        x_i = (b[i] - L[i, :i] @ x[:i]) / L[i, i]
        history.append((x_part, x_i))
        x[i] = x_i
    d_x = 2 * x
    d_L = np.zeros_like(L)
    d_b = np.zeros_like(b)
    for i, (x_part, x_i) in zip(reversed(range(x.shape[0])), reversed(history)):
        d_x_i = d_x[i]
        d_x[i] = 0.0
        d_diff = d_x_i / L[i, i]
        d_L[i, i] -= d_x_i * x_i / L[i, i]
        d_x[:i] -= d_diff * L[i, :i]
        d_L[i, :i] -= d_diff * x_part
        d_b[i] += d_diff
    return d_L, d_x, d_b

import numpy as np


def trisolv_grad(L, x, b):
    x = x.copy()
    history = []
    for i in range(x.shape[0]):
        copy = x[:i].copy()
        ratio = (b[i] - L[i, :i] @ x[:i]) / L[i, i]
        history.append((copy, ratio))
        x[i] = ratio
    d_x = 2 * x
    d_L = np.zeros_like(L)
    d_b = np.zeros_like(b)
    for i, (copy, ratio) in zip(reversed(range(x.shape[0])), reversed(history)):
        part = d_x[i]
        d_x[i] = 0.0
        ratio_1 = part / L[i, i]
        d_L[i, i] -= part * ratio / L[i, i]
        d_x[:i] -= ratio_1 * L[i, :i]
        d_L[i, :i] -= ratio_1 * copy
        d_b[i] += ratio_1
    return d_L, d_x, d_b

import numpy as np


def mvt_grad(x1, x2, y_1, y_2, A):
    x1 = x1.copy()
    x2 = x2.copy()
    x1 = x1 + A @ y_1
    x2 = x2 + y_2 @ A
    d_x1 = x2 + 2 * x1
    d_A = np.outer(y_2, x1) + np.outer(d_x1, y_1)
    d_y_1 = A.T @ d_x1
    return d_x1, x1, d_y_1, A @ x1, d_A

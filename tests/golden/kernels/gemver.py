import numpy as np


def gemver_grad(alpha, beta, A, u1, v1, u2, v2, w, x, y, z):
    A = A.copy()
    w = w.copy()
    x = x.copy()
    A += np.outer(u1, v1) + np.outer(u2, v2)
    product = beta * y
    x = x + (product @ A + z)
    product_1 = alpha * A
    w = w + product_1 @ x
    d_w = 2 * w
    d_x = product_1.T @ d_w
    d_A = np.outer(d_w, x) * alpha + np.outer(product, d_x)
    d_y = A @ d_x * beta
    d_u2 = d_A @ v2
    d_v2 = u2 @ d_A
    d_u1 = d_A @ v1
    d_v1 = u1 @ d_A
    d_z = d_x.copy()
    return d_A, d_u1, d_v1, d_u2, d_v2, d_w, d_x, d_y, d_z

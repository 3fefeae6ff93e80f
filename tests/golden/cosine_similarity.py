import numpy as np


def loss_grad(a, b):
    norm = np.linalg.norm(a)
    norm_1 = np.linalg.norm(b)
    product = norm * norm_1
    similarity = a @ b / product
    ratio = similarity / product
    d_b = ratio * norm / np.where(norm_1 == 0, 1.0, norm_1) * b
    d_a = ratio * norm_1 / np.where(norm == 0, 1.0, norm) * a
    d_a -= b / product
    d_b -= a / product
    return d_a, d_b

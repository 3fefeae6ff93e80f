import numpy as np


def loss_grad(a, b):
    norm = np.linalg.norm(a)
    norm_1 = np.linalg.norm(b)
    product = norm * norm_1
    similarity = a @ b / product
    d_product = similarity / product
    d_b = d_product * norm / (1.0 if norm_1 == 0 else norm_1) * b
    d_a = d_product * norm_1 / (1.0 if norm == 0 else norm) * a
    d_a -= b / product
    d_b -= a / product
    return d_a, d_b

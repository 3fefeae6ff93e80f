import numpy as np


def loss_jvp(w1, w2, x, y, t_w1, t_w2):
    hidden = np.maximum(x @ w1, 0.0)  # relu
    error = hidden @ w2 - y
    t_product = (x @ t_w1 * (hidden > 0.0) @ w2 + hidden @ t_w2) * (2 * error)
    value = np.sum(error ** 2)
    t_value = np.sum(t_product)
    return value, t_value

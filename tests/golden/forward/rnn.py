import numpy as np


def loss_jvp(w_x, w_h, b, w_out, xs, target, t_w_x, t_w_h, t_b, t_w_out):
    h = np.zeros((xs.shape[1], len(b)))
    t_h = np.zeros_like(h)
    for x_t in xs:
        t_total = x_t @ t_w_x + (t_h @ w_h + h @ t_w_h) + t_b
        h = np.tanh(x_t @ w_x + h @ w_h + b)
        t_h = t_total * (1 - h * h)
    error = h @ w_out - target  # only the last state is read out
    value = np.sum(error ** 2)
    t_value = np.sum((t_h @ w_out + h @ t_w_out) * (2 * error))
    return value, t_value

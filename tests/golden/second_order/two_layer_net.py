import numpy as np


def loss_hvp(w1, w2, x, y, t_w1, t_w2):
    hidden = np.maximum(x @ w1, 0.0)  # relu
    above = hidden > 0.0
    t_hidden = x @ t_w1 * above
    error = hidden @ w2 - y
    d_error = 2 * error
    t_d_error = 2 * (t_hidden @ w2 + hidden @ t_w2)
    t_d_w2 = t_hidden.T @ d_error + hidden.T @ t_d_error
    t_d_w1 = x.T @ ((t_d_error @ w2.T + d_error @ t_w2.T) * above)
    return t_d_w1, t_d_w2

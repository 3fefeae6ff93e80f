import numpy as np


def loss_hvp(w_x, w_h, b, w_out, xs, target, t_w_x, t_w_h, t_b, t_w_out):
    h = np.zeros((xs.shape[1], len(b)))
    t_h = np.zeros_like(h)
    history = []
    for x_t in xs:
        history.append((h, t_h))
        t_total = x_t @ t_w_x + (t_h @ w_h + h @ t_w_h) + t_b
        h = np.tanh(x_t @ w_x + h @ w_h + b)
        t_h = t_total * (1 - h * h)
    error = h @ w_out - target  # only the last state is read out
    d_error = 2 * error
    t_d_error = 2 * (t_h @ w_out + h @ t_w_out)
    d_h = d_error @ w_out.T
    t_d_h = t_d_error @ w_out.T + d_error @ t_w_out.T
    t_d_w_out = t_h.T @ d_error + h.T @ t_d_error
    t_d_b = np.zeros_like(b)
    t_d_w_h = np.zeros_like(w_h)
    t_d_w_x = np.zeros_like(w_x)
    for x_t, (h_before, t_h_before) in zip(reversed(xs), reversed(history)):
        diff = 1 - h * h
        d_total = d_h * diff
        t_diff = t_d_h * diff - 2 * (t_h * h) * d_h
        t_d_b += np.sum(t_diff, axis=0)
        t_d_h = t_diff @ w_h.T + d_total @ t_w_h.T
        d_h = d_total @ w_h.T
        t_d_w_h += t_h_before.T @ d_total + h_before.T @ t_diff
        t_d_w_x += x_t.T @ t_diff
        h = h_before
        t_h = t_h_before
    return t_d_w_x, t_d_w_h, t_d_b, t_d_w_out

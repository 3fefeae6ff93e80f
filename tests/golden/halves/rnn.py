import numpy as np


def loss_forward(w_x, w_h, b, w_out, xs, target):
    h = np.zeros((xs.shape[1], len(b)))
    h_steps = []
    for x_t in xs:
        h_steps.append(h)
        h = np.tanh(x_t @ w_x + h @ w_h + b)
    error = h @ w_out - target  # only the last state is read out
    value = np.sum(error ** 2)
    return value, (error, w_out, h, h_steps, xs, w_h)


def loss_backward(error, w_out, h, h_steps, xs, w_h, d_value):
    d_error = 2 * d_value * error
    d_h = d_error @ w_out.T
    d_w_out = h.T @ d_error
    d_b = np.zeros(w_out.shape[0])
    d_w_h = np.zeros_like(w_h)
    d_w_x = np.zeros((xs.shape[2], w_out.shape[0]))
    for x_t, h_before in zip(reversed(xs), reversed(h_steps)):
        d_total = d_h * (1 - h * h)
        d_b += np.sum(d_total, axis=0)
        d_h = d_total @ w_h.T
        d_w_h += h_before.T @ d_total
        d_w_x += x_t.T @ d_total
        h = h_before
    return d_w_x, d_w_h, d_b, d_w_out

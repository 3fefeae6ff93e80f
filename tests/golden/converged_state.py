import numpy as np


def loss_grad(x, w):
    h = np.zeros_like(x)
    h_steps = []
    for _ in range(50):
        new = np.tanh(w * h + x)
        if np.sum((new - h) ** 2) < 1e-08:
            break
        h_steps.append(h)
        h = new
    d_h = 2 * h
    d_x = np.zeros_like(x)
    d_w = 0.0
    for h_before in reversed(h_steps):
        d_total = d_h * (1 - h * h)
        d_x += d_total
        d_w += np.sum(d_total * h_before)
        d_h = d_total * w
        h = h_before
    return d_x, d_w

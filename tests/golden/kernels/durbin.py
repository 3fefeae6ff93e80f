import numpy as np


def durbin_grad(r):
    y = np.empty_like(r)
    alpha = -r[0]
    beta = 1.0
    y[0] = -r[0]
    flip_steps = []
    y_part_steps = []
    flip_steps_1 = []
    beta_steps = []
    alpha_steps = []
    for k in range(1, r.shape[0]):
        beta_steps.append(beta)
        alpha_steps.append(alpha)
        beta *= 1.0 - alpha * alpha
        flip = np.flip(r[:k])
        flip_steps_1.append(flip)
        y_part = y[:k].copy()
        y_part_steps.append(y_part)
        alpha = -(r[k] + np.dot(flip, y[:k])) / beta
        flip = np.flip(y[:k])
        flip_1 = flip.copy()
        flip_steps.append(flip_1)
        y[:k] += alpha * flip
        y[k] = alpha
    d_y = 2 * y
    d_r = np.zeros_like(r)
    d_alpha = 0.0
    d_beta = 0.0
    for k, flip, y_part, flip_1, beta_before, alpha_before in zip(reversed(range(1, r.shape[0])), reversed(flip_steps), reversed(y_part_steps), reversed(flip_steps_1), reversed(beta_steps), reversed(alpha_steps)):
        d_y_k = d_y[k]
        d_y[k] = 0.0
        d_y_part = d_y[:k].copy()
        d_alpha += d_y_k + np.sum(d_y_part * flip)
        d_y[:k] = np.flip(d_y_part * alpha) + d_y_part
        d_negative = d_alpha / beta
        d_beta -= d_alpha * alpha / beta
        d_y[:k] -= d_negative * flip_1
        d_r[:k] += np.flip(-(d_negative * y_part))
        d_r[k] -= d_negative
        d_beta_1 = d_beta * (1.0 - alpha_before * alpha_before)
        d_alpha = -2 * (d_beta * beta_before * alpha_before)
        d_beta = d_beta_1
        alpha = alpha_before
        beta = beta_before
    d_y_0 = d_y[0]
    d_r[0] -= d_y_0
    d_r[0] -= d_alpha
    return (d_r,)

import numpy as np


def durbin_grad(r):
    y = np.empty_like(r)
    alpha = -r[0]
    beta = 1.0
    y[0] = -r[0]
    copy_steps = []
    copy_steps_1 = []
    flip_steps = []
    beta_steps = []
    alpha_steps = []
    for k in range(1, r.shape[0]):
        beta_steps.append(beta)
        alpha_steps.append(alpha)
        beta *= 1.0 - alpha * alpha
        flip = np.flip(r[:k])
        flip_steps.append(flip)
        copy = y[:k].copy()
        copy_steps_1.append(copy)
        alpha = -(r[k] + np.dot(flip, y[:k])) / beta
        flip = np.flip(y[:k])
        copy = flip.copy()
        copy_steps.append(copy)
        y[:k] += alpha * flip
        y[k] = alpha
    d_y = 2 * y
    d_r = np.zeros_like(r)
    d_alpha = 0.0
    d_beta = 0.0
    for k, copy, copy_1, flip, beta_before, alpha_before in zip(reversed(range(1, r.shape[0])), reversed(copy_steps), reversed(copy_steps_1), reversed(flip_steps), reversed(beta_steps), reversed(alpha_steps)):
        part = d_y[k]
        d_y[k] = 0.0
        copy_2 = d_y[:k].copy()
        d_alpha += part + np.sum(copy_2 * copy)
        d_y[:k] = np.flip(copy_2 * alpha)
        d_y[:k] += copy_2
        ratio = d_alpha / beta
        d_beta -= d_alpha * alpha / beta
        d_y[:k] -= ratio * flip
        d_r[:k] += np.flip(-(ratio * copy_1))
        d_r[k] -= ratio
        d_beta_1 = d_beta * (1.0 - alpha_before * alpha_before)
        d_alpha = -2 * (d_beta * beta_before * alpha_before)
        d_beta = d_beta_1
        alpha = alpha_before
        beta = beta_before
    part = d_y[0]
    d_r[0] -= part
    d_r[0] -= d_alpha
    return (d_r,)

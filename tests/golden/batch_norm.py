import numpy as np


def loss_grad(w, gain, shift, x, target, eps=1e-05):
    hidden = x @ w
    diff = hidden - hidden.mean(axis=0)
    root = np.sqrt(hidden.var(axis=0) + eps)
    normal = diff / root
    out = np.tanh(gain * normal + shift)
    d_out = 2.0 / target.size * (out - target)
    d_total = d_out * (1 - out * out)
    d_shift = np.sum(d_total, axis=0)
    d_gain = np.sum(d_total * normal, axis=0)
    d_normal = d_total * gain
    d_diff = d_normal / root
    ratio = np.sum(d_normal * normal / root, axis=0) / root
    d_hidden = d_diff - ratio / x.shape[0] * diff
    d_hidden -= np.sum(d_diff, axis=0) / x.shape[0]
    d_w = x.T @ d_hidden
    return d_w, d_gain, d_shift

import numpy as np


def loss_grad(w, gain, shift, x, target, eps=1e-05):
    hidden = x @ w
    diff = hidden - hidden.mean(axis=0)
    root = np.sqrt(hidden.var(axis=0) + eps)
    normal = diff / root
    out = np.tanh(gain * normal + shift)
    d_out = 2.0 / target.size * (out - target)
    product = d_out * (1 - out * out)
    d_shift = np.sum(product, axis=0)
    d_gain = np.sum(product * normal, axis=0)
    d_normal = product * gain
    ratio = d_normal / root
    ratio_1 = np.sum(d_normal * normal / root, axis=0) / root
    d_hidden = ratio - ratio_1 / x.shape[0] * diff
    d_hidden -= np.sum(ratio, axis=0) / x.shape[0]
    d_w = x.T @ d_hidden
    return d_w, d_gain, d_shift

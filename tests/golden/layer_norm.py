import numpy as np


def loss_grad(x, gain, bias, target, eps=1e-05):
    mean = np.mean(x, axis=-1, keepdims=True)
    centred = x - mean
    variance = np.mean(centred ** 2, axis=-1, keepdims=True)
    root = np.sqrt(variance + eps)
    normal = centred / root
    out = gain * normal + bias
    d_out = 2.0 / x.size * (out - target)
    d_bias = np.sum(d_out, axis=0)
    d_gain = np.sum(d_out * normal, axis=0)
    d_normal = d_out * gain
    d_centred = d_normal / root
    ratio = np.sum(d_normal * normal, axis=1, keepdims=True) / root
    product = ratio / root / x.shape[1] * centred
    d_mean = np.sum(product - d_centred, axis=1, keepdims=True)
    d_x = d_centred - product + d_mean / x.shape[1]
    return d_x, d_gain, d_bias

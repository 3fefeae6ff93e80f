"""Layer normalisation: statistics of each row, kept as columns, reach the result three ways."""

import numpy as np

WRT = ("x", "gain", "bias")


def loss(x, gain, bias, target, eps=1e-5):
    mean = np.mean(x, axis=-1, keepdims=True)
    centred = x - mean
    variance = np.mean(centred**2, axis=-1, keepdims=True)
    normal = centred / np.sqrt(variance + eps)
    out = gain * normal + bias
    return np.mean((out - target) ** 2)


def by_hand(x, gain, bias, target, eps=1e-5):
    mean = np.mean(x, axis=-1, keepdims=True)
    centred = x - mean
    variance = np.mean(centred**2, axis=-1, keepdims=True)
    std = np.sqrt(variance + eps)
    normal = centred / std
    out = gain * normal + bias
    d_out = 2.0 * (out - target) / out.size
    d_gain = np.sum(d_out * normal, axis=0)
    d_bias = np.sum(d_out, axis=0)
    d_normal = d_out * gain
    d_centred = (d_normal - normal * np.mean(d_normal * normal, axis=-1, keepdims=True)) / std
    d_x = d_centred - np.mean(d_centred, axis=-1, keepdims=True)
    return d_x, d_gain, d_bias


def arguments(rng):
    return rng.normal(size=(5, 6)), rng.normal(size=6), rng.normal(size=6), rng.normal(size=(5, 6))

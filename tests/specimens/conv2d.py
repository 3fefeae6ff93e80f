"""A convolution as a sum over the kernel's places: windows of an array, times matrices."""

import numpy as np

WRT = ("weights", "bias")


def loss(weights, bias, images, target):
    k = weights.shape[0]
    h, w = images.shape[1] - k + 1, images.shape[2] - k + 1
    out = np.zeros((len(images), h, w, len(bias))) + bias
    for i in range(k):
        for j in range(k):
            out = out + images[:, i : i + h, j : j + w] @ weights[i, j]
    error = np.tanh(out) - target
    return np.mean(error**2)


def by_hand(weights, bias, images, target):
    k = weights.shape[0]
    h, w = images.shape[1] - k + 1, images.shape[2] - k + 1
    out = np.zeros((len(images), h, w, len(bias))) + bias
    for i in range(k):
        for j in range(k):
            out = out + images[:, i : i + h, j : j + w] @ weights[i, j]
    activation = np.tanh(out)
    error = activation - target
    d_out = 2.0 * error / error.size * (1.0 - activation**2)
    d_bias = d_out.sum(axis=(0, 1, 2))
    d_weights = np.empty_like(weights)
    for i in range(k):
        for j in range(k):
            d_weights[i, j] = np.tensordot(images[:, i : i + h, j : j + w], d_out, axes=([0, 1, 2], [0, 1, 2]))
    return d_weights, d_bias


def arguments(rng):
    weights, bias = rng.normal(size=(3, 3, 2, 4)), rng.normal(size=4)
    return weights, bias, rng.normal(size=(2, 6, 7, 2)), rng.normal(size=(2, 4, 5, 4))

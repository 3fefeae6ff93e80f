import numpy as np


def loss_grad(weights, bias, images, target):
    k = weights.shape[0]
    h = images.shape[1] - k + 1
    w = images.shape[2] - k + 1
    out = np.zeros((len(images), h, w, len(bias))) + bias
    for i in range(k):
        for j in range(k):
            out = out + images[:, i:i + h, j:j + w] @ weights[i, j]
    tanh = np.tanh(out)
    error = tanh - target
    ratio = 2.0 / target.size
    d_out = ratio * error * (1 - tanh * tanh)
    d_weights = np.zeros_like(weights)
    for i in reversed(range(k)):
        for j in reversed(range(k)):
            images_part = images[:, i:i + h, j:j + w]
            d_weights_ij = np.tensordot(images_part, d_out, axes=((0, 1, 2), (0, 1, 2)))
            d_weights[i, j] += d_weights_ij
    d_bias = np.sum(d_out, axis=(0, 1, 2))
    return d_weights, d_bias

import numpy as np


def conv2d_grad(input, weights, bias):
    K = weights.shape[0]
    N = input.shape[0]
    H_out = input.shape[1] - K + 1
    W_out = input.shape[2] - K + 1
    C_out = weights.shape[3]
    output = np.empty((N, H_out, W_out, C_out))
    for i in range(H_out):
        for j in range(W_out):
            output[:, i, j, :] = np.sum(input[:, i:i + K, j:j + K, :, None] * weights[None, :, :, :], axis=(1, 2, 3))
    tanh = np.tanh(output + bias)
    d_output = 1 - tanh * tanh
    d_bias = np.sum(d_output, axis=(0, 1, 2))
    d_weights = np.zeros_like(weights)
    d_input = np.zeros_like(input)
    for i in reversed(range(H_out)):
        for j in reversed(range(W_out)):
            d_output_ij = d_output[:, i, j, :].copy()
            d_output[:, i, j, :] = 0.0
            d_product = np.broadcast_to(d_output_ij[:, None, None, None], (N, K, K, input.shape[3], C_out))
            d_input_part = np.sum(d_product * weights[None, :, :, :], axis=4, keepdims=True)
            total = np.sum(d_product * input[:, i:i + K, j:j + K, :, None], axis=0)
            d_weights += total
            d_input[:, i:i + K, j:j + K, :, None] += d_input_part
    return d_input, d_weights, d_bias

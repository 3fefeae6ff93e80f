import numpy as np


def block_forward(h, w, b, gain):
    centred = h - np.mean(h, axis=1, keepdims=True)
    hidden = np.maximum(centred @ w + b, 0.0)  # relu
    tanh = np.tanh(hidden)
    total = h + gain * tanh
    return total, (w, gain, hidden, tanh)


def block_backward(saved, d_value):
    w, gain, hidden, tanh = saved
    d_centred = d_value * gain * (1 - tanh * tanh) * (hidden > 0.0) @ w.T
    ratio = np.sum(d_centred, axis=1, keepdims=True) / w.shape[0]
    return d_value + d_centred - ratio


def network_grad(x, layers):
    x_1, block_saved = block_forward(x, layers[0][0], layers[0][1], layers[0][2])
    x_1, block_saved_1 = block_forward(x_1, layers[1][0], layers[1][1], layers[1][2])
    x_1, block_saved_2 = block_forward(x_1, layers[2][0], layers[2][1], layers[2][2])
    x_1, block_saved_3 = block_forward(x_1, layers[3][0], layers[3][1], layers[3][2])
    x_1, block_saved_4 = block_forward(x_1, layers[4][0], layers[4][1], layers[4][2])
    x_1, block_saved_5 = block_forward(x_1, layers[5][0], layers[5][1], layers[5][2])
    d_x = 2.0 / x.size * x_1
    d_x = block_backward(block_saved_5, d_x)
    d_x = block_backward(block_saved_4, d_x)
    d_x = block_backward(block_saved_3, d_x)
    d_x = block_backward(block_saved_2, d_x)
    d_x = block_backward(block_saved_1, d_x)
    d_x = block_backward(block_saved, d_x)
    return d_x

import numpy as np


def block_forward(self, x):
    norm_weight = self.norm.weight.data
    inner_weight = self.inner.weight.data
    centred = x - np.mean(x, axis=-1, keepdims=True)
    variance = np.mean(centred ** 2, axis=-1, keepdims=True)
    std = np.sqrt(variance + self.norm.eps)
    scaled = centred / std
    x_1 = scaled * norm_weight
    total_1 = x_1 + self.norm.bias.data
    tanh = np.tanh(total_1 @ inner_weight.T + self.inner.bias.data)
    total = x + tanh
    return total, (norm_weight, inner_weight, centred, std, scaled, total_1, tanh)


def loss_forward(model, x):
    x, block_saved = block_forward(model.blocks[0], x)
    x, block_saved_1 = block_forward(model.blocks[1], x)
    x, block_saved_2 = block_forward(model.blocks[2], x)
    value = np.mean(x ** 2)
    return value, (x, block_saved_2, block_saved_1, block_saved)


def block_backward(saved, d_value):
    norm_weight, inner_weight, centred, std, scaled, total, tanh = saved
    d_total = d_value * (1 - tanh * tanh)
    d_inner_bias = np.sum(d_total, axis=0)
    d_x = d_total @ inner_weight
    d_inner_weight = d_total.T @ total
    d_norm_bias = np.sum(d_x, axis=0)
    d_scaled = d_x * norm_weight
    d_norm_weight = np.sum(d_x * scaled, axis=0)
    d_centred = d_scaled / std
    ratio = np.sum(d_scaled * scaled, axis=1, keepdims=True) / std / std
    product = ratio / norm_weight.size * centred
    d_mean = np.sum(product - d_centred, axis=1, keepdims=True)
    ratio = d_mean / norm_weight.size
    d_x = d_value + (d_centred - product) + ratio
    return d_x, d_norm_weight, d_norm_bias, d_inner_weight, d_inner_bias


def block_backward_2(saved, d_value):
    _, inner_weight, _, _, scaled, total, tanh = saved
    d_total = d_value * (1 - tanh * tanh)
    d_inner_bias = np.sum(d_total, axis=0)
    d_x = d_total @ inner_weight
    d_inner_weight = d_total.T @ total
    d_norm_bias = np.sum(d_x, axis=0)
    d_norm_weight = np.sum(d_x * scaled, axis=0)
    return d_norm_weight, d_norm_bias, d_inner_weight, d_inner_bias


def loss_backward(x, block_saved_2, block_saved_1, block_saved, d_value):
    ratio = d_value / x.size
    d_x, d_norm_weight_2, d_norm_bias_2, d_inner_weight_2, d_inner_bias_2 = block_backward(block_saved_2, ratio * (2 * x))
    d_x, d_norm_weight_1, d_norm_bias_1, d_inner_weight_1, d_inner_bias_1 = block_backward(block_saved_1, d_x)
    d_norm_weight_0, d_norm_bias_0, d_inner_weight_0, d_inner_bias_0 = block_backward_2(block_saved, d_x)
    return d_norm_weight_0, d_norm_bias_0, d_inner_weight_0, d_inner_bias_0, d_norm_weight_1, d_norm_bias_1, d_inner_weight_1, d_inner_bias_1, d_norm_weight_2, d_norm_bias_2, d_inner_weight_2, d_inner_bias_2

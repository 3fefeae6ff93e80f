import numpy as np


def loss_forward(model, x):
    a_weight = model.a.weight.data
    a_bias = model.a.bias.data
    drop_p = model.drop.p
    drop_rng = model.drop.rng
    ln_weight = model.ln.weight.data
    ln_bias = model.ln.bias.data
    ln_eps = model.ln.eps
    b_weight = model.b.weight.data
    b_bias = model.b.bias.data
    tanh = np.tanh(x @ a_weight.T + a_bias)
    draw = drop_rng.random(tanh.shape)
    greater_equal = draw >= drop_p
    diff = 1.0 - drop_p
    ratio = np.where(greater_equal, tanh, 0.0) / diff
    centred = ratio - np.mean(ratio, axis=-1, keepdims=True)
    variance = np.mean(centred ** 2, axis=-1, keepdims=True)
    std = np.sqrt(variance + ln_eps)
    scaled = centred / std
    x_1 = scaled * ln_weight
    total = x_1 + ln_bias
    total_1 = total @ b_weight.T + b_bias
    value = np.mean(total_1 ** 2)
    return value, (total_1, b_weight, total, ln_weight, scaled, std, centred, diff, greater_equal, tanh, x)


def loss_backward(total_1, b_weight, total, ln_weight, scaled, std, centred, diff, greater_equal, tanh, x, d_value):
    ratio = d_value / total_1.size
    d_total = ratio * (2 * total_1)
    d_b_bias = np.sum(d_total, axis=0)
    d_x = d_total @ b_weight
    d_b_weight = d_total.T @ total
    d_ln_bias = np.sum(d_x, axis=0)
    d_scaled = d_x * ln_weight
    d_ln_weight = np.sum(d_x * scaled, axis=0)
    d_centred = d_scaled / std
    ratio = np.sum(d_scaled * scaled, axis=1, keepdims=True) / std / std
    product = ratio / b_weight.shape[1] * centred
    d_mean = np.sum(product - d_centred, axis=1, keepdims=True)
    ratio = d_mean / b_weight.shape[1]
    d_chosen = (d_centred - product + ratio) / diff
    d_total = np.where(greater_equal, d_chosen, 0.0) * (1 - tanh * tanh)
    d_a_bias = np.sum(d_total, axis=0)
    d_a_weight = d_total.T @ x
    return d_a_weight, d_a_bias, d_ln_weight, d_ln_bias, d_b_weight, d_b_bias

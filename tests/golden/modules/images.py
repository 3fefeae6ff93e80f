import numpy as np


def loss_forward(model, x):
    first_weight = model.first.weight.data
    first_bias = model.first.bias.data
    bn_num_features = model.bn.num_features
    bn_num_batches_tracked = model.bn.num_batches_tracked
    bn_momentum = model.bn.momentum
    bn_running_mean = model.bn.running_mean
    bn_running_var = model.bn.running_var
    bn_weight = model.bn.weight.data
    bn_bias = model.bn.bias.data
    bn_eps = model.bn.eps
    second_weight = model.second.weight.data
    second_bias = model.second.bias.data
    stride_0 = model.second._stride[0]
    stride_1 = model.second._stride[1]
    pool_kernel_size = model.pool.kernel_size
    rows = first_weight.shape[2]
    columns = first_weight.shape[3]
    h = x.shape[2] - rows + 1
    w = x.shape[3] - columns + 1
    out = np.zeros((len(first_weight), len(x), h, w), dtype=np.float64)
    for i in range(rows):
        for j in range(columns):
            out += np.tensordot(first_weight[:, :, i, j], x[:, :, i:i + h, j:j + w], axes=(1, 1))
    out = np.swapaxes(out, 0, 1)
    out = out + first_bias[:, None, None]
    mean = np.mean(out, axis=(0, 2, 3))
    variance = np.var(out, axis=(0, 2, 3))
    count = out.size // bn_num_features
    assert count > 1, 'the variance of a batch takes more than one value per channel'
    model.bn.num_batches_tracked = np.copy(bn_num_batches_tracked + 1)
    model.bn.running_mean = bn_running_mean + bn_momentum * (mean - bn_running_mean)
    model.bn.running_var = bn_running_var + bn_momentum * (variance * (count / (count - 1)) - bn_running_var)
    centred = out - mean[:, None, None]
    root = np.sqrt(variance + bn_eps)
    std = root[:, None, None]
    scaled = centred / std
    bn_weight_part = bn_weight[:, None, None]
    x_1 = scaled * bn_weight_part
    tanh = np.tanh(x_1 + bn_bias[:, None, None])
    n = tanh.shape[0]
    height = tanh.shape[2]
    width = tanh.shape[3]
    outputs = second_weight.shape[0]
    inputs = second_weight.shape[1]
    rows_1 = second_weight.shape[2]
    columns_1 = second_weight.shape[3]
    h_1 = (height - (rows_1 - 1) - 1) // stride_0 + 1
    w_1 = (width - (columns_1 - 1) - 1) // stride_1 + 1
    places = h_1 * w_1
    down = stride_0 * (h_1 - 1) + 1
    right = stride_1 * (w_1 - 1) + 1
    kernels = second_weight.reshape(1, outputs, inputs, rows_1, columns_1)
    out_1 = np.zeros((n, 1, outputs, places), dtype=np.float64)
    reshape_steps_steps = []
    for i in range(rows_1):
        reshape_steps = []
        for j in range(columns_1):
            seen = tanh[:, :, i:i + down:stride_0, j:j + right:stride_1]
            reshape = seen.reshape(n, 1, inputs, places)
            reshape_steps.append(reshape)
            out_1 += kernels[:, :, :, i, j] @ reshape
        reshape_steps_steps.append(reshape_steps)
    out_1 = out_1.reshape(n, outputs, h_1, w_1)
    out_1 = out_1 + second_bias[:, None, None]
    n = out_1.shape[0]
    channels = out_1.shape[1]
    height = out_1.shape[2]
    width = out_1.shape[3]
    h_2 = height // pool_kernel_size
    w_2 = width // pool_kernel_size
    product = h_2 * pool_kernel_size
    product_1 = w_2 * pool_kernel_size
    out_part = out_1[:, :, :product, :product_1]
    reshape = out_part.reshape(n, channels, h_2, pool_kernel_size, w_2, pool_kernel_size)
    top = np.max(reshape, axis=(3, 5))
    value = np.mean(top ** 2)
    return value, (h_2, w_2, top, reshape, out_part, h_1, w_1, product, product_1, places, rows_1, reshape_steps_steps, down, columns_1, right, tanh, stride_0, stride_1, kernels, bn_weight_part, scaled, std, out, root, rows, h, columns, w, x)


def loss_backward(h_2, w_2, top, reshape, out_part, h_1, w_1, product, product_1, places, rows_1, reshape_steps, down, columns_1, right, tanh, stride_0, stride_1, kernels, bn_weight_part, scaled, std, out, root, rows, h, columns, w, x, d_value):
    ratio = d_value / top.size
    same = reshape == top[:, :, :, None, :, None]
    total = np.sum(same, axis=(3, 5), keepdims=True)
    d_out_part = ((ratio * (2 * top))[:, :, :, None, :, None] / total * same).reshape(out_part.shape)
    d_out = np.zeros((top.shape[0], top.shape[1], h_1, w_1))
    d_out[:, :, :product, :product_1] = d_out_part
    d_second_bias = np.sum(np.sum(d_out, axis=0), axis=(1, 2))
    d_out = d_out.reshape(top.shape[0], 1, top.shape[1], places)
    d_kernels = np.zeros_like(kernels)
    d_zeros = np.zeros_like(tanh)
    for i, value_steps in zip(reversed(range(rows_1)), reversed(reshape_steps)):
        for j, reshape in zip(reversed(range(columns_1)), reversed(value_steps)):
            seen = tanh[:, :, i:i + down:stride_0, j:j + right:stride_1]
            d_kernels_ij = np.sum(d_out @ reshape.mT, axis=0)
            d_reshape = kernels[:, :, :, i, j].mT @ d_out
            d_seen = d_reshape.reshape(seen.shape)
            d_kernels[:, :, :, i, j] += d_kernels_ij
            d_zeros[:, :, i:i + down:stride_0, j:j + right:stride_1] += d_seen
    d_second_weight = d_kernels.reshape(top.shape[1], kernels.shape[2], rows_1, columns_1)
    d_x = d_zeros * (1 - tanh * tanh)
    d_scaled = d_x * bn_weight_part
    d_bn_bias = np.sum(np.sum(d_x, axis=0), axis=(1, 2))
    d_bn_weight = np.sum(np.sum(d_x * scaled, axis=0), axis=(1, 2))
    d_centred = d_scaled / std
    total = np.sum(np.sum(d_scaled * scaled / std, axis=0), axis=(1, 2))
    total_1 = np.sum(np.sum(d_centred, axis=0), axis=(1, 2))
    ratio = total / root
    ratio = ratio / (tanh.shape[0] * tanh.shape[2] * tanh.shape[3])
    product = ratio[None, :, None, None] * (out - np.mean(out, axis=(0, 2, 3), keepdims=True))
    ratio = total_1 / (tanh.shape[0] * tanh.shape[2] * tanh.shape[3])
    d_out = d_centred - product - ratio[None, :, None, None]
    d_first_bias = np.sum(np.sum(d_out, axis=0), axis=(1, 2))
    d_out = np.swapaxes(d_out, 0, 1)
    d_first_weight = np.zeros((tanh.shape[1], 1, rows, columns))
    for i in reversed(range(rows)):
        for j in reversed(range(columns)):
            x_part = x[:, :, i:i + h, j:j + w]
            d_first_weight_ij = np.tensordot(d_out, x_part, axes=((1, 2, 3), (0, 2, 3)))
            d_first_weight[:, :, i, j] += d_first_weight_ij
    return d_first_weight, d_first_bias, d_bn_weight, d_bn_bias, d_second_weight, d_second_bias

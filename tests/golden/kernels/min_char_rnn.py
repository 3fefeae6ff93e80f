import numpy as np


def min_char_rnn_grad(Wxh, Whh, Why, bh, by, inputs, targets, hprev):
    inputs_0 = inputs[0]
    inputs_1 = inputs[1]
    inputs_2 = inputs[2]
    targets_0 = targets[0]
    targets_1 = targets[1]
    targets_2 = targets[2]
    copy = np.copy(hprev)
    zeros = np.zeros((Wxh.shape[1], 1))
    zeros[inputs_0] = 1
    tanh = np.tanh(np.dot(Wxh, zeros) + np.dot(Whh, copy) + bh)
    total = np.dot(Why, tanh) + by
    exp = np.exp(total)
    exp_1 = np.exp(total)
    total = np.sum(exp_1)
    ratio = exp / total
    zeros_1 = np.zeros((Wxh.shape[1], 1))
    zeros_1[inputs_1] = 1
    tanh_1 = np.tanh(np.dot(Wxh, zeros_1) + np.dot(Whh, tanh) + bh)
    total_1 = np.dot(Why, tanh_1) + by
    exp_2 = np.exp(total_1)
    exp_3 = np.exp(total_1)
    total_1 = np.sum(exp_3)
    ratio_1 = exp_2 / total_1
    zeros_2 = np.zeros((Wxh.shape[1], 1))
    zeros_2[inputs_2] = 1
    tanh_2 = np.tanh(np.dot(Wxh, zeros_2) + np.dot(Whh, tanh_1) + bh)
    total_2 = np.dot(Why, tanh_2) + by
    exp_4 = np.exp(total_2)
    exp_5 = np.exp(total_2)
    total_2 = np.sum(exp_5)
    ratio_2 = exp_4 / total_2
    d_zeros = np.zeros_like(by)
    changed = d_zeros.copy()
    changed[targets_2, 0] = -1.0 / ratio_2[targets_2, 0]
    not_equal = changed != 0
    chosen = np.where(not_equal, -(changed * ratio_2 / total_2), 0.0)
    product = np.where(not_equal, changed / total_2, 0.0) * exp_4
    d_by = np.sum(chosen) * exp_5 + product
    d_bh = Why.T @ d_by * (1 - tanh_2 * tanh_2)
    changed = d_zeros.copy()
    changed[targets_1, 0] = -1.0 / ratio_1[targets_1, 0]
    not_equal = changed != 0
    chosen = np.where(not_equal, -(changed * ratio_1 / total_1), 0.0)
    product = np.where(not_equal, changed / total_1, 0.0) * exp_2
    total_1 = np.sum(chosen) * exp_3 + product
    d_Why = d_by @ tanh_2.T + total_1 @ tanh_1.T
    product = (Whh.T @ d_bh + Why.T @ total_1) * (1 - tanh_1 * tanh_1)
    d_Whh = d_bh @ tanh_1.T + product @ tanh.T
    d_Wxh = d_bh @ zeros_2.T + product @ zeros_1.T
    d_zeros[targets_0, 0] = -1.0 / ratio[targets_0, 0]
    not_equal = d_zeros != 0
    chosen = np.where(not_equal, -(d_zeros * ratio / total), 0.0)
    product_1 = np.where(not_equal, d_zeros / total, 0.0) * exp
    total = np.sum(chosen) * exp_1 + product_1
    d_by += total_1 + total
    d_Why += total @ tanh.T
    total = Whh.T @ product + Why.T @ total
    product_1 = total * (1 - tanh * tanh)
    d_bh += product + product_1
    d_Whh += product_1 @ copy.T
    d_hprev = Whh.T @ product_1
    d_Wxh += product_1 @ zeros.T
    return d_Wxh, d_Whh, d_Why, d_bh, d_by, d_hprev

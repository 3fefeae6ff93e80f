import numpy as np


def tree_sum_forward(x):
    same = len(x) == 1
    if same:
        x_0 = x[0]
        result = np.sin(x_0)
        tree_sum_saved = None
        half = None
        tree_sum_saved_1 = None
    else:
        half = len(x) // 2
        value, tree_sum_saved_1 = tree_sum_forward(x[:half])
        value_1, tree_sum_saved = tree_sum_forward(x[half:])
        result = value + value_1
        x_0 = None
    return result, (x, same, x_0, tree_sum_saved, half, tree_sum_saved_1)


def tree_sum_backward(saved, d_result):
    x, same, x_0, tree_sum_saved, half, tree_sum_saved_1 = saved
    if same:
        d_x = np.zeros_like(x)
        d_x[0] = d_result * np.cos(x_0)
    else:
        d_x_part = tree_sum_backward(tree_sum_saved, d_result)
        d_x = np.zeros_like(x)
        d_x[half:] = d_x_part
        d_x_part = tree_sum_backward(tree_sum_saved_1, d_result)
        d_x[:half] += d_x_part
    return d_x


def tree_sum_grad(x):
    _, tree_sum_saved = tree_sum_forward(x)
    d_x = tree_sum_backward(tree_sum_saved, 1.0)
    return d_x

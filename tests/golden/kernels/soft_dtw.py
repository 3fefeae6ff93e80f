import numpy as np


def soft_dtw_grad(x, y, gamma):
    n = len(x)
    m = len(y)
    total = m + 1
    R = np.full((n + 1, total), 10000000000.0)
    R[0, 0] = 0.0
    total_1 = n + 1
    history = []
    for i in range(1, total_1):
        total_steps = []
        exp_steps = []
        before_steps = []
        top_steps = []
        for j in range(1, m + 1):
            cost = (x[i - 1] - y[j - 1]) ** 2
            before = np.stack([R[i - 1, j], R[i, j - 1], R[i - 1, j - 1]]) / -gamma
            before_steps.append(before)
            top = np.max(before)
            top_steps.append(top)
            exp = np.exp(before - top)
            exp_steps.append(exp)
            total_2 = np.sum(exp)
            total_steps.append(total_2)
            R[i, j] = cost - gamma * (top + np.log(total_2))
        history.append((total_steps, exp_steps, before_steps, top_steps))
    d_R = np.zeros_like(R)
    d_R[n, m] = 1.0
    d_y = np.zeros_like(y)
    d_x = np.zeros_like(x)
    for i, (total_steps, exp_steps, before_steps, top_steps) in zip(reversed(range(1, total_1)), reversed(history)):
        diff = i - 1
        negative = -gamma
        for j, total_steps_1, exp_steps_1, before, top in zip(reversed(range(1, total)), reversed(total_steps), reversed(exp_steps), reversed(before_steps), reversed(top_steps)):
            diff_1 = j - 1
            d_cost = d_R[i, j]
            d_R[i, j] = 0.0
            product = d_cost * gamma
            product_1 = product / total_steps_1 * exp_steps_1
            same = before == top
            product = (np.sum(product_1) - product) / np.sum(same) * same
            ratio = (product - product_1) / negative
            d_R[diff, diff_1] += ratio[2]
            d_R[i, diff_1] += ratio[1]
            d_R[diff, j] += ratio[0]
            product = d_cost * (2 * (x[diff] - y[diff_1]))
            d_y[diff_1] -= product
            d_x[diff] += product
    return d_x, d_y

import numpy as np


def soft_dtw_grad(x, y, gamma):
    n = len(x)
    m = len(y)
    R = np.full((n + 1, m + 1), 10000000000.0)
    R[0, 0] = 0.0
    history = []
    for i in range(1, n + 1):
        total_steps = []
        exp_steps = []
        before_steps = []
        top_steps = []
        for j in range(1, m + 1):
            cost = (x[i - 1] - y[j - 1]) ** 2
            before = np.array([R[i - 1, j], R[i, j - 1], R[i - 1, j - 1]]) / -gamma
            before_steps.append(before)
            top = np.max(before)
            top_steps.append(top)
            exp = np.exp(before - top)
            exp_steps.append(exp)
            total = np.sum(exp)
            total_steps.append(total)
            R[i, j] = cost - gamma * (top + np.log(total))
        history.append((total_steps, exp_steps, before_steps, top_steps))
    d_R = np.zeros_like(R)
    d_R[n, m] = 1.0
    d_y = np.zeros_like(y)
    d_x = np.zeros_like(x)
    for i, (total_steps, exp_steps, before_steps, top_steps) in zip(reversed(range(1, n + 1)), reversed(history)):
        negative = -gamma
        for j, total, exp, before, top in zip(reversed(range(1, m + 1)), reversed(total_steps), reversed(exp_steps), reversed(before_steps), reversed(top_steps)):
            d_cost = d_R[i, j]
            d_R[i, j] = 0.0
            product = d_cost * gamma
            product_1 = product / total * exp
            same = before == top
            product = (np.sum(product_1) - product) / np.sum(same) * same
            d_stacked = (product - product_1) / negative
            d_R[i - 1, j - 1] += d_stacked[2]
            d_R[i, j - 1] += d_stacked[1]
            d_R[i - 1, j] += d_stacked[0]
            d_diff = d_cost * (2 * (x[i - 1] - y[j - 1]))
            d_y[j - 1] -= d_diff
            d_x[i - 1] += d_diff
    return d_x, d_y

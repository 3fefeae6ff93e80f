import numpy as np


def gauss_with_pivots_grad(A, b):
    A = A.copy()
    b = b.copy()
    n = len(b)
    history = []
    for k in range(n - 1):
        p = k + np.argmax(np.absolute(A[k:, k]))
        stacked = np.array([p, k])
        stacked_1 = np.array([k, p])
        A[stacked_1] = A[stacked]
        b_1 = b.copy()
        b_1[k] = b[p]
        b_1[p] = b[k]
        b_k_steps = []
        factor_steps = []
        A_k_steps = []
        A_kk_steps = []
        b = b_1
        for i in range(k + 1, n):
            A_kk = A[k, k]
            A_kk_steps.append(A_kk)
            factor = A[i, k] / A_kk
            factor_steps.append(factor)
            A_k = A[k, k:].copy()
            A_k_steps.append(A_k)
            A[i, k:] -= factor * A[k, k:]
            b_k = b[k]
            b_k_steps.append(b_k)
            b[i] -= factor * b_k
        history.append((p, stacked, stacked_1, b_k_steps, factor_steps, A_k_steps, A_kk_steps))
    x = np.zeros(n)
    history_1 = []
    for i in range(n - 1, -1, -1):
        x_part = x[i + 1:]
        x_part_1 = x_part.copy()
        x_i = (b[i] - A[i, i + 1:] @ x_part) / A[i, i]
        history_1.append((x_part_1, x_i))
        x[i] = x_i
    d_x = 2 * x
    d_A = np.zeros_like(A)
    d_b = np.zeros_like(b)
    for i, (x_part, x_i) in zip(reversed(range(n - 1, -1, -1)), reversed(history_1)):
        d_x_i = d_x[i]
        d_x[i] = 0.0
        d_diff = d_x_i / A[i, i]
        d_A[i, i] -= d_x_i * x_i / A[i, i]
        d_x[i + 1:] -= d_diff * A[i, i + 1:]
        d_A[i, i + 1:] -= d_diff * x_part
        d_b[i] += d_diff
    for k, (p, stacked, stacked_1, b_k_steps, factor_steps, A_k_steps, A_kk_steps) in zip(reversed(range(n - 1)), reversed(history)):
        for i, b_k, factor, A_k, A_kk in zip(reversed(range(k + 1, n)), reversed(b_k_steps), reversed(factor_steps), reversed(A_k_steps), reversed(A_kk_steps)):
            d_b_i = d_b[i]
            product = d_b_i * b_k
            d_b[k] -= d_b_i * factor
            d_A_i = d_A[i, k:].copy()
            total = np.sum(d_A_i * A_k)
            d_A[k, k:] -= d_A_i * factor
            d_A[k, k] += (total + product) * factor / A_kk
            d_A[i, k] += (-product - total) / A_kk
        d_b_p = d_b[p]
        d_b[p] = 0.0
        d_b_k = d_b[k]
        d_b[k] = d_b_p
        d_b[p] += d_b_k
        d_A_part = d_A[stacked_1]
        rows = np.arange(2)
        last = np.zeros(d_A.shape[0], dtype=np.int64)
        last[stacked_1] = rows
        d_A_part = np.where((last[stacked_1] == rows)[:, None], d_A_part, 0.0)
        d_A[stacked_1] = 0.0
        np.add.at(d_A, stacked, d_A_part)
    return d_A, d_b

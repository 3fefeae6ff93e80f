import numpy as np


def gauss_with_pivots_grad(A, b):
    A = A.copy()
    b = b.copy()
    n = len(b)
    diff = n - 1
    history = []
    for k in range(diff):
        p = k + np.argmax(np.absolute(A[k:, k]))
        stacked = np.stack([p, k])
        stacked_1 = np.stack([k, p])
        A[stacked_1] = A[stacked]
        b_1 = b.copy()
        b_1[k] = b[p]
        b_1[p] = b[k]
        part_steps = []
        factor_steps = []
        copy_steps = []
        part_steps_1 = []
        b = b_1
        for i in range(k + 1, n):
            part = A[k, k]
            part_steps_1.append(part)
            factor = A[i, k] / part
            factor_steps.append(factor)
            copy = A[k, k:].copy()
            copy_steps.append(copy)
            A[i, k:] -= factor * A[k, k:]
            part = b[k]
            part_steps.append(part)
            b[i] -= factor * part
        history.append((p, stacked, stacked_1, part_steps, factor_steps, copy_steps, part_steps_1))
    x = np.zeros(n)
    diff_1 = n - 1
    history_1 = []
    for i in range(diff_1, -1, -1):
        part = x[i + 1:]
        copy = part.copy()
        ratio = (b[i] - A[i, i + 1:] @ part) / A[i, i]
        history_1.append((copy, ratio))
        x[i] = ratio
    d_x = 2 * x
    d_A = np.zeros_like(A)
    d_b = np.zeros_like(b)
    for i, (copy, ratio) in zip(reversed(range(diff_1, -1, -1)), reversed(history_1)):
        total = i + 1
        part = d_x[i]
        d_x[i] = 0.0
        ratio_1 = part / A[i, i]
        d_A[i, i] -= part * ratio / A[i, i]
        d_x[total:] -= ratio_1 * A[i, total:]
        d_A[i, total:] -= ratio_1 * copy
        d_b[i] += ratio_1
    for k, (p, stacked, stacked_1, part_steps, factor_steps, copy_steps, part_steps_1) in zip(reversed(range(diff)), reversed(history)):
        for i, part_steps_2, factor, copy_steps_1, part_steps_3 in zip(reversed(range(k + 1, n)), reversed(part_steps), reversed(factor_steps), reversed(copy_steps), reversed(part_steps_1)):
            part = d_b[i]
            product = part * part_steps_2
            d_b[k] -= part * factor
            copy = d_A[i, k:].copy()
            total = np.sum(copy * copy_steps_1)
            d_A[k, k:] -= copy * factor
            d_A[k, k] += (total + product) * factor / part_steps_3
            d_A[i, k] += (-product - total) / part_steps_3
        part = d_b[p]
        d_b[p] = 0.0
        part_1 = d_b[k]
        d_b[k] = part
        d_b[p] += part_1
        part = d_A[stacked_1]
        rows = np.arange(2)
        last = np.zeros(d_A.shape[0], dtype=np.int64)
        last[stacked_1] = rows
        chosen = np.where((last[stacked_1] == rows)[:, None], part, 0.0)
        d_A[stacked_1] = 0.0
        np.add.at(d_A, stacked, chosen)
    return d_A, d_b

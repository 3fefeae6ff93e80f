import numpy as np


def cholesky_grad(A):
    A = A.copy()
    root = np.sqrt(A[0, 0])
    A[0, 0] = root
    history = []
    for i in range(1, A.shape[0]):
        part_steps = []
        ratio_steps = []
        copy_steps = []
        copy_steps_1 = []
        for j in range(i):
            copy = A[i, :j].copy()
            copy_steps_1.append(copy)
            copy = A[j, :j].copy()
            copy_steps.append(copy)
            A[i, j] -= np.dot(A[i, :j], A[j, :j])
            part = A[j, j]
            part_steps.append(part)
            ratio = A[i, j] / part
            ratio_steps.append(ratio)
            A[i, j] = ratio
        copy = A[i, :i].copy()
        copy_1 = A[i, :i].copy()
        A[i, i] -= np.dot(A[i, :i], A[i, :i])
        root_1 = np.sqrt(A[i, i])
        history.append((part_steps, ratio_steps, copy_steps, copy_steps_1, copy, copy_1, root_1))
        A[i, i] = root_1
    d_A = np.tril(3 * np.tril(A) ** 2)
    for i, (part_steps, ratio_steps, copy_steps, copy_steps_1, copy, copy_1, root_1) in zip(reversed(range(1, A.shape[0])), reversed(history)):
        part = d_A[i, i]
        d_A[i, i] = part / (2 * root_1)
        part = d_A[i, i]
        d_A[i, :i] -= part * copy
        d_A[i, :i] -= part * copy_1
        for j, part_steps_1, ratio_steps_1, copy_steps_2, copy_steps_3 in zip(reversed(range(i)), reversed(part_steps), reversed(ratio_steps), reversed(copy_steps), reversed(copy_steps_1)):
            part = d_A[i, j]
            d_A[i, j] = part / part_steps_1
            d_A[j, j] -= part * ratio_steps_1 / part_steps_1
            part = d_A[i, j]
            d_A[j, :j] -= part * copy_steps_3
            d_A[i, :j] -= part * copy_steps_2
    part = d_A[0, 0]
    d_A[0, 0] = part / (2 * root)
    return (d_A,)

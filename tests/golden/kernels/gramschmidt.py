import numpy as np


def gramschmidt_grad(A):
    A = A.copy()
    Q = np.zeros_like(A)
    R = np.zeros((A.shape[1], A.shape[1]), dtype=np.float64)
    history = []
    for k in range(A.shape[1]):
        copy = A[:, k].copy()
        copy_1 = A[:, k].copy()
        nrm = np.dot(A[:, k], A[:, k])
        root = np.sqrt(nrm)
        R[k, k] = root
        ratio = A[:, k] / R[k, k]
        Q[:, k] = ratio
        product_steps = []
        copy_steps = []
        copy_steps_1 = []
        copy_steps_2 = []
        for j in range(k + 1, A.shape[1]):
            copy_2 = Q[:, k].copy()
            copy_steps_2.append(copy_2)
            copy_2 = A[:, j].copy()
            copy_steps_1.append(copy_2)
            product = np.dot(Q[:, k], A[:, j])
            product_steps.append(product)
            R[k, j] = product
            copy_2 = Q[:, k].copy()
            copy_steps.append(copy_2)
            A[:, j] -= Q[:, k] * R[k, j]
        history.append((copy, copy_1, root, ratio, product_steps, copy_steps, copy_steps_1, copy_steps_2))
    d_R = 2 * R
    d_Q = 3 * Q ** 2
    d_A = np.zeros_like(A)
    for k, (copy, copy_1, root, ratio, product_steps, copy_steps, copy_steps_1, copy_steps_2) in zip(reversed(range(A.shape[1])), reversed(history)):
        for j, product_steps_1, copy_steps_3, copy_steps_4, copy_steps_5 in zip(reversed(range(k + 1, A.shape[1])), reversed(product_steps), reversed(copy_steps), reversed(copy_steps_1), reversed(copy_steps_2)):
            copy_2 = d_A[:, j].copy()
            d_R[k, j] -= np.sum(copy_2 * copy_steps_3)
            d_Q[:, k] -= copy_2 * product_steps_1
            part = d_R[k, j]
            d_R[k, j] = 0.0
            d_A[:, j] += part * copy_steps_5
            d_Q[:, k] += part * copy_steps_4
        copy_2 = d_Q[:, k].copy()
        d_Q[:, k] = 0.0
        d_R[k, k] -= np.sum(copy_2 * ratio / root)
        d_A[:, k] += copy_2 / root
        part = d_R[k, k]
        d_R[k, k] = 0.0
        d_nrm = part / (2 * root) if part != 0 else 0.0
        d_A[:, k] += d_nrm * copy
        d_A[:, k] += d_nrm * copy_1
    return (d_A,)

import numpy as np


def gramschmidt_grad(A):
    A = A.copy()
    Q = np.zeros_like(A)
    R = np.zeros((A.shape[1], A.shape[1]), dtype=np.float64)
    history = []
    for k in range(A.shape[1]):
        A_k = A[:, k].copy()
        A_k_1 = A[:, k].copy()
        nrm = np.dot(A[:, k], A[:, k])
        R_kk = np.sqrt(nrm)
        R[k, k] = R_kk
        Q_k = A[:, k] / R[k, k]
        Q[:, k] = Q_k
        R_kj_steps = []
        Q_k_steps = []
        A_j_steps = []
        Q_k_steps_1 = []
        for j in range(k + 1, A.shape[1]):
            Q_k_1 = Q[:, k].copy()
            Q_k_steps_1.append(Q_k_1)
            A_j = A[:, j].copy()
            A_j_steps.append(A_j)
            R_kj = np.dot(Q[:, k], A[:, j])
            R_kj_steps.append(R_kj)
            R[k, j] = R_kj
            Q_k_1 = Q[:, k].copy()
            Q_k_steps.append(Q_k_1)
            A[:, j] -= Q[:, k] * R[k, j]
        history.append((A_k, A_k_1, R_kk, Q_k, R_kj_steps, Q_k_steps, A_j_steps, Q_k_steps_1))
    d_R = 2 * R
    d_Q = 3 * Q ** 2
    d_A = np.zeros_like(A)
    for k, (A_k, A_k_1, R_kk, Q_k, R_kj_steps, Q_k_steps, A_j_steps, Q_k_steps_1) in zip(reversed(range(A.shape[1])), reversed(history)):
        for j, R_kj, Q_k_1, A_j, Q_k_2 in zip(reversed(range(k + 1, A.shape[1])), reversed(R_kj_steps), reversed(Q_k_steps), reversed(A_j_steps), reversed(Q_k_steps_1)):
            d_A_j = d_A[:, j].copy()
            d_R[k, j] -= np.sum(d_A_j * Q_k_1)
            d_Q[:, k] -= d_A_j * R_kj
            d_R_kj = d_R[k, j]
            d_R[k, j] = 0.0
            d_A[:, j] += d_R_kj * Q_k_2
            d_Q[:, k] += d_R_kj * A_j
        d_Q_k = d_Q[:, k].copy()
        d_Q[:, k] = 0.0
        d_R[k, k] -= np.sum(d_Q_k * Q_k / R_kk)
        d_A[:, k] += d_Q_k / R_kk
        d_R_kk = d_R[k, k]
        d_R[k, k] = 0.0
        d_nrm = d_R_kk / (2 * R_kk) if d_R_kk != 0 else 0.0
        d_A[:, k] += d_nrm * A_k
        d_A[:, k] += d_nrm * A_k_1
    return (d_A,)

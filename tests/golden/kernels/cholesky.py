import numpy as np


def cholesky_grad(A):
    A = A.copy()
    A_00 = np.sqrt(A[0, 0])
    A[0, 0] = A_00
    history = []
    for i in range(1, A.shape[0]):
        A_jj_steps = []
        A_ij_steps = []
        A_j_steps = []
        A_i_steps = []
        for j in range(i):
            A_i = A[i, :j].copy()
            A_i_steps.append(A_i)
            A_j = A[j, :j].copy()
            A_j_steps.append(A_j)
            A[i, j] -= np.dot(A[i, :j], A[j, :j])
            A_jj = A[j, j]
            A_jj_steps.append(A_jj)
            A_ij = A[i, j] / A_jj
            A_ij_steps.append(A_ij)
            A[i, j] = A_ij
        A_i = A[i, :i].copy()
        A_i_1 = A[i, :i].copy()
        A[i, i] -= np.dot(A[i, :i], A[i, :i])
        A_ii = np.sqrt(A[i, i])
        history.append((A_jj_steps, A_ij_steps, A_j_steps, A_i_steps, A_i, A_i_1, A_ii))
        A[i, i] = A_ii
    d_A = np.tril(3 * np.tril(A) ** 2)
    for i, (A_jj_steps, A_ij_steps, A_j_steps, A_i_steps, A_i, A_i_1, A_ii) in zip(reversed(range(1, A.shape[0])), reversed(history)):
        d_A_ii = d_A[i, i]
        d_A[i, i] = d_A_ii / (2 * A_ii)
        d_A_ii = d_A[i, i]
        d_A[i, :i] -= d_A_ii * A_i
        d_A[i, :i] -= d_A_ii * A_i_1
        for j, A_jj, A_ij, A_j, A_i in zip(reversed(range(i)), reversed(A_jj_steps), reversed(A_ij_steps), reversed(A_j_steps), reversed(A_i_steps)):
            d_A_ij = d_A[i, j]
            d_A[i, j] = d_A_ij / A_jj
            d_A[j, j] -= d_A_ij * A_ij / A_jj
            d_A_ij = d_A[i, j]
            d_A[j, :j] -= d_A_ij * A_i
            d_A[i, :j] -= d_A_ij * A_j
    d_A_00 = d_A[0, 0]
    d_A[0, 0] = d_A_00 / (2 * A_00)
    return (d_A,)

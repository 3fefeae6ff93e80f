def lu_grad(A):
    A = A.copy()
    N = A.shape[0]
    history = []
    for i in range(N):
        A_jj_steps = []
        A_ij_steps = []
        A_j_steps = []
        A_i_steps = []
        for j in range(i):
            A_i = A[i, :j].copy()
            A_i_steps.append(A_i)
            A_j = A[:j, j].copy()
            A_j_steps.append(A_j)
            A[i, j] -= A[i, :j] @ A[:j, j]
            A_jj = A[j, j]
            A_jj_steps.append(A_jj)
            A_ij = A[i, j] / A_jj
            A_ij_steps.append(A_ij)
            A[i, j] = A_ij
        A_j_steps_1 = []
        A_i_steps_1 = []
        for j in range(i, N):
            A_i = A[i, :i].copy()
            A_i_steps_1.append(A_i)
            A_j = A[:i, j].copy()
            A_j_steps_1.append(A_j)
            A[i, j] -= A[i, :i] @ A[:i, j]
        history.append((A_jj_steps, A_ij_steps, A_j_steps, A_i_steps, A_j_steps_1, A_i_steps_1))
    d_A = 2 * A
    for i, (A_jj_steps, A_ij_steps, A_j_steps, A_i_steps, A_j_steps_1, A_i_steps_1) in zip(reversed(range(N)), reversed(history)):
        for j, A_j, A_i in zip(reversed(range(i, N)), reversed(A_j_steps_1), reversed(A_i_steps_1)):
            d_A_ij = d_A[i, j]
            d_A[:i, j] -= d_A_ij * A_i
            d_A[i, :i] -= d_A_ij * A_j
        for j, A_jj, A_ij, A_j, A_i in zip(reversed(range(i)), reversed(A_jj_steps), reversed(A_ij_steps), reversed(A_j_steps), reversed(A_i_steps)):
            d_A_ij = d_A[i, j]
            d_A[i, j] = d_A_ij / A_jj
            d_A[j, j] -= d_A_ij * A_ij / A_jj
            d_A_ij = d_A[i, j]
            d_A[:j, j] -= d_A_ij * A_i
            d_A[i, :j] -= d_A_ij * A_j
    return (d_A,)

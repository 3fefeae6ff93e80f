def seidel_2d_grad(A, steps):
    A = A.copy()
    n = len(A)
    for _ in range(steps):
        for i in range(1, n - 1):
            A[i, 1:-1] += A[i - 1, :-2] + A[i - 1, 1:-1] + A[i - 1, 2:] + A[i, 2:] + A[i + 1, :-2] + A[i + 1, 1:-1]
            A[i, 1:-1] += A[i + 1, 2:]
            for j in range(1, n - 1):
                A[i, j] += A[i, j - 1]
                A[i, j] /= 9.0
    d_A = 2 * A
    for _ in range(steps):
        for i in reversed(range(1, n - 1)):
            for j in reversed(range(1, n - 1)):
                d_A_ij = d_A[i, j]
                d_A[i, j] = d_A_ij / 9.0
                d_A_ij = d_A[i, j]
                d_A[i, j - 1] += d_A_ij
            d_A_i = d_A[i, 1:-1]
            d_A[i + 1, 2:] += d_A_i
            d_A_i = d_A[i, 1:-1].copy()
            d_A[i + 1, 1:-1] += d_A_i
            d_A[i + 1, :-2] += d_A_i
            d_A[i, 2:] += d_A_i
            d_A[i - 1, 2:] += d_A_i
            d_A[i - 1, 1:-1] += d_A_i
            d_A[i - 1, :-2] += d_A_i
    return (d_A,)

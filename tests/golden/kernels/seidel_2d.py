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
    diff = n - 1
    for _ in range(steps):
        for i in reversed(range(1, diff)):
            diff_1 = i - 1
            total = i + 1
            for j in reversed(range(1, diff)):
                part = d_A[i, j]
                d_A[i, j] = part / 9.0
                part = d_A[i, j]
                d_A[i, j - 1] += part
            part = d_A[i, 1:-1]
            d_A[total, 2:] += part
            copy = d_A[i, 1:-1].copy()
            d_A[total, 1:-1] += copy
            d_A[total, :-2] += copy
            d_A[i, 2:] += copy
            d_A[diff_1, 2:] += copy
            d_A[diff_1, 1:-1] += copy
            d_A[diff_1, :-2] += copy
    return (d_A,)

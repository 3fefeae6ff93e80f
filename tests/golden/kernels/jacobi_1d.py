import numpy as np


def jacobi_1d_grad(A, B, steps):
    A = A.copy()
    B = B.copy()
    for _ in range(1, steps):
        B[1:-1] = 0.33333 * (A[:-2] + A[1:-1] + A[2:])
        A[1:-1] = 0.33333 * (B[:-2] + B[1:-1] + B[2:])
    d_A = 2 * A
    d_B = np.zeros_like(B)
    for _ in range(1, steps):
        d_A_part = d_A[1:-1].copy()
        d_total = 0.33333 * d_A_part
        d_B[2:] += d_total
        d_B[1:-1] += d_total
        d_B[:-2] += d_total
        d_B_part = d_B[1:-1].copy()
        d_B[1:-1] = 0.0
        d_total = 0.33333 * d_B_part
        d_A[1:-1] = d_total
        d_A[2:] += d_total
        d_A[:-2] += d_total
    return d_A, d_B

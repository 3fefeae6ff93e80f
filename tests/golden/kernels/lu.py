def lu_grad(A):
    A = A.copy()
    N = A.shape[0]
    history = []
    for i in range(N):
        part_steps = []
        ratio_steps = []
        copy_steps = []
        copy_steps_1 = []
        for j in range(i):
            copy = A[i, :j].copy()
            copy_steps_1.append(copy)
            copy = A[:j, j].copy()
            copy_steps.append(copy)
            A[i, j] -= A[i, :j] @ A[:j, j]
            part = A[j, j]
            part_steps.append(part)
            ratio = A[i, j] / part
            ratio_steps.append(ratio)
            A[i, j] = ratio
        copy_steps_2 = []
        copy_steps_3 = []
        for j in range(i, N):
            copy = A[i, :i].copy()
            copy_steps_3.append(copy)
            copy = A[:i, j].copy()
            copy_steps_2.append(copy)
            A[i, j] -= A[i, :i] @ A[:i, j]
        history.append((part_steps, ratio_steps, copy_steps, copy_steps_1, copy_steps_2, copy_steps_3))
    d_A = 2 * A
    for i, (part_steps, ratio_steps, copy_steps, copy_steps_1, copy_steps_2, copy_steps_3) in zip(reversed(range(N)), reversed(history)):
        for j, copy_steps_4, copy_steps_5 in zip(reversed(range(i, N)), reversed(copy_steps_2), reversed(copy_steps_3)):
            part = d_A[i, j]
            d_A[:i, j] -= part * copy_steps_5
            d_A[i, :i] -= part * copy_steps_4
        for j, part_steps_1, ratio_steps_1, copy_steps_2, copy_steps_3 in zip(reversed(range(i)), reversed(part_steps), reversed(ratio_steps), reversed(copy_steps), reversed(copy_steps_1)):
            part = d_A[i, j]
            d_A[i, j] = part / part_steps_1
            d_A[j, j] -= part * ratio_steps_1 / part_steps_1
            part = d_A[i, j]
            d_A[:j, j] -= part * copy_steps_3
            d_A[i, :j] -= part * copy_steps_2
    return (d_A,)

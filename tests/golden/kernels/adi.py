import numpy as np


def adi_grad(u, steps):
    u = u.copy()
    n = len(u)
    v = np.empty_like(u)
    p = np.empty_like(u)
    q = np.empty_like(u)
    dx = 1.0 / n
    dt = 1.0 / steps
    mul1 = 2.0 * dt / dx ** 2
    mul2 = 1.0 * dt / dx ** 2
    a = -mul1 / 2.0
    b = 1.0 + mul1
    d = -mul2 / 2.0
    e = 1.0 + mul2
    history = []
    for _ in range(1, steps + 1):
        v[0, 1:n - 1] = 1.0
        p[1:n - 1, 0] = 0.0
        q[1:n - 1, 0] = v[0, 1:n - 1]
        total_steps = []
        for j in range(1, n - 1):
            p[1:n - 1, j] = -a / (a * p[1:n - 1, j - 1] + b)
            total = a * p[1:n - 1, j - 1] + b
            total_steps.append(total)
            q[1:n - 1, j] = (-d * u[j, 0:n - 2] + (1.0 + 2.0 * d) * u[j, 1:n - 1] - d * u[j, 2:n] - a * q[1:n - 1, j - 1]) / total
        v[n - 1, 1:n - 1] = 1.0
        copy_steps = []
        for j in range(n - 2, 0, -1):
            part = p[1:n - 1, j]
            copy = part.copy()
            copy_steps.append(copy)
            v[j, 1:n - 1] = part * v[j + 1, 1:n - 1] + q[1:n - 1, j]
        u[1:n - 1, 0] = 1.0
        p[1:n - 1, 0] = 0.0
        q[1:n - 1, 0] = u[1:n - 1, 0]
        total_steps_1 = []
        for j in range(1, n - 1):
            p[1:n - 1, j] = -d / (d * p[1:n - 1, j - 1] + e)
            total = d * p[1:n - 1, j - 1] + e
            total_steps_1.append(total)
            q[1:n - 1, j] = (-a * v[0:n - 2, j] + (1.0 + 2.0 * a) * v[1:n - 1, j] - a * v[2:n, j] - d * q[1:n - 1, j - 1]) / total
        u[1:n - 1, n - 1] = 1.0
        copy_steps_1 = []
        for j in range(n - 2, 0, -1):
            part = p[1:n - 1, j]
            copy = part.copy()
            copy_steps_1.append(copy)
            u[1:n - 1, j] = part * u[1:n - 1, j + 1] + q[1:n - 1, j]
        history.append((total_steps, copy_steps, total_steps_1, copy_steps_1))
    d_u = 2 * u
    d_v = np.zeros_like(v)
    d_q = np.zeros_like(q)
    diff = n - 1
    diff_1 = n - 2
    for total_steps, copy_steps, total_steps_1, copy_steps_1 in reversed(history):
        for j, copy_steps_2 in zip(reversed(range(diff_1, 0, -1)), reversed(copy_steps_1)):
            copy = d_u[1:diff, j].copy()
            d_u[1:diff, j] = 0.0
            d_q[1:diff, j] += copy
            d_u[1:diff, j + 1] += copy * copy_steps_2
        d_u[1:diff, diff] = 0.0
        total = 1.0 + 2.0 * a
        for j, total_steps_2 in zip(reversed(range(1, diff)), reversed(total_steps_1)):
            copy = d_q[1:diff, j].copy()
            d_q[1:diff, j] = 0.0
            ratio = copy / total_steps_2
            d_q[1:diff, j - 1] -= ratio * d
            negative = -(ratio * a)
            d_v[2:n, j] += negative
            d_v[1:diff, j] += ratio * total
            d_v[0:diff_1, j] += negative
        copy = d_q[1:diff, 0].copy()
        d_q[1:diff, 0] = 0.0
        d_u[1:diff, 0] += copy
        d_u[1:diff, 0] = 0.0
        for j, copy_steps_1 in zip(reversed(range(diff_1, 0, -1)), reversed(copy_steps)):
            copy = d_v[j, 1:diff].copy()
            d_v[j, 1:diff] = 0.0
            d_q[1:diff, j] += copy
            d_v[j + 1, 1:diff] += copy * copy_steps_1
        d_v[diff, 1:diff] = 0.0
        total = 1.0 + 2.0 * d
        for j, total_steps_1 in zip(reversed(range(1, diff)), reversed(total_steps)):
            copy = d_q[1:diff, j].copy()
            d_q[1:diff, j] = 0.0
            ratio = copy / total_steps_1
            d_q[1:diff, j - 1] -= ratio * a
            negative = -(ratio * d)
            d_u[j, 2:n] += negative
            d_u[j, 1:diff] += ratio * total
            d_u[j, 0:diff_1] += negative
        copy = d_q[1:diff, 0].copy()
        d_q[1:diff, 0] = 0.0
        d_v[0, 1:diff] += copy
        d_v[0, 1:diff] = 0.0
    return (d_u,)

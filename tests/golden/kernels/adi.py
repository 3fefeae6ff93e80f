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
        p_j_steps = []
        for j in range(n - 2, 0, -1):
            p_j = p[1:n - 1, j]
            p_j_1 = p_j.copy()
            p_j_steps.append(p_j_1)
            v[j, 1:n - 1] = p_j * v[j + 1, 1:n - 1] + q[1:n - 1, j]
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
        p_j_steps_1 = []
        for j in range(n - 2, 0, -1):
            p_j = p[1:n - 1, j]
            p_j_1 = p_j.copy()
            p_j_steps_1.append(p_j_1)
            u[1:n - 1, j] = p_j * u[1:n - 1, j + 1] + q[1:n - 1, j]
        history.append((total_steps, p_j_steps, total_steps_1, p_j_steps_1))
    d_u = 2 * u
    d_v = np.zeros_like(v)
    d_q = np.zeros_like(q)
    for total_steps, p_j_steps, total_steps_1, p_j_steps_1 in reversed(history):
        for j, p_j in zip(reversed(range(n - 2, 0, -1)), reversed(p_j_steps_1)):
            d_u_j = d_u[1:n - 1, j].copy()
            d_u[1:n - 1, j] = 0.0
            d_q[1:n - 1, j] += d_u_j
            d_u[1:n - 1, j + 1] += d_u_j * p_j
        d_u[1:n - 1, n - 1] = 0.0
        total = 1.0 + 2.0 * a
        for j, total_1 in zip(reversed(range(1, n - 1)), reversed(total_steps_1)):
            d_q_j = d_q[1:n - 1, j].copy()
            d_q[1:n - 1, j] = 0.0
            d_diff = d_q_j / total_1
            d_q[1:n - 1, j - 1] -= d_diff * d
            d_v_j = -(d_diff * a)
            d_v[2:n, j] += d_v_j
            d_v[1:n - 1, j] += d_diff * total
            d_v[0:n - 2, j] += d_v_j
        d_q_0 = d_q[1:n - 1, 0].copy()
        d_q[1:n - 1, 0] = 0.0
        d_u[1:n - 1, 0] += d_q_0
        d_u[1:n - 1, 0] = 0.0
        for j, p_j in zip(reversed(range(n - 2, 0, -1)), reversed(p_j_steps)):
            d_v_j = d_v[j, 1:n - 1].copy()
            d_v[j, 1:n - 1] = 0.0
            d_q[1:n - 1, j] += d_v_j
            d_v[j + 1, 1:n - 1] += d_v_j * p_j
        d_v[n - 1, 1:n - 1] = 0.0
        total = 1.0 + 2.0 * d
        for j, total_1 in zip(reversed(range(1, n - 1)), reversed(total_steps)):
            d_q_j = d_q[1:n - 1, j].copy()
            d_q[1:n - 1, j] = 0.0
            d_diff = d_q_j / total_1
            d_q[1:n - 1, j - 1] -= d_diff * a
            d_u_j = -(d_diff * d)
            d_u[j, 2:n] += d_u_j
            d_u[j, 1:n - 1] += d_diff * total
            d_u[j, 0:n - 2] += d_u_j
        d_q_0 = d_q[1:n - 1, 0].copy()
        d_q[1:n - 1, 0] = 0.0
        d_v[0, 1:n - 1] += d_q_0
        d_v[0, 1:n - 1] = 0.0
    return (d_u,)

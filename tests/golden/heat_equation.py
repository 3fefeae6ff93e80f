import numpy as np


def loss_grad(initial, rate, target, steps=8):
    curvature_steps = []
    u = initial
    for _ in range(steps):
        curvature = u[2:] - 2.0 * u[1:-1] + u[:-2]
        curvature_steps.append(curvature)
        u = np.concatenate([u[:1], u[1:-1] + rate * curvature, u[-1:]])
    d_u = 2 * (u - target)
    d_rate = 0.0
    for curvature in reversed(curvature_steps):
        d_u_1 = np.zeros_like(u)
        d_u_1[-1:] = d_u[-1:]
        d_rate += np.sum(d_u[1:-1] * curvature)
        d_curvature = d_u[1:-1] * rate
        d_u_1[1:-1] += d_u[1:-1]
        d_u_1[:1] += d_u[:1]
        d_u_1[:-2] += d_curvature
        d_u_1[1:-1] -= 2.0 * d_curvature
        d_u_1[2:] += d_curvature
        d_u = d_u_1
    return d_u, d_rate

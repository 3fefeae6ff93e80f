"""A damped pendulum by Runge-Kutta steps: scalars, a helper that returns a pair, parameters reassigned."""

import numpy as np

WRT = ("theta", "omega", "length", "damping")

GRAVITY = 9.81


def motion(theta, omega, length, damping):
    return omega, -GRAVITY / length * np.sin(theta) - damping * omega


def loss(theta, omega, length, damping, target, steps=12, dt=0.1):
    for _ in range(steps):
        v1, a1 = motion(theta, omega, length, damping)
        v2, a2 = motion(theta + dt / 2 * v1, omega + dt / 2 * a1, length, damping)
        v3, a3 = motion(theta + dt / 2 * v2, omega + dt / 2 * a2, length, damping)
        v4, a4 = motion(theta + dt * v3, omega + dt * a3, length, damping)
        theta = theta + dt / 6 * (v1 + 2 * v2 + 2 * v3 + v4)
        omega = omega + dt / 6 * (a1 + 2 * a2 + 2 * a3 + a4)
    return (theta - target) ** 2


def by_hand(theta, omega, length, damping, target, steps=12, dt=0.1):
    pull = GRAVITY / length
    stages = []
    for _ in range(steps):
        a1 = -pull * np.sin(theta) - damping * omega
        t2 = theta + dt / 2 * omega
        v2 = omega + dt / 2 * a1
        a2 = -pull * np.sin(t2) - damping * v2
        t3 = theta + dt / 2 * v2
        v3 = omega + dt / 2 * a2
        a3 = -pull * np.sin(t3) - damping * v3
        t4 = theta + dt * v3
        v4 = omega + dt * a3
        a4 = -pull * np.sin(t4) - damping * v4
        stages.append((theta, omega, t2, v2, t3, v3, t4, v4))
        theta = theta + dt / 6 * (omega + 2 * v2 + 2 * v3 + v4)
        omega = omega + dt / 6 * (a1 + 2 * a2 + 2 * a3 + a4)
    d_theta = 2 * (theta - target)
    d_omega = 0.0
    d_pull = 0.0
    d_damping = 0.0
    for t1, v1, t2, v2, t3, v3, t4, v4 in reversed(stages):
        d_a4 = dt / 6 * d_omega
        d_t4 = -pull * np.cos(t4) * d_a4
        d_v4 = dt / 6 * d_theta - damping * d_a4
        d_a3 = dt / 3 * d_omega + dt * d_v4
        d_t3 = -pull * np.cos(t3) * d_a3
        d_v3 = dt / 3 * d_theta + dt * d_t4 - damping * d_a3
        d_a2 = dt / 3 * d_omega + dt / 2 * d_v3
        d_t2 = -pull * np.cos(t2) * d_a2
        d_v2 = dt / 3 * d_theta + dt / 2 * d_t3 - damping * d_a2
        d_a1 = dt / 6 * d_omega + dt / 2 * d_v2
        d_t1 = -pull * np.cos(t1) * d_a1
        d_v1 = dt / 6 * d_theta + dt / 2 * d_t2 - damping * d_a1
        d_pull -= np.sin(t1) * d_a1 + np.sin(t2) * d_a2 + np.sin(t3) * d_a3 + np.sin(t4) * d_a4
        d_damping -= v1 * d_a1 + v2 * d_a2 + v3 * d_a3 + v4 * d_a4
        d_theta += d_t1 + d_t2 + d_t3 + d_t4
        d_omega += d_v1 + d_v2 + d_v3 + d_v4
    d_length = -d_pull * pull / length
    return d_theta, d_omega, d_length, d_damping


def arguments(rng):
    theta, omega, length, damping = rng.uniform(0.5, 1.5), rng.normal(), rng.uniform(0.8, 1.2), 0.3
    return theta, omega, length, damping, 0.2

import numpy as np


def loss_grad(theta, omega, length, damping, target, steps=12, dt=0.1, *, GRAVITY):
    history = []
    for _ in range(steps):
        sine = np.sin(theta)
        a1 = -GRAVITY / length * sine - damping * omega
        v2 = omega + dt / 2 * a1
        sine_1 = np.sin(theta + dt / 2 * omega)
        a2 = -GRAVITY / length * sine_1 - damping * v2
        v3 = omega + dt / 2 * a2
        sine_2 = np.sin(theta + dt / 2 * v2)
        a3 = -GRAVITY / length * sine_2 - damping * v3
        v4 = omega + dt * a3
        sine_3 = np.sin(theta + dt * v3)
        history.append((omega, theta, sine, v2, sine_1, v3, sine_2, v4, sine_3))
        a4 = -GRAVITY / length * sine_3 - damping * v4
        theta = theta + dt / 6 * (omega + 2 * v2 + 2 * v3 + v4)
        omega = omega + dt / 6 * (a1 + 2 * a2 + 2 * a3 + a4)
    d_theta = 2 * (theta - target)
    d_omega = 0.0
    d_damping = 0.0
    d_length = 0.0
    for omega, theta, sine, v2, sine_1, v3, sine_2, v4, sine_3 in reversed(history):
        ratio = GRAVITY / length
        ratio_1 = dt / 2
        ratio_2 = dt / 6
        d_a4 = d_omega * ratio_2
        d_a3 = 2 * d_a4
        d_v4 = d_theta * ratio_2
        d_v3 = 2 * d_v4
        d_v4_1 = d_v4 - d_a4 * damping
        product = d_a4 * ratio * np.cos(theta + dt * v3)
        d_length += d_a4 * sine_3 * ratio / length
        d_a3_1 = d_a3 + d_v4_1 * dt
        d_v3_1 = d_v3 - product * dt - d_a3_1 * damping
        product_1 = d_a3_1 * ratio * np.cos(theta + ratio_1 * v2)
        d_length += d_a3_1 * sine_2 * ratio / length
        d_a2 = d_a3 + d_v3_1 * ratio_1
        d_damping -= d_a4 * v4 + d_a3_1 * v3 + d_a2 * v2
        d_v2 = d_v3 - product_1 * ratio_1 - d_a2 * damping
        product_2 = d_a2 * ratio * np.cos(theta + ratio_1 * omega)
        d_length += d_a2 * sine_1 * ratio / length
        d_a1 = d_a4 + d_v2 * ratio_1
        d_theta -= product + product_1 + product_2
        d_omega += d_v4 + d_v4_1 + d_v3_1 + d_v2 - product_2 * ratio_1
        d_damping -= d_a1 * omega
        d_omega -= d_a1 * damping
        d_theta -= d_a1 * ratio * np.cos(theta)
        d_length += d_a1 * sine * ratio / length
    return d_theta, d_omega, d_length, d_damping

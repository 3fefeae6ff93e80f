import numpy as np


def lorenz_forward(state, sigma, rho, beta):
    x = state[0]
    y = state[1]
    z = state[2]
    diff = rho - z
    stacked = np.array([sigma * (y - x), x * diff - y, x * y - beta * z])
    return stacked, (state, sigma, beta, x, y, diff)


def lorenz_backward(saved, d_value):
    state, sigma, beta, x, y, diff = saved
    d_diff = d_value[0] * sigma
    d_x = d_value[2] * y + d_value[1] * diff - d_diff
    d_state = np.zeros_like(state)
    d_state[2] = -(d_value[2] * beta) - d_value[1] * x
    d_state[1] += d_value[2] * x - d_value[1] + d_diff
    d_state[0] += d_x
    return d_state


def simulate_grad(start, rho, steps):
    history = []
    y = start
    for _ in range(steps):
        k1, lorenz_saved = lorenz_forward(y, 10.0, rho, 8 / 3)
        k2, lorenz_saved_1 = lorenz_forward(y + 0.01 / 2 * k1, 10.0, rho, 8 / 3)
        k3, lorenz_saved_2 = lorenz_forward(y + 0.01 / 2 * k2, 10.0, rho, 8 / 3)
        k4, lorenz_saved_3 = lorenz_forward(y + 0.01 * k3, 10.0, rho, 8 / 3)
        history.append((lorenz_saved, lorenz_saved_1, lorenz_saved_2, lorenz_saved_3))
        y = y + 0.01 / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    d_y = 2 * y
    for lorenz_saved, lorenz_saved_1, lorenz_saved_2, lorenz_saved_3 in reversed(history):
        d_k4 = 0.01 / 6 * d_y
        d_k3 = 0.0033333333333333335 * d_y
        d_total = lorenz_backward(lorenz_saved_3, d_k4)
        d_k3_1 = d_k3 + 0.01 * d_total
        d_total_1 = lorenz_backward(lorenz_saved_2, d_k3_1)
        d_k2 = d_k3 + 0.01 / 2 * d_total_1
        d_total_2 = lorenz_backward(lorenz_saved_1, d_k2)
        d_k1 = d_k4 + 0.01 / 2 * d_total_2
        d_y_1 = lorenz_backward(lorenz_saved, d_k1)
        d_y += d_total + d_total_1 + d_total_2 + d_y_1
    return d_y

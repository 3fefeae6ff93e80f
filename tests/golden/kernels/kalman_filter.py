import numpy as np


def kalman_filter_grad(F, H, Q, R, x, P, measured):
    identity = np.eye(len(x))
    estimates = np.zeros((len(measured), len(x)))
    S_steps = []
    solution_steps = []
    innovation_steps = []
    P_steps = []
    diff_steps = []
    K_steps = []
    inverse_steps = []
    product_steps = []
    product_steps_1 = []
    x_steps = []
    product_steps_2 = []
    P_steps_1 = []
    x_steps_1 = []
    for t in range(len(measured)):
        P_steps_1.append(P)
        x_steps_1.append(x)
        x = F @ x
        x_steps.append(x)
        product = F @ P
        product_steps_2.append(product)
        P = product @ F.T + Q
        P_steps.append(P)
        innovation = measured[t] - H @ x
        innovation_steps.append(innovation)
        product = H @ P
        product_steps_1.append(product)
        S = product @ H.T + R
        S_steps.append(S)
        product = P @ H.T
        product_steps.append(product)
        inverse = np.linalg.inv(S)
        inverse_steps.append(inverse)
        K = product @ inverse
        K_steps.append(K)
        x = x + K @ innovation
        diff = identity - K @ H
        diff_steps.append(diff)
        P = diff @ P
        solution = np.linalg.solve(S, innovation)
        solution_steps.append(solution)
        estimates[t] = x
    d_estimates = 2 * estimates
    d_x = np.zeros_like(x)
    d_P = np.zeros_like(P)
    d_H = np.zeros_like(H)
    d_R = np.zeros((1, 1))
    d_measured = np.zeros_like(measured)
    d_Q = np.zeros_like(Q)
    d_F = np.zeros_like(F)
    for t, S, solution, innovation, P, diff, K, inverse, product, product_1, x, product_2, P_1, x_1 in zip(reversed(range(len(measured))), reversed(S_steps), reversed(solution_steps), reversed(innovation_steps), reversed(P_steps), reversed(diff_steps), reversed(K_steps), reversed(inverse_steps), reversed(product_steps), reversed(product_steps_1), reversed(x_steps), reversed(product_steps_2), reversed(P_steps_1), reversed(x_steps_1)):
        d_estimates_t = d_estimates[t].copy()
        d_x += d_estimates_t
        d_estimates[t] = 0.0
        solution_1 = np.linalg.solve(S.T, -0.5 * innovation)
        d_S = -0.5 * np.linalg.inv(S).T - np.outer(solution_1, solution)
        d_diff = d_P @ P.T
        d_K = np.outer(d_x, innovation) - d_diff @ H.T
        d_innovation = solution_1 - 0.5 * solution + K.T @ d_x
        d_S -= inverse.T @ (product.T @ d_K) @ inverse.T
        d_H -= K.T @ d_diff - inverse @ d_K.T @ P
        d_R += d_S
        d_product = d_S @ H
        d_H += d_S.T @ product_1 + d_product @ P.T
        d_P = diff.T @ d_P + d_K @ inverse.T @ H + H.T @ d_product
        d_H += np.outer(-d_innovation, x)
        d_x -= H.T @ d_innovation
        d_measured[t] += d_innovation
        d_Q += d_P
        d_product = d_P @ F
        d_F += d_P.T @ product_2 + d_product @ P_1.T
        d_P = F.T @ d_product
        d_F += np.outer(d_x, x_1)
        d_x = F.T @ d_x
    return d_F, d_H, d_Q, d_R, d_x, d_P, d_measured

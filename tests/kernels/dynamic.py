"""Dynamic programming and filters: tables filled by recurrences."""

import numpy as np


def floyd_warshall(path):
    for k in range(path.shape[0]):
        path[:] = np.minimum(path[:], np.add.outer(path[:, k], path[k, :]))
    return np.sum(path**2)


def floyd_warshall_by_element(path):
    n = len(path)
    for k in range(n):
        for i in range(n):
            for j in range(n):
                path[i, j] = min(path[i, j], path[i, k] + path[k, j])
    return np.sum(path**2)


def soft_dtw(x, y, gamma):
    n, m = len(x), len(y)
    R = np.full((n + 1, m + 1), 1e10)
    R[0, 0] = 0.0
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            cost = (x[i - 1] - y[j - 1]) ** 2
            before = np.array([R[i - 1, j], R[i, j - 1], R[i - 1, j - 1]]) / -gamma
            top = np.max(before)
            R[i, j] = cost - gamma * (top + np.log(np.sum(np.exp(before - top))))
    return R[n, m]


def hmm_forward(log_start, log_transition, log_emission, observed):
    steps = len(observed)
    alpha = np.zeros((steps, len(log_start)))
    alpha[0] = log_start + log_emission[:, observed[0]]
    for t in range(1, steps):
        for j in range(len(log_start)):
            terms = alpha[t - 1] + log_transition[:, j]
            top = terms.max()
            alpha[t, j] = top + np.log(np.sum(np.exp(terms - top))) + log_emission[j, observed[t]]
    top = alpha[-1].max()
    return top + np.log(np.sum(np.exp(alpha[-1] - top)))


def kalman_filter(F, H, Q, R, x, P, measured):
    likelihood = 0.0
    identity = np.eye(len(x))
    estimates = np.zeros((len(measured), len(x)))
    for t in range(len(measured)):
        x = F @ x
        P = F @ P @ F.T + Q
        innovation = measured[t] - H @ x
        S = H @ P @ H.T + R
        K = P @ H.T @ np.linalg.inv(S)
        x = x + K @ innovation
        P = (identity - K @ H) @ P
        likelihood -= 0.5 * (innovation @ np.linalg.solve(S, innovation) + np.linalg.slogdet(S)[1])
        estimates[t] = x
    return likelihood + np.sum(estimates**2)


def drivers(rng):
    yield floyd_warshall, (rng.random((4, 4)),)
    yield floyd_warshall_by_element, (rng.random((4, 4)),)
    yield soft_dtw, (rng.random(4), rng.random(3), 0.7)
    yield (
        hmm_forward,
        (np.log(rng.random(3)), np.log(rng.random((3, 3))), np.log(rng.random((3, 4))), np.array([0, 2, 1, 3])),
    )
    F, H = np.array([[1.0, 0.1], [0.0, 1.0]]), np.array([[1.0, 0.0]])
    yield kalman_filter, (F, H, 0.1 * np.eye(2), 0.2 * np.eye(1), rng.random(2), np.eye(2), rng.random((4, 1)))
